package caches

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestSubnetGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	create := func(in CreateSubnetGroupInput) error { return second(h.CreateSubnetGroup(h.ctx, in)) }
	describe := func(name *string) error {
		return second(h.DescribeSubnetGroups(DescribeSubnetGroupsInput{Name: name}))
	}
	made, err := h.CreateSubnetGroup(h.ctx, CreateSubnetGroupInput{
		Name: "SNG-test", Description: "d", SubnetIDs: []string{"subnet-0a1b2c3d"}, Tags: []naming.Tag{{Key: "k", Value: "v"}},
	})
	h.must(err)
	if made.Name != "sng-test" || made.ARN != "arn:aws:elasticache:us-east-1:000000000000:subnetgroup:sng-test" || made.Tags["k"] != "v" {
		t.Errorf("made %+v", made)
	}
	changed, err := h.ModifySubnetGroup(h.ctx, ModifySubnetGroupInput{Name: "sng-TEST", SubnetIDs: []string{"subnet-1", "subnet-2"}})
	if h.must(err); changed.Description != "d" || len(changed.SubnetIDs) != 2 || changed.Tags["k"] != "v" {
		t.Errorf("changed to %+v", changed)
	}
	all, err := h.DescribeSubnetGroups(DescribeSubnetGroupsInput{})
	if h.must(err); len(all) != 2 || all[0].Name != "default" || all[1].Name != "sng-test" {
		t.Errorf("all are %+v", all)
	}
	h.create(basic("cache", func(in *CreateReplicationGroupInput) { in.SubnetGroup = new("SNG-test") }))
	for _, c := range []struct {
		err  error
		kind identity.Kind
		want string
	}{
		{create(CreateSubnetGroupInput{Name: "sng_test", Description: "d", SubnetIDs: []string{"subnet-1"}}), identity.InvalidParameterValue, "The parameter CacheSubnetGroupName is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."},
		{create(CreateSubnetGroupInput{Name: "x", SubnetIDs: []string{"subnet-1"}}), identity.MissingParameter, "The parameter CacheSubnetGroupDescription must be provided and must not be blank."},
		{create(CreateSubnetGroupInput{Name: "x", Description: "d"}), identity.MissingParameter, "The parameter SubnetIds must be provided and must not be blank."},
		{create(CreateSubnetGroupInput{Name: "x", Description: "d", SubnetIDs: []string{"subnet-1", "net", "vpc-2"}}), identity.InvalidParameterValue, "Some input subnets in :[net, vpc-2] are invalid."},
		{create(CreateSubnetGroupInput{Name: "x", Description: "d", SubnetIDs: strings.Fields(strings.Repeat("subnet-1 ", 21))}), identity.InvalidParameterValue, "Invalid value for parameter SubnetIds: a subnet group has at most 20 subnets."},
		{create(CreateSubnetGroupInput{Name: "Default", Description: "d", SubnetIDs: []string{"subnet-1"}}), identity.SubnetGroupExists, "Cache subnet group default already exists."},
		{describe(new("other")), identity.SubnetGroupNotFound, "Cache Subnet Group other does not exist."},
		{second(h.ModifySubnetGroup(h.ctx, ModifySubnetGroupInput{Name: "other"})), identity.SubnetGroupNotFound, "Cache Subnet Group other does not exist."},
		{second(h.ModifySubnetGroup(h.ctx, ModifySubnetGroupInput{Name: "sng-test", SubnetIDs: []string{}})), identity.MissingParameter, "The parameter SubnetIds must be provided and must not be blank."},
		{h.DeleteSubnetGroup(h.ctx, "other"), identity.SubnetGroupNotFound, "Cache Subnet Group other does not exist."},
		{h.DeleteSubnetGroup(h.ctx, "sng-test"), identity.SubnetGroupInUse, "Cache subnet group sng-test is currently in use by a cache cluster."},
		{h.DeleteSubnetGroup(h.ctx, "default"), identity.InvalidParameterValue, "Invalid value for parameter CacheSubnetGroupName: the default subnet group can't be deleted."},
	} {
		h.refused(c.err, c.kind, c.want)
	}
	h.must(second(h.DeleteReplicationGroup(h.ctx, DeleteReplicationGroupInput{ID: "cache"})))
	h.settle()
	h.must(h.DeleteSubnetGroup(h.ctx, "SNG-test"))
	if identity.KindOf(describe(new("sng-test"))) != identity.SubnetGroupNotFound {
		t.Error("the deleted group is still there")
	}
}

