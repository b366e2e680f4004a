package users

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// CreateUserInput is a CreateUser request. An empty string or a nil slice was
// not given.
type CreateUserInput struct {
	ID             string
	Name           string
	Engine         string
	AccessString   string
	Authentication Authentication
	Tags           []naming.Tag
}

// ModifyUserInput is a ModifyUser request. A nil field was not given.
type ModifyUserInput struct {
	ID                 string
	Engine             *string
	AccessString       *string
	AppendAccessString *string
	Authentication     Authentication
}

// CreateUser makes a user, active at once. Its errors are of the kinds
// InvalidParameterValue, InvalidParameterCombination, MissingParameter,
// UserExists, UserQuota and TagQuota.
func (s *Service) CreateUser(ctx context.Context, in CreateUserInput) (UserDescription, error) {
	user, passwords, err := in.decide()
	if err != nil {
		return UserDescription{}, err
	}
	user.Incarnation = fresh()
	user.Created = s.clock.Now().UTC()
	view, err := s.state.Update(ctx, func(tx *state.Tx) error {
		if tx.View().Users[user.ID] != nil {
			return identity.Errorf(identity.UserExists, "User %s already exists.", user.ID)
		}
		if n := countUsers(tx.View()); n >= s.quotas.Users {
			return identity.Errorf(identity.UserQuota, "The quota of users has been exceeded: an account has at most %d.", s.quotas.Users)
		}
		created := *user
		s.setPasswords(tx, &created, passwords)
		tx.Put(&created)
		tx.Event(userSource, created.ID, "User %s was created with user name %s, engine %s and authentication type %s.",
			created.ID, created.Name, created.Engine, created.Auth)
		return nil
	})
	if err != nil {
		return UserDescription{}, err
	}
	return s.describeUser(view, view.Users[user.ID]), nil
}

// decide checks everything that does not depend on what else exists.
func (in *CreateUserInput) decide() (*identity.User, []identity.Secret, error) {
	id, err := naming.ID("UserId", in.ID, naming.MaxID)
	if err != nil {
		return nil, nil, err
	}
	if err := checkName(in.Name); err != nil {
		return nil, nil, err
	}
	if in.Engine == "" {
		return nil, nil, naming.Missing("Engine")
	}
	engine, err := naming.Engine(in.Engine)
	if err != nil {
		return nil, nil, err
	}
	auth, passwords, err := in.Authentication.decide()
	if err != nil {
		return nil, nil, err
	}
	access, err := newAccessString(engine, in.AccessString)
	if err != nil {
		return nil, nil, err
	}
	tags, err := naming.AddTags(nil, in.Tags)
	if err != nil {
		return nil, nil, err
	}
	user := &identity.User{
		ID: id, Name: in.Name, Engine: engine, Status: identity.Active,
		AccessString: access, Auth: auth, Tags: tags,
	}
	return user, passwords, checkAuth(user)
}

// ModifyUser writes the changes; the user is modifying until Finish finds that
// every cache has followed. Its errors are of the kinds InvalidParameterValue,
// InvalidParameterCombination, MissingParameter, UserNotFound and UserState.
func (s *Service) ModifyUser(ctx context.Context, in ModifyUserInput) (UserDescription, error) {
	view, err := s.state.Update(ctx, func(tx *state.Tx) error {
		user, err := findUser(tx.View(), in.ID)
		if err != nil {
			return err
		}
		if user.ID == identity.DefaultUser {
			return identity.Errorf(identity.InvalidParameterValue, "The default user cannot be modified.")
		}
		if user.Status != identity.Active {
			return identity.Errorf(identity.UserState, "User %s has status %s. Only active users can be modified.", user.ID, user.Status)
		}
		return s.modify(tx, user, &in)
	})
	if err != nil {
		return UserDescription{}, err
	}
	return s.describeUser(view, view.Users[strings.ToLower(in.ID)]), nil
}

func (s *Service) modify(tx *state.Tx, user *identity.User, in *ModifyUserInput) error {
	what := in.parts()
	if what == "" {
		return identity.Errorf(identity.InvalidParameterCombination,
			"No modifications were requested for user %s. Give an access string, an engine, or an authentication mode or passwords.", user.ID)
	}
	changed, passwords, err := in.decide(user)
	if err != nil {
		return err
	}
	if err := checkGroupsOf(tx.View(), changed); err != nil {
		return err
	}
	if in.Authentication.given() {
		s.setPasswords(tx, changed, passwords)
	}
	changed.Status = identity.Modifying
	tx.Put(changed)
	tx.Event(userSource, user.ID, "User %s is being modified: %s. Connected clients stay connected.", user.ID, what)
	return nil
}

