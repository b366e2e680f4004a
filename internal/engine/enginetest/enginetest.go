package enginetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine/admin"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// patience bounds the start, the stop and a command of an engine in a test; a
// loaded machine takes its time, a hanging engine must not hang the tests.
const patience = 20 * time.Second

// Server is a running engine.
type Server struct {
	Kind   identity.Engine
	Dir    string
	Socket string // absolute, and short enough for any system
	Admin  identity.Secret
	PID    int

	t testing.TB
}

// Program returns the path of the engine's program. Without it the test fails
// if `make setup` has been run in this tree, and is skipped otherwise.
func Program(t testing.TB, kind identity.Engine) string {
	t.Helper()
	return Installed(t, string(kind)+"-server")
}

// Installed returns the path of a program that `make setup` installs. The test
// fails without it if `make setup` has been run, and is skipped otherwise.
func Installed(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if setupWasRun(t) {
		t.Fatalf("%s is not installed although `make setup` was run: %v", name, err)
	}
	t.Skipf("%s is not installed and `make setup` was never run", name)
	return ""
}

// Start starts an engine that stops with the test. Each of settings is a line of
// the engine's configuration, such as "maxmemory 10mb".
func Start(t testing.TB, kind identity.Engine, settings ...string) *Server {
	t.Helper()
	program := Program(t, kind)
	// Not t.TempDir: the test's name in it could make the socket's path too long.
	dir, err := os.MkdirTemp("", "gh")
	if err != nil {
		t.Fatalf("making the engine's directory: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Kind: kind, Dir: dir, Socket: filepath.Join(dir, "gateway"), Admin: identity.NewSecret(rand.Text()), t: t}

	command := exec.Command(program, "-") // configuration on standard input
	command.Stdin = strings.NewReader(s.configuration(settings))
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	s.PID = command.Process.Pid
	ready, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		log := follow(bufio.NewScanner(output), ready)
		_ = command.Wait()
		ended <- log
	}()
	t.Cleanup(func() { stop(t, command, ended) })
	select {
	case <-ready:
	case log := <-ended:
		ended <- log
		t.Fatalf("%s ended at its start:\n%s", program, log)
	case <-time.After(patience):
		t.Fatalf("%s was not ready within %s", program, patience)
	}
	return s
}

func (s *Server) configuration(settings []string) string {
	sum := sha256.Sum256([]byte(s.Admin.Reveal()))
	lines := []string{
		"port 0",
		"dir " + s.Dir,
		// Relative, so that MONITOR and SLOWLOG show just this word.
		"unixsocket gateway",
		"unixsocketperm 700",
		`save ""`,
		"enable-debug-command no",
		"enable-module-command no",
		"enable-protected-configs no",
		"user default off",
		"user " + directory.AdminUser + " on #" + hex.EncodeToString(sum[:]) + " ~* &* +@all",
	}
	return strings.Join(append(lines, settings...), "\n") + "\n"
}

// follow reads the engine's log to its end, and closes ready when the engine
// says that it listens.
func follow(lines *bufio.Scanner, ready chan struct{}) string {
	var log strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&log, lines.Text())
		// "Ready to accept connections unix" or "The server is now ready to accept connections at …"
		if ready != nil && strings.Contains(lines.Text(), "eady to accept connections") {
			close(ready)
			ready = nil
		}
	}
	return log.String()
}

func stop(t testing.TB, command *exec.Cmd, ended chan string) {
	_ = command.Process.Signal(syscall.SIGTERM)
	var log string
	select {
	case log = <-ended:
	case <-time.After(patience):
		_ = command.Process.Kill()
		log = <-ended
		t.Errorf("the engine did not end within %s and was killed", patience)
	}
	if t.Failed() {
		t.Logf("log of the engine:\n%s", log)
	}
}

// Dial connects without logging in.
func (s *Server) Dial() *admin.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := admin.Dial(ctx, "unix", s.Socket)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Login connects and logs in.
func (s *Server) Login(user, secret string) *admin.Conn {
	s.t.Helper()
	conn := s.Dial()
	if _, err := Do(conn, "AUTH", user, secret); err != nil {
		s.t.Fatalf("logging in as %s: %v", user, err)
	}
	return conn
}

// Administrator connects and logs in as the administrator.
func (s *Server) Administrator() *admin.Conn {
	s.t.Helper()
	return s.Login(directory.AdminUser, s.Admin.Reveal())
}

// Must runs one command as the administrator, on a connection of its own, and
// fails the test if it is refused.
func (s *Server) Must(args ...string) admin.Reply {
	s.t.Helper()
	conn := s.Administrator()
	defer func() { _ = conn.Close() }()
	reply, err := Do(conn, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply
}

// Do runs one command, with a bound on the time that it may take.
func Do(conn *admin.Conn, args ...string) (admin.Reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return conn.Do(ctx, args...)
}

// setupWasRun looks for the mark of `make setup` at the root of the module.
func setupWasRun(t testing.TB) bool {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			_, err = os.Stat(filepath.Join(dir, ".setup", "done"))
			return err == nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}
