package alarm

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/meter"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// drawn is a series as CloudWatch's guide draws them: a letter a minute that ends
// at the given moment, X breaches, 0 does not, - is missing.
type drawn struct {
	minutes string
	end     time.Time
}

func (d drawn) Statistics(_ meter.Series, from, to time.Time, period time.Duration) []meter.Bucket {
	var buckets []meter.Bucket
	for i, letter := range d.minutes {
		at := d.end.Add(-time.Duration(len(d.minutes)-i) * period)
		value := map[rune]float64{'X': 5, '0': 0}[letter]
		if letter != '-' && !at.Before(from) && at.Before(to) {
			buckets = append(buckets, meter.Bucket{Start: at, Samples: 1, Sum: value, Min: value, Max: value})
		}
	}
	return buckets
}

func definition(missing string, periods, needed int) Definition {
	return Definition{
		Name: "failures", Series: meter.Make("AWS/ElastiCache", "AuthenticationFailures"), Statistic: "Sum", Period: 60,
		EvaluationPeriods: periods, DatapointsToAlarm: needed, Comparison: "GreaterThanThreshold", Threshold: 0, TreatMissing: missing,
	}
}

// The first five rows are the table of "How alarm state is evaluated when data is
// missing", CloudWatch User Guide; KEEP leaves the state as it is.
func TestMissingData(t *testing.T) {
	for _, c := range []struct {
		minutes                                  string
		periods, needed                          int
		missing, ignore, breaching, notBreaching State
	}{
		{"0-X-X", 3, 3, OK, OK, OK, OK},
		{"0----", 3, 3, OK, OK, OK, OK},
		{"-----", 3, 3, Insufficient, "", Alarm, OK},
		{"0XX-X", 3, 3, Alarm, Alarm, Alarm, Alarm},
		{"--X--", 3, 3, Alarm, "", Alarm, OK},
		{"X0X0X", 5, 3, Alarm, Alarm, Alarm, Alarm},
		{"0000X", 5, 3, OK, OK, OK, OK},
		{"X", 1, 0, Alarm, Alarm, Alarm, Alarm},
		{"0", 1, 0, OK, OK, OK, OK},
	} {
		for missing, want := range map[string]State{"": c.missing, "missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreaching} {
			d := definition(missing, c.periods, c.needed)
			if got := d.evaluate(drawn{c.minutes, noon}, noon); got.state != want {
				t.Errorf("%s, %d of %d, %q: %q, want %q (%s)", c.minutes, c.needed, c.periods, missing, got.state, want, got.reason)
			}
		}
	}
}

func TestPeriodsThatAreNotOver(t *testing.T) {
	for _, c := range []struct {
		minutes, statistic, comparison string
		want                           State
	}{
		{"00X", "Sum", "GreaterThanThreshold", Alarm}, // it can only grow
		{"00X", "Average", "GreaterThanThreshold", OK},
		{"XX0", "Sum", "GreaterThanThreshold", Alarm}, // and may grow yet
		{"XX0", "Sum", "LessThanOrEqualToThreshold", OK},
	} {
		d := definition("", 1, 1)
		d.Statistic, d.Comparison = c.statistic, c.comparison
		if got := d.evaluate(drawn{c.minutes, noon.Add(time.Minute)}, noon.Add(10*time.Second)); got.state != c.want {
			t.Errorf("%s, %s %s: %v", c.minutes, c.statistic, c.comparison, got)
		}
	}
}

func TestReasons(t *testing.T) {
	for _, c := range []struct{ minutes, missing, want string }{
		{"X", "", "Threshold Crossed: 1 datapoint [5.0 (21/11/26 11:59:00)] was greater than the threshold (0.0)."},
		{"0", "", "Threshold Crossed: 1 datapoint [0.0 (21/11/26 11:59:00)] was not greater than the threshold (0.0)."},
		{"-", "", "Insufficient Data: 1 datapoint was unknown."},
		{"-", "notBreaching", "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."},
	} {
		d := definition(c.missing, 1, 0)
		if got := d.evaluate(drawn{c.minutes, noon}, noon); got.reason != c.want {
			t.Errorf("%s: %s", c.minutes, got.reason)
		}
	}
}

// An alarm goes off, comes back by itself and is found again by the next start.
func TestStatesChangeAndAreKept(t *testing.T) {
	now, path := clock.NewFake(noon), filepath.Join(t.TempDir(), "alarms.json")
	source := &drawn{"-", noon}
	var changes []string
	open := func() *Alarms {
		t.Helper()
		a, err := Open(Config{Path: path, Source: source, Clock: now, Log: slog.New(slog.DiscardHandler), Changed: func(c Change) {
			changes = append(changes, string(c.From)+" "+string(c.To))
		}})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	if err := a.Put(definition("", 1, 0)); err != nil {
		t.Fatal(err)
	}
	for _, minutes := range []string{"-", "X", "X", "0"} {
		now.Advance(time.Minute)
		*source = drawn{minutes, now.Now()}
		a.Evaluate()
	}
	if got := strings.Join(changes, ", "); got != "INSUFFICIENT_DATA ALARM, ALARM OK" {
		t.Errorf("changes: %s", got)
	}
	again := open().List()
	if len(again) != 1 || again[0].State != OK || !again[0].Transitioned.Equal(now.Now()) || len(again[0].History) != 3 {
		t.Fatalf("after a restart: %+v", again)
	}
	if missing, err := a.Delete([]string{"failures", "other"}); err != nil || len(missing) != 1 || len(open().List()) != 1 {
		t.Errorf("deleting one that is not there: %v, %v", missing, err)
	}
	if _, err := a.Delete([]string{"failures"}); err != nil || len(open().List()) != 0 {
		t.Errorf("deleting: %v", err)
	}
}
