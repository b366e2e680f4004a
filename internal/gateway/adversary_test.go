package gateway_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

// The adversarial suite of the relays. Each client sends values that only it
// has and checks each reply: none is lost, doubled, out of order or another's.

// tagged is a client's stream of commands with its own values, and the replies
// that it must get.
func tagged(client, commands int, random *mathrand.Rand) (requests, replies string) {
	var q, a strings.Builder
	for n := range commands {
		tag := fmt.Sprintf("client-%d-%d-%s", client, n, strings.Repeat("x", random.IntN(400)))
		if random.IntN(50) == 0 {
			tag += strings.Repeat(tag, 300) // longer than a TLS record
		}
		switch random.IntN(20) {
		case 0: // the session's own goroutine
			q.WriteString(cmd("AUTH", "alice", "wrong"))
			a.WriteString(wrongPass)
		case 1:
			q.WriteString("PING\r\n")
			a.WriteString("+PONG\r\n")
		case 2:
			q.WriteString(cmd("CONFIG", tag[:10]))
			a.WriteString(unknown("CONFIG", tag[:10]))
		case 3:
			q.WriteString(cmd("MULTI") + cmd("ECHO", tag) + cmd("EXEC"))
			a.WriteString("+OK\r\n+QUEUED\r\n*1\r\n" + bulk(tag))
		default:
			q.WriteString(cmd("ECHO", tag))
			a.WriteString(bulk(tag))
		}
	}
	return q.String(), a.String()
}

