// Package converge makes true what the control plane's state says: for every
// cache it keeps the engines running with the right users, publishes to the
// gateways whom to let in, waits until every live gateway acts on it, and only
// then finishes the change (modifying → available or active, deleting → gone).
//
// It owns the order of these steps, which is what makes a change never
// half-done: what is granted reaches the engine before the gateways, what is
// taken away reaches the gateways before the engine. It is driven by the level
// of the state, not by calls, so a crash at any point is repaired by the next
// start. It leaves which changes are allowed to control/users and
// control/caches, processes to engine, and distribution to directory.
package converge
