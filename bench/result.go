package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/report"
	"github.com/gatehouse/gatehouse/bench/target"
	"github.com/gatehouse/gatehouse/bench/usage"
)

// report gathers what the run found out and on what.
func (b *bench) report() *report.Report {
	r := &report.Report{
		Machine: usage.ThisMachine(), Samples: b.samples, Versions: b.versions(), Titles: map[string]string{},
		Settings: map[string]any{
			"rounds": b.Rounds, "keys": b.Keys, "value": fmt.Sprintf("%d bytes", load.ValueSize),
			"persistence": "AOF, fsync every second", "certificate": "ECDSA P-256", "io-threads": 1,
		},
	}
	for _, kind := range b.targets {
		r.Targets = append(r.Targets, string(kind))
		r.Titles[string(kind)] = kind.Title()
	}
	if b.Rounds < full.Rounds || b.Requests < full.Requests {
		r.Notes = append(r.Notes, "a short run: its figures are coarse and not for comparison with others")
	}
	if b.Repeats > 0 && b.repeated >= b.Repeats {
		r.Notes = append(r.Notes, "the machine was not calm, and the time for repeats was used up")
	}
	for _, s := range b.samples {
		if used := s.Values["percent"]; s.Workload == "rest" && used > restless {
			r.Notes = append(r.Notes, fmt.Sprintf("%s used %.0f %% of a core at rest (round %d): that is in its CPU per request, and disturbs the others' runs",
				target.Kind(s.Target).Title(), used, s.Round))
		}
	}
	return r
}

// restless is the share of a core, in percent, above which a target is not at rest.
const restless = 10

var versionForm = regexp.MustCompile(`\d+(\.\d+)+[^\s]*`)

// versions asks the programs.
func (b *bench) versions() map[string]string {
	versions := map[string]string{"go": strings.TrimPrefix(runtime.Version(), "go")}
	for name, command := range map[string][]string{
		"valkey": {"valkey-server", "--version"}, "valkey-benchmark": {"valkey-benchmark", "--version"},
		"haproxy": {"haproxy", "-v"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).Output(); err == nil {
			versions[name] = versionForm.FindString(string(out))
		}
	}
	if out, err := exec.Command(b.gatehouse, "version").Output(); err == nil {
		var first, second string
		_, _ = fmt.Sscan(string(out), &first, &second)
		versions[first] = second
	}
	return versions
}

// show prints the table and keeps the result.
func show(r *report.Report, o options, out io.Writer) error {
	if err := r.Table(out); err != nil {
		return err
	}
	if o.results == "" {
		return nil
	}
	if err := os.MkdirAll(o.results, 0o755); err != nil {
		return fmt.Errorf("keeping the result: %w", err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping the result: %w", err)
	}
	path := filepath.Join(o.results, r.Made.UTC().Format("20060102T150405Z")+".json")
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("keeping the result: %w", err)
	}
	_, err = fmt.Fprintf(out, "\nresult: %s\n", path)
	return err
}
