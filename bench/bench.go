package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/report"
	"github.com/gatehouse/gatehouse/bench/target"
	"github.com/gatehouse/gatehouse/bench/usage"
)

const (
	// calm is the share of the machine that other processes may use before a
	// run counts as disturbed.
	calm = 0.10
	// repeats is how often a disturbed run is made again, at most.
	repeats = 2
	// settleTime bounds the wait for work that a run has left behind, and
	// restTime the wait for an engine that rewrites its AOF.
	settleTime = time.Second
	restTime   = 15 * time.Second
	settlePoll = 30 * time.Millisecond
)

// bench is a run under way.
type bench struct {
	options
	dir      string
	progress io.Writer
	fleet    []*target.Target
	samples  []report.Sample
	repeated time.Duration // time that repeats took
}

// section is a part of the benchmark: it adds samples.
type section struct {
	name string
	// served is whether it needs the targets to be running, with keys.
	served bool
	run    func(*bench, context.Context) error
}

var allSections = []section{
	{"idle", false, (*bench).idle},
	{"rest", true, (*bench).rest},
	{"throughput", true, (*bench).throughput},
	{"many", true, (*bench).many},
	{"latency", true, (*bench).latency},
	{"connect", true, (*bench).connect},
	{"micro", false, (*bench).micro},
	{"posture", false, (*bench).posture},
}

func sectionNames() []string {
	var names []string
	for _, s := range allSections {
		names = append(names, s.name)
	}
	return names
}

// sections runs the sections; the targets run only while they are needed.
func (b *bench) sections(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, b.stopFleet()) }()
	for _, s := range allSections {
		if len(b.only) > 0 && !slices.Contains(b.only, s.name) {
			continue
		}
		if s.served && b.fleet == nil {
			b.say("starting %q", b.targets)
			if err := b.startFleet(ctx, b.Keys); err != nil {
				return err
			}
		}
		if !s.served {
			if err := b.stopFleet(); err != nil {
				return err
			}
		}
		if err := s.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (b *bench) targetOptions() target.Options {
	// Beside the measured connections there are those that ask for counters.
	return target.Options{Dir: b.dir, Program: b.gatehouse, Connections: b.Idle + 100}
}

// startFleet starts the targets and gives them keys.
func (b *bench) startFleet(ctx context.Context, keys int) error {
	for _, kind := range b.targets {
		t, err := target.Start(ctx, kind, b.targetOptions())
		if err != nil {
			return err
		}
		b.fleet = append(b.fleet, t)
		if err := load.Fill(ctx, t.Server, keys); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func (b *bench) stopFleet() error {
	var failures []error
	for _, t := range b.fleet {
		failures = append(failures, t.Stop())
	}
	b.fleet = nil
	return errors.Join(failures...)
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "bench: "+format+"\n", args...)
}

// work is something that clients do, and what is kept of it.
type work struct {
	name string
	// run makes the clients work once. The claim is checked against the engine.
	run func(context.Context, load.Server) (load.Result, load.Claim, error)
	// cpu is whether CPU time per request is kept.
	cpu bool
	// tlsOnly leaves out the target without TLS.
	tlsOnly bool
}

// turns lets the targets take turns.
func (b *bench) turns(ctx context.Context, w work) error {
	for round := 1; round <= b.Rounds; round++ {
		b.say("%-14s round %d of %d", w.name, round, b.Rounds)
		for _, t := range b.fleet {
			if w.tlsOnly && t.Server.TLS == nil {
				continue
			}
			s, err := b.undisturbed(ctx, w, t)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", w.name, t.Kind, err)
			}
			s.Round = round
			b.samples = append(b.samples, s)
		}
	}
	return nil
}

// undisturbed repeats a run that was disturbed, within bounds, and keeps the
// least disturbed one.
func (b *bench) undisturbed(ctx context.Context, w work, t *target.Target) (report.Sample, error) {
	best, err := b.once(ctx, w, t)
	if err != nil {
		return best, err
	}
	attempts := 1
	for ; *best.Foreign > calm && attempts <= repeats && b.repeated < b.Repeats; attempts++ {
		began := time.Now()
		again, err := b.once(ctx, w, t)
		if err != nil {
			return best, err
		}
		b.repeated += time.Since(began)
		if *again.Foreign < *best.Foreign {
			best = again
		}
	}
	best.Attempts, best.Disturbed = attempts, *best.Foreign > calm
	return best, nil
}

// once makes one run, proves that it was what it claims, and says what it cost.
func (b *bench) once(ctx context.Context, w work, t *target.Target) (report.Sample, error) {
	s := report.Sample{Workload: w.name, Target: string(t.Kind), Values: map[string]float64{}}
	counted, err := load.Count(ctx, t.Server)
	if err != nil {
		return s, err
	}
	if err := settle(ctx, t); err != nil {
		return s, err
	}
	before, err := look(t)
	if err != nil {
		return s, err
	}
	result, claim, err := w.run(ctx, t.Server)
	if err != nil {
		return s, err
	}
	if err := settle(ctx, t); err != nil {
		return s, err
	}
	after, err := look(t)
	if err != nil {
		return s, err
	}
	recounted, err := load.Count(ctx, t.Server)
	if err != nil {
		return s, err
	}
	if err := claim.Prove(counted, recounted); err != nil {
		return s, err
	}
	foreign := after.foreign(before)
	s.Foreign = &foreign
	s.Values["per_second"] = result.PerSecond
	s.Values["mean_us"] = float64(result.Mean) / float64(time.Microsecond)
	if result.P99 > 0 {
		s.Values["p99_us"] = float64(result.P99) / float64(time.Microsecond)
	}
	if w.cpu {
		after.perRequest(before, result.Requests, s.Values)
	}
	return s, nil
}

// settle waits until a target has nothing left to do: closing connections, for
// example, is part of a run. Housekeeping never ends, so the wait is bounded.
func settle(ctx context.Context, t *target.Target) error {
	began := time.Now()
	var last time.Duration
	for {
		var now time.Duration
		for _, pid := range t.Processes() {
			used, err := usage.CPU(pid)
			if err != nil {
				return err
			}
			now += used
		}
		waited := time.Since(began)
		quiet := now == last || waited > settleTime
		if quiet && (t.Resting() || waited > restTime) {
			return nil
		}
		last = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settlePoll):
		}
	}
}
