package caches

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// firstWithGroups is where versions begin that have user groups.
const firstWithGroups = "6.0"

// changeVersion makes a request's engine and version those of rg. Versions go
// up only, and redis may become valkey (ElastiCache user guide, "Upgrading
// engine versions including cross engine upgrades").
func (s *Service) changeVersion(rg *identity.ReplicationGroup, in *ModifyReplicationGroupInput) error {
	if in.Engine == nil && in.EngineVersion == nil {
		return nil
	}
	engine, err := naming.Engine(or(in.Engine, string(rg.Engine)))
	if err != nil {
		return err
	}
	from := versionOf(rg)
	if engine == from.Engine && (in.EngineVersion == nil || from.isCalled(*in.EngineVersion)) {
		return nil
	}
	to, err := findVersion(engine, in.EngineVersion)
	if err != nil {
		return err
	}
	switch {
	case to.Engine == identity.Redis && from.Engine == identity.Valkey:
		return identity.Errorf(identity.InvalidParameterCombination, "The engine can't be changed from valkey to redis.")
	case to.Engine == from.Engine && place(to) < place(from):
		return identity.Errorf(identity.InvalidParameterCombination,
			"The engine version can't be lowered from %s to %s. Create a new replication group with the version that you want.", from.Version, to.Version)
	}
	if err := s.installed(to.Engine); err != nil {
		return err
	}
	rg.Engine, rg.EngineVersion = to.Engine, to.Version
	rg.Status, rg.AwaitSync = identity.Modifying, true
	return nil
}

// place is where a version stands in the order of versions.
func place(v EngineVersion) int {
	return slices.IndexFunc(versions, func(other EngineVersion) bool { return other.Engine == v.Engine && other.Version == v.Version })
}

// parameterGroupOf returns the name of the parameter group that a request leaves
// the cache with: another family's default group takes the place of a default group.
func parameterGroupOf(old, rg *identity.ReplicationGroup, in *ModifyReplicationGroupInput) string {
	name := strings.ToLower(or(in.ParameterGroup, old.Settings.ParameterGroup))
	if in.ParameterGroup == nil && name == defaultParameterGroup(versionOf(old).Family) {
		return defaultParameterGroup(versionOf(rg).Family)
	}
	return name
}

// tellUpgrade says what changes, and that a cache stays open that could be
// closed to strangers from now on.
func tellUpgrade(tx *state.Tx, old, rg *identity.ReplicationGroup) {
	if old.Engine == rg.Engine && old.EngineVersion == rg.EngineVersion {
		return
	}
	Tell(tx, rg, "Upgrading replication group %s from %s %s to %s %s", rg.ID, old.Engine, old.EngineVersion, rg.Engine, rg.EngineVersion)
	if !versionOf(old).groups && versionOf(rg).groups && isOpen(rg.Effective()) {
		Tell(tx, rg, "WARNING: replication group %s is still open after its upgrade to %s %s: clients are let in without a credential. Versions from %s on have user groups (RBAC); attach one, or set an AUTH token.",
			rg.ID, rg.Engine, rg.EngineVersion, firstWithGroups)
	}
}