func TestGroupQuotas(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range maxSubnetGroups - 1 {
		h.must(second(h.CreateSubnetGroup(h.ctx, CreateSubnetGroupInput{Name: fmt.Sprint("s", i), Description: "d", SubnetIDs: []string{"subnet-1"}})))
	}
	_, err := h.CreateSubnetGroup(h.ctx, CreateSubnetGroupInput{Name: "x", Description: "d", SubnetIDs: []string{"subnet-1"}})
	h.refused(err, identity.SubnetGroupQuota, "The request would exceed the quota of 150 cache subnet groups.")
	for i := range maxParameterGroups - len(families()) {
		h.must(second(h.CreateParameterGroup(h.ctx, CreateParameterGroupInput{Name: fmt.Sprint("p", i), Description: "d", Family: "redis7"})))
	}
	_, err = h.CreateParameterGroup(h.ctx, CreateParameterGroupInput{Name: "x", Description: "d", Family: "redis7"})
	h.refused(err, identity.ParameterGroupQuota, "The request would exceed the quota of 150 cache parameter groups.")
}

func TestInitKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.must(second(h.ModifySubnetGroup(h.ctx, ModifySubnetGroupInput{Name: "default", Description: new("mine")})))
	view := h.state.View()
	h.must(h.Init(h.ctx))
	if h.state.View() != view {
		t.Error("a second start wrote again")
	}
}

func TestParameterGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	create := func(name, family, description string) error {
		return second(h.CreateParameterGroup(h.ctx, CreateParameterGroupInput{Name: name, Family: family, Description: description}))
	}
	set := func(group string, pairs ...string) error {
		in := ModifyParameterGroupInput{Name: group}
		for i := 0; i < len(pairs); i += 2 {
			in.Values = append(in.Values, NamedValue{pairs[i], pairs[i+1]})
		}
		return h.ModifyParameterGroup(h.ctx, in)
	}
	reset := func(group string, all bool, names ...string) error {
		return h.ResetParameterGroup(h.ctx, ResetParameterGroupInput{Name: group, All: &all, Names: names})
	}
	h.must(create("Mine", "REDIS7", "d"))
	h.must(set("mine", "timeout", "60", "maxmemory-policy", "allkeys-lfu"))
	h.create(basic("cache", func(in *CreateReplicationGroupInput) { in.ParameterGroup = new("MINE") }))
	var tooMany []string
	for range 21 {
		tooMany = append(tooMany, "timeout", "60")
	}
	const onlyDefault = "Cache parameter group default.redis7 is a default group and can't be changed. Create a group of family redis7 and change that."
	for _, c := range []struct {
		err  error
		kind identity.Kind
		want string
	}{
		{create("mine", "redis7", "d"), identity.ParameterGroupExists, "Parameter group mine already exists"},
		{create("default.redis7", "redis7", "d"), identity.InvalidParameterValue, "The parameter CacheParameterGroupName is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."},
		{create("x", "redis8", "d"), identity.InvalidParameterValue, "CacheParameterGroupFamily redis8 is not a valid parameter group family. Valid values are: redis3.2, redis4.0, redis5.0, redis6.x, redis7, valkey7, valkey8."},
		{create("x", "", "d"), identity.MissingParameter, "The parameter CacheParameterGroupFamily must be provided and must not be blank."},
		{create("x", "redis7", ""), identity.MissingParameter, "The parameter Description must be provided and must not be blank."},
		{set("mine"), identity.MissingParameter, "The parameter ParameterNameValues must be provided and must not be blank."},
		{set("mine", tooMany...), identity.InvalidParameterValue, "Invalid value for parameter ParameterNameValues: at most 20 parameters can be changed at once."},
		{set("mine", "timeout", "90", "requirepass", "x"), identity.InvalidParameterValue, "Parameter requirepass is not one that Gatehouse sets for family redis7. DescribeCacheParameters lists those that it does."},
		{set("mine", "timeout", "19"), identity.InvalidParameterValue, `The value "19" is invalid for parameter timeout. Allowed: 0,20-.`},
		{set("mine", "maxmemory-policy", "never"), identity.InvalidParameterValue, `The value "never" is invalid for parameter maxmemory-policy. Allowed: volatile-lru,allkeys-lru,volatile-random,allkeys-random,volatile-ttl,noeviction,volatile-lfu,allkeys-lfu.`},
		{set("mine", "notify-keyspace-events", "Ex\nsave 1"), identity.InvalidParameterValue, `The value "Ex\nsave 1" is invalid for parameter notify-keyspace-events. Allowed: flags out of KEg$lshzxeA.`},
		{set("mine", "cluster-enabled", "yes"), identity.InvalidParameterValue, "Parameter cluster-enabled can't be modified."},
		{set("default.redis7", "timeout", "60"), identity.ParameterGroupState, onlyDefault},
		{set("other", "timeout", "60"), identity.ParameterGroupNotFound, "CacheParameterGroup other not found."},
		{reset("default.redis7", true), identity.ParameterGroupState, onlyDefault},
		{reset("mine", false), identity.InvalidParameterCombination, "Pass either ResetAllParameters or ParameterNameValues with the parameters to reset."},
		{reset("mine", true, "timeout"), identity.InvalidParameterCombination, "Pass either ResetAllParameters or ParameterNameValues with the parameters to reset."},
		{h.DeleteParameterGroup(h.ctx, "default.redis7"), identity.ParameterGroupState, "Cache parameter group default.redis7 is a default group and can't be deleted."},
		{h.DeleteParameterGroup(h.ctx, "mine"), identity.ParameterGroupState, "One or more cache clusters are still members of this parameter group mine, so the group cannot be deleted."},
		{second(h.DescribeParameterGroups(DescribeParameterGroupsInput{Name: new("other")})), identity.ParameterGroupNotFound, "CacheParameterGroup other not found."},
		{second(h.DescribeParameters(DescribeParametersInput{Name: "mine", Source: new("us")})), identity.InvalidParameterValue, "Invalid value for parameter Source: valid values are user, system, engine-default."},
	} {
		h.refused(c.err, c.kind, c.want)
	}
	if got := h.values("mine", "user"); got != "maxmemory-policy=allkeys-lfu timeout=60" {
		t.Errorf("the group has %q", got)
	}
	h.must(set("mine", "timeout", "0")) // the default: no longer the user's
	if got := h.values("mine", "user"); got != "maxmemory-policy=allkeys-lfu" {
		t.Errorf("the group has %q", got)
	}
	engine := EngineParameters(h.state.View(), h.state.View().ReplicationGroups["cache"])
	if _, ok := engine["cluster-enabled"]; ok || engine["maxmemory-policy"] != "allkeys-lfu" || engine["timeout"] != "0" {
		t.Errorf("the engine gets %v", engine)
	}
	h.must(reset("mine", false, "maxmemory-policy"))
	h.must(set("mine", "timeout", "60"))
	h.must(reset("mine", true))
	if got := h.values("mine", "user"); got != "" {
		t.Errorf("after the reset the group has %q", got)
	}
	h.must(second(h.DeleteReplicationGroup(h.ctx, DeleteReplicationGroupInput{ID: "cache"})))
	h.settle()
	h.must(h.DeleteParameterGroup(h.ctx, "mine"))
}

// values returns a group's parameters of a source as name=value.
func (h *house) values(group, source string) string {
	h.t.Helper()
	found, err := h.DescribeParameters(DescribeParametersInput{Name: group, Source: &source})
	h.must(err)
	var pairs []string
	for _, p := range found {
		pairs = append(pairs, p.Name+"="+p.Value)
	}
	return strings.Join(pairs, " ")
}

