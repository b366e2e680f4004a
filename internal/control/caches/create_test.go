package caches

import (
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

type createChange = func(*CreateReplicationGroupInput)

func TestCreateRefusals(t *testing.T) {
	t.Parallel()
	const notAnID = "The parameter ReplicationGroupId is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
	id := func(id string) createChange { return func(in *CreateReplicationGroupInput) { in.ID = id } }
	for _, c := range []struct {
		name   string
		change []createChange
		kind   identity.Kind
		want   string
	}{
		{"no id", []createChange{id("")}, identity.MissingParameter, "The parameter ReplicationGroupId must be provided and must not be blank."},
		{"id with a digit first", []createChange{id("1cache")}, identity.InvalidParameterValue, notAnID},
		{"id with two hyphens", []createChange{id("a--b")}, identity.InvalidParameterValue, notAnID},
		{"id with a hyphen last", []createChange{id("a-")}, identity.InvalidParameterValue, notAnID},
		{"id of 41", []createChange{id(strings.Repeat("a", 41))}, identity.InvalidParameterValue, "The parameter ReplicationGroupId is not a valid identifier because it is longer than 40 characters."},
		{"id that exists", []createChange{id("TAKEN")}, identity.ReplicationGroupExists, "Replication group taken already exists."},
		{"no description", []createChange{func(in *CreateReplicationGroupInput) { in.Description = " " }}, identity.MissingParameter, "The parameter ReplicationGroupDescription must be provided and must not be blank."},
		{"no node type", []createChange{func(in *CreateReplicationGroupInput) { in.NodeType = nil }}, identity.MissingParameter, "The parameter CacheNodeType must be provided and must not be blank."},
		{"node type of EC2", []createChange{func(in *CreateReplicationGroupInput) { in.NodeType = new("m5.large") }}, identity.InvalidParameterValue, `Invalid value for parameter CacheNodeType: "m5.large" is not a node type. Pass one such as cache.t4g.micro.`},
		{"engine", []createChange{withEngine("memcached", "1.6")}, identity.InvalidParameterValue, "Invalid value for parameter Engine: memcached. Valid values are: redis, valkey."},
		{"version", []createChange{withEngine("redis", "5.0.7")}, identity.InvalidParameterCombination, "Cannot find version 5.0.7 for redis"},
		{"version of the other engine", []createChange{withEngine("valkey", "7.1")}, identity.InvalidParameterCombination, "Cannot find version 7.1 for valkey"},
		{"TLS before 3.2.6", []createChange{withEngine("redis", "3.2.4")}, identity.InvalidParameterCombination, "Encryption in transit is not supported for redis 3.2.4. It requires redis 3.2.6, redis 4.0.10 or later, or valkey."},
		{"TLS in 3.2.10", []createChange{withEngine("redis", "3.2.10")}, identity.InvalidParameterCombination, "Encryption in transit is not supported for redis 3.2.10. It requires redis 3.2.6, redis 4.0.10 or later, or valkey."},
		{"mode without TLS", []createChange{plain, func(in *CreateReplicationGroupInput) { in.TransitEncryptionMode = new("required") }}, identity.InvalidParameterCombination, "To modify transit encryption mode, set encryption-in-transit as enabled."},
		{"unknown mode", []createChange{func(in *CreateReplicationGroupInput) { in.TransitEncryptionMode = new("optional") }}, identity.InvalidParameterValue, "Invalid value for parameter TransitEncryptionMode: valid values are preferred, required."},
		{"preferred in 6.2", []createChange{withEngine("redis", "6.2"), func(in *CreateReplicationGroupInput) { in.TransitEncryptionMode = new("preferred") }}, identity.InvalidParameterCombination, "Transit encryption mode preferred is not supported for redis 6.2.6. It requires redis 7.0 or later, or valkey."},
		{"preferred with a token", []createChange{withToken(tokenA), func(in *CreateReplicationGroupInput) { in.TransitEncryptionMode = new("preferred") }}, identity.InvalidParameterCombination, "Transit encryption preferred is not supported with redis access control."},
		{"preferred with a group", []createChange{withGroup("g1"), func(in *CreateReplicationGroupInput) { in.TransitEncryptionMode = new("preferred") }}, identity.InvalidParameterCombination, "Transit encryption preferred is not supported with redis access control."},
		{"token without TLS", []createChange{withToken(tokenA), plain}, identity.InvalidParameterCombination, "AuthToken requires encryption-in-transit to be enabled on the replication group."},
		{"group without TLS", []createChange{withGroup("g1"), plain}, identity.InvalidParameterCombination, "User group based access control requires encryption-in-transit to be enabled on the replication group."},
		{"group before 6.0", []createChange{withGroup("g1"), withEngine("redis", "5.0.6")}, identity.InvalidParameterCombination, "User group based access control is not supported for redis 5.0.6. It requires redis 6.0 or later, or valkey."},
		{"short token", []createChange{withToken("Short-1")}, identity.InvalidParameterValue, "Invalid AuthToken provided."},
		{"token and group", []createChange{withToken(tokenA), withGroup("g1")}, identity.InvalidParameterCombination, "AuthToken and UserGroupIds can't be passed together: a replication group is accessed with AUTH tokens or with a user group."},
		{"two groups", []createChange{func(in *CreateReplicationGroupInput) { in.UserGroupIDs = []string{"g1", "g2"} }}, identity.InvalidParameterCombination, "Only one user group can be associated with a replication group; UserGroupIds has 2."},
		{"missing group", []createChange{withGroup("nobody")}, identity.UserGroupNotFound, "User group nobody not found."},
		{"busy group", []createChange{withGroup("busy")}, identity.UserGroupState, "User group busy has status modifying. Only active user groups can be attached."},
		{"valkey group on redis", []createChange{withGroup("v1")}, identity.InvalidParameterCombination, "User group v1 with engine valkey cannot be used by a cache with engine redis."},
		{"IAM before 7.0", []createChange{withGroup("i1"), withEngine("redis", "6.2")}, identity.InvalidParameterCombination, "User group i1 has user i1-user with authentication type iam, which is not supported for redis 6.2.6. It requires redis 7.0 or later, or valkey."},
		{"missing subnet group", []createChange{func(in *CreateReplicationGroupInput) { in.SubnetGroup = new("sng-test") }}, identity.SubnetGroupNotFound, "Cache Subnet Group sng-test does not exist."},
		{"missing parameter group", []createChange{func(in *CreateReplicationGroupInput) { in.ParameterGroup = new("default.redis7.0") }}, identity.ParameterGroupNotFound, "CacheParameterGroup not found: default.redis7.0"},
		{"parameter group of another family", []createChange{func(in *CreateReplicationGroupInput) { in.ParameterGroup = new("default.redis5.0") }}, identity.InvalidParameterCombination, "Expected a parameter group of family redis7 but found one of family redis5.0"},
		{"port 0", []createChange{func(in *CreateReplicationGroupInput) { in.Port = new(int32(0)) }}, identity.InvalidParameterValue, "Invalid value for parameter Port: it must be between 1 and 65535."},
		{"port in use", []createChange{func(in *CreateReplicationGroupInput) { in.Port = new(int32(16379)) }}, identity.InvalidParameterValue, "Invalid value for parameter Port: 16379 is in use by replication group taken. Leave Port out to be given a free one."},
		{"replicas and clusters", []createChange{func(in *CreateReplicationGroupInput) {
			in.ReplicasPerNodeGroup, in.NumCacheClusters = new(int32(2)), new(int32(2))
		}}, identity.InvalidParameterCombination, "NumCacheClusters 2 and ReplicasPerNodeGroup 2 contradict each other. Pass one of them."},
		{"more ports than there are", []createChange{func(in *CreateReplicationGroupInput) { in.NumCacheClusters = new(int32(2)) }}, identity.InsufficientCapacity, "All ports of this server (16379-16382) are in use. Delete a cache, or start the server with a larger range of ports."},
		{"seven clusters", []createChange{func(in *CreateReplicationGroupInput) { in.NumCacheClusters = new(int32(7)) }}, identity.InvalidParameterValue, "Invalid value for parameter NumCacheClusters: it must be between 1 and 6."},
		{"shards", []createChange{func(in *CreateReplicationGroupInput) { in.NumNodeGroups = new(int32(2)) }}, identity.InvalidParameterCombination, clusterMode},
		{"cluster mode", []createChange{func(in *CreateReplicationGroupInput) { in.ClusterMode = new("enabled") }}, identity.InvalidParameterCombination, clusterMode},
		{"cluster mode by parameter group", []createChange{func(in *CreateReplicationGroupInput) { in.ParameterGroup = new("default.redis7.cluster.on") }}, identity.InvalidParameterCombination, clusterMode},
		{"automatic failover", []createChange{func(in *CreateReplicationGroupInput) { in.AutomaticFailoverEnabled = new(true) }}, identity.InvalidParameterCombination, needsTwoNodes},
		{"Multi-AZ", []createChange{func(in *CreateReplicationGroupInput) { in.MultiAZEnabled = new(true) }}, identity.InvalidParameterCombination, needsFailover},
		{"snapshot", []createChange{func(in *CreateReplicationGroupInput) { in.SnapshotName = new("s") }}, identity.InvalidParameterCombination, noSnapshots},
		{"logs", []createChange{func(in *CreateReplicationGroupInput) { in.LogDeliveryConfigurations = 1 }}, identity.InvalidParameterCombination, noLogs},
		{"durability", []createChange{func(in *CreateReplicationGroupInput) { in.Durability = new("sync") }}, identity.InvalidParameterCombination, noDurability},
		{"shard configuration", []createChange{func(in *CreateReplicationGroupInput) { in.NodeGroupConfigurations = 1 }}, identity.InvalidParameterCombination, "A replication group has one shard. Pass ReplicasPerNodeGroup and leave NodeGroupConfiguration out."},
		{"retention", []createChange{func(in *CreateReplicationGroupInput) { in.SnapshotRetentionLimit = new(int32(36)) }}, identity.InvalidParameterValue, "Invalid value for parameter SnapshotRetentionLimit: it must be between 0 and 35."},
		{"short snapshot window", []createChange{func(in *CreateReplicationGroupInput) { in.SnapshotWindow = new("23:30-00:29") }}, identity.InvalidParameterValue, "Invalid value for parameter SnapshotWindow: it must be hh24:mi-hh24:mi and at least 60 minutes."},
		{"maintenance window", []createChange{func(in *CreateReplicationGroupInput) { in.MaintenanceWindow = new("sun:24:00-mon:01:30") }}, identity.InvalidParameterValue, "Invalid value for parameter PreferredMaintenanceWindow: it must be ddd:hh24:mi-ddd:hh24:mi and at least 60 minutes."},
		{"tag", []createChange{func(in *CreateReplicationGroupInput) { in.Tags = []naming.Tag{{Key: ""}} }}, identity.InvalidParameterValue, "Tag keys must not be empty."},
		{"long description", []createChange{func(in *CreateReplicationGroupInput) { in.Description = strings.Repeat("x", 256) }}, identity.InvalidParameterValue, "Invalid value for parameter ReplicationGroupDescription: it is longer than 255 characters."},
		{"description that is no text", []createChange{func(in *CreateReplicationGroupInput) { in.Description = "a\x00b" }}, identity.InvalidParameterValue, "Invalid value for parameter ReplicationGroupDescription: it has characters that are not text."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newMachineHouse(t)
			h.create(basic("taken"))
			h.group("v1", identity.Valkey, identity.AuthPassword)
			h.group("i1", identity.Redis, identity.AuthIAM)
			h.group("busy", identity.Redis, identity.AuthPassword)
			busy := *h.state.View().UserGroups["busy"]
			busy.Status = identity.Modifying
			_, err := h.state.Update(h.ctx, func(tx *state.Tx) error { tx.Put(&busy); return nil })
			h.must(err)
			view := h.state.View()
			_, err = h.CreateReplicationGroup(h.ctx, basic("cache", c.change...))
			h.refused(err, c.kind, c.want)
			if h.state.View() != view {
				t.Error("a refused request wrote something")
			}
		})
	}
}

