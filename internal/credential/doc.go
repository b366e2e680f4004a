// Package credential judges whether a login proves what it claims: passwords
// and AUTH tokens against salted, keyed digests, IAM tokens against the
// signature rules. It answers with a verdict and a reason for the trail.
//
// It owns the digest, the normal form that similarity is judged on, and the
// sealing of secrets that must be read again. It leaves what the client is told
// to gateway, which principal may connect to what to policy, and the rules for
// acceptable new passwords to control.
package credential
