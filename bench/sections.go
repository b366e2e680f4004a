package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/report"
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
// again without growing, so each round has targets that were just started.
func (b *bench) idle(ctx context.Context) error {
	for round := 1; round <= b.Rounds; round++ {
		b.say("%-14s round %d of %d", "idle", round, b.Rounds)
		err := b.startFleet(ctx, 0)
		if err == nil {
			err = b.idleRound(ctx, round)
		}
		if err = errors.Join(err, b.stopFleet()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) idleRound(ctx context.Context, round int) error {
	counted := make([]load.Counters, len(b.fleet))
	for i, t := range b.fleet {
		var err error
		if counted[i], err = load.Count(ctx, t.Server); err != nil {
			return err
		}
	}
	before, err := b.memory(ctx)
	if err != nil {
		return err
	}
	for _, t := range b.fleet {
		clients, err := load.OpenIdle(ctx, t.Server, b.Idle)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Kind, err)
		}
		defer clients.Close()
	}
	after, err := b.memory(ctx)
	if err != nil {
		return err
	}
	for i, t := range b.fleet {
		recounted, err := load.Count(ctx, t.Server)
		if err != nil {
			return err
		}
		claim := load.Claim{Command: "get", Requests: b.Idle, Logins: b.Idle}
		if err := claim.Prove(counted[i], recounted); err != nil {
			return fmt.Errorf("%s: %w", t.Kind, err)
		}
		grown := float64(after[i]-before[i]) / 1024 / float64(b.Idle)
		b.samples = append(b.samples, report.Sample{
			Workload: "idle", Target: string(t.Kind), Round: round, Attempts: 1, Values: map[string]float64{"kib": grown},
		})
	}
	return nil
}

const (
	// memoryStep is a change that no longer matters.
	memoryStep = 256 << 10
	// memoryLooks bounds the wait.
	memoryLooks = 5
)

// memory is what each target's processes hold once that no longer changes.
func (b *bench) memory(ctx context.Context) ([]int64, error) {
	last := make([]int64, len(b.fleet))
	for range memoryLooks {
		changes := false
		for i, t := range b.fleet {
			var now int64
			for _, pid := range t.Processes() {
				held, err := usage.Memory(pid)
				if err != nil {
					return nil, err
				}
				now += held
			}
			changes = changes || max(now-last[i], last[i]-now) >= memoryStep
			last[i] = now
		}
		if !changes {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(b.Watch):
		}
	}
	return last, nil
}
