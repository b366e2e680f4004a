package caches

import (
	"crypto/rand"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Values of AuthTokenUpdateStrategy.
const (
	strategyRotate = "ROTATE"
	strategySet    = "SET"
	strategyDelete = "DELETE"
)

// match says what the token of a request is to the cache.
type match string

const (
	newest match = "newest" // the token most recently rotated in or set
	older  match = "older"  // the other token of REQ2
	other  match = "other"  // none of its tokens
)

// move is what a token of a request brings about.
type move string

const (
	moveStay   move = "stay"   // nothing changes, and the request succeeds
	moveRotate move = "rotate" // the token is added and the oldest credential dropped
	moveSet    move = "set"    // the token is the only credential
	moveDirect move = "direct" // as moveSet with Config.DirectSet, else refused
)

// step is one row of the machine.
type step struct {
	from     identity.AuthState
	strategy string
	token    match
}

// steps is the AUTH token machine: every pair of a state and a token change.
// Groups and DELETE, which do not depend on which token it is, are in access.go.
//
// The credentials of a state, oldest first: NONE {anonymous}, OPT1 {anonymous, a},
// REQ1 {a}, REQ2 {a, b}. RBAC stands here for RBAC that the same request ends.
// Sources: the guide "Authenticating with the AUTH command" (G), Terraform's
// acceptance tests of AWS (T), ours (O).
//
//   - ROTATE drops the oldest of more than two credentials (G). That anonymous
//     access is the oldest of OPT1, so that ROTATE closes it, is O.
//   - ROTATE or SET of what is in force already succeeds and changes nothing (O):
//     a rotation that lost the answer to its first try repeats it.
//   - ROTATE of the older token of REQ2 makes it the newest (O, as for any other).
//   - SET needs two tokens or an optional one (G). Its token should be the last
//     one rotated in, says the guide's prose; the guide's own commands rotate
//     This-is-the-rotated-token in and set This-is-the-set-token, and have to
//     work as printed, so any token may be set (O). An event says what it means.
//   - SET from NONE is refused (G); AWS accepts it (T): Config.DirectSet. The
//     same goes for SET of a new token in REQ1, and for RBAC ended by SET (O).
var steps = map[step]move{
	{identity.AuthNone, strategyRotate, other}: moveRotate, // OPT1
	{identity.AuthNone, strategySet, other}:    moveDirect, // REQ1

	{identity.OptionalOne, strategyRotate, newest}: moveStay,
	{identity.OptionalOne, strategyRotate, other}:  moveRotate, // REQ2
	{identity.OptionalOne, strategySet, newest}:    moveSet,    // REQ1
	{identity.OptionalOne, strategySet, other}:     moveSet,    // REQ1

	{identity.RequiredOne, strategyRotate, newest}: moveStay,
	{identity.RequiredOne, strategyRotate, other}:  moveRotate, // REQ2
	{identity.RequiredOne, strategySet, newest}:    moveStay,
	{identity.RequiredOne, strategySet, other}:     moveDirect, // REQ1

	{identity.RequiredTwo, strategyRotate, newest}: moveStay,
	{identity.RequiredTwo, strategyRotate, older}:  moveRotate, // REQ2, the other way round
	{identity.RequiredTwo, strategyRotate, other}:  moveRotate, // REQ2
	{identity.RequiredTwo, strategySet, newest}:    moveSet,    // REQ1
	{identity.RequiredTwo, strategySet, older}:     moveSet,    // REQ1
	{identity.RequiredTwo, strategySet, other}:     moveSet,    // REQ1

	{identity.RBAC, strategyRotate, other}: moveRotate, // OPT1
	{identity.RBAC, strategySet, other}:    moveDirect, // REQ1
}

// rotated returns the tokens and the state after token was rotated in.
func rotated(from identity.Access, token identity.Digest) ([]identity.Digest, identity.AuthState) {
	if len(from.Tokens) == 0 {
		return []identity.Digest{token}, identity.OptionalOne
	}
	return []identity.Digest{from.Tokens[len(from.Tokens)-1], token}, identity.RequiredTwo
}

// fresh returns access of a new kind, to which no session belongs yet.
func fresh(from identity.Access, next identity.Access) identity.Access {
	next.Attached, next.From = rand.Text(), from.Attached
	return next
}
