package policy

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Wildcards and the marks of a compiled pattern. Documents may not contain
// control characters, so that a mark is never a literal.
const (
	anyRun = 0x00 // any characters, or none
	anyOne = 0x01 // exactly one character
)

// pattern is a text with wildcards and policy variables, ready to be matched.
type pattern struct {
	text  string // compiled; unused when there are parts
	parts []part // only of a pattern with variables
}

// part is a compiled piece of text, or a variable when key is set.
type part struct {
	text       string // the literal, or the variable's default
	key        string // in lower case
	hasDefault bool
}

// syntax says which special characters a pattern's text has.
type syntax struct{ wildcards, variables bool }

var errVariable = errors.New("a policy variable is written ${key} or ${key, 'default'}")

// compile reads text.
func compile(text string, s syntax) (pattern, error) {
	if !s.variables || !strings.Contains(text, "${") {
		return pattern{text: marks(text, s)}, nil
	}
	var parts []part
	literal := ""
	for text != "" {
		before, rest, found := strings.Cut(text, "${")
		literal += marks(before, s)
		if !found {
			break
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return pattern{}, errVariable
		}
		text = after
		if inside == "*" || inside == "?" || inside == "$" { // the characters themselves
			literal += inside
			continue
		}
		v, err := variable(inside)
		if err != nil {
			return pattern{}, err
		}
		if literal != "" {
			parts = append(parts, part{text: literal})
			literal = ""
		}
		parts = append(parts, v)
	}
	if len(parts) == 0 {
		return pattern{text: literal}, nil
	}
	if literal != "" {
		parts = append(parts, part{text: literal})
	}
	return pattern{parts: parts}, nil
}

// variable reads what stands between ${ and }.
func variable(inside string) (part, error) {
	key, fallback, hasDefault := strings.Cut(inside, ",")
	key = strings.TrimSpace(key)
	if key == "" || !strings.Contains(key, ":") || strings.ContainsAny(key, "${*?") {
		return part{}, errVariable
	}
	v := part{key: strings.ToLower(key), hasDefault: hasDefault}
	if hasDefault {
		fallback = strings.TrimSpace(fallback)
		if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
			return part{}, errVariable
		}
		v.text = fallback[1 : len(fallback)-1]
	}
	return v, nil
}

// marks replaces wildcards by their marks, and several * in a row by one.
func marks(text string, s syntax) string {
	if !s.wildcards || !strings.ContainsAny(text, "*?") {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; {
		case c == '*' && len(out) > 0 && out[len(out)-1] == anyRun:
		case c == '*':
			out = append(out, anyRun)
		case c == '?':
			out = append(out, anyOne)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// stackText is how long an expanded pattern may be before expanding it
// allocates; ARNs are seldom longer.
const stackText = 256

// match reports whether s matches. fold compares ASCII letters without case; p
// must then have been compiled from lower-case text.
func (p *pattern) match(s string, ctx Context, fold bool) bool {
	if p.parts == nil {
		return glob(p.text, s, fold)
	}
	var space [stackText]byte
	text, ok := p.expand(space[:0], ctx)
	return ok && glob(text, s, fold)
}

// equalFold reports whether s is the pattern's text in any case.
func (p *pattern) equalFold(s string, ctx Context) bool {
	if p.parts == nil {
		return strings.EqualFold(p.text, s)
	}
	var space [stackText]byte
	text, ok := p.expand(space[:0], ctx)
	return ok && strings.EqualFold(string(text), s)
}

// expand appends the pattern with the variables' values. It fails when one has
// no value and no default: "there is no equal or like value" (IAM User Guide,
// "Policy variables with no value"). A value's own wildcards are literal.
func (p *pattern) expand(to []byte, ctx Context) ([]byte, bool) {
	for i := range p.parts {
		v := &p.parts[i]
		text := v.text
		if v.key != "" {
			value, ok := ctx.single(v.key)
			switch {
			case ok && strings.IndexByte(value, anyRun) < 0 && strings.IndexByte(value, anyOne) < 0:
				text = value
			case ok || !v.hasDefault:
				return nil, false
			}
		}
		to = append(to, text...)
	}
	return to, true
}

func (p *pattern) keys(add func(string)) {
	for i := range p.parts {
		if p.parts[i].key != "" {
			add(p.parts[i].key)
		}
	}
}

// glob matches s against a compiled text. It goes back to the last * only, so
// that its work is at most len(text)·len(s).
func glob[T string | []byte](text T, s string, fold bool) bool {
	at, pos := 0, 0
	star, mark := -1, 0
	for pos < len(s) {
		if at < len(text) {
			c := text[at]
			if c == anyRun {
				star, mark = at, pos
				at++
				continue
			}
			if c == anyOne {
				at++
				pos += width(s, pos)
				continue
			}
			if c == s[pos] || fold && c == lower(s[pos]) {
				at++
				pos++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark += width(s, mark)
		at, pos = star+1, mark
	}
	for at < len(text) && text[at] == anyRun {
		at++
	}
	return at == len(text)
}

// width is how many bytes the character at pos has.
func width(s string, pos int) int {
	if s[pos] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[pos:])
	return n
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
