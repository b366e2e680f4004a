package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/target"
	"github.com/gatehouse/gatehouse/bench/usage"
)

// tiny is enough to see that everything is measured; its figures mean nothing.
var tiny = sizes{Rounds: 1, Keys: 1000, Requests: 2000, Deep: 6400, Many: 2000, Alone: 200, Connects: 24, Idle: 24, Micro: time.Millisecond, Watch: 50 * time.Millisecond}

// need looks for programs. Without one the test fails if `make setup` has been
// run in this tree, and is skipped otherwise.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if _, err := os.Stat("../.setup/done"); err == nil {
			t.Fatalf("%s is missing although `make setup` was run", name)
		}
		t.Skipf("%s is missing: run `make setup`", name)
	}
}

func buildGatehouse(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "gatehouse")
	out, err := exec.Command("go", "build", "-o", program, "github.com/gatehouse/gatehouse/cmd/gatehouse").CombinedOutput()
	if err != nil {
		t.Fatalf("building gatehouse: %v\n%s", err, out)
	}
	return program
}

// installed are the targets that can be measured here.
func installed(t *testing.T) []target.Kind {
	t.Helper()
	need(t, "valkey-server", "valkey-benchmark")
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Log("HAProxy is left out: it is not installed (make bench installs it)")
		return []target.Kind{target.Plain, target.Native, target.Gatehouse}
	}
	return target.Kinds
}

func TestEverySectionMeasuresEveryTarget(t *testing.T) {
	o := options{sizes: tiny, targets: installed(t), gatehouse: buildGatehouse(t), results: t.TempDir()}
	r, err := run(t.Context(), o, &testLog{t})
	if err != nil {
		t.Fatal(err)
	}
	for _, workload := range []string{"idle", "rest", "c50-p1-set", "c50-p1-get", "c50-p16-set", "c50-p16-get", "c500-p1-get", "c1-p1-get", "connect-full", "connect-resumed"} {
		for _, kind := range o.targets {
			n := 0
			for _, s := range r.Samples {
				if s.Workload == workload && s.Target == string(kind) {
					n++
				}
			}
			want := 1
			if kind == target.Plain && strings.HasPrefix(workload, "connect") {
				want = 0 // there is no handshake to measure
			}
			if n != want {
				t.Errorf("%s has %d samples of %s, want %d", workload, n, kind, want)
			}
		}
	}
	for _, f := range r.Figures {
		if f.Value <= 0 && f.Metric != "allocs" && f.Metric != "percent" && f.Metric != "cpu_us" && f.Metric != "kib" {
			t.Errorf("%s against %q is %v", f.Title, f.Against, f.Value)
		}
	}
	var table strings.Builder
	if err := show(r, o, &table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	if left, err := usage.Children(os.Getpid()); err != nil || len(left) > 0 {
		t.Errorf("processes are left behind: %v, %v", left, err)
	}
	if files, _ := filepath.Glob(filepath.Join(o.results, "*.json")); len(files) != 1 {
		t.Errorf("the result is in %q", files)
	}
}

type testLog struct{ t *testing.T }

func (l *testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// plain starts the simplest target.
func plain(t *testing.T) *target.Target {
	t.Helper()
	need(t, "valkey-server", "valkey-benchmark")
	started, err := target.Start(t.Context(), target.Plain, target.Options{Dir: t.TempDir(), Connections: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
	})
	return started
}

func TestForeignWorkIsSeen(t *testing.T) {
	p := plain(t)
	b := &bench{options: options{sizes: tiny}, progress: io.Discard, fleet: []*target.Target{p}}
	for range runtime.NumCPU() {
		other := exec.Command("sh", "-c", "while :; do :; done")
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	}
	wait := work{name: "wait", cpu: true, run: func(context.Context, load.Server) (load.Result, load.Claim, error) {
		time.Sleep(500 * time.Millisecond) // nobody of ours works meanwhile
		return load.Result{Requests: 1}, load.Claim{}, nil
	}}
	s, err := b.undisturbed(t.Context(), wait, p)
	if err != nil {
		t.Fatal(err)
	}
	if *s.Foreign < 0.5 || !s.Disturbed {
		t.Errorf("other processes took all CPUs, and the sample says %.0f %%, disturbed: %t", 100**s.Foreign, s.Disturbed)
	}
}

func TestCPUIsThatOfTheTarget(t *testing.T) {
	p := plain(t)
	b := &bench{options: options{sizes: tiny}, progress: io.Discard, fleet: []*target.Target{p}}
	if err := load.Fill(t.Context(), p.Server, tiny.Keys); err != nil {
		t.Fatal(err)
	}
	s, err := b.once(t.Context(), b.benchmark(load.Throughput{Command: "get", Clients: 10, Pipeline: 1, Requests: 50_000, Keys: tiny.Keys}), p)
	if err != nil {
		t.Fatal(err)
	}
	// A GET takes an engine some microseconds on any machine.
	if cpu := s.Values["engine_us"]; cpu < 0.5 || cpu > 100 {
		t.Errorf("a GET takes the engine %v µs", cpu)
	}
	if s.Values["client_us"] <= 0 || s.Values["proxy_us"] != 0 || s.Values["cpu_us"] != s.Values["engine_us"] {
		t.Errorf("the CPU times are %v", s.Values)
	}
}

func TestPerRequest(t *testing.T) {
	before := reading{proxy: time.Second, engine: time.Second, clients: time.Second, busy: 10 * time.Second, cores: 2}
	after := reading{at: before.at.Add(2 * time.Second), proxy: 2 * time.Second, engine: 1500 * time.Millisecond, clients: 1250 * time.Millisecond, busy: 12 * time.Second, cores: 2}
	values := map[string]float64{}
	after.perRequest(before, 100_000, values)
	if values["proxy_us"] != 10 || values["engine_us"] != 5 || values["cpu_us"] != 15 || values["client_us"] != 2.5 {
		t.Errorf("the values are %v", values)
	}
	// 2 s were busy, 1.75 s of them ours, of 4 s that two cores have.
	if foreign := after.foreign(before); fmt.Sprintf("%.4f", foreign) != "0.0625" {
		t.Errorf("foreign: %v", foreign)
	}
}

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		args string
		want string // part of the error
	}{
		{"--quick --rounds 3 --targets native,gatehouse --only latency", ""},
		{"--targets nginx", `no "nginx"`},
		{"--only everything", `no "everything"`},
		{"now", `"now"`},
	} {
		o, err := parse(strings.Fields(test.args), io.Discard)
		if test.want == "" && (err != nil || o.Rounds != 3 || o.Requests != quick.Requests || !slices.Equal(o.targets, []target.Kind{target.Native, target.Gatehouse})) {
			t.Errorf("%s: %+v, %v", test.args, o, err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %s", test.args, err, test.want)
		}
	}
}
