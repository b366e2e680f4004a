// Command modelgen makes the compact models of package model from the service
// models that AWS ships with its SDKs (botocore's service-2.json, also gzipped).
// It refuses a model that says something about the wire that the codecs do not
// know, so that a new service cannot be half supported.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

func main() {
	from := flag.String("from", "", "service-2.json or service-2.json.gz")
	to := flag.String("to", "", "file to write")
	without := flag.String("without", "", "members to leave out, as Name,Name: they are not served, and refused")
	flag.Parse()
	if err := run(*from, *to, strings.Split(*without, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "modelgen:", err)
		os.Exit(1)
	}
}

func run(from, to string, without, operations []string) error {
	src, err := readSource(from)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	if len(operations) == 0 {
		operations, err = servedBy(to)
		if err != nil {
			return fmt.Errorf("no operations given, and %s has none: %w", to, err)
		}
	}
	out, err := reduce(src, without, operations)
	if err != nil {
		return err
	}
	return os.WriteFile(to, render(out), 0o644)
}

func servedBy(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := model.Read(data)
	if err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(s.Operations)), nil
}

func readSource(path string) (*source, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".gz") {
		zipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = io.ReadAll(zipped); err != nil {
			return nil, err
		}
	}
	src := new(source)
	return src, json.Unmarshal(data, src)
}

// render writes one operation, shape or error a line, so that a new version of
// the model shows as a readable difference.
func render(s *model.Service) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"signingName\": %q, \"eventSource\": %q, \"version\": %q, \"namespace\": %q,\n", s.SigningName, s.EventSource, s.Version, s.Namespace)
	if s.Target != "" {
		fmt.Fprintf(&b, "\"target\": %q, \"queryCompatible\": %t,\n", s.Target, s.QueryCompatible)
	}
	section(&b, "operations", s.Operations, ",")
	section(&b, "shapes", s.Shapes, ",")
	section(&b, "errors", s.Errors, "")
	b.WriteString("}\n")
	return b.Bytes()
}

func section[V any](b *bytes.Buffer, name string, entries map[string]V, after string) {
	fmt.Fprintf(b, "%q: {\n", name)
	for i, key := range slices.Sorted(maps.Keys(entries)) {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(b, "%q: %s", key, encode(entries[key]))
	}
	fmt.Fprintf(b, "\n}%s\n", after)
}

func encode(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // the model's types always encode
	}
	return strings.TrimSpace(b.String())
}
