package converge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// worker brings one cache to what the state says, again and again.
type worker struct {
	c    *Converger
	id   string
	wake chan struct{} // holds a value when there may be something to do
	gone chan struct{} // closed when the cache's record is gone

	// Of the run goroutine alone.
	published string // fingerprint of what gateways have acknowledged
	told      string // the last trouble that an event told of
	repl      replication

	mu      sync.Mutex
	applied int64
	synced  bool // all nodes were in sync then
	waiting string
}

func newWorker(c *Converger, id string) *worker {
	return &worker{c: c, id: id, wake: make(chan struct{}, 1), gone: make(chan struct{}), repl: newReplication(), waiting: "its first convergence"}
}

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// appliedRev is the revision of the state that gateways and engines act on;
// synced tells whether all replicas were in sync with it.
func (w *worker) appliedRev() (revision int64, synced bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.applied, w.synced
}

func (w *worker) waitingFor() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting
}

func (w *worker) setWaiting(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = text
}

func (w *worker) run(ctx context.Context) {
	pause := firstRetry
	for {
		var retry <-chan time.Time
		var syncing *notInSync
		if err := w.round(ctx); err == nil {
			pause = firstRetry
		} else if errors.As(err, &syncing) && syncing.cause == nil {
			pause, retry = firstRetry, w.c.Clock.After(syncPoll)
		} else if ctx.Err() == nil {
			w.trouble(ctx, err)
			retry = w.c.Clock.After(pause)
			pause = min(2*pause, lastRetry)
		}
		select {
		case <-w.wake:
		case <-retry:
		case <-w.gone:
			return
		case <-ctx.Done():
			return
		}
	}
}

// trouble shows why the cache is not as it should be; the same trouble is told once.
func (w *worker) trouble(ctx context.Context, err error) {
	w.setWaiting(err.Error())
	if text := err.Error(); text != w.told {
		w.told = text
		w.c.Log.Error("converging", "cache", w.id, "error", err)
		w.c.event(ctx, w.id, "Waiting: %s", text)
	}
}

// round brings the cache to the newest view once.
func (w *worker) round(ctx context.Context) error {
	view := w.c.State.View()
	rg := view.ReplicationGroups[w.id]
	if rg == nil {
		return nil
	}
	step := w.admit
	if rg.Status == identity.Deleting {
		step = w.remove
	}
	err := step(ctx, view, rg)
	var syncing *notInSync
	if err != nil && !errors.As(err, &syncing) {
		return err
	}
	w.mu.Lock()
	further := w.applied != view.Rev || w.synced != (err == nil)
	w.applied, w.synced, w.waiting = view.Rev, err == nil, ""
	if err != nil {
		w.waiting = err.Error()
	}
	w.mu.Unlock()
	if err == nil {
		w.told = ""
	}
	if further { // otherwise workers and finisher would wake each other for ever
		w.c.advanced()
	}
	return err
}

// admit gives every engine its role, grants on the engines, tells the gateways
// and waits for them, and only then takes away on the engines.
func (w *worker) admit(ctx context.Context, view *state.View, rg *identity.ReplicationGroup) error {
	want, err := desire(view, rg, w.c.Account.ARN(naming.ReplicationGroup, rg.ID))
	if err != nil {
		return err
	}
	want.cache.Tickets = w.c.tickets.of(w.id, w.c.Clock.Now())
	if err := w.stopOutdated(ctx, rg); err != nil {
		return err
	}
	members, down := w.startEngines(ctx, view, rg)
	if chose, err := w.failover(ctx, rg, members); err != nil || chose {
		return err // what was chosen has changed the view, which wakes this worker
	}
	if find(members, rg.PrimaryNode().ClusterID) == nil {
		return down
	}
	if err := w.assume(ctx, rg, members); err != nil {
		return err
	}
	if err := w.tellGateways(ctx, &want, rg, members); err != nil {
		return err
	}
	if err := w.removeNodes(ctx, view, rg); err != nil {
		return err
	}
	return w.checkSync(ctx, rg, members, down)
}

