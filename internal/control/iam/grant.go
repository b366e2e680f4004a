package iam

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/credential/sessiontoken"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Signing keys are granted for yesterday, whose tokens may still be valid after
// midnight, for today, and for as many days as a gateway may be on its own.
const (
	daysBehind = 1
	daysAhead  = 3
)

// errRoot is why root gets no grant: a gateway never holds anything of root's.
var errRoot = errors.New("it is the account's root, which does not log in to caches")

// Grant implements iamtoken.Source: what a gateway must know to verify the
// tokens of an access key, with the keys derived from its secret.
func (s *Service) Grant(ctx context.Context, accessKeyID, sessionToken, region string) (*iamtoken.Grant, error) {
	if err := s.grantable(accessKeyID, sessionToken); err != nil {
		return nil, err
	}
	secret, who, err := s.Find(ctx, accessKeyID, sessionToken)
	switch {
	case errors.Is(err, ErrUnknown) && sessionToken != "":
		return nil, fmt.Errorf("%w, or its principal is gone", iamtoken.ErrSession)
	case errors.Is(err, ErrUnknown):
		return nil, iamtoken.ErrUnknownKey
	case err != nil:
		return nil, fmt.Errorf("%w: %w", iamtoken.ErrUnavailable, err)
	case who.Root():
		return nil, errRoot
	}
	x := s.index()
	grant := &iamtoken.Grant{AccessKeyID: accessKeyID, Principal: who.Principal, Policies: s.policies(x, who)}
	last := s.Clock.Now().Add(daysAhead * day)
	if who.Session != nil {
		grant.Session, grant.Expires = iamtoken.DigestSession(sessionToken), who.Session.Expires
		last = grant.Expires
	}
	grant.Keys = signingKeys(secret, s.Clock.Now().Add(-daysBehind*day), last, region)
	return grant, nil
}

const day = 24 * time.Hour

// grantable tells reasons apart that callers of the API are not told.
func (s *Service) grantable(accessKeyID, sessionToken string) error {
	if sessionToken != "" {
		_, _, err := s.open(accessKeyID, sessionToken)
		if errors.Is(err, sessiontoken.ErrExpired) {
			return fmt.Errorf("%w: its session has expired", iamtoken.ErrSession)
		}
		return nil
	}
	if key := s.index().iam.Keys[accessKeyID]; key != nil && !key.Active {
		return iamtoken.ErrInactiveKey
	}
	return nil
}

func signingKeys(secret identity.Secret, from, to time.Time, region string) []iamtoken.SigningKey {
	var keys []iamtoken.SigningKey
	for at := from; iamtoken.DayAt(at) <= iamtoken.DayAt(to); at = at.Add(day) {
		keys = append(keys, iamtoken.Derive(secret, iamtoken.DayAt(at), region))
	}
	return keys
}