func TestCreateDefaults(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	h.must(second(h.CreateReplicationGroup(h.ctx, basic("My-Cache", plain))))
	rg := h.shown("MY-cache")
	if rg.Status != identity.Creating || rg.ID != "my-cache" || rg.ARN != "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:my-cache" {
		t.Errorf("made %s %s %s", rg.Status, rg.ID, rg.ARN)
	}
	if rg.Engine != identity.Redis || rg.EngineVersion != "7.1.0" || rg.Transit != identity.TransitPlain || rg.Settings.AtRestEncryption {
		t.Errorf("made %+v", rg.ReplicationGroup)
	}
	if s := rg.Settings; s.SubnetGroup != "default" || s.ParameterGroup != "default.redis7" || s.NetworkType != "ipv4" || !s.AutoMinorVersionUpgrade {
		t.Errorf("settings %+v", s)
	}
	if n := rg.Nodes; len(n) != 1 || n[0].ClusterID != "my-cache-001" || n[0].Port != 16379 || n[0].Incarnation == "" || rg.Host != "127.0.0.1" {
		t.Errorf("nodes %+v", n)
	}
	if rg.Access.State != identity.AuthNone || rg.TokenEnabled || len(rg.UserGroupIDs) != 0 || rg.UserGroupIDs == nil {
		t.Errorf("access %+v", rg.Access)
	}
	valkey := h.create(basic("v", withEngine("Valkey", "8.0")))
	if !valkey.Settings.AtRestEncryption || valkey.Settings.ParameterGroup != "default.valkey8" || valkey.Transit != identity.TransitRequired {
		t.Errorf("valkey settings %+v", valkey.Settings)
	}
	h.tells("my-cache", "Replication group my-cache created", true)
	h.tells("my-cache-001", "Cache cluster created", true)
}

