package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// NewEntity is what is given at the creation of a user, group or role.
type NewEntity struct {
	Name     string
	Path     string // "" is the root path
	Boundary string // "" for none; not of a group
	Tags     []naming.Tag
}

// make checks a new entity and gives it its id.
func (s *Service) make(view *state.View, kind Kind, idPrefix string, in NewEntity) (identity.IAMEntity, error) {
	if _, exists := entityOf(view, kind, in.Name); exists != nil {
		return identity.IAMEntity{}, alreadyExists(kind, in.Name)
	}
	if err := s.checkBoundary(view, in.Boundary); err != nil {
		return identity.IAMEntity{}, err
	}
	tags, err := addTags(nil, in.Tags)
	return identity.IAMEntity{
		Name: in.Name, Path: pathOr(in.Path), ID: uniqueID(idPrefix, entityIDLength), Created: s.Clock.Now().UTC(),
		Boundary: in.Boundary, Tags: tags,
	}, err
}

func alreadyExists(kind Kind, name string) error {
	return identity.Errorf(identity.EntityExists, "%s with name %s already exists.", kind.title(), name)
}

// CreateUser makes a user without credentials or permissions.
func (s *Service) CreateUser(ctx context.Context, in NewEntity) (*identity.IAMUser, error) {
	var user *identity.IAMUser
	err := s.update(ctx, func(tx *state.Tx) error {
		if len(tx.View().IAM.Users) >= maxUsers {
			return limit("UsersPerAccount: %d", maxUsers)
		}
		e, err := s.make(tx.View(), User, "AIDA", in)
		if err != nil {
			return err
		}
		user = &identity.IAMUser{IAMEntity: e}
		tx.Put(user)
		return nil
	})
	return user, err
}

// User returns a user by name.
func (s *Service) User(name string) (*identity.IAMUser, error) {
	user := s.State.View().IAM.Users[strings.ToLower(name)]
	if user == nil {
		return nil, notFound(User, name)
	}
	return user, nil
}

// Users lists the users under a path, by name.
func (s *Service) Users(pathPrefix string) []*identity.IAMUser {
	return slices.DeleteFunc(state.Sorted(s.State.View().IAM.Users), func(u *identity.IAMUser) bool {
		return !underPath(u.Path, pathPrefix)
	})
}

// Rename gives a user or group another name or path; "" leaves it.
func (s *Service) Rename(ctx context.Context, kind Kind, name, newName, newPath string) error {
	return s.update(ctx, func(tx *state.Tx) error {
		old, _ := entityOf(tx.View(), kind, name)
		noun, e, err := copyOf(tx.View(), kind, name)
		if err != nil {
			return err
		}
		if newName != "" && !strings.EqualFold(newName, e.Name) {
			if _, exists := entityOf(tx.View(), kind, newName); exists != nil {
				return alreadyExists(kind, newName)
			}
			tx.Delete(old)
		}
		if newName != "" {
			e.Name = newName
		}
		if newPath != "" {
			e.Path = newPath
		}
		tx.Put(noun)
		return nil
	})
}

// DeleteUser deletes a user that has nothing left.
func (s *Service) DeleteUser(ctx context.Context, name string) error {
	return s.update(ctx, func(tx *state.Tx) error {
		user := tx.View().IAM.Users[strings.ToLower(name)]
		if user == nil {
			return notFound(User, name)
		}
		for _, key := range tx.View().IAM.Keys {
			if key.UserID == user.ID {
				return conflict("Cannot delete entity, must delete access keys first.")
			}
		}
		if len(user.Groups) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := removable(&user.IAMEntity); err != nil {
			return err
		}
		tx.Delete(user)
		return nil
	})
}

// GroupsOf lists the groups of a user, by name.
func (s *Service) GroupsOf(name string) ([]*identity.IAMGroup, error) {
	user, err := s.User(name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(state.Sorted(s.State.View().IAM.Groups), func(g *identity.IAMGroup) bool {
		return !slices.Contains(user.Groups, g.ID)
	}), nil
}
