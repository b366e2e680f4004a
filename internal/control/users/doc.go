// Package users holds the operations on RBAC users and user groups and their
// life cycles, as the ElastiCache API defines them.
//
// It owns every rule about them: identifiers and names, authentication types
// and passwords, which user may be in which group, quotas, busy states, and
// that a request is refused whole or done whole. Requests write the state that
// is to be reached; Finish turns it into the state in force once the caches
// that depend on it have followed. It leaves the grammar of access strings to
// acl, digests to credential, bringing changes to engines and gateways to
// control/converge, and pagination and the wire to awsapi.
package users
