package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// createReplicationGroup overlooks PreferredCacheClusterAZs: nodes are placed
// where Gatehouse runs, and there are no zones to choose from.
func (a *API) createReplicationGroup(ctx context.Context, in *sdk.CreateReplicationGroupInput) (*sdk.CreateReplicationGroupOutput, error) {
	rg, err := a.Caches.CreateReplicationGroup(ctx, caches.CreateReplicationGroupInput{
		ID:                       aws.ToString(in.ReplicationGroupId),
		Description:              aws.ToString(in.ReplicationGroupDescription),
		Engine:                   in.Engine,
		EngineVersion:            in.EngineVersion,
		NodeType:                 in.CacheNodeType,
		NumCacheClusters:         in.NumCacheClusters,
		NumNodeGroups:            in.NumNodeGroups,
		ReplicasPerNodeGroup:     in.ReplicasPerNodeGroup,
		Port:                     in.Port,
		AuthToken:                secret(in.AuthToken),
		UserGroupIDs:             in.UserGroupIds,
		TransitEncryptionEnabled: in.TransitEncryptionEnabled,
		TransitEncryptionMode:    optional(in.TransitEncryptionMode),
		AtRestEncryptionEnabled:  in.AtRestEncryptionEnabled,
		KMSKeyID:                 in.KmsKeyId,
		AutomaticFailoverEnabled: in.AutomaticFailoverEnabled,
		MultiAZEnabled:           in.MultiAZEnabled,
		AutoMinorVersionUpgrade:  in.AutoMinorVersionUpgrade,
		SubnetGroup:              in.CacheSubnetGroupName,
		ParameterGroup:           in.CacheParameterGroupName,
		SecurityGroupIDs:         in.SecurityGroupIds,
		NotificationTopicARN:     in.NotificationTopicArn,
		SnapshotRetentionLimit:   in.SnapshotRetentionLimit,
		SnapshotWindow:           in.SnapshotWindow,
		MaintenanceWindow:        in.PreferredMaintenanceWindow,
		NetworkType:              optional(in.NetworkType),
		IPDiscovery:              optional(in.IpDiscovery),
		Tags:                     tagsOf(in.Tags),
		ClusterMode:              optional(in.ClusterMode),
		DataTieringEnabled:       in.DataTieringEnabled,

		SnapshotName:                in.SnapshotName,
		SnapshotARNs:                in.SnapshotArns,
		ServerlessCacheSnapshotName: in.ServerlessCacheSnapshotName,
		GlobalReplicationGroupID:    in.GlobalReplicationGroupId,
		PrimaryClusterID:            in.PrimaryClusterId,
		CacheSecurityGroupNames:     in.CacheSecurityGroupNames,
		NodeGroupConfigurations:     len(in.NodeGroupConfiguration),
		LogDeliveryConfigurations:   len(in.LogDeliveryConfigurations),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateReplicationGroupOutput{ReplicationGroup: a.showReplicationGroup(rg)}, nil
}

// modifyReplicationGroup overlooks ApplyImmediately, because every change begins
// at once, and NotificationTopicStatus, because nothing is sent to topics.
func (a *API) modifyReplicationGroup(ctx context.Context, in *sdk.ModifyReplicationGroupInput) (*sdk.ModifyReplicationGroupOutput, error) {
	rg, err := a.Caches.ModifyReplicationGroup(ctx, caches.ModifyReplicationGroupInput{
		ID:                       aws.ToString(in.ReplicationGroupId),
		AuthToken:                secret(in.AuthToken),
		AuthTokenUpdateStrategy:  optional(in.AuthTokenUpdateStrategy),
		UserGroupIDsToAdd:        in.UserGroupIdsToAdd,
		UserGroupIDsToRemove:     in.UserGroupIdsToRemove,
		RemoveUserGroups:         in.RemoveUserGroups,
		TransitEncryptionEnabled: in.TransitEncryptionEnabled,
		TransitEncryptionMode:    optional(in.TransitEncryptionMode),
		Description:              in.ReplicationGroupDescription,
		Engine:                   in.Engine,
		EngineVersion:            in.EngineVersion,
		NodeType:                 in.CacheNodeType,
		ParameterGroup:           in.CacheParameterGroupName,
		SecurityGroupIDs:         in.SecurityGroupIds,
		NotificationTopicARN:     in.NotificationTopicArn,
		AutomaticFailoverEnabled: in.AutomaticFailoverEnabled,
		MultiAZEnabled:           in.MultiAZEnabled,
		AutoMinorVersionUpgrade:  in.AutoMinorVersionUpgrade,
		SnapshotRetentionLimit:   in.SnapshotRetentionLimit,
		SnapshotWindow:           in.SnapshotWindow,
		MaintenanceWindow:        in.PreferredMaintenanceWindow,
		IPDiscovery:              optional(in.IpDiscovery),
		ClusterMode:              optional(in.ClusterMode),

		PrimaryClusterID:      in.PrimaryClusterId,
		SnapshottingClusterID: in.SnapshottingClusterId,
		//lint:ignore SA1019 AWS deprecates it; here it is refused by its name when given
		NodeGroupID:               in.NodeGroupId,
		CacheSecurityGroupNames:   in.CacheSecurityGroupNames,
		LogDeliveryConfigurations: len(in.LogDeliveryConfigurations),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ModifyReplicationGroupOutput{ReplicationGroup: a.showReplicationGroup(rg)}, nil
}

func (a *API) deleteReplicationGroup(ctx context.Context, in *sdk.DeleteReplicationGroupInput) (*sdk.DeleteReplicationGroupOutput, error) {
	rg, err := a.Caches.DeleteReplicationGroup(ctx, caches.DeleteReplicationGroupInput{
		ID:                      aws.ToString(in.ReplicationGroupId),
		RetainPrimaryCluster:    in.RetainPrimaryCluster,
		FinalSnapshotIdentifier: in.FinalSnapshotIdentifier,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteReplicationGroupOutput{ReplicationGroup: a.showReplicationGroup(rg)}, nil
}

func (a *API) describeReplicationGroups(_ context.Context, in *sdk.DescribeReplicationGroupsInput) (*sdk.DescribeReplicationGroupsOutput, error) {
	found, err := a.Caches.DescribeReplicationGroups(caches.DescribeReplicationGroupsInput{ID: in.ReplicationGroupId})
	if err != nil {
		return nil, err
	}
	shown, next, err := page("replication-groups", found, func(rg caches.ReplicationGroup) string { return rg.ID }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeReplicationGroupsOutput{Marker: next, ReplicationGroups: []types.ReplicationGroup{}}
	for _, rg := range shown {
		out.ReplicationGroups = append(out.ReplicationGroups, *a.showReplicationGroup(rg))
	}
	return out, nil
}

func secret(text *string) *identity.Secret {
	if text == nil {
		return nil
	}
	s := identity.NewSecret(*text)
	return &s
}

func (a *API) showReplicationGroup(rg caches.ReplicationGroup) *types.ReplicationGroup {
	shown := &types.ReplicationGroup{
		ARN:                        aws.String(rg.ARN),
		AtRestEncryptionEnabled:    aws.Bool(rg.Settings.AtRestEncryption),
		AuthTokenEnabled:           aws.Bool(rg.TokenEnabled),
		AutoMinorVersionUpgrade:    aws.Bool(rg.Settings.AutoMinorVersionUpgrade),
		AutomaticFailover:          types.AutomaticFailoverStatusDisabled,
		CacheNodeType:              aws.String(rg.NodeType),
		ClusterEnabled:             aws.Bool(false),
		ClusterMode:                types.ClusterModeDisabled,
		DataTiering:                types.DataTieringStatusDisabled,
		Description:                aws.String(rg.Description),
		Engine:                     aws.String(string(rg.Engine)),
		IpDiscovery:                types.IpDiscovery(rg.Settings.IPDiscovery),
		KmsKeyId:                   optional(rg.Settings.KMSKeyID),
		LogDeliveryConfigurations:  []types.LogDeliveryConfiguration{},
		MemberClusters:             []string{},
		MultiAZ:                    types.MultiAZStatusDisabled,
		NetworkType:                types.NetworkType(rg.Settings.NetworkType),
		NodeGroups:                 []types.NodeGroup{a.showNodeGroup(rg)},
		PendingModifiedValues:      showPending(rg.Pending),
		ReplicationGroupCreateTime: aws.Time(rg.Created),
		ReplicationGroupId:         aws.String(rg.ID),
		SnapshotRetentionLimit:     aws.Int32(int32(rg.Settings.SnapshotRetentionLimit)),
		SnapshotWindow:             optional(rg.Settings.SnapshotWindow),
		Status:                     aws.String(string(rg.Status)),
		TransitEncryptionEnabled:   aws.Bool(rg.Transit != identity.TransitPlain),
		TransitEncryptionMode:      transitMode(rg),
		UserGroupIds:               rg.UserGroupIDs,
	}
	if rg.Settings.AutomaticFailover {
		shown.AutomaticFailover = types.AutomaticFailoverStatusEnabled
	}
	if rg.Settings.MultiAZ {
		shown.MultiAZ = types.MultiAZStatusEnabled
	}
	if rg.TokenEnabled && !rg.TokenChanged.IsZero() {
		shown.AuthTokenLastModifiedDate = aws.Time(rg.TokenChanged)
	}
	for _, node := range rg.Nodes {
		shown.MemberClusters = append(shown.MemberClusters, node.ClusterID)
	}
	return shown
}

// showNodeGroup leaves the members and endpoints out until they can be used.
func (a *API) showNodeGroup(rg caches.ReplicationGroup) types.NodeGroup {
	group := types.NodeGroup{NodeGroupId: aws.String(caches.NodeGroupID), Status: aws.String(string(rg.Status))}
	if rg.Status == identity.Creating {
		return group
	}
	group.PrimaryEndpoint, group.ReaderEndpoint = endpoint(rg, rg.PrimaryAt), endpoint(rg, rg.ReaderAt)
	primary := rg.PrimaryNode().ClusterID
	for _, node := range rg.Nodes {
		role := "replica"
		if node.ClusterID == primary {
			role = "primary"
		}
		group.NodeGroupMembers = append(group.NodeGroupMembers, types.NodeGroupMember{
			CacheClusterId: aws.String(node.ClusterID), CacheNodeId: aws.String(caches.NodeID), CurrentRole: aws.String(role),
			PreferredAvailabilityZone: a.zone(), ReadEndpoint: endpoint(rg, node.Port),
		})
	}
	return group
}

func endpoint(rg caches.ReplicationGroup, port int) *types.Endpoint {
	return &types.Endpoint{Address: aws.String(rg.Host), Port: aws.Int32(int32(port))}
}

// zone is where all nodes are: clients expect one, and Gatehouse has no others.
func (a *API) zone() *string { return aws.String(a.Account.Region + "a") }

func showPending(pending caches.Pending) *types.ReplicationGroupPendingModifiedValues {
	shown := &types.ReplicationGroupPendingModifiedValues{AuthTokenStatus: types.AuthTokenUpdateStatus(pending.TokenStatus)}
	if len(pending.UserGroupsToAdd)+len(pending.UserGroupsToRemove) > 0 {
		shown.UserGroups = &types.UserGroupsUpdateStatus{
			UserGroupIdsToAdd: pending.UserGroupsToAdd, UserGroupIdsToRemove: pending.UserGroupsToRemove,
		}
	}
	return shown
}

// transitMode is absent without encryption in transit.
func transitMode(rg caches.ReplicationGroup) types.TransitEncryptionMode {
	if rg.Transit == identity.TransitPlain {
		return ""
	}
	return types.TransitEncryptionMode(rg.Transit)
}
