package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// couple is a primary and an engine that can follow it, behind a gateway.
type couple struct {
	t         *testing.T
	authority *certs.Authority
	engines   *engine.Supervisor
	primary   *engine.Engine
	replica   *engine.Engine
	listen    []string      // of the primary and of the replica
	refusals  chan struct{} // of connections, by the gateway
}

// newCouple starts a couple. issue, if given, makes the certificates of engines.
func newCouple(t *testing.T, kind identity.Engine, transit identity.TransitMode, issue ...func(*certs.Authority) (certs.ClientFiles, error)) *couple {
	t.Helper()
	enginetest.Program(t, kind)
	p := &couple{t: t, listen: []string{freePort(t), freePort(t)}, refusals: make(chan struct{}, 100)}
	dir := t.TempDir()
	var err error
	if p.authority, err = certs.OpenAuthority(dir, clock.Real); err != nil {
		t.Fatal(err)
	}
	p.engines = engine.NewSupervisor(engine.Options{Certify: func(name string) (engine.Certificate, error) {
		files, err := p.authority.IssueClientFiles(directory.ReplicaName(name))
		if len(issue) > 0 {
			files, err = issue[0](p.authority)
		}
		return engine.Certificate(files), err
	}})
	t.Cleanup(func() { p.engines.StopAll(context.Background()) })
	p.primary = p.start(kind, filepath.Join(dir, "1"), "cache-001")
	p.replica = p.start(kind, filepath.Join(dir, "2"), "cache-002")
	hub := directory.NewHub(clock.Real, directory.Options{})
	hub.Publish([]*directory.Cache{{ID: "cache", State: identity.AuthNone, Transit: transit, Nodes: []directory.Node{p.node(0), p.node(1)}}})
	p.serve(hub)
	return p
}

