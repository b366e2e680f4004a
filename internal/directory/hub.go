package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// LeaseTime is how long a gateway counts as live after it was last heard of.
// Changes wait for live gateways only, so this bounds how long one that is gone
// holds them up.
const LeaseTime = 10 * time.Second

// DefaultMaxStale is how long a gateway without its lease goes on judging
// logins from its last snapshot before it refuses new ones.
const DefaultMaxStale = time.Hour

// Hub holds the published caches and knows which gateway acts on which revision.
type Hub struct {
	clock    clock.Clock
	maxStale time.Duration
	strict   bool

	mu        sync.Mutex
	revision  int64
	caches    map[string]*Cache
	followers map[string]*Follower
	replaced  []*Follower   // whose id, or right to follow, was taken
	changed   chan struct{} // closed and replaced at every acknowledgement and departure
}

// Options of a hub. The zero value is the default.
type Options struct {
	// MaxStale is DefaultMaxStale if zero.
	MaxStale time.Duration
	// StrictRevocation makes Wait wait for gateways without a lease too, until
	// they acknowledge or can no longer admit anyone.
	StrictRevocation bool
}

// NewHub returns a hub that has published nothing.
func NewHub(c clock.Clock, o Options) *Hub {
	if o.MaxStale == 0 {
		o.MaxStale = DefaultMaxStale
	}
	return &Hub{
		clock: c, maxStale: o.MaxStale, strict: o.StrictRevocation,
		caches: map[string]*Cache{}, followers: map[string]*Follower{}, changed: make(chan struct{}),
	}
}

// Publish makes caches known in place of those with the same id, forgets gone,
// and returns the revision of that.
func (h *Hub) Publish(caches []*Cache, gone ...string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revision++
	for _, c := range caches {
		h.caches[c.ID] = c
	}
	for _, id := range gone {
		delete(h.caches, id)
	}
	for _, f := range h.followers {
		f.offer(h.revision, caches, gone)
	}
	return h.revision
}

// Amend publishes a changed copy of one cache, if it is there.
func (h *Hub) Amend(id string, change func(*Cache)) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.caches[id]
	if old == nil {
		return h.revision
	}
	amended := *old
	change(&amended)
	h.revision++
	h.caches[id] = &amended
	for _, f := range h.followers {
		f.offer(h.revision, []*Cache{&amended}, nil)
	}
	return h.revision
}

// Cache returns the published cache with that id, or nil.
func (h *Hub) Cache(id string) *Cache {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.caches[id]
}

// Follow adds a gateway. One that follows under the same id is replaced: it is
// the same gateway, started again. A gateway in this process is live until it is
// closed; others must Renew within every LeaseTime.
func (h *Hub) Follow(id string, inProcess bool) *Follower {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.followers[id]; old != nil {
		old.close()
	}
	f := newFollower(h, id, inProcess)
	h.followers[id] = f
	f.full(h.revision, h.caches)
	return f
}

// Gateway tells how far one gateway is.
type Gateway struct {
	ID           string
	InProcess    bool // it serves the addresses that the API returns
	Live         bool
	Replaced     bool // its id, or its right to follow, was taken from it
	Acknowledged int64
	Behind       bool // has not acknowledged the newest revision
	LastSeen     time.Time
}

// Gateways returns all known gateways by id and the newest revision.
func (h *Hub) Gateways() ([]Gateway, int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Gateway, 0, len(h.followers))
	add := func(f *Follower, replaced bool) {
		all = append(all, Gateway{
			ID: f.id, InProcess: f.inProcess, Live: h.live(f), Replaced: replaced, Acknowledged: f.acknowledged,
			Behind: f.acknowledged < h.revision, LastSeen: f.seen,
		})
	}
	for _, f := range h.followers {
		add(f, false)
	}
	for _, f := range h.lapsed() {
		add(f, true)
	}
	slices.SortFunc(all, func(a, b Gateway) int { return strings.Compare(a.ID, b.ID) })
	return all, h.revision
}

// Wait returns once every gateway that counts has acknowledged revision. The
// error names those that are missing when the context ends first.
func (h *Hub) Wait(ctx context.Context, revision int64) error { return h.wait(ctx, revision, "") }

func (h *Hub) wait(ctx context.Context, revision int64, only string) error {
	for {
		missing, next, changed := h.missing(revision, only)
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-h.clock.After(next):
		case <-ctx.Done():
			return fmt.Errorf("directory: revision %d is not acknowledged by %s: %w", revision, strings.Join(missing, ", "), ctx.Err())
		}
	}
}

// missing names the gateways to wait for (only that one, if one is given), says
// when that may change by the passing of time, and returns the channel that
// tells of other changes.
func (h *Hub) missing(revision int64, only string) (ids []string, next time.Duration, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next = h.maxStale
	for _, f := range slices.AppendSeq(slices.Clone(h.lapsed()), maps.Values(h.followers)) {
		if f.acknowledged >= revision || only != "" && f.id != only {
			continue
		}
		left := h.countsFor(f)
		if left <= 0 {
			continue
		}
		ids = append(ids, f.id)
		next = min(next, left)
	}
	slices.Sort(ids)
	return ids, next, h.changed
}

// countsFor returns how much longer a change must wait for f; h.mu is held.
func (h *Hub) countsFor(f *Follower) time.Duration {
	if f.inProcess {
		return LeaseTime
	}
	end := f.seen.Add(LeaseTime)
	if h.strict {
		end = f.seen.Add(h.maxStale)
	}
	return end.Sub(h.clock.Now())
}

func (h *Hub) live(f *Follower) bool {
	return f.inProcess || h.clock.Now().Sub(f.seen) < LeaseTime
}

// tell wakes those who Wait; h.mu is held.
func (h *Hub) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}
