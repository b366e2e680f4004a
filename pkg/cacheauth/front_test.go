package cacheauth_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	keyID      = "AKIAIOSFODNN7EXAMPLE"
	secretText = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	password   = "the-old-password!"
)

// startEngine runs a real valkey-server and returns its socket.
func startEngine(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("valkey-server")
	if err != nil {
		if _, set := os.Stat(filepath.Join("..", "..", ".setup", "done")); set == nil {
			t.Fatalf("the setup is done, and valkey-server is missing: %v", err)
		}
		t.Skip("valkey-server is not installed; make setup installs it")
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return socket
		}
	}
	t.Fatal("valkey-server ended before it was ready")
	return ""
}

// front stands between clients and an engine, as ElastiCache does, and judges
// AUTH and HELLO with this project's own verifier.
type front struct {
	t        *testing.T
	address  string
	engine   string
	verifier *iamtoken.Verifier
	wait     sync.WaitGroup

	mu        sync.Mutex
	refuseIAM bool
	conns     map[net.Conn]bool
	logins    map[string]int // by kind: iam, password, refused
	renewals  int            // logins on a connection that was logged in
	closing   bool
}

type oneKey struct{}

func (oneKey) Find(_ context.Context, q iamtoken.Query) (*iamtoken.Grant, *iamtoken.SigningKey, error) {
	key := iamtoken.Derive(identity.NewSecret(secretText), q.Day, q.Region)
	return &iamtoken.Grant{AccessKeyID: keyID, Session: q.Session}, &key, nil
}

func startFront(t *testing.T) *front {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{
		t: t, address: listener.Addr().String(), engine: startEngine(t), verifier: iamtoken.New(oneKey{}, clock.Real),
		conns: map[net.Conn]bool{}, logins: map[string]int{},
	}
	f.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.wait.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		f.mu.Lock()
		f.closing = true
		for conn := range f.conns {
			_ = conn.Close()
		}
		f.mu.Unlock()
		f.wait.Wait()
	})
	return f
}

// serve relays one connection: replies raw, commands one by one.
func (f *front) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	engine, err := net.Dial("unix", f.engine)
	if err != nil {
		return
	}
	defer func() { _ = engine.Close() }()
	f.mu.Lock()
	f.conns[conn], f.conns[engine] = true, true
	closing := f.closing
	f.mu.Unlock()
	if closing {
		return
	}
	f.wait.Go(func() {
		_, _ = io.Copy(conn, engine)
		_ = conn.Close()
	})
	loggedIn := false
	in := bufio.NewReader(conn)
	for {
		args, err := readCommand(in)
		if err != nil {
			return
		}
		if _, err := engine.Write(encode(f.judge(args, &loggedIn))); err != nil {
			return
		}
	}
}

// judge returns what the engine is sent for a command. The engine itself has no
// users; it answers a login with what the client expects, so that replies stay
// in order.
func (f *front) judge(args []string, loggedIn *bool) []string {
	refuse := func(text string) []string { return []string{"EVAL", "return redis.error_reply(ARGV[1])", "0", text} }
	switch name := strings.ToUpper(args[0]); {
	case name == "AUTH" && len(args) == 3:
		if !f.login(args[1], args[2], loggedIn) {
			return refuse("WRONGPASS invalid username-password pair or user is disabled.")
		}
		return []string{"ECHO", "OK"}
	case name == "HELLO" && len(args) >= 5 && strings.EqualFold(args[2], "AUTH"):
		if !f.login(args[3], args[4], loggedIn) {
			return refuse("WRONGPASS invalid username-password pair or user is disabled.")
		}
		return append([]string{"HELLO", args[1]}, args[5:]...)
	case !*loggedIn:
		return refuse("NOAUTH Authentication required.")
	default:
		return args
	}
}

func (f *front) login(user, secret string, loggedIn *bool) bool {
	want := &iamtoken.Want{Cache: "orders", Region: "us-east-1", User: user}
	_, err := f.verifier.Verify(context.Background(), []byte(secret), want)
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := "refused"
	switch {
	case user == "default" && secret == password:
		kind = "password"
	case err == nil && user == "app" && !f.refuseIAM:
		kind = "iam"
		if *loggedIn {
			f.renewals++
		}
	}
	f.logins[kind]++
	*loggedIn = *loggedIn || kind != "refused"
	return kind != "refused"
}

func (f *front) setRefuseIAM(to bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuseIAM = to
}

// counts returns how many logins of a kind there were, and how many renewals.
func (f *front) counts(kind string) (logins, renewals int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins[kind], f.renewals
}

// drop closes every connection, as a restart would.
func (f *front) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		_ = conn.Close()
		delete(f.conns, conn)
	}
}

// await waits until a number of renewals was seen.
func (f *front) await(renewals int) bool {
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, n := f.counts("iam"); n >= renewals {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	number := func(prefix byte) (int, error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if line[0] != prefix {
			return 0, fmt.Errorf("unexpected %q", line)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number('*')
	if err != nil {
		return nil, err
	}
	args := make([]string, n)
	for i := range args {
		size, err := number('$')
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		args[i] = string(text[:size])
	}
	return args, nil
}

func encode(args []string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return []byte(b.String())
}
