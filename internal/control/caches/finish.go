package caches

import (
	"time"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// finishBatch bounds how many caches one call of Finish writes, each with up to
// three events: etcd takes 128 operations in one transaction, and the caller
// has writes of its own.
const finishBatch = 20

// Finish brings caches that are being created, modified or deleted to the end
// of it, where settled says that the engine and every gateway act on the
// revision at which the cache was last written; for one that is being deleted,
// that its engine and listeners are gone. It looks only at the view, so that it
// can be called at any time and again after a crash; what one call leaves,
// because it is much, the next one does.
func Finish(tx *state.Tx, now time.Time, settled func(rg *identity.ReplicationGroup) bool) {
	left := finishBatch
	for _, rg := range state.Sorted(tx.View().ReplicationGroups) {
		if left > 0 && rg.Status != identity.Available && settled(rg) {
			finish(tx, now, rg)
			left--
		}
	}
}

func finish(tx *state.Tx, now time.Time, old *identity.ReplicationGroup) {
	if old.Status == identity.Deleting {
		tx.Delete(old)
		Tell(tx, old, "Replication group %s deleted", old.ID)
		return
	}
	rg := *old
	rg.Status, rg.Target, rg.AwaitSync = identity.Available, nil, false
	finishNodes(tx, &rg)
	switch {
	case old.Status == identity.Creating:
		Tell(tx, &rg, "Replication group %s created", rg.ID)
		for _, node := range rg.Nodes {
			if !rg.Standalone { // it has been told of
				tx.Event(clusterSource, node.ClusterID, "Cache cluster created")
			}
		}
		if isOpen(rg.Access) {
			Tell(tx, &rg, "%s", openness(rg.ID, rg.Access))
		}
	case old.Target != nil:
		rg.Access = *old.Target
		if len(rg.Access.Tokens) > 0 { // nothing but ROTATE and SET leads there
			rg.TokenChanged = now.UTC()
		}
		accessEvents(tx, &rg, old.Access, rg.Access)
	default:
		Tell(tx, &rg, "Replication group %s modified", rg.ID)
	}
	tx.Put(&rg)
}

// finishNodes ends the joining and removing of nodes.
func finishNodes(tx *state.Tx, rg *identity.ReplicationGroup) {
	for _, node := range rg.Nodes {
		switch {
		case node.Joining:
			tx.Event(clusterSource, node.ClusterID, "Cache cluster created")
		case node.Removing:
			tx.Event(clusterSource, node.ClusterID, "Cache cluster deleted")
		case node.Recovering:
			tx.Event(clusterSource, node.ClusterID, "Finished recovery for cache nodes %s", NodeID)
		}
	}
	rg.Nodes = rg.Staying()
	for i := range rg.Nodes {
		rg.Nodes[i].Joining, rg.Nodes[i].Recovering = false, false
	}
}

// accessEvents tells what has taken effect.
func accessEvents(tx *state.Tx, rg *identity.ReplicationGroup, from, to identity.Access) {
	id := rg.ID
	switch to.State {
	case identity.RequiredOne:
		Tell(tx, rg, "The AUTH token of replication group %s was set: it is the only one, and all connections require it.", id)
	case identity.RequiredTwo:
		Tell(tx, rg, "The AUTH token of replication group %s was rotated: the new one and the one before it are accepted.", id)
	case identity.OptionalOne:
		Tell(tx, rg, "An AUTH token was added to replication group %s.", id)
	case identity.RBAC:
		Tell(tx, rg, "User group %s was associated with replication group %s.", to.GroupID, id)
	}
	if from.GroupID != "" && from.GroupID != to.GroupID {
		Tell(tx, rg, "User group %s was disassociated from replication group %s, and the connections of its users ended.", from.GroupID, id)
	}
	switch {
	case isOpen(to):
		Tell(tx, rg, "%s", openness(id, to))
	case isOpen(from):
		Tell(tx, rg, "Clients are no longer let in to replication group %s without a credential, and the connections of those that were ended.", id)
	}
}

// isOpen reports whether clients are let in without a credential by tokens or
// their absence; whether a user group does that is a matter of its users.
func isOpen(access identity.Access) bool {
	return access.State == identity.AuthNone || access.State == identity.OptionalOne
}

// openness says whom the cache lets in without a credential.
func openness(id string, access identity.Access) string {
	switch access.State {
	case identity.AuthNone:
		return "WARNING: replication group " + id + " has no access control: clients are let in without a credential."
	case identity.OptionalOne:
		return "WARNING: the AUTH token of replication group " + id + " is optional: clients are still let in without it until it is set with AuthTokenUpdateStrategy SET."
	default:
		return "Clients are not let in without a credential."
	}
}
