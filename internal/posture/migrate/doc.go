// Package migrate closes a path that asks for no identity without dropping a
// client: a second path, a drained first one, the first one closed, and the
// service itself asked whether it is.
//
// It owns the plan (ordered steps as data, each with its precondition, its exact
// API call, its effect on live clients, its evidence, its verification and its
// rollback), the record (an append-only file from which the state OPEN, DUAL,
// DRAINING, IDLE, CLOSED or VERIFIED follows), running a plan up to its next
// gate, and undoing it. A run may be cut off anywhere and is taken up again from
// the record and from what the service says. It leaves judging resources to
// posture and measuring use to source/usage.
package migrate
