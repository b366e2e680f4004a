package caches

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// refusal is a parameter that Gatehouse cannot act on. It is refused instead of
// ignored, so that nobody relies on what is not there.
type refusal struct {
	given   bool
	message string
}

func firstRefusal(refusals ...refusal) error {
	for _, r := range refusals {
		if r.given {
			return identity.Errorf(identity.InvalidParameterCombination, "%s", r.message)
		}
	}
	return nil
}

const (
	needsTwoNodes = "When using automatic failover, there must be at least 2 cache clusters in the replication group."
	needsFailover = "Multi-AZ requires automatic failover with at least 2 cache clusters in the replication group."
	clusterMode   = "Cluster mode comes with a later version of Gatehouse. Leave ClusterMode out or pass disabled, with --num-node-groups 1."
	noSnapshots   = "Gatehouse keeps no snapshots. Leave out SnapshotName, SnapshotArns and ServerlessCacheSnapshotName."
	noLogs        = "Gatehouse does not deliver engine logs to AWS. Leave LogDeliveryConfigurations out."
	noClassic     = "Cache security groups are of EC2-Classic, which is gone. Leave CacheSecurityGroupNames out."
	noDurability  = "Gatehouse has no Multi-AZ transactional log. Leave Durability out or pass disabled."
	noRole        = "Which node is the primary is decided by failover. Leave PrimaryClusterId out."
)

func refuseAtCreate(in *CreateReplicationGroupInput) error {
	if err := checkCounts(in); err != nil {
		return err
	}
	return firstRefusal(
		refusal{!isDisabled(in.ClusterMode) || isClusterGroup(in.ParameterGroup), clusterMode},
		refusal{in.NodeGroupConfigurations > 0, "A replication group has one shard. Pass ReplicasPerNodeGroup and leave NodeGroupConfiguration out."},
		refusal{isTrue(in.DataTieringEnabled), "Gatehouse has no data tiering. Leave DataTieringEnabled out."},
		refusal{in.SnapshotName != nil || in.SnapshotARNs != nil || in.ServerlessCacheSnapshotName != nil, noSnapshots},
		refusal{in.GlobalReplicationGroupID != nil, "Gatehouse has no global datastores. Leave GlobalReplicationGroupId out."},
		refusal{in.PrimaryClusterID != nil, noRole},
		refusal{in.CacheSecurityGroupNames != nil, noClassic},
		refusal{in.LogDeliveryConfigurations > 0, noLogs},
		refusal{isDurable(in.Durability), noDurability},
	)
}

func refuseAtModify(in *ModifyReplicationGroupInput) error {
	return firstRefusal(
		refusal{!isDisabled(in.ClusterMode) || isClusterGroup(in.ParameterGroup), clusterMode},
		refusal{in.PrimaryClusterID != nil, noRole},
		refusal{in.SnapshottingClusterID != nil, "Gatehouse keeps no snapshots. Leave SnapshottingClusterId out."},
		refusal{in.NodeGroupID != nil, "NodeGroupId is deprecated by AWS and has no effect. Leave it out."},
		refusal{in.CacheSecurityGroupNames != nil, noClassic},
		refusal{in.LogDeliveryConfigurations > 0, noLogs},
		refusal{isDurable(in.Durability), noDurability},
	)
}

func refuseAtDelete(in *DeleteReplicationGroupInput) error {
	return firstRefusal(
		refusal{
			isTrue(in.RetainPrimaryCluster),
			"Gatehouse does not make a cache cluster of its own out of the primary. Pass --no-retain-primary-cluster or leave the parameter out.",
		},
		refusal{
			in.FinalSnapshotIdentifier != nil,
			"Gatehouse keeps no snapshots, and deleting this replication group removes its data. Save the data yourself, then leave FinalSnapshotIdentifier out.",
		},
	)
}

func isDisabled(clusterMode *string) bool {
	return clusterMode == nil || strings.EqualFold(*clusterMode, "disabled")
}

func isDurable(durability *string) bool {
	return durability != nil && !strings.EqualFold(*durability, "default") && !strings.EqualFold(*durability, "disabled")
}

// isClusterGroup recognises the default parameter groups of cluster mode.
func isClusterGroup(name *string) bool {
	return name != nil && strings.HasSuffix(strings.ToLower(*name), ".cluster.on")
}
