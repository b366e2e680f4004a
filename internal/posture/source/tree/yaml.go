package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads JSON or YAML, told apart by the first byte: YAML that begins like
// JSON and is not falls back to YAML.
func Parse(src []byte) (*Node, error) {
	first := bytes.TrimLeft(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		node, err := ParseJSON(src)
		if err == nil || errors.Is(err, ErrLimit) {
			return node, err
		}
		if other, yamlErr := ParseYAML(src); yamlErr == nil {
			return other, nil
		}
		return nil, err
	}
	return ParseYAML(src)
}

// ParseYAML reads src; when there is a second document it returns the first one
// and ErrSeveral. CloudFormation's short tags become
// the long form, so that "!Ref X" and {"Ref": "X"} are the same tree.
func ParseYAML(src []byte) (*Node, error) {
	if len(src) > maxYAMLBytes {
		return nil, fmt.Errorf("%w: %d bytes of YAML, %d at most", ErrLimit, len(src), maxYAMLBytes)
	}
	reader := &yamlReader{intern: map[string]string{}}
	return reader.read(src)
}

// read parses one document.
func (y *yamlReader) read(src []byte) (*Node, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return &Node{Kind: Null, Line: 1, Column: 1}, nil
		}
		return nil, yamlFault(err)
	}
	node, err := y.node(&document, 0)
	if err != nil {
		return nil, err
	}
	var next yaml.Node
	if err := decoder.Decode(&next); err == nil {
		return node, ErrSeveral
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlFault(err)
	}
	return node, nil
}

var lineInMessage = regexp.MustCompile(`line (\d+): (.*)`)

func yamlFault(err error) error {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if found := lineInMessage.FindStringSubmatch(message); found != nil {
		if line, convErr := strconv.Atoi(found[1]); convErr == nil {
			return &SyntaxError{Line: line, Message: found[2]}
		}
	}
	return &SyntaxError{Line: 1, Message: message}
}

// yamlReader turns yaml.Node into Node.
type yamlReader struct {
	nodes   int
	aliased int          // nodes that were made inside an alias
	inside  []*yaml.Node // anchors that are being repeated, to see cycles
	intern  map[string]string
	offset  int // lines before the text that is being read
}

func (y *yamlReader) line(of *yaml.Node) int32 { return int32(of.Line + y.offset) }

func (y *yamlReader) node(from *yaml.Node, depth int) (*Node, error) {
	if err := y.count(from, depth); err != nil {
		return nil, err
	}
	switch from.Kind {
	case yaml.DocumentNode:
		if len(from.Content) == 0 {
			return &Node{Kind: Null, Line: 1, Column: 1}, nil
		}
		return y.node(from.Content[0], depth)
	case yaml.AliasNode:
		return y.alias(from, depth)
	}
	plain, err := y.plain(from, depth)
	if err != nil {
		return nil, err
	}
	if name, ok := intrinsic(from.Tag); ok {
		return MapOf(name, plain, plain), nil
	}
	return plain, nil
}

func (y *yamlReader) count(at *yaml.Node, depth int) error {
	y.nodes++
	if len(y.inside) > 0 {
		y.aliased++
	}
	switch {
	case depth > maxDepth:
		return fmt.Errorf("line %d: %w: values nest deeper than %d", at.Line, ErrLimit, maxDepth)
	case y.nodes > maxNodes:
		return fmt.Errorf("line %d: %w: more than %d values", at.Line, ErrLimit, maxNodes)
	case y.aliased > maxAliased:
		return fmt.Errorf("line %d: %w: aliases repeat more than %d values", at.Line, ErrLimit, maxAliased)
	}
	return nil
}

func (y *yamlReader) alias(from *yaml.Node, depth int) (*Node, error) {
	for _, open := range y.inside {
		if open == from.Alias {
			return nil, &SyntaxError{Line: from.Line, Message: "the alias *" + from.Value + " contains itself"}
		}
	}
	if from.Alias == nil {
		return nil, &SyntaxError{Line: from.Line, Message: "the alias *" + from.Value + " has no anchor"}
	}
	y.inside = append(y.inside, from.Alias)
	node, err := y.node(from.Alias, depth+1)
	y.inside = y.inside[:len(y.inside)-1]
	return node, err
}

func (y *yamlReader) plain(from *yaml.Node, depth int) (*Node, error) {
	node := &Node{Line: y.line(from), Column: int32(from.Column)}
	switch from.Kind {
	case yaml.SequenceNode:
		node.Kind = List
		node.Items = make([]*Node, 0, len(from.Content))
		for _, item := range from.Content {
			child, err := y.node(item, depth+1)
			if err != nil {
				return nil, err
			}
			node.Items = append(node.Items, child)
		}
		return node, nil
	case yaml.MappingNode:
		node.Kind = Map
		return node, y.fill(node, from, depth)
	}
	node.Text = y.once(from.Value)
	node.Kind = scalarKind(from)
	return node, nil
}

func (y *yamlReader) fill(node *Node, from *yaml.Node, depth int) error {
	node.Keys = make([]Key, 0, len(from.Content)/2)
	node.Items = make([]*Node, 0, len(from.Content)/2)
	var merged []*Node
	for i := 0; i+1 < len(from.Content); i += 2 {
		key := from.Content[i]
		value, err := y.node(from.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		node.add(Key{Name: y.once(key.Value), Line: y.line(key)}, value)
	}
	for _, each := range merged {
		merge(node, each)
	}
	return nil
}

// merge adds the entries of a "<<" value that the map does not have itself.
func merge(node, from *Node) {
	if from.Kind == List {
		for _, item := range from.Items {
			merge(node, item)
		}
		return
	}
	from.Each(func(key Key, value *Node) {
		if !node.has(key.Name) {
			node.add(key, value)
		}
	})
}

// scalarKind keeps the text of every scalar as written: "5.0" stays "5.0", and
// a bare "no" stays "no".
func scalarKind(from *yaml.Node) Kind {
	if from.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return String
	}
	switch from.Tag {
	case "!!null":
		return Null
	case "!!bool":
		return Bool
	case "!!int", "!!float":
		return Number
	}
	return String
}

func (y *yamlReader) once(text string) string {
	if len(text) > maxInternedLen {
		return text
	}
	if known, ok := y.intern[text]; ok {
		return known
	}
	if len(y.intern) < maxInterned {
		y.intern[text] = text
	}
	return text
}

// intrinsic turns a short tag into the function's name.
func intrinsic(tag string) (string, bool) {
	name, ok := strings.CutPrefix(tag, "!")
	if !ok || name == "" || strings.HasPrefix(name, "!") {
		return "", false
	}
	if name == "Ref" || name == "Condition" {
		return name, true
	}
	return "Fn::" + name, true
}
