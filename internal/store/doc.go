// Package store is where the control plane keeps its state: records under keys,
// changed by guarded transactions, ordered by one revision, watchable.
//
// It owns the contract (and storetest, the suite that every implementation
// runs); store/etcd is the implementation that serves, with etcd embedded or
// external, and store/memory the one for tests that need no disk. What the
// records mean is control/state's business; nothing outside control and the
// program that wires it imports this package.
package store
