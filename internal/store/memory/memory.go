// Package memory is a store in memory, for tests that need the store's rules
// and no disk. It passes the same suite (storetest) as the etcd store. It owns
// no durability and no network: what it holds is gone with the process.
package memory

import (
	"context"
	"sort"
	"strings"
	"sync"

	"github.com/gatehouse/gatehouse/internal/store"
)

// Store is an empty store when new.
type Store struct {
	mu      sync.Mutex
	rev     int64
	records map[string]store.Record
	changed map[string]int64 // key -> revision of its last change, deletions included
	wake    chan struct{}    // closed and replaced at every change
}

// New returns an empty store.
func New() *Store {
	return &Store{
		rev:     1,
		records: map[string]store.Record{},
		changed: map[string]int64{},
		wake:    make(chan struct{}),
	}
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Record, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []store.Record
	for key, record := range s.records {
		if strings.HasPrefix(key, prefix) {
			found = append(found, record)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Key < found[j].Key })
	return found, s.rev, nil
}

// Apply implements store.Store.
func (s *Store) Apply(ctx context.Context, t store.Txn) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Guard != "" && s.records[t.Guard].Rev != t.GuardRev {
		return 0, store.ErrConflict
	}
	s.rev++
	if t.Guard != "" {
		s.put(store.Record{Key: t.Guard})
	}
	for _, record := range t.Puts {
		s.put(record)
	}
	for _, key := range t.Deletes {
		delete(s.records, key)
		s.changed[key] = s.rev
	}
	close(s.wake)
	s.wake = make(chan struct{})
	return s.rev, nil
}

func (s *Store) put(record store.Record) {
	record.Rev = s.rev
	record.Value = append([]byte(nil), record.Value...)
	s.records[record.Key] = record
	s.changed[record.Key] = s.rev
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, prefix string, rev int64) <-chan int64 {
	out := make(chan int64)
	go func() {
		defer close(out)
		for {
			newest, wake := s.newest(prefix, rev)
			if newest > rev {
				select {
				case out <- newest:
					rev = newest
					continue
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-wake:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (s *Store) newest(prefix string, after int64) (int64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := after
	for key, rev := range s.changed {
		if strings.HasPrefix(key, prefix) && rev > newest {
			newest = rev
		}
	}
	return newest, s.wake
}

// Close implements store.Store.
func (s *Store) Close() error { return nil }
