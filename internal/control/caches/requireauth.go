package caches

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// requireAuth refuses access that would admit clients who prove nothing, where
// the server requires authentication and no reviewed exception names the cache.
// The rule is the audit's Gatehouse.2, so that what is made here never fails it.
func (s *Service) requireAuth(view *state.View, rg *identity.ReplicationGroup, next identity.Access) error {
	if s.config.MayAdmitAnyone == nil {
		return nil
	}
	why := admitsAnyone(view, next)
	if why == "" {
		return nil
	}
	kind, pass := naming.ReplicationGroup, "AuthToken, or a user group whose user named default is off or has a password"
	if rg.Standalone {
		kind, pass = naming.Cluster, "AuthToken"
	}
	arn := s.config.Account.ARN(kind, rg.ID)
	if s.config.MayAdmitAnyone(arn) {
		return nil
	}
	return identity.Errorf(identity.InvalidParameterCombination,
		"This server requires authentication (serve --require-auth, control Gatehouse.2), and replication group %s would admit clients without a credential: %s. Pass %s; or let a reviewed exception for Gatehouse.2 name %s.",
		rg.ID, why, pass, arn)
}

// admitsAnyone says by what way clients without a credential get in, "" for none.
func admitsAnyone(view *state.View, access identity.Access) string {
	switch access.State {
	case identity.AuthNone:
		return "it has neither an AUTH token nor a user group"
	case identity.OptionalOne:
		return "after ROTATE its AUTH token is optional until SET"
	}
	group := view.UserGroups[access.GroupID]
	if group == nil {
		return ""
	}
	for _, member := range users.Membership(group) {
		user := view.Users[member.UserID]
		if user != nil && user.Name == identity.DefaultUser && user.Auth == identity.AuthNoPassword && isOn(user.AccessString) {
			return "user " + user.ID + " of user group " + group.ID + " is named default, is on and needs no password"
		}
	}
	return ""
}

// isOn reads the on or off of an access string; the later word wins.
func isOn(accessString string) bool {
	on := false
	for word := range strings.FieldsSeq(accessString) {
		if strings.EqualFold(word, "on") || strings.EqualFold(word, "off") {
			on = strings.EqualFold(word, "on")
		}
	}
	return on
}
