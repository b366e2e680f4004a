package gateway_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// TestRestrictedCommands: no spelling of a restricted command reaches the engine.
func TestRestrictedCommands(t *testing.T) {
	r := alone(t, nil)
	c, stranger := r.login("alice", alicePassword), r.dial()
	for _, name := range acl.Restricted() {
		words := strings.Split(strings.ToUpper(name[:1])+name[1:], "|")
		for _, form := range [][]string{words, append(words[:len(words):len(words)], "x"), {strings.ToUpper(words[0])}} {
			if len(form) < len(words) {
				continue // a container alone is not restricted
			}
			c.want(unknown(form...), form...)
			stranger.want(unknown(form...), form...)
			c.write(strings.Join(form, " ") + "\r\n")
			c.expect(unknown(form...))
		}
	}
	c.want("+PONG\r\n", "PING")
}

// TestMonitorShowsNoSecrets: MONITOR and SLOWLOG are open to customers, and the
// gateway's own commands appear there.
func TestMonitorShowsNoSecrets(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		m := r.login("alice", alicePassword)
		m.want("+OK\r\n", "MONITOR")
		a := r.login("carol", carolPassword)
		a.do("HELLO", "3", "AUTH", "carol", carolPassword)
		a.do("AUTH", "alice", alicePassword)
		a.do("ECHO", "the-end")
		seen := ""
		for !strings.Contains(seen, "the-end") {
			v := m.reply()
			seen += string(v.Text) + "\n"
		}
		seen += a.do("SLOWLOG", "GET", "100") + a.do("INFO", "everything")
		for name, secret := range r.cache.Nodes[0].Secrets {
			if strings.Contains(seen, secret.Reveal()) {
				t.Errorf("the secret of %s is shown:\n%s", name, seen)
			}
		}
		if strings.Contains(seen, r.engine.Dir) {
			t.Errorf("a path of this host is shown:\n%s", seen)
		}
		// A monitoring connection may log in again, as on the engine.
		m.send("AUTH", "carol", "wrong")
		m.send("AUTH", "carol", carolPassword)
		for _, want := range []string{"-WRONGPASS", "+OK"} {
			v := m.reply()
			for '0' <= v.Text[0] && v.Text[0] <= '9' {
				v = m.reply()
			}
			if got := string(v.Append(nil)); !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// verifier stands for the IAM verifier: one token is right.
type verifier struct{ deadline time.Time }

func (v verifier) Verify(c *directory.Cache, u *directory.User, token []byte, peer netip.AddrPort) (string, time.Time, error) {
	if string(token) != "token for "+c.ID || !peer.IsValid() {
		return "", time.Time{}, errors.New("the token is for another cache")
	}
	return "arn:aws:iam::000000000000:user/" + u.Name, v.deadline, nil
}

func TestIAM(t *testing.T) {
	fake := clock.NewFake(time.Now())
	iam := func(cfg *gateway.Config, c *directory.Cache) {
		c.Users = append(c.Users, directory.User{Name: "alice", ID: "alice", Incarnation: "1", Enabled: true, Auth: identity.AuthIAM})
		c.Users = c.Users[1:]
		cfg.Clock = impatient{fake}
	}
	t.Run("not configured", func(t *testing.T) {
		r := alone(t, iam)
		r.dial().want(wrongPass, "AUTH", "alice", "token for cache")
		r.events.await(t, func(e gateway.LoginEvent) bool { return e.Reason == "IAM logins are not configured" })
	})
	t.Run("configured", func(t *testing.T) {
		r := alone(t, func(cfg *gateway.Config, c *directory.Cache) {
			iam(cfg, c)
			cfg.IAM = verifier{fake.Now().Add(12 * time.Hour)}
		})
		r.dial().want(wrongPass, "AUTH", "alice", "token for elsewhere")
		r.events.await(t, func(e gateway.LoginEvent) bool { return e.Reason == "the token is for another cache" })
		c := r.login("alice", "token for cache")
		s := r.gateway.Sessions()
		if len(s) != 1 || s[0].Method != gateway.IAM || s[0].Principal != "arn:aws:iam::000000000000:user/alice" || s[0].Deadline.IsZero() || !s[0].TLS {
			t.Errorf("sessions: %+v", s)
		}
		fake.Advance(11 * time.Hour)
		c.want("+PONG\r\n", "PING")
		fake.Advance(2 * time.Hour)
		c.wantClosed()
		if m := r.gateway.Metrics(); len(m) != 1 || m[0].Expired != 1 {
			t.Errorf("metrics: %+v", m)
		}
	})
}

// TestACLLogRemembersPeers: an entry outlives the client that it is about.
func TestACLLogRemembersPeers(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		c := r.login("carol", carolPassword)
		c.do("GET", "x")
		c.want("+OK\r\n", "QUIT")
		c.wantClosed()
		r.events.await(t, func(e gateway.LoginEvent) bool { return e.Outcome == gateway.LoggedOut })
		a := r.login("alice", alicePassword)
		a.send("ACL", "LOG")
		log := a.reply()
		if len(log.Elems) != 1 || fieldOf(string(log.Elems[0].Field("client-info").Text), "addr") != c.LocalAddr().String() {
			t.Errorf("%q", log.Append(nil))
		}
	})
}

func TestLongCommandsOfTheGateway(t *testing.T) {
	r := alone(t, nil)
	c := r.login("alice", alicePassword)
	tooLong := "-ERR the command is too long\r\n"
	c.want(tooLong, "HELLO", "3", "SETNAME", large)
	c.want(tooLong, "AUTH", "alice", large)
	c.want(tooLong, append([]string{"CLIENT", "LIST", "ID"}, strings.Fields(strings.Repeat("1 ", 200000))...)...)
	c.want("+PONG\r\n", "PING")
	stranger := r.dial()
	stranger.want(tooLong, "HELLO", "3", "SETNAME", large[:16384], "SETNAME", large[:16384], "SETNAME", large[:16384], "SETNAME", large[:16384])
	stranger.want("-NOAUTH Authentication required.\r\n", "PING")
}
