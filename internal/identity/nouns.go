package identity

import (
	"strings"
	"time"
)

// Engine is the kind of a cache, a user or a user group, as the ElastiCache API
// names it; for a cache it also chooses the program that serves it.
type Engine string

// The two engines.
const (
	Redis  Engine = "redis"
	Valkey Engine = "valkey"
)

// ParseEngine reads an engine name in any case, as the API accepts it.
func ParseEngine(name string) (Engine, bool) {
	switch e := Engine(strings.ToLower(name)); e {
	case Redis, Valkey:
		return e, true
	default:
		return "", false
	}
}

// Status is the life-cycle state of an object, in the API's own words.
type Status string

// Users and user groups are active, caches available; the rest is shared.
const (
	Creating  Status = "creating"
	Active    Status = "active"
	Available Status = "available"
	Modifying Status = "modifying"
	Deleting  Status = "deleting"
)

// DefaultUser is the name of the user that a connection has before it logs in,
// and the id of the user that every account has from the start.
const DefaultUser = "default"

// InternalPrefix begins the names of the engine users that are Gatehouse's own.
// A UserName may not begin with it, and customers never see such users.
const InternalPrefix = "@"

// AuthType says how a user proves who it is.
type AuthType string

// The authentication types in the API's input spelling. Output spells the
// second one "no-password" (ElastiCache API, type Authentication).
const (
	AuthPassword   AuthType = "password"
	AuthNoPassword AuthType = "no-password-required"
	AuthIAM        AuthType = "iam"
)

// Digest is a salted, keyed digest of a password or token; the key is not kept
// with it. Package credential makes and checks digests.
type Digest struct {
	Salt [16]byte `json:"salt"`
	Sum  [32]byte `json:"sum"`
}

// PastSecret remembers a password or token well enough to say later that a new
// one is the same as or similar to it: the digest of the secret itself and the
// digest of its normalised form.
type PastSecret struct {
	Exact      Digest    `json:"exact"`
	Normalised Digest    `json:"normalised"`
	Used       time.Time `json:"used"`
}

// PastSecretsKept is how many past secrets are remembered, the current included.
const PastSecretsKept = 5

// User is an RBAC user.
type User struct {
	ID           string   `json:"id"`   // lower case, unique in the account
	Name         string   `json:"name"` // what a client logs in with
	Engine       Engine   `json:"engine"`
	Status       Status   `json:"status"`
	AccessString string   `json:"accessString"`
	Auth         AuthType `json:"auth"`
	// Passwords holds one or two digests when Auth is AuthPassword, oldest first.
	Passwords []Digest          `json:"passwords,omitempty"`
	Past      []PastSecret      `json:"past,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	Created   time.Time         `json:"created"`
	// Incarnation tells a user from an earlier one with the same id.
	Incarnation string `json:"incarnation"`
}

// Member is a user's membership of a group. Joined changes whenever the user is
// added anew, so that a session of an earlier membership can be told apart.
type Member struct {
	UserID string `json:"userId"`
	Joined string `json:"joined"`
}

// UserGroup is a set of users that caches are given as a whole.
type UserGroup struct {
	ID      string   `json:"id"`
	Engine  Engine   `json:"engine"`
	Status  Status   `json:"status"`
	Members []Member `json:"members,omitempty"`
	// Target is the membership being brought about while Status is Modifying or
	// Creating; the API shows the difference to Members as PendingChanges.
	Target  []Member          `json:"target,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Created time.Time         `json:"created"`
}

// AuthState is the state of a cache's AUTH token machine
// (ElastiCache user guide, "Authenticating with the AUTH command").
type AuthState string

// The states. Anonymous clients are let in during None and OptionalOne.
const (
	AuthNone    AuthState = "NONE" // no credential
	OptionalOne AuthState = "OPT1" // one token, and anonymous still allowed
	RequiredOne AuthState = "REQ1" // exactly one token
	RequiredTwo AuthState = "REQ2" // two tokens, oldest first
	RBAC        AuthState = "RBAC" // a user group is attached
)

// TransitMode says which connections a cache's listener takes.
type TransitMode string

// Plain is a cache without in-transit encryption; the other two are the API's
// TransitEncryptionMode values.
const (
	TransitPlain     TransitMode = "plain"
	TransitPreferred TransitMode = "preferred"
	TransitRequired  TransitMode = "required"
)