func second[T any](_ T, err error) error { return err }

func TestTokenAtCreateIsRequired(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	rg := h.create(basic("cache", withToken("aaaaaaaaaaaaaaaaaaaa")))
	if rg.Access.State != identity.RequiredOne || !rg.TokenEnabled || !rg.TokenChanged.Equal(firstDay) || len(rg.Past) != 1 {
		t.Errorf("access %+v", rg.Access)
	}
	h.tells("cache", "token is weak", true)
}

func TestEngineVersionLabels(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"redis 3.2.6": "3.2.6", "redis 4.0.10": "4.0.10", "redis 5.0.6": "5.0.6", "redis 6.0": "6.0.5", "redis 6.x": "6.2.6", "redis 6.2": "6.2.6",
		"redis 6.2.6": "6.2.6", "redis 7.0": "7.0.7", "redis 7.1": "7.1.0", "redis 7.1.0": "7.1.0", "valkey 7.2": "7.2.6", "valkey 8.0": "8.0.1",
	} {
		engine, version, _ := strings.Cut(label, " ")
		got, err := findVersion(identity.Engine(engine), &version)
		if err != nil || got.Version != want {
			t.Errorf("%s is %s (%v), want %s", label, got.Version, err, want)
		}
	}
	for _, engine := range []identity.Engine{identity.Redis, identity.Valkey} {
		if v, err := findVersion(engine, nil); err != nil || !v.Default || v.Engine != engine {
			t.Errorf("default of %s: %+v, %v", engine, v, err)
		}
	}
}

