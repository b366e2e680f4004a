package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/naming"
)

// createCacheCluster overlooks AZMode and the preferred zones: there are no
// zones to choose from.
func (a *API) createCacheCluster(ctx context.Context, in *sdk.CreateCacheClusterInput) (*sdk.CreateCacheClusterOutput, error) {
	made, err := a.Caches.CreateCacheCluster(ctx, caches.CreateCacheClusterInput{
		NumCacheNodes: in.NumCacheNodes, ReplicationGroupID: in.ReplicationGroupId,
		CreateReplicationGroupInput: caches.CreateReplicationGroupInput{
			ID:                        aws.ToString(in.CacheClusterId),
			Engine:                    in.Engine,
			EngineVersion:             in.EngineVersion,
			NodeType:                  in.CacheNodeType,
			Port:                      in.Port,
			AuthToken:                 secret(in.AuthToken),
			TransitEncryptionEnabled:  in.TransitEncryptionEnabled,
			AutoMinorVersionUpgrade:   in.AutoMinorVersionUpgrade,
			SubnetGroup:               in.CacheSubnetGroupName,
			ParameterGroup:            in.CacheParameterGroupName,
			SecurityGroupIDs:          in.SecurityGroupIds,
			NotificationTopicARN:      in.NotificationTopicArn,
			SnapshotRetentionLimit:    in.SnapshotRetentionLimit,
			SnapshotWindow:            in.SnapshotWindow,
			MaintenanceWindow:         in.PreferredMaintenanceWindow,
			NetworkType:               optional(in.NetworkType),
			IPDiscovery:               optional(in.IpDiscovery),
			Tags:                      tagsOf(in.Tags),
			SnapshotName:              in.SnapshotName,
			SnapshotARNs:              in.SnapshotArns,
			CacheSecurityGroupNames:   in.CacheSecurityGroupNames,
			LogDeliveryConfigurations: len(in.LogDeliveryConfigurations),
		},
	})
	if err != nil {
		return nil, err
	}
	shown := a.showCacheCluster(made)
	return &sdk.CreateCacheClusterOutput{CacheCluster: &shown}, nil
}

// modifyCacheCluster overlooks ApplyImmediately, because every change begins at
// once, and AZMode and NewAvailabilityZones, which are for several nodes.
func (a *API) modifyCacheCluster(ctx context.Context, in *sdk.ModifyCacheClusterInput) (*sdk.ModifyCacheClusterOutput, error) {
	changed, err := a.Caches.ModifyCacheCluster(ctx, caches.ModifyCacheClusterInput{
		NumCacheNodes: in.NumCacheNodes,
		ModifyReplicationGroupInput: caches.ModifyReplicationGroupInput{
			ID:                        aws.ToString(in.CacheClusterId),
			AuthToken:                 secret(in.AuthToken),
			AuthTokenUpdateStrategy:   optional(in.AuthTokenUpdateStrategy),
			Engine:                    in.Engine,
			EngineVersion:             in.EngineVersion,
			NodeType:                  in.CacheNodeType,
			ParameterGroup:            in.CacheParameterGroupName,
			SecurityGroupIDs:          in.SecurityGroupIds,
			NotificationTopicARN:      in.NotificationTopicArn,
			AutoMinorVersionUpgrade:   in.AutoMinorVersionUpgrade,
			SnapshotRetentionLimit:    in.SnapshotRetentionLimit,
			SnapshotWindow:            in.SnapshotWindow,
			MaintenanceWindow:         in.PreferredMaintenanceWindow,
			IPDiscovery:               optional(in.IpDiscovery),
			CacheSecurityGroupNames:   in.CacheSecurityGroupNames,
			LogDeliveryConfigurations: len(in.LogDeliveryConfigurations),
		},
	})
	if err != nil {
		return nil, err
	}
	shown := a.showCacheCluster(changed)
	return &sdk.ModifyCacheClusterOutput{CacheCluster: &shown}, nil
}

func (a *API) deleteCacheCluster(ctx context.Context, in *sdk.DeleteCacheClusterInput) (*sdk.DeleteCacheClusterOutput, error) {
	gone, err := a.Caches.DeleteCacheCluster(ctx, caches.DeleteCacheClusterInput{
		ID: aws.ToString(in.CacheClusterId), FinalSnapshotIdentifier: in.FinalSnapshotIdentifier,
	})
	if err != nil {
		return nil, err
	}
	shown := a.showCacheCluster(gone)
	return &sdk.DeleteCacheClusterOutput{CacheCluster: &shown}, nil
}

func (a *API) permitClusters(p awsapi.Permissions) {
	p["elasticache:CreateCacheCluster"] = awsapi.On(func(in *sdk.CreateCacheClusterInput) []string {
		touched := append(a.arns(naming.Cluster, in.CacheClusterId), a.optional(naming.SubnetGroup, in.CacheSubnetGroupName)...)
		touched = append(touched, a.optional(naming.ParameterGroup, in.CacheParameterGroupName)...)
		return append(touched, a.optional(naming.ReplicationGroup, in.ReplicationGroupId)...)
	})
	p["elasticache:ModifyCacheCluster"] = awsapi.On(func(in *sdk.ModifyCacheClusterInput) []string {
		return append(a.arns(naming.Cluster, in.CacheClusterId), a.optional(naming.ParameterGroup, in.CacheParameterGroupName)...)
	})
	p["elasticache:DeleteCacheCluster"] = awsapi.On(func(in *sdk.DeleteCacheClusterInput) []string {
		return a.arns(naming.Cluster, in.CacheClusterId)
	})
}
