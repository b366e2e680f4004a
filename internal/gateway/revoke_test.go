package gateway_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// userOf returns the user that the rig publishes under a name.
func (r *rig) userOf(name string) *directory.User {
	r.t.Helper()
	u := r.cache.User(name)
	if u == nil {
		r.t.Fatalf("no user %s", name)
	}
	return u
}

// remove takes a user out of the cache.
func (r *rig) remove(name string) {
	r.cache.Users = slices.DeleteFunc(slices.Clone(r.cache.Users), func(u directory.User) bool { return u.Name == name })
}

// occupied are sessions in every state in which the engine would not look at
// its client for a long time.
func occupied(r *rig, name, password string) map[string]*client {
	c := map[string]*client{}
	for _, state := range []string{"idle", "blocked", "subscribed", "in a transaction", "monitoring", "half a command", "waiting for a marker"} {
		c[state] = r.login(name, password)
	}
	c["blocked"].send("BLPOP", "nothing", "0")
	c["subscribed"].do("SUBSCRIBE", "x")
	c["in a transaction"].want("+OK\r\n", "MULTI")
	c["monitoring"].want("+OK\r\n", "MONITOR")
	c["half a command"].write("*2\r\n$3\r\nGET\r\n$1000\r\nk")
	c["waiting for a marker"].send("BLPOP", "nothing", "0")
	c["waiting for a marker"].send("AUTH", name, password)
	return c
}

func TestRevocation(t *testing.T) {
	changes := map[string]func(r *rig){
		"the user leaves":     func(r *rig) { r.remove("carol") },
		"another incarnation": func(r *rig) { r.userOf("carol").Incarnation = rand.Text() },
		"the cache goes":      nil,
		"the engine restarts": func(r *rig) {
			r.cache.Nodes[0].Start = "2"
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, identity.Valkey, nil, user{name: "alice", password: alicePassword}, user{name: "carol", password: carolPassword})
			bystander := r.login("alice", alicePassword)
			victims := occupied(r, "carol", carolPassword)
			start := time.Now()
			if change != nil {
				change(r)
				r.publish()
			} else {
				r.send(directory.Update{Gone: []string{"cache"}})
			}
			for state, c := range victims {
				_ = c.SetReadDeadline(time.Now().Add(time.Second))
				chunk := make([]byte, 64<<10)
				for {
					if _, err := c.Read(chunk); err != nil {
						if strings.Contains(err.Error(), "timeout") {
							t.Errorf("%s: still connected", state)
						}
						break
					}
				}
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("took %s", took)
			}
			r.events.await(t, func(e gateway.LoginEvent) bool {
				return e.Outcome == gateway.Revoked && e.User == "carol" && e.Reason != ""
			})
			if name == "the user leaves" || name == "another incarnation" {
				bystander.want("+PONG\r\n", "PING")
			}
		})
	}
}

func TestWhatDoesNotEndSessions(t *testing.T) {
	r := newRig(t, identity.Valkey, nil, user{name: "alice", password: alicePassword})
	c := r.login("alice", alicePassword)
	u := r.userOf("alice")
	u.Passwords = []identity.Digest{key.Digest(identity.NewSecret("another password"))}
	r.publish()
	c.want("+PONG\r\n", "PING")
	stale := r.dial()
	stale.want(wrongPass, "AUTH", "alice", alicePassword)
	stale.want("+OK\r\n", "AUTH", "alice", "another password")
	u = r.userOf("alice")
	u.Inherits, u.Incarnation = []string{u.Incarnation}, rand.Text()
	r.publish()
	c.want("+PONG\r\n", "PING")
	u.Enabled = false
	r.publish()
	c.want("+PONG\r\n", "PING")
	c.want(wrongPass, "AUTH", "alice", "another password")
}

