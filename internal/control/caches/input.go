package caches

import (
	"time"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// In all inputs a nil pointer or slice is a parameter that was not given.
// Identifiers are taken in any case and stored in lower case.

// CreateReplicationGroupInput is the request of that name.
//
// Port need not be in the server's range: a port in the range is honoured when
// it is free and refused when it is not; any other (6379, as printed commands
// have it) is taken as a wish that cannot be kept, and the cache gets a free
// port of the range. The endpoint tells which.
//
// From SnapshotName on are parameters that Gatehouse refuses, so that nobody
// believes them to be in effect.
type CreateReplicationGroupInput struct {
	ID                       string
	Description              string
	Engine                   *string // default redis
	EngineVersion            *string // a label (7.0, 6.x) or a full version; default the engine's newest
	NodeType                 *string // required
	NumCacheClusters         *int32  // 1
	NumNodeGroups            *int32  // 1
	ReplicasPerNodeGroup     *int32  // 0
	Port                     *int32
	AuthToken                *identity.Secret
	UserGroupIDs             []string // at most one
	TransitEncryptionEnabled *bool    // default false
	TransitEncryptionMode    *string  // preferred, required; default required
	AtRestEncryptionEnabled  *bool    // default true on valkey, false on redis
	KMSKeyID                 *string
	AutomaticFailoverEnabled *bool
	MultiAZEnabled           *bool
	AutoMinorVersionUpgrade  *bool   // default true
	SubnetGroup              *string // default "default"
	ParameterGroup           *string // default "default.<family>"
	SecurityGroupIDs         []string
	NotificationTopicARN     *string
	SnapshotRetentionLimit   *int32
	SnapshotWindow           *string // hh24:mi-hh24:mi
	MaintenanceWindow        *string // ddd:hh24:mi-ddd:hh24:mi
	NetworkType              *string // ipv4, ipv6, dual_stack
	IPDiscovery              *string // ipv4, ipv6
	Tags                     []naming.Tag
	ClusterMode              *string // disabled
	DataTieringEnabled       *bool   // false

	SnapshotName                *string
	SnapshotARNs                []string
	ServerlessCacheSnapshotName *string
	GlobalReplicationGroupID    *string
	PrimaryClusterID            *string
	CacheSecurityGroupNames     []string
	NodeGroupConfigurations     int     // how many were given
	LogDeliveryConfigurations   int     // how many were given
	Durability                  *string // default, disabled
}

// ModifyReplicationGroupInput is the request of that name. There is no
// maintenance window to wait for: all changes begin at once, whatever
// ApplyImmediately says, and the parameter is therefore not part of it. From
// PrimaryClusterID on are parameters that Gatehouse refuses.
type ModifyReplicationGroupInput struct {
	ID                       string
	AuthToken                *identity.Secret
	AuthTokenUpdateStrategy  *string // ROTATE (the default with a token), SET, DELETE
	UserGroupIDsToAdd        []string
	UserGroupIDsToRemove     []string
	RemoveUserGroups         *bool
	TransitEncryptionEnabled *bool
	TransitEncryptionMode    *string
	Description              *string
	Engine                   *string
	EngineVersion            *string
	NodeType                 *string
	ParameterGroup           *string
	SecurityGroupIDs         []string
	NotificationTopicARN     *string
	AutomaticFailoverEnabled *bool
	MultiAZEnabled           *bool
	AutoMinorVersionUpgrade  *bool
	SnapshotRetentionLimit   *int32
	SnapshotWindow           *string
	MaintenanceWindow        *string
	IPDiscovery              *string
	ClusterMode              *string

	PrimaryClusterID          *string
	SnapshottingClusterID     *string
	NodeGroupID               *string
	CacheSecurityGroupNames   []string
	LogDeliveryConfigurations int
	Durability                *string // default, disabled
}

// CreateCacheClusterInput is the request of that name. Of the parameters of
// CreateReplicationGroup those that are about replicas and user groups, and the
// description, are not part of it.
type CreateCacheClusterInput struct {
	CreateReplicationGroupInput
	NumCacheNodes      *int32 // 1
	ReplicationGroupID *string
}

// ModifyCacheClusterInput is the request of that name.
type ModifyCacheClusterInput struct {
	ModifyReplicationGroupInput
	NumCacheNodes *int32 // 1
}

// DeleteCacheClusterInput is the request of that name.
type DeleteCacheClusterInput struct {
	ID                      string
	FinalSnapshotIdentifier *string
}

// ChangeReplicaCountInput is the request IncreaseReplicaCount or DecreaseReplicaCount.
type ChangeReplicaCountInput struct {
	ID               string
	NewReplicaCount  *int32
	ReplicasToRemove []string // member clusters; DecreaseReplicaCount only
	Configurations   int      // how many ReplicaConfiguration were given
	ApplyImmediately bool     // must be true, as on AWS
}

// DeleteReplicationGroupInput is the request of that name.
type DeleteReplicationGroupInput struct {
	ID                      string
	RetainPrimaryCluster    *bool
	FinalSnapshotIdentifier *string
}

// DescribeReplicationGroupsInput is the request of that name.
type DescribeReplicationGroupsInput struct {
	ID *string
}

// DescribeCacheClustersInput is the request of that name, but for
// ShowCacheNodeInfo: every CacheCluster comes with its node.
type DescribeCacheClustersInput struct {
	ID *string
	// NotInReplicationGroups asks for clusters outside replication groups only.
	NotInReplicationGroups *bool
}

// CreateSubnetGroupInput is the request CreateCacheSubnetGroup.
type CreateSubnetGroupInput struct {
	Name        string
	Description string
	SubnetIDs   []string
	Tags        []naming.Tag
}

// ModifySubnetGroupInput is the request ModifyCacheSubnetGroup.
type ModifySubnetGroupInput struct {
	Name        string
	Description *string
	SubnetIDs   []string
}

// DescribeSubnetGroupsInput is the request DescribeCacheSubnetGroups.
type DescribeSubnetGroupsInput struct {
	Name *string
}

// CreateParameterGroupInput is the request CreateCacheParameterGroup.
type CreateParameterGroupInput struct {
	Name        string
	Family      string
	Description string
	Tags        []naming.Tag
}

// NamedValue is one parameter of a request.
type NamedValue struct{ Name, Value string }

// ModifyParameterGroupInput is the request ModifyCacheParameterGroup.
type ModifyParameterGroupInput struct {
	Name   string
	Values []NamedValue // 1 to 20
}

// ResetParameterGroupInput is the request ResetCacheParameterGroup.
type ResetParameterGroupInput struct {
	Name  string
	All   *bool
	Names []string
}

// DescribeParameterGroupsInput is the request DescribeCacheParameterGroups.
type DescribeParameterGroupsInput struct {
	Name *string
}

// DescribeParametersInput is the request DescribeCacheParameters.
type DescribeParametersInput struct {
	Name   string
	Source *string // user, system, engine-default
}

// DescribeEngineDefaultParametersInput is the request of that name.
type DescribeEngineDefaultParametersInput struct {
	Family string
}

// DescribeEngineVersionsInput is the request DescribeCacheEngineVersions.
type DescribeEngineVersionsInput struct {
	Engine      *string
	Version     *string // a label or a full version
	Family      *string
	DefaultOnly *bool
}

// DescribeEventsInput is the request of that name. Without times it asks for
// the last hour; the furthest is 14 days ago.
type DescribeEventsInput struct {
	SourceType *string
	SourceID   *string
	Start, End *time.Time
	Duration   *int32 // minutes
}
