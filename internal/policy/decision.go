package policy

import (
	"fmt"
	"strings"
)

// Decision is the outcome of an evaluation.
type Decision struct {
	Allowed  bool
	Explicit bool // denied by a statement, not for want of one
	// Match is the statement that decided. When nothing allowed the request it
	// has only the kind of policy that is missing.
	Match
}

// Sentence is AWS's message for a denial (IAM User Guide, "Troubleshoot access
// denied error messages"). It is for the caller of an API: it says which kind
// of policy is to blame and not which policy. "" when the request is allowed.
func (d Decision) Sentence(r *Request) string {
	if d.Allowed {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "User: %s is not authorized to perform: %s", r.Principal.shown(), r.Action)
	if r.Resource != "" && r.Resource != "*" {
		fmt.Fprintf(&b, " on resource: %s", r.Resource)
	}
	article := "a"
	switch d.Kind {
	case Identity:
		article = "an"
	case Trust:
		article = "the"
	}
	if d.Explicit {
		fmt.Fprintf(&b, " with an explicit deny in %s %s", article, d.Kind)
	} else {
		fmt.Fprintf(&b, " because no %s allows the %s action", d.Kind, r.Action)
	}
	return b.String()
}

// Reason says for the trail, in plain words, what decided and where.
func (d Decision) Reason(r *Request) string {
	switch {
	case d.Allowed && d.Statement == nil:
		return fmt.Sprintf("%s on %s allowed: the account's root user", r.Action, r.Resource)
	case d.Allowed:
		return fmt.Sprintf("%s on %s allowed by %s", r.Action, r.Resource, d.Match)
	case d.Explicit:
		return fmt.Sprintf("%s on %s denied by %s", r.Action, r.Resource, d.Match)
	default:
		return fmt.Sprintf("%s on %s denied: no %s allows it", r.Action, r.Resource, d.Kind)
	}
}

// String names the statement: the policy, and the Sid or the place of the statement.
func (m Match) String() string {
	if m.Statement == nil {
		return m.Kind.String()
	}
	place := fmt.Sprintf("Statement[%d]", m.Statement.Index)
	if m.Statement.SID != "" {
		place += fmt.Sprintf(" (Sid %s)", m.Statement.SID)
	}
	return fmt.Sprintf("%s of %s %q", place, m.Kind, m.Policy)
}

// shown is the principal as AWS's messages name it.
func (p *Principal) shown() string {
	if p.Type == Anonymous || p.ARN == "" {
		return "anonymous"
	}
	return p.ARN
}
