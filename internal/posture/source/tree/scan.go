package tree

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Scanner walks JSON text from value to value. Its zero value is not usable.
type Scanner struct {
	src     []byte
	pos     int
	line    int
	start   int // offset of the current line's first byte
	depth   int
	nodes   int
	intern  map[string]string
	scratch []byte
}

// NewScanner starts at the first value of src.
func NewScanner(src []byte) *Scanner {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	return &Scanner{src: src, line: 1, intern: map[string]string{}}
}

// ParseJSON reads one JSON value and refuses anything after it.
func ParseJSON(src []byte) (*Node, error) {
	if len(src) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, %d at most", ErrLimit, len(src), MaxBytes)
	}
	s := NewScanner(src)
	node, err := s.Value()
	if err != nil {
		return nil, err
	}
	return node, s.End()
}

// End fails unless only white space is left.
func (s *Scanner) End() error {
	s.space()
	if s.pos < len(s.src) {
		return s.fault("there is text after the end of the value")
	}
	return nil
}

// Line returns the line of the next value.
func (s *Scanner) Line() int {
	s.space()
	return s.line
}

// Object visits the members of an object. The visitor must consume the value,
// with Value, Skip, Object or Array.
func (s *Scanner) Object(visit func(key string) error) error {
	return s.enter('{', '}', func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		return visit(key)
	})
}

// Array visits the elements of an array. The visitor must consume each.
func (s *Scanner) Array(visit func() error) error {
	return s.enter('[', ']', visit)
}

// Peek returns the first byte of the next value, or 0 at the end.
func (s *Scanner) Peek() byte {
	s.space()
	if s.pos >= len(s.src) {
		return 0
	}
	return s.src[s.pos]
}

func (s *Scanner) enter(open, end byte, visit func() error) error {
	if s.Peek() != open {
		return s.fault(fmt.Sprintf("expected %q", open))
	}
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("line %d: %w: values nest deeper than %d", s.line, ErrLimit, maxDepth)
	}
	s.pos++
	if s.Peek() == end {
		s.pos++
		s.depth--
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		switch s.Peek() {
		case ',':
			s.pos++
		case end:
			s.pos++
			s.depth--
			return nil
		default:
			return s.fault(fmt.Sprintf("expected a comma or %q", end))
		}
	}
}

func (s *Scanner) key() (string, error) {
	if s.Peek() != '"' {
		return "", s.fault("expected a key in quotes")
	}
	key, err := s.string(true)
	if err != nil {
		return "", err
	}
	if s.Peek() != ':' {
		return "", s.fault("expected a colon after the key")
	}
	s.pos++
	return key, nil
}

// Value reads the next value into a tree.
func (s *Scanner) Value() (*Node, error) {
	first := s.Peek()
	if s.nodes++; s.nodes > maxNodes {
		return nil, fmt.Errorf("line %d: %w: more than %d values", s.line, ErrLimit, maxNodes)
	}
	node := &Node{Line: int32(s.line), Column: int32(s.pos - s.start + 1)}
	switch first {
	case 0:
		return nil, s.fault("the text ends where a value should be")
	case '{':
		node.Kind = Map
		return node, s.fill(node)
	case '[':
		node.Kind = List
		return node, s.Array(func() error {
			item, err := s.Value()
			node.Items = append(node.Items, item)
			return err
		})
	case '"':
		text, err := s.string(false)
		node.Kind, node.Text = String, text
		return node, err
	}
	return node, s.word(node)
}

func (s *Scanner) fill(node *Node) error {
	return s.Object(func(name string) error {
		key := Key{Name: name, Line: int32(s.line)}
		value, err := s.Value()
		if err != nil {
			return err
		}
		node.add(key, value)
		return nil
	})
}

// word reads true, false, null or a number.
func (s *Scanner) word(node *Node) error {
	begin := s.pos
	for s.pos < len(s.src) && !strings.ContainsRune(" \t\r\n,]}:\"{[", rune(s.src[s.pos])) {
		s.pos++
	}
	text := string(s.src[begin:s.pos])
	switch {
	case text == "true", text == "false":
		node.Kind, node.Text = Bool, text
	case text == "null":
		node.Kind = Null
	case isNumber(text):
		node.Kind, node.Text = Number, text
	default:
		s.pos = begin
		return s.fault(fmt.Sprintf("%q is not a JSON value", clip(text)))
	}
	return nil
}

// isNumber follows RFC 8259, section 6.
func isNumber(text string) bool {
	digits := func() int {
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		text = text[n:]
		return n
	}
	text = strings.TrimPrefix(text, "-")
	leadingZero := strings.HasPrefix(text, "0")
	if n := digits(); n == 0 || leadingZero && n > 1 {
		return false
	}
	if strings.HasPrefix(text, ".") {
		text = text[1:]
		if digits() == 0 {
			return false
		}
	}
	if strings.HasPrefix(text, "e") || strings.HasPrefix(text, "E") {
		text = text[1:]
		if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
			text = text[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return text == ""
}

// Skip passes over the next value without building it. It checks brackets and
// strings, not every word in between.
func (s *Scanner) Skip() error {
	depth := 0
	for {
		switch s.Peek() {
		case 0:
			return s.fault("the text ends where a value should be")
		case '{', '[':
			if depth++; depth+s.depth > maxDepth {
				return fmt.Errorf("line %d: %w: values nest deeper than %d", s.line, ErrLimit, maxDepth)
			}
			s.pos++
		case '}', ']':
			if depth--; depth < 0 {
				return s.fault("a bracket closes that was not opened")
			}
			s.pos++
		case '"':
			if err := s.pass(); err != nil {
				return err
			}
		case ',', ':':
			if depth == 0 {
				return s.fault("expected a value")
			}
			s.pos++
		default:
			if err := s.word(&Node{}); err != nil {
				return err
			}
		}
		if depth == 0 {
			return nil
		}
	}
}

// pass skips a string.
func (s *Scanner) pass() error {
	for i := s.pos + 1; i < len(s.src); i++ {
		switch s.src[i] {
		case '\\':
			i++
		case '"':
			s.pos = i + 1
			return nil
		case '\n':
			return s.fault("a string does not end on its line")
		}
	}
	return s.fault("a string does not end")
}

func (s *Scanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case '\n':
			s.line++
			s.start = s.pos + 1
		case ' ', '\t', '\r':
		default:
			return
		}
		s.pos++
	}
}

func (s *Scanner) fault(message string) error {
	return &SyntaxError{Line: s.line, Message: message}
}

func clip(text string) string {
	const most = 40 // a message needs no more of a wrong word
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], string(utf8.RuneError)) + "…"
}
