package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// workers is how many connections are under way at once: more than there are
// cores, fewer than any limit on clients that have not logged in.
const workers = 8

// Connect is a number of clients that connect, shake hands by TLS 1.3, log in
// and close.
type Connect struct {
	Connections int
	Resumed     bool // by a ticket of an earlier connection
}

// Run counts only what it claims: every handshake is TLS 1.3 and, as asked for,
// full or resumed.
func (c Connect) Run(ctx context.Context, s Server) (Result, error) {
	if s.TLS == nil {
		return Result{}, errors.New("a server without TLS has no handshakes")
	}
	tickets, err := c.tickets(ctx, s)
	if err != nil {
		return Result{}, err
	}
	began := time.Now()
	err = each(c.Connections, func(worker, _ int) error { return c.once(ctx, s, tickets[worker]) })
	if err != nil {
		return Result{}, err
	}
	took := time.Since(began)
	return Result{Requests: c.Connections, PerSecond: float64(c.Connections) / took.Seconds(), Mean: took * workers / time.Duration(c.Connections)}, nil
}

// tickets gives each worker its TLS settings, with a first ticket if tickets
// are wanted. The connections that get them are part of what the run costs,
// less than a percent.
func (c Connect) tickets(ctx context.Context, s Server) ([]*tls.Config, error) {
	configs := make([]*tls.Config, workers)
	for i := range configs {
		configs[i] = s.TLS.Clone()
		if !c.Resumed {
			continue
		}
		configs[i].ClientSessionCache = tls.NewLRUClientSessionCache(1)
		first, err := login(ctx, s, configs[i])
		if err != nil {
			return nil, err
		}
		_ = first.Close()
	}
	return configs, nil
}

func (c Connect) once(ctx context.Context, s Server, config *tls.Config) error {
	client, err := login(ctx, s, config)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	state := client.Conn.(*tls.Conn).ConnectionState()
	if state.Version != tls.VersionTLS13 || state.DidResume != c.Resumed {
		return fmt.Errorf("a handshake was %s, resumed: %t", tls.VersionName(state.Version), state.DidResume)
	}
	return nil
}

// each does a job n times, by so many workers at once, until one fails.
func each(n int, job func(worker, i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	failures := make([]error, workers)
	for worker := range workers {
		all.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				if failures[worker] = job(worker, i-1); failures[worker] != nil {
					next.Store(int64(n))
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}

// Idle are clients that have logged in, have read one key and do nothing.
type Idle struct{ conns []*conn }

// OpenIdle connects n clients. The caller closes them.
func OpenIdle(ctx context.Context, s Server, n int) (*Idle, error) {
	idle := &Idle{conns: make([]*conn, n)}
	err := each(n, func(_, i int) error {
		c, err := login(ctx, s, nil)
		if err != nil {
			return err
		}
		idle.conns[i] = c
		if _, err = c.do("GET", key(i)); errors.Is(err, errNil) {
			err = nil
		}
		return err
	})
	if err != nil {
		idle.Close()
		return nil, fmt.Errorf("opening %d idle connections: %w", n, err)
	}
	return idle, nil
}

// Close closes the clients that there are.
func (i *Idle) Close() {
	for _, c := range i.conns {
		if c != nil {
			_ = c.Close()
		}
	}
}
