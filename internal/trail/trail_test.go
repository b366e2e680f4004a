package trail_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/trail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = [32]byte{1}

// verify checks a trail with its key and returns what it found.
func verify(dir, expect string) (trail.Checked, error) {
	return trail.Verify(dir, trail.Check{Expect: expect, Key: &key})
}

func write(t *testing.T, dir string, records ...trail.Record) {
	t.Helper()
	tr, err := trail.Open(dir, clock.Real, trail.Options{Key: key})
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
	found, err := verify(dir, "")
	if err != nil || found.Last != 5 || found.Signed != 5 || found.First != 1 { // a checkpoint ends each run
		t.Fatalf("Verify: %+v, %v", found, err)
	}
	write(t, dir, login("d", "accepted"))
	if next, _ := verify(dir, ""); next.Head == found.Head {
		t.Error("the head did not move with a new record")
	}
	if _, err := verify(dir, found.Head); err != nil {
		t.Errorf("a head that was kept is not found again: %v", err)
	}
	if _, err := verify(dir, strings.Repeat("0", 63)+"1"); err == nil {
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
		if _, err := trail.Verify(dir, trail.Check{}); err == nil {
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
	if found, err := verify(dir, ""); err != nil || found.Last != 5 {
		t.Errorf("Verify after a cut line: %+v, %v", found, err)
	}
}

func TestEachVisitsAllThatAreSelected(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, login("a", "accepted"), login("b", "refused"))
	tr, err := trail.Open(dir, clock.Real, trail.Options{Key: key})
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
	tr, err := trail.Open(dir, clock.NewFake(time.Unix(1e9, 0)), trail.Options{Key: key})
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

func TestCheckpointsAreSigned(t *testing.T) {
	dir := t.TempDir()
	many := make([]trail.Record, 2500)
	for i := range many {
		many[i] = login("a", "accepted")
	}
	write(t, dir, many...)
	found, err := verify(dir, "")
	if err != nil || found.Last != 2503 || found.Signed != 2503 {
		t.Fatalf("Verify: %+v, %v", found, err)
	}
	other := [32]byte{2}
	if _, err := trail.Verify(dir, trail.Check{Key: &other}); err == nil || !strings.Contains(err.Error(), "record 1001 is a checkpoint whose signature is wrong") {
		t.Errorf("with another key: %v", err)
	}
	if found, err := trail.Verify(dir, trail.Check{}); err != nil || found.Signed != 0 {
		t.Errorf("without a key: %+v, %v", found, err)
	}
}

// Whoever can write the files but has no key can make a chain anew, but not sign it.
func TestAForgedChainIsSeen(t *testing.T) {
	dir := t.TempDir()
	many := make([]trail.Record, 1500)
	for i := range many {
		many[i] = login("a", "accepted")
	}
	tr, err := trail.Open(dir, clock.Real, trail.Options{Key: [32]byte{9}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range many {
		tr.Append(r)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := trail.Verify(dir, trail.Check{}); err != nil {
		t.Fatalf("the chain itself: %v", err)
	}
	if _, err := verify(dir, ""); err == nil {
		t.Error("a chain signed with another key is accepted")
	}
}

func TestWhatStrangersSendIsSummedUp(t *testing.T) {
	dir := t.TempDir()
	now := clock.NewFake(time.Unix(1e9, 0))
	tr, err := trail.Open(dir, now, trail.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	refusal := func(source string) trail.Record {
		return trail.Record{Event: trail.APICall, Outcome: "SignatureDoesNotMatch", Source: source, Reason: "why", Parameters: map[string]any{"a": "b"}}
	}
	for range 1000 {
		tr.AppendSeldom("strangers", "10.0.0.1", refusal("10.0.0.1"))
	}
	for i := range 100_000 {
		source := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		tr.AppendSeldom("strangers", source, refusal(source))
	}
	tr.AppendSeldom("reads", "someone", refusal("10.0.0.1"))
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	tr, err = trail.Open(dir, now, trail.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tr.Close() }()
	written, stoodFor := 0, 0
	var shared, own trail.Record
	err = tr.Each(trail.Query{Event: trail.APICall}, func(r *trail.Record) {
		written++
		stoodFor += max(r.Count, 1)
		switch {
		case r.Count > 0 && r.Source == "":
			shared = *r
		case r.Count > 0:
			own = *r
		}
	})
	if err != nil || stoodFor != 101_001 || written > 300 {
		t.Errorf("%d records stand for %d calls, %v", written, stoodFor, err)
	}
	if own.Count != 1000 || own.Source != "10.0.0.1" || own.Parameters != nil {
		t.Errorf("one source: %+v", own)
	}
	if shared.Count < 99_000 || !strings.HasPrefix(shared.Reason, "from many sources; the last: why") {
		t.Errorf("many sources: %+v", shared)
	}
}

func TestAMinuteLaterThereIsANewRecord(t *testing.T) {
	now := clock.NewFake(time.Unix(1e9, 0))
	tr, err := trail.Open(t.TempDir(), now, trail.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tr.Close() }()
	read := trail.Record{Event: trail.APICall, Outcome: "ok", ReadOnly: true, Action: "DescribeUsers"}
	for range 3 {
		tr.AppendSeldom("reads", "a", read)
	}
	now.Advance(time.Minute)
	for deadline := time.Now().Add(10 * time.Second); ; {
		records, err := tr.Read(trail.Query{Reads: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 2 && records[1].Count == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("records: %+v", records)
		}
		runtime.Gosched()
	}
	if records, err := tr.Read(trail.Query{}); err != nil || len(records) != 0 {
		t.Errorf("reads are shown unasked: %+v, %v", records, err)
	}
	if records, err := tr.Read(trail.Query{Action: "DescribeUsers"}); err != nil || len(records) != 2 {
		t.Errorf("reads are not shown when asked for: %+v, %v", records, err)
	}
}
