package policy

import "github.com/gatehouse/gatehouse/internal/identity"

// Malformed is the kind of every error that Parse returns. IAM calls it
// MalformedPolicyDocument.
const Malformed identity.Kind = "malformed policy document"

// MaxDocument is the longest document that Parse reads, in bytes: the limit of
// the IAM API's policy document parameters. The quotas for each kind of policy
// are lower and count characters without white space; see Characters.
const MaxDocument = 131072

// Kind is what a policy is attached to, which decides its grammar and its part
// in an evaluation.
type Kind uint8

// The kinds of policy.
const (
	Identity Kind = iota + 1 // attached to a user, group or role
	Boundary                 // the permissions boundary of a user or role
	Session                  // given to AssumeRole for one session
	Resource                 // attached to a resource
	Trust                    // the trust policy of a role, which is a resource policy of that role
)

// String names the kind as AWS's denial messages do.
func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity-based policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Resource:
		return "resource-based policy"
	case Trust:
		return "role trust policy"
	default:
		return "policy"
	}
}

// namesPrincipals reports whether documents of this kind have Principal elements.
func (k Kind) namesPrincipals() bool { return k == Resource || k == Trust }

// Effect is what a statement does to a request that it matches.
type Effect bool

// The two effects.
const (
	Deny  Effect = false
	Allow Effect = true
)

func (e Effect) String() string {
	if e == Allow {
		return "Allow"
	}
	return "Deny"
}

// Position is a place in a document's text; both numbers begin at one, and a
// column counts bytes.
type Position struct{ Line, Column int }

// Document is a policy that was read and checked.
type Document struct {
	Kind       Kind
	Text       string // as it was parsed
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one rule of a document.
type Statement struct {
	Index      int // from zero
	SID        string
	Effect     Effect
	Start, End Position // of its text; End is the place behind its last byte

	actions      []pattern
	notActions   bool
	resources    []pattern // none: every resource (only resource and trust policies)
	notResources bool
	principals   *principals // nil unless the kind names principals
	conditions   []condition
}

// Characters is the size of a document as IAM's quotas count it: without white
// space (IAM User Guide, "IAM and AWS STS quotas").
func Characters(document string) int {
	n := 0
	for _, r := range document {
		switch r {
		case ' ', '\t', '\r', '\n':
		default:
			n++
		}
	}
	return n
}

// Keys returns the condition keys that the document refers to, in conditions
// and as variables, in lower case and each once.
func (d *Document) Keys() []string {
	var keys []string
	seen := map[string]bool{}
	add := func(key string) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		for j := range s.resources {
			s.resources[j].keys(add)
		}
		for j := range s.conditions {
			add(s.conditions[j].key)
			for k := range s.conditions[j].operands {
				s.conditions[j].operands[k].pattern.keys(add)
			}
		}
	}
	return keys
}
