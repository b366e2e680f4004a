// Package target starts what is compared: an engine in plaintext, an engine
// with its own TLS, HAProxy terminating TLS in front of an engine, and
// Gatehouse. All of them on loopback, with the same engine, the same
// persistence, certificates of the same kind and one user with a password.
//
// It owns the processes, their directories and how they are configured, and
// names the processes whose use of CPU and memory counts. It leaves load to
// package load and measuring to the caller.
package target

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/usage"
)

// Kind names a target.
type Kind string

// The targets, in the order in which they take turns.
const (
	Plain     Kind = "plain"
	Native    Kind = "native"
	HAProxy   Kind = "haproxy"
	Gatehouse Kind = "gatehouse"
)

// Kinds are all targets.
var Kinds = []Kind{Plain, Native, HAProxy, Gatehouse}

// Title is what people call the target.
func (k Kind) Title() string {
	return map[Kind]string{Plain: "plaintext", Native: "native TLS", HAProxy: "HAProxy", Gatehouse: "Gatehouse"}[k]
}

// userName is who logs in, on every target.
const userName = "bench"

// Options are what starting needs to know.
type Options struct {
	// Dir holds everything the targets write; unix sockets too, so it is short.
	Dir string
	// Program is the gatehouse program.
	Program string
	// Connections is how many at once a target must take.
	Connections int
}

// Target is a running target.
type Target struct {
	Kind Kind
	// Server is how clients reach it, and as whom they log in.
	Server load.Server
	// Proxy and Engine are the processes that serve requests; Proxy is 0 where
	// there is none.
	Proxy, Engine int

	processes []*process // in the order of their start
	orphan    func()     // ends an engine whose parent had to be killed
}

// Processes are those whose usage is the target's.
func (t *Target) Processes() []int {
	if t.Proxy == 0 {
		return []int{t.Engine}
	}
	return []int{t.Proxy, t.Engine}
}

// Start starts one target and waits until it serves a client that logged in.
func Start(ctx context.Context, kind Kind, o Options) (*Target, error) {
	dir, err := os.MkdirTemp(o.Dir, string(kind[:1]))
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", kind, err)
	}
	o.Dir = dir
	t := &Target{Kind: kind, Server: load.Server{User: userName, Password: rand.Text()}}
	start := map[Kind]func(context.Context, Options) error{
		Plain: t.startPlain, Native: t.startNative, HAProxy: t.startHAProxy, Gatehouse: t.startGatehouse,
	}[kind]
	if start == nil {
		return nil, fmt.Errorf("there is no target %q; they are %q", kind, Kinds)
	}
	if err := start(ctx, o); err != nil {
		_ = t.Stop()
		return nil, fmt.Errorf("starting %s: %w", kind, err)
	}
	last := t.processes[len(t.processes)-1]
	err = last.await(ctx, string(kind)+" to serve a client", func(ctx context.Context) error { return load.CheckLogin(ctx, t.Server) })
	if err != nil {
		_ = t.Stop()
		return nil, err
	}
	return t, nil
}

// Stop ends the target's processes, the last one started first.
func (t *Target) Stop() error {
	var failed error
	for _, p := range slices.Backward(t.processes) {
		if err := p.stop(); err != nil {
			failed = err
			if t.orphan != nil {
				t.orphan()
			}
		}
	}
	return failed
}

// Resting reports whether no process of the target has a child that works for
// it, such as an engine that rewrites its AOF.
func (t *Target) Resting() bool {
	children, err := usage.Children(t.Engine)
	return err == nil && len(children) == 0
}

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// listensAt gives the target a port, and clients the authority to trust.
func (t *Target) listensAt(port int, ca string) error {
	t.Server.Address = fmt.Sprintf("127.0.0.1:%d", port)
	if ca == "" {
		return nil
	}
	pool, err := load.Pool(ca)
	if err != nil {
		return err
	}
	t.Server.CA = ca
	// X25519 is what all three TLS ends have; the others' libraries lack the
	// hybrid that Go prefers.
	t.Server.TLS = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}}
	return nil
}

func (o Options) file(name string) string { return filepath.Join(o.Dir, name) }
