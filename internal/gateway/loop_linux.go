package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// turnBytes is what one session may move in one direction before the others
	// have their turn.
	turnBytes = 64 << 10
	// enough is how much may wait for a side that does not read before nothing
	// more is read for it: a few records, so that a big reply does not stop and
	// go with each of them.
	enough = 64 << 10
	// batch is how many events are taken at once.
	batch = 128
	// heldWait is how many milliseconds a loop waits while it keeps its
	// processor. Under load that saves it from losing the processor at each
	// wait: 5 % of the time per request. More would keep it from others.
	heldWait = 1
)

// loop serves sessions in their steady state, any number of them with one
// goroutine: commands of which the gateway takes no notice, and the replies. It
// waits for nobody but epoll. Whatever else a session needs is done by a
// goroutine of its own, to which the loop gives it back.
type loop struct {
	epoll, wake int  // file descriptors
	holds       bool // may wait as the owner of a processor
	events      []unix.EpollEvent
	requests    []byte // what one client has sent, during its turn
	replies     []byte // what one engine has sent, during its turn
	slots       []*session
	free        []int32
	done        chan struct{}

	mu       sync.Mutex
	load     int        // sessions that were given and not given back
	arriving []*session // for the loop to take
	doomed   []*session // killed, for the loop to give back
	stopping bool
	told     bool // wake was written to and not read yet
}

// An event names a session's slot and, in the lowest bit, the side.
const (
	clientBit = 0
	engineBit = 1
	wakeEvent = -1
)

// startLoops starts a loop for every other processor. The rest is for handshakes
// and logins, which so never hold up established clients.
func startLoops() ([]*loop, error) {
	var loops []*loop
	for range max(1, runtime.GOMAXPROCS(0)/2) {
		l, err := newLoop()
		if err != nil {
			stopLoops(loops)
			return nil, fmt.Errorf("making an event loop: %w", err)
		}
		loops = append(loops, l)
		go l.run()
	}
	return loops, nil
}

// stopLoops ends loops that have no sessions any more.
func stopLoops(loops []*loop) {
	for _, l := range loops {
		l.tell(func() { l.stopping = true })
		<-l.done
		l.mu.Lock()
		l.told = true // a late timer must not write to a descriptor that is another's
		l.mu.Unlock()
		_ = unix.Close(l.epoll)
		_ = unix.Close(l.wake)
	}
}

func newLoop() (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	l := &loop{
		epoll: epoll, wake: wake, events: make([]unix.EpollEvent, batch),
		requests: make([]byte, maxBuffer), replies: make([]byte, bufferSize), done: make(chan struct{}),
	}
	if err := l.watch(unix.EPOLL_CTL_ADD, wake, wakeEvent, unix.EPOLLIN); err != nil {
		_ = unix.Close(epoll)
		_ = unix.Close(wake)
		return nil, err
	}
	return l, nil
}

func (l *loop) watch(op, fd int, event int32, set uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.epoll, op, fd, &unix.EpollEvent{Events: set, Fd: event}))
}

// tell changes what the loop looks at when it is woken, and wakes it.
func (l *loop) tell(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	if !l.told {
		l.told = true
		_, _ = unix.Write(l.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // it cannot be full
	}
}

func (l *loop) sessions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.load
}

// take gives the loop a session.
func (l *loop) take(s *session) {
	l.tell(func() {
		l.load++
		l.arriving = append(l.arriving, s)
	})
}

// kill makes the loop give a session back, which is marked as ending.
func (l *loop) kill(s *session) { l.tell(func() { l.doomed = append(l.doomed, s) }) }

func (l *loop) run() {
	defer close(l.done)
	for {
		told := false
		for _, e := range l.wait() {
			if e.Fd == wakeEvent {
				told = true
				continue
			}
			// A session that was given back in this batch has left its slot empty.
			if s := l.slots[e.Fd>>1]; s != nil {
				l.settle(s, l.turn(s, e))
			}
		}
		if told && l.listen() {
			return
		}
	}
}

// wait returns the next events. Where there are processors for others too, it
// first waits as the owner of one and lets go of it when nothing happens.
func (l *loop) wait() []unix.EpollEvent {
	if l.holds {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events[0])), batch, heldWait, 0, 0)
		if errno != 0 { // a signal: the runtime wants something from this goroutine
			return nil
		}
		if n > 0 {
			return l.events[:n]
		}
	}
	if l.holds = runtime.GOMAXPROCS(0) > 1; !l.holds {
		runtime.Gosched() // others on the only processor would wait for sysmon to take it away
	}
	n, err := unix.EpollWait(l.epoll, l.events, -1)
	if err != nil {
		return nil
	}
	return l.events[:n]
}

// listen does what the loop was told. It reports whether that is to stop.
func (l *loop) listen() bool {
	var count [8]byte
	_, _ = unix.Read(l.wake, count[:])
	l.mu.Lock()
	arriving, doomed, stopping := l.arriving, l.doomed, l.stopping
	l.arriving, l.doomed, l.told = nil, nil, false
	l.mu.Unlock()
	for _, s := range arriving {
		l.settle(s, l.begin(s))
	}
	for _, s := range doomed {
		if s.slot != noSlot {
			l.settle(s, errDone)
		}
	}
	return stopping
}

