package trail_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, dir string, records ...trail.Record) {
	t.Helper()
	tr, err := trail.Open(dir, clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		tr.Append(r)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

func login(user, outcome string) trail.Record {
	return trail.Record{Event: "login." + outcome, Outcome: outcome, User: user, Cache: "orders", Source: "127.0.0.1:5000"}
}

func TestTheChainGoesOnOverRestarts(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, login("a", "accepted"), login("b", "refused"))
	write(t, dir, login("c", "accepted"))
	records, head, err := trail.Verify(dir, "")
	if err != nil || records != 3 {
		t.Fatalf("Verify: %d records, %v", records, err)
	}
	write(t, dir, login("d", "accepted"))
	if _, next, _ := trail.Verify(dir, ""); next == head {
		t.Error("the head did not move with a new record")
	}
	if _, _, err := trail.Verify(dir, head); err != nil {
		t.Errorf("a head that was kept is not found again: %v", err)
	}
	if _, _, err := trail.Verify(dir, strings.Repeat("0", 63)+"1"); err == nil {
		t.Error("a head that never was is accepted")
	}
}

func TestEveryTamperingIsSeen(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, login("a", "accepted"), login("b", "refused"), login("c", "accepted"))
	path := filepath.Join(dir, "trail.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, changed := range map[string][]byte{
		"a word changed":    bytes.Replace(whole, []byte(`"user":"b"`), []byte(`"user":"x"`), 1),
		"a line removed":    bytes.Join([][]byte{lines[0], lines[2]}, nil),
		"two lines swapped": bytes.Join([][]byte{lines[1], lines[0], lines[2]}, nil),
		"a line twice":      bytes.Join([][]byte{lines[0], lines[0], lines[1], lines[2]}, nil),
		"the first removed": bytes.Join([][]byte{lines[1], lines[2]}, nil),
	} {
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := trail.Verify(dir, ""); err == nil {
			t.Errorf("%s: not seen", name)
		}
	}
}

func TestALineCutOffByACrashIsKeptAndContinued(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, login("a", "accepted"), login("b", "accepted"))
	path := filepath.Join(dir, "trail.jsonl")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"seq":3,"time":"2026`); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, login("c", "accepted"))
	if records, _, err := trail.Verify(dir, ""); err != nil || records != 3 {
		t.Errorf("Verify after a cut line: %d records, %v", records, err)
	}
}

func TestEachVisitsAllThatAreSelected(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, login("a", "accepted"), login("b", "refused"))
	tr, err := trail.Open(dir, clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tr.Close() }()
	for range 2 * trail.DefaultLimit {
		tr.Append(login("a", "accepted"))
	}
	count := 0
	if err := tr.Each(trail.Query{User: "a", Limit: 1}, func(*trail.Record) { count++ }); err != nil || count != 2*trail.DefaultLimit+1 {
		t.Errorf("visited %d records, %v", count, err)
	}
}

func TestReadSelectsTheNewest(t *testing.T) {
	dir := t.TempDir()
	tr, err := trail.Open(dir, clock.NewFake(time.Unix(1e9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tr.Close() }()
	for i := range 10 {
		tr.Append(login(fmt.Sprintf("u%d", i%2), []string{"accepted", "refused"}[i%2]))
	}
	for _, test := range []struct {
		query trail.Query
		want  string
	}{
		{trail.Query{Limit: 3}, "8 9 10"},
		{trail.Query{Event: "login.refused", Limit: 2}, "8 10"},
		{trail.Query{Event: "login.", User: "u0", Limit: 2}, "7 9"},
		{trail.Query{Source: "127.0.0.1", Limit: 1}, "10"},
		{trail.Query{Cache: "other"}, ""},
		{trail.Query{Since: time.Unix(1e9, 1)}, ""},
	} {
		records, err := tr.Read(test.query)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []string
		for _, r := range records {
			seqs = append(seqs, fmt.Sprint(r.Seq))
		}
		if got := strings.Join(seqs, " "); got != test.want {
			t.Errorf("Read(%+v) = %q, want %q", test.query, got, test.want)
		}
	}
}
