package caches

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// maxReplicas is the most replicas of a node group (ElastiCache API,
// CreateReplicationGroup: ReplicasPerNodeGroup).
const maxReplicas = 5

// nodesAtCreate returns how many nodes a request asks for; checkCounts has seen to it.
func nodesAtCreate(in *CreateReplicationGroupInput) int {
	if in.ReplicasPerNodeGroup != nil {
		return int(*in.ReplicasPerNodeGroup) + 1
	}
	return int(or(in.NumCacheClusters, 1))
}

// checkCounts holds the numbers of nodes to the API's ranges and to each other.
func checkCounts(in *CreateReplicationGroupInput) error {
	clusters, groups, replicas := or(in.NumCacheClusters, 1), or(in.NumNodeGroups, 1), or(in.ReplicasPerNodeGroup, 0)
	switch {
	case clusters < 1 || clusters > maxReplicas+1:
		return invalid("NumCacheClusters", "it must be between 1 and %d.", maxReplicas+1)
	case groups < 1 || groups > 500:
		return invalid("NumNodeGroups", "it must be between 1 and 500.")
	case replicas < 0 || replicas > maxReplicas:
		return invalid("ReplicasPerNodeGroup", "it must be between 0 and %d.", maxReplicas)
	case in.NumCacheClusters != nil && in.ReplicasPerNodeGroup != nil && clusters != replicas+1:
		return identity.Errorf(identity.InvalidParameterCombination,
			"NumCacheClusters %d and ReplicasPerNodeGroup %d contradict each other. Pass one of them.", clusters, replicas)
	}
	return firstOf(
		func() error { return firstRefusal(refusal{groups > 1, clusterMode}) },
		func() error {
			return checkFailover(isTrue(in.AutomaticFailoverEnabled), isTrue(in.MultiAZEnabled), nodesAtCreate(in))
		},
	)
}

// checkFailover holds automatic failover and Multi-AZ to the number of nodes
// (ElastiCache API, CreateReplicationGroup: AutomaticFailoverEnabled, MultiAZEnabled).
func checkFailover(automatic, multi bool, nodes int) error {
	return firstRefusal(
		refusal{automatic && nodes < 2, needsTwoNodes},
		refusal{multi && (!automatic || nodes < 2), needsFailover},
	)
}

// addNodes gives a cache nodes until it has count, and the ports by role once
// there is more than one. wanted is the port of the primary endpoint.
func (s *Service) addNodes(view *state.View, rg *identity.ReplicationGroup, count int, wanted *int32) error {
	add := count - len(rg.Staying())
	alone := rg.PrimaryPort == 0 && count > 1
	need := add
	if alone {
		need += 2
	}
	ports, err := s.ports(view, wanted, add, need)
	if err != nil {
		return err
	}
	rg.Nodes = slices.Clone(rg.Nodes)
	if alone {
		rg.PrimaryPort, rg.ReaderPort, ports = ports[0], ports[1], ports[2:]
		if len(rg.Nodes) > 0 {
			// Clients know the single node's port: it goes on to lead to the primary.
			rg.PrimaryPort, rg.Nodes[0].Port = rg.Nodes[0].Port, rg.PrimaryPort
		}
	}
	now := s.clock.Now().UTC()
	for _, port := range ports {
		rg.Nodes = append(rg.Nodes, identity.CacheNode{
			ClusterID: nextClusterID(view, rg), Port: port, Created: now, Incarnation: rand.Text(), Joining: rg.Status != identity.Creating,
		})
	}
	return nil
}

// nextClusterID is the first of name-001, name-002, … that no node has, neither
// of this cache nor of another.
func nextClusterID(view *state.View, rg *identity.ReplicationGroup) string {
	if rg.Standalone {
		return rg.ID
	}
	for i := 1; ; i++ {
		id := fmt.Sprintf("%s-%03d", rg.ID, i)
		if other, _ := memberOf(view, id); other != nil && other.ID != rg.ID {
			continue
		}
		if !slices.ContainsFunc(rg.Nodes, func(n identity.CacheNode) bool { return n.ClusterID == id }) {
			return id
		}
	}
}

// IncreaseReplicaCount adds replicas. The cache is modifying until they are in sync.
func (s *Service) IncreaseReplicaCount(ctx context.Context, in ChangeReplicaCountInput) (ReplicationGroup, error) {
	return s.changeReplicas(ctx, in, func(tx *state.Tx, rg *identity.ReplicationGroup, now, wanted int) error {
		if len(in.ReplicasToRemove) > 0 {
			return invalid("ReplicasToRemove", "it is for DecreaseReplicaCount.")
		}
		if wanted < now {
			return invalid("NewReplicaCount", "replication group %s has %d replicas. To have fewer, call DecreaseReplicaCount.", rg.ID, now)
		}
		if wanted > maxReplicas {
			return invalid("NewReplicaCount", "it must be between 1 and %d.", maxReplicas)
		}
		return s.addNodes(tx.View(), rg, wanted+1, nil)
	})
}

