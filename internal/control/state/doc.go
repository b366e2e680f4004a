// Package state is the control plane's memory: the nouns of identity, read as
// one consistent View and changed by whole transactions over a store.
//
// It owns the encoding of nouns into records, the copy in memory that readers
// use, and the rule that a change is decided on the newest view and written
// whole or not at all. It leaves what a change may be to control/users and
// control/caches, and what follows from it in engines and gateways to
// control/converge, which is woken by Changed.
package state
