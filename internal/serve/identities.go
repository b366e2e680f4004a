package serve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/directory"
)

const (
	// loginLife is how long a session lasts after its last IAM login (ElastiCache
	// User Guide, "Authenticating with IAM": 12 hours).
	loginLife = 12 * time.Hour
	// grantTime bounds asking for a grant while a client waits for its login.
	grantTime = 5 * time.Second
	// renewEvery is how often signing keys are looked at that end soon.
	renewEvery = time.Hour
)

// makeIdentities makes the identities of the account and the verifier of IAM
// logins for the gateway in this process.
func (s *server) makeIdentities(context.Context) error {
	secrets, err := s.dir.Key("access-keys")
	if err != nil {
		return err
	}
	sessions, err := s.dir.Key("sessions")
	if err != nil {
		return err
	}
	s.iam, err = iam.New(iam.Config{
		State: s.state, Account: s.account, Clock: clock.Real, Tags: s.tags,
		Root:       iam.RootKey{ID: s.root.AccessKeyID, Secret: s.root.SecretAccessKey},
		SecretsKey: secrets, SessionsKey: sessions, Changed: s.forgetGrants,
	})
	if err != nil {
		return fmt.Errorf("preparing identities: %w", err)
	}
	s.keyring = iamtoken.NewKeyring(s.iam, clock.Real)
	return nil
}

// forgetGrants makes the gateway ask again for whom it knows. The first Forget
// is for grants that are being made from what was true before.
func (s *server) forgetGrants() {
	s.keyring.Forget("")
	for _, id := range s.keyring.Known() {
		s.keyring.Forget(id)
	}
}

// followIdentities forgets grants when another server of the same store changed
// an identity, and renews signing keys before they end.
func (s *server) followIdentities(ctx context.Context) error {
	renew := clock.Real.After(renewEvery)
	view, changed := s.state.Changed()
	seen := view.IAM.Rev
	for {
		select {
		case <-changed:
			view, changed = s.state.Changed()
			if view.IAM.Rev != seen {
				seen = view.IAM.Rev
				s.forgetGrants()
			}
		case <-renew:
			if err := s.keyring.Renew(ctx); err != nil {
				s.log.Warn("renewing signing keys", "error", err)
			}
			renew = clock.Real.After(renewEvery)
		case <-ctx.Done():
			return nil
		}
	}
}

// iamLogins judges the IAM logins of the gateway in this process. It works as one
// elsewhere would: with derived keys and a principal's policies, never a secret.
type iamLogins struct {
	verifier *iamtoken.Verifier
	account  naming.Account
	clock    clock.Clock
	tags     func(arn string) map[string]string
	used     func(accessKeyID, service string)
}

func (s *server) iamLogins() iamLogins {
	return iamLogins{
		verifier: iamtoken.New(s.keyring, clock.Real), account: s.account, clock: clock.Real,
		tags: s.iam.ResourceTags, used: s.iam.Used,
	}
}

// Verify implements gateway.IAMVerifier.
func (l iamLogins) Verify(cache *directory.Cache, user *directory.User, token []byte, peer netip.AddrPort) (string, time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), grantTime)
	defer cancel()
	grant, err := l.verifier.Verify(ctx, token, &iamtoken.Want{Cache: cache.ID, Region: l.account.Region, User: user.Name})
	if err != nil {
		return "", time.Time{}, err
	}
	now := l.clock.Now()
	userARN := l.account.ARN(naming.User, user.ID)
	_, reason := grant.MayConnect(&iamtoken.Connection{
		Cache:  iamtoken.Target{ARN: cache.ARN, Tags: l.tags(cache.ARN)},
		User:   iamtoken.Target{ARN: userARN, Tags: l.tags(userARN)},
		Region: l.account.Region, Source: peer.Addr(), At: now,
	})
	if reason != "" {
		return "", time.Time{}, errors.New(grant.Principal.ARN + ": " + reason)
	}
	if grant.Expires.IsZero() {
		l.used(grant.AccessKeyID, "elasticache")
	}
	return grant.Principal.ARN, now.Add(loginLife), nil
}
