package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store"
)

// updateTries bounds how often a change is decided anew because another writer
// of the same store came first.
const updateTries = 16

// State is the view in memory over a store.
type State struct {
	store store.Store
	clock clock.Clock

	write sync.Mutex // held while a change is decided and written

	mu      sync.Mutex
	view    *View
	changed chan struct{} // closed and replaced whenever view is replaced
	seq     int           // tells events of one instant apart
}

// Open reads everything from st.
func Open(ctx context.Context, st store.Store, c clock.Clock) (*State, error) {
	s := &State{store: st, clock: c, changed: make(chan struct{})}
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Follow keeps the view up to date with what other writers of the store do,
// until the context ends.
func (s *State) Follow(ctx context.Context) error {
	for ctx.Err() == nil {
		for rev := range s.store.Watch(ctx, root, s.View().Rev) {
			if rev <= s.View().Rev {
				continue
			}
			s.write.Lock()
			err := s.reload(ctx)
			s.write.Unlock()
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
		select { // the watch ended although we did not: the store was away
		case <-ctx.Done():
		case <-s.clock.After(watchPause):
		}
	}
	return ctx.Err()
}

func (s *State) reload(ctx context.Context) error {
	records, rev, err := s.store.List(ctx, root)
	if err != nil {
		return fmt.Errorf("state: reading the store: %w", err)
	}
	view, err := read(records, rev)
	if err != nil {
		return err
	}
	s.replace(view)
	return nil
}

func (s *State) replace(view *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = view
	close(s.changed)
	s.changed = make(chan struct{})
}

// View returns the newest view.
func (s *State) View() *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

// Changed returns the newest view and a channel that is closed when a newer one
// has taken its place.
func (s *State) Changed() (*View, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view, s.changed
}

// Tx collects what a change writes.
type Tx struct {
	view   *View
	next   *View // view with what was put so far; Rev still the old one
	puts   map[string]any
	gone   map[string]any
	events []identity.Event
}

// View is the newest view with the writes of this transaction so far.
func (tx *Tx) View() *View { return tx.next }

// Put writes a noun: *identity.User, *identity.UserGroup,
// *identity.ReplicationGroup, *identity.SubnetGroup, *identity.ParameterGroup,
// or one of those of View.IAM.
// The value must be new or a copy; it belongs to the state from here on.
func (tx *Tx) Put(noun any) {
	key := keyOf(noun)
	tx.puts[key] = noun
	delete(tx.gone, key)
	tx.next.place(noun, tx.view.Rev, false)
}

// Delete removes a noun.
func (tx *Tx) Delete(noun any) {
	key := keyOf(noun)
	tx.gone[key] = noun
	delete(tx.puts, key)
	tx.next.place(noun, 0, true)
}

// Event records an entry for DescribeEvents, written with the change.
func (tx *Tx) Event(sourceType, sourceID, format string, args ...any) {
	tx.events = append(tx.events, identity.Event{
		SourceType: sourceType, SourceID: sourceID, Message: fmt.Sprintf(format, args...),
	})
}

// Update decides a change on the newest view and writes it whole. decide may
// run several times and has no effect but through tx; its error ends the change
// with nothing written. The returned view contains the change. A context that
// ends while the store writes leaves the outcome open; the view is then read anew.
func (s *State) Update(ctx context.Context, decide func(tx *Tx) error) (*View, error) {
	s.write.Lock()
	defer s.write.Unlock()
	for range updateTries {
		view := s.View()
		tx := &Tx{view: view, next: view.clone(), puts: map[string]any{}, gone: map[string]any{}}
		if err := decide(tx); err != nil {
			return nil, err
		}
		if len(tx.puts)+len(tx.gone)+len(tx.events) == 0 {
			return view, nil
		}
		next, err := s.commit(ctx, tx)
		switch {
		case err == nil:
			return next, nil
		case !errors.Is(err, store.ErrConflict):
			if again := s.reload(context.WithoutCancel(ctx)); again != nil {
				return nil, errors.Join(err, again)
			}
			return nil, fmt.Errorf("state: writing: %w", err)
		}
		if err := s.reload(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("state: %d other writers came first", updateTries)
}

func (s *State) commit(ctx context.Context, tx *Tx) (*View, error) {
	txn := store.Txn{Guard: guardKey, GuardRev: tx.view.revs[guardKey]}
	for key, noun := range tx.puts {
		value, err := json.Marshal(noun)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", key, err)
		}
		txn.Puts = append(txn.Puts, store.Record{Key: key, Value: value})
	}
	for key := range tx.gone {
		txn.Deletes = append(txn.Deletes, key)
	}
	events, err := s.eventRecords(tx.events)
	if err != nil {
		return nil, err
	}
	txn.Puts = append(txn.Puts, events...)
	rev, err := s.store.Apply(ctx, txn)
	if err != nil {
		return nil, err
	}
	next := tx.next
	next.Rev = rev
	next.revs[guardKey] = rev
	for key := range tx.puts {
		next.revs[key] = rev
	}
	if tx.touchesIAM() {
		next.IAM.Rev = rev
	}
	s.replace(next)
	return next, nil
}
