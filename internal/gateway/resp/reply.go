package resp

import (
	"bytes"
	"errors"
	"strconv"
)

// Value is one reply of an engine, in either protocol.
type Value struct {
	// Kind is the first byte: + - : $ * of RESP2, _ # , ( ! = % ~ > of RESP3.
	Kind byte
	// Text is the content of what has no elements.
	Text []byte
	// Null marks the RESP2 nulls "$-1" and "*-1".
	Null bool
	// Elems are the elements; of a map the keys and values in turn.
	Elems []Value
}

// Faults of a reply. ErrShort is no fault yet: more bytes may mend it.
var (
	ErrShort = errors.New("resp: the reply is not whole")
	ErrReply = errors.New("resp: not a reply")
)

const (
	maxDepth = 16       // engines nest replies of their own half as deep
	maxReply = 64 << 20 // bytes that a rewritten reply may have; CLIENT LIST of 65 000 clients has 25 MB
)

// ParseValue reads one reply and reports how many bytes it has.
func ParseValue(buf []byte) (Value, int, error) { return parseValue(buf, 0) }

func parseValue(buf []byte, depth int) (Value, int, error) {
	if depth > maxDepth {
		return Value{}, 0, ErrReply
	}
	end := bytes.IndexByte(buf, '\n')
	if end < 0 {
		if len(buf) > maxReply {
			return Value{}, 0, ErrReply
		}
		return Value{}, 0, ErrShort
	}
	if end < 2 || buf[end-1] != '\r' {
		return Value{}, 0, ErrReply
	}
	v := Value{Kind: buf[0], Text: buf[1 : end-1]}
	switch v.Kind {
	case '+', '-', ':', '_', '#', ',', '(':
		return v, end + 1, nil
	case '$', '=', '!':
		return parseBulk(v, buf, end+1)
	case '*', '~', '>', '%':
		return parseElems(v, buf, end+1, depth)
	}
	return Value{}, 0, ErrReply
}

func parseBulk(v Value, buf []byte, start int) (Value, int, error) {
	size, ok := ParseInt(v.Text)
	switch {
	case ok && size == -1:
		return Value{Kind: v.Kind, Null: true}, start, nil
	case !ok || size < 0 || size > maxReply:
		return Value{}, 0, ErrReply
	case len(buf) < start+int(size)+2:
		return Value{}, 0, ErrShort
	}
	end := start + int(size)
	if buf[end] != '\r' || buf[end+1] != '\n' {
		return Value{}, 0, ErrReply
	}
	v.Text = buf[start:end:end]
	return v, end + 2, nil
}

func parseElems(v Value, buf []byte, pos, depth int) (Value, int, error) {
	count, ok := ParseInt(v.Text)
	v.Text = nil
	switch {
	case ok && count == -1:
		v.Null = true
		return v, pos, nil
	case !ok || count < 0 || count > maxReply:
		return Value{}, 0, ErrReply
	}
	if v.Kind == '%' {
		count *= 2
	}
	for range count {
		elem, n, err := parseValue(buf[pos:], depth+1)
		if err != nil {
			return Value{}, 0, err
		}
		v.Elems = append(v.Elems, elem)
		pos += n
	}
	return v, pos, nil
}

// Append appends the value as an engine would have sent it.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case '$', '=', '!':
		if v.Null {
			return append(append(dst, v.Kind), "-1\r\n"...)
		}
		dst = appendLength(dst, v.Kind, len(v.Text))
	case '*', '~', '>', '%':
		return v.appendElems(dst)
	default:
		dst = append(dst, v.Kind)
	}
	dst = append(dst, v.Text...)
	return append(dst, "\r\n"...)
}

func (v Value) appendElems(dst []byte) []byte {
	if v.Null {
		return append(append(dst, v.Kind), "-1\r\n"...)
	}
	count := len(v.Elems)
	if v.Kind == '%' {
		count /= 2
	}
	dst = appendLength(dst, v.Kind, count)
	for _, elem := range v.Elems {
		dst = elem.Append(dst)
	}
	return dst
}

// Field returns the value under a key of a map, or of the flat array that RESP2
// has for a map; nil if there is none.
func (v *Value) Field(key string) *Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if string(v.Elems[i].Text) == key {
			return &v.Elems[i+1]
		}
	}
	return nil
}

// Int returns the content as a number, 0 if it is none.
func (v *Value) Int() int64 {
	n, _ := ParseInt(v.Text)
	return n
}

// Bulk is a bulk string of that text.
func Bulk(text string) Value { return Value{Kind: '$', Text: []byte(text)} }

// Int is an integer reply.
func Int(n int64) Value { return Value{Kind: ':', Text: strconv.AppendInt(nil, n, 10)} }
