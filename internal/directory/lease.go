package directory

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Join adds a gateway of another process. An id belongs to one instance (one
// data directory of one gateway) at a time: the same instance replaces itself,
// another one is refused until the lease of the first has ended. The process
// that a later instance takes the id from is remembered for as long as it may
// admit anyone, because no revocation reaches it.
func (h *Hub) Join(id, instance string) (*Follower, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.followers[id]
	if old != nil && old.instance != "" && old.instance != instance {
		if h.live(old) {
			return nil, identity.Errorf(identity.Unavailable, "another process is the gateway %s: stop it, or wait until it has been silent for %v", id, LeaseTime)
		}
		h.replaced = append(h.replaced, old)
	}
	if old != nil {
		old.close()
	}
	f := newFollower(h, id, false)
	f.instance = instance
	h.followers[id] = f
	h.replaced = slices.DeleteFunc(h.replaced, func(r *Follower) bool { return r.id == id && r.instance == instance })
	f.full(h.revision, h.caches)
	h.tell()
	return f, nil
}

// Expect makes a gateway count, for one lease, that was connected to an earlier
// run of the control plane and may admit clients although it has not come back.
func (h *Hub) Expect(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers[id] == nil {
		f := newFollower(h, id, false)
		f.close()
		h.followers[id] = f
	}
}

// WaitFor is Wait for one gateway alone.
func (h *Hub) WaitFor(ctx context.Context, id string, revision int64) error {
	return h.wait(ctx, revision, id)
}

// Forget takes a gateway out whose right to follow has been withdrawn. It is
// remembered like one that was replaced: it may admit from what it knows.
func (h *Hub) Forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.followers[id]; f != nil && !f.inProcess {
		delete(h.followers, id)
		h.replaced = append(h.replaced, f)
		f.close()
		h.tell()
	}
}

// Disconnect ends the delivery of updates. The gateway still counts while its
// lease lasts: it may admit clients without a connection.
func (f *Follower) Disconnect() {
	f.hub.mu.Lock()
	f.close()
	f.hub.mu.Unlock()
	<-f.done
}

// Refresh queues a full update and returns its revision at least.
func (f *Follower) Refresh() int64 {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.full(f.hub.revision, f.hub.caches)
	return f.hub.revision
}

// lapsed returns the replaced gateways that may still admit someone; h.mu is held.
func (h *Hub) lapsed() []*Follower {
	h.replaced = slices.DeleteFunc(h.replaced, func(f *Follower) bool {
		return h.clock.Now().Sub(f.seen) >= h.maxStale
	})
	return h.replaced
}