func TestDescribeEngineVersions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	list := func(in DescribeEngineVersionsInput) string {
		found, err := h.DescribeEngineVersions(in)
		h.must(err)
		var names []string
		for _, v := range found {
			names = append(names, string(v.Engine)+v.Version)
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		in   DescribeEngineVersionsInput
		want string
	}{
		{DescribeEngineVersionsInput{Engine: new("VALKEY")}, "valkey7.2.6 valkey8.0.1"},
		{DescribeEngineVersionsInput{DefaultOnly: new(true)}, "redis7.1.0 valkey8.0.1"},
		{DescribeEngineVersionsInput{DefaultOnly: new(true), Engine: new("redis")}, "redis7.1.0"},
		{DescribeEngineVersionsInput{DefaultOnly: new(true), Family: new("redis6.x")}, "redis6.2.6"},
		{DescribeEngineVersionsInput{Family: new("redis6.x")}, "redis6.0.5 redis6.2.6"},
		{DescribeEngineVersionsInput{Version: new("6.x")}, "redis6.2.6"},
		{DescribeEngineVersionsInput{Version: new("9.9")}, ""},
		{DescribeEngineVersionsInput{Family: new("redis3.2")}, "redis3.2.4 redis3.2.6 redis3.2.10"},
	} {
		if got := list(c.in); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	_, err := h.DescribeEngineVersions(DescribeEngineVersionsInput{Engine: new("memcached")})
	h.refused(err, identity.InvalidParameterValue, "Invalid value for parameter Engine: memcached. Valid values are: redis, valkey.")
}

func TestPorts(t *testing.T) {
	t.Parallel()
	h := newHouse(t) // 16379 to 16382
	port := func(id string, wanted int32) int {
		in := basic(id)
		if wanted != 0 {
			in.Port = &wanted
		}
		return h.create(in).Nodes[0].Port
	}
	for i, c := range []struct {
		wanted int32
		want   int
	}{{6379, 16379}, {16381, 16381}, {0, 16380}, {443, 16382}} {
		if got := port("cache-"+string(rune('a'+i)), c.wanted); got != c.want {
			t.Errorf("asked for %d, got %d, want %d", c.wanted, got, c.want)
		}
	}
	_, err := h.CreateReplicationGroup(h.ctx, basic("one-more"))
	h.refused(err, identity.InsufficientCapacity, "All ports of this server (16379-16382) are in use. Delete a cache, or start the server with a larger range of ports.")
	h.must(second(h.DeleteReplicationGroup(h.ctx, DeleteReplicationGroupInput{ID: "cache-b"})))
	_, err = h.CreateReplicationGroup(h.ctx, basic("one-more"))
	if identity.KindOf(err) != identity.InsufficientCapacity {
		t.Error("the port of a cache that is still being deleted was given away")
	}
	h.settle()
	if got := port("one-more", 0); got != 16381 {
		t.Errorf("the freed port was not used but %d", got)
	}
}

// TestConcurrentCreations checks that no two caches are given one port.
func TestConcurrentCreations(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := make(chan ReplicationGroup, 4)
	for _, id := range []string{"a", "b", "c", "d"} {
		go func() {
			rg, err := h.CreateReplicationGroup(h.ctx, basic(id))
			if err != nil {
				t.Errorf("creating %s: %v", id, err)
			}
			made <- rg
		}()
	}
	ports := map[int]bool{}
	for range 4 {
		if rg := <-made; rg.ReplicationGroup != nil {
			ports[rg.Nodes[0].Port] = true
		}
	}
	if len(ports) != 4 {
		t.Errorf("4 caches have the ports %v", ports)
	}
}

func TestNodeQuota(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *Config) { c.FirstPort, c.LastPort = 20000, 30000 })
	for start := 0; start < maxNodes; start += 50 {
		_, err := h.state.Update(h.ctx, func(tx *state.Tx) error {
			for i := start; i < start+50; i++ {
				id := "c" + strings.Repeat("x", i%30) + string(rune('a'+i/30))
				tx.Put(&identity.ReplicationGroup{ID: id, Status: identity.Available, Nodes: []identity.CacheNode{{Port: 20000 + i}}})
			}
			return nil
		})
		h.must(err)
	}
	_, err := h.CreateReplicationGroup(h.ctx, basic("last"))
	h.refused(err, identity.NodeQuota, "The request would exceed the quota of 300 nodes.")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.RBAC)
	for _, c := range []struct {
		in   DeleteReplicationGroupInput
		kind identity.Kind
		want string
	}{
		{DeleteReplicationGroupInput{ID: "other"}, identity.ReplicationGroupNotFound, "Replication group other not found."},
		{DeleteReplicationGroupInput{}, identity.MissingParameter, "The parameter ReplicationGroupId must be provided and must not be blank."},
		{DeleteReplicationGroupInput{ID: id, RetainPrimaryCluster: new(true)}, identity.InvalidParameterCombination, "Gatehouse does not make a cache cluster of its own out of the primary. Pass --no-retain-primary-cluster or leave the parameter out."},
		{DeleteReplicationGroupInput{ID: id, FinalSnapshotIdentifier: new("last")}, identity.InvalidParameterCombination, "Gatehouse keeps no snapshots, and deleting this replication group removes its data. Save the data yourself, then leave FinalSnapshotIdentifier out."},
	} {
		_, err := h.DeleteReplicationGroup(h.ctx, c.in)
		h.refused(err, c.kind, c.want)
	}
	in := requests["remove all"]
	in.ID = id
	h.must(second(h.ModifyReplicationGroup(h.ctx, in))) // a cache that is stuck in a change can be deleted
	got, err := h.DeleteReplicationGroup(h.ctx, DeleteReplicationGroupInput{ID: "CACHE", RetainPrimaryCluster: new(false)})
	h.must(err)
	if got.Status != identity.Deleting || h.shown(id).Status != identity.Deleting || got.Target != nil {
		t.Errorf("the cache is %s", got.Status)
	}
	_, err = h.DeleteReplicationGroup(h.ctx, DeleteReplicationGroupInput{ID: id})
	h.refused(err, identity.ReplicationGroupState, "Replication group cache has status deleting which is not valid for deletion.")
	_, err = h.ModifyReplicationGroup(h.ctx, ModifyReplicationGroupInput{ID: id, Description: new("x")})
	h.refused(err, identity.ReplicationGroupState, "Replication group must be in available state to modify.")
	_, err = h.CreateReplicationGroup(h.ctx, basic(id))
	h.refused(err, identity.ReplicationGroupExists, "Replication group cache already exists.")
	h.settle()
	_, err = h.DescribeReplicationGroups(DescribeReplicationGroupsInput{ID: &id})
	h.refused(err, identity.ReplicationGroupNotFound, "Replication group cache not found.")
	h.tells(id, "Replication group cache deleted", true)
}

