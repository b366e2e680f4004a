package load

import (
	"strings"
	"testing"
	"time"
)

func TestReadBenchmark(t *testing.T) {
	const heading = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"` + "\n"
	for _, test := range []struct{ name, text, fault string }{
		{"plain", heading + `"GET","54347.82","0.557","0.064","0.271","0.783","3.079","130.495"` + "\n", ""},
		{"after a warning", "WARNING: Could not fetch server CONFIG\n" + heading + `"GET","54347.82","0.557","0.064","0.271","0.783","3.079","130.495"` + "\n", ""},
		{"empty", "", "no heading"},
		{"no line", heading, "1 lines"},
		{"an error in place of a line", heading + `"NOAUTH Authentication required."` + "\n", "reading the output"},
		{"not a number", heading + `"GET","nan?","0.557","0.064","0.271","0.783","3.079","130.495"` + "\n", "rps"},
		{"zero", heading + `"GET","0.00","0.000","0","0","0","0","0"` + "\n", "lacks"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readBenchmark(test.text)
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("got %+v, %v; want %s", got, err, test.fault)
				}
				return
			}
			if want := (Result{PerSecond: 54347.82, Mean: 557 * time.Microsecond, P99: 3079 * time.Microsecond}); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestCountersRead(t *testing.T) {
	c := Counters{Calls: map[string]int{}, Failed: map[string]int{}}
	c.read("# Commandstats\r\ncmdstat_get:calls=50,usec=10144,usec_per_call=0.20,rejected_calls=2,failed_calls=3\r\n" +
		"cmdstat_auth:calls=4,usec=1,usec_per_call=1.59,rejected_calls=0,failed_calls=0\r\ncmdstat_hello:calls=1,usec=1\r\n")
	c.read("# Stats\r\nkeyspace_hits:44\r\nkeyspace_misses:6\r\nkeyspace_events:7\r\n")
	if c.Calls["get"] != 50 || c.Failed["get"] != 5 || c.logins() != 5 || c.Hits != 44 || c.Misses != 6 {
		t.Errorf("read %+v", c)
	}
}
