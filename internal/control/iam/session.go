package iam

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/credential/sessiontoken"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// Bounds of a session's duration (STS API, AssumeRole and GetSessionToken).
const (
	defaultDuration  = time.Hour
	maxChained       = time.Hour // a role assumed with a role's credentials
	defaultUserToken = 12 * time.Hour
	maxUserToken     = 36 * time.Hour
	maxRootToken     = time.Hour
)

// maxContents bounds what a session token unpacks to. Session policies have at
// most 2048 characters and tags 50 times 384, before packing.
const maxContents = 64 << 10

// contents is what a session token holds, sealed.
type contents struct {
	Secret         string            `json:"k"`
	Role           string            `json:"r,omitempty"` // the role's unique id
	User           string            `json:"u,omitempty"` // or the user's; the account's for root
	Session        string            `json:"n,omitempty"`
	Issued         time.Time         `json:"i"`
	Tags           map[string]string `json:"t,omitempty"`
	Transitive     []string          `json:"x,omitempty"`
	SourceIdentity string            `json:"s,omitempty"`
	Policy         string            `json:"p,omitempty"`
	PolicyARNs     []string          `json:"a,omitempty"`
}

// Credentials are temporary credentials.
type Credentials struct {
	AccessKeyID  string
	Secret       identity.Secret
	SessionToken string
	Expires      time.Time
	// Packed is how much of the space for session policies and tags is used, in
	// percent.
	Packed int
}

// AssumeRoleInput is an AssumeRole request. Duration 0 was not given.
type AssumeRoleInput struct {
	RoleARN, SessionName, ExternalID string
	Policy                           string
	PolicyARNs                       []string
	Tags                             []naming.Tag
	Transitive                       []string
	SourceIdentity                   string
	Duration                         time.Duration
}

// Assumed is the answer to AssumeRole.
type Assumed struct {
	Credentials
	ARN, ID        string // of the session
	SourceIdentity string
}

// Conditions are the condition keys that an AssumeRole request brings with it
// (IAM User Guide, "Available keys for AWS STS").
func (in *AssumeRoleInput) Conditions() map[string][]string {
	keys := map[string][]string{"sts:RoleSessionName": {in.SessionName}}
	if in.ExternalID != "" {
		keys["sts:ExternalId"] = []string{in.ExternalID}
	}
	if in.SourceIdentity != "" {
		keys["sts:SourceIdentity"] = []string{in.SourceIdentity}
	}
	if len(in.Transitive) > 0 {
		keys["sts:TransitiveTagKeys"] = in.Transitive
	}
	return keys
}

// AssumeRole issues credentials for a role. q is the question that allowed
// sts:AssumeRole; tags and a source identity are actions of their own.
func (s *Service) AssumeRole(_ context.Context, q *Question, in *AssumeRoleInput) (*Assumed, error) {
	for action, asked := range map[string]bool{"sts:TagSession": len(in.Tags) > 0, "sts:SetSourceIdentity": in.SourceIdentity != ""} {
		also := *q
		also.Action, also.Resources = action, []string{in.RoleARN}
		if asked {
			if err := s.Authorize(&also); err != nil {
				return nil, err
			}
		}
	}
	role := s.roleByARN(s.index(), in.RoleARN)
	if role == nil { // it was there when the call was authorised
		return nil, notFound(Role, in.RoleARN)
	}
	c, err := s.roleContents(q.Who, role, in)
	if err != nil {
		return nil, err
	}
	duration, err := in.duration(q.Who, role)
	if err != nil {
		return nil, err
	}
	credentials, err := s.seal(c, duration)
	if err != nil {
		return nil, err
	}
	return &Assumed{
		Credentials: *credentials, ARN: s.sessionARN(role, in.SessionName), ID: role.ID + ":" + in.SessionName,
		SourceIdentity: c.SourceIdentity,
	}, nil
}

