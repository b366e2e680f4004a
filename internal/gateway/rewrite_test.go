package gateway_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

func forEngines(t *testing.T, test func(t *testing.T, r *rig)) {
	for _, kind := range engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, newRig(t, kind, nil,
				user{name: "alice", password: alicePassword},
				user{name: "carol", password: carolPassword, rules: []string{"~c:*", "&*", "+@all", "-client|kill", "-config", "-debug", "(~d:*", "+get)"}},
				user{name: "open"}))
		})
	}
}

func fieldOf(line, key string) string {
	m := regexp.MustCompile(`(?:^| )` + key + `=(\S*)`).FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	return m[1]
}

func TestClientListShowsPeers(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		a, b := r.login("alice", alicePassword), r.login("carol", carolPassword)
		b.want("+OK\r\n", "CLIENT", "SETNAME", "bee")
		for _, protocol := range []string{"2", "3"} {
			a.do("HELLO", protocol)
			a.send("CLIENT", "LIST")
			v := a.reply()
			text := strings.TrimPrefix(string(v.Text), "txt:")
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if len(lines) != 2 {
				t.Fatalf("RESP%s: not just the two clients: %q", protocol, lines)
			}
			for i, c := range []*client{a, b} {
				if got := fieldOf(lines[i], "addr"); got != c.LocalAddr().String() {
					t.Errorf("addr=%s, want %s", got, c.LocalAddr())
				}
				if got := fieldOf(lines[i], "laddr"); got != c.RemoteAddr().String() {
					t.Errorf("laddr=%s, want %s", got, c.RemoteAddr())
				}
			}
			if fieldOf(lines[1], "user") != "carol" || fieldOf(lines[1], "name") != "bee" || fieldOf(lines[1], "flags") != "N" {
				t.Errorf("carol's line: %s", lines[1])
			}
			a.send("CLIENT", "INFO")
			info := a.reply()
			if got := fieldOf(string(info.Text), "addr"); got != a.LocalAddr().String() || info.Kind != v.Kind {
				t.Errorf("CLIENT INFO: %c addr=%s", info.Kind, got)
			}
			a.send("CLIENT", "LIST", "ID", fieldOf(lines[1], "id"), "1", "2", "3")
			if v := a.reply(); strings.Count(string(v.Text), "\n") != 1 {
				t.Errorf("CLIENT LIST ID shows others: %q", v.Text)
			}
		}
	})
}

func TestClientKill(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		a := r.login("alice", alicePassword)
		victim := func() *client { return r.login("carol", carolPassword) }
		addr := func(c *client) string { return c.LocalAddr().String() }

		b := victim()
		b.send("CLIENT", "ID")
		id := b.reply()
		a.want(":1\r\n", "CLIENT", "KILL", "ADDR", addr(b))
		b.wantClosed()
		a.want(":0\r\n", "CLIENT", "KILL", "ID", string(id.Text))
		b = victim()
		a.want("+OK\r\n", "CLIENT", "KILL", addr(b))
		b.wantClosed()
		a.want("-ERR No such client\r\n", "CLIENT", "KILL", addr(b))
		b = victim()
		a.want(":0\r\n", "CLIENT", "KILL", "ADDR", addr(b), "USER", "alice")
		a.want(":1\r\n", "CLIENT", "KILL", "LADDR", a.RemoteAddr().String(), "TYPE", "normal")
		b.wantClosed()
		b = victim()
		b.want("*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n", "SUBSCRIBE", "x")
		a.want(":0\r\n", "CLIENT", "KILL", "TYPE", "normal")
		a.want(":1\r\n", "CLIENT", "KILL", "TYPE", "pubsub")
		b.wantClosed()
		b = victim()
		if got := b.do("CLIENT", "KILL", "ADDR", addr(a)); !strings.HasPrefix(got, "-NOPERM ") {
			t.Errorf("carol may kill: %q", got)
		}
		a.want("-ERR No such user '@gatehouse'\r\n", "CLIENT", "KILL", "USER", "@gatehouse")
		a.want("+OK\r\n", "CLIENT", "KILL", addr(a))
		a.wantClosed()
		b.want("+PONG\r\n", "PING")
	})
}

