package directory

import (
	"maps"
	"slices"
	"time"
)

// Follower is one gateway at the hub. It is the Source of a gateway in this
// process; for another it feeds the transport.
type Follower struct {
	hub       *Hub
	id        string
	instance  string // of another process; "" in this one, and before it has come back
	inProcess bool
	out       chan Update
	stop      chan struct{}
	done      chan struct{}

	// Guarded by hub.mu.
	acknowledged int64
	seen         time.Time
	pending      *pending
	ready        chan struct{} // holds a value while pending is set
	closed       bool
}

// pending gathers what a follower has not taken yet, so that a slow one costs
// no more than one copy of the directory.
type pending struct {
	revision int64
	full     bool
	caches   map[string]*Cache
	gone     map[string]bool
}

var _ Source = (*Follower)(nil)

func newFollower(h *Hub, id string, inProcess bool) *Follower {
	f := &Follower{
		hub: h, id: id, inProcess: inProcess, seen: h.clock.Now(),
		out: make(chan Update), stop: make(chan struct{}), done: make(chan struct{}),
		ready: make(chan struct{}, 1),
	}
	go f.deliver()
	return f
}

// Updates implements Source.
func (f *Follower) Updates() <-chan Update { return f.out }

// Acknowledge implements Source; it also renews the lease.
func (f *Follower) Acknowledge(revision int64) {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.seen = f.hub.clock.Now()
	f.acknowledged = max(f.acknowledged, revision)
	f.hub.tell()
}

// Renew keeps the gateway live for another LeaseTime.
func (f *Follower) Renew() {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.seen = f.hub.clock.Now()
}

// Leave takes the gateway out of the hub: it has stopped and admits nobody.
// It returns when the channel of updates is closed.
func (f *Follower) Leave() {
	f.hub.mu.Lock()
	if f.hub.followers[f.id] == f {
		delete(f.hub.followers, f.id)
		f.hub.tell()
	}
	f.close()
	f.hub.mu.Unlock()
	<-f.done
}

// close ends delivery; hub.mu is held.
func (f *Follower) close() {
	if !f.closed {
		f.closed = true
		close(f.stop)
	}
}

// full queues everything; hub.mu is held.
func (f *Follower) full(revision int64, caches map[string]*Cache) {
	f.queue(&pending{revision: revision, full: true, caches: maps.Clone(caches)})
}

// offer queues a change; hub.mu is held.
func (f *Follower) offer(revision int64, caches []*Cache, gone []string) {
	p := f.pending
	if p == nil {
		p = &pending{caches: map[string]*Cache{}, gone: map[string]bool{}}
	}
	p.revision = revision
	for _, c := range caches {
		p.caches[c.ID] = c
		delete(p.gone, c.ID)
	}
	for _, id := range gone {
		delete(p.caches, id)
		if !p.full {
			p.gone[id] = true
		}
	}
	f.queue(p)
}

func (f *Follower) queue(p *pending) {
	f.pending = p
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *Follower) take() (Update, bool) {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	p := f.pending
	f.pending = nil
	if p == nil {
		return Update{}, false
	}
	u := Update{Revision: p.revision, Full: p.full, Gone: slices.Sorted(maps.Keys(p.gone))}
	for _, id := range slices.Sorted(maps.Keys(p.caches)) {
		u.Caches = append(u.Caches, p.caches[id])
	}
	return u, true
}

func (f *Follower) deliver() {
	defer close(f.done)
	defer close(f.out)
	for {
		select {
		case <-f.ready:
		case <-f.stop:
			return
		}
		update, ok := f.take()
		if !ok {
			continue
		}
		select {
		case f.out <- update:
		case <-f.stop:
			return
		}
	}
}
