package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

const (
	password = "correct-horse-battery-1"
	another  = "correct-horse-battery-2"
	token    = "This-is-a-token-0001"
	newToken = "This-is-a-token-0002"
)

var sdkTypes = cmpopts.IgnoreUnexported(
	types.User{}, types.Authentication{}, types.UserGroup{}, types.UserGroupPendingChanges{}, types.ReplicationGroup{},
	types.ReplicationGroupPendingModifiedValues{}, types.NodeGroup{}, types.NodeGroupMember{}, types.Endpoint{},
	types.UserGroupsUpdateStatus{}, types.Tag{}, types.CacheCluster{}, types.CacheNode{}, types.CacheParameterGroupStatus{},
	types.PendingModifiedValues{}, types.SecurityGroupMembership{},
)

func same(t *testing.T, want, got any, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, append(options, sdkTypes)...); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestUsersAndGroups(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()

	created, err := c.CreateUser(ctx, &elasticache.CreateUserInput{
		UserId: aws.String("Alice"), UserName: aws.String("Alice"), Engine: aws.String("REDIS"), AccessString: aws.String("on ~app:* +@read"),
		AuthenticationMode: &types.AuthenticationMode{Type: types.InputAuthenticationTypePassword, Passwords: []string{password, another}},
		Tags:               []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	must(t, err)
	alice := types.User{
		ARN: aws.String("arn:aws:elasticache:us-east-1:000000000000:user:alice"), AccessString: created.AccessString,
		Authentication: &types.Authentication{Type: types.AuthenticationTypePassword, PasswordCount: aws.Int32(2)},
		Engine:         aws.String("redis"), MinimumEngineVersion: aws.String("6.0"), Status: aws.String("active"),
		UserGroupIds: []string{}, UserId: aws.String("alice"), UserName: aws.String("Alice"),
	}
	described, err := c.DescribeUsers(ctx, &elasticache.DescribeUsersInput{UserId: aws.String("alice")})
	must(t, err)
	same(t, []types.User{alice}, described.Users)
	record := s.last()
	if record.Caller.ARN != "arn:aws:iam::000000000000:root" || record.Operation != "DescribeUsers" || !record.ReadOnly || record.Response != nil {
		t.Errorf("on record: %+v", record)
	}

	group, err := c.CreateUserGroup(ctx, &elasticache.CreateUserGroupInput{UserGroupId: aws.String("g"), Engine: aws.String("redis"), UserIds: []string{"default"}})
	must(t, err)
	if aws.ToString(group.Status) != "creating" || group.ReplicationGroups == nil || group.ServerlessCaches == nil {
		t.Errorf("created: %+v", group)
	}
	s.settle()
	modified, err := c.ModifyUserGroup(ctx, &elasticache.ModifyUserGroupInput{UserGroupId: aws.String("g"), UserIdsToAdd: []string{"alice"}})
	must(t, err)
	same(t, &types.UserGroupPendingChanges{UserIdsToAdd: []string{"alice"}, UserIdsToRemove: []string{}}, modified.PendingChanges, cmpopts.EquateEmpty())
	same(t, []string{"default"}, modified.UserIds)
	_, err = c.ModifyUserGroup(ctx, &elasticache.ModifyUserGroupInput{UserGroupId: aws.String("g"), UserIdsToRemove: []string{"alice"}})
	var busy *types.InvalidUserGroupStateFault
	if !errors.As(err, &busy) || busy.ErrorMessage() != "User group g has status modifying. Only active user groups can be modified." {
		t.Errorf("modifying a group that is modifying: %v", err)
	}
	s.settle()
	groups, err := c.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{UserGroupId: aws.String("g")})
	must(t, err)
	if g := groups.UserGroups[0]; g.PendingChanges != nil || len(g.UserIds) != 2 || aws.ToString(g.Status) != "active" {
		t.Errorf("settled: %+v", g)
	}

	deleted, err := c.DeleteUser(ctx, &elasticache.DeleteUserInput{UserId: aws.String("alice")})
	must(t, err)
	if aws.ToString(deleted.Status) != "deleting" {
		t.Errorf("deleted: %+v", deleted)
	}
	s.settle()
	s.settle()
	_, err = c.DescribeUsers(ctx, &elasticache.DescribeUsersInput{UserId: aws.String("alice")})
	var gone *types.UserNotFoundFault
	if !errors.As(err, &gone) {
		t.Errorf("a deleted user: %v", err)
	}
}

// What B.2 of the reference lists, through the SDK: the codec must not get in
// the way of the messages that the operations give.
func TestAuthenticationMessages(t *testing.T) {
	s := start(t)
	base := "Action=CreateUser&Version=2015-02-02&UserId=u&UserName=u&Engine=redis&AccessString=on+~*+%2B@all"
	for more, want := range map[string]string{
		"":                               "<Code>InvalidParameterValue</Code><Message>Input Authentication type: null is not in the allowed list: [password,no-password-required,iam]",
		"&AuthenticationMode.Type=magic": "<Code>InvalidParameterValue</Code><Message>Input Authentication type: magic is not in the allowed list: [password,no-password-required,iam]",
		"&Passwords.member.1=short":      "<Code>InvalidParameterValue</Code><Message>Passwords length must be between 16-128 characters.",
	} {
		if status, body := s.post(base + more); status != 400 || !strings.Contains(body, want) {
			t.Errorf("%q: %d %s", more, status, body)
		}
	}
}

func TestSecretsAreNeitherAnsweredNorRecordedNorLogged(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()
	_, err := c.CreateUser(ctx, &elasticache.CreateUserInput{
		UserId: aws.String("u"), UserName: aws.String("u"), Engine: aws.String("redis"), AccessString: aws.String("on ~* +@all"), Passwords: []string{password},
	})
	must(t, err)
	same(t, map[string]any{"userId": "u", "userName": "u", "engine": "redis", "accessString": "on ~* +@all", "passwords": model.Hidden}, s.last().Parameters)
	_, err = c.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("r"), ReplicationGroupDescription: aws.String("d"), CacheNodeType: aws.String("cache.t4g.micro"),
		AuthToken: aws.String(token), TransitEncryptionEnabled: aws.Bool(true),
	})
	must(t, err)
	_, body := s.post("Action=DescribeReplicationGroups&Version=2015-02-02")
	_, users := s.post("Action=DescribeUsers&Version=2015-02-02")
	for name, text := range map[string]string{"answers": body + users, "records": fmt.Sprintf("%+v", s.calls), "log": s.log.String()} {
		for _, secret := range []string{password, token, secretKey} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s have %q", name, secret)
			}
		}
	}
}

