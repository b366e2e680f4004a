package load

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ValueSize is the size of values, in bytes.
const ValueSize = 64

// Throughput is a run of valkey-benchmark.
type Throughput struct {
	Command  string // get or set
	Clients  int
	Pipeline int
	Requests int
	Keys     int // random ones of so many
}

// Result is what a client saw.
type Result struct {
	Requests  int
	PerSecond float64
	Mean, P99 time.Duration
}

// benchmark is the client; `make setup` installs it with the engine.
const benchmark = "valkey-benchmark"

// Run runs valkey-benchmark to its end. Each of its clients logs in first and
// sends its first request at once, so the connections are within the run: at
// 50 clients about a percent of it.
func (t Throughput) Run(ctx context.Context, s Server) (Result, error) {
	// More than a hundred times slower than anything measured is a failure.
	ctx, cancel := context.WithTimeout(ctx, replyTimeout+time.Duration(t.Requests)*time.Millisecond/2)
	defer cancel()
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return Result{}, err
	}
	args := []string{
		"-h", host, "-p", port, "--csv", "--precision", "3", "-t", t.Command,
		"-c", strconv.Itoa(t.Clients), "-P", strconv.Itoa(t.Pipeline), "-n", strconv.Itoa(t.Requests),
		"-d", strconv.Itoa(ValueSize), "-r", strconv.Itoa(t.Keys),
		// It takes a password in no other way. This one is random, of a server
		// on loopback that lives for minutes.
		"--user", s.User, "-a", s.Password,
	}
	if s.CA != "" {
		args = append(args, "--tls", "--cacert", s.CA)
	}
	run := exec.CommandContext(ctx, benchmark, args...)
	var out, complaint bytes.Buffer
	run.Stdout, run.Stderr = &out, &complaint
	if err := run.Run(); err != nil {
		return Result{}, fmt.Errorf("%s: %w: %.300s", benchmark, errors.Join(err, ctx.Err()), complaint.String()+out.String())
	}
	result, err := readBenchmark(out.String())
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", benchmark, err)
	}
	result.Requests = t.Requests
	return result, nil
}

// readBenchmark reads the output of --csv: a heading and one line.
func readBenchmark(text string) (Result, error) {
	// A warning may stand before the heading, for a server that shows no CONFIG.
	start := strings.Index(text, `"test"`)
	if start < 0 {
		return Result{}, fmt.Errorf("the output has no heading: %.200q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(text[start:])).ReadAll()
	if err != nil {
		return Result{}, fmt.Errorf("reading the output: %w", err)
	}
	if len(rows) != 2 {
		return Result{}, fmt.Errorf("the output has %d lines, not 2: %.200q", len(rows), text)
	}
	column := map[string]float64{}
	for i, name := range rows[0] {
		if column[name], err = strconv.ParseFloat(rows[1][i], 64); err != nil && i > 0 {
			return Result{}, fmt.Errorf("column %s is %q", name, rows[1][i])
		}
	}
	result := Result{PerSecond: column["rps"], Mean: milliseconds(column["avg_latency_ms"]), P99: milliseconds(column["p99_latency_ms"])}
	if result.PerSecond <= 0 || result.Mean <= 0 || result.P99 <= 0 {
		return Result{}, fmt.Errorf("the output lacks a figure: %.200q", text)
	}
	return result, nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// Fill writes the keys that valkey-benchmark will ask for.
func Fill(ctx context.Context, s Server, keys int) error {
	const batch = 1000
	c, err := login(ctx, s, nil)
	if err != nil {
		return fmt.Errorf("filling the cache: %w", err)
	}
	defer func() { _ = c.Close() }()
	value := strings.Repeat("x", ValueSize)
	for first := 0; first < keys; first += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		var commands []byte
		n := min(batch, keys-first)
		for i := range n {
			commands = append(commands, command("SET", key(first+i), value)...)
		}
		if err := c.exchange(commands, n); err != nil {
			return fmt.Errorf("filling the cache: %w", err)
		}
	}
	return nil
}

// key is how valkey-benchmark names its keys.
func key(n int) string { return fmt.Sprintf("key:%012d", n) }

// exchange sends commands at once and reads their n replies.
func (c *conn) exchange(commands []byte, n int) error {
	if err := c.SetDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	if _, err := c.Write(commands); err != nil {
		return err
	}
	for range n {
		if _, err := c.reply(); err != nil {
			return err
		}
	}
	return nil
}
