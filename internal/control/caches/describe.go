package caches

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// findCache looks a cache up by an id as a caller wrote it.
func findCache(view *state.View, id string) (*identity.ReplicationGroup, error) {
	if id == "" {
		return nil, naming.Missing("ReplicationGroupId")
	}
	if rg := view.ReplicationGroups[strings.ToLower(id)]; rg != nil && !rg.Standalone {
		return rg, nil
	}
	return nil, identity.Errorf(identity.ReplicationGroupNotFound, "Replication group %s not found.", naming.Shorten(id))
}

// DescribeReplicationGroups returns the cache with that id, or all caches by id.
func (s *Service) DescribeReplicationGroups(in DescribeReplicationGroupsInput) ([]ReplicationGroup, error) {
	view := s.state.View()
	found := slices.DeleteFunc(state.Sorted(view.ReplicationGroups), func(rg *identity.ReplicationGroup) bool { return rg.Standalone })
	if in.ID != nil {
		rg, err := findCache(view, *in.ID)
		if err != nil {
			return nil, err
		}
		found = []*identity.ReplicationGroup{rg}
	}
	shown := make([]ReplicationGroup, 0, len(found))
	for _, rg := range found {
		shown = append(shown, s.show(rg))
	}
	return shown, nil
}

// DescribeCacheClusters returns the cluster with that id, or all clusters by id:
// the members of replication groups and those of a single node.
func (s *Service) DescribeCacheClusters(in DescribeCacheClustersInput) ([]CacheCluster, error) {
	shown := []CacheCluster{}
	for _, rg := range state.Sorted(s.state.View().ReplicationGroups) {
		for _, node := range rg.Nodes {
			if in.ID != nil && strings.EqualFold(*in.ID, node.ClusterID) || in.ID == nil && (rg.Standalone || !isTrue(in.NotInReplicationGroups)) {
				shown = append(shown, s.showCluster(rg, node))
			}
		}
	}
	if in.ID != nil && len(shown) == 0 {
		return nil, identity.Errorf(identity.CacheClusterNotFound, "CacheCluster not found: %s", naming.Shorten(*in.ID))
	}
	return shown, nil
}
