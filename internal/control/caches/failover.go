package caches

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// TestFailover makes another node the primary. Which one is decided when it
// happens: the replica with the newest data. AWS bounds how often that may be
// asked for; here it is as often as one likes.
func (s *Service) TestFailover(ctx context.Context, id, nodeGroupID string) (ReplicationGroup, error) {
	var changed identity.ReplicationGroup
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		old, err := findCache(tx.View(), id)
		switch {
		case err != nil:
			return err
		case nodeGroupID == "":
			return naming.Missing("NodeGroupId")
		case nodeGroupID != NodeGroupID:
			return identity.Errorf(identity.NodeGroupNotFound, "Node group %s not found in replication group %s.", naming.Shorten(nodeGroupID), old.ID)
		case old.Status != identity.Available:
			return identity.Errorf(identity.ReplicationGroupState, "Replication group must be in available state to test failover.")
		case !old.Settings.AutomaticFailover:
			return identity.Errorf(identity.TestFailoverNotAvailable, "Test failover requires automatic failover to be enabled on replication group %s.", old.ID)
		}
		changed = *old
		changed.Status, changed.Failover, changed.AwaitSync = identity.Modifying, true, true
		tx.Put(&changed)
		tx.Event(cacheSource, changed.ID, "Test Failover API called for node group %s", NodeGroupID)
		return nil
	})
	if err != nil {
		return ReplicationGroup{}, err
	}
	return s.show(&changed), nil
}

// Promote records that node to is the primary from now on, if from still is. It
// is called by converge once it has chosen. The event texts are AWS's
// (ElastiCache user guide, "Testing automatic failover").
func Promote(tx *state.Tx, id, from, to string) {
	old := tx.View().ReplicationGroups[id]
	if old == nil || old.Status == identity.Deleting || old.PrimaryNode().ClusterID != from {
		return
	}
	staying := old.Staying()
	if !slices.ContainsFunc(staying, func(n identity.CacheNode) bool { return n.ClusterID == to }) {
		return
	}
	rg := *old
	rg.Primary, rg.Failover = to, false
	if rg.Status == identity.Available {
		rg.Status = identity.Modifying
	}
	rg.AwaitSync = true
	rg.Nodes = slices.Clone(rg.Nodes)
	for i := range rg.Nodes {
		rg.Nodes[i].Recovering = rg.Nodes[i].Recovering && rg.Nodes[i].ClusterID != to || rg.Nodes[i].ClusterID == from
	}
	tx.Put(&rg)
	tx.Event(cacheSource, id, "Failover from primary node %s to replica node %s completed", from, to)
	tx.Event(clusterSource, from, "Recovering cache nodes %s", NodeID)
}
