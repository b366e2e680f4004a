package tree

import (
	"bytes"
	"errors"
)

const (
	// smallYAML is the size up to which YAML is parsed in one go.
	smallYAML = 256 << 10
	// pieceBytes is how much of a long section is parsed at a time: enough for the
	// parser's own set-up not to matter, little enough for its memory not to.
	pieceBytes = 64 << 10
)

// ParseSection is Parse for files with one long section, a top-level map such as
// a template's Resources. slim is called for each of the section's values as
// soon as it is read, and may take off what the caller will not ask for, so that
// the whole is never in memory at once.
func ParseSection(src []byte, section string, slim func(value *Node)) (*Node, error) {
	first := bytes.TrimLeft(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(first) > 0 && first[0] == '{' && len(src) <= MaxBytes {
		if root, err := jsonSection(src, section, slim); err == nil || errors.Is(err, ErrLimit) {
			return root, err
		}
	} else if len(src) > smallYAML && len(src) <= maxYAMLBytes {
		if root, ok := yamlSection(src, section, slim); ok {
			return root, nil
		}
	}
	root, err := Parse(src)
	if err == nil {
		root.Get(section).Each(func(_ Key, value *Node) { slim(value) })
	}
	return root, err
}

func jsonSection(src []byte, section string, slim func(value *Node)) (*Node, error) {
	s := NewScanner(src)
	root := &Node{Kind: Map, Line: 1, Column: 1}
	err := s.Object(func(name string) error {
		key := Key{Name: name, Line: int32(s.line)}
		if name != section || s.Peek() != '{' {
			value, err := s.Value()
			root.add(key, value)
			return err
		}
		whole := &Node{Kind: Map, Line: int32(s.line), Column: int32(s.pos - s.start + 1)}
		root.add(key, whole)
		return s.Object(func(name string) error {
			key := Key{Name: name, Line: int32(s.line)}
			value, err := s.Value()
			if err != nil {
				return err
			}
			slim(value)
			whole.add(key, value)
			return nil
		})
	})
	if err == nil {
		err = s.End()
	}
	return root, err
}

// entangled reports whether the text may have an anchor, an alias, a merge, a
// directive or a second document: such a file is parsed in one go. Text that
// only looks like one of these costs time, no more.
func entangled(src []byte) bool {
	for _, mark := range []string{"<<:", "\n---", "\n...", "\n%", "\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(src, []byte(mark)) {
			return true
		}
	}
	if bytes.Count(src, []byte("\r")) != bytes.Count(src, []byte("\r\n")) {
		return true // a line break of YAML's that the cut does not see, like those above
	}
	return bytes.HasPrefix(src, []byte("%")) || sigil(src, '&') || sigil(src, '*')
}

// sigil reports whether c stands where an anchor or an alias may begin.
func sigil(src []byte, c byte) bool {
	for at := 0; ; {
		next := bytes.IndexByte(src[at:], c)
		if next < 0 {
			return false
		}
		at += next + 1
		opens := at == 1 || bytes.IndexByte([]byte(" \t\n[{,:-"), src[at-2]) >= 0
		if opens && at < len(src) && isWord(src[at]) {
			return true
		}
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

// yamlSection parses the section's entries a few at a time. It reports false
// whenever the text is not plainly cut at its entries; the caller then parses
// the whole, so that a wrong cut can cost time and never a wrong tree.
func yamlSection(src []byte, section string, slim func(value *Node)) (*Node, bool) {
	begin := sectionStart(src, section)
	if begin < 0 || entangled(src) {
		return nil, false
	}
	cuts, end, ok := entries(src, begin)
	if !ok {
		return nil, false
	}
	reader := &yamlReader{intern: map[string]string{}}
	root, err := reader.read(src[:begin])
	if err != nil || root.Kind != Map || len(root.Keys) == 0 || root.Keys[len(root.Keys)-1].Name != section {
		return nil, false
	}
	whole := &Node{Kind: Map, Line: root.Keys[len(root.Keys)-1].Line + 1, Column: 1}
	root.Items[len(root.Items)-1] = whole
	reader.offset = bytes.Count(src[:begin], []byte("\n"))
	for i, at := range cuts {
		until := end
		if i+1 < len(cuts) {
			until = cuts[i+1]
		}
		if !reader.piece(src[at:until], whole, slim) {
			return nil, false
		}
	}
	if !reader.rest(src[end:], root) {
		return nil, false
	}
	return root, true
}

// piece parses a few entries and appends them.
func (y *yamlReader) piece(src []byte, whole *Node, slim func(value *Node)) bool {
	part, err := y.read(src)
	if err != nil || part.Kind != Map {
		return false
	}
	y.offset += bytes.Count(src, []byte("\n"))
	part.Each(func(key Key, value *Node) {
		slim(value)
		whole.add(key, value)
	})
	return true
}

// rest parses what follows the section.
func (y *yamlReader) rest(src []byte, root *Node) bool {
	after, err := y.read(src)
	if err != nil || after.Kind != Map && after.Kind != Null {
		return false
	}
	after.Each(func(key Key, value *Node) { root.add(key, value) })
	return true
}

// sectionStart is the offset of the line after "Section:", or -1.
func sectionStart(src []byte, section string) int {
	mark := []byte("\n" + section + ":")
	at := 0
	if !bytes.HasPrefix(src, mark[1:]) {
		if at = bytes.Index(src, mark); at < 0 {
			return -1
		}
		at++
	}
	at += len(mark) - 1
	line := bytes.IndexByte(src[at:], '\n')
	if line < 0 || len(bytes.TrimSpace(src[at:at+line])) > 0 {
		return -1
	}
	return at + line + 1
}

// entries cuts the section at entries of its own indentation, a piece apart, and
// finds its end: the next line that is not indented.
func entries(src []byte, begin int) (cuts []int, end int, ok bool) {
	indent := -1
	end = len(src)
	last := begin
	for at := begin; at < len(src); {
		next := len(src)
		if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		line := src[at:next]
		text := bytes.TrimLeft(line, " ")
		depth := len(line) - len(text)
		if len(bytes.TrimSpace(text)) > 0 && text[0] != '#' {
			switch {
			case depth <= max(indent, 0) && !isWord(text[0]) && text[0] != '"' && text[0] != '\'':
				return nil, 0, false // a tab, a flow collection, a tag, an explicit key
			case depth == 0:
				return cuts, at, indent > 0
			case indent < 0:
				indent = depth
			case depth < indent:
				return nil, 0, false
			}
			switch {
			case len(cuts) == 0: // with the remarks above it
				cuts, last = append(cuts, begin), at
			case depth == indent && at-last >= pieceBytes:
				cuts, last = append(cuts, at), at
			}
		}
		at = next
	}
	return cuts, end, indent > 0
}