func TestTokensOfAReplicationGroup(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()
	created, err := c.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("Cache-1"), ReplicationGroupDescription: aws.String("a cache"), CacheNodeType: aws.String("cache.t4g.micro"),
		Engine: aws.String("redis"), EngineVersion: aws.String("7.0"), TransitEncryptionEnabled: aws.Bool(true), SecurityGroupIds: []string{"sg-1"},
	})
	must(t, err)
	rg := created.ReplicationGroup
	if aws.ToString(rg.Status) != "creating" || rg.PendingModifiedValues == nil || rg.NodeGroups[0].PrimaryEndpoint != nil {
		t.Errorf("created: %+v", rg)
	}
	s.settle()
	rg = describe(t, c, "cache-1")
	endpoint := rg.NodeGroups[0].PrimaryEndpoint
	want := types.ReplicationGroup{
		ARN:                        aws.String("arn:aws:elasticache:us-east-1:000000000000:replicationgroup:cache-1"),
		AtRestEncryptionEnabled:    aws.Bool(false),
		AuthTokenEnabled:           aws.Bool(false),
		AutoMinorVersionUpgrade:    aws.Bool(true),
		AutomaticFailover:          types.AutomaticFailoverStatusDisabled,
		CacheNodeType:              aws.String("cache.t4g.micro"),
		ClusterEnabled:             aws.Bool(false),
		ClusterMode:                types.ClusterModeDisabled,
		DataTiering:                types.DataTieringStatusDisabled,
		Description:                aws.String("a cache"),
		Engine:                     aws.String("redis"),
		IpDiscovery:                types.IpDiscoveryIpv4,
		LogDeliveryConfigurations:  []types.LogDeliveryConfiguration{},
		MemberClusters:             []string{"cache-1-001"},
		MultiAZ:                    types.MultiAZStatusDisabled,
		NetworkType:                types.NetworkTypeIpv4,
		PendingModifiedValues:      &types.ReplicationGroupPendingModifiedValues{},
		ReplicationGroupCreateTime: rg.ReplicationGroupCreateTime,
		ReplicationGroupId:         aws.String("cache-1"),
		SnapshotRetentionLimit:     aws.Int32(0),
		SnapshotWindow:             rg.SnapshotWindow,
		Status:                     aws.String("available"),
		TransitEncryptionEnabled:   aws.Bool(true),
		TransitEncryptionMode:      types.TransitEncryptionModeRequired,
		UserGroupIds:               []string{},
		NodeGroups: []types.NodeGroup{{
			NodeGroupId: aws.String("0001"), Status: aws.String("available"), PrimaryEndpoint: endpoint, ReaderEndpoint: endpoint,
			NodeGroupMembers: []types.NodeGroupMember{{
				CacheClusterId: aws.String("cache-1-001"), CacheNodeId: aws.String("0001"), CurrentRole: aws.String("primary"),
				PreferredAvailabilityZone: aws.String("us-east-1a"), ReadEndpoint: endpoint,
			}},
		}},
	}
	same(t, &want, rg)
	if aws.ToString(endpoint.Address) != "127.0.0.1" || aws.ToInt32(endpoint.Port) < 16379 {
		t.Errorf("endpoint %+v", endpoint)
	}

	for _, step := range []struct {
		strategy types.AuthTokenUpdateStrategyType
		token    string
		pending  types.AuthTokenUpdateStatus
	}{{"ROTATE", token, "ROTATING"}, {"SET", token, "SETTING"}, {"ROTATE", newToken, "ROTATING"}, {"SET", newToken, "SETTING"}} {
		modified, err := c.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: aws.String("cache-1"), AuthToken: aws.String(step.token), AuthTokenUpdateStrategy: step.strategy, ApplyImmediately: aws.Bool(true),
		})
		must(t, err)
		if p := modified.ReplicationGroup.PendingModifiedValues; p.AuthTokenStatus != step.pending || aws.ToString(modified.ReplicationGroup.Status) != "modifying" {
			t.Errorf("%s: %+v", step.strategy, p)
		}
		_, err = c.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: aws.String("cache-1"), ReplicationGroupDescription: aws.String("x")})
		var busy *types.InvalidReplicationGroupStateFault
		if !errors.As(err, &busy) {
			t.Errorf("modifying what is modifying: %v", err)
		}
		s.settle()
		rg = describe(t, c, "cache-1")
		if !aws.ToBool(rg.AuthTokenEnabled) || rg.AuthTokenLastModifiedDate == nil || rg.PendingModifiedValues.AuthTokenStatus != "" {
			t.Errorf("after %s: %+v", step.strategy, rg)
		}
	}

	clusters, err := c.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String("cache-1-001"), ShowCacheNodeInfo: aws.Bool(true)})
	must(t, err)
	cluster := clusters.CacheClusters[0]
	if aws.ToString(cluster.EngineVersion) != "7.0.7" || !aws.ToBool(cluster.AuthTokenEnabled) || aws.ToString(cluster.ReplicationGroupId) != "cache-1" ||
		aws.ToString(cluster.CacheParameterGroup.CacheParameterGroupName) != "default.redis7" || len(cluster.SecurityGroups) != 1 {
		t.Errorf("member: %+v", cluster)
	}
	same(t, endpoint, cluster.CacheNodes[0].Endpoint)
	without, err := c.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{})
	must(t, err)
	if len(without.CacheClusters) != 1 || without.CacheClusters[0].CacheNodes != nil {
		t.Errorf("without ShowCacheNodeInfo: %+v", without.CacheClusters)
	}
}

