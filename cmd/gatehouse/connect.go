package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"

	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/serve"
	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

type connectCommand struct {
	serverFlags
	Cache        string   `arg:"" help:"Replication group to connect to."`
	User         string   `help:"User to log in as." default:"default"`
	PasswordFile string   `help:"Read the password or token from this file; - is standard input." placeholder:"FILE" xor:"credential"`
	Ticket       bool     `help:"Log in with a one-use ticket in place of a password; the trail records it." xor:"credential"`
	IAM          bool     `help:"Log in with an IAM token, made with the AWS credentials in use." name:"iam" xor:"credential"`
	Anonymous    bool     `help:"Do not log in." xor:"credential"`
	Command      []string `arg:"" optional:"" passthrough:"partial" help:"Command to run in place of an interactive session, after --."`
}

// Run asks the server where the cache is and hands over to the engine's own
// command-line client, with its exit code.
func (c connectCommand) Run(ctx context.Context) error {
	program, err := client()
	if err != nil {
		return err
	}
	s, err := c.find()
	if err != nil {
		return err
	}
	var cache serve.CacheInfo
	if err := s.call(ctx, http.MethodGet, "/gatehouse/v1/cache?"+url.Values{"cache": {c.Cache}}.Encode(), nil, &cache); err != nil {
		return err
	}
	if len(cache.Nodes) == 0 {
		return fmt.Errorf("cache %s has no node that runs yet (its status is %s)", cache.ID, cache.Status)
	}
	secret, err := c.secret(ctx, s, &cache)
	if err != nil {
		return err
	}
	return c.exec(ctx, program, s, &cache, secret)
}

// client finds the engines' command-line client.
func client() (string, error) {
	for _, name := range []string{"valkey-cli", "redis-cli"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither valkey-cli nor redis-cli is installed: run `make setup`, or install the package valkey-tools or redis-tools")
}

// secret returns what to log in with; a zero one means not to.
func (c connectCommand) secret(ctx context.Context, s *server, cache *serve.CacheInfo) (identity.Secret, error) {
	switch {
	case c.Anonymous:
		return identity.Secret{}, nil
	case c.IAM:
		token, err := makeToken(ctx, cacheauth.Config{Cache: cache.ID, User: c.User, Region: s.Region})
		return identity.NewSecret(token), err
	case c.Ticket:
		var ticket serve.TicketAnswer
		err := s.call(ctx, http.MethodPost, "/gatehouse/v1/ticket", serve.TicketRequest{Cache: cache.ID, User: c.User}, &ticket)
		return identity.NewSecret(ticket.Password), err
	case c.PasswordFile == "-":
		return firstLine(os.Stdin, "standard input")
	case c.PasswordFile != "":
		file, err := os.Open(c.PasswordFile)
		if err != nil {
			return identity.Secret{}, fmt.Errorf("--password-file: %w", err)
		}
		defer func() { _ = file.Close() }()
		return firstLine(file, c.PasswordFile)
	case cache.Anonymous && c.User == identity.DefaultUser:
		return identity.Secret{}, nil
	default:
		return prompt(c.User, cache.ID)
	}
}

// firstLine reads a password: the first line, as long as a password may be.
func firstLine(r io.Reader, name string) (identity.Secret, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4*credential.MaxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return identity.Secret{}, fmt.Errorf("reading the password from %s: %w", name, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return identity.Secret{}, fmt.Errorf("%s holds no password in its first line", name)
	}
	return identity.NewSecret(line), nil
}

func prompt(user, cache string) (identity.Secret, error) {
	stdin := int(os.Stdin.Fd())
	if !term.IsTerminal(stdin) {
		return identity.Secret{}, usageError{errors.New("there is no terminal to ask for the password: use --password-file FILE (- for standard input) or --ticket")}
	}
	fmt.Fprintf(os.Stderr, "Password of %s on %s: ", user, cache)
	text, err := term.ReadPassword(stdin)
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return identity.Secret{}, fmt.Errorf("reading the password: %w", err)
	}
	return identity.NewSecret(string(text)), nil
}

func (c connectCommand) exec(ctx context.Context, program string, s *server, cache *serve.CacheInfo, secret identity.Secret) error {
	host, port, err := net.SplitHostPort(cache.Nodes[0].Address)
	if err != nil {
		return fmt.Errorf("the server names the address %q: %w", cache.Nodes[0].Address, err)
	}
	args := []string{"-h", host, "-p", port}
	if cache.Transit == identity.TransitRequired {
		args = append(args, "--tls", "--cacert", s.CA)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if !secret.IsZero() {
		// By the environment, which other users cannot read, never in the arguments.
		cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+secret.Reveal(), "VALKEYCLI_AUTH="+secret.Reveal())
		cmd.Args = append(cmd.Args, "--user", c.User, "--no-auth-warning")
	}
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	cmd.Args = append(cmd.Args, command...)
	return childError(program, cmd.Run())
}

func childError(program string, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.Exited():
		return exitWith(exit.ExitCode())
	default:
		return fmt.Errorf("running %s: %w", program, err)
	}
}
