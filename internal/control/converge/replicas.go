package converge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// syncPoll is the pause between two looks at replicas that are not in sync.
	syncPoll = 100 * time.Millisecond
	// holdWrites is how long a failover that was asked for may keep clients from
	// writing, so that the new primary has everything the old one acknowledged.
	holdWrites = 10 * time.Second
	// catchUp is how long it waits for that; replicas of one machine are
	// milliseconds behind.
	catchUp = 5 * time.Second
	// catchUpPoll is the pause between two looks at how far the replica is.
	catchUpPoll = 5 * time.Millisecond
)

// notInSync says that the cache serves, but not all its nodes are running, in
// sync and of the right program.
type notInSync struct {
	behind, of int
	cause      error // why nodes are not running; nil if all are
}

func (e *notInSync) Error() string {
	text := fmt.Sprintf("%d of %d nodes are not in sync yet", e.behind, e.of)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

func (e *notInSync) Unwrap() error { return e.cause }

// member is a node whose engine is running.
type member struct {
	identity.CacheNode
	engine *engine.Engine
	node   directory.Node // as seen when the round began
	addr   string         // the gateway's address of it
}

// replication is what a worker knows of the engines of its cache. It is of the
// run goroutine alone, and begins anew with the process.
type replication struct {
	primary string            // the start of the engine that was the primary last
	of      string            // its ClusterID
	told    map[string]string // what each node was told to be, in which start
	synced  map[string]string // the start in which a replica was last seen in sync
	reader  string            // the node that the reader endpoint leads to
	inSync  bool
}

func newReplication() replication {
	return replication{told: map[string]string{}, synced: map[string]string{}}
}

// crashed reports whether the primary that the cache had is no more, although
// nobody asked for that.
func (r *replication) crashed(primary string, members []member) bool {
	if r.of != primary {
		return false // this is the first look at it
	}
	m := find(members, primary)
	return m == nil || m.node.Start != r.primary
}

func find(members []member, clusterID string) *member {
	for i := range members {
		if members[i].ClusterID == clusterID {
			return &members[i]
		}
	}
	return nil
}

// newest returns the replica that has the newest data of those that have been
// in sync, nil if there is none.
func (w *worker) newest(ctx context.Context, members []member, primary string) *member {
	var best *member
	var offset int64 = -1
	for i := range members {
		m := &members[i]
		if m.ClusterID == primary || w.repl.synced[m.ClusterID] != m.node.Start {
			continue
		}
		role, err := m.engine.Role(ctx)
		if err != nil || role.Primary || role.Syncing || role.Offset <= offset {
			continue
		}
		best, offset = m, role.Offset
	}
	return best
}

// failover chooses another primary when one was asked for or the old one has
// crashed, and records the choice. It reports whether it did: the round then
// begins anew with what was recorded.
func (w *worker) failover(ctx context.Context, rg *identity.ReplicationGroup, members []member) (bool, error) {
	primary := rg.PrimaryNode().ClusterID
	crashed := rg.Settings.AutomaticFailover && w.repl.crashed(primary, members)
	if !rg.Failover && !crashed && !w.lastOutdated(rg) {
		return false, nil
	}
	chosen := w.newest(ctx, members, primary)
	if chosen == nil {
		if rg.Failover {
			return false, fmt.Errorf("failing over: no replica of %s is in sync", rg.ID)
		}
		return false, nil // the old primary is started again, with its data
	}
	if old := find(members, primary); old != nil && !crashed {
		if err := w.handOver(ctx, old, chosen); err != nil {
			return false, err
		}
	}
	w.c.Log.Warn("failing over", "cache", rg.ID, "from", primary, "to", chosen.ClusterID, "crashed", crashed)
	_, err := w.c.State.Update(ctx, func(tx *state.Tx) error {
		caches.Promote(tx, rg.ID, primary, chosen.ClusterID)
		return nil
	})
	return err == nil, err
}

// handOver keeps clients from writing and waits until the new primary has all
// that the old one acknowledged. The hold ends when the old one is a replica.
func (w *worker) handOver(ctx context.Context, old, chosen *member) error {
	if err := old.engine.Hold(ctx, int(holdWrites.Milliseconds())); err != nil {
		return err
	}
	held, err := old.engine.Role(ctx)
	for deadline := w.c.Clock.Now().Add(catchUp); err == nil; {
		var role engine.Role
		if role, err = chosen.engine.Role(ctx); err == nil && role.Offset >= held.Offset {
			return nil
		}
		if err == nil && w.c.Clock.Now().After(deadline) {
			err = fmt.Errorf("failing over: %s does not catch up with %s", chosen.ClusterID, old.ClusterID)
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-w.c.Clock.After(catchUpPoll):
		}
	}
	return errors.Join(err, old.engine.Release(ctx))
}

// assume makes the primary lead and the others follow it, where they were not
// told so already in this start of theirs and of the primary's.
func (w *worker) assume(ctx context.Context, rg *identity.ReplicationGroup, members []member) error {
	primary := find(members, rg.PrimaryNode().ClusterID)
	if primary == nil {
		return fmt.Errorf("the primary %s: %w", rg.PrimaryNode().ClusterID, engine.ErrDown)
	}
	if err := w.tell(primary, "lead", func() error { return primary.engine.Lead(ctx) }); err != nil {
		return err
	}
	w.repl.of, w.repl.primary = primary.ClusterID, primary.node.Start
	secret, err := primary.engine.ReplicaSecret()
	if err != nil {
		return err
	}
	for i := range members {
		m := &members[i]
		if m.ClusterID == primary.ClusterID {
			continue
		}
		err := w.tell(m, "follow "+primary.addr+" "+primary.node.Start+" as "+m.addr, func() error {
			delete(w.repl.synced, m.ClusterID)
			return m.engine.Follow(ctx, engine.Primary{Address: primary.addr, Secret: secret}, m.addr)
		})
		if err != nil && !errors.Is(err, engine.ErrDown) {
			return err
		}
	}
	return nil
}

// tell orders a node to be something once in each start of its engine.
func (w *worker) tell(m *member, what string, order func() error) error {
	what += " in " + m.node.Start
	if w.repl.told[m.ClusterID] == what {
		return nil
	}
	w.repl.inSync = false
	if err := order(); err != nil {
		return err
	}
	w.repl.told[m.ClusterID] = what
	return nil
}

// checkSync looks whether every node that there should be is running and in
// sync. cause says why some are not running.
func (w *worker) checkSync(ctx context.Context, rg *identity.ReplicationGroup, members []member, cause error) error {
	if w.repl.inSync && len(members) == len(rg.Staying()) {
		return w.checkPrograms(rg)
	}
	w.repl.inSync = false
	behind := len(rg.Staying()) - len(members)
	for i := range members {
		m := &members[i]
		if m.ClusterID == rg.PrimaryNode().ClusterID {
			continue
		}
		role, err := m.engine.Role(ctx)
		if err == nil && role.Linked {
			w.repl.synced[m.ClusterID] = m.node.Start
			continue
		}
		behind++
	}
	if behind > 0 {
		return &notInSync{behind: behind, of: len(rg.Staying()), cause: cause}
	}
	w.repl.inSync = true
	return w.checkPrograms(rg)
}

// endpoints returns the nodes of the publication: each running engine under its
// own address, and again under those of its roles.
func (w *worker) endpoints(rg *identity.ReplicationGroup, members []member) ([]directory.Node, error) {
	var nodes []directory.Node
	primary := rg.PrimaryNode().ClusterID
	w.chooseReader(primary, members)
	for i := range members {
		m := &members[i]
		node, err := m.engine.Node(m.addr)
		if err != nil {
			if m.ClusterID == primary {
				return nil, fmt.Errorf("the engine of %s: %w", m.ClusterID, err)
			}
			continue // it has just crashed
		}
		nodes = append(nodes, node)
		if rg.PrimaryPort == 0 {
			continue
		}
		if m.ClusterID == primary {
			node.Endpoint, node.Listen = directory.PrimaryEndpoint, listenAddress(w.c.Host, rg.PrimaryPort)
			nodes = append(nodes, node)
		}
		if m.ClusterID == w.repl.reader {
			node.Endpoint, node.Listen = directory.ReaderEndpoint, listenAddress(w.c.Host, rg.ReaderPort)
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// chooseReader keeps the reader endpoint where it is as long as that is a
// replica in sync; with none it leads to the primary.
func (w *worker) chooseReader(primary string, members []member) {
	fit := func(m *member) bool {
		return m != nil && m.ClusterID != primary && w.repl.synced[m.ClusterID] == m.node.Start
	}
	if fit(find(members, w.repl.reader)) {
		return
	}
	w.repl.reader = primary
	for i := range members {
		if fit(&members[i]) {
			w.repl.reader = members[i].ClusterID
			return
		}
	}
}