// parts names what the request changes, "" when it changes nothing.
func (in *ModifyUserInput) parts() string {
	var parts []string
	if in.AccessString != nil || in.AppendAccessString != nil {
		parts = append(parts, "access string")
	}
	if in.Engine != nil {
		parts = append(parts, "engine")
	}
	if in.Authentication.given() {
		parts = append(parts, "authentication")
	}
	return strings.Join(parts, ", ")
}

// decide returns a copy of the user with the changes, but for the passwords.
func (in *ModifyUserInput) decide(user *identity.User) (changed *identity.User, passwords []identity.Secret, err error) {
	next := *user
	if in.Engine != nil {
		if next.Engine, err = naming.Engine(*in.Engine); err != nil {
			return nil, nil, err
		}
	}
	if next.AccessString, err = changedAccessString(next.Engine, user.AccessString, in); err != nil {
		return nil, nil, err
	}
	if in.Authentication.given() {
		if next.Auth, passwords, err = in.Authentication.decide(); err != nil {
			return nil, nil, err
		}
	}
	return &next, passwords, checkAuth(&next)
}

// DeleteUser takes the user out of every group; it is deleting until Finish
// finds that the caches of those groups have followed. Its errors are of the
// kinds InvalidParameterValue, MissingParameter, UserNotFound, UserState and
// DefaultUserAssociated.
func (s *Service) DeleteUser(ctx context.Context, id string) (UserDescription, error) {
	view, err := s.state.Update(ctx, func(tx *state.Tx) error {
		user, err := findUser(tx.View(), id)
		if err != nil {
			return err
		}
		if user.ID == identity.DefaultUser {
			return identity.Errorf(identity.InvalidParameterValue, "The default user cannot be deleted.")
		}
		if user.Status != identity.Active {
			return identity.Errorf(identity.UserState, "User %s has status %s. Only active users can be deleted.", user.ID, user.Status)
		}
		left, err := leaveAll(tx, user)
		if err != nil {
			return err
		}
		deleted := *user
		deleted.Status = identity.Deleting
		tx.Put(&deleted)
		from := ""
		if len(left) > 0 {
			from = " and removed from " + groupList(left)
		}
		tx.Event(userSource, user.ID, "User %s is being deleted%s.", user.ID, from)
		return nil
	})
	if err != nil {
		return UserDescription{}, err
	}
	return s.describeUser(view, view.Users[strings.ToLower(id)]), nil
}

// leaveAll takes the user out of the groups that have it, and returns their
// ids. The groups write no event of their own here: a user may be in so many
// that the store could not take them in one transaction; Finish records them.
func leaveAll(tx *state.Tx, user *identity.User) ([]string, error) {
	var left []string
	for _, group := range state.Sorted(tx.View().UserGroups) {
		members := Membership(group)
		if group.Status == identity.Deleting || !hasMember(members, user.ID) {
			continue
		}
		if group.Engine == identity.Redis && user.Name == identity.DefaultUser {
			return nil, identity.Errorf(identity.DefaultUserAssociated,
				"User %s is the default user of user group %s. Replace it there by another user with the user name default before deleting it.",
				user.ID, group.ID)
		}
		changed := *group
		changed.Target = slices.DeleteFunc(slices.Clone(members), func(m identity.Member) bool { return m.UserID == user.ID })
		if changed.Status == identity.Active {
			changed.Status = identity.Modifying
		}
		tx.Put(&changed)
		left = append(left, group.ID)
	}
	return left, nil
}

// groupList names groups in an event, not all of them when they are many.
func groupList(ids []string) string {
	const most = 10
	if len(ids) == 1 {
		return "user group " + ids[0]
	}
	more := ""
	if len(ids) > most {
		ids, more = ids[:most], ", …"
	}
	return "user groups " + strings.Join(ids, ", ") + more
}

func countUsers(view *state.View) int {
	n := len(view.Users)
	if view.Users[identity.DefaultUser] != nil {
		n--
	}
	return n
}
