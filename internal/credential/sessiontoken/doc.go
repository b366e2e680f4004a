// Package sessiontoken seals the session tokens that STS hands out: what the
// control plane must know of a session travels with the client, encrypted and
// authenticated, bound to the session's access key and with an end.
//
// It owns the sealed form, its version, and the keys' rotation. It leaves the
// contents to who issues sessions, and checking that a session's principal
// still exists to who opens the token. Only the control plane has the keys.
package sessiontoken