func (in *AssumeRoleInput) duration(who *Identity, role *identity.IAMRole) (time.Duration, error) {
	chained := who.Session != nil && who.Session.OfRole
	switch {
	case in.Duration == 0 && chained:
		return min(defaultDuration, maxChained), nil
	case in.Duration == 0:
		return defaultDuration, nil
	case chained && in.Duration > maxChained:
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case in.Duration > role.MaxSession:
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return in.Duration, nil
}

func invalid(format string, args ...any) error {
	return identity.Errorf(identity.ValidationError, format, args...)
}

// roleContents checks what limits and describes the session.
func (s *Service) roleContents(who *Identity, role *identity.IAMRole, in *AssumeRoleInput) (*contents, error) {
	if in.Policy != "" {
		if _, err := policy.Parse(policy.Session, in.Policy); err != nil {
			return nil, err
		}
		if len(in.Policy) > maxSessionDocuments {
			return nil, invalid("The session policy has more than %d characters.", maxSessionDocuments)
		}
	}
	for _, arn := range in.PolicyARNs {
		if s.managed(&s.State.View().IAM, arn) == nil {
			return nil, identity.Errorf(identity.Malformed, "The policy ARN %s does not exist.", naming.Shorten(arn))
		}
	}
	c := &contents{
		Role: role.ID, Session: in.SessionName, Policy: in.Policy, PolicyARNs: in.PolicyARNs,
		Transitive: slices.Clone(in.Transitive), SourceIdentity: in.SourceIdentity,
	}
	var err error
	if c.Tags, err = addTags(nil, in.Tags); err != nil {
		return nil, err
	}
	for _, key := range in.Transitive {
		if _, given := c.Tags[key]; !given {
			return nil, invalid("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return c, c.inherit(who)
}

// inherit takes over what a session hands on to the sessions that it begins.
func (c *contents) inherit(who *Identity) error {
	if who.Session == nil {
		return nil
	}
	for _, key := range who.Session.Transitive {
		if _, again := c.Tags[key]; again {
			return invalid("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		c.Tags[key] = who.Principal.Tags[key]
		c.Transitive = append(c.Transitive, key)
	}
	if old := who.Session.SourceIdentity; old != "" {
		if c.SourceIdentity != "" && c.SourceIdentity != old {
			return identity.Errorf(identity.AccessDenied, "The source identity of a session cannot be changed.")
		}
		c.SourceIdentity = old
	}
	return nil
}

// GetSessionToken issues temporary credentials for the user, or root, who asks.
func (s *Service) GetSessionToken(_ context.Context, who *Identity, duration time.Duration) (*Credentials, error) {
	if who.Session != nil {
		return nil, identity.Errorf(identity.AccessDenied, "Cannot call GetSessionToken with session credentials")
	}
	most := maxUserToken
	if who.Root() {
		most = maxRootToken
	}
	if duration == 0 {
		duration = min(defaultUserToken, most)
	}
	return s.seal(&contents{User: who.Principal.ID}, min(duration, most))
}

// seal makes credentials of contents.
func (s *Service) seal(c *contents, duration time.Duration) (*Credentials, error) {
	now := s.Clock.Now().UTC().Truncate(time.Second)
	secret := newSecret()
	c.Secret, c.Issued = secret.Reveal(), now
	made := &Credentials{AccessKeyID: uniqueID("ASIA", keyIDLength), Secret: secret, Expires: now.Add(duration)}
	packed, err := pack(c)
	if err != nil {
		return nil, err
	}
	made.SessionToken, err = s.sessions.Seal(made.AccessKeyID, made.Expires, packed)
	if err != nil { // the one reason: it is too long
		return nil, identity.Errorf(identity.PackedPolicyTooLarge, "Packed policy consumes %d%% of allotted space, please use smaller policy.", 100*len(packed)/maxPacked)
	}
	made.Packed = 100 * len(packed) / maxPacked
	return made, nil
}

// maxPacked is about how much Seal takes: base64 makes four characters of three bytes.
const maxPacked = sessiontoken.MaxToken * 3 / 4

func pack(c *contents) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("packing a session: %w", err)
	}
	if err := json.NewEncoder(w).Encode(c); err != nil {
		return nil, fmt.Errorf("packing a session: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing a session: %w", err)
	}
	return packed.Bytes(), nil
}

// open unpacks a session token that belongs to an access key.
func (s *Service) open(accessKeyID, token string) (*contents, time.Time, error) {
	packed, expires, err := s.sessions.Open(token, accessKeyID, s.Clock.Now())
	if err != nil {
		return nil, time.Time{}, err
	}
	c := new(contents)
	r := io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxContents)
	if err := json.NewDecoder(r).Decode(c); err != nil {
		return nil, time.Time{}, fmt.Errorf("unpacking a session: %w", err)
	}
	return c, expires, nil
}

// roleByARN finds a role, nil if there is none of exactly that ARN.
func (s *Service) roleByARN(x *index, arn string) *identity.IAMRole {
	role := x.iam.Roles[strings.ToLower(arn[strings.LastIndexByte(arn, '/')+1:])]
	if role == nil || s.ARN(Role, &role.IAMEntity) != arn {
		return nil
	}
	return role
}
