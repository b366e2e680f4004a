package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

const (
	// maxReply bounds all the text of one reply: COMMAND of a whole engine is a
	// few hundred kilobytes, ACL LIST of a thousand users with long rules a few
	// megabytes.
	maxReply = 32 << 20
	// maxElements bounds the elements of one reply, nested ones included.
	maxElements = 1 << 20
	// maxDepth bounds nesting; COMMAND uses six levels.
	maxDepth = 16
)

// Kinds of replies, by their first byte in RESP2.
const (
	Simple  = '+'
	Failure = '-'
	Integer = ':'
	Bulk    = '$'
	Array   = '*'
)

// Reply is one reply of an engine.
type Reply struct {
	Kind  byte
	Null  bool
	Text  string // of Simple, Failure and Bulk
	Int   int64
	Items []Reply
}

// Texts returns the text of each element of an array.
func (r Reply) Texts() []string {
	texts := make([]string, len(r.Items))
	for i, item := range r.Items {
		texts[i] = item.Text
	}
	return texts
}

// Error is an error reply, for instance "LOADING …", without the leading minus.
type Error struct{ Text string }

func (e *Error) Error() string { return "the engine answered: " + e.Text }

// IsReply reports whether err is an error reply that begins with code.
func IsReply(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && len(e.Text) >= len(code) && e.Text[:len(code)] == code
}

// Conn is one connection to an engine. It serves one caller at a time, and
// after any error that is not an *Error it is of no more use.
type Conn struct {
	net    net.Conn
	reader *bufio.Reader
}

// Dial connects; network is "unix" or "tcp".
func Dial(ctx context.Context, network, address string) (*Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the engine: %w", err)
	}
	return &Conn{net: conn, reader: bufio.NewReader(conn)}, nil
}

// Close closes the connection.
func (c *Conn) Close() error { return c.net.Close() }

// Do sends one command and returns its reply, or an *Error if the engine
// refused it. The error names no argument but the command's name, because
// others may be secret. Do ends when ctx does.
func (c *Conn) Do(ctx context.Context, args ...string) (Reply, error) {
	if len(args) == 0 {
		return Reply{}, errors.New("asking the engine: no command")
	}
	if err := c.net.SetDeadline(time.Time{}); err != nil {
		return Reply{}, fmt.Errorf("asking the engine for %s: %w", args[0], err)
	}
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = c.net.SetDeadline(past) })
	reply, err := c.exchange(args)
	if !stop() {
		err = ctx.Err() // the deadline may hit the next command, so this one fails
	}
	if err != nil {
		return Reply{}, fmt.Errorf("asking the engine for %s: %w", args[0], err)
	}
	if reply.Kind == Failure {
		return reply, &Error{reply.Text}
	}
	return reply, nil
}

func (c *Conn) exchange(args []string) (Reply, error) {
	request := append([]byte{'*'}, strconv.Itoa(len(args))...)
	for _, arg := range args {
		request = append(request, "\r\n$"...)
		request = strconv.AppendInt(request, int64(len(arg)), 10)
		request = append(request, "\r\n"...)
		request = append(request, arg...)
	}
	if _, err := c.net.Write(append(request, "\r\n"...)); err != nil {
		return Reply{}, err
	}
	return Read(c.reader)
}