// begin makes a place for a session and moves what it has brought with it, of
// which epoll knows nothing.
func (l *loop) begin(s *session) error {
	if last := len(l.free) - 1; last >= 0 {
		s.slot, l.free = l.free[last], l.free[:last]
		l.slots[s.slot] = s
	} else {
		s.slot = int32(len(l.slots))
		l.slots = append(l.slots, s)
	}
	s.clientSet, s.engineSet = unix.EPOLLIN, unix.EPOLLIN
	if l.watch(unix.EPOLL_CTL_ADD, s.raw.fd, s.slot<<1|clientBit, s.clientSet) != nil ||
		l.watch(unix.EPOLL_CTL_ADD, s.link.fd, s.slot<<1|engineBit, s.engineSet) != nil {
		return errStay
	}
	if err := l.moveReplies(s); err != nil {
		return err
	}
	return l.moveRequests(s)
}

// turn acts on one event.
func (l *loop) turn(s *session, e unix.EpollEvent) error {
	side, set, move := s.raw, s.clientSet, l.moveRequests
	if e.Fd&engineBit != 0 {
		side, set, move = s.link, s.engineSet, l.moveReplies
	}
	if e.Events&unix.EPOLLOUT != 0 {
		if err := side.flushNow(); err != nil {
			return errEngineGone
		}
	}
	switch {
	case e.Events&^unix.EPOLLOUT == 0:
		return nil
	case set&unix.EPOLLIN == 0:
		return errStay // the side hung up: epoll tells of that for ever, asked or not
	}
	side.ready, side.budget = true, turnBytes
	return move(s)
}

// moveRequests passes on what the client has sent.
func (l *loop) moveRequests(s *session) error {
	s.buf, s.from, s.pos = l.requests, 0, 0
	s.end = copy(s.buf, s.rest)
	var err error
	for err == nil {
		n, readErr := s.client.Read(s.buf[s.end:])
		if s.end += n; readErr == nil && s.end < len(s.buf) {
			continue
		}
		if err = s.consume(); err == nil {
			err = readErr
		}
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.from, s.pos = 0, 0
	}
	s.rest = append([]byte(nil), s.buf[:s.end]...)
	s.buf = nil
	if isNothing(err) {
		return nil
	}
	return err
}

// moveReplies passes on what the engine has sent.
func (l *loop) moveReplies(s *session) error {
	for len(s.raw.pending) < enough {
		n, err := s.be.Read(l.replies)
		if n > 0 {
			if _, err := s.client.Write(l.replies[:n]); err != nil {
				return errEngineGone
			}
		}
		switch {
		case isNothing(err):
			return nil
		case err != nil:
			return errEngineGone
		}
	}
	return nil
}

func isNothing(err error) bool { return err == errNothing || errors.Is(err, errNothing) }

// settle gives a session back if anything has come in its way, and otherwise
// sees to it that the loop hears what it must about the two sides: nothing is
// read for a side that does not take it.
func (l *loop) settle(s *session, err error) {
	if err == io.EOF && !s.leaving && len(s.link.pending) == 0 {
		err = l.sendHome(s)
	}
	if err == nil {
		err = l.ask(s.raw, s.link, &s.clientSet, s.slot<<1|clientBit, !s.leaving)
	}
	if err == nil {
		err = l.ask(s.link, s.raw, &s.engineSet, s.slot<<1|engineBit, true)
	}
	switch {
	case err == nil:
	case !s.leaving:
		l.remove(s)
		go s.leaveLoop(err)
	case err == errEngineGone && len(s.raw.pending) == 0:
		s.farewell.Stop()
		l.remove(s)
		go s.leaveForGood()
	default: // the client does not take its last replies
		s.farewell.Stop()
		l.remove(s)
		go s.leaveLoop(io.EOF)
	}
}

// sendHome tells the engine that the client sends nothing more. The engine
// closes when it has read that; what it still says is passed on.
func (l *loop) sendHome(s *session) error {
	s.leaving = true
	s.farewell = time.AfterFunc(farewellTimeout, func() { l.kill(s) })
	return os.NewSyscallError("shutdown", unix.Shutdown(s.link.fd, unix.SHUT_WR))
}

func (l *loop) ask(side, other *socket, set *uint32, event int32, reads bool) error {
	var wanted uint32
	if reads && len(other.pending) < enough {
		wanted |= unix.EPOLLIN
	}
	if len(side.pending) > 0 {
		wanted |= unix.EPOLLOUT
	}
	if wanted == *set {
		return nil
	}
	*set = wanted
	return l.watch(unix.EPOLL_CTL_MOD, side.fd, event, wanted)
}

// remove forgets a session, for which a goroutine goes on.
func (l *loop) remove(s *session) {
	_ = l.watch(unix.EPOLL_CTL_DEL, s.raw.fd, 0, 0)
	_ = l.watch(unix.EPOLL_CTL_DEL, s.link.fd, 0, 0)
	l.slots[s.slot] = nil
	l.free = append(l.free, s.slot)
	s.slot = noSlot
	l.mu.Lock()
	l.load--
	l.mu.Unlock()
}
