// Package iamtoken verifies the IAM authentication tokens of ElastiCache: a
// presigned SigV4 request "cache/?Action=connect&User=…" that a client sends as
// its password (ElastiCache User Guide, "Authenticating with IAM").
//
// It owns the token's grammar, the order of the checks, the signature, the
// reasons that the trail shows, and a bounded store of derived signing keys
// (Keyring). It leaves to others where grants come from (a Source), whether the
// principal may connect (policy, with the grant's policies), what the client is
// told (gateway), and requests signed in headers (sigv4, whose canonical form
// works on HTTP requests; this one works on the token's bytes and allocates
// nothing).
package iamtoken