func describe(t *testing.T, c *elasticache.Client, id string) *types.ReplicationGroup {
	t.Helper()
	out, err := c.DescribeReplicationGroups(context.Background(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String(id)})
	must(t, err)
	return &out.ReplicationGroups[0]
}

// From tokens to a user group in one call, and what is shown while it happens.
func TestFromTokenToUserGroup(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()
	_, err := c.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("r"), ReplicationGroupDescription: aws.String("d"), CacheNodeType: aws.String("cache.t4g.micro"),
		AuthToken: aws.String(token), TransitEncryptionEnabled: aws.Bool(true),
	})
	must(t, err)
	_, err = c.CreateUserGroup(ctx, &elasticache.CreateUserGroupInput{UserGroupId: aws.String("g"), Engine: aws.String("redis"), UserIds: []string{"default"}})
	must(t, err)
	s.settle()
	attach := elasticache.ModifyReplicationGroupInput{ReplicationGroupId: aws.String("r"), UserGroupIdsToAdd: []string{"g"}}
	_, err = c.ModifyReplicationGroup(ctx, &attach)
	var combination *types.InvalidParameterCombinationException
	if !errors.As(err, &combination) || combination.ErrorMessage() != "User group can't be associated with auth token enabled. Pass AuthStrategy delete to proceed." {
		t.Errorf("without DELETE: %v", err)
	}
	attach.AuthTokenUpdateStrategy = types.AuthTokenUpdateStrategyTypeDelete
	modified, err := c.ModifyReplicationGroup(ctx, &attach)
	must(t, err)
	same(t, &types.UserGroupsUpdateStatus{UserGroupIdsToAdd: []string{"g"}, UserGroupIdsToRemove: []string{}}, modified.ReplicationGroup.PendingModifiedValues.UserGroups)
	s.settle()
	rg := describe(t, c, "r")
	if aws.ToBool(rg.AuthTokenEnabled) || rg.AuthTokenLastModifiedDate != nil {
		t.Errorf("the token is still shown: %+v", rg)
	}
	same(t, []string{"g"}, rg.UserGroupIds)
	groups, err := c.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{UserGroupId: aws.String("g")})
	must(t, err)
	same(t, []string{"r"}, groups.UserGroups[0].ReplicationGroups)
}