func (p *couple) start(kind identity.Engine, dir, name string) *engine.Engine {
	p.t.Helper()
	e, err := p.engines.Start(p.t.Context(), engine.Spec{Name: name, Kind: kind, Dir: dir})
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

func (p *couple) node(i int) directory.Node {
	p.t.Helper()
	n, err := []*engine.Engine{p.primary, p.replica}[i].Node(p.listen[i])
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// serve runs the gateway, until the test ends and before the engines do.
func (p *couple) serve(hub *directory.Hub) {
	p.t.Helper()
	keeper, err := certs.Issued(p.authority, []string{"127.0.0.1"})
	if err != nil {
		p.t.Fatal(err)
	}
	follower := hub.Follow("gw", true)
	g := gateway.New(gateway.Config{
		ID: "gw", Source: follower, TLS: certificate, Key: key, Log: slog.New(refusalHandler{slog.DiscardHandler, p.refused}), Observer: loginObserver(p.refused),
		Replication: &gateway.Replication{Authority: p.authority.Pool(), Certificate: keeper.Get},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	p.t.Cleanup(func() {
		cancel()
		<-ended
		follower.Leave()
	})
}

func (p *couple) refused() { p.refusals <- struct{}{} }

// refusalHandler calls back for every line that a gateway logs of a refusal.
type refusalHandler struct {
	slog.Handler
	refused func()
}

func (h refusalHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h refusalHandler) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "refused") || strings.Contains(r.Message, "handshake failed") {
		h.refused()
	}
	return nil
}

// loginObserver calls back for every login that is refused.
type loginObserver func()

func (o loginObserver) Login(e gateway.LoginEvent) {
	if e.Outcome == gateway.Refused {
		o()
	}
}

// follow makes the replica follow and waits until it has the primary's data.
func (p *couple) follow() error {
	secret, err := p.primary.ReplicaSecret()
	if err != nil {
		return err
	}
	if err := p.replica.Follow(p.t.Context(), engine.Primary{Address: p.listen[0], Secret: secret}, p.listen[1]); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		role, err := p.replica.Role(p.t.Context())
		if err == nil && role.Linked {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the replica is not linked: %+v, %v", role, err)
		}
	}
}

// TestReplicasFollowThroughTheGateway checks that replication works on caches
// with and without encryption in transit, that it is always encrypted, and that
// both engines name the gateway's addresses.
func TestReplicasFollowThroughTheGateway(t *testing.T) {
	for _, kind := range engines {
		for _, transit := range []identity.TransitMode{identity.TransitPlain, identity.TransitPreferred, identity.TransitRequired} {
			t.Run(string(kind)+"/"+string(transit), func(t *testing.T) {
				p := newCouple(t, kind, transit)
				if err := p.follow(); err != nil {
					t.Fatal(err)
				}
				info, err := p.replica.Info(t.Context(), "replication")
				if err != nil {
					t.Fatal(err)
				}
				if got := net.JoinHostPort(info["master_host"], info["master_port"]); got != p.listen[0] {
					t.Errorf("the replica says that it follows %s, want %s", got, p.listen[0])
				}
				if info, err = p.primary.Info(t.Context(), "replication"); err != nil {
					t.Fatal(err)
				}
				host, port, _ := net.SplitHostPort(p.listen[1])
				if got, want := info["slave0"], "ip="+host+",port="+port+","; !strings.HasPrefix(got, want) {
					t.Errorf("the primary says of its replica %q, want %q…", got, want)
				}
				if info, err = p.primary.Info(t.Context(), "server"); err != nil {
					t.Fatal(err)
				}
				if info["tcp_port"] != "0" {
					t.Errorf("the engine has port %s, want none", info["tcp_port"])
				}
			})
		}
	}
}

// TestOnlyNodesOfTheCacheReachAnEngine checks that a replica with a certificate
// of another cache's node, of a gateway or of another authority is turned away.
func TestOnlyNodesOfTheCacheReachAnEngine(t *testing.T) {
	other, err := certs.OpenAuthority(t.TempDir(), clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	for name, issue := range map[string]func(*certs.Authority) (certs.ClientFiles, error){
		"a node of another cache": func(a *certs.Authority) (certs.ClientFiles, error) {
			return a.IssueClientFiles(directory.ReplicaName("orders-002"))
		},
		"the node itself": func(a *certs.Authority) (certs.ClientFiles, error) {
			return a.IssueClientFiles(directory.ReplicaName("cache-001"))
		},
		"a gateway": func(a *certs.Authority) (certs.ClientFiles, error) { return a.IssueClientFiles("cache-002") },
		"another authority's": func(a *certs.Authority) (certs.ClientFiles, error) {
			theirs, err := other.IssueClientFiles(directory.ReplicaName("cache-002"))
			if err != nil {
				return theirs, err
			}
			ours, err := a.IssueClientFiles("unused")
			theirs.Authority = ours.Authority // so that the replica takes the gateway for right
			return theirs, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newCouple(t, identity.Valkey, identity.TransitRequired, issue)
			secret, err := p.primary.ReplicaSecret()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.replica.Follow(t.Context(), engine.Primary{Address: p.listen[0], Secret: secret}, p.listen[1]); err != nil {
				t.Fatal(err)
			}
			for range 2 { // what comes after the first refusal was let in no more than that
				select {
				case <-p.refusals:
				case <-time.After(patience):
					t.Fatal("the replica was not turned away")
				}
			}
			if role, err := p.replica.Role(t.Context()); err != nil || role.Linked {
				t.Errorf("the replica is %+v (%v), want it without a link", role, err)
			}
			if info, err := p.primary.Info(t.Context(), "replication"); err != nil || info["connected_slaves"] != "0" {
				t.Errorf("the primary has %s replicas (%v), want none", info["connected_slaves"], err)
			}
		})
	}
}

// TestAPortTakenOverLearnsNothing has somebody else listen where the replica
// dials: without a certificate of the authority not a byte of RESP arrives.
func TestAPortTakenOverLearnsNothing(t *testing.T) {
	p := newCouple(t, identity.Valkey, identity.TransitRequired)
	thief, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = thief.Close() }()
	secret, err := p.primary.ReplicaSecret()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.replica.Follow(t.Context(), engine.Primary{Address: thief.Addr().String(), Secret: secret}, p.listen[1]); err != nil {
		t.Fatal(err)
	}
	conn, err := thief.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server := tls.Server(conn, &tls.Config{GetCertificate: certificate, ClientAuth: tls.RequestClientCert, ClientCAs: x509.NewCertPool()})
	_ = server.SetDeadline(time.Now().Add(patience))
	heard, err := io.ReadAll(server)
	if err == nil || len(heard) > 0 {
		t.Errorf("the thief heard %q (error %v), want a handshake that the replica breaks off", heard, err)
	}
}
