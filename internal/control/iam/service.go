package iam

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/credential/sessiontoken"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Config is what a Service is made of; all but Changed is required.
type Config struct {
	State   *state.State
	Account naming.Account
	Clock   clock.Clock
	Tags    *tagging.Service
	// Root is the key of the account's root.
	Root RootKey
	// SecretsKey seals secret access keys, SessionsKey session tokens.
	SecretsKey, SessionsKey [32]byte
	// Changed is called after every change of an identity and before the call
	// that made it returns: what gateways know of principals is no longer true.
	Changed func()
}

// RootKey is an access key of the account's root.
type RootKey struct {
	ID     string
	Secret identity.Secret
}

// Service is the operations on identities.
type Service struct {
	Config
	secrets  cipher.AEAD
	sessions *sessiontoken.Keys
	uses     uses

	mu  sync.Mutex
	idx *index // of the newest View.IAM that was asked for
}

// New returns the operations over the state.
func New(c Config) (*Service, error) {
	block, err := aes.NewCipher(c.SecretsKey[:])
	if err != nil {
		return nil, fmt.Errorf("iam: the key for secret access keys: %w", err)
	}
	s := &Service{Config: c, uses: newUses()}
	if s.secrets, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("iam: the key for secret access keys: %w", err)
	}
	s.sessions, err = sessiontoken.NewKeys(c.SessionsKey)
	return s, err
}

// Quotas of one account (IAM User Guide, "IAM and AWS STS quotas"). Sizes are in
// characters without white space, but for the trust policy's, which is counted whole.
const (
	maxUsers            = 5000
	maxGroups           = 300
	maxRoles            = 1000
	maxPolicies         = 1500
	maxProviders        = 100
	maxKeysPerUser      = 2
	maxGroupsPerUser    = 10
	maxAttached         = 10
	maxVersions         = 5
	maxManagedDocument  = 6144
	maxTrustDocument    = 2048
	maxUserInline       = 2048
	maxGroupInline      = 5120
	maxRoleInline       = 10240
	maxTags             = 50
	maxClientIDs        = 100
	maxThumbprints      = 5
	maxSessionDocuments = 2048 // the inline session policy
)

// update makes a change and tells who must know.
func (s *Service) update(ctx context.Context, decide func(tx *state.Tx) error) error {
	before := s.State.View().IAM.Rev
	view, err := s.State.Update(ctx, decide)
	if err != nil {
		return err
	}
	if view.IAM.Rev != before && s.Changed != nil {
		s.Changed()
	}
	return nil
}

// arn is the ARN of something of this account: user, group, role, policy.
func (s *Service) arn(kind Kind, path, name string) string {
	return s.prefix("iam") + string(kind) + path + name
}

func (s *Service) prefix(service string) string {
	return "arn:" + naming.Partition(s.Account.Region) + ":" + service + "::" + s.Account.ID + ":"
}

// RootARN is the ARN of the account's root.
func (s *Service) RootARN() string { return s.prefix("iam") + "root" }

// uniqueID makes an id that is never used again: a prefix that tells the type
// (IAM User Guide, "Understanding unique ID prefixes") and random characters.
func uniqueID(prefix string, length int) string {
	return prefix + randomText("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length-len(prefix))
}

// Lengths of ids, prefix included.
const (
	entityIDLength = 21
	keyIDLength    = 20
)

// newSecret makes a secret access key: 40 characters, as AWS's have.
func newSecret() identity.Secret {
	return identity.NewSecret(randomText("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40))
}

// randomText draws from an alphabet whose size divides 256, so that all
// characters are equally likely.
func randomText(alphabet string, length int) string {
	raw := make([]byte, length)
	_, _ = rand.Read(raw) // crypto/rand.Read never fails since Go 1.24
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(raw)
}

func limit(format string, args ...any) error {
	return identity.Errorf(identity.LimitExceeded, "Cannot exceed quota for "+format, args...)
}

func noSuch(format string, args ...any) error {
	return identity.Errorf(identity.NoSuchEntity, format, args...)
}

func conflict(text string) error {
	return identity.Errorf(identity.DeleteConflict, "%s", text)
}

func pathOr(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func underPath(path, prefix string) bool { return strings.HasPrefix(path, pathOr(prefix)) }

// NewARN is the ARN that something would have; path "" is the root path.
func (s *Service) NewARN(kind Kind, path, name string) string { return s.arn(kind, pathOr(path), name) }
