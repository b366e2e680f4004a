package caches

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// A single-node cluster is kept as a replication group that stands alone: it has
// one node, of the same name, and no user group. What is said of it names a
// cache cluster.

// CreateCacheCluster makes a cache of one node outside replication groups. It
// may have an AUTH token with encryption in transit, as AWS has it; user groups
// are for replication groups.
func (s *Service) CreateCacheCluster(ctx context.Context, in CreateCacheClusterInput) (CacheCluster, error) {
	if in.Engine == nil {
		return CacheCluster{}, naming.Missing("Engine")
	}
	if nodes := or(in.NumCacheNodes, 1); nodes != 1 {
		return CacheCluster{}, identity.Errorf(identity.InvalidParameterValue,
			"Cannot create a %s cluster with a NumCacheNodes parameter other than 1.", naming.Shorten(*in.Engine))
	}
	if in.ReplicationGroupID != nil {
		return CacheCluster{}, identity.Errorf(identity.InvalidParameterCombination,
			"To add a replica to replication group %s, call IncreaseReplicaCount. Leave ReplicationGroupId out.", naming.Shorten(*in.ReplicationGroupID))
	}
	id, err := naming.ID("CacheClusterId", in.ID, naming.MaxID)
	if err != nil {
		return CacheCluster{}, err
	}
	in.Description = "Cache cluster " + id
	plan, err := s.plan(&in.CreateReplicationGroupInput)
	if err != nil {
		return CacheCluster{}, asCluster(err)
	}
	plan.cache.Standalone = true
	made, err := s.make(ctx, plan, &in.CreateReplicationGroupInput)
	if err != nil {
		return CacheCluster{}, asCluster(err)
	}
	return s.showCluster(made, made.Nodes[0]), nil
}

// ModifyCacheCluster changes a single-node cluster; see ModifyReplicationGroup.
func (s *Service) ModifyCacheCluster(ctx context.Context, in ModifyCacheClusterInput) (CacheCluster, error) {
	if nodes := or(in.NumCacheNodes, 1); nodes != 1 {
		return CacheCluster{}, identity.Errorf(identity.InvalidParameterValue,
			"Cannot have a NumCacheNodes parameter other than 1. For replicas, create a replication group.")
	}
	changed, err := s.change(ctx, in.ModifyReplicationGroupInput, findCluster)
	if err != nil {
		return CacheCluster{}, asCluster(err)
	}
	return s.showCluster(changed, changed.Nodes[0]), nil
}

// DeleteCacheCluster deletes a single-node cluster, or takes a replica out of
// its replication group.
func (s *Service) DeleteCacheCluster(ctx context.Context, in DeleteCacheClusterInput) (CacheCluster, error) {
	if err := refuseAtDelete(&DeleteReplicationGroupInput{FinalSnapshotIdentifier: in.FinalSnapshotIdentifier}); err != nil {
		return CacheCluster{}, asCluster(err)
	}
	if owner, node := memberOf(s.state.View(), in.ID); owner != nil && !owner.Standalone {
		if owner.PrimaryNode().ClusterID == node.ClusterID {
			return CacheCluster{}, identity.Errorf(identity.CacheClusterState,
				"Cache cluster %s is serving as primary for replication group %s and cannot be deleted.", node.ClusterID, owner.ID)
		}
		_, err := s.DecreaseReplicaCount(ctx, ChangeReplicaCountInput{ID: owner.ID, ReplicasToRemove: []string{node.ClusterID}, ApplyImmediately: true})
		if err != nil {
			return CacheCluster{}, err
		}
		node.Removing = true
		return s.showCluster(s.state.View().ReplicationGroups[owner.ID], node), nil
	}
	gone, err := s.remove(ctx, in.ID, findCluster)
	if err != nil {
		return CacheCluster{}, asCluster(err)
	}
	return s.showCluster(gone, gone.Nodes[0]), nil
}

// findCluster looks up a single-node cluster. A member of a replication group is
// changed through its group.
func findCluster(view *state.View, id string) (*identity.ReplicationGroup, error) {
	if id == "" {
		return nil, naming.Missing("CacheClusterId")
	}
	owner, node := memberOf(view, id)
	switch {
	case owner == nil:
		return nil, identity.Errorf(identity.CacheClusterNotFound, "CacheCluster not found: %s", naming.Shorten(id))
	case !owner.Standalone:
		return nil, identity.Errorf(identity.CacheClusterState,
			"Cache cluster %s is a member of a replication group. Call ModifyReplicationGroup with %s.", node.ClusterID, owner.ID)
	}
	return owner, nil
}

// memberOf finds the cache that has a node of that name.
func memberOf(view *state.View, clusterID string) (*identity.ReplicationGroup, identity.CacheNode) {
	for _, rg := range view.ReplicationGroups {
		i := slices.IndexFunc(rg.Nodes, func(n identity.CacheNode) bool { return strings.EqualFold(n.ClusterID, clusterID) })
		if i >= 0 {
			return rg, rg.Nodes[i]
		}
	}
	return nil, identity.CacheNode{}
}

func (s *Service) showCluster(rg *identity.ReplicationGroup, node identity.CacheNode) CacheCluster {
	return CacheCluster{CacheNode: node, ARN: s.config.Account.ARN(naming.Cluster, node.ClusterID), Group: s.show(rg)}
}

// clusterKinds are the kinds that an error about a replication group has when it
// is about a cache cluster.
var clusterKinds = map[identity.Kind]identity.Kind{
	identity.ReplicationGroupExists:   identity.CacheClusterExists,
	identity.ReplicationGroupNotFound: identity.CacheClusterNotFound,
	identity.ReplicationGroupState:    identity.CacheClusterState,
}

// clusterWords puts a cache cluster in the place of a replication group.
var clusterWords = strings.NewReplacer(
	"Replication group", "Cache cluster", "replication group", "cache cluster",
	"ReplicationGroupId", "CacheClusterId",
)

// asCluster turns a refusal about a replication group into one about a cluster.
func asCluster(err error) error {
	var refusal *identity.Error
	if !errors.As(err, &refusal) || strings.HasPrefix(refusal.Message, "Cache cluster") {
		return err
	}
	kind := refusal.Kind
	if other, ok := clusterKinds[kind]; ok {
		kind = other
	}
	return identity.Errorf(kind, "%s", clusterWords.Replace(refusal.Message))
}

// Tell records an event about a cache, with a text about a replication group.
func Tell(tx *state.Tx, rg *identity.ReplicationGroup, format string, args ...any) {
	message, source := fmt.Sprintf(format, args...), cacheSource
	if rg.Standalone {
		message, source = clusterWords.Replace(message), clusterSource
	}
	tx.Event(source, rg.ID, "%s", message)
}
