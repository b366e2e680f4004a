package caches

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// EngineVersion is a version that a cache may ask for, and the rules that
// belong to it (ElastiCache user guide: "Supported engine versions",
// "In-transit encryption", "AUTH command", "RBAC", "IAM").
type EngineVersion struct {
	Engine  identity.Engine
	Version string // in full, as the API reports it
	Family  string // of its parameter groups
	Default bool   // taken when no version is asked for

	labels []string // other spellings that mean this version

	tls         bool // in-transit encryption, and with it AUTH tokens
	tokenChange bool // ModifyReplicationGroup may change the AUTH token
	groups      bool // user groups
	preferred   bool // TransitEncryptionMode
	iam         bool // users that log in with IAM
}

// versions are all versions, oldest first. A label names the newest full
// version that AWS gives for it; "6.x" is the newest 6.
var versions = []EngineVersion{
	{Engine: identity.Redis, Version: "3.2.4", Family: "redis3.2"},
	{Engine: identity.Redis, Version: "3.2.6", Family: "redis3.2", tls: true},
	{Engine: identity.Redis, Version: "3.2.10", Family: "redis3.2"},
	{Engine: identity.Redis, Version: "4.0.10", Family: "redis4.0", tls: true},
	{Engine: identity.Redis, Version: "5.0.0", Family: "redis5.0", tls: true},
	{Engine: identity.Redis, Version: "5.0.3", Family: "redis5.0", tls: true},
	{Engine: identity.Redis, Version: "5.0.4", Family: "redis5.0", tls: true},
	{Engine: identity.Redis, Version: "5.0.5", Family: "redis5.0", tls: true},
	{Engine: identity.Redis, Version: "5.0.6", Family: "redis5.0", tls: true, tokenChange: true},
	{Engine: identity.Redis, Version: "6.0.5", Family: "redis6.x", labels: []string{"6.0"}, tls: true, tokenChange: true, groups: true},
	{Engine: identity.Redis, Version: "6.2.6", Family: "redis6.x", labels: []string{"6.2", "6.x"}, tls: true, tokenChange: true, groups: true},
	{Engine: identity.Redis, Version: "7.0.7", Family: "redis7", labels: []string{"7.0"}, tls: true, tokenChange: true, groups: true, preferred: true, iam: true},
	{Engine: identity.Redis, Version: "7.1.0", Family: "redis7", labels: []string{"7.1", "7.x"}, Default: true, tls: true, tokenChange: true, groups: true, preferred: true, iam: true},
	{Engine: identity.Valkey, Version: "7.2.6", Family: "valkey7", labels: []string{"7.2"}, tls: true, tokenChange: true, groups: true, preferred: true, iam: true},
	{Engine: identity.Valkey, Version: "8.0.1", Family: "valkey8", labels: []string{"8.0"}, Default: true, tls: true, tokenChange: true, groups: true, preferred: true, iam: true},
}

// findVersion returns the version that label means, or the engine's default.
func findVersion(engine identity.Engine, label *string) (EngineVersion, error) {
	for _, v := range versions {
		if v.Engine == engine && (label == nil && v.Default || label != nil && v.isCalled(*label)) {
			return v, nil
		}
	}
	return EngineVersion{}, identity.Errorf(identity.InvalidParameterCombination, "Cannot find version %s for %s", naming.Shorten(*label), engine)
}

// versionOf returns the version of a cache. A cache of a version that this
// program no longer lists has only what every version has.
func versionOf(rg *identity.ReplicationGroup) EngineVersion {
	for _, v := range versions {
		if v.Engine == rg.Engine && v.Version == rg.EngineVersion {
			return v
		}
	}
	return EngineVersion{Engine: rg.Engine, Version: rg.EngineVersion}
}

func (v EngineVersion) isCalled(label string) bool {
	return label == v.Version || slices.Contains(v.labels, label)
}

// families returns all parameter group families, oldest first.
func families() []string {
	var found []string
	for _, v := range versions {
		if !slices.Contains(found, v.Family) {
			found = append(found, v.Family)
		}
	}
	return found
}

// DescribeEngineVersions lists versions, oldest first. With DefaultOnly it
// lists the newest of a family that was asked for, else each engine's default.
func (s *Service) DescribeEngineVersions(in DescribeEngineVersionsInput) ([]EngineVersion, error) {
	var engine identity.Engine
	if in.Engine != nil {
		var err error
		if engine, err = naming.Engine(*in.Engine); err != nil {
			return nil, err
		}
	}
	found := []EngineVersion{}
	for _, v := range versions {
		switch {
		case in.Engine != nil && v.Engine != engine,
			in.Version != nil && !v.isCalled(*in.Version),
			in.Family != nil && !strings.EqualFold(v.Family, *in.Family),
			isTrue(in.DefaultOnly) && in.Family == nil && !v.Default:
			continue
		}
		found = append(found, v)
	}
	if isTrue(in.DefaultOnly) && in.Family != nil && len(found) > 1 {
		found = found[len(found)-1:]
	}
	return found, nil
}
