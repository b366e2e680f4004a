// Package gateway is the life of a client's connection to a cache: it accepts
// and handshakes, judges the login, connects to the engine as the user that
// logged in, relays, and ends the session when the right to it ends.
//
// A file is a step: accept, front (before an engine is involved), login, hello,
// relay, intercept (commands that mean something to the gateway), rewrite_*
// (replies that speak of connections, users and secrets), revoke, throttle.
// The gateway learns whom to let in from directory, checks secrets through
// credential, frames through resp and reaches engines through backend. It
// decides nothing about who may do what to which key: the engine enforces that.
//
// What clients can see that differs from the engine itself is listed, with
// reasons, in test/differential.
package gateway
