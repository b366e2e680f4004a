package gateway_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"io"
	mathrand "math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func alone(t testing.TB, change func(*gateway.Config, *directory.Cache)) *rig {
	return newRig(t, identity.Valkey, change, user{name: "alice", password: alicePassword})
}

func plain(_ *gateway.Config, c *directory.Cache) { c.Transit = identity.TransitPlain }

func TestTransitModes(t *testing.T) {
	t.Run("required", func(t *testing.T) {
		c := alone(t, nil).raw()
		c.write("PING\r\n")
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if got, _ := io.ReadAll(c); bytes.Contains(got, []byte("NOAUTH")) {
			t.Errorf("answered without TLS: %q", got)
		}
	})
	t.Run("preferred", func(t *testing.T) {
		r := alone(t, func(_ *gateway.Config, c *directory.Cache) { c.Transit = identity.TransitPreferred })
		r.login("alice", alicePassword).want("+PONG\r\n", "PING")
		c := r.raw()
		c.want("+OK\r\n", "AUTH", "alice", alicePassword)
		c.want("+PONG\r\n", "PING")
	})
	t.Run("plain", func(t *testing.T) {
		r := alone(t, plain)
		r.login("alice", alicePassword).want("+PONG\r\n", "PING")
	})
	t.Run("old TLS", func(t *testing.T) {
		r := alone(t, nil)
		conn, err := tls.Dial("tcp", r.cache.Nodes[0].Listen, &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
		if err == nil {
			_ = conn.Close()
			t.Error("TLS 1.1 was accepted")
		}
	})
}

func TestBigValues(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 400 MB")
	}
	for _, mode := range []func(*gateway.Config, *directory.Cache){nil, plain} {
		r := alone(t, mode)
		value := make([]byte, 100<<20)
		_, _ = rand.Read(value)
		c := r.login("alice", alicePassword)
		go func() { _, _ = c.Write(resp.AppendCommand(nil, []byte("SET"), []byte("k"), value)) }()
		c.expect("+OK\r\n")
		c.send("GET", "k")
		c.expect("$104857600\r\n")
		got := c.buf
		_ = c.SetReadDeadline(time.Now().Add(patience))
		rest := make([]byte, len(value)+2-len(got))
		if _, err := io.ReadFull(c, rest); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(append(got, rest...)[:len(value)], value) {
			t.Error("the value has changed on its way")
		}
	}
}

// TestSlowReader: a client that does not read costs the gateway two buffers,
// however much is owed to it.
func TestSlowReader(t *testing.T) {
	r := alone(t, nil)
	c := r.login("alice", alicePassword)
	c.want("+OK\r\n", "SET", "k", strings.Repeat("x", 1<<20))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c.write(strings.Repeat(cmd("GET", "k"), 50))
	d := r.login("alice", alicePassword)
	for range 100 {
		d.want("+PONG\r\n", "PING")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("50 MB owed to a client cost %d bytes", grown)
	}
	for range 50 {
		if v := c.reply(); len(v.Text) != 1<<20 {
			t.Fatalf("%d bytes", len(v.Text))
		}
	}
}

// TestManyIdleClients: a thousand clients at once, all served.
func TestManyIdleClients(t *testing.T) {
	r := alone(t, nil)
	const clients = 1000
	all := make([]*client, clients)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < clients; i += 8 {
				conn, err := tls.Dial("tcp", r.cache.Nodes[0].Listen, &tls.Config{RootCAs: roots, ServerName: "localhost"})
				if err != nil {
					t.Error(err)
					return
				}
				all[i] = newClient(t, conn)
				if _, err := conn.Write([]byte(cmd("AUTH", "alice", alicePassword))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, c := range all {
		c.expect("+OK\r\n")
	}
	if n := len(r.gateway.Sessions()); n != clients {
		t.Errorf("%d sessions", n)
	}
	for start := time.Now(); !portable && runtime.NumGoroutine() > clients/10; time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("%d goroutines serve clients that are idle", runtime.NumGoroutine())
		}
	}
	for _, c := range all {
		c.write("PING\r\n")
	}
	for _, c := range all {
		c.expect("+PONG\r\n")
	}
	m := r.gateway.Metrics()
	if len(m) != 1 || m[0].Current != clients || m[0].Received != clients || m[0].Commands != 2*clients || m[0].Logins[0].Count != clients {
		t.Errorf("metrics: %+v", m)
	}
}

