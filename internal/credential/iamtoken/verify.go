package iamtoken

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// Refused is the error of a token that is not accepted. Reason is for the
// trail: it never contains a secret, a signature or the token.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return r.Reason }

func refuse(reason string) error { return &Refused{Reason: reason} }

// Keys finds out about access keys.
type Keys interface {
	// Find returns the grant of an access key and the signing key for a day and
	// region. Its error says in plain words why there is none.
	Find(ctx context.Context, q Query) (*Grant, *SigningKey, error)
}

// Query is what a token says of its signer. The slices are the token's and may
// not be kept.
type Query struct {
	AccessKeyID []byte
	// Session is the digest of the token's session token, and SessionToken the
	// session token itself, percent-encoded; without one they are zero and nil.
	Session      SessionDigest
	SessionToken []byte
	Day          Day
	Region       string
}

// DecodedSession is the session token as STS issued it.
func (q Query) DecodedSession() string { return string(decode(nil, q.SessionToken)) }

// Verifier judges tokens.
type Verifier struct {
	keys  Keys
	clock clock.Clock
}

// New makes a verifier.
func New(keys Keys, c clock.Clock) *Verifier { return &Verifier{keys: keys, clock: c} }

// Verify judges a token and returns the grant of its signer. The error is a
// *Refused. Everything that needs no key is checked before anything is looked
// up or hashed, and no key is looked up but that of the cache's own region and
// of a day on which the token can be valid. Whether the principal may connect
// is another question, which the caller asks of package policy.
func (v *Verifier) Verify(ctx context.Context, token []byte, want *Want) (*Grant, error) {
	var f fields
	if reason := split(token, &f); reason != "" {
		return nil, refuse(reason)
	}
	now := v.clock.Now()
	for c := range checks {
		if reason := f.fault(c, want, now); reason != "" {
			return nil, refuse(reason)
		}
	}
	return v.prove(ctx, &f, want, now)
}

// prove finds the key and checks the signature.
func (v *Verifier) prove(ctx context.Context, f *fields, want *Want, now time.Time) (*Grant, error) {
	day, _ := digits(f.day)
	query := Query{AccessKeyID: f.accessKey, SessionToken: f.value[pSecurityToken], Day: Day(day), Region: want.Region}
	if query.SessionToken != nil {
		query.Session = sha256.Sum256(query.SessionToken)
	}
	grant, key, err := v.keys.Find(ctx, query)
	if err != nil {
		f.signature(&decoy, want.Cache) // an unknown key costs what a wrong signature costs
		return nil, refuse(err.Error())
	}
	made := f.signature(key, want.Cache)
	if subtle.ConstantTimeCompare(made[:], f.proof[:]) != 1 {
		return nil, refuse(fmt.Sprintf("the signature is wrong for access key %s: signed with another secret, or changed afterwards", f.accessKey))
	}
	if err := grant.sessionFault(query.Session, now); err != nil {
		return nil, err
	}
	return grant, nil
}

// sessionFault checks what the signature does not: that the session token is
// that of the access key, and that the session lasts.
func (g *Grant) sessionFault(session SessionDigest, now time.Time) error {
	switch {
	case g.Session == (SessionDigest{}) && session != (SessionDigest{}):
		return refuse("X-Amz-Security-Token is given, but the access key is a long-term one")
	case session == (SessionDigest{}) && g.Session != (SessionDigest{}):
		return refuse("X-Amz-Security-Token is missing: the access key is a temporary one")
	case subtle.ConstantTimeCompare(session[:], g.Session[:]) != 1:
		return refuse("X-Amz-Security-Token is not the one that belongs to the access key")
	case !g.Expires.IsZero() && !now.Before(g.Expires):
		return refuse(fmt.Sprintf("the session that signed the token expired %s ago", inWords(now.Sub(g.Expires))))
	}
	return nil
}

// decoy stands in for the key of an access key that is unknown.
var decoy = SigningKey{}

// Faults returns all that would get a token refused and that can be found
// without a key, in plain words; none does not mean that it is accepted.
func Faults(token []byte, want *Want, now time.Time) []string {
	var f fields
	if reason := split(token, &f); reason != "" {
		return []string{reason}
	}
	var all []string
	for c := range checks {
		if reason := f.fault(c, want, now); reason != "" {
			all = append(all, reason)
		}
	}
	return all
}
