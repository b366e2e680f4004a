package gateway

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// session is one client connection, logged in or not. Its goroutine reads what
// the client sends and acts on it; while there is an engine connection, a relay
// moves the engine's replies. The client is written to by the relay, or by the
// session's goroutine while the relay is halted or absent, never by both.
//
// On Linux a session that only relays is parked: it has neither goroutine nor
// relay, and a loop serves it until it needs its own goroutine again. One of
// the two has it at any time, and the other does not touch it.
type session struct {
	g       *Gateway
	key     nodeKey // of the listener
	stats   *counters
	raw     *socket  // what the listener accepted
	client  net.Conn // raw, or TLS over it
	peer    string   // host:port
	local   string
	remote  netip.AddrPort
	addr    netip.Addr // throttleKey of remote
	transit identity.TransitMode

	encrypted bool // set before the connection can become a session

	// Guarded by Gateway.mu.
	at       nodeKey // the node that the listener led to at the last login
	stranger bool    // counts as not logged in
	who      *who    // nil while not a session
	clientID int64

	commands atomic.Int64
	ending   atomic.Pointer[string] // why it was killed
	killable atomic.Pointer[backend.Conn]

	scan      resp.Scanner
	args      resp.Args
	gathering action  // of the command that is being gathered; pass for none
	usual     *[]byte // a pooled buffer
	buf       []byte  // usual, or a bigger one for a long line
	from      int     // buf[from:pos] is to be forwarded
	pos       int     // buf[pos:end] is not scanned yet
	end       int
	count     int64  // commands since the last forward
	out       []byte // answers to be written while no relay runs
	deadline  time.Time

	be      *backend.Conn // nil while no engine is involved
	link    *socket       // under be
	relay   *relay        // nil while there is none, or a loop serves the session
	halted  bool          // the relay stands at a marker
	multi   bool          // a MULTI was sent and no EXEC after it
	silent  bool          // CLIENT REPLY OFF is in force
	skipOne bool          // CLIENT REPLY SKIP: the next command has no reply

	place  sync.Mutex // held while the session changes between goroutine and loop
	looped bool       // a loop serves the session
	owed   bool       // the gathered command waits for the session's goroutine
	fault  error      // a protocol error that waits for it
	parking
}

// who is a session's identity; it is replaced, never changed, after bind.
type who struct {
	user        string
	method      Method
	principal   string
	incarnation string
	engine      *engine
	since       time.Time
	deadline    time.Time
}

// errDone ends a session in good order: what the client is owed was written.
var errDone = errors.New("the session is over")

// errEngineGone ends a session whose engine has left it.
var errEngineGone = errors.New("the engine closed the connection")

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func newSession(g *Gateway, l *listener, conn net.Conn) *session {
	remote, raw := addrPort(conn.RemoteAddr()), &socket{Conn: conn}
	return &session{
		g: g, key: l.key, at: l.key, raw: raw, client: raw,
		peer: conn.RemoteAddr().String(), local: conn.LocalAddr().String(),
		remote: remote, addr: throttleKey(remote.Addr()),
		scan: resp.Scanner{HasSub: hasSub},
	}
}

// kill ends the connection at once, whatever it is doing.
func (s *session) kill(why string) {
	s.ending.CompareAndSwap(nil, &why)
	s.place.Lock()
	defer s.place.Unlock()
	if s.home != nil {
		s.home.kill(s)
		return
	}
	_ = s.raw.Close()
	if be := s.killable.Load(); be != nil {
		_ = be.Close()
	}
}

// serve begins to serve the connection. It reports what run does.
func (s *session) serve() bool {
	s.takeBuffer()
	s.setLoginDeadline()
	return s.run(nil)
}

// run serves the connection to its end, or until a loop has taken it over. It
// reports whether it has ended.
func (s *session) run(err error) bool {
	for err == nil {
		if err = s.consume(); err == nil {
			err = s.flush()
		}
		if err != nil {
			break
		}
		if s.park() {
			return false
		}
		if s.be != nil {
			s.relaying()
		}
		err = s.fill()
	}
	s.finish(err)
	s.dropBuffer()
	s.report()
	return true
}

func (s *session) takeBuffer() {
	s.usual = buffers.Get().(*[]byte)
	s.buf = *s.usual
}

func (s *session) dropBuffer() {
	buffers.Put(s.usual)
	s.usual, s.buf = nil, nil
}

// relaying makes sure that the engine's replies go to the client.
func (s *session) relaying() {
	if s.relay == nil {
		s.relay = newRelay(s)
	}
}

// setLoginDeadline starts the time that a client has to log in.
func (s *session) setLoginDeadline() {
	if c, _ := s.g.view.Load().node(s.key); c == nil || c.mayBeAnonymous() {
		return
	}
	s.deadline = time.Now().Add(s.g.limits.Login)
	_ = s.client.SetReadDeadline(s.deadline)
}

func (s *session) clearLoginDeadline() {
	if !s.deadline.IsZero() {
		s.deadline = time.Time{}
		_ = s.client.SetReadDeadline(time.Time{})
	}
}

