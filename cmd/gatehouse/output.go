package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// outputFlag is shared by every command that lists something.
type outputFlag struct {
	Output string `help:"table, or json." enum:"table,json" default:"table"`
}

// list prints items as the flag says: JSON as they are, or a table with one row
// each. A table without rows says so in words.
func list[T any](o outputFlag, items []T, none string, header []string, row func(T) []string) error {
	if o.Output == "json" {
		if items == nil {
			items = []T{}
		}
		return printJSON(os.Stdout, items)
	}
	if len(items) == 0 {
		_, err := fmt.Println(none)
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(header, "\t"))
	for _, item := range items {
		fmt.Fprintln(table, strings.Join(row(item), "\t"))
	}
	return table.Flush()
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
