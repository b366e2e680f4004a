// Package naming holds the rules that every resource of the control plane
// shares: how identifiers are spelled, how ARNs are built and read, what tags
// a resource may carry.
//
// It owns no state and does no I/O. It leaves which identifiers exist to
// control/users and control/caches, and the tag operations of the API, which
// work on any resource, to control/tagging.
package naming
