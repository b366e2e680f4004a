package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxFile bounds a configuration file, in bytes: it holds a few dozen lines.
const maxFile = 1 << 20

// File is a read configuration file: values by the name of their flag.
type File map[string]any

// Read reads YAML whose keys are flag names without the dashes. Keys that no
// setting of the struct has are refused, all at once.
func Read(r io.Reader, settings any) (File, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("--config: the file has more than %d bytes", maxFile)
	}
	file := File{}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	known := names(settings)
	var unknown []string
	for key := range file {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, fmt.Errorf("--config: the file sets %s, which is not among %s", strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	return file, nil
}

// names lists the flag names of a settings struct.
func names(settings any) []string {
	t := reflect.TypeOf(settings).Elem()
	var all []string
	for field := range t.Fields() {
		name := field.Tag.Get("name")
		if name == "" {
			name = flagName(field.Name)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// flagName is DataDir → data-dir, as the command line has it.
func flagName(field string) string {
	var b strings.Builder
	for i, r := range field {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
