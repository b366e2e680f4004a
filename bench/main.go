// Command bench measures what Gatehouse costs beside what people could use in
// its place: the engine's own TLS and HAProxy, with the plain engine as the
// floor. It starts all of them, lets them take turns, and prints ratios of
// medians against the goals, with the CPU time per request of exactly the
// processes that serve, and how much other processes disturbed each run.
//
// It owns the plan: which sections there are, their sizes and goals, the turns
// and the repeats. A section is a name and a function that adds samples, so
// another one is one entry in the list of sections and its lines in the list of
// figures. Packages target, load, usage and report do the work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse/gatehouse/bench/report"
	"github.com/gatehouse/gatehouse/bench/target"
)

// Exit codes.
const (
	exitFailed = 1 // something could not be measured
	exitUsage  = 2
	exitMissed = 3 // with --strict: a goal was missed
)

// longest bounds a whole run, whatever happens; the default one takes about
// five minutes on two cores.
const longest = 20 * time.Minute

func main() { os.Exit(start(os.Args[1:], os.Stdout, os.Stderr)) }

func start(args []string, out, progress io.Writer) int {
	o, err := parse(args, progress)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(progress, "bench:", err)
		}
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	r, err := run(ctx, o, progress)
	if err == nil {
		err = show(r, o, out)
	}
	if err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return exitFailed
	}
	if o.strict && len(r.MissedGoals()) > 0 {
		return exitMissed
	}
	return 0
}

// options are what a run is asked to do.
type options struct {
	sizes
	targets   []target.Kind
	only      []string // sections; all if empty
	gatehouse string   // the program
	results   string   // directory, "" for no file
	strict    bool
}

// sizes are how much is measured.
type sizes struct {
	Rounds   int           `json:"rounds"`
	Keys     int           `json:"keys"`
	Requests int           `json:"requests"`  // 50 clients, pipeline 1
	Deep     int           `json:"pipelined"` // 50 clients, pipeline 16
	Many     int           `json:"many"`      // 500 clients
	Alone    int           `json:"alone"`     // 1 client
	Connects int           `json:"connects"`  // connections that come and go
	Idle     int           `json:"idle"`      // connections that stay
	Micro    time.Duration `json:"micro"`     // a micro-benchmark's round
	// Watch is how long targets are watched at rest, and the pause between looks
	// at their memory: longer than an engine's own round through its clients, a
	// second, in which it gives buffers back.
	Watch time.Duration `json:"watch"`
	// Repeats is how long all repeats of disturbed runs may take: on a machine
	// that is never calm the result is marked, not late.
	Repeats time.Duration `json:"repeats"`
}

// full makes runs of about a second, which is a hundred times the resolution of
// CPU times, and five rounds fit into the time that people wait.
var full = sizes{Rounds: 5, Keys: 100_000, Requests: 100_000, Deep: 600_000, Many: 150_000, Alone: 10_000, Connects: 1500, Idle: 2000, Micro: 200 * time.Millisecond, Watch: 1500 * time.Millisecond, Repeats: time.Minute}

// quick shows that everything works; its figures are coarse.
var quick = sizes{Rounds: 2, Keys: 10_000, Requests: 20_000, Deep: 100_000, Many: 30_000, Alone: 2000, Connects: 200, Idle: 300, Micro: 20 * time.Millisecond, Watch: 1200 * time.Millisecond, Repeats: 5 * time.Second}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	var short bool
	var rounds int
	var targets, only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.BoolVar(&short, "quick", false, "a short run with coarse figures")
	flags.IntVar(&rounds, "rounds", 0, "how often each target takes its turn (default 5, with --quick 2)")
	flags.StringVar(&targets, "targets", "", "which targets, with commas: plain,native,haproxy,gatehouse (default all)")
	flags.StringVar(&only, "only", "", "which sections, with commas: "+strings.Join(sectionNames(), ",")+" (default all)")
	flags.StringVar(&o.gatehouse, "gatehouse", "bin/gatehouse", "the program to measure")
	flags.StringVar(&o.results, "results", "bench/results", "directory for the result as JSON")
	flags.BoolVar(&o.strict, "strict", false, "exit with 3 when a figure misses what it must reach")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.sizes = full
	if short {
		o.sizes = quick
	}
	if rounds > 0 {
		o.Rounds = rounds
	}
	o.targets = target.Kinds
	if targets != "" {
		o.targets = nil
		for name := range strings.SplitSeq(targets, ",") {
			o.targets = append(o.targets, target.Kind(name))
		}
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	return o, o.validate(flags.Args(), rounds)
}

func (o options) validate(rest []string, rounds int) error {
	if len(rest) > 0 || rounds < 0 {
		return fmt.Errorf("%q is not understood; --help lists the flags", append(rest, fmt.Sprint(rounds)))
	}
	for _, kind := range o.targets {
		if !slices.Contains(target.Kinds, kind) {
			return fmt.Errorf("--targets: there is no %q; the targets are %q", kind, target.Kinds)
		}
	}
	for _, name := range o.only {
		if !slices.Contains(sectionNames(), name) {
			return fmt.Errorf("--only: there is no %q; the sections are %q", name, sectionNames())
		}
	}
	return nil
}

// run measures everything that was asked for and judges it.
func run(ctx context.Context, o options, progress io.Writer) (*report.Report, error) {
	dir, err := os.MkdirTemp("", "ghb") // short, because unix sockets are in it
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{options: o, dir: dir, progress: progress}
	began := time.Now()
	if err := b.sections(ctx); err != nil {
		return nil, err
	}
	r := b.report()
	r.Made, r.Took = began, time.Since(began).Seconds()
	r.Judge(figures)
	return r, nil
}
