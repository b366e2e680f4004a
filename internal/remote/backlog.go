package remote

import (
	"sync"

	"github.com/gatehouse/gatehouse/internal/gateway"
)

const (
	// maxBacklog is how many login events wait for the control plane: at 300
	// bytes each 5 MB. More are dropped, the newest first, and counted: the
	// beginning of a story explains more than its middle.
	maxBacklog = 16384
	// maxBatch is how many events or sessions one frame carries. The text fields
	// of each are bounded by what the gateway writes down (under 4 KiB).
	maxBatch = 256
)

// backlog holds login events until the control plane has confirmed them.
type backlog struct {
	wake chan struct{} // holds a value when there may be something to send

	mu      sync.Mutex
	first   int64 // number of waiting[0]
	waiting []gateway.LoginEvent
	dropped int64
}

func newBacklog() *backlog { return &backlog{wake: make(chan struct{}, 1), first: 1} }

func (b *backlog) add(event gateway.LoginEvent) {
	b.mu.Lock()
	if len(b.waiting) < maxBacklog {
		b.waiting = append(b.waiting, event)
	} else {
		b.dropped++
	}
	b.mu.Unlock()
	b.poke()
}

func (b *backlog) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// batch returns the oldest events that are not confirmed, nil if there are none.
func (b *backlog) batch() *events {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), maxBatch)
	if n == 0 {
		return nil
	}
	return &events{First: b.first, Dropped: b.dropped, Events: append([]gateway.LoginEvent(nil), b.waiting[:n]...)}
}

// confirm forgets the events up to number last.
func (b *backlog) confirm(last int64) {
	b.mu.Lock()
	n := min(max(last-b.first+1, 0), int64(len(b.waiting)))
	b.waiting = b.waiting[n:]
	b.first += n
	if len(b.waiting) == 0 {
		b.waiting = nil // the array is not kept for the sake of a burst
	}
	b.mu.Unlock()
	b.poke()
}

func (b *backlog) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) == 0
}
