// Package sigv4 signs and verifies requests with AWS Signature Version 4 in the
// Authorization header, for the services whose canonical path is encoded twice
// (all but S3).
//
// It owns the canonical form, the signing key and every check that AWS makes
// before it looks at a request, with AWS's own code, status and message for
// each refusal. It leaves knowing access keys to its caller's Lookup, deciding
// which service a request is for to the front door, and what the signer may do
// to policy. Nothing here reads a body: the caller has read it, bounded.
//
// Source: "Create a signed AWS API request", AWS IAM User Guide.
package sigv4
