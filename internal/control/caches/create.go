package caches

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// What a cache gets that asks for nothing else. AWS chooses windows at random;
// nothing here happens in them.
const (
	defaultSnapshotWindow    = "03:00-04:00"
	defaultMaintenanceWindow = "sun:05:00-sun:06:00"
	defaultNetwork           = "ipv4"
)

// CreateReplicationGroup makes a cache with a primary and up to five replicas. It
// is creating until converge has its engines running and in sync, and all
// gateways serve it. A token that is
// given is required from the start (ElastiCache user guide, "AUTH command").
func (s *Service) CreateReplicationGroup(ctx context.Context, in CreateReplicationGroupInput) (ReplicationGroup, error) {
	plan, err := s.plan(&in)
	if err != nil {
		return ReplicationGroup{}, err
	}
	made, err := s.make(ctx, plan, &in)
	if err != nil {
		return ReplicationGroup{}, err
	}
	return s.show(made), nil
}

// make writes down what was planned.
func (s *Service) make(ctx context.Context, plan creation, in *CreateReplicationGroupInput) (*identity.ReplicationGroup, error) {
	var made *identity.ReplicationGroup
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		var err error
		if made, err = s.place(tx.View(), plan, in); err != nil {
			return err
		}
		tx.Put(made)
		if in.AuthToken != nil {
			s.tokenEvents(tx, made, nil, *in.AuthToken)
		}
		return nil
	})
	return made, err
}

// creation is a request that is right in itself.
type creation struct {
	cache   identity.ReplicationGroup // but for what depends on other objects
	version EngineVersion
	groupID string // user group to attach, "" for none
}

// plan checks all that does not depend on other objects.
func (s *Service) plan(in *CreateReplicationGroupInput) (creation, error) {
	id, err := naming.ID("ReplicationGroupId", in.ID, naming.MaxID)
	if err != nil {
		return creation{}, err
	}
	if strings.TrimSpace(in.Description) == "" {
		return creation{}, naming.Missing("ReplicationGroupDescription")
	}
	if err := refuseAtCreate(in); err != nil {
		return creation{}, err
	}
	if err := checkSettings(in); err != nil {
		return creation{}, err
	}
	version, err := s.versionAtCreate(in)
	if err != nil {
		return creation{}, err
	}
	transit, err := transitAtCreate(in, version)
	if err != nil {
		return creation{}, err
	}
	groupID, err := accessAtCreate(in, version, transit)
	if err != nil {
		return creation{}, err
	}
	tags, err := naming.AddTags(nil, in.Tags)
	if err != nil {
		return creation{}, err
	}
	return creation{version: version, groupID: groupID, cache: identity.ReplicationGroup{
		ID: id, Description: in.Description, Status: identity.Creating,
		Engine: version.Engine, EngineVersion: version.Version, NodeType: *in.NodeType,
		Transit: transit, Settings: settingsAtCreate(in, version), Tags: tags,
	}}, nil
}

func (s *Service) versionAtCreate(in *CreateReplicationGroupInput) (EngineVersion, error) {
	engine, err := naming.Engine(or(in.Engine, string(identity.Redis)))
	if err != nil {
		return EngineVersion{}, err
	}
	if err := s.installed(engine); err != nil {
		return EngineVersion{}, err
	}
	return findVersion(engine, in.EngineVersion)
}

// installed refuses an engine whose program is not there, because such a cache
// would be creating for ever.
func (s *Service) installed(engine identity.Engine) error {
	if s.config.Installed == nil {
		return nil
	}
	if err := s.config.Installed(engine); err != nil {
		return identity.Errorf(identity.InsufficientCapacity, "A cache with engine %s cannot run here: %v.", engine, err)
	}
	return nil
}

// checkSettings checks each value of a request by itself.
func checkSettings(in *CreateReplicationGroupInput) error {
	if in.NodeType == nil {
		return naming.Missing("CacheNodeType")
	}
	return firstOf(
		func() error { return text("ReplicationGroupDescription", &in.Description) },
		func() error { return checkNodeType(in.NodeType) },
		func() error { return checkPort(in.Port) },
		func() error { return text("KmsKeyId", in.KMSKeyID) },
		func() error { return text("NotificationTopicArn", in.NotificationTopicARN) },
		func() error { return texts("SecurityGroupIds", in.SecurityGroupIDs) },
		func() error { return checkRetention(in.SnapshotRetentionLimit) },
		func() error { return checkWindows(in.SnapshotWindow, in.MaintenanceWindow) },
		func() error { return oneOf("NetworkType", in.NetworkType, "ipv4", "ipv6", "dual_stack") },
		func() error { return oneOf("IpDiscovery", in.IPDiscovery, "ipv4", "ipv6") },
	)
}

func settingsAtCreate(in *CreateReplicationGroupInput, version EngineVersion) identity.CacheSettings {
	return identity.CacheSettings{
		SubnetGroup:             strings.ToLower(or(in.SubnetGroup, defaultSubnetGroup)),
		ParameterGroup:          strings.ToLower(or(in.ParameterGroup, defaultParameterGroup(version.Family))),
		SecurityGroupIDs:        in.SecurityGroupIDs,
		AtRestEncryption:        or(in.AtRestEncryptionEnabled, version.Engine == identity.Valkey),
		KMSKeyID:                or(in.KMSKeyID, ""),
		AutomaticFailover:       isTrue(in.AutomaticFailoverEnabled),
		MultiAZ:                 isTrue(in.MultiAZEnabled),
		AutoMinorVersionUpgrade: or(in.AutoMinorVersionUpgrade, true),
		SnapshotRetentionLimit:  int(or(in.SnapshotRetentionLimit, 0)),
		SnapshotWindow:          or(in.SnapshotWindow, defaultSnapshotWindow),
		MaintenanceWindow:       strings.ToLower(or(in.MaintenanceWindow, defaultMaintenanceWindow)),
		NotificationTopicARN:    or(in.NotificationTopicARN, ""),
		NetworkType:             strings.ToLower(or(in.NetworkType, defaultNetwork)),
		IPDiscovery:             strings.ToLower(or(in.IPDiscovery, defaultNetwork)),
	}
}

