// Package directory is how gateways learn whom to let in: the control plane
// publishes what a gateway must know of each cache, gateways follow by revision
// and acknowledge what they act on.
//
// It owns the published form of a cache, the hub that distributes it and counts
// acknowledgements of the gateways that are live (a lease of LeaseTime), and
// the transport to gateways on other hosts. It never imports store or control:
// who decides what is published is control/converge, who judges by it is gateway.
package directory
