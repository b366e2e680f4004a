// Command gatehouse is the operator's program: the server for one machine
// (serve) and every command that talks to a server or judges an estate.
//
// It owns the command line, what is printed and exit codes. What the commands
// do is in the internal packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gatehouse/gatehouse/internal/config"
)

// version is set when the program is built.
var version = "unknown"

// commands is the command line.
type commands struct {
	Serve      serveCommand      `cmd:"" help:"Run the control plane, the engines and the gateway of one machine."`
	Env        envCommand        `cmd:"" help:"Print the environment that points AWS tools at a server."`
	Connect    connectCommand    `cmd:"" help:"Open an authenticated valkey-cli or redis-cli session with a cache."`
	Sessions   sessionsCommand   `cmd:"" help:"List who is connected, and how each logged in."`
	Gateway    gatewayCommand    `cmd:"" name:"gateway-credentials" help:"Make, or withdraw, the credentials of a gatehouse-gateway."`
	Quickstart quickstartCommand `cmd:"" help:"Make a first cache with a first user, and print commands to try."`
	Token      tokenCommand      `cmd:"" help:"Print an IAM token for a cache, made with the AWS credentials in use."`
	Events     eventsCommand     `cmd:"" help:"Show the steps of changes to caches, users and groups, and what they wait for."`
	Explain    explainCommand    `cmd:"" help:"Say why the last refused logins were refused."`
	Doctor     doctorCommand     `cmd:"" help:"Say everything that would get an IAM login refused, of Gatehouse or of ElastiCache."`
	Trail      trailCommand      `cmd:"" help:"Show what happened: API calls, logins, refusals with their reasons."`
	Audit      auditCommand      `cmd:"" help:"Find services that answer strangers, in an AWS estate, in templates and plans, or in Gatehouse's own caches."`
	Exceptions exceptionsCommand `cmd:"" help:"List, check and add reviewed exceptions, which always end."`
	Gate       gateCommand       `cmd:"" help:"For pipelines: fail on what a change opens."`
	Migrate    migrateCommand    `cmd:"" help:"Walk a service to authenticated access, one verified step at a time."`
	Version    versionCommand    `cmd:"" help:"Print the program's version."`
}

// Exit codes, documented in the README.
const (
	exitFailed = 1 // the command could not do what was asked
	exitUsage  = 2 // the command line or the configuration is wrong
)

// exitWith ends the program with a code and nothing more to say.
type exitWith int

func (e exitWith) Error() string { return "" }

// ExitCode is the process's exit code.
func (e exitWith) ExitCode() int { return int(e) }

// usageError is an error in what the operator gave.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("gatehouse"),
		kong.Description("ElastiCache's authentication for any Valkey or Redis OSS."),
		kong.UsageOnError(),
		kong.DefaultEnvars("GATEHOUSE"),
		kong.Vars{"data_dir": defaultDataDir()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Configuration(settingsFile),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		parser.Errorf("%s", err)
		return exitUsage
	}
	return exitCode(parsed.Run())
}

func exitCode(err error) int {
	var usage usageError
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded): // a child's own, or a command's documented one
		if text := err.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "gatehouse:", text)
		}
		return coded.ExitCode()
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		return exitUsage
	default:
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		return exitFailed
	}
}

// settingsFile makes --config a source of values below flags and environment.
func settingsFile(r io.Reader) (kong.Resolver, error) {
	file, err := config.Read(r, &config.Server{})
	if err != nil {
		return nil, err
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set { // wins over the file
				return nil, nil
			}
		}
		return file[flag.Name], nil
	}), nil
}

// defaultDataDir is where a server keeps everything unless --data-dir says otherwise.
func defaultDataDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ".gatehouse"
	}
	return filepath.Join(home, ".gatehouse")
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Println("gatehouse", version)
	return err
}
