package aws

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/aws/smithy-go"
	"github.com/gatehouse/gatehouse/internal/posture"
)

const (
	// cachePage is the most that ElastiCache puts on a page; serverless caches
	// come 50 at a time.
	cachePage      = 100
	serverlessPage = 50
)

// caches is what is read about ElastiCache before anything is judged, because a
// group's version is only known by its members and an open user only by the
// user group.
type caches struct {
	groups     []types.ReplicationGroup
	members    []types.CacheCluster
	serverless []types.ServerlessCache
	haveNodes  bool
	users      openUsers
	tokens     tokenHistory
}

func (s *scope) readCaches(ctx context.Context) {
	client := elasticache.NewFromConfig(s.cfg)
	var c caches
	var err error
	if c.groups, err = replicationGroups(ctx, client); err != nil {
		s.failed("elasticache:DescribeReplicationGroups", "", err, posture.KindReplicationGroup)
	}
	if c.members, err = cacheClusters(ctx, client); err != nil {
		s.failed("elasticache:DescribeCacheClusters", "", err, posture.KindCacheCluster)
	}
	c.haveNodes = err == nil
	if c.serverless, err = serverlessCaches(ctx, client); err != nil && !s.notServed(err) {
		s.failed("elasticache:DescribeServerlessCaches", "", err, posture.KindServerlessCache)
	}
	if usesGroups(c) {
		c.users = readOpenUsers(ctx, client)
		if c.users.failure != nil {
			s.lost("elasticache:"+c.users.operation, "", c.users.failure, "whether user groups admit callers without a password is not known")
		}
	}
	if s.origin == posture.OriginAWS && usesTokens(c) {
		if c.tokens = s.tokenHistory(ctx); c.tokens.failure != nil {
			s.lost("cloudtrail:LookupEvents", "", c.tokens.failure, "whether groups with a token require it is not known")
		}
	}
	for _, g := range c.groups {
		s.add(s.group(ctx, g, c))
	}
	for _, m := range c.members {
		s.add(s.member(m))
	}
	for _, sc := range c.serverless {
		s.add(s.serverlessCache(ctx, sc, c))
	}
}

func replicationGroups(ctx context.Context, client *elasticache.Client) ([]types.ReplicationGroup, error) {
	return listing(func(next *string) ([]types.ReplicationGroup, *string, error) {
		out, err := client.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{MaxRecords: awssdk.Int32(cachePage), Marker: next})
		if err != nil {
			return nil, nil, err
		}
		return out.ReplicationGroups, out.Marker, nil
	})
}

func cacheClusters(ctx context.Context, client *elasticache.Client) ([]types.CacheCluster, error) {
	return listing(func(next *string) ([]types.CacheCluster, *string, error) {
		out, err := client.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{MaxRecords: awssdk.Int32(cachePage), Marker: next})
		if err != nil {
			return nil, nil, err
		}
		return out.CacheClusters, out.Marker, nil
	})
}

func serverlessCaches(ctx context.Context, client *elasticache.Client) ([]types.ServerlessCache, error) {
	return listing(func(next *string) ([]types.ServerlessCache, *string, error) {
		out, err := client.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{MaxResults: awssdk.Int32(serverlessPage), NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.ServerlessCaches, out.NextToken, nil
	})
}

func usesGroups(c caches) bool {
	return slices.ContainsFunc(c.groups, func(g types.ReplicationGroup) bool { return len(g.UserGroupIds) > 0 }) ||
		slices.ContainsFunc(c.serverless, func(s types.ServerlessCache) bool { return awssdk.ToString(s.UserGroupId) != "" })
}

func usesTokens(c caches) bool {
	return slices.ContainsFunc(c.groups, func(g types.ReplicationGroup) bool { return awssdk.ToBool(g.AuthTokenEnabled) })
}

// lowestVersion is the lowest engine version among a group's members: during an
// upgrade they differ.
func lowestVersion(g types.ReplicationGroup, c caches) posture.Value {
	if !c.haveNodes {
		return posture.Unknown("elasticache:DescribeCacheClusters could not be read", "the version of the group's nodes")
	}
	low := ""
	for _, m := range c.members {
		if awssdk.ToString(m.ReplicationGroupId) == awssdk.ToString(g.ReplicationGroupId) || slices.Contains(g.MemberClusters, awssdk.ToString(m.CacheClusterId)) {
			if v := awssdk.ToString(m.EngineVersion); v != "" && (low == "" || Older(v, low)) {
				low = v
			}
		}
	}
	if low == "" {
		return posture.Unknown("none of the group's member clusters was found", "the version of the group's nodes")
	}
	return posture.Text(low)
}

// Older compares engine versions number by number; what is not a number ("6.x")
// counts as high.
func Older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if x, y := versionPart(as, i), versionPart(bs, i); x != y {
			return x < y
		}
	}
	return false
}

func versionPart(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, err := strconv.Atoi(parts[i])
	if err != nil {
		const high = 1 << 30
		return high
	}
	return n
}

func (s *scope) group(ctx context.Context, g types.ReplicationGroup, c caches) *posture.Resource {
	r := s.resource(posture.KindReplicationGroup, awssdk.ToString(g.ARN), awssdk.ToString(g.ReplicationGroupId))
	r.Exposure = posture.ExposureVPC
	mode := posture.Absent()
	if g.TransitEncryptionMode != "" {
		mode = posture.Text(string(g.TransitEncryptionMode))
	}
	failover := posture.Absent()
	if g.AutomaticFailover != "" {
		failover = posture.Text(string(g.AutomaticFailover))
	}
	r.Set(posture.Engine, posture.TextOrAbsent(g.Engine)).Set(posture.EngineVersion, lowestVersion(g, c)).
		Set(posture.AuthToken, token(g.AuthTokenEnabled)).Set(posture.UserGroupIDs, posture.List(g.UserGroupIds)).
		Set(posture.DefaultUserOpen, c.users.open(g.UserGroupIds)).
		Set(posture.TransitEncryptionEnabled, posture.FlagOrAbsent(g.TransitEncryptionEnabled)).Set(posture.TransitEncryptionMode, mode).
		Set(posture.AtRestEncryptionEnabled, posture.FlagOrAbsent(g.AtRestEncryptionEnabled)).Set(posture.AutomaticFailover, failover).
		Set(posture.SnapshotRetentionLimit, number(g.SnapshotRetentionLimit)).
		Set(posture.AutoMinorVersionUpgrade, posture.FlagOrAbsent(g.AutoMinorVersionUpgrade)).
		Set(posture.MembersJudged, posture.Flag(c.haveNodes))
	strategy, introduced := c.tokens.of(g)
	r.Set(posture.AuthTokenUpdateStrategy, strategy).Set(posture.AuthTokenIntroduced, introduced)
	s.measured(ctx, r, awssdk.ToString(g.ReplicationGroupId))
	return r
}

func token(enabled *bool) posture.Value {
	if awssdk.ToBool(enabled) {
		return posture.Secret()
	}
	return posture.Absent()
}

func number(n *int32) posture.Value {
	if n == nil {
		return posture.Absent()
	}
	return posture.Number(int(*n))
}

func (s *scope) member(m types.CacheCluster) *posture.Resource {
	r := s.resource(posture.KindCacheCluster, awssdk.ToString(m.ARN), awssdk.ToString(m.CacheClusterId))
	r.Exposure = posture.ExposureVPC
	mode := posture.Absent()
	if m.TransitEncryptionMode != "" {
		mode = posture.Text(string(m.TransitEncryptionMode))
	}
	r.Set(posture.Engine, posture.TextOrAbsent(m.Engine)).Set(posture.EngineVersion, posture.TextOrAbsent(m.EngineVersion)).
		Set(posture.ReplicationGroupID, posture.TextOrAbsent(m.ReplicationGroupId)).Set(posture.CacheSubnetGroupName, posture.TextOrAbsent(m.CacheSubnetGroupName)).
		Set(posture.AutoMinorVersionUpgrade, posture.FlagOrAbsent(m.AutoMinorVersionUpgrade)).Set(posture.SnapshotRetentionLimit, number(m.SnapshotRetentionLimit)).
		Set(posture.AuthToken, token(m.AuthTokenEnabled)).Set(posture.UserGroupIDs, posture.List(nil)).
		Set(posture.TransitEncryptionEnabled, posture.FlagOrAbsent(m.TransitEncryptionEnabled)).Set(posture.TransitEncryptionMode, mode)
	return r
}

func (s *scope) serverlessCache(ctx context.Context, c types.ServerlessCache, all caches) *posture.Resource {
	r := s.resource(posture.KindServerlessCache, awssdk.ToString(c.ARN), awssdk.ToString(c.ServerlessCacheName))
	r.Exposure = posture.ExposureVPC
	var groups []string
	if id := awssdk.ToString(c.UserGroupId); id != "" {
		groups = []string{id}
	}
	version := c.FullEngineVersion
	if version == nil {
		version = c.MajorEngineVersion
	}
	r.Set(posture.Engine, posture.TextOrAbsent(c.Engine)).Set(posture.EngineVersion, posture.TextOrAbsent(version)).
		Set(posture.UserGroupIDs, posture.List(groups)).Set(posture.DefaultUserOpen, all.users.open(groups)).
		Set(posture.AuthToken, posture.Absent()).Set(posture.SnapshotRetentionLimit, number(c.SnapshotRetentionLimit)).
		Set(posture.TransitEncryptionEnabled, posture.Flag(true)) // serverless caches speak TLS only
	s.measured(ctx, r, awssdk.ToString(c.ServerlessCacheName))
	return r
}

// notServed reports whether a Gatehouse server does not know the operation that
// was called: of such resources it has none.
func (s *scope) notServed(err error) bool {
	var answer smithy.APIError
	return s.origin == posture.OriginGatehouse && errors.As(err, &answer) && answer.ErrorCode() == "InvalidAction"
}

// measured adds what Gatehouse's own gateways saw.
func (s *scope) measured(ctx context.Context, r *posture.Resource, cache string) {
	if s.origin != posture.OriginGatehouse || s.sessions == nil {
		return
	}
	now := s.now()
	logins, err := s.sessions.Logins(ctx, cache, now.Add(-auditWindow))
	if err != nil {
		s.failed("gatehouse:Sessions", cache, err, r.Kind)
		return
	}
	usage := posture.Usage{
		Quality: posture.QualityExact, Where: "logins by method, counted by the gateways", Measured: true,
		Window: auditWindow.String(),
	}
	for _, c := range logins.Counts {
		if c.Method == MethodAnonymous {
			usage.Count += c.Logins + c.Open
		}
	}
	if logins.OnSince.IsZero() || logins.OnSince.After(now.Add(-auditWindow)) {
		usage.Caution = "the gateways have not counted for the whole window"
	}
	r.Usage = &usage
}
