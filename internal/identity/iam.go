package identity

import "time"

// IAMEntity is what IAM users, groups and roles have in common.
type IAMEntity struct {
	Name string `json:"name"`
	Path string `json:"path"` // begins and ends with a slash
	// ID is unique for ever: an entity made anew under a name has another one
	// (IAM User Guide, "IAM identifiers": AIDA…, AGPA…, AROA…).
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	// Inline holds policy documents by name.
	Inline map[string]string `json:"inline,omitempty"`
	// Attached holds ARNs of managed policies, in the order of attachment.
	Attached []string `json:"attached,omitempty"`
	// Boundary is the ARN of the permissions boundary; groups have none, and no tags.
	Boundary string            `json:"boundary,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// IAMUser is a user of the account, not of a cache.
type IAMUser struct {
	IAMEntity
	Groups []string `json:"groups,omitempty"` // ids of groups, which survive renaming
}

// IAMGroup is a set of IAM users.
type IAMGroup struct{ IAMEntity }

// IAMRole is what others may act as.
type IAMRole struct {
	IAMEntity
	Description string `json:"description,omitempty"`
	Trust       string `json:"trust"` // the policy that says who may
	// Trusted holds the unique ids, by ARN, of users and roles that Trust names.
	Trusted    map[string]string `json:"trusted,omitempty"`
	MaxSession time.Duration     `json:"maxSession"`
}

// AccessKey is a long-term credential of an IAM user.
type AccessKey struct {
	ID     string `json:"id"` // AKIA…
	UserID string `json:"userId"`
	// Sealed is the secret access key, encrypted: signatures cannot be checked
	// against a digest.
	Sealed  []byte    `json:"sealed"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
}

// AccessKeyUse is when and for what an access key was last used. It is apart
// from the key, because use changes nothing that anybody must be told.
type AccessKeyUse struct {
	KeyID   string    `json:"keyId"`
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Region  string    `json:"region"`
}

// IAMPolicy is a managed policy.
type IAMPolicy struct {
	Name        string            `json:"name"`
	Path        string            `json:"path"`
	ID          string            `json:"id"` // ANPA…
	Description string            `json:"description,omitempty"`
	Versions    []PolicyVersion   `json:"versions"` // oldest first
	Default     int               `json:"default"`  // the number of the version in force
	Last        int               `json:"last"`     // the highest number ever given
	Tags        map[string]string `json:"tags,omitempty"`
	Created     time.Time         `json:"created"`
	Updated     time.Time         `json:"updated"`
}

// PolicyVersion is one text of a managed policy; number 3 is called v3.
type PolicyVersion struct {
	Number   int       `json:"number"`
	Document string    `json:"document"`
	Created  time.Time `json:"created"`
}

// OIDCProvider is an issuer of web identities that roles may trust.
type OIDCProvider struct {
	URL         string            `json:"url"` // without https://
	ClientIDs   []string          `json:"clientIds,omitempty"`
	Thumbprints []string          `json:"thumbprints,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Created     time.Time         `json:"created"`
}
