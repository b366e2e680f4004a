package exception

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// header begins a new file; the first line tells editors where the schema is.
const header = `# yaml-language-server: $schema=exceptions.schema.json
# Reviewed exceptions of gatehouse audit and gate. Each names one resource, has an
# owner, a reason and an end. "gatehouse exceptions check" says what is wrong.
version: 1
exceptions:
`

// order is how an entry is written.
var order = []string{
	"id", "control", "resource", "match", "owner", "reason", "compensating_control", "approved_by", "created", "expires", "ticket",
}

// Add appends an entry to a file, and makes the file when there is none. The
// rest of the file stays as it is. Nothing is written unless the entry is valid
// and the file reads back with it.
func Add(path string, entry Entry, now time.Time) error {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte(header)
	case err != nil:
		return fmt.Errorf("adding an exception: %w", err)
	}
	before, err := Parse(text, now)
	if err != nil {
		return fmt.Errorf("adding an exception to %s: %w", path, err)
	}
	result := appendTo(string(text), entry)
	after, err := Parse([]byte(result), now)
	if err != nil || len(after.Entries) != len(before.Entries)+1 {
		return fmt.Errorf("adding an exception to %s: the file does not end with a list of exceptions in block style; add the entry by hand", path)
	}
	if added := after.Entries[len(after.Entries)-1]; len(added.Problems) > 0 {
		return fmt.Errorf("the exception would excuse nothing: %s", strings.Join(added.Problems, "; "))
	}
	return replace(path, result)
}

func appendTo(text string, entry Entry) string {
	text = strings.TrimRight(text, " \n") + "\n"
	text = strings.Replace(text, "\nexceptions: []\n", "\nexceptions:\n", 1)
	if !strings.Contains("\n"+text, "\nexceptions:") {
		text += "exceptions:\n"
	}
	indent := listIndent(text)
	var b strings.Builder
	b.WriteString(text)
	lead := indent + "- "
	fields := entry.fields()
	for _, key := range order {
		value := *fields[key]
		if value == "" || key == "match" && value == "exact" {
			continue
		}
		b.WriteString(lead + key + ": " + strconv.Quote(value) + "\n")
		lead = indent + "  "
	}
	return b.String()
}

// listIndent is the indentation of the list's items so far.
func listIndent(text string) string {
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimLeft(line, " "); strings.HasPrefix(trimmed, "- ") {
			return line[:len(line)-len(trimmed)]
		}
	}
	return "  "
}

// replace writes the file beside the old one and renames it, so that nobody
// reads half of it.
func replace(path, text string) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".exceptions-*")
	if err != nil {
		return fmt.Errorf("writing the exceptions file: %w", err)
	}
	_, err = temporary.WriteString(text)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing the exceptions file: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}
