package etcd_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/store"
	"github.com/gatehouse/gatehouse/internal/store/etcd"
	"github.com/gatehouse/gatehouse/internal/store/storetest"
)

func open(t *testing.T, dir string) *etcd.Store {
	t.Helper()
	st, err := etcd.OpenEmbedded(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		st := open(t, t.TempDir())
		t.Cleanup(func() {
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
		return st
	})
}

func TestFindsEverythingAgain(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	var rev int64
	for i := range 50 {
		var err error
		rev, err = st.Apply(t.Context(), store.Txn{Puts: []store.Record{{Key: fmt.Sprintf("/k/%d", i), Value: []byte("v")}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	st = open(t, dir)
	t.Logf("reopened in %v", time.Since(began))
	t.Cleanup(func() { _ = st.Close() })
	records, now, err := st.List(context.Background(), "/k/")
	if err != nil || len(records) != 50 || now < rev {
		t.Errorf("found %d records at revision %d (%v), want 50 at %d or later", len(records), now, err, rev)
	}
}

func TestExternalThatIsAway(t *testing.T) {
	_, err := etcd.Open(t.Context(), []string{"http://127.0.0.1:1"})
	if err == nil {
		t.Fatal("an etcd that is not there was opened")
	}
}
