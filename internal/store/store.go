package store

import (
	"context"
	"errors"
)

// ErrConflict says that a transaction's condition did not hold; nothing was written.
var ErrConflict = errors.New("store: the data changed since it was read")

// Record is a key with its value.
type Record struct {
	Key   string
	Value []byte
	// Rev is the store's revision at which this value was written.
	Rev int64
}

// Txn is written whole or not at all. It applies only if the record Guard still
// has revision GuardRev (0: does not exist), and then the guard itself is
// written too, so that the writers of one guard go one after another.
type Txn struct {
	Guard    string
	GuardRev int64
	Puts     []Record // Rev is ignored
	Deletes  []string
}

// Store keeps records and orders changes to them by one revision.
// Every method may return the context's error, or one that says that the store
// could not be reached; a Txn that ends so may or may not have been written.
type Store interface {
	// List returns all records whose key begins with prefix, by key, and the
	// revision that they were read at.
	List(ctx context.Context, prefix string) ([]Record, int64, error)
	// Apply writes t and returns the revision of that write, or ErrConflict.
	Apply(ctx context.Context, t Txn) (int64, error)
	// Watch sends the revision of every change under prefix after rev, until the
	// context ends or the store fails; then the channel is closed. Revisions may
	// be coalesced: the newest matters.
	Watch(ctx context.Context, prefix string, rev int64) <-chan int64
	// Close lets go of the store.
	Close() error
}