// fill reads more of what the client sends.
func (s *session) fill() error {
	s.makeRoom()
	for {
		n, err := s.client.Read(s.buf[s.end:])
		s.end += n
		switch {
		case n > 0:
			return nil
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && s.be != nil && !s.relayEnded():
			// A relay that reached a marker woke the read too late.
			_ = s.client.SetReadDeadline(time.Time{})
		case s.relayEnded():
			return errEngineGone
		default:
			return err
		}
	}
}

func (s *session) relayEnded() bool {
	if s.relay == nil {
		return false
	}
	select {
	case <-s.relay.ended():
		return true
	default:
		return false
	}
}

// makeRoom moves the bytes that are left to the front. Only an inline command
// can fill the buffer without being forwarded; it gets a bigger one.
func (s *session) makeRoom() {
	s.end = copy(s.buf, s.buf[s.pos:s.end])
	s.from, s.pos = 0, 0
	switch {
	case s.end == 0:
		s.buf = *s.usual
	case s.end == len(s.buf):
		bigger := make([]byte, min(2*len(s.buf), maxBuffer))
		copy(bigger, s.buf)
		s.buf = bigger
	}
}

// forward sends the engine what has been scanned.
func (s *session) forward() error {
	if s.count > 0 {
		s.commands.Add(s.count)
		s.count = 0
	}
	if s.from == s.pos {
		return nil
	}
	_, err := s.be.Write(s.buf[s.from:s.pos])
	s.from = s.pos
	return s.engineFault(err)
}

// engineFault turns a failed write to the engine into the end of the session,
// unless replies are still to come: the engine may have said why it closed.
func (s *session) engineFault(err error) error {
	if err == nil {
		return nil
	}
	return errEngineGone
}

// say answers the client, soon; only while no relay runs or it is halted.
func (s *session) say(answer string) { s.out = append(s.out, answer...) }

// flush writes the gateway's own answers.
func (s *session) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_ = s.client.SetWriteDeadline(time.Now().Add(answerTimeout))
	_, err := s.client.Write(s.out)
	_ = s.client.SetWriteDeadline(time.Time{})
	if s.out = s.out[:0]; cap(s.out) > bufferSize {
		s.out = nil
	}
	return err
}

// finish closes both sides so that what is owed still arrives.
func (s *session) finish(err error) {
	killed := s.ending.Load() != nil
	if !killed {
		_ = s.flush()
	}
	if s.be != nil {
		if !killed && !s.halted {
			s.relaying()
			_ = s.be.CloseWrite()
			s.discardUntilEnded(err)
		}
		if s.relay != nil && !s.halted && !s.relayEnded() { // the client does not read, and the relay waits for it
			_ = s.raw.Close()
		}
		s.closeEngine()
	}
	if !killed && !errors.Is(err, io.EOF) {
		s.linger()
	}
	_ = s.raw.Close()
}

// discardUntilEnded lets the relay bring the last replies home. The engine
// closes when it has read the end of the requests.
func (s *session) discardUntilEnded(err error) {
	_ = s.client.SetReadDeadline(time.Now().Add(farewellTimeout))
	for !s.relayEnded() && !errors.Is(err, io.EOF) {
		if _, err = s.client.Read(s.buf); err != nil {
			break
		}
	}
	select {
	case <-s.relay.ended():
	case <-time.After(farewellTimeout):
	case <-s.g.ctx.Done():
	}
}

// closeEngine ends the engine connection and its relay.
func (s *session) closeEngine() {
	_ = s.be.Close()
	s.killable.Store(nil)
	s.endRelay()
	s.be, s.link, s.halted = nil, nil, false
	s.multi, s.silent, s.skipOne = false, false, false
}

// endRelay ends a relay that is halted or has no engine any more.
func (s *session) endRelay() {
	if s.relay == nil {
		return
	}
	s.relay.stop()
	s.relay = nil
	_ = s.client.SetReadDeadline(time.Time{}) // its end woke the reader
}

// linger closes the sending side and reads on for a moment: a connection that
// is closed with unread requests is reset, and the client loses its last
// replies.
func (s *session) linger() {
	if half, ok := s.client.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = s.raw.CloseWrite()
	_ = s.raw.SetReadDeadline(time.Now().Add(lingerTimeout))
	_, _ = io.Copy(io.Discard, io.LimitReader(s.raw, 1<<20))
}

// report counts what a session has done and tells the observer how it ended.
func (s *session) report() {
	s.stats.commands.Add(s.commands.Swap(0))
	was := s.g.unbind(s)
	if was == nil {
		return
	}
	outcome, reason := LoggedOut, "the connection was closed"
	if why := s.ending.Load(); why != nil {
		outcome, reason = Revoked, *why
	}
	s.g.observe(s.event(was, outcome, reason))
}

func (s *session) event(was *who, outcome Outcome, reason string) LoginEvent {
	return LoginEvent{
		Cache: s.key.cache, Node: s.at.node, User: printable(was.user), Principal: was.principal,
		Peer: s.peer, Method: was.method, Outcome: outcome, Reason: reason,
	}
}

func (g *Gateway) observe(event LoginEvent) {
	if g.cfg.Observer == nil {
		return
	}
	event.Time = g.cfg.Clock.Now()
	g.cfg.Observer.Login(event)
}
