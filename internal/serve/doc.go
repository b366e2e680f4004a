// Package serve is the server of one machine: it puts the store, the control
// plane, the engines, a gateway, the trail and the API together, in the order in
// which they depend on each other, and takes them apart in the other order.
//
// It owns that order, readiness, the operators' own endpoints (sessions,
// tickets, trail, caches) and metrics, and who tells the trail what. Everything
// else is in the packages that it wires.
package serve
