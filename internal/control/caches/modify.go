package caches

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// ModifyReplicationGroup changes a cache's access, its settings or both, or
// refuses the whole request. Access and the parameter group take effect on
// engines and gateways, so the cache is modifying until they have; other
// settings are recorded at once.
func (s *Service) ModifyReplicationGroup(ctx context.Context, in ModifyReplicationGroupInput) (ReplicationGroup, error) {
	changed, err := s.change(ctx, in, findCache)
	if err != nil {
		return ReplicationGroup{}, err
	}
	return s.show(changed), nil
}

// finder looks up the cache that a request is about.
type finder func(view *state.View, id string) (*identity.ReplicationGroup, error)

// change carries out a modification of a cache or refuses it whole.
func (s *Service) change(ctx context.Context, in ModifyReplicationGroupInput, find finder) (*identity.ReplicationGroup, error) {
	ask, err := accessChangeOf(&in)
	if err != nil {
		return nil, err
	}
	if err := firstOf(
		func() error { return refuseAtModify(&in) },
		func() error { return checkChanges(&in) },
	); err != nil {
		return nil, err
	}
	var changed *identity.ReplicationGroup
	_, err = s.state.Update(ctx, func(tx *state.Tx) error {
		old, err := find(tx.View(), in.ID)
		if err != nil {
			return err
		}
		changed, err = s.modify(tx, old, &in, ask)
		return err
	})
	return changed, err
}

// checkChanges checks each value of a request by itself.
func checkChanges(in *ModifyReplicationGroupInput) error {
	if in.Description != nil && strings.TrimSpace(*in.Description) == "" {
		return naming.Missing("ReplicationGroupDescription")
	}
	return firstOf(
		func() error { return text("ReplicationGroupDescription", in.Description) },
		func() error { return checkNodeType(in.NodeType) },
		func() error { return text("NotificationTopicArn", in.NotificationTopicARN) },
		func() error { return texts("SecurityGroupIds", in.SecurityGroupIDs) },
		func() error { return checkRetention(in.SnapshotRetentionLimit) },
		func() error { return checkWindows(in.SnapshotWindow, in.MaintenanceWindow) },
		func() error { return oneOf("IpDiscovery", in.IPDiscovery, "ipv4", "ipv6") },
		func() error {
			return oneOf("TransitEncryptionMode", in.TransitEncryptionMode, "preferred", "required")
		},
	)
}

// modify decides a request on the newest view and returns the cache as it then is.
func (s *Service) modify(tx *state.Tx, old *identity.ReplicationGroup, in *ModifyReplicationGroupInput, ask accessChange) (*identity.ReplicationGroup, error) {
	if old.Status != identity.Available {
		return nil, identity.Errorf(identity.ReplicationGroupState, "Replication group must be in available state to modify.")
	}
	rg := *old
	if err := changeTransit(&rg, in, ask); err != nil {
		return nil, err
	}
	if err := s.changeVersion(&rg, in); err != nil {
		return nil, err
	}
	outcome, err := s.changeAccess(tx.View(), &rg, ask)
	if err != nil {
		return nil, err
	}
	if err := changeSettings(tx.View(), old, &rg, in); err != nil {
		return nil, err
	}
	if reflect.DeepEqual(rg, *old) && !outcome.repeated {
		return nil, identity.Errorf(identity.InvalidParameterCombination, "No modifications were requested")
	}
	s.record(tx, old, &rg, ask, outcome)
	return &rg, nil
}

// changeAccess makes what ask brings about the target of rg.
func (s *Service) changeAccess(view *state.View, rg *identity.ReplicationGroup, ask accessChange) (decided, error) {
	if !ask.changesAccess() {
		return decided{next: rg.Access}, nil
	}
	version := versionOf(rg)
	if ask.token != nil || ask.add != "" {
		if err := checkAccessNeeds(ask.add != "", version, rg.Transit); err != nil {
			return decided{}, err
		}
	}
	if ask.token != nil && !version.tokenChange {
		return decided{}, identity.Errorf(identity.InvalidParameterCombination,
			"Modifying the AUTH token is not supported for %s %s. It requires redis 5.0.6 or later, or valkey 7.2 or later.", rg.Engine, rg.EngineVersion)
	}
	outcome, err := s.decide(rg.ID, rg.Access, ask)
	if err != nil || !outcome.changed {
		return outcome, err
	}
	if group := outcome.next.GroupID; group != "" {
		if err := attachable(view, group, version); err != nil {
			return decided{}, err
		}
	}
	if admitsAnyone(view, rg.Access) == "" {
		if err := s.requireAuth(view, rg, outcome.next); err != nil {
			return decided{}, err
		}
	}
	rg.Target, rg.Status = &outcome.next, identity.Modifying
	return outcome, nil
}

