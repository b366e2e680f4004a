package gateway

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// parking is what a session has while a loop serves it, in place of a goroutine
// and buffers.
type parking struct {
	home                 *loop // guarded by session.place; nil while a goroutine serves the session
	slot                 int32
	clientSet, engineSet uint32 // the events that the loop asks for
	rest                 []byte // the beginning of a command
	leaving              bool   // the client has closed its side
	farewell             *time.Timer
}

const noSlot = -1

// errStay says that a loop cannot serve the session any longer.
var errStay = errors.New("the session is no longer the event loop's")

// park gives a session in its steady state to the loop that has the fewest, if
// nothing stands against it. The caller must not touch it afterwards.
func (s *session) park() bool {
	if len(s.g.loops) == 0 || s.be == nil || s.relay != nil {
		return false
	}
	l := slices.MinFunc(s.g.loops, func(a, b *loop) int { return cmp.Compare(a.sessions(), b.sessions()) })
	s.place.Lock()
	defer s.place.Unlock()
	if s.ending.Load() != nil || !s.socketsToLoop() {
		return false
	}
	s.rest = append([]byte(nil), s.buf[s.pos:s.end]...)
	s.dropBuffer()
	if !s.scan.Inside() {
		s.args = resp.Args{}
	}
	s.scan.Line, s.out, s.be.Greeting = resp.Args{}, nil, nil
	s.home, s.looped = l, true
	l.take(s)
	return true
}

func (s *session) socketsToLoop() bool {
	if s.raw.toLoop() != nil {
		return false
	}
	if s.link.toLoop() != nil {
		s.raw.fromLoop()
		return false
	}
	return true
}

// leaveLoop is the goroutine of a session that a loop has given back.
func (s *session) leaveLoop(why error) {
	s.place.Lock()
	s.raw.fromLoop()
	s.link.fromLoop()
	s.home, s.looped = nil, false
	s.place.Unlock()
	s.takeBuffer()
	if len(s.rest) > len(s.buf) {
		s.buf = make([]byte, maxBuffer)
	}
	s.from, s.pos, s.end = 0, 0, copy(s.buf, s.rest)
	s.rest = nil
	if s.run(s.goOn(why)) {
		s.g.forget(s)
	}
}

// leaveForGood is the goroutine of a session that has ended in a loop: both
// sides have closed, and everything was passed on.
func (s *session) leaveForGood() {
	s.place.Lock()
	s.raw.close()
	s.link.close()
	s.home, s.looped = nil, false
	s.place.Unlock()
	s.killable.Store(nil)
	s.report()
	s.g.forget(s)
}

// goOn does what the loop has given the session back for.
func (s *session) goOn(why error) error {
	switch {
	case s.ending.Load() != nil:
		return errDone
	case s.link.Flush() != nil:
		return errEngineGone
	case errors.Is(why, errOwnGoroutine):
		return s.actOnOwn()
	case errors.Is(why, errStay):
		s.relaying() // sessions that have a relay are not parked
		return nil
	}
	return why
}
