// Package policy decides what IAM policy documents allow: it reads and checks
// documents (identity, resource, trust, permissions-boundary and session
// policies) and evaluates a request against those that apply to it, by the
// logic that the IAM User Guide publishes under "Policy evaluation logic".
//
// It owns the grammar, the condition operators, policy variables, the rules by
// which the kinds of policy combine, and the words in which a decision is told.
// It leaves to others which policies apply to a principal (control/iam), which
// condition keys a request carries (the caller fills a Context), and who the
// principal is (credential). It does no I/O, and a parsed Document never
// changes, so that one may be used by many goroutines.
package policy