// fragments sends text in pieces of random sizes.
func fragments(w io.Writer, text string, random *mathrand.Rand) error {
	for len(text) > 0 {
		n := min(1+random.IntN(1+random.IntN(40000)), len(text))
		if _, err := io.WriteString(w, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// wantStream reads replies in pieces of random sizes and compares them.
func wantStream(r io.Reader, want string, random *mathrand.Rand) error {
	chunk := make([]byte, 64<<10)
	for at := 0; at < len(want); {
		n, err := r.Read(chunk[:1+random.IntN(len(chunk))])
		if at+n > len(want) || string(chunk[:n]) != want[at:at+n] {
			return fmt.Errorf("at byte %d: got %.200q, want %.200q", at, chunk[:n], want[at:])
		}
		if at += n; err != nil {
			return fmt.Errorf("at byte %d: %w", at, err)
		}
	}
	return nil
}

// converse runs one client's stream over a connection that is logged in.
func converse(conn net.Conn, client, commands int, seed uint64) error {
	random := mathrand.New(mathrand.NewPCG(seed, uint64(client)))
	requests, replies := tagged(client, commands, random)
	_ = conn.SetDeadline(time.Now().Add(6 * patience))
	sent := make(chan error, 1)
	writing := mathrand.New(mathrand.NewPCG(seed+1, uint64(client)))
	go func() { sent <- fragments(conn, requests, writing) }()
	return errors.Join(wantStream(conn, replies, random), <-sent)
}

// transits are the two ways of a client's bytes.
var transits = map[string]func(*gateway.Config, *directory.Cache){"TLS": nil, "plaintext": plain}

func TestEveryClientGetsItsOwnReplies(t *testing.T) {
	for name, transit := range transits {
		t.Run(name, func(t *testing.T) {
			r := alone(t, transit)
			var wg sync.WaitGroup
			for i := range 12 {
				c := r.login("alice", alicePassword)
				wg.Go(func() {
					if err := converse(c.Conn, i, 400, 7); err != nil {
						t.Errorf("client %d: %v", i, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestRudeClients: others are reset, half-closed or left in the middle of
// commands and replies; the witnesses get their own replies all the while.
func TestRudeClients(t *testing.T) {
	r := alone(t, plain)
	setup := r.login("alice", alicePassword)
	setup.want("+OK\r\n", "SET", "big", strings.Repeat("b", 1<<20))
	var done atomic.Bool
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			random := mathrand.New(mathrand.NewPCG(11, uint64(i)))
			for !done.Load() {
				if err := rude(r.cache.Nodes[0].Listen, random); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 4 {
		c := r.login("alice", alicePassword)
		if err := converse(c.Conn, i, 300, 13); err != nil {
			t.Errorf("witness %d: %v", i, err)
		}
	}
	done.Store(true)
	wg.Wait()
	setup.awaitClients(5) // the rude ones are gone from the engine too
}

// rude connects, asks for more than it takes and leaves in some bad way.
func rude(address string, random *mathrand.Rand) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	tcp := conn.(*net.TCPConn)
	script := cmd("AUTH", "alice", alicePassword) + strings.Repeat(cmd("GET", "big"), 1+random.IntN(5)) + cmd("SUBSCRIBE", "x") + cmd("PING")
	if _, err := io.WriteString(conn, script[:len(script)-random.IntN(60)]); err != nil {
		return err
	}
	_, _ = conn.Read(make([]byte, 1+random.IntN(100000)))
	switch random.IntN(3) {
	case 0:
		_ = tcp.SetLinger(0) // a reset
	case 1:
		_ = tcp.CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, err := io.Copy(io.Discard, conn)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.New("a half-closed connection is not closed by the gateway")
		}
	}
	return nil
}

// TestPipelineCutAtEveryByte: a client that ends anywhere in a pipeline gets
// the replies to all whole commands before that.
func TestPipelineCutAtEveryByte(t *testing.T) {
	r := alone(t, plain)
	pipeline := cmd("SET", "k", "1") + "INCR k\r\n" + cmd("AUTH", "alice", "wrong") + cmd("ECHO", "tag") + cmd("MULTI") + cmd("GET", "k") + cmd("EXEC")
	ends := map[int]string{}
	at, owed := 0, ""
	for _, step := range [][2]string{
		{cmd("SET", "k", "1"), "+OK\r\n"},
		{"INCR k\r\n", ":2\r\n"},
		{cmd("AUTH", "alice", "wrong"), wrongPass},
		{cmd("ECHO", "tag"), bulk("tag")},
		{cmd("MULTI"), "+OK\r\n"},
		{cmd("GET", "k"), "+QUEUED\r\n"},
		{cmd("EXEC"), "*1\r\n" + bulk("2")},
	} {
		at, owed = at+len(step[0]), owed+step[1]
		ends[at] = owed
	}
	want := ""
	for cut := range len(pipeline) + 1 {
		if more, whole := ends[cut]; whole {
			want = more
		}
		c := r.login("alice", alicePassword)
		c.write(pipeline[:cut])
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if got, err := io.ReadAll(c); err != nil || string(got) != want {
			t.Fatalf("cut at %d: got %q (%v), want %q", cut, got, err, want)
		}
	}
}

// TestSlowReaderOfBigReply: 100 MB are taken slowly by one client while another
// is served as ever.
func TestSlowReaderOfBigReply(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 200 MB")
	}
	r := alone(t, nil)
	const size = 100 << 20
	slow := r.login("alice", alicePassword)
	slow.want(":104857600\r\n", "SETRANGE", "k", fmt.Sprint(size-1), "x")
	slow.write(cmd("GET", "k") + cmd("ECHO", "after"))
	light := r.login("alice", alicePassword)
	for i := range 200 {
		start := time.Now()
		light.want(bulk(fmt.Sprint(i)), "ECHO", fmt.Sprint(i))
		if took := time.Since(start); took > time.Second {
			t.Errorf("a light client waited for %s", took)
		}
		if _, err := io.CopyN(io.Discard, slow, 100<<10); err != nil {
			t.Fatal(err)
		}
	}
	_ = slow.SetReadDeadline(time.Now().Add(6 * patience))
	rest := int64(len("$104857600\r\n") + size + 2 - 200*(100<<10))
	if _, err := io.CopyN(io.Discard, slow, rest); err != nil {
		t.Fatal(err)
	}
	slow.expect(bulk("after"))
}

// TestFairness: a client whose pipeline never ends does not hold up others.
func TestFairness(t *testing.T) {
	r := alone(t, plain)
	heavy := r.login("alice", alicePassword)
	flood := strings.Repeat(cmd("SET", "k", strings.Repeat("v", 100)), 1000)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			if _, err := io.WriteString(heavy.Conn, flood); err != nil {
				return
			}
		}
	})
	wg.Go(func() { _, _ = io.Copy(io.Discard, heavy.Conn) })
	light := r.login("alice", alicePassword)
	var longest time.Duration
	for i := range 300 {
		start := time.Now()
		light.want(bulk(fmt.Sprint(i)), "ECHO", fmt.Sprint(i))
		longest = max(longest, time.Since(start))
	}
	_ = heavy.Close()
	wg.Wait()
	if longest > time.Second {
		t.Errorf("a light client waited for %s", longest)
	}
}

// TestEngineEndsInMidReply: clients get a beginning of what is theirs and the
// end of the connection, nothing else.
func TestEngineEndsInMidReply(t *testing.T) {
	for name, transit := range transits {
		t.Run(name, func(t *testing.T) {
			r := alone(t, transit)
			value := strings.Repeat("0123456789", 1<<20)
			c := r.login("alice", alicePassword)
			c.want("+OK\r\n", "SET", "k", value)
			all := make([]*client, 8)
			for i := range all {
				all[i] = r.login("alice", alicePassword)
				all[i].write(cmd("GET", "k") + cmd("ECHO", fmt.Sprint(i)))
			}
			for _, c := range all { // each has the beginning, none reads on
				c.expect("$10485760\r\n" + value[:1000])
			}
			r.engine.Must("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			for i, c := range all {
				_ = c.SetReadDeadline(time.Now().Add(patience))
				rest, err := io.ReadAll(c)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal("the connection was not closed")
				}
				got, want := string(c.buf)+string(rest), value[1000:]+"\r\n"+bulk(fmt.Sprint(i))
				if !strings.HasPrefix(want, got) {
					t.Errorf("client %d got what is not its own", i)
				}
			}
		})
	}
}

// TestPushesBetweenReplies: in RESP3 the engine pushes at any time; order and
// content are the engine's, and each subscriber gets each message once.
func TestPushesBetweenReplies(t *testing.T) {
	r := alone(t, nil)
	const messages, subscribers = 300, 8
	var wg sync.WaitGroup
	publisher := r.login("alice", alicePassword)
	for i := range subscribers {
		c := r.dial()
		c.send("HELLO", "3", "AUTH", "alice", alicePassword)
		if v := c.reply(); v.Kind != '%' {
			t.Fatalf("HELLO: %q", v.Append(nil))
		}
		c.send("SUBSCRIBE", "news")
		_ = c.reply()
		wg.Go(func() {
			echoed := 0
			for heard := 0; heard < messages; {
				if heard%10 == 0 && echoed <= heard/10 {
					tag := fmt.Sprintf("%d-%d", i, echoed)
					c.send("ECHO", tag)
					echoed++
				}
				v := c.reply()
				if v.Kind == '$' {
					if want := fmt.Sprintf("%d-", i); !strings.HasPrefix(string(v.Text), want) {
						t.Errorf("subscriber %d got %q", i, v.Text)
					}
					continue
				}
				if v.Kind != '>' || string(v.Elems[2].Text) != fmt.Sprint(heard) {
					t.Errorf("subscriber %d: %q in place of message %d", i, v.Append(nil), heard)
					return
				}
				heard++
			}
		})
	}
	for n := range messages {
		publisher.want(fmt.Sprintf(":%d\r\n", subscribers), "PUBLISH", "news", fmt.Sprint(n))
	}
	wg.Wait()
}

// TestStorm: connections come and go, full and resumed, and the certificate is
// replaced all the while; established clients lose nothing.
func TestStorm(t *testing.T) {
	var issued atomic.Int64
	r := alone(t, func(cfg *gateway.Config, _ *directory.Cache) {
		cfg.TLS = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			issued.Add(1)
			copied := *pair // a reload makes another certificate
			return &copied, nil
		}
	})
	established := make([]*client, 4)
	for i := range established {
		established[i] = r.login("alice", alicePassword)
	}
	var done atomic.Bool
	var storm, work sync.WaitGroup
	for i := range 4 {
		config := &tls.Config{RootCAs: roots, ServerName: "localhost"}
		if i%2 == 0 {
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		}
		storm.Go(func() {
			for !done.Load() {
				conn, err := tls.Dial("tcp", r.cache.Nodes[0].Listen, config)
				if err != nil {
					t.Error(err)
					return
				}
				word := fmt.Sprint("storm-", i)
				if got, want := talk(t, conn, loginAlice+cmd("ECHO", word)), "+OK\r\n"+bulk(word); got != want {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	for i, c := range established {
		work.Go(func() {
			if err := converse(c.Conn, i, 300, 17); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	work.Wait()
	done.Store(true)
	storm.Wait()
	if issued.Load() < 5 {
		t.Errorf("%d handshakes", issued.Load())
	}
}

// TestTicketsResume: a client that comes back is spared the certificate.
func TestTicketsResume(t *testing.T) {
	r := alone(t, nil)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 3 {
		conn, err := tls.Dial("tcp", r.cache.Nodes[0].Listen, config)
		if err != nil {
			t.Fatal(err)
		}
		newClient(t, conn).want("+OK\r\n", "AUTH", "alice", alicePassword) // the ticket comes with the first reply
		if resumed := conn.ConnectionState().DidResume; resumed != (i > 0) {
			t.Errorf("connection %d: resumed %v", i, resumed)
		}
	}
}
