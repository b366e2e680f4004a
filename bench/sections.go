package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/report"
	"github.com/gatehouse/gatehouse/bench/target"
	"github.com/gatehouse/gatehouse/bench/usage"
)

// throughput is 50 clients, one request at a time and 16.
func (b *bench) throughput(ctx context.Context) error {
	for _, pipeline := range []int{1, 16} {
		for _, command := range []string{"set", "get"} {
			requests := b.Requests
			if pipeline > 1 {
				requests = b.Deep
			}
			w := b.benchmark(load.Throughput{Command: command, Clients: 50, Pipeline: pipeline, Requests: requests, Keys: b.Keys})
			if err := b.turns(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// many is 500 clients. What their connections cost is too much of the run for
// its CPU time per request to mean anything.
func (b *bench) many(ctx context.Context) error {
	w := b.benchmark(load.Throughput{Command: "get", Clients: 500, Pipeline: 1, Requests: b.Many, Keys: b.Keys})
	w.cpu = false
	return b.turns(ctx, w)
}

// benchmark is work of valkey-benchmark.
func (b *bench) benchmark(t load.Throughput) work {
	return work{
		name: fmt.Sprintf("c%d-p%d-%s", t.Clients, t.Pipeline, t.Command),
		cpu:  true,
		run: func(ctx context.Context, s load.Server) (load.Result, load.Claim, error) {
			result, err := t.Run(ctx, s)
			return result, load.Claim{Command: t.Command, Requests: t.Requests, Logins: t.Clients, Reads: t.Command == "get"}, err
		},
	}
}

// latency is 1 client.
func (b *bench) latency(ctx context.Context) error {
	l := load.Latency{Requests: b.Alone, Keys: b.Keys}
	return b.turns(ctx, work{name: "c1-p1-get", cpu: true, run: func(ctx context.Context, s load.Server) (load.Result, load.Claim, error) {
		result, err := l.Run(ctx, s)
		return result, load.Claim{Command: "get", Requests: l.Requests, Logins: 1, Reads: true}, err
	}})
}

// connect is clients that connect, log in and leave.
func (b *bench) connect(ctx context.Context) error {
	for _, resumed := range []bool{false, true} {
		c := load.Connect{Connections: b.Connects, Resumed: resumed}
		name := "connect-full"
		if resumed {
			name = "connect-resumed"
		}
		err := b.turns(ctx, work{name: name, cpu: true, tlsOnly: true, run: func(ctx context.Context, s load.Server) (load.Result, load.Claim, error) {
			result, err := c.Run(ctx, s)
			return result, load.Claim{Logins: c.Connections}, err
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// rest is what targets use while nobody asks them for anything.
func (b *bench) rest(ctx context.Context) error {
	for _, t := range b.fleet {
		if err := settle(ctx, t); err != nil {
			return err
		}
	}
	for round := 1; round <= b.Rounds; round++ {
		b.say("%-14s round %d of %d", "rest", round, b.Rounds)
		before := make([]reading, len(b.fleet))
		for i, t := range b.fleet {
			var err error
			if before[i], err = look(t); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(b.Watch):
		}
		for i, t := range b.fleet {
			after, err := look(t)
			if err != nil {
				return err
			}
			used := after.ours() - after.clients - before[i].ours() + before[i].clients
			b.samples = append(b.samples, report.Sample{
				Workload: "rest", Target: string(t.Kind), Round: round, Attempts: 1,
				Values: map[string]float64{"percent": 100 * used.Seconds() / after.at.Sub(before[i].at).Seconds()},
			})
		}
	}
	return nil
}

// idle is connections that do nothing. Memory that was used before can be used
// again without growing, so each run has a target that was just started.
func (b *bench) idle(ctx context.Context) error {
	for round := 1; round <= b.Rounds; round++ {
		b.say("%-14s round %d of %d", "idle", round, b.Rounds)
		for _, kind := range b.targets {
			s, err := b.idleOnce(ctx, kind)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			s.Round = round
			b.samples = append(b.samples, s)
		}
	}
	return nil
}

func (b *bench) idleOnce(ctx context.Context, kind target.Kind) (report.Sample, error) {
	s := report.Sample{Workload: "idle", Target: string(kind), Values: map[string]float64{}, Attempts: 1}
	t, err := target.Start(ctx, kind, b.targetOptions())
	if err != nil {
		return s, err
	}
	defer func() { _ = t.Stop() }()
	counted, err := load.Count(ctx, t.Server)
	if err != nil {
		return s, err
	}
	before, err := b.memory(ctx, t)
	if err != nil {
		return s, err
	}
	clients, err := load.OpenIdle(ctx, t.Server, b.Idle)
	if err != nil {
		return s, err
	}
	defer clients.Close()
	after, err := b.memory(ctx, t)
	if err != nil {
		return s, err
	}
	recounted, err := load.Count(ctx, t.Server)
	if err != nil {
		return s, err
	}
	claim := load.Claim{Command: "get", Requests: b.Idle, Logins: b.Idle}
	s.Values["kib"] = float64(after-before) / 1024 / float64(b.Idle)
	return s, claim.Prove(counted, recounted)
}

const (
	// memoryStep is a change that no longer matters.
	memoryStep = 256 << 10
	// memoryLooks bounds the wait.
	memoryLooks = 5
)

// memory is what a target's processes hold once that no longer changes.
func (b *bench) memory(ctx context.Context, t *target.Target) (int64, error) {
	var last int64
	for range memoryLooks {
		var now int64
		for _, pid := range t.Processes() {
			held, err := usage.Memory(pid)
			if err != nil {
				return 0, err
			}
			now += held
		}
		change := now - last
		last = now
		if max(change, -change) < memoryStep {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(b.Watch):
		}
	}
	return last, nil
}
