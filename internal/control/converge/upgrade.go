package converge

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// outdated reports whether a node runs another program than its cache shall.
func (w *worker) outdated(rg *identity.ReplicationGroup, clusterID string) bool {
	e := w.c.Engines.Engine(clusterID)
	return e != nil && e.Kind() != rg.Engine
}

// checkPrograms looks whether every node runs the program that it shall.
func (w *worker) checkPrograms(rg *identity.ReplicationGroup) error {
	left := 0
	for _, n := range rg.Staying() {
		if w.outdated(rg, n.ClusterID) {
			left++
		}
	}
	if left == 0 {
		return nil
	}
	return &notInSync{behind: left, of: len(rg.Staying())}
}

// lastOutdated reports whether the primary is the only node that runs another
// program than it shall, so that its turn has come to hand over.
func (w *worker) lastOutdated(rg *identity.ReplicationGroup) bool {
	primary := rg.PrimaryNode().ClusterID
	for _, n := range rg.Staying() {
		if w.outdated(rg, n.ClusterID) != (n.ClusterID == primary) {
			return false
		}
	}
	return w.repl.inSync && len(rg.Staying()) > 1
}

// stopOutdated stops an engine that another program shall take the place of: it
// is started anew on the same data. Replicas go first, one at a time and with
// the others in sync, so that clients lose no more than they do at a failover;
// a primary without replicas has no other way. An engine that was the primary
// cannot follow the newer one, so it need not be in sync.
func (w *worker) stopOutdated(ctx context.Context, rg *identity.ReplicationGroup) error {
	primary := rg.PrimaryNode().ClusterID
	alone := len(rg.Staying()) == 1
	for _, n := range rg.Staying() {
		if !w.outdated(rg, n.ClusterID) {
			continue
		}
		led := w.outdated(rg, primary)
		switch {
		case n.ClusterID == primary && !alone, n.ClusterID != primary && led && !w.repl.inSync:
			continue
		}
		w.c.event(ctx, rg.ID, "Upgrading cache cluster %s to %s", n.ClusterID, rg.Engine)
		if n.ClusterID == primary {
			w.repl.of = "" // its end is no crash
		}
		w.repl.inSync = false
		return w.c.Engines.Stop(ctx, n.ClusterID)
	}
	return nil
}