// TestTokens walks through the states of an AUTH token: NONE, OPT1, REQ1.
func TestTokens(t *testing.T) {
	for _, kind := range engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, kind, func(_ *gateway.Config, c *directory.Cache) { c.Anonymous, c.State = true, identity.AuthNone }, user{name: "default"})
			anonymous := r.dial()
			anonymous.want("+OK\r\n", "SET", "k", "1")
			pretender := r.dial()
			pretender.want("+OK\r\n", "AUTH", "default", "anything")
			pretender.want("+PONG\r\n", "PING")

			u := r.userOf("default")
			u.Auth, u.Token, u.Passwords = identity.AuthPassword, true, []identity.Digest{key.Digest(identity.NewSecret("the first token!"))}
			r.publish() // OPT1
			anonymous.want(bulk("1"), "GET", "k")
			holder := r.dial()
			holder.want(wrongPass, "AUTH", "another token!!!")
			holder.want("+OK\r\n", "AUTH", "the first token!")
			other := r.dial()
			other.want("+OK\r\n", "AUTH", "default", "the first token!")
			upgraded := r.dial()
			upgraded.want("+PONG\r\n", "PING")
			upgraded.want("+OK\r\n", "AUTH", "the first token!")
			methods := map[gateway.Method]int{}
			for _, s := range r.gateway.Sessions() {
				methods[s.Method]++
			}
			if methods[gateway.Anonymous] != 2 || methods[gateway.Token] != 3 {
				t.Errorf("sessions by method: %v", methods)
			}

			r.cache.Anonymous = false
			r.publish() // REQ1
			anonymous.wantClosed()
			pretender.wantClosed()
			holder.want(bulk("1"), "GET", "k")
			other.want(bulk("1"), "GET", "k")
			upgraded.want(bulk("1"), "GET", "k")
			late := r.dial()
			late.want("-NOAUTH Authentication required.\r\n", "GET", "k")
			late.want("+OK\r\n", "AUTH", "the first token!")
		})
	}
}

func TestTicketsWorkOnce(t *testing.T) {
	r := newRig(t, identity.Valkey, nil, user{name: "alice", password: alicePassword})
	ticket := func(gateway string, expires time.Time, secret string) directory.Ticket {
		return directory.Ticket{ID: rand.Text(), Gateway: gateway, User: "alice", Digest: key.Digest(identity.NewSecret(secret)), Expires: expires.Unix()}
	}
	soon := time.Now().Add(time.Minute)
	r.cache.Tickets = []directory.Ticket{ticket("gw", soon, "good"), ticket("elsewhere", soon, "other gateway"), ticket("gw", time.Now().Add(-time.Minute), "late")}
	r.publish()
	c := r.login("alice", "good")
	c.want("+PONG\r\n", "PING")
	d := r.dial()
	d.want(wrongPass, "AUTH", "alice", "good")
	d.want(wrongPass, "AUTH", "alice", "other gateway")
	d.want(wrongPass, "AUTH", "alice", "late")
	if s := r.gateway.Sessions(); len(s) != 1 || s[0].Method != gateway.OneUse || s[0].Peer != c.LocalAddr().String() {
		t.Errorf("sessions: %+v", s)
	}
}

func TestEngineRestart(t *testing.T) {
	r := newRig(t, identity.Valkey, nil, user{name: "alice", password: alicePassword})
	r.login("alice", alicePassword).want("+PONG\r\n", "PING")
	good := r.cache.Nodes[0].Address
	r.cache.Nodes[0].Address, r.cache.Nodes[0].Start = good+"-gone", "2"
	r.publish()
	c := r.dial()
	c.send("AUTH", "alice", alicePassword) // waits for the engine
	r.events.await(t, func(e gateway.LoginEvent) bool { return e.Outcome == gateway.Revoked })
	r.cache.Nodes[0].Address, r.cache.Nodes[0].Start = good, "3"
	r.publish()
	c.expect("+OK\r\n")
	c.want("+PONG\r\n", "PING")

	r.cache.Nodes[0].Address, r.cache.Nodes[0].Start = good+"-gone", "4"
	r.publish()
	c = r.dial()
	c.send("AUTH", "alice", alicePassword)
	c.expect("-LOADING The engine of this cache is starting. Try again in a moment.\r\n")
	c.wantClosed()
}
