// Package resp reads and writes RESP, the protocol of Valkey and Redis, as a
// gateway needs it: it finds where a client's commands begin and end without
// keeping what only passes through, exactly as strictly as the engines
// (networking.c of valkey 8.0 and redis 7.0), and it reads the few replies that
// the gateway rewrites.
//
// It owns framing, the protocol's limits and the texts of protocol errors. It
// knows no command by name and does no I/O: which commands matter is gateway's
// business, and moving bytes is the caller's.
package resp
