package gateway

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/internal/gateway/backend"
)

// relay moves an engine's replies to a client as they are, except that it can
// be halted where the answer to a marker stands. It may be replaced by one that
// serves many sessions per goroutine.
type relay interface {
	// halt prepares to stop at the marker, which the caller then sends. The
	// channel is closed when everything before the marker's answer has been
	// written to the client and the relay touches neither side any more. A read
	// from the client that is under way is woken.
	halt(m *backend.Marker) (reached <-chan struct{})
	// resume lets a halted relay go on.
	resume()
	// stop ends the relay and returns when nothing of it is left. The caller
	// has halted it or closed the engine's side.
	stop()
	// ended is closed when the relay has ended: the engine or the client has
	// closed, or stop was called.
	ended() <-chan struct{}
}

// copier is a relay with a goroutine of its own.
type copier struct {
	client net.Conn
	engine *backend.Conn
	target atomic.Pointer[target]
	goOn   chan bool
	done   chan struct{}
	gone   chan struct{}
}

type target struct {
	marker  *backend.Marker
	reached chan struct{}
}

func newCopier(s *session) relay {
	c := &copier{client: s.client, engine: s.be, goOn: make(chan bool, 1), done: make(chan struct{}), gone: make(chan struct{})}
	s.g.active.Go(c.run)
	return c
}

func (c *copier) ended() <-chan struct{} { return c.done }
func (c *copier) resume()                { c.goOn <- true }

func (c *copier) stop() {
	select {
	case c.goOn <- false:
	default: // it was not halted
	}
	<-c.gone
}

func (c *copier) halt(m *backend.Marker) <-chan struct{} {
	t := &target{marker: m, reached: make(chan struct{})}
	c.target.Store(t)
	return t.reached
}

func (c *copier) run() {
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	defer close(c.gone)
	defer c.wakeReader()
	defer close(c.done)
	buf, kept := *pooled, 0
	for {
		n, err := c.engine.Read(buf[kept:])
		if n > 0 {
			var ok bool
			if kept, ok = c.deliver(buf, kept+n); !ok {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// deliver writes buf[:n] to the client, up to the marker's answer if that is
// awaited. It returns how many bytes at the end it kept back.
func (c *copier) deliver(buf []byte, n int) (kept int, ok bool) {
	t := c.target.Load()
	if t == nil {
		return 0, c.write(buf[:n])
	}
	at := t.marker.Find(buf[:n])
	if at < 0 {
		kept = t.marker.Partial(buf[:n])
		if !c.write(buf[:n-kept]) {
			return 0, false
		}
		copy(buf, buf[n-kept:n])
		return kept, true
	}
	if !c.write(buf[:at]) {
		return 0, false
	}
	c.engine.Unread(buf[at+t.marker.Len() : n])
	c.target.Store(nil)
	close(t.reached)
	c.wakeReader()
	return 0, <-c.goOn
}

func (c *copier) write(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	_, err := c.client.Write(p)
	return err == nil
}

// wakeReader ends the session's read from the client.
func (c *copier) wakeReader() { _ = c.client.SetReadDeadline(time.Unix(1, 0)) }
