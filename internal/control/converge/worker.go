package converge

import (
	"context"
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

	mu      sync.Mutex
	applied int64
	waiting string
}

func newWorker(c *Converger, id string) *worker {
	return &worker{c: c, id: id, wake: make(chan struct{}, 1), gone: make(chan struct{}), waiting: "its first convergence"}
}

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) appliedRev() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.applied
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
		if err := w.round(ctx); err == nil {
			pause = firstRetry
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
	if err := step(ctx, view, rg); err != nil {
		return err
	}
	w.mu.Lock()
	further := w.applied != view.Rev
	w.applied, w.waiting = view.Rev, ""
	w.mu.Unlock()
	w.told = ""
	if further { // otherwise workers and finisher would wake each other for ever
		w.c.advanced()
	}
	return nil
}

// admit grants on the engines, tells the gateways and waits for them, and only
// then takes away on the engines.
func (w *worker) admit(ctx context.Context, view *state.View, rg *identity.ReplicationGroup) error {
	want, err := desire(view, rg, w.c.Account.ARN(naming.ReplicationGroup, rg.ID))
	if err != nil {
		return err
	}
	want.cache.Tickets = w.c.tickets.of(w.id, w.c.Clock.Now())
	engines, err := w.startEngines(ctx, view, rg)
	if err != nil {
		return err
	}
	if mark, err := w.mark(&want, rg, engines); err != nil || mark == w.published {
		return err
	}
	for _, e := range engines {
		if err := e.Apply(ctx, want.users); err != nil {
			return err
		}
	}
	mark, err := w.mark(&want, rg, engines) // the secrets of new users exist from here on
	if err != nil {
		return err
	}
	w.published = "" // until acknowledged, what gateways have is not certain
	if err := w.publish(ctx, []*directory.Cache{want.cache}); err != nil {
		return err
	}
	for _, e := range engines {
		if err := e.Remove(ctx, without(e.Users(), want.users)); err != nil {
			return err
		}
	}
	w.published = mark
	return nil
}

// mark fills in how gateways reach the engines and returns what tells this
// publication from others.
func (w *worker) mark(want *desired, rg *identity.ReplicationGroup, engines []*engine.Engine) (string, error) {
	want.cache.Nodes = nil
	for i, e := range engines {
		node, err := e.Node(listenAddress(w.c.Host, rg.Nodes[i].Port))
		if err != nil {
			return "", fmt.Errorf("the engine of %s: %w", rg.Nodes[i].ClusterID, err)
		}
		want.cache.Nodes = append(want.cache.Nodes, node)
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

// startEngines makes sure that every node has its engine.
func (w *worker) startEngines(ctx context.Context, view *state.View, rg *identity.ReplicationGroup) ([]*engine.Engine, error) {
	var engines []*engine.Engine
	for _, n := range rg.Nodes {
		e := w.c.Engines.Engine(n.ClusterID)
		if e == nil {
			var err error
			if e, err = w.c.Engines.Start(ctx, w.spec(view, rg, n)); err != nil {
				return nil, err
			}
		}
		engines = append(engines, e)
	}
	return engines, nil
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
