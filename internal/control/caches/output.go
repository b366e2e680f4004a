package caches

import (
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// NodeID is the CacheNodeId of every node; a cluster has one
// (ElastiCache user guide: Valkey and Redis OSS clusters have a single node).
const NodeID = "0001"

// NodeGroupID is the NodeGroupId of a cache that is not sharded.
const NodeGroupID = "0001"

// Values of PendingModifiedValues.AuthTokenStatus.
const (
	TokenRotating = "ROTATING"
	TokenSetting  = "SETTING"
)

// ReplicationGroup is a cache as it is shown: the noun and what follows from it.
type ReplicationGroup struct {
	*identity.ReplicationGroup
	ARN string
	// Host is the address of all its endpoints.
	Host string
	// PrimaryAt and ReaderAt are the ports of the endpoints by role.
	PrimaryAt, ReaderAt int
	// TokenEnabled is AuthTokenEnabled: a token is in force, optional or required.
	TokenEnabled bool
	// UserGroupIDs has the group in force, if any; never nil.
	UserGroupIDs []string
	Pending      Pending
}

// Pending is what PendingModifiedValues shows of a change under way.
type Pending struct {
	TokenStatus        string // ROTATING, SETTING or ""
	UserGroupsToAdd    []string
	UserGroupsToRemove []string
}

// CacheCluster is a member of a replication group as it is shown.
type CacheCluster struct {
	identity.CacheNode
	ARN   string
	Group ReplicationGroup // whose status, settings, engine and token it shares
}

// Status is the cluster's own: that of its cache, unless it comes or goes by itself.
func (c *CacheCluster) Status() identity.Status {
	switch {
	case c.Joining:
		return identity.Creating
	case c.Removing:
		return identity.Deleting
	default:
		return c.Group.Status
	}
}

// SubnetGroup is a subnet group as it is shown.
type SubnetGroup struct {
	*identity.SubnetGroup
	ARN string
}

// ParameterGroup is a parameter group as it is shown.
type ParameterGroup struct {
	*identity.ParameterGroup
	ARN string
}

// Parameter is one engine parameter as a parameter group has it.
type Parameter struct {
	Name        string
	Value       string
	Description string
	// Source is "user" when the group changed it, else "system".
	Source         string
	DataType       string // string, integer
	Allowed        string // "yes,no", "0-", …; "" when the value is free text
	Modifiable     bool
	MinimumVersion string
}

func (s *Service) show(rg *identity.ReplicationGroup) ReplicationGroup {
	shown := ReplicationGroup{
		ReplicationGroup: rg,
		ARN:              s.config.Account.ARN(naming.ReplicationGroup, rg.ID),
		Host:             s.config.Host,
		TokenEnabled:     len(rg.Access.Tokens) > 0,
		UserGroupIDs:     groupList(rg.Access.GroupID),
	}
	shown.PrimaryAt, shown.ReaderAt = rg.PrimaryPort, rg.ReaderPort
	if rg.PrimaryPort == 0 {
		shown.PrimaryAt, shown.ReaderAt = rg.Nodes[0].Port, rg.Nodes[0].Port
	}
	if rg.Target == nil {
		return shown
	}
	switch rg.Target.Strategy {
	case strategyRotate:
		shown.Pending.TokenStatus = TokenRotating
	case strategySet:
		shown.Pending.TokenStatus = TokenSetting
	}
	if rg.Target.GroupID != rg.Access.GroupID {
		shown.Pending.UserGroupsToAdd = groupList(rg.Target.GroupID)
		shown.Pending.UserGroupsToRemove = groupList(rg.Access.GroupID)
	}
	return shown
}

func groupList(id string) []string {
	if id == "" {
		return []string{}
	}
	return []string{id}
}