// tellGateways brings engines' users and the gateways to what is wanted.
func (w *worker) tellGateways(ctx context.Context, want *desired, rg *identity.ReplicationGroup, members []member) error {
	if mark, err := w.mark(want, rg, members); err != nil || mark == w.published {
		return err
	}
	for i := range members {
		if err := members[i].engine.Apply(ctx, want.users); err != nil {
			return err
		}
	}
	mark, err := w.mark(want, rg, members) // the secrets of new users exist from here on
	if err != nil {
		return err
	}
	w.published = "" // until acknowledged, what gateways have is not certain
	if err := w.publish(ctx, []*directory.Cache{want.cache}); err != nil {
		return err
	}
	for i := range members {
		e := members[i].engine
		if err := e.Remove(ctx, without(e.Users(), want.users)); err != nil {
			return err
		}
	}
	w.published = mark
	return nil
}

// mark fills in how gateways reach the engines and returns what tells this
// publication from others.
func (w *worker) mark(want *desired, rg *identity.ReplicationGroup, members []member) (string, error) {
	var err error
	if want.cache.Nodes, err = w.endpoints(rg, members); err != nil {
		return "", err
	}
	return want.fingerprint(), nil
}

// without returns the names that no wanted user has.
func without(names []string, wanted []engine.User) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(wanted, func(u engine.User) bool { return u.Name == name })
	})
}

// publish returns when every live gateway acts on the publication.
func (w *worker) publish(ctx context.Context, cs []*directory.Cache, gone ...string) error {
	revision := w.c.Hub.Publish(cs, gone...)
	for {
		patience, cancel := context.WithTimeout(ctx, tellAfter)
		err := w.c.Hub.Wait(patience, revision)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		w.trouble(ctx, err)
	}
}

// startEngines makes sure that every node has its engine, and returns those
// that are running. The error is about others.
func (w *worker) startEngines(ctx context.Context, view *state.View, rg *identity.ReplicationGroup) ([]member, error) {
	var members []member
	var failures []error
	for _, n := range rg.Staying() {
		e := w.c.Engines.Engine(n.ClusterID)
		if e == nil {
			var err error
			if e, err = w.c.Engines.Start(ctx, w.spec(view, rg, n)); err != nil {
				failures = append(failures, err)
				continue
			}
		}
		m := member{CacheNode: n, engine: e, addr: listenAddress(w.c.Host, n.Port)}
		var err error
		if m.node, err = e.Node(m.addr); err != nil {
			failures = append(failures, fmt.Errorf("the engine of %s: %w", n.ClusterID, err))
			continue
		}
		members = append(members, m)
	}
	return members, errors.Join(failures...)
}

// removeNodes ends the engines of nodes that are to go. No gateway leads to them
// any more.
func (w *worker) removeNodes(ctx context.Context, view *state.View, rg *identity.ReplicationGroup) error {
	for _, n := range rg.Nodes {
		if !n.Removing {
			continue
		}
		if err := w.c.Engines.Delete(ctx, w.spec(view, rg, n)); err != nil {
			return err
		}
		delete(w.repl.told, n.ClusterID)
		delete(w.repl.synced, n.ClusterID)
	}
	return nil
}

func (w *worker) spec(view *state.View, rg *identity.ReplicationGroup, n identity.CacheNode) engine.Spec {
	settings := caches.EngineParameters(view, rg)
	delete(settings, aclPubsubDefault) // put into the users' rules
	return engine.Spec{Name: n.ClusterID, Kind: rg.Engine, Dir: w.c.engineDir(n), Settings: settings}
}

// remove ends all sessions, then the engines with their data.
func (w *worker) remove(ctx context.Context, view *state.View, rg *identity.ReplicationGroup) error {
	w.published = ""
	if err := w.publish(ctx, nil, w.id); err != nil {
		return err
	}
	for _, n := range rg.Nodes {
		if err := w.c.Engines.Delete(ctx, w.spec(view, rg, n)); err != nil {
			return err
		}
	}
	w.c.tickets.drop(w.id)
	return nil
}
