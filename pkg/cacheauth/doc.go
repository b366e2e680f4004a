// Package cacheauth logs applications in to Amazon ElastiCache, and to
// Gatehouse, with IAM instead of a password.
//
// A [Generator] makes authentication tokens for node-based and serverless
// caches from any AWS credentials. A [Provider] gives a client library a fresh
// login for every connection: it retries when credentials cannot be had, never
// signs with credentials that are about to expire, can fall back to a password
// while an application migrates, and logs each of these with its reason.
//
// [Provider.Credentials] fits go-redis as CredentialsProviderContext. ElastiCache
// closes an IAM connection 12 hours after its last login; the packages
// goredisauth and valkeyauth log in again before that, without dropping traffic.
//
// The package owns how a login is made. It leaves pools, TLS and commands to the
// client library. ElastiCache accepts tokens only over TLS.
package cacheauth
