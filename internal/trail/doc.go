// Package trail is the append-only record of who did what: every API call and
// every login, refusal, log-out and revocation, with the reason in plain words.
//
// It owns the records' form, the chain of hashes that shows whether a line was
// changed, removed or put in between, the signed checkpoints that show by whom
// the chain was made, the rotation and retention of its files, summing up what
// comes without end, and reading and checking them. It never receives a secret:
// what is redacted, and what a refusal's reason is, is decided by those who
// append.
package trail
