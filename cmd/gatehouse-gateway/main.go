// Command gatehouse-gateway is the data plane alone: it serves the clients of
// all caches at an address of its own, follows a control plane's directory, and
// goes on without it.
//
// It owns the command line, exit codes and the order of start and stop. Judging
// and relaying are internal/gateway's, following is internal/remote's.
// It links neither the store nor the control plane nor the AWS SDK.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/config"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/remote"
)

// version is set when the program is built.
var version = "unknown"

// Exit codes, the same as gatehouse's.
const (
	exitFailed = 1
	exitUsage  = 2
)

type settings struct {
	config.Gateway
	Version kong.VersionFlag `help:"Print the program's version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	var s settings
	parser, err := kong.New(&s,
		kong.Name("gatehouse-gateway"),
		kong.Description("A gateway of Gatehouse in a process of its own."),
		kong.UsageOnError(),
		kong.DefaultEnvars("GATEHOUSE_GATEWAY"),
		kong.Vars{"version": "gatehouse-gateway " + version},
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse-gateway:", err)
		return exitUsage
	}
	if _, err := parser.Parse(args); err != nil {
		parser.Errorf("%s", err)
		return exitUsage
	}
	if err := s.Validate(); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse-gateway:", err)
		return exitUsage
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // one of the names that the flag allows
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if err := serve(ctx, &s.Gateway, log); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse-gateway:", err)
		return exitFailed
	}
	return 0
}

// serve runs until ctx ends or the link fails for good. The link outlives the
// gateway, so that the control plane hears of the last events and of the end.
func serve(ctx context.Context, cfg *config.Gateway, log *slog.Logger) error {
	credentials, err := remote.ReadCredentials(cfg.Credentials)
	if err != nil {
		return err
	}
	link, err := remote.NewLink(remote.LinkConfig{Credentials: credentials, Dir: cfg.Dir(), MaxStale: cfg.MaxStale, Log: log})
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFollowing()
	linkEnded := make(chan error, 1)
	go func() {
		err := link.Run(following)
		if err != nil {
			fail(err)
		}
		linkEnded <- err
	}()
	err = relay(ctx, cfg, link, credentials.ID, log)
	stopFollowing()
	return errors.Join(err, <-linkEnded)
}

// relay serves clients from when the link is ready until ctx ends.
func relay(ctx context.Context, cfg *config.Gateway, link *remote.Link, id string, log *slog.Logger) error {
	show := link.Certificate
	if cfg.TLSCert != "" {
		keeper, err := certs.Files(cfg.TLSCert, cfg.TLSKey, clock.Real)
		if err != nil {
			return err
		}
		show = keeper.Get
	}
	key, err := link.Ready(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before there was anything to serve; the cause is reported by serve
		}
		return err
	}
	g := gateway.New(gateway.Config{
		ID: id, Source: link, TLS: show, Key: key, Observer: link, Clock: clock.Real, Log: log,
	})
	link.Report(g)
	log.Info("serving", "gateway", id)
	return g.Run(ctx)
}
