package admin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

var errBounds = errors.New("the reply is larger than an administrator's reply may be")

// budget is what is left of the bounds while one reply is read.
type budget struct{ bytes, elements int }

// Read reads one RESP2 reply.
func Read(r *bufio.Reader) (Reply, error) {
	return (&budget{maxReply, maxElements}).read(r, 0)
}

func (b *budget) read(r *bufio.Reader, depth int) (Reply, error) {
	if b.elements--; b.elements < 0 || depth > maxDepth {
		return Reply{}, errBounds
	}
	line, err := b.line(r)
	if err != nil {
		return Reply{}, err
	}
	if line == "" {
		return Reply{}, errors.New("the reply has an empty line where a type should be")
	}
	reply := Reply{Kind: line[0]}
	switch line[0] {
	case Simple, Failure:
		reply.Text = line[1:]
		return reply, nil
	case Integer:
		reply.Int, err = strconv.ParseInt(line[1:], 10, 64)
		return reply, err
	case Bulk:
		return b.bulk(r, line[1:])
	case Array:
		return b.array(r, line[1:], depth)
	default:
		return Reply{}, fmt.Errorf("the reply has the unknown type %q", line[:1])
	}
}

// line reads up to CR LF. The reader's buffer bounds it.
func (b *budget) line(r *bufio.Reader) (string, error) {
	slice, err := r.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			err = errBounds
		}
		return "", noEOF(err)
	}
	if b.bytes -= len(slice); b.bytes < 0 {
		return "", errBounds
	}
	if len(slice) < 2 || slice[len(slice)-2] != '\r' {
		return "", errors.New("a line of the reply does not end with CR LF")
	}
	return string(slice[:len(slice)-2]), nil
}

func (b *budget) bulk(r *bufio.Reader, length string) (Reply, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < -1 {
		return Reply{}, fmt.Errorf("the reply has the string length %q", length)
	}
	if n == -1 {
		return Reply{Kind: Bulk, Null: true}, nil
	}
	if n > b.bytes-2 {
		return Reply{}, errBounds
	}
	b.bytes -= n + 2
	body := make([]byte, n+2)
	if _, err := io.ReadFull(r, body); err != nil {
		return Reply{}, noEOF(err)
	}
	if string(body[n:]) != "\r\n" {
		return Reply{}, errors.New("a string of the reply does not end with CR LF")
	}
	return Reply{Kind: Bulk, Text: string(body[:n])}, nil
}

func (b *budget) array(r *bufio.Reader, length string, depth int) (Reply, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < -1 {
		return Reply{}, fmt.Errorf("the reply has the array length %q", length)
	}
	if n == -1 {
		return Reply{Kind: Array, Null: true}, nil
	}
	if n > b.elements {
		return Reply{}, errBounds
	}
	reply := Reply{Kind: Array, Items: make([]Reply, 0, min(n, 1024))}
	for range n {
		item, err := b.read(r, depth+1)
		if err != nil {
			return Reply{}, err
		}
		reply.Items = append(reply.Items, item)
	}
	return reply, nil
}

// noEOF makes an end in mid-reply look like what it is.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
