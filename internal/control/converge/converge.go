package converge

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// firstRetry and lastRetry bound the pause before a step that failed is
	// tried again; it doubles in between.
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
	// tellAfter is how long gateways may take to acknowledge before an event
	// names those that are waited for.
	tellAfter = 2 * time.Second
	// pruneEvery is how often old events are removed.
	pruneEvery = time.Hour
)

// Config is what convergence needs.
type Config struct {
	State   *state.State
	Hub     *directory.Hub
	Engines *engine.Supervisor
	Account naming.Account
	Key     *credential.Key
	// Host is the address that nodes listen on, EnginesDir the parent of their directories.
	Host       string
	EnginesDir string
	Clock      clock.Clock
	Log        *slog.Logger
}

// Converger runs one worker per cache and finishes what they brought about.
type Converger struct {
	Config
	tickets tickets

	mu      sync.Mutex
	workers map[string]*worker // by cache id

	progress chan struct{} // holds a value when a worker has got further
	wait     sync.WaitGroup
}

// New returns a converger; Run starts it.
func New(c Config) *Converger {
	return &Converger{Config: c, workers: map[string]*worker{}, progress: make(chan struct{}, 1)}
}

// Run converges until the context ends; it returns when all its workers have.
func (c *Converger) Run(ctx context.Context) error {
	defer c.wait.Wait()
	prune := c.Clock.After(0)
	for {
		view, changed := c.State.Changed()
		c.assign(ctx, view)
		if err := c.finish(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("finishing changes", "error", err)
			prune = c.Clock.After(lastRetry) // come back although nothing changes
		}
		select {
		case <-changed:
		case <-c.progress:
		case <-prune:
			if err := c.State.PruneEvents(ctx); err != nil && ctx.Err() == nil {
				c.Log.Warn("removing old events", "error", err)
			}
			prune = c.Clock.After(pruneEvery)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// assign gives every cache a worker and wakes them all: each knows whether the
// new view concerns it.
func (c *Converger) assign(ctx context.Context, view *state.View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range view.ReplicationGroups {
		if c.workers[id] == nil {
			w := newWorker(c, id)
			c.workers[id] = w
			c.wait.Go(func() { w.run(ctx) })
		}
	}
	for id, w := range c.workers {
		if view.ReplicationGroups[id] == nil {
			delete(c.workers, id)
			close(w.gone)
			continue
		}
		w.poke()
	}
}

// Poke lets the workers look again, because an engine started or stopped.
func (c *Converger) Poke() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.workers {
		w.poke()
	}
}

func (c *Converger) advanced() {
	select {
	case c.progress <- struct{}{}:
	default:
	}
}

// finish ends the changes that all caches concerned have acknowledged.
func (c *Converger) finish(ctx context.Context) error {
	_, err := c.State.Update(ctx, func(tx *state.Tx) error {
		settled := c.settled(tx.View())
		caches.Finish(tx, c.Clock.Now().UTC(), func(rg *identity.ReplicationGroup) bool { return settled(rg) })
		users.Finish(tx, settled)
		return nil
	})
	return err
}

// settled tells whether every cache that depends on a noun has acknowledged the
// revision at which it was last written.
func (c *Converger) settled(view *state.View) func(noun any) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	applied, synced := make(map[string]int64, len(c.workers)), make(map[string]bool, len(c.workers))
	for id, w := range c.workers {
		applied[id], synced[id] = w.appliedRev()
	}
	return func(noun any) bool {
		written := view.WrittenAt(noun)
		if rg, is := noun.(*identity.ReplicationGroup); is && rg.AwaitSync && rg.Status != identity.Deleting && !synced[rg.ID] {
			return false
		}
		for _, id := range dependents(view, noun) {
			if applied[id] < written {
				return false
			}
		}
		return true
	}
}

// dependents lists the caches that a noun has an effect on.
func dependents(view *state.View, noun any) []string {
	if rg, ok := noun.(*identity.ReplicationGroup); ok {
		return []string{rg.ID}
	}
	var ids []string
	for id, rg := range view.ReplicationGroups {
		if uses(view, rg.Access.GroupID, noun) || uses(view, rg.Effective().GroupID, noun) {
			ids = append(ids, id)
		}
	}
	return ids
}

func uses(view *state.View, groupID string, noun any) bool {
	group := view.UserGroups[groupID]
	if group == nil {
		return false
	}
	switch n := noun.(type) {
	case *identity.UserGroup:
		return n.ID == groupID
	case *identity.User:
		for _, list := range [][]identity.Member{group.Members, group.Target} {
			for _, member := range list {
				if member.UserID == n.ID {
					return true
				}
			}
		}
	}
	return false
}

// Pending says of each cache that is not as it should be what it waits for.
func (c *Converger) Pending() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	pending := map[string]string{}
	for id, w := range c.workers {
		if text := w.waitingFor(); text != "" {
			pending[id] = text
		}
	}
	return pending
}

func (c *Converger) engineDir(node identity.CacheNode) string {
	return filepath.Join(c.EnginesDir, node.ClusterID+"-"+node.Incarnation)
}

// event records an entry of DescribeEvents about a cache; a failure to do so
// holds nothing up.
func (c *Converger) event(ctx context.Context, cacheID, format string, args ...any) {
	_, err := c.State.Update(ctx, func(tx *state.Tx) error {
		if rg := tx.View().ReplicationGroups[cacheID]; rg != nil {
			caches.Tell(tx, rg, format, args...)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		c.Log.Warn("recording an event", "cache", cacheID, "error", err)
	}
}
