package users

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// CreateUserGroupInput is a CreateUserGroup request. An empty string or a nil
// slice was not given.
type CreateUserGroupInput struct {
	ID      string
	Engine  string
	UserIDs []string
	Tags    []naming.Tag
}

// ModifyUserGroupInput is a ModifyUserGroup request. A nil field was not given.
type ModifyUserGroupInput struct {
	ID     string
	Engine *string
	Add    []string
	Remove []string
}

// CreateUserGroup makes a group; it is creating until Finish. Its errors are of
// the kinds InvalidParameterValue, MissingParameter, UserNotFound,
// UserGroupExists, DuplicateUserName, DefaultUserRequired, UserGroupQuota and
// TagQuota.
func (s *Service) CreateUserGroup(ctx context.Context, in CreateUserGroupInput) (GroupDescription, error) {
	group, err := in.decide()
	if err != nil {
		return GroupDescription{}, err
	}
	group.Created = s.clock.Now().UTC()
	view, err := s.state.Update(ctx, func(tx *state.Tx) error {
		if tx.View().UserGroups[group.ID] != nil {
			return identity.Errorf(identity.UserGroupExists, "User group %s already exists.", group.ID)
		}
		if len(tx.View().UserGroups) >= s.quotas.Groups {
			return identity.Errorf(identity.UserGroupQuota, "The quota of user groups has been exceeded: an account has at most %d.", s.quotas.Groups)
		}
		members, err := join(tx.View(), nil, in.UserIDs)
		if err != nil {
			return err
		}
		created := *group
		// A new group shows its users at once: no cache can have it yet.
		created.Members, created.Target = members, members
		if err := s.checkGroup(tx.View(), &created); err != nil {
			return err
		}
		tx.Put(&created)
		tx.Event(groupSource, created.ID, "User group %s is being created with engine %s and %s.",
			created.ID, created.Engine, count(len(members), "user"))
		return nil
	})
	if err != nil {
		return GroupDescription{}, err
	}
	return s.describeGroup(view, view.UserGroups[group.ID]), nil
}

func (in *CreateUserGroupInput) decide() (*identity.UserGroup, error) {
	id, err := naming.ID("UserGroupId", in.ID, naming.MaxID)
	if err != nil {
		return nil, err
	}
	if in.Engine == "" {
		return nil, naming.Missing("Engine")
	}
	engine, err := naming.Engine(in.Engine)
	if err != nil {
		return nil, err
	}
	tags, err := naming.AddTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	return &identity.UserGroup{ID: id, Engine: engine, Status: identity.Creating, Tags: tags}, nil
}

// ModifyUserGroup adds and removes users in one step; the group is modifying,
// and shows its old users, until Finish finds that every cache has followed.
// Its errors are of the kinds InvalidParameterValue,
// InvalidParameterCombination, MissingParameter, UserNotFound,
// UserGroupNotFound, UserGroupState, DuplicateUserName, DefaultUserRequired and
// UserGroupQuota.
func (s *Service) ModifyUserGroup(ctx context.Context, in ModifyUserGroupInput) (GroupDescription, error) {
	view, err := s.state.Update(ctx, func(tx *state.Tx) error {
		group, err := findGroup(tx.View(), in.ID)
		if err != nil {
			return err
		}
		if group.Status != identity.Active {
			return identity.Errorf(identity.UserGroupState,
				"User group %s has status %s. Only active user groups can be modified.", group.ID, group.Status)
		}
		return s.modifyGroup(tx, group, &in)
	})
	if err != nil {
		return GroupDescription{}, err
	}
	return s.describeGroup(view, view.UserGroups[strings.ToLower(in.ID)]), nil
}

func (s *Service) modifyGroup(tx *state.Tx, group *identity.UserGroup, in *ModifyUserGroupInput) error {
	if in.Engine == nil && len(in.Add) == 0 && len(in.Remove) == 0 {
		return identity.Errorf(identity.InvalidParameterCombination,
			"No modifications were requested for user group %s. Give users to add, users to remove or an engine.", group.ID)
	}
	changed := *group
	if in.Engine != nil {
		engine, err := naming.Engine(*in.Engine)
		if err != nil {
			return err
		}
		if err := checkCachesOf(tx.View(), group.ID, engine); err != nil {
			return err
		}
		changed.Engine = engine
	}
	if id := firstInBoth(in.Add, in.Remove); id != "" {
		return identity.Errorf(identity.InvalidParameterCombination, "User %s is both to be added and to be removed.", naming.Shorten(id))
	}
	rest, err := leave(tx.View(), group, in.Remove)
	if err != nil {
		return err
	}
	if changed.Target, err = join(tx.View(), rest, in.Add); err != nil {
		return err
	}
	if err := s.checkGroup(tx.View(), &changed); err != nil {
		return err
	}
	changed.Status = identity.Modifying
	tx.Put(&changed)
	tx.Event(groupSource, group.ID, "User group %s is being modified: %s.", group.ID, changes(group, &changed))
	return nil
}

// DeleteUserGroup deletes a group that no cache has; its users stay. Its errors
// are of the kinds MissingParameter, UserGroupNotFound and UserGroupState.
func (s *Service) DeleteUserGroup(ctx context.Context, id string) (GroupDescription, error) {
	view, err := s.state.Update(ctx, func(tx *state.Tx) error {
		group, err := findGroup(tx.View(), id)
		if err != nil {
			return err
		}
		if group.Status != identity.Active {
			return identity.Errorf(identity.UserGroupState,
				"User group %s has status %s. Only active user groups can be deleted.", group.ID, group.Status)
		}
		if caches := cachesOf(tx.View(), group.ID); len(caches) > 0 {
			return identity.Errorf(identity.UserGroupState,
				"User group %s is attached to replication group %s. Detach it from all caches before deleting it.", group.ID, caches[0].ID)
		}
		deleted := *group
		deleted.Status = identity.Deleting
		tx.Put(&deleted)
		tx.Event(groupSource, group.ID, "User group %s is being deleted.", group.ID)
		return nil
	})
	if err != nil {
		return GroupDescription{}, err
	}
	return s.describeGroup(view, view.UserGroups[strings.ToLower(id)]), nil
}

func firstInBoth(a, b []string) string {
	for _, id := range a {
		if slices.ContainsFunc(b, func(other string) bool { return strings.EqualFold(id, other) }) {
			return id
		}
	}
	return ""
}