func TestACLShowsNoSecrets(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		a := r.login("alice", alicePassword)
		for _, protocol := range []string{"2", "3"} {
			a.do("HELLO", protocol)
			list := a.do("ACL", "LIST")
			if strings.Contains(list, "#") || strings.Contains(list, "@gatehouse") || strings.Contains(list, "-debug") {
				t.Errorf("ACL LIST shows too much: %q", list)
			}
			for _, want := range []string{"user alice on ", "user carol on ", "user default off", " nopass ", "(~d:* ", "~c:* "} {
				if !strings.Contains(list, want) {
					t.Errorf("ACL LIST lacks %q: %q", want, list)
				}
			}
			a.want("*4\r\n"+bulk("alice")+bulk("carol")+bulk("default")+bulk("open"), "ACL", "USERS")
			a.send("ACL", "GETUSER", "carol")
			v := a.reply()
			if p := v.Field("passwords"); p == nil || len(p.Elems) != 0 {
				t.Errorf("passwords: %+v", p)
			}
			if c := v.Field("commands"); c == nil || string(c.Text) != "+@all -client|kill" {
				t.Errorf("commands: %q", c.Text)
			}
			a.send("ACL", "GETUSER", "open")
			v = a.reply()
			flags := v.Field("flags")
			if !slices.ContainsFunc(flags.Elems, func(f resp.Value) bool { return string(f.Text) == "nopass" }) {
				t.Errorf("flags: %+v", flags)
			}
			null := "$-1\r\n"
			if protocol == "3" {
				null = "_\r\n"
			}
			a.want(null, "ACL", "GETUSER", "@gatehouse")
		}
	})
}

func TestACLLog(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		stranger := r.dial()
		stranger.want(wrongPass, "AUTH", "mallory", "guess")
		stranger.want(wrongPass, "auth", "carol", "guess")
		stranger.want(wrongPass, "auth", "carol", "guess again")
		a, c := r.login("alice", alicePassword), r.login("carol", carolPassword)
		c.do("GET", "x") // outside c:*
		stranger.want(wrongPass, "HELLO", "3", "AUTH", "mallory", "guess")

		for _, protocol := range []string{"2", "3"} {
			a.do("HELLO", protocol)
			a.send("ACL", "LOG")
			log := a.reply()
			var got []string
			for i := range log.Elems {
				e := &log.Elems[i]
				if want := map[string]byte{"2": '*', "3": '%'}[protocol]; e.Kind != want {
					t.Errorf("an entry is a %c, want a %c", e.Kind, want)
				}
				got = append(got, fmt.Sprintf("%s %s %s %s %s", e.Field("count").Text, e.Field("reason").Text, e.Field("context").Text, e.Field("object").Text, e.Field("username").Text))
				peer := stranger
				if string(e.Field("reason").Text) == "key" {
					peer = c
				}
				if addr := fieldOf(string(e.Field("client-info").Text), "addr"); addr != peer.LocalAddr().String() {
					t.Errorf("addr=%s, want %s", addr, peer.LocalAddr())
				}
				if age, err := strconv.ParseFloat(string(e.Field("age-seconds").Text), 64); err != nil || age < 0 || age > 10 {
					t.Errorf("age-seconds: %q", e.Field("age-seconds").Text)
				}
				if (e.Field("entry-id") != nil) != (r.cache.Nodes[0].Kind == "valkey") {
					t.Errorf("entry-id: %v", e.Field("entry-id"))
				}
			}
			want := []string{"1 auth toplevel AUTH mallory", "1 auth toplevel HELLO mallory", "1 key toplevel x carol", "2 auth toplevel auth carol"}
			if got[len(got)-1] != want[0] {
				t.Errorf("the oldest entry is %q", got[len(got)-1])
			}
			slices.Sort(got) // the others may fall into one millisecond
			if !slices.Equal(got, want) {
				t.Errorf("RESP%s: got %q, want %q", protocol, got, want)
			}
			a.send("ACL", "LOG", "2")
			if v := a.reply(); len(v.Elems) != 2 {
				t.Errorf("ACL LOG 2 has %d entries", len(v.Elems))
			}
		}
		a.want("+OK\r\n", "ACL", "LOG", "RESET")
		a.want("*0\r\n", "ACL", "LOG")
	})
}
