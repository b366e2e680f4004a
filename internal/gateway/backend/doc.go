// Package backend is the engine's side of a gateway: connections that are
// logged in with the secrets that only Gatehouse knows, the marker by which the
// gateway finds a place in an engine's stream of replies without framing it,
// and the engine's own table of commands and texts.
//
// It owns dialling and the exchange of single commands. It leaves relaying to
// gateway, the protocol to resp, and starting engines to engine.
package backend
