package gateway

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/internal/gateway/backend"
)

// relay moves an engine's replies to a client as they are, with a goroutine of
// its own, except that it can be halted where the answer to a marker stands.
type relay struct {
	client net.Conn
	raw    *socket // under client
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

func newRelay(s *session) *relay {
	r := &relay{client: s.client, raw: s.raw, engine: s.be, goOn: make(chan bool, 1), done: make(chan struct{}), gone: make(chan struct{})}
	s.g.active.Go(r.run)
	return r
}

// ended is closed when the relay has ended: the engine or the client has
// closed, or stop was called.
func (r *relay) ended() <-chan struct{} { return r.done }

// resume lets a halted relay go on.
func (r *relay) resume() { r.goOn <- true }

// stop ends the relay and returns when nothing of it is left. The caller has
// halted it or closed the engine's side.
func (r *relay) stop() {
	select {
	case r.goOn <- false:
	default: // it was not halted
	}
	<-r.gone
}

// halt prepares to stop at the marker, which the caller then sends. The channel
// is closed when everything before the marker's answer has been written to the
// client and the relay touches neither side any more. A read from the client
// that is under way is woken.
func (r *relay) halt(m *backend.Marker) <-chan struct{} {
	t := &target{marker: m, reached: make(chan struct{})}
	r.target.Store(t)
	return t.reached
}

func (r *relay) run() {
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	defer close(r.gone)
	defer r.wakeReader()
	defer close(r.done)
	if r.raw.Flush() != nil {
		return
	}
	buf, kept := *pooled, 0
	for {
		n, err := r.engine.Read(buf[kept:])
		if n > 0 {
			var ok bool
			if kept, ok = r.deliver(buf, kept+n); !ok {
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
func (r *relay) deliver(buf []byte, n int) (kept int, ok bool) {
	t := r.target.Load()
	if t == nil {
		return 0, r.write(buf[:n])
	}
	at := t.marker.Find(buf[:n])
	if at < 0 {
		kept = t.marker.Partial(buf[:n])
		if !r.write(buf[:n-kept]) {
			return 0, false
		}
		copy(buf, buf[n-kept:n])
		return kept, true
	}
	if !r.write(buf[:at]) {
		return 0, false
	}
	r.engine.Unread(buf[at+t.marker.Len() : n])
	r.target.Store(nil)
	close(t.reached)
	r.wakeReader()
	return 0, <-r.goOn
}

func (r *relay) write(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	_, err := r.client.Write(p)
	return err == nil
}

// wakeReader ends the session's read from the client.
func (r *relay) wakeReader() { _ = r.client.SetReadDeadline(time.Unix(1, 0)) }