// TestGarbage: whatever is sent, before or after a login, the gateway lives and
// another client's replies are its own.
func TestGarbage(t *testing.T) {
	r := alone(t, nil)
	witness := r.login("alice", alicePassword)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	fragments := []string{"*1\r\n", "*3\r\n", "$3\r\n", "$-1\r\n", "AUTH", "\r\n", "\n", "\"", "'", "\x00", "$100000\r\n", "*100\r\n", "MULTI\r\n", "RESET\r\n", "HELLO 3\r\n", "CLIENT REPLY SKIP\r\n", "SUBSCRIBE a\r\n", "MONITOR\r\n", cmd("AUTH", "alice", "x"), cmd("CLIENT", "LIST"), cmd("GET", "k"), cmd("ACL", "LOG"), cmd("CLIENT", "REPLY", "OFF"), cmd("CLIENT", "REPLY", "ON"), cmd("AUTH", "alice", alicePassword)}
	for i := range 300 {
		c := r.dial()
		if i%2 == 0 {
			c.want("+OK\r\n", "AUTH", "alice", alicePassword)
		}
		var b strings.Builder
		for range 1 + random.IntN(20) {
			if random.IntN(4) == 0 {
				noise := make([]byte, random.IntN(50))
				_, _ = rand.Read(noise)
				b.Write(noise)
				continue
			}
			b.WriteString(fragments[random.IntN(len(fragments))])
		}
		_, _ = c.Write([]byte(b.String()))
		if i%3 == 0 {
			_ = c.Close()
		}
		word := rand.Text()
		witness.want(bulk(word), "ECHO", word)
	}
}

func TestSilentStrangers(t *testing.T) {
	r := alone(t, func(cfg *gateway.Config, _ *directory.Cache) {
		cfg.Limits = gateway.Limits{Handshake: 100 * time.Millisecond, Login: 200 * time.Millisecond}
	})
	r.raw().wantClosed() // no handshake
	r.dial().wantClosed()
	c := r.dial()
	c.want("-NOAUTH Authentication required.\r\n", "PING") // does not buy time
	c.wantClosed()
	slow := r.raw()
	slow.write("\x16\x03\x01")
	slow.wantClosed()
}

func TestLimits(t *testing.T) {
	r := alone(t, func(cfg *gateway.Config, c *directory.Cache) {
		plain(cfg, c)
		cfg.Limits = gateway.Limits{ClientsPerAddress: 4, Strangers: 2}
	})
	a, b := r.raw(), r.raw()
	a.want("-NOAUTH Authentication required.\r\n", "PING")
	b.want("-NOAUTH Authentication required.\r\n", "PING")
	full := "-ERR max number of clients reached\r\n"
	c := r.raw() // a third stranger
	c.expect(full)
	c.wantClosed()
	a.want("+OK\r\n", "AUTH", "alice", alicePassword)
	b.want("+OK\r\n", "AUTH", "alice", alicePassword)
	d, e := r.login("alice", alicePassword), r.login("alice", alicePassword)
	f := r.raw() // a fifth client
	f.expect(full)
	f.wantClosed()
	d.want("+OK\r\n", "QUIT")
	d.wantClosed()
	r.events.await(t, func(ev gateway.LoginEvent) bool { return ev.Outcome == gateway.LoggedOut })
	for { // its place is free once the gateway has closed it
		g := r.raw()
		if got := g.do("PING"); got == "-NOAUTH Authentication required.\r\n" {
			break
		}
	}
	e.want("+PONG\r\n", "PING")
	if m := r.gateway.Metrics(); m[0].Rejected < 2 {
		t.Errorf("metrics: %+v", m)
	}
}

// TestClientLeavesWhileBlocked: the engine is told at once.
func TestClientLeavesWhileBlocked(t *testing.T) {
	r := alone(t, nil)
	watcher := r.login("alice", alicePassword)
	for _, more := range []string{"", cmd("AUTH", "alice", alicePassword)} {
		c := r.login("alice", alicePassword)
		c.write(cmd("BLPOP", "nothing", "0") + more)
		watcher.awaitClients(2)
		_ = c.Close()
		watcher.awaitClients(1)
	}
}

// awaitClients waits until the engine has that many clients.
func (c *client) awaitClients(n int) {
	c.t.Helper()
	for start := time.Now(); time.Since(start) < patience; {
		c.send("CLIENT", "LIST")
		if v := c.reply(); strings.Count(string(v.Text), "\n") == n {
			return
		}
	}
	c.t.Fatalf("the engine does not come to have %d clients", n)
}

// TestHalfClosedClient: requests before the client's end are answered.
func TestHalfClosedClient(t *testing.T) {
	r := alone(t, nil)
	c := r.login("alice", alicePassword)
	c.write(cmds("SET k 1", "GET k") + cmd("AUTH", "alice", "wrong") + cmds("ECHO last"))
	if err := c.Conn.(*tls.Conn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.expect("+OK\r\n" + bulk("1") + wrongPass + bulk("last"))
	c.wantClosed()
}

func TestRefusalsAreExplainedWithoutSecrets(t *testing.T) {
	r := alone(t, nil)
	c := r.dial()
	c.want(wrongPass, "AUTH", "alice", "my-secret")
	c.want(wrongPass, "AUTH", "MyPasswordAsUser\r\n\x1b", "x")
	c.want(wrongPass, "AUTH", "my-secret-token")
	known := r.events.await(t, func(e gateway.LoginEvent) bool { return e.User == "alice" })
	if known.Outcome != gateway.Refused || known.Reason != "the password is wrong" || known.Peer != c.LocalAddr().String() || known.Cache != "cache" || known.Node != "cache-001" {
		t.Errorf("%+v", known)
	}
	r.events.await(t, func(e gateway.LoginEvent) bool { return strings.HasPrefix(e.User, "MyP…#") })
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	for _, e := range r.events.events {
		if text := e.User + e.Reason; strings.Contains(text, "my-secret") || strings.Contains(text, "AsUser") || strings.ContainsAny(text, "\r\n\x1b") {
			t.Errorf("an event tells too much: %+v", e)
		}
	}
}

func TestListenFollowsTheDirectory(t *testing.T) {
	r := alone(t, nil)
	old := r.cache.Nodes[0].Listen
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.cache.Nodes[0].Listen = taken.Addr().String()
	r.publish()
	if missing := r.gateway.Missing(); len(missing) != 1 {
		t.Errorf("missing: %v", missing)
	}
	if conn, err := net.Dial("tcp", old); err == nil {
		_ = conn.Close()
		t.Error("the old port is still open")
	}
	_ = taken.Close()
	for start := time.Now(); len(r.gateway.Missing()) > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatal("the port was not tried again")
		}
	}
	r.login("alice", alicePassword).want("+PONG\r\n", "PING")
}

// TestNoAllocationPerCommand is without TLS, where crypto/tls allocates once
// for each record that it reads.
func TestNoAllocationPerCommand(t *testing.T) {
	r := alone(t, plain)
	c := r.login("alice", alicePassword)
	request, reply := []byte(cmd("SET", "key", "value")), make([]byte, 5)
	got := testing.AllocsPerRun(5000, func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, reply); err != nil {
			t.Fatal(err)
		}
	})
	if got >= 1 {
		t.Errorf("%v allocations per command", got)
	}
}