func transitAtCreate(in *CreateReplicationGroupInput, version EngineVersion) (identity.TransitMode, error) {
	if err := oneOf("TransitEncryptionMode", in.TransitEncryptionMode, "preferred", "required"); err != nil {
		return "", err
	}
	switch {
	case !isTrue(in.TransitEncryptionEnabled) && in.TransitEncryptionMode != nil:
		return "", identity.Errorf(identity.InvalidParameterCombination,
			"To modify transit encryption mode, set encryption-in-transit as enabled.")
	case !isTrue(in.TransitEncryptionEnabled):
		return identity.TransitPlain, nil
	case !version.tls:
		return "", identity.Errorf(identity.InvalidParameterCombination,
			"Encryption in transit is not supported for %s %s. It requires redis 3.2.6, redis 4.0.10 or later, or valkey.", version.Engine, version.Version)
	case strings.EqualFold(or(in.TransitEncryptionMode, ""), string(identity.TransitPreferred)) && !version.preferred:
		return "", identity.Errorf(identity.InvalidParameterCombination,
			"Transit encryption mode preferred is not supported for %s %s. It requires redis 7.0 or later, or valkey.", version.Engine, version.Version)
	case strings.EqualFold(or(in.TransitEncryptionMode, ""), string(identity.TransitPreferred)):
		return identity.TransitPreferred, nil
	default:
		return identity.TransitRequired, nil
	}
}

// accessAtCreate checks the token and the group of a request and returns the
// group's id.
func accessAtCreate(in *CreateReplicationGroupInput, version EngineVersion, transit identity.TransitMode) (string, error) {
	groupID, err := oneGroup("UserGroupIds", in.UserGroupIDs)
	if err != nil {
		return "", err
	}
	if in.AuthToken != nil && groupID != "" {
		return "", tokenAndGroup("UserGroupIds")
	}
	if in.AuthToken == nil && groupID == "" {
		return "", nil
	}
	if in.AuthToken != nil {
		if err := checkToken(*in.AuthToken); err != nil {
			return "", err
		}
	}
	return groupID, checkAccessNeeds(groupID != "", version, transit)
}

// checkAccessNeeds holds a cache that is to get a token or a group to what
// access control requires.
func checkAccessNeeds(group bool, version EngineVersion, transit identity.TransitMode) error {
	switch {
	case group && !version.groups:
		return identity.Errorf(identity.InvalidParameterCombination,
			"User group based access control is not supported for %s %s. It requires redis 6.0 or later, or valkey.", version.Engine, version.Version)
	case transit == identity.TransitPreferred:
		return identity.Errorf(identity.InvalidParameterCombination,
			"Transit encryption preferred is not supported with redis access control.")
	case group && transit == identity.TransitPlain:
		return identity.Errorf(identity.InvalidParameterCombination,
			"User group based access control requires encryption-in-transit to be enabled on the replication group.")
	case transit == identity.TransitPlain:
		return identity.Errorf(identity.InvalidParameterCombination,
			"AuthToken requires encryption-in-transit to be enabled on the replication group.")
	}
	return nil
}

// place finishes a creation on a view.
func (s *Service) place(view *state.View, plan creation, in *CreateReplicationGroupInput) (*identity.ReplicationGroup, error) {
	rg := plan.cache
	if view.ReplicationGroups[rg.ID] != nil {
		return nil, identity.Errorf(identity.ReplicationGroupExists, "Replication group %s already exists.", rg.ID)
	}
	if taken, _ := memberOf(view, rg.ID); rg.Standalone && taken != nil {
		return nil, identity.Errorf(identity.CacheClusterExists, "Cache cluster %s already exists.", rg.ID)
	}
	if err := checkGroupsOf(view, rg.Settings, plan.version.Family); err != nil {
		return nil, err
	}
	if plan.groupID != "" {
		if err := attachable(view, plan.groupID, plan.version); err != nil {
			return nil, err
		}
	}
	rg.Created = s.clock.Now().UTC()
	if err := s.addNodes(view, &rg, nodesAtCreate(in), in.Port); err != nil {
		return nil, err
	}
	rg.AwaitSync = len(rg.Nodes) > 1
	rg.Access = identity.Access{State: identity.AuthNone, Attached: rand.Text()}
	switch {
	case plan.groupID != "":
		rg.Access.State, rg.Access.GroupID = identity.RBAC, plan.groupID
	case in.AuthToken != nil:
		rg.Access.State, rg.Access.Tokens = identity.RequiredOne, []identity.Digest{s.key.Digest(*in.AuthToken)}
		rg.Past = s.key.Remember(nil, *in.AuthToken, rg.Created)
		rg.TokenChanged = rg.Created
	}
	if err := s.requireAuth(view, &rg, rg.Access); err != nil {
		return nil, err
	}
	return &rg, nil
}

// checkGroupsOf checks that a cache's subnet and parameter groups exist and fit.
func checkGroupsOf(view *state.View, settings identity.CacheSettings, family string) error {
	if _, err := findSubnetGroup(view, settings.SubnetGroup); err != nil {
		return err
	}
	return checkParameterGroup(view, settings.ParameterGroup, family)
}

// firstOf returns the first error of checks made in order.
func firstOf(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
