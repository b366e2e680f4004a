// Package enginetest gives tests a real valkey-server or redis-server of their
// own, as bare as Gatehouse starts one: no TCP port, a unix socket named
// "gateway", user "default" off and an administrator with a secret.
//
// It owns starting and stopping that process within a test. It knows nothing of
// supervision, restarts or customers' users: those are package engine's, and a
// test that wants a user makes it with Admin.
package enginetest