func TestDescribeCacheClusters(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	h.create(basic("b"))
	h.create(basic("a", withToken(tokenA)))
	all, err := h.DescribeCacheClusters(DescribeCacheClustersInput{})
	h.must(err)
	if len(all) != 2 || all[0].ClusterID != "a-001" || all[1].ClusterID != "b-001" || all[0].ARN != "arn:aws:elasticache:us-east-1:000000000000:cluster:a-001" {
		t.Errorf("got %+v", all)
	}
	if g := all[0].Group; !g.TokenEnabled || g.EngineVersion != "7.1.0" || g.Host != "127.0.0.1" || all[0].Port != 16380 {
		t.Errorf("the member shows %+v", all[0])
	}
	one, err := h.DescribeCacheClusters(DescribeCacheClustersInput{ID: new("B-001"), NotInReplicationGroups: new(true)})
	if h.must(err); len(one) != 1 {
		t.Errorf("by id: %+v", one)
	}
	none, err := h.DescribeCacheClusters(DescribeCacheClustersInput{NotInReplicationGroups: new(true)})
	if h.must(err); none == nil || len(none) != 0 {
		t.Errorf("outside replication groups: %+v", none)
	}
	_, err = h.DescribeCacheClusters(DescribeCacheClustersInput{ID: new("c-001")})
	h.refused(err, identity.CacheClusterNotFound, "CacheCluster not found: c-001")
}
