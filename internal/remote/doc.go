// Package remote is how a gateway in another process follows the directory and
// reports back: a Server beside the control plane's hub, a Link in the gateway's
// process, one connection with mutual TLS between the two.
//
// It owns the credential file, the frames and messages with their limits, leases
// over the wire, the sealed copy of the directory on the gateway's disk, what a
// gateway does without contact (it judges for MaxStale and then admits nobody
// new), and the transport of login events, sessions and counters. It leaves
// judging to gateway, leases and acknowledgements to directory's hub, and
// issuing and storing credentials to serve.
package remote