func TestWaiters(t *testing.T) {
	s, ctx := start(t), context.Background()
	s.settleAlways()
	c := s.elasticache()
	_, err := c.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("r"), ReplicationGroupDescription: aws.String("d"), CacheNodeType: aws.String("cache.t4g.micro"), TransitEncryptionEnabled: aws.Bool(true),
	})
	must(t, err)
	which := &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String("r")}
	quick := 20 * time.Millisecond
	err = elasticache.NewReplicationGroupAvailableWaiter(c, func(o *elasticache.ReplicationGroupAvailableWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick }).Wait(ctx, which, time.Minute)
	must(t, err)
	_, err = c.DeleteReplicationGroup(ctx, &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: aws.String("r")})
	must(t, err)
	err = elasticache.NewReplicationGroupDeletedWaiter(c, func(o *elasticache.ReplicationGroupDeletedWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick }).Wait(ctx, which, time.Minute)
	must(t, err)
}

// Pages stay right when what they list changes in between.
func TestPages(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()
	add := func(id string) {
		_, err := c.CreateUser(ctx, &elasticache.CreateUserInput{
			UserId: aws.String(id), UserName: aws.String(id), Engine: aws.String("redis"), AccessString: aws.String("on ~* +@all"), NoPasswordRequired: aws.Bool(true),
		})
		must(t, err)
	}
	for i := range 50 {
		add(fmt.Sprintf("u%02d", i))
	}
	var seen []string
	pages := elasticache.NewDescribeUsersPaginator(c, &elasticache.DescribeUsersInput{MaxRecords: aws.Int32(20)})
	for n := 0; pages.HasMorePages(); n++ {
		p, err := pages.NextPage(ctx)
		must(t, err)
		if n == 0 {
			_, err = c.DeleteUser(ctx, &elasticache.DeleteUserInput{UserId: aws.String("u00")})
			must(t, err)
			s.settle()
			add("a-new-one")
		}
		for _, u := range p.Users {
			seen = append(seen, aws.ToString(u.UserId))
		}
	}
	want := []string{"default"}
	for i := range 50 {
		want = append(want, fmt.Sprintf("u%02d", i))
	}
	same(t, want, seen)

	events, err := c.DescribeEvents(ctx, &elasticache.DescribeEventsInput{SourceType: types.SourceTypeUser, MaxRecords: aws.Int32(20)})
	must(t, err)
	if len(events.Events) != 20 || events.Marker == nil || aws.ToString(events.Events[0].SourceIdentifier) == "" {
		t.Errorf("the first page has %d events", len(events.Events))
	}
	total := 0
	all := elasticache.NewDescribeEventsPaginator(c, &elasticache.DescribeEventsInput{SourceType: types.SourceTypeUser, MaxRecords: aws.Int32(20)})
	for all.HasMorePages() {
		p, err := all.NextPage(ctx)
		must(t, err)
		total += len(p.Events)
	}
	whole, err := c.DescribeEvents(ctx, &elasticache.DescribeEventsInput{SourceType: types.SourceTypeUser})
	must(t, err)
	if total != len(whole.Events) || total < 50 {
		t.Errorf("%d events in pages, %d in one", total, len(whole.Events))
	}
	if _, body := s.post("Action=DescribeUserGroups&Version=2015-02-02&Marker=" + aws.ToString(events.Marker)); !strings.Contains(body, "Invalid value for Marker") {
		t.Errorf("the marker of another listing: %s", body)
	}
}

