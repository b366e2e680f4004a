package users

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Source types of the events that this package records
// (ElastiCache API, DescribeEvents).
const (
	userSource  = "user"
	groupSource = "user-group"
)

// Quotas bound what one account may have
// (ElastiCache user guide, "Role-Based Access Control": quotas per region).
type Quotas struct {
	Users         int // beside the account's default user
	Groups        int
	UsersPerGroup int
}

// DefaultQuotas are AWS's.
func DefaultQuotas() Quotas { return Quotas{Users: 1000, Groups: 100, UsersPerGroup: 100} }

// Service is the operations on users and user groups.
type Service struct {
	state   *state.State
	account naming.Account
	key     *credential.Key
	clock   clock.Clock
	quotas  Quotas
}

// New returns the operations over st; key digests the users' passwords.
func New(st *state.State, account naming.Account, key *credential.Key, c clock.Clock, quotas Quotas) *Service {
	return &Service{state: st, account: account, key: key, clock: c, quotas: quotas}
}

// Init makes the user that every account has from the start, if it is not there yet.
func (s *Service) Init(ctx context.Context) error {
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		if tx.View().Users[identity.DefaultUser] != nil {
			return nil
		}
		tx.Put(&identity.User{
			ID:           identity.DefaultUser,
			Name:         identity.DefaultUser,
			Engine:       identity.Redis,
			Status:       identity.Active,
			AccessString: "on ~* +@all",
			Auth:         identity.AuthNoPassword,
			Created:      s.clock.Now().UTC(),
			Incarnation:  fresh(),
		})
		return nil
	})
	return err
}

// fresh returns a random id that is not used again.
func fresh() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(id[:])
}

// findUser looks a user up by an id as a caller wrote it.
func findUser(view *state.View, id string) (*identity.User, error) {
	if id == "" {
		return nil, naming.Missing("UserId")
	}
	if user := view.Users[strings.ToLower(id)]; user != nil {
		return user, nil
	}
	return nil, identity.Errorf(identity.UserNotFound, "User %s not found.", naming.Shorten(id))
}

func findGroup(view *state.View, id string) (*identity.UserGroup, error) {
	if id == "" {
		return nil, naming.Missing("UserGroupId")
	}
	if group := view.UserGroups[strings.ToLower(id)]; group != nil {
		return group, nil
	}
	return nil, identity.Errorf(identity.UserGroupNotFound, "User group %s not found.", naming.Shorten(id))
}
