package tree

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxInterned bounds the table of strings that are kept once; keys and short
// enumerations repeat all over a template.
const (
	maxInterned    = 1 << 16
	maxInternedLen = 40
)

// string reads a JSON string. Keys are always kept once.
func (s *Scanner) string(isKey bool) (string, error) {
	begin := s.pos + 1
	for i := begin; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			s.pos = i + 1
			return s.once(s.src[begin:i], isKey), nil
		case c == '\\':
			return s.escaped(begin, i, isKey)
		case c < 0x20:
			return "", s.fault("a string holds a raw control character or does not end on its line")
		}
	}
	return "", s.fault("a string does not end")
}

func (s *Scanner) once(text []byte, isKey bool) string {
	if !isKey && len(text) > maxInternedLen {
		return string(text)
	}
	if known, ok := s.intern[string(text)]; ok {
		return known
	}
	fresh := string(text)
	if len(s.intern) < maxInterned {
		s.intern[fresh] = fresh
	}
	return fresh
}

// escaped goes on with a string that has escapes, from its first one.
func (s *Scanner) escaped(begin, at int, isKey bool) (string, error) {
	out := append(s.scratch[:0], s.src[begin:at]...)
	for i := at; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			s.pos, s.scratch = i+1, out
			return s.once(out, isKey), nil
		case c == '\\':
			var ok bool
			if out, i, ok = s.escape(out, i+1); !ok {
				return "", s.fault("a string has an escape that JSON does not know")
			}
		case c < 0x20:
			return "", s.fault("a string holds a raw control character or does not end on its line")
		default:
			out = append(out, c)
		}
	}
	return "", s.fault("a string does not end")
}

// escape appends what stands after a backslash at i and returns the offset of
// the escape's last byte.
func (s *Scanner) escape(out []byte, i int) ([]byte, int, bool) {
	if i >= len(s.src) {
		return out, i, false
	}
	switch c := s.src[i]; c {
	case '"', '\\', '/':
		return append(out, c), i, true
	case 'b':
		return append(out, '\b'), i, true
	case 'f':
		return append(out, '\f'), i, true
	case 'n':
		return append(out, '\n'), i, true
	case 'r':
		return append(out, '\r'), i, true
	case 't':
		return append(out, '\t'), i, true
	case 'u':
		r, ok := s.hex(i + 1)
		if !ok {
			return out, i, false
		}
		i += 4
		if utf16.IsSurrogate(r) && i+2 < len(s.src) && s.src[i+1] == '\\' && s.src[i+2] == 'u' {
			if low, ok := s.hex(i + 3); ok {
				if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
					return utf8.AppendRune(out, full), i + 6, true
				}
			}
		}
		return utf8.AppendRune(out, r), i, true
	}
	return out, i, false
}

func (s *Scanner) hex(at int) (rune, bool) {
	if at+4 > len(s.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.src[at:at+4]), 16, 32)
	return rune(n), err == nil
}
