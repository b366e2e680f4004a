package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// loginTimeout bounds dialling and logging in: the engine is on the same
// machine and answers in microseconds unless it hangs.
const loginTimeout = 5 * time.Second

// maxExchange bounds what is kept of an engine's answer that is rewritten:
// CLIENT LIST of 65 000 clients has 25 MB.
const maxExchange = 64 << 20

// Refusal is an error reply of an engine, without its leading minus.
type Refusal string

func (e Refusal) Error() string { return "the engine answered: " + string(e) }

// Conn is one connection to an engine. Reads and writes are for one goroutine
// each; Exchange is for a goroutine that has both.
type Conn struct {
	net.Conn
	// ID is the engine's client id of this connection.
	ID int64
	// Greeting is the engine's answer to the HELLO that logged in.
	Greeting []byte

	unread []byte
}

// Login says as whom a connection logs in.
type Login struct {
	User     string
	Protocol int    // 2 or 3
	Name     []byte // connection name; nil for none
	// Greet says that the client said HELLO and is owed the engine's answer.
	Greet bool
}

// Dial connects to a node's engine and logs in. The node must hold a secret of
// the user.
func Dial(ctx context.Context, node *directory.Node, login Login) (*Conn, error) {
	secret, ok := node.Secrets[login.User]
	if login.User == directory.AdminUser {
		secret, ok = node.Admin, true
	}
	if !ok {
		return nil, fmt.Errorf("connecting to the engine of %s: it has no user %q", node.ClusterID, login.User)
	}
	conn, err := open(ctx, node)
	if err != nil {
		return nil, err
	}
	words := [][]byte{[]byte("HELLO"), strconv.AppendInt(nil, int64(login.Protocol), 10), []byte("AUTH"), []byte(login.User), []byte(secret.Reveal())}
	if login.Name != nil {
		words = append(words, []byte("SETNAME"), login.Name)
	}
	if err := conn.greet(words); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("logging in to the engine of %s: %w", node.ClusterID, err)
	}
	return conn, nil
}

func open(ctx context.Context, node *directory.Node) (*Conn, error) {
	dialer := net.Dialer{Timeout: loginTimeout}
	conn, err := dialer.DialContext(ctx, node.Network, node.Address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the engine of %s: %w", node.ClusterID, err)
	}
	return &Conn{Conn: conn}, nil
}

func (c *Conn) greet(words [][]byte) error {
	if err := c.SetDeadline(time.Now().Add(loginTimeout)); err != nil {
		return err
	}
	if _, err := c.Write(resp.AppendCommand(nil, words...)); err != nil {
		return err
	}
	v, err := c.readValue()
	if err != nil {
		return err
	}
	if v.Kind == '-' {
		return Refusal(v.Text)
	}
	id := v.Field("id")
	if id == nil {
		return errors.New("the answer to HELLO has no id")
	}
	c.ID, c.Greeting = id.Int(), v.Append(nil)
	return c.SetDeadline(time.Time{})
}

// readValue reads one reply.
func (c *Conn) readValue() (resp.Value, error) {
	var buf []byte
	chunk := make([]byte, 4096)
	for {
		n, err := c.Read(chunk)
		if err != nil {
			return resp.Value{}, err
		}
		buf = append(buf, chunk[:n]...)
		v, used, err := resp.ParseValue(buf)
		if errors.Is(err, resp.ErrShort) {
			chunk = make([]byte, min(2*len(chunk), 1<<20)) // few parses of a long reply
			continue
		}
		if err != nil {
			return resp.Value{}, err
		}
		c.Unread(buf[used:])
		return v, nil
	}
}

// Read returns what was put back before it reads on.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.unread) > 0 {
		n := copy(p, c.unread)
		if c.unread = c.unread[n:]; len(c.unread) == 0 {
			c.unread = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// Unread puts back a copy of bytes that were read.
func (c *Conn) Unread(rest []byte) {
	if len(rest) > 0 {
		c.unread = append(append([]byte(nil), rest...), c.unread...)
	}
}

// Exchange sends one command and returns what the engine said until it was
// done with it: the reply and, before and after it, what it pushed. The caller
// must know that every earlier command has been answered.
func (c *Conn) Exchange(command []byte) ([]resp.Value, error) {
	m := NewMarker()
	if _, err := c.Write(append(command, m.Command()...)); err != nil {
		return nil, err
	}
	var buf []byte
	chunk := make([]byte, 4096)
	for {
		n, err := c.Read(chunk)
		if err != nil {
			return nil, err
		}
		searched := max(len(buf)-len(m.line), 0)
		buf = append(buf, chunk[:n]...)
		if at := m.Find(buf[searched:]); at >= 0 {
			at += searched
			c.Unread(buf[at+len(m.line):])
			return split(buf[:at])
		}
		if len(buf) > maxExchange {
			return nil, errors.New("the engine's answer is too long")
		}
		if len(chunk) < 256<<10 {
			chunk = make([]byte, 2*len(chunk))
		}
	}
}

// ExchangeLast is Exchange for a command after which the engine closes.
func (c *Conn) ExchangeLast(command []byte) ([]resp.Value, error) {
	if _, err := c.Write(command); err != nil {
		return nil, err
	}
	buf, err := io.ReadAll(io.LimitReader(c, maxExchange))
	if err != nil {
		return nil, err
	}
	return split(buf)
}

func split(buf []byte) ([]resp.Value, error) {
	var values []resp.Value
	for len(buf) > 0 {
		v, n, err := resp.ParseValue(buf)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		buf = buf[n:]
	}
	return values, nil
}

// CloseWrite tells the engine that no more commands come.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}
