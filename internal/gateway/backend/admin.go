package backend

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// adminTimeout bounds a question to the engine. CLIENT PAUSE holds such
// questions up too; callers go on without the answer then.
const adminTimeout = 2 * time.Second

// Admin asks one start of an engine questions as Gatehouse's own user.
type Admin struct {
	node *directory.Node

	mu    sync.Mutex
	conn  *Conn
	table *Table
}

// NewAdmin prepares for questions to node; it dials at the first one.
func NewAdmin(node *directory.Node) *Admin { return &Admin{node: node} }

// Close ends the connection; a later question dials anew.
func (a *Admin) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
}

func (a *Admin) drop() {
	if a.conn != nil {
		_ = a.conn.Close()
		a.conn = nil
	}
}

// Do asks one question. An error reply is a Refusal.
func (a *Admin) Do(ctx context.Context, words ...string) (resp.Value, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.do(ctx, words...)
}

func (a *Admin) do(ctx context.Context, words ...string) (resp.Value, error) {
	reused := a.conn != nil
	v, err := a.ask(ctx, words)
	if err != nil && reused { // the engine may have closed it, CLIENT KILL does
		v, err = a.ask(ctx, words)
	}
	if err != nil {
		return v, fmt.Errorf("asking the engine of %s for %s: %w", a.node.ClusterID, words[0], err)
	}
	if v.Kind == '-' {
		return v, Refusal(v.Text)
	}
	return v, nil
}

func (a *Admin) ask(ctx context.Context, words []string) (resp.Value, error) {
	if a.conn == nil {
		conn, err := Dial(ctx, a.node, Login{User: directory.AdminUser, Protocol: 2})
		if err != nil {
			return resp.Value{}, err
		}
		a.conn = conn
	}
	v, err := a.conn.question(words)
	if err != nil {
		a.drop()
	}
	return v, err
}

func (c *Conn) question(words []string) (resp.Value, error) {
	if err := c.SetDeadline(time.Now().Add(adminTimeout)); err != nil {
		return resp.Value{}, err
	}
	if _, err := c.Write(resp.AppendCommand(nil, words...)); err != nil {
		return resp.Value{}, err
	}
	return c.readValue()
}

// Table returns the engine's commands and texts, read once.
func (a *Admin) Table(ctx context.Context) (*Table, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.table != nil {
		return a.table, nil
	}
	v, err := a.do(ctx, "COMMAND")
	if err != nil {
		return nil, err
	}
	t := newTable(v)
	if t.HelloNoAuth, err = helloText(ctx, a.node); err != nil {
		return nil, err
	}
	a.table = t
	return t, nil
}

// helloText learns what the engine answers to HELLO before login: the text
// differs between engines and versions.
func helloText(ctx context.Context, node *directory.Node) (string, error) {
	conn, err := open(ctx, node)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	v, err := conn.question([]string{"HELLO"})
	if err != nil {
		return "", fmt.Errorf("asking the engine of %s for HELLO: %w", node.ClusterID, err)
	}
	if v.Kind != '-' {
		return "", fmt.Errorf("the engine of %s lets anybody in", node.ClusterID)
	}
	return string(v.Text), nil
}
