// Package acl says what a user of a cache may do, in the engines' own language:
// it reads access strings, refuses what a customer may not write, and turns
// what is left into the rules of one atomic ACL SETUSER.
//
// It owns the grammar of access strings, the form in which they are stored, the
// list of commands that no customer may use and how that list is enforced and
// hidden. It does no I/O. Who has which access string is control's business,
// sending the rules to an engine is engine's, and answering a restricted
// command before it reaches the engine is gateway's.
package acl
