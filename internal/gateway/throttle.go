package gateway

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// Guessing is slowed per address. A refusal takes firstDelay, twice as long
// after each further one, at most maxDelay; while it is being delayed it holds
// one of the address's places. A login that finds no place waits for one, but
// not longer than maxDelay, and is then judged all the same: nothing here ever
// refuses a correct credential.
const (
	firstDelay = 20 * time.Millisecond
	maxDelay   = time.Second
	places     = 32
	// forgetAfter is when an address without refusals is forgotten.
	forgetAfter = time.Minute
	// maxAddresses bounds the memory of addresses (64 bytes each).
	maxAddresses = 1 << 16
)

type throttle struct {
	clock clock.Clock
	mu    sync.Mutex
	seen  map[netip.Addr]*guesser
}

type guesser struct {
	refusals int
	last     time.Time
	using    int
	places   chan struct{}
}

func newThrottle(c clock.Clock) *throttle {
	return &throttle{clock: c, seen: map[netip.Addr]*guesser{}}
}

// throttleKey is what an attacker cannot cheaply have many of: an IPv4 address
// or an IPv6 network of 64 bits.
func throttleKey(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}

// enter waits for a place; the caller calls accept or refuse on what it returns.
func (t *throttle) enter(ctx context.Context, addr netip.Addr) *attempt {
	g := t.take(addr)
	a := &attempt{t: t, g: g}
	select {
	case g.places <- struct{}{}:
		a.placed = true
		return a
	default:
	}
	select {
	case g.places <- struct{}{}:
		a.placed = true
	case <-t.clock.After(maxDelay):
	case <-ctx.Done():
	}
	return a
}

func (t *throttle) take(addr netip.Addr) *guesser {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.seen[addr]
	if g == nil {
		if len(t.seen) >= maxAddresses {
			t.forget()
		}
		g = &guesser{places: make(chan struct{}, places)}
		t.seen[addr] = g
	}
	g.using++
	return g
}

// forget drops addresses that have been quiet, and if all are busy, any one
// that nobody uses: its next refusal starts at the first delay again.
func (t *throttle) forget() {
	now := t.clock.Now()
	var spare *netip.Addr
	for addr, g := range t.seen {
		if g.using > 0 {
			continue
		}
		if now.Sub(g.last) > forgetAfter {
			delete(t.seen, addr)
			continue
		}
		spare = &addr
	}
	if len(t.seen) >= maxAddresses && spare != nil {
		delete(t.seen, *spare)
	}
}

type attempt struct {
	t      *throttle
	g      *guesser
	placed bool
}

// accept ends an attempt that succeeded. One that proved something forgives
// the address; logging in where no password is needed does not.
func (a *attempt) accept(method Method) {
	a.leave(func() {
		if method != Anonymous && method != NoPassword {
			a.g.refusals = 0
		}
	})
}

// refuse returns once the refusal may be told.
func (a *attempt) refuse(ctx context.Context) {
	a.t.mu.Lock()
	now := a.t.clock.Now()
	if now.Sub(a.g.last) > forgetAfter {
		a.g.refusals = 0
	}
	a.g.refusals++
	a.g.last = now
	delay := maxDelay
	if n := a.g.refusals - 1; n < 6 { // 20 ms << 6 is beyond maxDelay
		delay = min(firstDelay<<n, maxDelay)
	}
	a.t.mu.Unlock()
	select {
	case <-a.t.clock.After(delay):
	case <-ctx.Done():
	}
	a.leave(func() {})
}

func (a *attempt) leave(change func()) {
	a.t.mu.Lock()
	change()
	a.g.using--
	a.t.mu.Unlock()
	if a.placed {
		<-a.g.places
	}
}
