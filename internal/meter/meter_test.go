package meter

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// noon is the start of a minute.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

var refused = Make("AWS/ElastiCache", "AuthenticationFailures", "CacheNodeId", "0001", "CacheClusterId", "orders-001")

type harness struct {
	*testing.T
	*Meter
	dir      string
	clock    *clock.Fake
	readings []Reading
}

func begin(t *testing.T, dir string, c *clock.Fake) *harness {
	t.Helper()
	h := &harness{T: t, dir: dir, clock: c}
	var err error
	h.Meter, err = Open(Config{Dir: dir, Clock: c, Collect: func(context.Context) []Reading { return h.readings }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// pass lets a time go by in which the readings became these.
func (h *harness) pass(d time.Duration, readings ...Reading) {
	h.clock.Advance(d)
	h.readings = readings
	h.Collect(h.Context())
}

func (h *harness) want(from time.Time, minutes int, period time.Duration, want ...Bucket) {
	h.Helper()
	got := h.Statistics(refused, from, from.Add(time.Duration(minutes)*time.Minute), period)
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("from %s (-want +got):\n%s", from.Format(time.TimeOnly), diff)
	}
}

func count(source string, value float64) Reading {
	return Reading{Source: source, Series: refused, Value: value}
}

func fresh(value float64) Reading {
	return Reading{Source: "local", Fresh: true, Series: refused, Value: value}
}

func minutesAfter(start time.Time, n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

func one(n int, value float64) Bucket {
	return Bucket{Start: minutesAfter(noon, n), Samples: 1, Sum: value, Min: value, Max: value}
}

func TestCountsGoToTheirMinute(t *testing.T) {
	h := begin(t, t.TempDir(), clock.NewFake(noon))
	h.pass(10*time.Second, fresh(2))
	h.want(noon, 1, time.Minute, one(0, 2)) // seen before the minute is over
	h.pass(50*time.Second, fresh(5))        // taken at 12:01:00, counted before
	h.pass(time.Minute, fresh(5))
	h.pass(time.Minute, fresh(9))
	h.pass(time.Minute) // the node is gone
	h.pass(time.Minute, fresh(10))
	h.want(noon, 10, time.Minute, one(0, 5), one(1, 0), one(2, 4), one(4, 1))
	h.want(noon, 10, 5*time.Minute, Bucket{Start: noon, Samples: 4, Sum: 10, Min: 0, Max: 5})
	h.want(minutesAfter(noon, 1), 2, 2*time.Minute, Bucket{Start: minutesAfter(noon, 1), Samples: 2, Sum: 4, Min: 0, Max: 4})
}

func TestSourcesThatComeAndGo(t *testing.T) {
	h := begin(t, t.TempDir(), clock.NewFake(noon))
	h.pass(time.Minute, count("far", 1000)) // counted before we were there
	h.pass(time.Minute, count("far", 1003))
	h.pass(time.Minute, count("far", 2), fresh(1)) // it was started again
	h.want(noon, 10, time.Minute, one(0, 0), one(1, 3), one(2, 3))

	other := Make("AWS/ElastiCache", "AuthenticationFailures", "CacheClusterId", "new-001")
	h.pass(time.Minute, count("far", 2), Reading{Source: "far", Series: other, Value: 7})
	got := h.Statistics(other, noon, minutesAfter(noon, 9), time.Minute)
	if len(got) != 1 || got[0].Sum != 7 {
		t.Errorf("a new node of a known gateway counts from zero; got %+v", got)
	}
}

func TestMinutesAreKeptOverRestarts(t *testing.T) {
	dir, c := t.TempDir(), clock.NewFake(noon)
	h := begin(t, dir, c)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	h.pass(time.Minute, fresh(4))
	h.pass(20*time.Second, fresh(5))
	go func() { done <- h.Meter.Run(ctx) }()
	h.readings = []Reading{fresh(7)}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := []Bucket{one(0, 4), one(1, 3)}
	for range 2 { // the second start finds what the first left, no more
		h = begin(t, dir, c)
		h.want(noon, 5, time.Minute, want...)
	}
	h.pass(40*time.Second, fresh(2)) // a new process, in the same minute
	h.pass(time.Minute, fresh(2))
	want = []Bucket{one(0, 4), one(1, 5), one(2, 0)}
	h.want(noon, 5, time.Minute, want...)
	begin(t, dir, c).want(noon, 5, time.Minute, want...)
}

func TestDamageIsLeftOut(t *testing.T) {
	dir, c := t.TempDir(), clock.NewFake(noon)
	h := begin(t, dir, c)
	for n := range 4 {
		h.pass(time.Minute, fresh(float64(n+1)))
	}
	path := filepath.Join(dir, "2026-11-21.meter")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[2] = strings.Replace(lines[2], "=1", "=9", 1) // the second minute
	cut := strings.Join(lines, "")
	if err := os.WriteFile(path, []byte(cut[:len(cut)-3]), 0o600); err != nil {
		t.Fatal(err)
	}
	h = begin(t, dir, c)
	h.want(noon, 9, time.Minute, one(0, 1), one(2, 1))
	h.pass(time.Minute, fresh(6))
	begin(t, dir, c).want(noon, 9, time.Minute, one(0, 1), one(2, 1), one(4, 6))
}

func TestFifteenDays(t *testing.T) {
	dir, c := t.TempDir(), clock.NewFake(noon)
	h := begin(t, dir, c)
	h.pass(time.Minute, fresh(1))
	h.pass(time.Minute, fresh(3))
	h.pass(Retention-2*time.Minute, fresh(3)) // the gap belongs to the minute it began in
	h.want(noon, 5, time.Minute, one(0, 1), one(1, 2), one(2, 0))
	h.pass(time.Minute, fresh(4))
	h.want(noon, 5, time.Minute, one(1, 2), one(2, 0))
	h.pass(24*time.Hour, fresh(4))
	h.pass(time.Minute, fresh(4))
	if _, err := os.Stat(filepath.Join(dir, "2026-11-21.meter")); !os.IsNotExist(err) {
		t.Errorf("the file of a day that is over: %v", err)
	}
	begin(t, dir, c).want(noon, 5, time.Minute)
}

func FuzzFile(f *testing.F) {
	dir, c := f.TempDir(), clock.NewFake(noon)
	m, err := Open(Config{Dir: dir, Clock: c, Collect: func(context.Context) []Reading { return []Reading{fresh(3)} }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	c.Advance(time.Minute)
	m.Collect(context.Background())
	good, err := os.ReadFile(filepath.Join(dir, "2026-11-21.meter"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append([]byte("deadbeef m 29662560 1-2147483647\n"), good...))
	f.Add([]byte("d 1 {}\nm 0 0-0"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var lines strings.Builder // with sums that are right, to come further
		for part := range strings.SplitSeq(string(text), "\n") {
			_, content, _ := strings.Cut(part, " ")
			var b bytes.Buffer
			line(&b, content)
			lines.Write(b.Bytes())
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "2026-11-21.meter"), append(text, lines.String()...), 0o600); err != nil {
			t.Fatal(err)
		}
		h := begin(t, dir, clock.NewFake(noon.Add(time.Minute)))
		h.pass(time.Minute, fresh(1))
		for _, l := range h.List() {
			for _, b := range h.Statistics(l.Series, noon.Add(-Retention), noon.Add(time.Hour), time.Minute) {
				if b.Samples != 1 || b.Start.After(noon.Add(2*time.Minute)) {
					t.Fatalf("%v: %+v", l.Series, b)
				}
			}
		}
	})
}
