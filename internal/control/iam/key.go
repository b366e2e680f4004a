package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// CreateAccessKey makes an active key for a user and returns its secret, which
// can never be read again.
func (s *Service) CreateAccessKey(ctx context.Context, userName string) (*identity.AccessKey, identity.Secret, error) {
	secret := newSecret()
	var key *identity.AccessKey
	err := s.update(ctx, func(tx *state.Tx) error {
		user := tx.View().IAM.Users[strings.ToLower(userName)]
		if user == nil {
			return notFound(User, userName)
		}
		if len(keysOf(tx.View(), user)) >= maxKeysPerUser {
			return limit("AccessKeysPerUser: %d", maxKeysPerUser)
		}
		id := uniqueID("AKIA", keyIDLength)
		key = &identity.AccessKey{
			ID: id, UserID: user.ID, Sealed: s.secrets.Seal(nil, nil, []byte(secret.Reveal()), []byte(id)),
			Active: true, Created: s.Clock.Now().UTC(),
		}
		tx.Put(key)
		return nil
	})
	return key, secret, err
}

// secretOf opens the seal of a secret access key.
func (s *Service) secretOf(key *identity.AccessKey) (identity.Secret, error) {
	secret, err := s.secrets.Open(nil, nil, key.Sealed, []byte(key.ID))
	if err != nil {
		return identity.Secret{}, fmt.Errorf("opening the secret of access key %s, which was sealed with another master key: %w", key.ID, err)
	}
	return identity.NewSecret(string(secret)), nil
}

func keysOf(view *state.View, user *identity.IAMUser) []*identity.AccessKey {
	keys := slices.DeleteFunc(state.Sorted(view.IAM.Keys), func(k *identity.AccessKey) bool { return k.UserID != user.ID })
	slices.SortStableFunc(keys, func(a, b *identity.AccessKey) int { return a.Created.Compare(b.Created) })
	return keys
}

// AccessKeys lists a user's keys, oldest first.
func (s *Service) AccessKeys(userName string) ([]*identity.AccessKey, error) {
	user, err := s.User(userName)
	if err != nil {
		return nil, err
	}
	return keysOf(s.State.View(), user), nil
}

// SetAccessKey activates or deactivates a user's key.
func (s *Service) SetAccessKey(ctx context.Context, userName, id string, active bool) error {
	return s.changeKey(ctx, userName, id, func(tx *state.Tx, key *identity.AccessKey) {
		next := *key
		next.Active = active
		tx.Put(&next)
	})
}

// DeleteAccessKey deletes a user's key.
func (s *Service) DeleteAccessKey(ctx context.Context, userName, id string) error {
	return s.changeKey(ctx, userName, id, func(tx *state.Tx, key *identity.AccessKey) {
		tx.Delete(key)
		tx.Delete(&identity.AccessKeyUse{KeyID: key.ID})
	})
}

func (s *Service) changeKey(ctx context.Context, userName, id string, f func(*state.Tx, *identity.AccessKey)) error {
	return s.update(ctx, func(tx *state.Tx) error {
		user := tx.View().IAM.Users[strings.ToLower(userName)]
		if user == nil {
			return notFound(User, userName)
		}
		key := tx.View().IAM.Keys[id]
		if key == nil || key.UserID != user.ID {
			return noSuchKey(id)
		}
		f(tx, key)
		return nil
	})
}

func noSuchKey(id string) error {
	return noSuch("The Access Key with id %s cannot be found.", naming.Shorten(id))
}

// AccessKeyOwner returns the user that a key belongs to.
func (s *Service) AccessKeyOwner(id string) (*identity.IAMUser, error) {
	idx := s.index()
	if key := idx.iam.Keys[id]; key != nil {
		if user := idx.users[key.UserID]; user != nil {
			return user, nil
		}
	}
	return nil, noSuchKey(id)
}
