package remote

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/directory"
)

const (
	// farewellTime bounds the last words of a gateway that stops.
	farewellTime = 2 * time.Second
	// certifyBefore is how long before its end the listeners' certificate is
	// replaced, and certifyEvery how often that is tried.
	certifyBefore = 30 * 24 * time.Hour
	certifyEvery  = time.Hour
	// maxUncommitted bounds the caches of one update.
	maxUncommitted = 1 << 16
)

// connection is one connection to the control plane, on the gateway's side.
type connection struct {
	l    *Link
	conn *tls.Conn
	asks chan int64
	acks chan acknowledgement // holds the newest that is due
	// acked are revisions that the gateway acts on, for the writer to send.
	acked chan int64

	mu     sync.Mutex
	number int64 // of the renewal that is not answered
	sent   time.Time
}

// acknowledgement is due when this process's hub has had local acknowledged.
type acknowledgement struct{ local, revision int64 }

// errRefused is the control plane's answer to a gateway that may not follow.
type errRefused string

func (e errRefused) Error() string { return "the control plane refuses this gateway: " + string(e) }

// connect makes one connection and serves it until it ends, or until ctx does.
func (l *Link) connect(ctx context.Context) error {
	began, conn, err := l.greet(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	hurry := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c := &connection{l: l, conn: conn, asks: make(chan int64, 1), acks: make(chan acknowledgement, 1), acked: make(chan int64)}
	r := bufio.NewReader(conn)
	var first toGateway
	switch err := readFrame(r, maxToGateway, &first); {
	case err != nil:
		return err
	case first.Refused != nil:
		return errRefused(first.Refused.Reason)
	case first.Welcome == nil:
		return fmt.Errorf("%w: no welcome", errFrame)
	}
	if err := l.meet(first.Welcome, began); err != nil {
		return err
	}
	if !hurry() {
		return ctx.Err()
	}
	l.cfg.Log.Info("following the control plane", "address", l.cfg.Credentials.Address, "gateway", l.cfg.Credentials.ID)
	return c.run(ctx, r)
}

// greet connects and says hello; began is a time before the other side knew.
func (l *Link) greet(ctx context.Context) (began time.Time, conn *tls.Conn, err error) {
	dialer := net.Dialer{Timeout: handshakeTime}
	raw, err := dialer.DialContext(ctx, "tcp", l.cfg.Credentials.Address)
	if err != nil {
		return began, nil, fmt.Errorf("remote: connecting: %w", err)
	}
	conn = tls.Client(raw, &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: l.cfg.Credentials.Roots, ServerName: certs.ControlName,
		Certificates: []tls.Certificate{l.cfg.Credentials.Pair},
	})
	if err = conn.SetDeadline(time.Now().Add(handshakeTime)); err == nil {
		err = conn.HandshakeContext(ctx)
	}
	began = l.cfg.Clock.Now()
	if err == nil {
		err = writeFrame(conn, toControl{Hello: &hello{Version: version, Instance: l.home.instance, Process: l.process}}, maxToControl)
	}
	if err != nil {
		_ = raw.Close()
		return began, nil, fmt.Errorf("remote: the control plane's listener: %w", err)
	}
	return began, conn, nil
}

// run serves a connection. It ends with it, or, after a farewell, with ctx.
func (c *connection) run(ctx context.Context, r *bufio.Reader) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	var failed error
	parts.Go(func() {
		failed = c.write(ctx, inner)
		if failed != nil {
			_ = c.conn.Close()
		}
	})
	parts.Go(func() { c.awaitGateway(inner) })
	err := c.read(r)
	cancel()
	parts.Wait()
	if failed != nil {
		return failed
	}
	return err
}

// read takes what the control plane sends. Silence for a lease ends it.
func (c *connection) read(r *bufio.Reader) error {
	var caches []*directory.Cache
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(directory.LeaseTime)); err != nil {
			return err
		}
		var m toGateway
		if err := readFrame(r, maxToGateway, &m); err != nil {
			return err
		}
		switch {
		case m.Cache != nil:
			if caches = append(caches, m.Cache.cache()); len(caches) > maxUncommitted {
				return fmt.Errorf("%w: more than %d caches in one update", errFrame, maxUncommitted)
			}
		case m.Commit != nil:
			c.due(acknowledgement{c.l.apply(caches, m.Commit), m.Commit.Revision})
			caches = nil
		case m.Renewed != nil:
			c.renewed(m.Renewed.Number)
		case m.Received != nil:
			c.l.backlog.confirm(m.Received.Last)
		case m.Certificate != nil:
			if err := c.l.certified(m.Certificate.DER); err != nil {
				return err
			}
		case m.Ask != nil:
			select {
			case c.asks <- m.Ask.Number:
			default: // one question at a time
			}
		default:
			return fmt.Errorf("%w: a second welcome", errFrame)
		}
	}
}

// due replaces an acknowledgement that is still awaited by a newer one.
func (c *connection) due(a acknowledgement) {
	for {
		select {
		case c.acks <- a:
			return
		case <-c.acks:
		}
	}
}

// awaitGateway passes a revision on once the gateway acts on it.
func (c *connection) awaitGateway(ctx context.Context) {
	for {
		select {
		case a := <-c.acks:
			if c.l.hub.Wait(ctx, a.local) != nil {
				return
			}
			select {
			case c.acked <- a.revision:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (c *connection) renewed(number int64) {
	c.mu.Lock()
	sent, answered := c.sent, number == c.number
	c.mu.Unlock()
	if answered {
		c.l.noteContact(sent)
	}
}

func (c *connection) send(m toControl) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return writeFrame(c.conn, m, maxToControl)
}