func TestFamiliesDiffer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	have := func(family, name string) (value, allowed string) {
		found, err := h.DescribeEngineDefaultParameters(DescribeEngineDefaultParametersInput{Family: family})
		h.must(err)
		for _, p := range found {
			if p.Name == name {
				return p.Value, p.Allowed
			}
		}
		return "absent", ""
	}
	for _, c := range []struct{ family, name, want string }{
		{"redis5.0", aclPubsubDefault, "absent"},
		{"redis6.x", aclPubsubDefault, "allchannels"},
		{"redis3.2", "lfu-log-factor", "absent"},
		{"valkey7", "lazyfree-lazy-user-del", "no"},
		{"valkey8", "lazyfree-lazy-user-del", "yes"},
		{"redis3.2", "cluster-enabled", "no"},
	} {
		if got, _ := have(c.family, c.name); got != c.want {
			t.Errorf("%s of %s is %s", c.name, c.family, got)
		}
	}
	if _, allowed := have("redis3.2", "maxmemory-policy"); strings.Contains(allowed, "lfu") {
		t.Error("redis3.2 has no lfu policies")
	}
	_, err := h.DescribeEngineDefaultParameters(DescribeEngineDefaultParametersInput{Family: "memcached1.6"})
	if identity.KindOf(err) != identity.InvalidParameterValue {
		t.Errorf("got %v", err)
	}
}

// TestEnginesTakeAllParameters sets every parameter, with its default and with
// the edges of what is allowed, on the real engines.
func TestEnginesTakeAllParameters(t *testing.T) {
	t.Parallel()
	for _, kind := range []identity.Engine{identity.Valkey, identity.Redis} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			admin := enginetest.Start(t, kind).Administrator()
			for _, family := range families() {
				for _, p := range parametersOf(family) {
					if p.fixed {
						continue
					}
					for _, value := range append(edges(p), p.standard) {
						if !p.accepts(value) {
							t.Errorf("%s: %s does not accept %q, which it allows", family, p.name, value)
						}
						if _, err := enginetest.Do(admin, "CONFIG", "SET", p.name, value); err != nil {
							t.Errorf("%s: the engine refuses %s %q: %v", family, p.name, value, err)
						}
					}
				}
			}
		})
	}
}

// edges returns values at the edge of what a parameter allows.
func edges(p parameter) []string {
	switch {
	case p.valid != nil:
		return []string{"", "KEA", "g$lshzxe"}
	case p.kind != "integer":
		return strings.Split(p.allowed, ",")
	}
	var values []string
	for _, part := range strings.Split(p.allowed, ",") {
		switch {
		case part == "-1-":
			values = append(values, "-1", "2147483647")
		case strings.HasSuffix(part, "-"):
			values = append(values, strings.TrimSuffix(part, "-"), "2147483647")
		default:
			values = append(values, strings.Split(part, "-")...)
		}
	}
	return values
}

func TestIntegersOutOfRange(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string][]string{
		"timeout": {"", "-1", "1", "19", "2147483648", "+20", "020", " 20", "x"}, "maxmemory-samples": {"0", "65", "-1"},
		"slowlog-log-slower-than": {"-2", "--1"}, "activerehashing": {"", "YES", "yes,no"}, "lfu-log-factor": {"0"},
	} {
		p, err := changeable("redis7", name)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range wrong {
			if p.accepts(value) {
				t.Errorf("%s accepts %q", name, value)
			}
		}
	}
}

// TestTagsOfAllResources checks that what this package makes can be found by
// its ARN and tagged.
func TestTagsOfAllResources(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(basic("cache", func(in *CreateReplicationGroupInput) { in.Tags = []naming.Tag{{Key: "made", Value: "1"}} }))
	tags := tagging.New(h.state, testConfig().Account)
	members, err := h.DescribeCacheClusters(DescribeCacheClustersInput{})
	h.must(err)
	subnets, err := h.DescribeSubnetGroups(DescribeSubnetGroupsInput{})
	h.must(err)
	groups, err := h.DescribeParameterGroups(DescribeParameterGroupsInput{})
	h.must(err)
	for _, arn := range []string{h.shown("cache").ARN, members[0].ARN, subnets[0].ARN, groups[0].ARN} {
		h.must(second(tags.Add(h.ctx, arn, []naming.Tag{{Key: "k", Value: "v"}})))
		if got, err := tags.List(arn); err != nil || len(got) == 0 || got[0].Key != "k" {
			t.Errorf("%s: %v, %v", arn, got, err)
		}
	}
	if got := h.shown("cache"); got.Tags["made"] != "1" || got.Status != identity.Available {
		t.Errorf("the cache has %v and is %s", got.Tags, got.Status)
	}
}
