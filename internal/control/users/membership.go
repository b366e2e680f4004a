package users

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Membership returns the members that the group is to have: Target while it is
// being brought about (empty is then a membership too), Members otherwise.
func Membership(group *identity.UserGroup) []identity.Member {
	if group.Status == identity.Creating || group.Status == identity.Modifying {
		return group.Target
	}
	return group.Members
}

func hasMember(members []identity.Member, userID string) bool {
	return slices.ContainsFunc(members, func(m identity.Member) bool { return m.UserID == userID })
}

// join returns members with the users added, each with a membership of its own.
func join(view *state.View, members []identity.Member, ids []string) ([]identity.Member, error) {
	joined := slices.Clone(members)
	for _, id := range ids {
		user, err := findUser(view, id)
		if err != nil {
			return nil, err
		}
		if user.Status == identity.Deleting {
			// Not a state error: the API gives none for groups, and soon this is literally so.
			return nil, identity.Errorf(identity.UserNotFound, "User %s is being deleted and cannot be added to a user group.", user.ID)
		}
		if hasMember(members, user.ID) {
			return nil, identity.Errorf(identity.InvalidParameterValue, "User %s is already a member of the user group.", user.ID)
		}
		if hasMember(joined, user.ID) {
			return nil, identity.Errorf(identity.InvalidParameterValue, "User %s is given more than once.", user.ID)
		}
		joined = append(joined, identity.Member{UserID: user.ID, Joined: fresh()})
	}
	return joined, nil
}

// leave returns the group's members without the users. One that is no member
// spoils the whole request, as it does on AWS.
func leave(view *state.View, group *identity.UserGroup, ids []string) ([]identity.Member, error) {
	rest := slices.Clone(group.Members)
	for _, id := range ids {
		user, err := findUser(view, id)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(rest, func(m identity.Member) bool { return m.UserID == user.ID })
		switch {
		case i >= 0:
			rest = slices.Delete(rest, i, i+1)
		case hasMember(group.Members, user.ID):
			return nil, identity.Errorf(identity.InvalidParameterValue, "User %s is given more than once.", user.ID)
		default:
			return nil, identity.Errorf(identity.InvalidParameterValue, "User %s is not a member of user group %s.", user.ID, group.ID)
		}
	}
	return rest, nil
}

// checkGroup judges the membership that the group is to have.
func (s *Service) checkGroup(view *state.View, group *identity.UserGroup) error {
	if len(group.Target) > s.quotas.UsersPerGroup {
		return identity.Errorf(identity.UserGroupQuota,
			"The number of users exceeds the user group limit: user group %s would have %d users and may have %d.",
			group.ID, len(group.Target), s.quotas.UsersPerGroup)
	}
	byName := map[string]string{}
	for _, member := range group.Target {
		user := view.Users[member.UserID]
		if reason := misfit(group.Engine, user); reason != "" {
			return identity.Errorf(identity.InvalidParameterValue,
				"User %s cannot be in user group %s: %s.", user.ID, group.ID, reason)
		}
		if other, taken := byName[user.Name]; taken {
			return identity.Errorf(identity.DuplicateUserName,
				"User group %s cannot have two users with the user name %s: %s and %s.", group.ID, user.Name, other, user.ID)
		}
		byName[user.Name] = user.ID
	}
	if _, has := byName[identity.DefaultUser]; !has && group.Engine == identity.Redis {
		return identity.Errorf(identity.DefaultUserRequired, "User group needs to contain a user with the user name default.")
	}
	return nil
}

// misfit says why a user may not be in a group of that engine, "" if it may
// (ElastiCache user guide, "Role-Based Access Control", engine compatibility).
func misfit(group identity.Engine, user *identity.User) string {
	switch {
	case group == identity.Redis && user.Engine == identity.Valkey:
		return "users with engine valkey cannot be in groups with engine redis"
	case group == identity.Valkey && user.Auth == identity.AuthNoPassword:
		return "users that need no password cannot be in groups with engine valkey"
	default:
		return ""
	}
}

// checkGroupsOf judges whether a changed user may stay in its groups.
func checkGroupsOf(view *state.View, user *identity.User) error {
	for _, group := range state.Sorted(view.UserGroups) {
		if group.Status == identity.Deleting || !hasMember(Membership(group), user.ID) {
			continue
		}
		if reason := misfit(group.Engine, user); reason != "" {
			return identity.Errorf(identity.InvalidParameterCombination,
				"User %s cannot be modified so while it is in user group %s: %s.", user.ID, group.ID, reason)
		}
	}
	return nil
}

// Attachable returns the group that a cache of that engine is to be given. A
// group that does not exist is identity.UserGroupNotFound, one that is not
// active identity.UserGroupState, one of the wrong engine
// identity.InvalidParameterCombination.
func Attachable(view *state.View, groupID string, cache identity.Engine) (*identity.UserGroup, error) {
	group, err := findGroup(view, groupID)
	if err != nil {
		return nil, err
	}
	if group.Status != identity.Active {
		return nil, identity.Errorf(identity.UserGroupState,
			"User group %s has status %s. Only active user groups can be attached.", group.ID, group.Status)
	}
	return group, checkCache(group.ID, group.Engine, cache)
}

func checkCache(groupID string, group, cache identity.Engine) error {
	if group == identity.Valkey && cache == identity.Redis {
		return identity.Errorf(identity.InvalidParameterCombination,
			"User group %s with engine valkey cannot be used by a cache with engine redis.", groupID)
	}
	return nil
}

// checkCachesOf judges whether the group's caches allow it another engine.
func checkCachesOf(view *state.View, groupID string, engine identity.Engine) error {
	for _, cache := range cachesOf(view, groupID) {
		if err := checkCache(groupID, engine, cache.Engine); err != nil {
			return err
		}
	}
	return nil
}

// cachesOf returns the caches that have the group or are being given it.
func cachesOf(view *state.View, groupID string) []*identity.ReplicationGroup {
	return slices.DeleteFunc(state.Sorted(view.ReplicationGroups), func(rg *identity.ReplicationGroup) bool {
		return rg.Access.GroupID != groupID && rg.Effective().GroupID != groupID
	})
}

// difference returns the ids of the members that to has and from has not, and
// the other way round.
func difference(from, to []identity.Member) (added, removed []string) {
	return missing(to, from), missing(from, to)
}

func missing(from, in []identity.Member) []string {
	var ids []string
	for _, member := range from {
		if !slices.Contains(in, member) {
			ids = append(ids, member.UserID)
		}
	}
	slices.Sort(ids)
	return ids
}

// changes puts what a modification does into words.
func changes(old, changed *identity.UserGroup) string {
	var parts []string
	if old.Engine != changed.Engine {
		parts = append(parts, fmt.Sprintf("its engine becomes %s", changed.Engine))
	}
	added, removed := difference(old.Members, changed.Target)
	if len(added) > 0 {
		parts = append(parts, "added "+strings.Join(added, ", "))
	}
	if len(removed) > 0 {
		parts = append(parts, "removed "+strings.Join(removed, ", ")+", whose connections end")
	}
	if len(parts) == 0 {
		return "nothing that clients notice"
	}
	return strings.Join(parts, "; ")
}

// count is n of a noun, with the plural s.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