func TestSettings(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()
	subnets, err := c.CreateCacheSubnetGroup(ctx, &elasticache.CreateCacheSubnetGroupInput{CacheSubnetGroupName: aws.String("Nets"), CacheSubnetGroupDescription: aws.String("d"), SubnetIds: []string{"subnet-1", "subnet-2"}})
	must(t, err)
	if g := subnets.CacheSubnetGroup; aws.ToString(g.CacheSubnetGroupName) != "nets" || len(g.Subnets) != 2 || aws.ToString(g.Subnets[1].SubnetIdentifier) != "subnet-2" {
		t.Errorf("subnet group %+v", g)
	}
	_, err = c.ModifyCacheSubnetGroup(ctx, &elasticache.ModifyCacheSubnetGroupInput{CacheSubnetGroupName: aws.String("nets"), CacheSubnetGroupDescription: aws.String("e")})
	must(t, err)
	_, err = c.DeleteCacheSubnetGroup(ctx, &elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: aws.String("nets")})
	must(t, err)
	_, err = c.DescribeCacheSubnetGroups(ctx, &elasticache.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: aws.String("nets")})
	var gone *types.CacheSubnetGroupNotFoundFault
	if !errors.As(err, &gone) {
		t.Errorf("a deleted subnet group: %v", err)
	}

	group, err := c.CreateCacheParameterGroup(ctx, &elasticache.CreateCacheParameterGroupInput{CacheParameterGroupName: aws.String("p"), CacheParameterGroupFamily: aws.String("redis7"), Description: aws.String("d")})
	must(t, err)
	_, err = c.ModifyCacheParameterGroup(ctx, &elasticache.ModifyCacheParameterGroupInput{CacheParameterGroupName: aws.String("p"), ParameterNameValues: []types.ParameterNameValue{{ParameterName: aws.String("acl-pubsub-default"), ParameterValue: aws.String("resetchannels")}}})
	must(t, err)
	changed, err := c.DescribeCacheParameters(ctx, &elasticache.DescribeCacheParametersInput{CacheParameterGroupName: aws.String("p"), Source: aws.String("user")})
	must(t, err)
	if len(changed.Parameters) != 1 || aws.ToString(changed.Parameters[0].ParameterValue) != "resetchannels" {
		t.Errorf("changed: %+v", changed.Parameters)
	}
	reset, err := c.ResetCacheParameterGroup(ctx, &elasticache.ResetCacheParameterGroupInput{CacheParameterGroupName: aws.String("p"), ResetAllParameters: aws.Bool(true)})
	must(t, err)
	if aws.ToString(reset.CacheParameterGroupName) != "p" {
		t.Errorf("reset: %+v", reset)
	}
	defaults, err := c.DescribeEngineDefaultParameters(ctx, &elasticache.DescribeEngineDefaultParametersInput{CacheParameterGroupFamily: aws.String("redis7")})
	must(t, err)
	if len(defaults.EngineDefaults.Parameters) == 0 {
		t.Error("a family without parameters")
	}
	groups, err := c.DescribeCacheParameterGroups(ctx, &elasticache.DescribeCacheParameterGroupsInput{})
	must(t, err)
	if len(groups.CacheParameterGroups) < 2 {
		t.Errorf("parameter groups: %+v", groups.CacheParameterGroups)
	}
	_, err = c.DeleteCacheParameterGroup(ctx, &elasticache.DeleteCacheParameterGroupInput{CacheParameterGroupName: group.CacheParameterGroup.CacheParameterGroupName})
	must(t, err)

	versions, err := c.DescribeCacheEngineVersions(ctx, &elasticache.DescribeCacheEngineVersionsInput{Engine: aws.String("redis"), EngineVersion: aws.String("6.x")})
	must(t, err)
	if len(versions.CacheEngineVersions) != 1 || aws.ToString(versions.CacheEngineVersions[0].EngineVersion) != "6.2.6" {
		t.Errorf("6.x is %+v", versions.CacheEngineVersions)
	}
}

