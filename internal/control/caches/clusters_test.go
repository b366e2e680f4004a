package caches

import (
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

func cluster(id string, change ...func(*CreateCacheClusterInput)) CreateCacheClusterInput {
	in := CreateCacheClusterInput{CreateReplicationGroupInput: basic(id)}
	in.Description, in.Engine = "", new("valkey")
	for _, f := range change {
		f(&in)
	}
	return in
}

func (h *house) cluster(id string) CacheCluster {
	h.t.Helper()
	found, err := h.DescribeCacheClusters(DescribeCacheClustersInput{ID: &id})
	h.must(err)
	return found[0]
}

func TestClusterOfASingleNode(t *testing.T) {
	t.Parallel()
	h := newHouse(t, manyPorts)
	h.must(second(h.CreateCacheCluster(h.ctx, cluster("One", func(in *CreateCacheClusterInput) { in.AuthToken = token(tokenA) }))))
	h.settle()
	c := h.cluster("one")
	if c.ClusterID != "one" || c.Status() != identity.Available || !c.Group.TokenEnabled || c.ARN != "arn:aws:elasticache:us-east-1:000000000000:cluster:one" {
		t.Errorf("the cluster is %+v", c)
	}
	if groups, err := h.DescribeReplicationGroups(DescribeReplicationGroupsInput{}); err != nil || len(groups) != 0 {
		t.Errorf("it is shown as replication group %+v, %v", groups, err)
	}
	h.must(second(h.ModifyCacheCluster(h.ctx, ModifyCacheClusterInput{ModifyReplicationGroupInput: modifyInput{ID: "ONE", AuthToken: token(tokenB)}})))
	h.settle()
	if got := h.cluster("one").Group.Access.State; got != identity.RequiredTwo {
		t.Errorf("after ROTATE its access is %s", got)
	}
	h.must(second(h.DeleteCacheCluster(h.ctx, DeleteCacheClusterInput{ID: "one"})))
	h.settle()
	_, err := h.DescribeCacheClusters(DescribeCacheClustersInput{ID: new("one")})
	h.refused(err, identity.CacheClusterNotFound, "CacheCluster not found: one")
	events, err := h.DescribeEvents(h.ctx, DescribeEventsInput{SourceType: new("cache-cluster"), SourceID: new("one")})
	h.must(err)
	if first, last := events[0].Message, events[len(events)-1].Message; first != "Cache cluster one created" || last != "Cache cluster one deleted" {
		t.Errorf("its events are %q … %q", first, last)
	}
}

func TestClusterRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, manyPorts)
	h.create(basic("group", func(in *CreateReplicationGroupInput) { in.NumCacheClusters = new(int32(2)) }))
	h.must(second(h.CreateCacheCluster(h.ctx, cluster("taken"))))
	h.settle()
	for _, c := range []struct {
		name string
		in   CreateCacheClusterInput
		kind identity.Kind
		want string
	}{
		{"taken", cluster("taken"), identity.CacheClusterExists, "Cache cluster taken already exists."},
		{"a member's id", cluster("group-002"), identity.CacheClusterExists, "Cache cluster group-002 already exists."},
		{"memcached's many nodes", cluster("x", func(in *CreateCacheClusterInput) { in.NumCacheNodes = new(int32(2)) }), identity.InvalidParameterValue, "Cannot create a valkey cluster with a NumCacheNodes parameter other than 1."},
		{"no engine", cluster("x", func(in *CreateCacheClusterInput) { in.Engine = nil }), identity.MissingParameter, "The parameter Engine must be provided and must not be blank."},
		{"token without TLS", cluster("x", func(in *CreateCacheClusterInput) { in.AuthToken, in.TransitEncryptionEnabled = token(tokenA), nil }), identity.InvalidParameterCombination, "AuthToken requires encryption-in-transit to be enabled on the cache cluster."},
		{"a replica", cluster("x", func(in *CreateCacheClusterInput) { in.ReplicationGroupID = new("group") }), identity.InvalidParameterCombination, "To add a replica to replication group group, call IncreaseReplicaCount. Leave ReplicationGroupId out."},
		{"id", cluster("1x"), identity.InvalidParameterValue, h.idFault("1x")},
	} {
		_, err := h.CreateCacheCluster(h.ctx, c.in)
		t.Run(c.name, func(t *testing.T) {
			if identity.KindOf(err) != c.kind || err.Error() != c.want {
				t.Errorf("got %q (%q), want %q (%q)", err, identity.KindOf(err), c.want, c.kind)
			}
		})
	}
	_, err := h.ModifyCacheCluster(h.ctx, ModifyCacheClusterInput{ModifyReplicationGroupInput: modifyInput{ID: "group-001", AuthToken: token(tokenA)}})
	h.refused(err, identity.CacheClusterState, "Cache cluster group-001 is a member of a replication group. Call ModifyReplicationGroup with group.")
	_, err = h.DeleteCacheCluster(h.ctx, DeleteCacheClusterInput{ID: "group-001"})
	h.refused(err, identity.CacheClusterState, "Cache cluster group-001 is serving as primary for replication group group and cannot be deleted.")
	_, err = h.DescribeReplicationGroups(DescribeReplicationGroupsInput{ID: new("taken")})
	h.refused(err, identity.ReplicationGroupNotFound, "Replication group taken not found.")
	h.must(second(h.DeleteCacheCluster(h.ctx, DeleteCacheClusterInput{ID: "group-002"})))
	h.settle()
	if nodes := h.shown("group").Nodes; len(nodes) != 1 {
		t.Errorf("the group has nodes %+v, want group-001 alone", nodes)
	}
}

// idFault is what an id that is wrong is refused with.
func (h *house) idFault(id string) string {
	_, err := h.CreateReplicationGroup(h.ctx, basic(id))
	return asCluster(err).Error()
}
