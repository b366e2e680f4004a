package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine/admin"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// orderPatience bounds one command: CLIENT PAUSE makes the engine silent for as
// long as a customer likes, and whoever waits must get to know.
const orderPatience = 10 * time.Second

// link is the administrator's connection to an engine; it is made when needed
// and made anew after a failure. Its users take turns.
type link struct {
	socket string
	secret identity.Secret
	mu     sync.Mutex
	conn   *admin.Conn
}

// do asks one command. A connection that was lost since the last one, perhaps
// because a customer killed it, is made anew; therefore only commands belong
// here that may be asked twice.
func (l *link) do(ctx context.Context, args ...string) (admin.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		reply, err := l.try(ctx, args)
		if l.conn != nil || ctx.Err() != nil {
			return reply, err
		}
	}
	if err := l.connect(ctx); err != nil {
		return admin.Reply{}, err
	}
	return l.try(ctx, args)
}

// try asks on the connection there is, and gives it up unless it was answered.
func (l *link) try(ctx context.Context, args []string) (admin.Reply, error) {
	reply, err := l.conn.Do(ctx, args...)
	var refusal *admin.Error
	if err != nil && !errors.As(err, &refusal) {
		_ = l.conn.Close()
		l.conn = nil
	}
	return reply, err
}

func (l *link) connect(ctx context.Context) error {
	conn, err := admin.Dial(ctx, "unix", l.socket)
	if err != nil {
		return err
	}
	if _, err := conn.Do(ctx, "AUTH", directory.AdminUser, l.secret.Reveal()); err != nil {
		_ = conn.Close()
		return fmt.Errorf("logging in to the engine: %w", err)
	}
	l.conn = conn
	return nil
}

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}
