// Package tagging serves the tag operations of the API: add, remove and list
// the tags of any resource, by its ARN.
//
// It owns the way from an ARN to the noun that carries the tags; a member
// cluster carries those of its replication group. It leaves what a tag may be
// to control/naming, and tags given when a resource is made to the package
// that makes it.
package tagging
