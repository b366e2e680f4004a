package iam

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/internal/credential/sessiontoken"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// Errors of Find. ErrUnknown is all that a caller outside is told of a key that
// does not exist, is inactive, or does not belong to the session token.
var (
	ErrUnknown = errors.New("the access key is not known")
	ErrExpired = errors.New("the session has expired")
)

// Identity is who an access key belongs to.
type Identity struct {
	Principal   policy.Principal
	AccessKeyID string
	Session     *Session // nil: the credentials are long-term
}

// Session is what temporary credentials add.
type Session struct {
	Name           string // of a role session
	Expires        time.Time
	Transitive     []string // keys of the tags that a further session inherits
	SourceIdentity string
	// OfRole tells AssumeRole's sessions from GetSessionToken's.
	OfRole bool

	policy string   // the inline session policy
	arns   []string // the managed session policies
}

// Root reports whether the identity is the account's root.
func (i *Identity) Root() bool { return i.Principal.Type == policy.Root }

// Find returns the secret and the owner of an access key that is in force.
// sessionToken is "" for a request without one. The error is ErrUnknown,
// ErrExpired, or a failure of the server's own.
func (s *Service) Find(_ context.Context, accessKeyID, sessionToken string) (identity.Secret, *Identity, error) {
	if sessionToken != "" {
		return s.findSession(accessKeyID, sessionToken)
	}
	if accessKeyID == s.Root.ID {
		return s.Root.Secret, &Identity{Principal: s.root(), AccessKeyID: accessKeyID}, nil
	}
	x := s.index()
	key := x.iam.Keys[accessKeyID]
	if key == nil || !key.Active || x.users[key.UserID] == nil {
		return identity.Secret{}, nil, ErrUnknown
	}
	secret, err := s.secretOf(key)
	if err != nil {
		return identity.Secret{}, nil, err
	}
	return secret, &Identity{Principal: s.userPrincipal(x.users[key.UserID]), AccessKeyID: accessKeyID}, nil
}

func (s *Service) root() policy.Principal {
	return policy.Principal{Type: policy.Root, Account: s.Account.ID, ARN: s.RootARN(), ID: s.Account.ID}
}

func (s *Service) userPrincipal(u *identity.IAMUser) policy.Principal {
	return policy.Principal{
		Type: policy.User, Account: s.Account.ID, ARN: s.ARN(User, &u.IAMEntity), ID: u.ID, Name: u.Name, Tags: u.Tags,
	}
}

func (s *Service) findSession(accessKeyID, token string) (identity.Secret, *Identity, error) {
	c, expires, err := s.open(accessKeyID, token)
	if errors.Is(err, sessiontoken.ErrExpired) {
		return identity.Secret{}, nil, ErrExpired
	}
	if err != nil {
		return identity.Secret{}, nil, ErrUnknown
	}
	who, ok := s.sessionIdentity(c, expires)
	if !ok {
		return identity.Secret{}, nil, ErrUnknown
	}
	who.AccessKeyID = accessKeyID
	return identity.NewSecret(c.Secret), who, nil
}

// sessionIdentity is whom a session acts as, unless that is gone.
func (s *Service) sessionIdentity(c *contents, expires time.Time) (*Identity, bool) {
	x := s.index()
	who := &Identity{Session: &Session{
		Name: c.Session, Expires: expires, Transitive: c.Transitive, SourceIdentity: c.SourceIdentity,
		OfRole: c.Role != "", policy: c.Policy, arns: c.PolicyARNs,
	}}
	switch {
	case c.Role != "":
		role := x.roles[c.Role]
		if role == nil {
			return nil, false
		}
		tags := maps.Clone(role.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, c.Tags) // a session tag stands in for the role's
		who.Principal = policy.Principal{
			Type: policy.AssumedRole, Account: s.Account.ID, ARN: s.sessionARN(role, c.Session), Role: s.ARN(Role, &role.IAMEntity),
			ID: role.ID + ":" + c.Session, Tags: tags,
		}
	case c.User == s.Account.ID:
		who.Principal = s.root()
	default:
		user := x.users[c.User]
		if user == nil {
			return nil, false
		}
		who.Principal = s.userPrincipal(user)
	}
	who.Principal.Issued = c.Issued
	return who, true
}

func (s *Service) sessionARN(role *identity.IAMRole, session string) string {
	return s.prefix("sts") + "assumed-role/" + role.Name + "/" + session
}

// policies are all that apply to an identity, but for a resource's own.
func (s *Service) policies(x *index, who *Identity) policy.Policies {
	var p policy.Policies
	switch who.Principal.Type {
	case policy.User:
		if u := x.users[who.Principal.ID]; u != nil {
			p = s.policiesOfUser(x, u)
		}
	case policy.AssumedRole:
		if r := x.roles[roleID(who)]; r != nil {
			p = s.policiesOfRole(x, r)
		}
	}
	if who.Session != nil {
		if text := who.Session.policy; text != "" {
			p.Session = append(p.Session, x.parse(policy.Session, "the session policy", text))
		}
		for _, arn := range who.Session.arns {
			p.Session = append(p.Session, s.managedAs(x, policy.Session, arn))
		}
	}
	return p
}

// roleID is the unique id of an assumed role, which stands before the session's
// name in the principal's.
func roleID(who *Identity) string {
	return who.Principal.ID[:len(who.Principal.ID)-len(who.Session.Name)-1]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
