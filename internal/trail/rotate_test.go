package trail

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

func TestFullFilesAreKeptAsLongAsAsked(t *testing.T) {
	dir := t.TempDir()
	options := Options{Key: [32]byte{1}, Keep: time.Hour}
	tr, err := Open(dir, clock.Real, options)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(name string) {
		tr.Append(Record{Event: LoginAccepted, Outcome: "ok", User: name, Reason: strings.Repeat("x", 1000)})
		tr.mu.Lock()
		tr.size = maxFile + 1 // as if it were full
		tr.mu.Unlock()
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		fill(name)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := Files(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("files: %v, %v", files, err)
	}
	whole, err := Verify(dir, Check{Key: &options.Key})
	if err != nil || whole.First != 1 {
		t.Fatalf("whole: %+v, %v", whole, err)
	}
	long := time.Now().Add(-2 * time.Hour)
	for _, path := range files[:2] {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if tr, err = Open(dir, clock.Real, options); err != nil {
		t.Fatal(err)
	}
	tr.Append(Record{Event: LoginAccepted, Outcome: "ok", User: "e"})
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := Files(dir)
	if err != nil || len(left) != 2 || left[0] != files[2] {
		t.Fatalf("left: %v, %v", left, err)
	}
	rest, err := Verify(dir, Check{Key: &options.Key, Expect: whole.Head})
	if err != nil || rest.First != 4 || rest.Last != whole.Last+2 || rest.Signed != rest.Last {
		t.Errorf("rest: %+v, %v", rest, err)
	}
}
