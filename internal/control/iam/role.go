package iam

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// defaultMaxSession is a role's MaxSessionDuration when none is given (IAM API, CreateRole).
const defaultMaxSession = time.Hour

// CreateRole makes a role. trust says who may assume it; maxSession 0 is one hour.
func (s *Service) CreateRole(ctx context.Context, in NewEntity, trust, description string, maxSession time.Duration) (*identity.IAMRole, error) {
	if maxSession == 0 {
		maxSession = defaultMaxSession
	}
	var role *identity.IAMRole
	err := s.update(ctx, func(tx *state.Tx) error {
		if len(tx.View().IAM.Roles) >= maxRoles {
			return limit("RolesPerAccount: %d", maxRoles)
		}
		e, err := s.make(tx.View(), Role, "AROA", in)
		if err != nil {
			return err
		}
		role = &identity.IAMRole{IAMEntity: e, Trust: trust, Description: description, MaxSession: maxSession}
		role.Trusted, err = s.pin(tx.View(), trust)
		tx.Put(role)
		return err
	})
	return role, err
}

// Role returns a role by name.
func (s *Service) Role(name string) (*identity.IAMRole, error) {
	role := s.State.View().IAM.Roles[strings.ToLower(name)]
	if role == nil {
		return nil, notFound(Role, name)
	}
	return role, nil
}

// Roles lists the roles under a path, by name.
func (s *Service) Roles(pathPrefix string) []*identity.IAMRole {
	return slices.DeleteFunc(state.Sorted(s.State.View().IAM.Roles), func(r *identity.IAMRole) bool {
		return !underPath(r.Path, pathPrefix)
	})
}

// UpdateRole changes what is given: nil leaves the description, 0 the duration.
func (s *Service) UpdateRole(ctx context.Context, name string, description *string, maxSession time.Duration) (*identity.IAMRole, error) {
	return s.changeRole(ctx, name, func(_ *state.View, role *identity.IAMRole) error {
		if description != nil {
			role.Description = *description
		}
		if maxSession != 0 {
			role.MaxSession = maxSession
		}
		return nil
	})
}

// UpdateTrust replaces the policy that says who may assume the role.
func (s *Service) UpdateTrust(ctx context.Context, name, document string) error {
	_, err := s.changeRole(ctx, name, func(view *state.View, role *identity.IAMRole) (err error) {
		role.Trust = document
		role.Trusted, err = s.pin(view, document)
		return err
	})
	return err
}

func (s *Service) changeRole(ctx context.Context, name string, f func(*state.View, *identity.IAMRole) error) (*identity.IAMRole, error) {
	var role *identity.IAMRole
	err := s.update(ctx, func(tx *state.Tx) error {
		noun, _, err := copyOf(tx.View(), Role, name)
		if err != nil {
			return err
		}
		role = noun.(*identity.IAMRole)
		tx.Put(role)
		return f(tx.View(), role)
	})
	return role, err
}

// DeleteRole deletes a role that has no policies left. Its sessions end with it.
func (s *Service) DeleteRole(ctx context.Context, name string) error {
	return s.update(ctx, func(tx *state.Tx) error {
		role := tx.View().IAM.Roles[strings.ToLower(name)]
		if role == nil {
			return notFound(Role, name)
		}
		if err := removable(&role.IAMEntity); err != nil {
			return err
		}
		tx.Delete(role)
		return nil
	})
}
