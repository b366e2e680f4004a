package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test.
const patience = 10 * time.Second

// plane is a control plane's side: an authority, a hub and a Server.
type plane struct {
	t         *testing.T
	authority *certs.Authority
	hub       *directory.Hub
	cfg       ServerConfig
	server    *Server
	address   string
	stop      func()

	mu     sync.Mutex
	logins []string // gateway and reason
	told   []string
	denied error
	wake   chan struct{}
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	p := &plane{t: t, address: "127.0.0.1:0", wake: make(chan struct{}, 1)}
	var err error
	if p.authority, err = certs.OpenAuthority(t.TempDir(), clock.Real); err != nil {
		t.Fatal(err)
	}
	p.hub = directory.NewHub(clock.Real, directory.Options{})
	cert, err := p.authority.IssueControl()
	if err != nil {
		t.Fatal(err)
	}
	settled := make(chan struct{})
	close(settled)
	p.cfg = ServerConfig{
		Hub: p.hub, Cert: cert, CAs: p.authority.Pool(), Settled: settled, Reports: p, Log: slog.New(slog.DiscardHandler),
		DigestKey: [32]byte{1}, MaxStale: directory.DefaultMaxStale,
		Admit: func(cert *x509.Certificate) (Member, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return Member{ID: cert.Subject.CommonName, Host: "127.0.0.9"}, p.denied
		},
		Certify: func(host string, public []byte) ([]byte, error) {
			key, err := x509.ParsePKIXPublicKey(public)
			if err != nil {
				return nil, err
			}
			cert, err := p.authority.IssueServer(host, key)
			if err != nil {
				return nil, err
			}
			return cert.Raw, nil
		},
	}
	return p
}

// start serves, at the same address as before if it was started before.
func (p *plane) start() {
	p.t.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.address = listener.Addr().String()
	p.server = NewServer(p.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func(s *Server) { ended <- s.Serve(ctx, listener) }(p.server)
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("the server ended with %v", err)
		}
	})
	p.t.Cleanup(p.stop)
}

func (p *plane) note(list *[]string, text string) {
	p.mu.Lock()
	*list = append(*list, text)
	p.mu.Unlock()
	poke(p.wake)
}

func (p *plane) Login(id string, e gateway.LoginEvent) { p.note(&p.logins, id+": "+e.Reason) }
func (p *plane) Dropped(id string, _ int64)            { p.note(&p.told, id+" dropped") }
func (p *plane) Connected(id, _ string)                { p.note(&p.told, id+" connected") }
func (p *plane) Disconnected(id string, left bool) {
	if left {
		p.note(&p.told, id+" left")
	} else {
		p.note(&p.told, id+" lost")
	}
}
func (p *plane) Refused(id, _, reason string) { p.note(&p.told, id+" refused: "+reason) }

// await waits until what the reports have noted satisfies ok.
func (p *plane) await(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		done, logins, told := ok(), p.logins, p.told
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-p.wake:
		case <-deadline:
			p.t.Fatalf("waiting for %s; logins %q, told %q", what, logins, told)
		}
	}
}

// credentials makes those of a gateway.
func (p *plane) credentials(id string) *Credentials {
	p.t.Helper()
	key, _, err := NewKey()
	if err != nil {
		p.t.Fatal(err)
	}
	cert, err := p.authority.IssueClient(id, &key.PublicKey)
	if err != nil {
		p.t.Fatal(err)
	}
	ca, err := os.ReadFile(p.authority.File())
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := NewCredentials(id, p.address, ca, cert.Raw, key)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// follower is a Link and what a gateway would act on.
type follower struct {
	t    *testing.T
	link *Link
	stop func() error

	mu     sync.Mutex
	caches map[string]*directory.Cache
	hold   chan struct{} // when set, updates wait for it before they are acknowledged
	wake   chan struct{}
}

func (p *plane) follow(c *Credentials, dir string, change func(*LinkConfig)) *follower {
	p.t.Helper()
	cfg := LinkConfig{Credentials: c, Dir: dir}
	if change != nil {
		change(&cfg)
	}
	link, err := NewLink(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	f := &follower{t: p.t, link: link, caches: map[string]*directory.Cache{}, wake: make(chan struct{}, 1)}
	var parts sync.WaitGroup
	parts.Go(f.act)
	ctx, cancel := context.WithCancel(context.Background())
	var ended error
	parts.Go(func() { ended = link.Run(ctx) })
	f.stop = sync.OnceValue(func() error {
		cancel()
		parts.Wait()
		return ended
	})
	p.t.Cleanup(func() { _ = f.stop() })
	return f
}

func (f *follower) act() {
	for u := range f.link.Updates() {
		f.mu.Lock()
		hold := f.hold
		if u.Full {
			clear(f.caches)
		}
		for _, c := range u.Caches {
			f.caches[c.ID] = c
		}
		for _, id := range u.Gone {
			delete(f.caches, id)
		}
		f.mu.Unlock()
		poke(f.wake)
		if hold != nil {
			<-hold
		}
		f.link.Acknowledge(u.Revision)
	}
}

// await waits until what the gateway acts on satisfies ok.
func (f *follower) await(what string, ok func(map[string]*directory.Cache) bool) {
	f.t.Helper()
	deadline := time.After(patience)
	for {
		f.mu.Lock()
		done := ok(f.caches)
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-f.wake:
		case <-deadline:
			f.t.Fatalf("waiting for %s", what)
		}
	}
}

func has(ids ...string) func(map[string]*directory.Cache) bool {
	return func(caches map[string]*directory.Cache) bool {
		for _, id := range ids {
			if caches[id] == nil {
				return false
			}
		}
		return len(caches) == len(ids)
	}
}

// admits tells whether the user of every cache may log in.
func admits(want bool) func(map[string]*directory.Cache) bool {
	return func(caches map[string]*directory.Cache) bool {
		for _, c := range caches {
			if c.Users[0].Enabled != want {
				return false
			}
		}
		return len(caches) > 0
	}
}

func published(id string) *directory.Cache {
	return &directory.Cache{
		ID: id, Users: []directory.User{{Name: "alice", Incarnation: "1", Enabled: true}},
		Nodes: []directory.Node{{ClusterID: id + "-001", Listen: "127.0.0.1:16379"}},
	}
}

func (p *plane) wait(revision int64) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	return p.hub.Wait(ctx, revision)
}

// dial is a peer that is no Link: it does the handshake and nothing else.
func (p *plane) dial(pair *tls.Certificate) (*tls.Conn, error) {
	cfg := &tls.Config{RootCAs: p.authority.Pool(), ServerName: certs.ControlName}
	if pair != nil {
		cfg.Certificates = []tls.Certificate{*pair}
	}
	conn, err := tls.Dial("tcp", p.address, cfg)
	if err != nil {
		return nil, err
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// converse says hello and returns the first answer.
func converse(conn net.Conn) (*toGateway, error) {
	if err := writeFrame(conn, toControl{Hello: &hello{Version: version, Instance: "i", Process: "p"}}, maxToControl); err != nil {
		return nil, err
	}
	var m toGateway
	return &m, readFrame(conn, maxToGateway, &m)
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func sealedIn(dir string) string { return filepath.Join(dir, copyFile) }

var errWithdrawn = errors.New("withdrawn")