func TestTags(t *testing.T) {
	s, ctx := start(t), context.Background()
	c := s.elasticache()
	arn := aws.String("arn:aws:elasticache:us-east-1:000000000000:user:default")
	added, err := c.AddTagsToResource(ctx, &elasticache.AddTagsToResourceInput{ResourceName: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a")}}})
	must(t, err)
	want := []types.Tag{{Key: aws.String("a"), Value: aws.String("")}, {Key: aws.String("b"), Value: aws.String("2")}}
	same(t, want, added.TagList)
	_, err = c.RemoveTagsFromResource(ctx, &elasticache.RemoveTagsFromResourceInput{ResourceName: arn, TagKeys: []string{"a"}})
	must(t, err)
	listed, err := c.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: arn})
	must(t, err)
	same(t, want[1:], listed.TagList)
	_, err = c.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: aws.String("arn:nonsense")})
	var invalid *types.InvalidARNFault
	if !errors.As(err, &invalid) || invalid.ErrorMessage() != "ARN arn:nonsense is invalid." {
		t.Errorf("a bad ARN: %v", err)
	}
}

func TestCallerIdentity(t *testing.T) {
	s := start(t)
	out, err := s.sts().GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	must(t, err)
	if aws.ToString(out.Arn) != "arn:aws:iam::000000000000:root" || aws.ToString(out.Account) != accountID || aws.ToString(out.UserId) != accountID {
		t.Errorf("got %+v", out)
	}
}
