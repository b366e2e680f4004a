package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/bench/report"
)

// postureBenchmarks are where the audit's measurements live: beside the estate
// and the inputs that they need.
var postureBenchmarks = []string{
	"github.com/gatehouse/gatehouse/internal/posture/source/aws", "github.com/gatehouse/gatehouse/internal/posture/source/files",
}

// posture is the audit of an estate, a large template and a large plan, each in
// a process of its own so that its memory is its own.
func (b *bench) posture(ctx context.Context) error {
	for round := 1; round <= b.Rounds; round++ {
		b.say("%-14s round %d of %d", "posture", round, b.Rounds)
		for _, pkg := range postureBenchmarks {
			command := exec.CommandContext(ctx, "go", "test", pkg, "-run", "^$", "-bench", ".", "-benchtime", "1x")
			var failure bytes.Buffer
			command.Stderr = &failure
			out, err := command.Output()
			if err != nil {
				return fmt.Errorf("benchmarks of %s: %w\n%s%s", pkg, err, out, failure.Bytes())
			}
			for _, s := range goBenchmarks(string(out)) {
				s.Round = round
				b.samples = append(b.samples, s)
			}
		}
	}
	return ctx.Err()
}

// goBenchmarks reads the lines of go test -bench: a name with the number of CPUs
// behind it, how often it ran, then pairs of a value and its unit.
func goBenchmarks(output string) []report.Sample {
	var samples []report.Sample
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		name, ok := strings.CutPrefix(line, "Benchmark")
		if !ok || len(words) < 4 {
			continue
		}
		name, _, _ = strings.Cut(strings.Fields(name)[0], "-")
		s := report.Sample{Workload: "posture-" + strings.ToLower(name), Attempts: 1, Values: map[string]float64{}}
		for i := 2; i+1 < len(words); i += 2 {
			if value, err := strconv.ParseFloat(words[i], 64); err == nil {
				s.Values[words[i+1]] = value
			}
		}
		s.Values["s"] = s.Values["ns/op"] / 1e9
		samples = append(samples, s)
	}
	return samples
}
