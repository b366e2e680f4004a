package gateway_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run()) // the fuzzing engine's own goroutines outlive it
	}
	goleak.VerifyTestMain(onBothRelays{m})
}

// portable is whether the gateways of the tests are without event loops.
var portable bool

// onBothRelays runs all tests with event loops and then without.
type onBothRelays struct{ *testing.M }

func (m onBothRelays) Run() int {
	for _, portable = range []bool{false, true} {
		fmt.Println("portable relay:", portable)
		if code := m.M.Run(); code != 0 {
			return code
		}
	}
	return 0
}

// patience bounds every wait of a test.
const patience = 10 * time.Second

// impatient is a clock on which nothing waits: refusals are not delayed.
type impatient struct{ clock.Clock }

func (c impatient) After(time.Duration) <-chan time.Time {
	now := make(chan time.Time, 1)
	now <- c.Now()
	return now
}

var engines = []identity.Engine{identity.Valkey, identity.Redis}

var key = credential.NewKey([32]byte{1})

// rig is a gateway in front of a real engine.
type rig struct {
	t       testing.TB
	engine  *enginetest.Server
	gateway *gateway.Gateway
	cache   directory.Cache // what was published last
	updates chan directory.Update
	acked   chan int64
	rev     int64
	events  *recorder
}

// user is a user of the rig: in the directory and in the engine.
type user struct {
	name     string
	password string // "" for none needed
	token    bool
	rules    []string
}

var everything = []string{"~*", "&*", "+@all"}

func newRig(t testing.TB, kind identity.Engine, change func(*gateway.Config, *directory.Cache), users ...user) *rig {
	t.Helper()
	r := &rig{
		t: t, engine: enginetest.Start(t, kind, "enable-debug-command local"), updates: make(chan directory.Update), acked: make(chan int64, 16),
		events: &recorder{},
	}
	r.cache = directory.Cache{
		ID: "cache", State: identity.RBAC, Transit: identity.TransitRequired,
		Nodes: []directory.Node{{
			ClusterID: "cache-001", Listen: freePort(t), Kind: kind, Network: "unix", Address: r.engine.Socket,
			Start: "1", Admin: r.engine.Admin, Secrets: map[string]identity.Secret{},
		}},
	}
	for _, u := range users {
		r.add(u)
	}
	cfg := gateway.Config{ID: "gw", Source: r, TLS: certificate, Key: key, Observer: r.events, Clock: impatient{clock.Real}}
	if change != nil {
		change(&cfg, &r.cache)
	}
	r.gateway = gateway.New(cfg)
	if portable {
		r.gateway.Portable()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.gateway.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the gateway ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("the gateway did not end")
		}
	})
	r.publish()
	return r
}

func (r *rig) Updates() <-chan directory.Update { return r.updates }
func (r *rig) Acknowledge(revision int64)       { r.acked <- revision }

// add makes a user in the engine and in the cache that publish sends next.
func (r *rig) add(u user) {
	r.t.Helper()
	secret := rand.Text()
	rules := u.rules
	if rules == nil {
		rules = everything
	}
	r.engine.Must(append([]string{"ACL", "SETUSER", u.name, "reset", "on", ">" + secret}, rules...)...)
	node := &r.cache.Nodes[0]
	secrets := map[string]identity.Secret{u.name: identity.NewSecret(secret)}
	for name, s := range node.Secrets {
		if name != u.name {
			secrets[name] = s
		}
	}
	node.Secrets = secrets
	entry := directory.User{Name: u.name, ID: u.name, Incarnation: rand.Text(), Enabled: true, Auth: identity.AuthNoPassword, Token: u.token}
	if u.password != "" {
		entry.Auth = identity.AuthPassword
		entry.Passwords = []identity.Digest{key.Digest(identity.NewSecret(u.password))}
	}
	r.cache.Users = append(r.cache.Users, entry)
}

// publish sends the cache as it is now and waits until it is in force.
func (r *rig) publish() {
	r.t.Helper()
	copied := r.cache
	copied.Users = slices.Clone(r.cache.Users)
	copied.Nodes = slices.Clone(r.cache.Nodes)
	r.send(directory.Update{Full: true, Caches: []*directory.Cache{&copied}})
}

