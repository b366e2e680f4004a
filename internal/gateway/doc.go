// Package gateway is the life of a client's connection to a cache: it accepts
// and handshakes, judges the login, connects to the engine as the user that
// logged in, relays, and ends the session when the right to it ends.
//
// A file is a step: accept, front (before an engine is involved), login, hello,
// relay, intercept (commands that mean something to the gateway), rewrite_*
// (replies that speak of connections, users and secrets), revoke, throttle.
// On Linux a session that only relays is parked (park, socket): it has no
// goroutine and no buffers, and an event loop (loop) serves it with many others.
// What needs the session's own goroutine is handed over to one (handover).
// The gateway learns whom to let in from directory, checks secrets through
// credential, frames through resp and reaches engines through backend. It
// decides nothing about who may do what to which key: the engine enforces that.
//
// Clients see the engine's own bytes, with these exceptions; the differential
// tests hold them, or name the script that they make differ.
//
//   - AUTH, HELLO with AUTH, CLIENT LIST, INFO, KILL and REPLY, and ACL LIST,
//     USERS, GETUSER, LOG and DRYRUN are refused in a transaction, which is then
//     aborted: what EXEC answers is not taken apart.
//   - A faulty HELLO changes nothing (redis 7.0 logs in first), every refused
//     AUTH is answered (valkey 8.0.1 forgets some in a pipeline), and a line of
//     blanks is nothing (valkey 8.0.1 misreads what follows it).
//   - Commands that customers may not use do not exist.
//   - MONITOR, SLOWLOG and LATENCY show "gateway" as every client's address, and
//     INFO counts Gatehouse's own connections.
//   - Refused logins are in ACL LOG with ids of their own (from 1 << 40), and
//     their client-info has the fields but not the figures of an engine client.
//   - AUTH, HELLO and CLIENT LIST of more than 64 KiB and 1 MiB are refused.
//   - CLIENT KILL does nothing while CLIENT REPLY is OFF or SKIP.
package gateway
