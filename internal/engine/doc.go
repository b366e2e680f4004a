// Package engine runs the real engines behind the caches: it supervises
// valkey-server and redis-server processes that only Gatehouse can reach.
//
// It owns a cache node's directory (one engine at a time, whatever happened to
// an earlier supervisor), the process from start to stop, its restart after a
// crash, and the engine's users: each has a secret that is made here at every
// start of the process, and until Apply has been called nobody but Gatehouse
// gets in. It leaves to control which engines and users there shall be, to acl
// what a user's rules are, and to gateway the customers' connections.
package engine