func (r *rig) send(u directory.Update) {
	r.t.Helper()
	r.rev++
	u.Revision = r.rev
	select {
	case r.updates <- u:
	case <-time.After(patience):
		r.t.Fatal("the gateway takes no update")
	}
	select {
	case got := <-r.acked:
		if got != r.rev {
			r.t.Fatalf("acknowledged %d, want %d", got, r.rev)
		}
	case <-time.After(patience):
		r.t.Fatal("the gateway acknowledges nothing")
	}
}

// raw connects without TLS.
func (r *rig) raw() *client {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.cache.Nodes[0].Listen)
	if err != nil {
		r.t.Fatal(err)
	}
	return newClient(r.t, conn)
}

// dial connects as the cache's transit mode asks.
func (r *rig) dial() *client {
	r.t.Helper()
	c := r.raw()
	if r.cache.Transit == identity.TransitPlain {
		return c
	}
	conn := tls.Client(c.Conn, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err := conn.Handshake(); err != nil {
		r.t.Fatal(err)
	}
	c.Conn = conn
	return c
}

// login connects and logs in.
func (r *rig) login(user, password string) *client {
	r.t.Helper()
	c := r.dial()
	c.want("+OK\r\n", "AUTH", user, password)
	return c
}

// client speaks exact bytes.
type client struct {
	net.Conn
	t   testing.TB
	buf []byte
}

func newClient(t testing.TB, conn net.Conn) *client {
	t.Cleanup(func() { _ = conn.Close() })
	return &client{Conn: conn, t: t}
}

func (c *client) send(words ...string) {
	c.t.Helper()
	c.write(string(resp.AppendCommand(nil, words...)))
}

func (c *client) write(text string) {
	c.t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		c.t.Fatalf("writing: %v", err)
	}
}

// reply reads one reply.
func (c *client) reply() resp.Value {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	chunk := make([]byte, 64<<10)
	for {
		v, n, err := resp.ParseValue(c.buf)
		if err == nil {
			c.buf = c.buf[n:]
			return v
		}
		if !errors.Is(err, resp.ErrShort) {
			c.t.Fatalf("%v: %q", err, c.buf)
		}
		got, err := c.Read(chunk)
		c.buf = append(c.buf, chunk[:got]...)
		if err != nil {
			c.t.Fatalf("waiting for a reply, %q so far: %v", c.buf, err)
		}
	}
}

// do sends a command and returns its reply as bytes.
func (c *client) do(words ...string) string {
	c.t.Helper()
	c.send(words...)
	v := c.reply()
	return string(v.Append(nil))
}

// want sends a command and compares its reply.
func (c *client) want(reply string, words ...string) {
	c.t.Helper()
	if got := c.do(words...); got != reply {
		c.t.Fatalf("%.60q: got %q, want %q", words, got, reply)
	}
}

// expect compares the next bytes.
func (c *client) expect(text string) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for len(c.buf) < len(text) {
		chunk := make([]byte, 64<<10)
		n, err := c.Read(chunk)
		c.buf = append(c.buf, chunk[:n]...)
		if err != nil {
			c.t.Fatalf("waiting for %q, %q so far: %v", text, c.buf, err)
		}
	}
	if got := string(c.buf[:len(text)]); got != text {
		c.t.Fatalf("got %q, want %q", c.buf, text)
	}
	c.buf = c.buf[len(text):]
}

// wantClosed waits until the other side closes, with nothing more to say.
func (c *client) wantClosed() {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(io.MultiReader(bytes.NewReader(c.buf), c.Conn))
	if errors.Is(err, os.ErrDeadlineExceeded) || len(rest) > 0 {
		c.t.Fatalf("the connection was not closed (%v), it said %q", err, rest)
	}
}

// recorder keeps login events.
type recorder struct {
	mu     sync.Mutex
	events []gateway.LoginEvent
}

func (r *recorder) Login(e gateway.LoginEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// await waits for an event that test accepts.
func (r *recorder) await(t testing.TB, test func(gateway.LoginEvent) bool) gateway.LoginEvent {
	t.Helper()
	for start := time.Now(); time.Since(start) < patience; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		at := slices.IndexFunc(r.events, test)
		if at >= 0 {
			defer r.mu.Unlock()
			return r.events[at]
		}
		r.mu.Unlock()
	}
	t.Fatalf("no such event among %+v", r.events)
	return gateway.LoginEvent{}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

var roots, pair = func() (*x509.CertPool, *tls.Certificate) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return pool, &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}()

func certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair, nil }

func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }
