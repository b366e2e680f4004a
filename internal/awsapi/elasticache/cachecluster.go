package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const inSync = "in-sync"

func (a *API) describeCacheClusters(_ context.Context, in *sdk.DescribeCacheClustersInput) (*sdk.DescribeCacheClustersOutput, error) {
	found, err := a.Caches.DescribeCacheClusters(caches.DescribeCacheClustersInput{
		ID: in.CacheClusterId, NotInReplicationGroups: in.ShowCacheClustersNotInReplicationGroups,
	})
	if err != nil {
		return nil, err
	}
	shown, next, err := page("cache-clusters", found, func(c caches.CacheCluster) string { return c.ClusterID }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheClustersOutput{Marker: next, CacheClusters: []types.CacheCluster{}}
	for _, cluster := range shown {
		c := a.showCacheCluster(cluster)
		if aws.ToBool(in.ShowCacheNodeInfo) {
			c.CacheNodes = []types.CacheNode{a.showNode(cluster)}
		}
		out.CacheClusters = append(out.CacheClusters, c)
	}
	return out, nil
}

func (a *API) showCacheCluster(c caches.CacheCluster) types.CacheCluster {
	rg := c.Group
	shown := types.CacheCluster{
		ARN:                                aws.String(c.ARN),
		AtRestEncryptionEnabled:            aws.Bool(rg.Settings.AtRestEncryption),
		AuthTokenEnabled:                   aws.Bool(rg.TokenEnabled),
		AutoMinorVersionUpgrade:            aws.Bool(rg.Settings.AutoMinorVersionUpgrade),
		CacheClusterCreateTime:             aws.Time(c.Created),
		CacheClusterId:                     aws.String(c.ClusterID),
		CacheClusterStatus:                 aws.String(string(c.Status())),
		CacheNodeType:                      aws.String(rg.NodeType),
		CacheParameterGroup:                &types.CacheParameterGroupStatus{CacheParameterGroupName: aws.String(rg.Settings.ParameterGroup), ParameterApplyStatus: aws.String(inSync), CacheNodeIdsToReboot: []string{}},
		CacheSecurityGroups:                []types.CacheSecurityGroupMembership{},
		CacheSubnetGroupName:               optional(rg.Settings.SubnetGroup),
		Engine:                             aws.String(string(rg.Engine)),
		EngineVersion:                      aws.String(rg.EngineVersion),
		IpDiscovery:                        types.IpDiscovery(rg.Settings.IPDiscovery),
		LogDeliveryConfigurations:          []types.LogDeliveryConfiguration{},
		NetworkType:                        types.NetworkType(rg.Settings.NetworkType),
		NumCacheNodes:                      aws.Int32(1),
		PendingModifiedValues:              &types.PendingModifiedValues{AuthTokenStatus: types.AuthTokenUpdateStatus(rg.Pending.TokenStatus)},
		PreferredAvailabilityZone:          a.zone(),
		PreferredMaintenanceWindow:         optional(rg.Settings.MaintenanceWindow),
		ReplicationGroupId:                 groupOf(rg),
		ReplicationGroupLogDeliveryEnabled: aws.Bool(false),
		SecurityGroups:                     []types.SecurityGroupMembership{},
		SnapshotRetentionLimit:             aws.Int32(int32(rg.Settings.SnapshotRetentionLimit)),
		SnapshotWindow:                     optional(rg.Settings.SnapshotWindow),
		TransitEncryptionEnabled:           aws.Bool(rg.Transit != identity.TransitPlain),
		TransitEncryptionMode:              transitMode(rg),
	}
	if rg.TokenEnabled && !rg.TokenChanged.IsZero() {
		shown.AuthTokenLastModifiedDate = aws.Time(rg.TokenChanged)
	}
	for _, id := range rg.Settings.SecurityGroupIDs {
		shown.SecurityGroups = append(shown.SecurityGroups, types.SecurityGroupMembership{SecurityGroupId: aws.String(id), Status: aws.String("active")})
	}
	if topic := rg.Settings.NotificationTopicARN; topic != "" {
		shown.NotificationConfiguration = &types.NotificationConfiguration{TopicArn: aws.String(topic), TopicStatus: aws.String("active")}
	}
	return shown
}

// groupOf is absent for a cluster that is in no replication group.
func groupOf(rg caches.ReplicationGroup) *string {
	if rg.Standalone {
		return nil
	}
	return aws.String(rg.ID)
}

func (a *API) showNode(c caches.CacheCluster) types.CacheNode {
	node := types.CacheNode{
		CacheNodeCreateTime:      aws.Time(c.Created),
		CacheNodeId:              aws.String(caches.NodeID),
		CacheNodeStatus:          aws.String(string(c.Status())),
		CustomerAvailabilityZone: a.zone(),
		ParameterGroupStatus:     aws.String(inSync),
	}
	if c.Group.Status != identity.Creating {
		node.Endpoint = endpoint(c.Group, c.Port)
	}
	return node
}