// DecreaseReplicaCount removes replicas, those that the request names or else
// the last ones. Their connections end before their engines do.
func (s *Service) DecreaseReplicaCount(ctx context.Context, in ChangeReplicaCountInput) (ReplicationGroup, error) {
	return s.changeReplicas(ctx, in, func(_ *state.Tx, rg *identity.ReplicationGroup, now, wanted int) error {
		switch {
		case wanted > now:
			return invalid("NewReplicaCount", "replication group %s has %d replicas. To have more, call IncreaseReplicaCount.", rg.ID, now)
		case wanted < 0:
			return invalid("NewReplicaCount", "it must not be negative.")
		case wanted == 0 && rg.Settings.AutomaticFailover:
			return identity.Errorf(identity.InvalidParameterCombination, needsTwoNodes)
		}
		return removeNodes(rg, now-wanted, in.ReplicasToRemove)
	})
}

// changeReplicas decides a change of the number of replicas on the newest view.
func (s *Service) changeReplicas(ctx context.Context, in ChangeReplicaCountInput, change func(tx *state.Tx, rg *identity.ReplicationGroup, now, wanted int) error) (ReplicationGroup, error) {
	if !in.ApplyImmediately {
		return ReplicationGroup{}, invalid("ApplyImmediately", "false is not supported. Pass --apply-immediately.")
	}
	if in.Configurations > 0 {
		return ReplicationGroup{}, identity.Errorf(identity.InvalidParameterCombination, "ReplicaConfiguration is for caches with more than one shard. Pass NewReplicaCount.")
	}
	var changed identity.ReplicationGroup
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		old, err := s.findIdle(tx.View(), in.ID)
		if err != nil {
			return err
		}
		changed = *old
		now := len(old.Nodes) - 1
		wanted := now - len(in.ReplicasToRemove)
		if in.NewReplicaCount != nil {
			wanted = int(*in.NewReplicaCount)
		}
		if wanted == now {
			return identity.Errorf(identity.NoOperation, "The operation was not performed because no changes were required.")
		}
		if err := change(tx, &changed, now, wanted); err != nil {
			return err
		}
		changed.Status, changed.AwaitSync = identity.Modifying, true
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return ReplicationGroup{}, err
	}
	return s.show(&changed), nil
}

// findIdle looks up a replication group that nothing is being changed at.
func (s *Service) findIdle(view *state.View, id string) (*identity.ReplicationGroup, error) {
	rg, err := findCache(view, id)
	if err != nil {
		return nil, err
	}
	if rg.Status != identity.Available {
		return nil, identity.Errorf(identity.ReplicationGroupState, "Replication group must be in available state to modify.")
	}
	return rg, nil
}

// removeNodes marks count replicas for removal: those named, else the last ones.
func removeNodes(rg *identity.ReplicationGroup, count int, named []string) error {
	rg.Nodes = slices.Clone(rg.Nodes)
	primary := rg.PrimaryNode().ClusterID
	if len(named) > 0 && len(named) != count {
		return identity.Errorf(identity.InvalidParameterCombination,
			"ReplicasToRemove names %d replicas, but NewReplicaCount removes %d.", len(named), count)
	}
	if len(named) == 0 {
		for i := len(rg.Nodes) - 1; len(named) < count; i-- {
			if id := rg.Nodes[i].ClusterID; id != primary {
				named = append(named, id)
			}
		}
	}
	for _, id := range named {
		i := slices.IndexFunc(rg.Nodes, func(n identity.CacheNode) bool { return strings.EqualFold(n.ClusterID, id) })
		switch {
		case i < 0:
			return identity.Errorf(identity.InvalidParameterValue, "Cache cluster %s is not a member of replication group %s.", naming.Shorten(id), rg.ID)
		case rg.Nodes[i].ClusterID == primary:
			return identity.Errorf(identity.InvalidParameterValue, "Cache cluster %s is the primary of replication group %s and can't be removed. Call TestFailover first.", primary, rg.ID)
		case rg.Nodes[i].Removing:
			return invalid("ReplicasToRemove", "%s is named twice.", rg.Nodes[i].ClusterID)
		}
		rg.Nodes[i].Removing = true
	}
	return nil
}