// attachable checks that a cache of that version may be given the group.
func attachable(view *state.View, groupID string, version EngineVersion) error {
	group, err := users.Attachable(view, groupID, version.Engine)
	if err != nil || version.iam {
		return err
	}
	for _, member := range users.Membership(group) {
		if user := view.Users[member.UserID]; user != nil && user.Auth == identity.AuthIAM {
			return identity.Errorf(identity.InvalidParameterCombination,
				"User group %s has user %s with authentication type iam, which is not supported for %s %s. It requires redis 7.0 or later, or valkey.",
				group.ID, user.ID, version.Engine, version.Version)
		}
	}
	return nil
}

// changeSettings writes the settings of a request into rg.
func changeSettings(view *state.View, old, rg *identity.ReplicationGroup, in *ModifyReplicationGroupInput) error {
	settings := &rg.Settings
	rg.Description = or(in.Description, rg.Description)
	rg.NodeType = or(in.NodeType, rg.NodeType)
	settings.NotificationTopicARN = or(in.NotificationTopicARN, settings.NotificationTopicARN)
	settings.AutomaticFailover = or(in.AutomaticFailoverEnabled, settings.AutomaticFailover)
	settings.MultiAZ = or(in.MultiAZEnabled, settings.MultiAZ)
	if err := checkFailover(settings.AutomaticFailover, settings.MultiAZ, len(rg.Nodes)); err != nil {
		return err
	}
	settings.AutoMinorVersionUpgrade = or(in.AutoMinorVersionUpgrade, settings.AutoMinorVersionUpgrade)
	settings.SnapshotRetentionLimit = int(or(in.SnapshotRetentionLimit, int32(settings.SnapshotRetentionLimit)))
	settings.SnapshotWindow = or(in.SnapshotWindow, settings.SnapshotWindow)
	settings.MaintenanceWindow = strings.ToLower(or(in.MaintenanceWindow, settings.MaintenanceWindow))
	settings.IPDiscovery = strings.ToLower(or(in.IPDiscovery, settings.IPDiscovery))
	if in.SecurityGroupIDs != nil {
		settings.SecurityGroupIDs = in.SecurityGroupIDs
	}
	if name := parameterGroupOf(old, rg, in); name != settings.ParameterGroup || versionOf(rg).Family != versionOf(old).Family {
		if err := checkParameterGroup(view, name, versionOf(rg).Family); err != nil {
			return err
		}
		settings.ParameterGroup, rg.Status = name, identity.Modifying
	}
	return nil
}

// record writes the changed cache and what is worth telling about the change.
func (s *Service) record(tx *state.Tx, old, rg *identity.ReplicationGroup, ask accessChange, outcome decided) {
	if outcome.repeated {
		Tell(tx, rg, "The AUTH token of strategy %s is the one in force already; nothing changed. %s", ask.strategy, openness(rg.ID, rg.Access))
	}
	if outcome.changed && ask.token != nil && outcome.token != newest {
		s.tokenEvents(tx, rg, old.Past, *ask.token)
		if ask.strategy == strategySet && len(old.Access.Tokens) > 0 {
			Tell(tx, rg, "The AUTH token that is being set is not the one most recently rotated in: clients that use that one can't log in once the change is complete.")
		}
		rg.Past = s.remember(old.Past, *ask.token)
	}
	if !reflect.DeepEqual(rg, old) {
		tx.Put(rg)
		tellUpgrade(tx, old, rg)
	}
}

// remember puts token at the front of past, where it is once.
func (s *Service) remember(past []identity.PastSecret, token identity.Secret) []identity.PastSecret {
	others := slices.DeleteFunc(slices.Clone(past), func(p identity.PastSecret) bool {
		return s.key.Matches(&p.Exact, []byte(token.Reveal()))
	})
	return s.key.Remember(others, token, s.clock.Now().UTC())
}

// tokenEvents tells when a new token is against the guide's recommendations.
// They are recommendations: AWS does not enforce them.
func (s *Service) tokenEvents(tx *state.Tx, rg *identity.ReplicationGroup, past []identity.PastSecret, token identity.Secret) {
	if isWeak(token) {
		Tell(tx, rg, "The new AUTH token is weak: it has fewer than %d of upper case, lower case, digits and punctuation.", wantedClasses)
	}
	switch same, similar := s.key.Resembles(past, token); {
	case same:
		Tell(tx, rg, "The new AUTH token is the same as one of the last %d.", identity.PastSecretsKept)
	case similar:
		Tell(tx, rg, "The new AUTH token is similar to one of the last %d.", identity.PastSecretsKept)
	}
}
