package migrate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture/migrate"
)

// A plan is a file that people edit: whatever it holds, it is a plan or an error.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/plans/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seed plans: %v", err)
	}
	for _, path := range seeds {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "plan.yaml")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := migrate.Load(path)
		if (p == nil) == (err == nil) {
			t.Errorf("neither a plan nor an error")
		}
	})
}

// A record is read after crashes: whatever it holds, it is read or refused, and
// what was read once is read the same again.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"time":"2026-11-21T05:00:00Z","what":"begin","step":"close","hash":"sha256:1"}` + "\n" + `{"what":"done","step":"close","state":"CLOSED"}` + "\n"))
	f.Add([]byte(`{"what":"begin","step":"clo`))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "record")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := migrate.OpenRecord(path)
		if err != nil {
			return
		}
		events, state := len(first.Events()), first.State()
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := migrate.OpenRecord(path)
		if err != nil {
			t.Fatalf("read once, refused the second time: %v", err)
		}
		defer func() { _ = again.Close() }()
		if len(again.Events()) != events || again.State() != state {
			t.Errorf("%d events and %s, then %d and %s", events, state, len(again.Events()), again.State())
		}
	})
}
