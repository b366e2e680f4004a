// Package identity holds the nouns of Gatehouse and the kinds of error they
// have: users, user groups, replication groups, their states, and the secret
// type. It imports nothing else of this module, so that every other package
// can speak of the same things.
//
// It owns names, shapes and invariants of single values. It leaves storing
// them to store, changing them to control, judging a login to credential, and
// the outside forms (XML, RESP, JSON of the AWS APIs) to awsapi and gateway.
package identity
