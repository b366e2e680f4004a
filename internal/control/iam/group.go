package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// CreateGroup makes a group without members or permissions.
func (s *Service) CreateGroup(ctx context.Context, in NewEntity) (*identity.IAMGroup, error) {
	var group *identity.IAMGroup
	err := s.update(ctx, func(tx *state.Tx) error {
		if len(tx.View().IAM.Groups) >= maxGroups {
			return limit("GroupsPerAccount: %d", maxGroups)
		}
		e, err := s.make(tx.View(), Group, "AGPA", in)
		if err != nil {
			return err
		}
		group = &identity.IAMGroup{IAMEntity: e}
		tx.Put(group)
		return nil
	})
	return group, err
}

// Group returns a group and its members, by name.
func (s *Service) Group(name string) (*identity.IAMGroup, []*identity.IAMUser, error) {
	view := s.State.View()
	group := view.IAM.Groups[strings.ToLower(name)]
	if group == nil {
		return nil, nil, notFound(Group, name)
	}
	return group, membersOf(view, group), nil
}

func membersOf(view *state.View, group *identity.IAMGroup) []*identity.IAMUser {
	return slices.DeleteFunc(state.Sorted(view.IAM.Users), func(u *identity.IAMUser) bool {
		return !slices.Contains(u.Groups, group.ID)
	})
}

// Groups lists the groups under a path, by name.
func (s *Service) Groups(pathPrefix string) []*identity.IAMGroup {
	return slices.DeleteFunc(state.Sorted(s.State.View().IAM.Groups), func(g *identity.IAMGroup) bool {
		return !underPath(g.Path, pathPrefix)
	})
}

// DeleteGroup deletes a group that has nothing left.
func (s *Service) DeleteGroup(ctx context.Context, name string) error {
	return s.update(ctx, func(tx *state.Tx) error {
		group := tx.View().IAM.Groups[strings.ToLower(name)]
		if group == nil {
			return notFound(Group, name)
		}
		if len(membersOf(tx.View(), group)) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := removable(&group.IAMEntity); err != nil {
			return err
		}
		tx.Delete(group)
		return nil
	})
}

// AddUserToGroup makes a user a member; one that is a member stays so.
func (s *Service) AddUserToGroup(ctx context.Context, userName, groupName string) error {
	return s.member(ctx, userName, groupName, func(user *identity.IAMUser, group *identity.IAMGroup) error {
		if slices.Contains(user.Groups, group.ID) {
			return nil
		}
		if len(user.Groups) >= maxGroupsPerUser {
			return limit("GroupsPerUser: %d", maxGroupsPerUser)
		}
		user.Groups = append(user.Groups, group.ID)
		return nil
	})
}

// RemoveUserFromGroup ends a membership.
func (s *Service) RemoveUserFromGroup(ctx context.Context, userName, groupName string) error {
	return s.member(ctx, userName, groupName, func(user *identity.IAMUser, group *identity.IAMGroup) error {
		user.Groups = slices.DeleteFunc(user.Groups, func(id string) bool { return id == group.ID })
		return nil
	})
}

func (s *Service) member(ctx context.Context, userName, groupName string, f func(*identity.IAMUser, *identity.IAMGroup) error) error {
	return s.update(ctx, func(tx *state.Tx) error {
		group := tx.View().IAM.Groups[strings.ToLower(groupName)]
		if group == nil {
			return notFound(Group, groupName)
		}
		noun, _, err := copyOf(tx.View(), User, userName)
		if err != nil {
			return err
		}
		if err := f(noun.(*identity.IAMUser), group); err != nil {
			return err
		}
		tx.Put(noun)
		return nil
	})
}
