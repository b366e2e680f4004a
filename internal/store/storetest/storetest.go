// Package storetest is the contract of store.Store as tests. Every
// implementation runs it, so that what control is tested on in memory is what
// it meets on etcd.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/store"
)

// waitFor bounds how long a change may take to reach a watcher.
const waitFor = 5 * time.Second

// Run runs the suite; open returns a new, empty store that it closes itself.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Run("list", func(t *testing.T) { testList(t, open(t)) })
	t.Run("guard", func(t *testing.T) { testGuard(t, open(t)) })
	t.Run("whole or not at all", func(t *testing.T) { testWhole(t, open(t)) })
	t.Run("one writer wins", func(t *testing.T) { testRace(t, open(t)) })
	t.Run("watch", func(t *testing.T) { testWatch(t, open(t)) })
	t.Run("watch from the past", func(t *testing.T) { testWatchPast(t, open(t)) })
	t.Run("watch ends", func(t *testing.T) { testWatchEnds(t, open(t)) })
	t.Run("cancelled", func(t *testing.T) { testCancelled(t, open(t)) })
}

func apply(t *testing.T, st store.Store, txn store.Txn) int64 {
	t.Helper()
	rev, err := st.Apply(t.Context(), txn)
	if err != nil {
		t.Fatalf("Apply(%+v): %v", txn, err)
	}
	return rev
}

func list(t *testing.T, st store.Store, prefix string) ([]store.Record, int64) {
	t.Helper()
	records, rev, err := st.List(t.Context(), prefix)
	if err != nil {
		t.Fatalf("List(%q): %v", prefix, err)
	}
	return records, rev
}

func put(key, value string) store.Record {
	return store.Record{Key: key, Value: []byte(value)}
}

func testList(t *testing.T, st store.Store) {
	first := apply(t, st, store.Txn{Puts: []store.Record{put("/a/2", "two"), put("/a/1", "one"), put("/b/1", "other")}})
	second := apply(t, st, store.Txn{Puts: []store.Record{put("/a/2", "TWO")}})
	if second <= first {
		t.Errorf("revisions do not grow: %d after %d", second, first)
	}
	records, rev := list(t, st, "/a/")
	if rev != second {
		t.Errorf("List reads revision %d, want %d", rev, second)
	}
	got := fmt.Sprint(len(records))
	for _, r := range records {
		got += fmt.Sprintf(" %s=%s@%d", r.Key, r.Value, r.Rev)
	}
	if want := fmt.Sprintf("2 /a/1=one@%d /a/2=TWO@%d", first, second); got != want {
		t.Errorf("List = %s, want %s", got, want)
	}
	apply(t, st, store.Txn{Deletes: []string{"/a/1", "/a/never"}})
	if records, _ := list(t, st, "/a/"); len(records) != 1 {
		t.Errorf("after a deletion %d records are left, want 1", len(records))
	}
}

func testGuard(t *testing.T, st store.Store) {
	first := apply(t, st, store.Txn{Guard: "/g", Puts: []store.Record{put("/x", "1")}})
	if _, err := st.Apply(t.Context(), store.Txn{Guard: "/g", Puts: []store.Record{put("/x", "2")}}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a writer that did not see the guard got %v, want ErrConflict", err)
	}
	second := apply(t, st, store.Txn{Guard: "/g", GuardRev: first, Puts: []store.Record{put("/x", "3")}})
	if _, err := st.Apply(t.Context(), store.Txn{Guard: "/g", GuardRev: first}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a writer with an old guard got %v, want ErrConflict", err)
	}
	records, _ := list(t, st, "/")
	for _, r := range records {
		if r.Rev != second {
			t.Errorf("%s has revision %d, want %d: the guard is written with the rest", r.Key, r.Rev, second)
		}
	}
}

func testWhole(t *testing.T, st store.Store) {
	apply(t, st, store.Txn{Guard: "/g", Puts: []store.Record{put("/keep", "1")}})
	_, err := st.Apply(t.Context(), store.Txn{Guard: "/g", GuardRev: 999_999, Puts: []store.Record{put("/new", "1")}, Deletes: []string{"/keep"}})
	if !errors.Is(err, store.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
	records, _ := list(t, st, "/")
	if len(records) != 2 {
		t.Errorf("a refused transaction left %d records, want the guard and /keep", len(records))
	}
}

// testRace lets writers increment under one guard: each success is one of a row.
func testRace(t *testing.T, st store.Store) {
	const writers, each = 4, 10
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				records, _, err := st.List(t.Context(), "/g")
				if err != nil {
					errs <- err
					return
				}
				var seen int64
				if len(records) == 1 {
					seen = records[0].Rev
				}
				_, err = st.Apply(t.Context(), store.Txn{Guard: "/g", GuardRev: seen, Puts: []store.Record{put(fmt.Sprintf("/n/%d", seen), "x")}})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if records, _ := list(t, st, "/n/"); len(records) != writers*each {
		t.Errorf("%d writes under distinct guards, want %d", len(records), writers*each)
	}
}

// awaitRev reads the watch until it shows want.
func awaitRev(t *testing.T, watch <-chan int64, want int64) {
	t.Helper()
	timeout := time.After(waitFor)
	for {
		select {
		case rev, open := <-watch:
			if !open {
				t.Fatalf("the watch ended before revision %d", want)
			}
			if rev > want {
				t.Fatalf("the watch shows revision %d, after %d", rev, want)
			}
			if rev == want {
				return
			}
		case <-timeout:
			t.Fatalf("the watch did not show revision %d within %v", want, waitFor)
		}
	}
}

func testWatch(t *testing.T, st store.Store) {
	_, rev := list(t, st, "/")
	watch := st.Watch(t.Context(), "/a/", rev)
	apply(t, st, store.Txn{Puts: []store.Record{put("/b/1", "not watched")}})
	awaitRev(t, watch, apply(t, st, store.Txn{Puts: []store.Record{put("/a/1", "x")}}))
	awaitRev(t, watch, apply(t, st, store.Txn{Deletes: []string{"/a/1"}}))
}

func testWatchPast(t *testing.T, st store.Store) {
	before := apply(t, st, store.Txn{Puts: []store.Record{put("/a/1", "x")}})
	missed := apply(t, st, store.Txn{Puts: []store.Record{put("/a/2", "x")}})
	awaitRev(t, st.Watch(t.Context(), "/a/", before), missed)
}

func testWatchEnds(t *testing.T, st store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	watch := st.Watch(ctx, "/", 1<<40)
	cancel()
	select {
	case _, open := <-watch:
		if open {
			t.Error("a watch of the future sent a revision")
		}
	case <-time.After(waitFor):
		t.Error("the watch goes on after its context ended")
	}
}

func testCancelled(t *testing.T, st store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := st.List(ctx, "/"); !errors.Is(err, context.Canceled) {
		t.Errorf("List with an ended context: %v", err)
	}
	if _, err := st.Apply(ctx, store.Txn{Puts: []store.Record{put("/x", "1")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Apply with an ended context: %v", err)
	}
	if records, _ := list(t, st, "/"); len(records) != 0 {
		t.Errorf("a cancelled write left %d records", len(records))
	}
}
