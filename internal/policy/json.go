package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// node is a JSON value and where it stands in the text.
type node struct {
	kind       nodeKind
	text       string // of a string, number or boolean
	items      []node // of an array, or the values of an object
	names      []string
	start, end int
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	scalarNode // a number or a boolean
	arrayNode
	objectNode
)

// maxDepth is deeper than any policy: document, statements, statement,
// Condition, operator, values.
const maxDepth = 8

// tree reads JSON into nodes. Unlike encoding/json alone it refuses names that
// occur twice, invalid UTF-8 and control characters, since two readers could
// understand such a document differently.
type tree struct {
	source  []byte
	decoder *json.Decoder
}

func readTree(document string) (node, *tree, error) {
	t := &tree{source: []byte(document)}
	if !utf8.Valid(t.source) {
		return node{}, t, errors.New("the document is not valid UTF-8")
	}
	t.decoder = json.NewDecoder(bytes.NewReader(t.source))
	t.decoder.UseNumber()
	root, err := t.value(0)
	if err != nil {
		return node{}, t, err
	}
	if _, err := t.decoder.Token(); !errors.Is(err, io.EOF) {
		return node{}, t, t.fault(int(t.decoder.InputOffset()), "there is text after the end of the document")
	}
	return root, t, nil
}

// value reads one value.
func (t *tree) value(depth int) (node, error) {
	start := t.next()
	token, err := t.decoder.Token()
	if err != nil {
		return node{}, t.fault(int(t.decoder.InputOffset()), "not valid JSON: %s", jsonReason(err))
	}
	n := node{start: start}
	switch token := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, t.fault(start, "nested deeper than a policy can be")
		}
		n.kind = arrayNode
		if token == '{' {
			n.kind = objectNode
		}
		err = t.members(&n, depth)
	case string:
		n.kind, n.text = stringNode, token
		err = t.plain(token, start)
	case json.Number:
		n.kind, n.text = scalarNode, token.String()
	case bool:
		n.kind, n.text = scalarNode, fmt.Sprint(token)
	}
	n.end = int(t.decoder.InputOffset())
	return n, err
}

// members reads the rest of an array or object.
func (t *tree) members(n *node, depth int) error {
	seen := map[string]bool{}
	for t.decoder.More() {
		if n.kind == objectNode {
			at := t.next()
			token, err := t.decoder.Token()
			name, ok := token.(string)
			if err != nil || !ok {
				return t.fault(at, "not valid JSON: a name in quotation marks must stand here")
			}
			if err := t.plain(name, at); err != nil {
				return err
			}
			if seen[name] {
				return t.fault(at, "%q occurs twice", name)
			}
			seen[name] = true
			n.names = append(n.names, name)
		}
		item, err := t.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	if _, err := t.decoder.Token(); err != nil {
		return t.fault(int(t.decoder.InputOffset()), "not valid JSON: %s", jsonReason(err))
	}
	return nil
}

// plain refuses control characters.
func (t *tree) plain(text string, at int) error {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }) >= 0 {
		return t.fault(at, "a string contains a control character")
	}
	return nil
}

// next is where the next token begins.
func (t *tree) next() int {
	at := int(t.decoder.InputOffset())
	for at < len(t.source) && strings.IndexByte(" \t\r\n,:", t.source[at]) >= 0 {
		at++
	}
	return at
}

// position translates an offset.
func (t *tree) position(offset int) Position {
	before := t.source[:min(offset, len(t.source))]
	return Position{
		Line:   bytes.Count(before, []byte{'\n'}) + 1,
		Column: len(before) - bytes.LastIndexByte(before, '\n'),
	}
}

// fault is an error at an offset.
func (t *tree) fault(offset int, format string, args ...any) error {
	p := t.position(offset)
	return fmt.Errorf("line %d, column %d: %s", p.Line, p.Column, fmt.Sprintf(format, args...))
}

func jsonReason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the text ends too early"
	}
	return err.Error()
}

// is reports whether the node is of one of kinds.
func (n *node) is(kinds ...nodeKind) bool {
	for _, k := range kinds {
		if n.kind == k {
			return true
		}
	}
	return false
}
