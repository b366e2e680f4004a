package caches

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// transitSteps are the changes of encryption in transit that AWS makes on a
// cache that exists: clients get time to change over in mode preferred, in which
// both are accepted on one port (ElastiCache user guide, "Enabling in-transit
// encryption on a node-based cluster").
var transitSteps = map[[2]identity.TransitMode]bool{
	{identity.TransitPlain, identity.TransitPreferred}:    true,
	{identity.TransitPreferred, identity.TransitRequired}: true,
	{identity.TransitRequired, identity.TransitPreferred}: true,
	{identity.TransitPreferred, identity.TransitPlain}:    true,
}

// changeTransit answers the TransitEncryption parameters. AWS refuses them on a
// cache with access control even when they change nothing.
func changeTransit(rg *identity.ReplicationGroup, in *ModifyReplicationGroupInput, ask accessChange) error {
	if in.TransitEncryptionEnabled == nil && in.TransitEncryptionMode == nil {
		return nil
	}
	encrypted := or(in.TransitEncryptionEnabled, rg.Transit != identity.TransitPlain)
	switch {
	case rg.Access.State != identity.AuthNone || ask.token != nil || ask.add != "":
		return identity.Errorf(identity.InvalidParameterCombination,
			"Modification of transit encryption is not supported for access control enabled clusters.")
	case in.TransitEncryptionMode != nil && !encrypted:
		return identity.Errorf(identity.InvalidParameterCombination,
			"To modify transit encryption mode, set encryption-in-transit as enabled.")
	}
	wanted := wantedTransit(rg.Transit, encrypted, in.TransitEncryptionMode)
	switch {
	case wanted == rg.Transit:
		return nil
	case !transitSteps[[2]identity.TransitMode{rg.Transit, wanted}]:
		return identity.Errorf(identity.InvalidParameterCombination,
			"Transit encryption of replication group %s can't be changed at once. Set TransitEncryptionMode to preferred first, with TransitEncryptionEnabled; change your clients over, then make the second step.", rg.ID)
	case !versionOf(rg).preferred:
		return identity.Errorf(identity.InvalidParameterCombination,
			"Transit encryption mode preferred is not supported for %s %s. It requires redis 7.0 or later, or valkey.", rg.Engine, rg.EngineVersion)
	}
	rg.Transit, rg.Status = wanted, identity.Modifying
	return nil
}

// wantedTransit is the mode that a request's two parameters mean.
func wantedTransit(now identity.TransitMode, encrypted bool, mode *string) identity.TransitMode {
	switch {
	case !encrypted:
		return identity.TransitPlain
	case mode != nil:
		return identity.TransitMode(strings.ToLower(*mode))
	case now == identity.TransitPlain:
		return identity.TransitRequired // what "enabled" alone means
	default:
		return now
	}
}
