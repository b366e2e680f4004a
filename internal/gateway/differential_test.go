package gateway_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// The differential suite: the same bytes to an engine directly and through the
// gateway, replies compared byte by byte. Where the gateway is meant to differ
// the script names an exception, and the reply is given in full.

// exception is a difference that is meant.
type exception struct {
	why   string
	reply string // what the gateway answers to the script
	// only names the engine that differs from the gateway; "" for both.
	only identity.Engine
}

// script is what a client sends after it has logged in (or not).
type script struct {
	name   string
	bytes  string
	resp3  bool // only for RESP3
	resp2  bool // only for RESP2
	slow   bool // waits for the engine's clock: not cut at every byte
	differ *exception
}

func cmd(words ...string) string { return string(resp.AppendCommand(nil, words...)) }

func cmds(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(cmd(strings.Fields(line)...))
	}
	return b.String()
}

const (
	alicePassword = "alice's-password"
	carolPassword = "carol's-password"
)

var (
	loginAlice   = cmd("AUTH", "alice", alicePassword)
	loginAlice3  = cmd("HELLO", "3", "AUTH", "alice", alicePassword)
	loginCarol   = cmd("AUTH", "carol", carolPassword)
	carolsRules  = []string{"~c:*", "&c:*", "+@read", "+@connection", "+@transaction", "-client|list", "+acl|whoami"}
	aborted      = "-EXECABORT Transaction discarded because of previous errors.\r\n"
	noMulti      = "-ERR Command not allowed inside a transaction\r\n"
	large        = strings.Repeat("0123456789abcdef", 5000)
	helloPattern = regexp.MustCompile(`(\$2\r\nid\r\n):\d+`)
)

const inTransaction = "logins in a transaction are refused: an identity that changes at EXEC cannot be seen by a raw relay, and valkey 8.0.1 answers EXEC with one element too few"

func unknown(words ...string) string {
	text := "-ERR unknown command '" + words[0] + "', with args beginning with: "
	for _, w := range words[1:] {
		text += "'" + w + "' "
	}
	return text + "\r\n"
}

const notForCustomers = "customers may not run the command (ElastiCache user guide), so the cache does not have it"

var afterLogin = []script{
	{name: "strings", bytes: cmds("SET k 1", "GET k", "INCR k", "LPUSH k x", "GET none", "MGET k none")},
	{name: "unknown", bytes: cmds("NOSUCH a b", "SET", "GET a b", "CLIENT", "CLIENT NOSUCH", "ACL NOSUCH", "OBJECT", "OBJECT NOSUCH x")},
	{name: "unknown long", bytes: cmd("NOSUCH"+large[:200], large[:100], large[:100], "x\r\ny")},
	{name: "script debug aside", bytes: cmds("SCRIPT EXISTS x", "SCRIPT NOSUCH", "SCRIPT")},
	{name: "nothing", bytes: "*0\r\n*-1\r\n\r\n" + cmds("PING") + "\n\n" + cmds("PING x")},
	{name: "blank line", bytes: "   \r\n" + cmds("PING"), differ: &exception{
		only: identity.Valkey, why: "valkey 8.0.1 takes what follows a line of blanks for another line, whatever it begins with",
		reply: "+PONG\r\n",
	}},
	{name: "inline", bytes: "SET k \"a b\"\r\nGET k\nPING\r\n  get   k  \r\nNOSUCH 'it\\'s'\r\n"},
	{name: "inline login", bytes: "ACL WHOAMI\r\nAUTH carol " + carolPassword + "\r\nACL WHOAMI\r\nGET k\r\n"},
	{name: "big", bytes: cmd("SET", "k", large) + cmds("STRLEN k") + cmd("SET", "j", large) + cmds("GET k", "GET j")},
	{name: "many arguments", bytes: cmd(append([]string{"DEL"}, strings.Fields(strings.Repeat("k ", 3000))...)...) + cmds("PING")},

	{name: "multi", bytes: cmds("MULTI", "SET k 1", "INCR k", "GET k", "EXEC", "GET k")},
	{name: "multi aborted", bytes: cmds("MULTI", "SET k", "SET k 1", "EXEC", "GET k", "MULTI", "NOSUCH", "EXEC")},
	{name: "multi misused", bytes: cmds("EXEC", "DISCARD", "MULTI", "MULTI", "WATCH k", "EXEC x", "EXEC", "MULTI x")},
	{name: "discard", bytes: cmds("MULTI", "SET k 1", "DISCARD", "GET k", "WATCH k", "SET k 2", "MULTI", "GET k", "EXEC")},
	{name: "unwatch", bytes: cmds("WATCH k", "SET k 1", "UNWATCH", "MULTI", "GET k", "EXEC")},
	{name: "multi of two", bytes: cmds("MULTI", "DISCARD") + loginCarol + cmds("ACL WHOAMI")},
	{name: "reset in multi", bytes: cmds("MULTI", "SET k 1", "RESET", "GET k") + loginAlice + cmds("GET k")},
	{name: "quit in multi", bytes: cmds("MULTI", "SET k 1", "QUIT", "GET k")},
	{
		name: "auth in multi", bytes: cmds("MULTI", "GET k") + loginCarol + cmds("EXEC", "ACL WHOAMI"),
		differ: &exception{why: inTransaction, reply: "+OK\r\n+QUEUED\r\n" + noMulti + aborted + bulk("alice")},
	},
	{
		name: "hello auth in multi", bytes: cmds("MULTI") + cmd("HELLO", "2", "AUTH", "carol", carolPassword) + cmds("EXEC", "ACL WHOAMI"), resp2: true,
		differ: &exception{why: inTransaction, reply: "+OK\r\n" + noMulti + aborted + bulk("alice")},
	},
	{
		name: "client list in multi", bytes: cmds("MULTI", "CLIENT INFO", "EXEC"),
		differ: &exception{
			why:   "replies that speak of connections are corrected on their way, and EXEC's are not taken apart",
			reply: "+OK\r\n" + noMulti + aborted,
		},
	},

	{name: "re-login", bytes: cmds("SET k 1") + loginCarol + cmds("ACL WHOAMI", "SET k 2", "GET c:k", "GET k") + loginAlice + cmds("ACL WHOAMI", "GET k")},
	{name: "re-login first", bytes: loginCarol + loginAlice + loginCarol + cmds("ACL WHOAMI")},
	{name: "refused at first", bytes: cmd("AUTH", "carol", "wrong") + cmds("ACL WHOAMI"), differ: &exception{
		only: identity.Valkey, why: "valkey 8.0.1 sends no reply to a failed AUTH that follows another command in one write (valkey-io/valkey#2106)",
		reply: "-WRONGPASS invalid username-password pair or user is disabled.\r\n" + bulk("alice"),
	}},
	{name: "refused in the middle", bytes: cmds("PING") + cmd("AUTH", "nobody", "wrong") + cmds("ACL WHOAMI", "PING"), differ: &exception{
		only: identity.Valkey, why: "valkey 8.0.1 sends no reply to a failed AUTH that follows another command in one write (valkey-io/valkey#2106)",
		reply: "+PONG\r\n-WRONGPASS invalid username-password pair or user is disabled.\r\n" + bulk("alice") + "+PONG\r\n",
	}},
	{name: "auth forms", bytes: cmds("AUTH", "AUTH a b c", "PING")},
	{name: "hello", bytes: cmds("HELLO", "HELLO 2", "PING", "HELLO 3", "GET none", "HELLO 2", "GET none")},
	{name: "hello faults", bytes: cmds("HELLO x", "HELLO 4", "HELLO 3 FOO", "HELLO 3 AUTH x", "HELLO 3 SETNAME", "CLIENT GETNAME", "GET none")},
	{name: "hello names", bytes: cmds("HELLO 2 SETNAME me", "CLIENT GETNAME") + cmd("HELLO", "2", "SETNAME", "a b") + cmds("CLIENT GETNAME")},
	{name: "hello login", bytes: cmd("HELLO", "3", "AUTH", "carol", carolPassword, "SETNAME", "c") + cmds("ACL WHOAMI", "CLIENT GETNAME", "GET c:none")},
	{name: "hello login with a fault", bytes: cmd("HELLO", "3", "AUTH", "carol", carolPassword, "FOO") + cmds("ACL WHOAMI"), differ: &exception{
		only: identity.Redis, why: "redis 7.0.15 logs in before it has read the whole command; a faulty HELLO changes nothing here, as on valkey",
		reply: "-ERR Syntax error in HELLO option 'FOO'\r\n" + bulk("alice"),
	}},
	{name: "reset", bytes: cmds("CLIENT SETNAME me", "SELECT 3", "RESET", "PING", "GET k") + loginAlice + cmds("CLIENT GETNAME", "GET k")},
	{name: "reset form", bytes: cmds("RESET x", "PING")},
	{name: "quit", bytes: cmds("SET k 1", "QUIT", "PING")},
	{name: "quit with words", bytes: cmds("QUIT now", "PING")},
	{name: "quit inline", bytes: "PING\r\nQUIT\r\nPING\r\n"},

	{name: "bad count", bytes: cmds("PING") + "*x\r\n" + cmds("PING")},
	{name: "bad length", bytes: cmds("PING") + "*2\r\n$3\r\nGET\r\n$x\r\n"},
	{name: "no dollar", bytes: cmds("PING") + "*2\r\n$3\r\nGET\r\n:1\r\n"},
	{name: "no dollar at first", bytes: cmds("PING") + "*2\r\n+GET\r\n"},
	{name: "bad length after a payload", bytes: cmds("PING") + "*3\r\n$3\r\nSET\r\n$5\r\nhello\r\n$-2\r\n"},
	{name: "bad length inside a login", bytes: "*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$x\r\n"},
	{name: "length line too long", bytes: "*2\r\n$3\r\nGET\r\n$" + strings.Repeat("1", 300000)},
	{name: "quotes", bytes: cmds("PING") + "GET \"k\r\n"},
	{name: "fault in multi", bytes: cmds("MULTI", "SET k 1") + "*1\r\n$-1\r\n"},
	{name: "strict numbers", bytes: cmds("PING") + "*01\r\n"},

	{name: "blocking", slow: true, bytes: cmds("BLPOP none 0.02", "PING", "RPUSH l a", "BLPOP l 0", "PING")},
	{name: "blocking and login", slow: true, bytes: cmds("BLPOP none 0.02") + loginCarol + cmds("ACL WHOAMI")},
	{name: "lua", bytes: cmd("EVAL", "return redis.call('INCR', KEYS[1])", "1", "k") + cmd("EVAL", "return redis.call('AUTH', 'alice', 'x')", "0") + cmd("EVAL", "return redis.pcall('HELLO')", "0") + cmd("EVAL", "return redis.setresp(3)", "0")},
	{name: "subscribe", bytes: cmds("SUBSCRIBE a b", "PING", "GET k", "UNSUBSCRIBE a", "UNSUBSCRIBE", "GET k"), resp2: true},
	{name: "subscribe and login", bytes: cmds("SUBSCRIBE a") + loginCarol + cmd("AUTH", "alice", "wrong") + cmd("HELLO", "3", "AUTH", "carol", carolPassword) + cmds("PING x", "RESET") + loginCarol + cmds("ACL WHOAMI"), resp2: true},
	{name: "subscribe in RESP3", bytes: cmds("SUBSCRIBE a", "PUBLISH a one", "GET k", "PSUBSCRIBE a*", "PUBLISH a two", "UNSUBSCRIBE", "PUNSUBSCRIBE", "PUBLISH a three"), resp3: true},
	{name: "login while subscribed", bytes: cmds("SUBSCRIBE c:a") + loginCarol + cmds("ACL WHOAMI", "GET c:k"), resp3: true},
	{name: "patterns", bytes: cmds("PSUBSCRIBE a*", "PUNSUBSCRIBE", "SSUBSCRIBE s", "SUNSUBSCRIBE"), resp2: true},
	{name: "reset while subscribed", bytes: cmds("SUBSCRIBE a", "RESET", "GET k") + loginAlice + cmds("GET k")},
	{name: "tracking", bytes: cmds("CLIENT TRACKING ON", "GET k", "SET k 1", "GET k", "CLIENT TRACKING OFF"), resp3: true},
	{name: "tracking refused", bytes: cmds("CLIENT TRACKING ON", "CLIENT TRACKINGINFO", "CLIENT CACHING YES")},

	{name: "reply off", bytes: cmds("CLIENT REPLY OFF", "SET k 1", "NOSUCH", "GET k", "CLIENT REPLY ON", "GET k")},
	{name: "reply skip", bytes: cmds("CLIENT REPLY SKIP", "SET k 1", "GET k", "CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "GET k", "GET k")},
	{name: "reply skip and off", bytes: cmds("CLIENT REPLY SKIP", "CLIENT REPLY OFF", "GET k") + cmd("AUTH", "carol", "wrong") + cmds("CLIENT REPLY ON", "ACL WHOAMI")},
	{name: "reply skip twice", bytes: cmds("CLIENT REPLY SKIP", "CLIENT REPLY SKIP") + loginCarol + cmds("ACL WHOAMI")},
	{name: "reply forms", bytes: cmds("CLIENT REPLY", "CLIENT REPLY x", "CLIENT REPLY ON", "CLIENT REPLY ON x", "PING")},
	{name: "reply off and login", bytes: cmds("CLIENT REPLY OFF") + loginCarol + cmds("CLIENT REPLY ON", "ACL WHOAMI") + loginAlice + cmds("ACL WHOAMI")},
	{name: "reply off and refused", bytes: cmds("CLIENT REPLY OFF") + cmd("AUTH", "carol", "wrong") + cmds("CLIENT INFO", "CLIENT REPLY ON", "ACL WHOAMI")},
	{name: "reply off and reset", bytes: cmds("CLIENT REPLY OFF", "RESET", "PING") + loginAlice + cmds("PING")},
	{name: "reply skip and login", bytes: cmds("CLIENT REPLY SKIP") + loginCarol + cmds("ACL WHOAMI")},

	{name: "client names", bytes: cmds("CLIENT SETNAME me", "CLIENT GETNAME", "CLIENT SETNAME", "CLIENT NO-EVICT ON", "CLIENT GETREDIR")},
	{name: "client forms", bytes: cmds("CLIENT LIST x", "CLIENT LIST TYPE x", "CLIENT LIST ID x", "CLIENT LIST TYPE", "CLIENT INFO x")},
	{name: "client kill", bytes: cmds("CLIENT KILL", "CLIENT KILL 1.1.1.1:1", "CLIENT KILL ID 0", "CLIENT KILL ID x", "CLIENT KILL ADDR 1.1.1.1:1", "CLIENT KILL LADDR 1.1.1.1:1", "CLIENT KILL USER nobody", "CLIENT KILL TYPE x", "CLIENT KILL SKIPME x", "CLIENT KILL ID 1 FOO", "CLIENT KILL TYPE pubsub", "CLIENT KILL MAXAGE 1000", "CLIENT KILL MAXAGE 0", "CLIENT KILL ID 99999 USER alice")},
	{name: "client kill oneself", bytes: cmds("CLIENT KILL USER alice SKIPME no", "PING")},
	{name: "acl forms", bytes: cmds("ACL WHOAMI", "ACL WHOAMI x", "ACL LIST x", "ACL USERS x", "ACL GETUSER", "ACL GETUSER nobody", "ACL LOG x", "ACL LOG 1 2", "ACL LOG RESET", "ACL CAT nosuch", "ACL GENPASS 8x", "ACL DRYRUN", "ACL DRYRUN nobody get x")},
	{name: "acl internal", bytes: cmds("ACL GETUSER nobody", "ACL GETUSER @gatehouse", "ACL DRYRUN @gatehouse get x"), resp2: true, differ: &exception{
		why:   "Gatehouse's own user is hidden",
		reply: "$-1\r\n$-1\r\n-ERR User '@gatehouse' not found\r\n",
	}},
	{name: "select", bytes: cmds("SELECT 1", "SET k 1", "SELECT 0", "GET k", "SELECT 99", "SWAPDB 0 1", "GET k")},

	{name: "config", bytes: cmds("CONFIG GET maxmemory", "config", "PING"), differ: &exception{
		why: notForCustomers, reply: unknown("CONFIG", "GET", "maxmemory") + unknown("config") + "+PONG\r\n",
	}},
	{name: "setuser", bytes: cmds("ACL SETUSER eve on", "acl deluser eve", "CLUSTER MEET 1.1.1.1 1"), differ: &exception{
		why: notForCustomers, reply: unknown("ACL", "SETUSER", "eve", "on") + unknown("acl", "deluser", "eve") + unknown("CLUSTER", "MEET", "1.1.1.1", "1"),
	}},
	{name: "restricted in multi", bytes: cmds("MULTI", "DEBUG SLEEP 0", "EXEC"), differ: &exception{
		why: notForCustomers, reply: "+OK\r\n" + unknown("DEBUG", "SLEEP", "0") + aborted,
	}},
	{name: "restricted inline", bytes: "debug sleep 0\r\nPING\r\n", differ: &exception{
		why: notForCustomers, reply: unknown("debug", "sleep", "0") + "+PONG\r\n",
	}},
	{name: "restricted and big", bytes: cmd("MIGRATE", large[:20], large) + cmds("PING"), differ: &exception{
		why: notForCustomers, reply: "-ERR unknown command 'MIGRATE', with args beginning with: '" + large[:20] + "' '" + large[:105] + "' \r\n+PONG\r\n",
	}},
}

var beforeLogin = []script{
	{name: "no login", bytes: cmds("PING", "GET k", "MULTI", "SUBSCRIBE a")},
	{name: "what is checked first", bytes: cmds("NOSUCH a b", "GET", "SET a", "CLIENT", "CLIENT NOSUCH", "CLIENT LIST", "OBJECT NOSUCH", "COMMAND COUNT x", "XINFO", "EVAL")},
	{name: "hello", bytes: cmds("HELLO", "HELLO 3", "HELLO x", "HELLO 7", "HELLO 3 FOO", "HELLO 3 SETNAME x")},
	{name: "hello name", bytes: cmd("HELLO", "3", "SETNAME", "a b")},
	{name: "auth forms", bytes: cmds("AUTH", "AUTH a b c", "AUTH a b c d")},
	{name: "auth refused", bytes: cmds("AUTH wrong")},
	{name: "auth user refused", bytes: cmds("AUTH alice wrong")},
	{name: "hello refused", bytes: cmds("HELLO 3 AUTH alice wrong")},
	{name: "reset", bytes: cmds("RESET", "RESET x", "PING")},
	{name: "quit", bytes: cmds("QUIT", "PING")},
	{name: "quit with words", bytes: cmds("QUIT x y")},
	{name: "ten words", bytes: cmds("GET 2 3 4 5 6 7 8 9 10")},
	{name: "eleven words", bytes: cmds("PING") + cmds("GET 2 3 4 5 6 7 8 9 10 11")},
	{name: "16384 bytes", bytes: cmd("GET", large[:16384])},
	{name: "16385 bytes", bytes: cmd("GET", large[:16385])},
	{name: "inline", bytes: "PING\r\nGET\r\nget a\r\nget 1 2 3 4 5 6 7 8 9 10 11 12\r\n\r\n"},
	{name: "inline login", bytes: "AUTH alice " + alicePassword + "\r\nACL WHOAMI\r\n"},
	{name: "inline quotes", bytes: "GET \"a\r\n"},
	{name: "bad count", bytes: "*x\r\n"},
	{name: "post", bytes: "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	{name: "host", bytes: "Host: localhost\r\n\r\n"},
	{name: "login and more", bytes: cmds("PING") + loginAlice + cmds("PING", "ACL WHOAMI")},
	{name: "hello and more", bytes: cmd("HELLO", "2", "AUTH", "alice", alicePassword, "SETNAME", "me") + cmds("CLIENT GETNAME", "ACL WHOAMI")},
	{name: "login twice", bytes: loginAlice + loginCarol + cmds("ACL WHOAMI")},
	{name: "login and eleven words", bytes: loginAlice + cmds("DEL 2 3 4 5 6 7 8 9 10 11 12")},
}

var anonymous = []script{
	{name: "no login", bytes: cmds("PING", "SET k 1", "GET k", "ACL WHOAMI")},
	{name: "hello", bytes: cmds("HELLO 3", "ACL WHOAMI", "GET none", "HELLO")},
	{name: "hello name", bytes: cmds("HELLO 3 SETNAME me", "CLIENT GETNAME")},
	{name: "auth of one word", bytes: cmds("AUTH x", "PING")},
	{name: "auth of default", bytes: cmds("AUTH default x", "ACL WHOAMI", "AUTH default y", "PING")},
	{name: "hello auth of default", bytes: cmds("HELLO 3 AUTH default x", "ACL WHOAMI")},
	{name: "auth refused", bytes: cmds("AUTH alice wrong")},
	{name: "login", bytes: cmds("PING") + loginAlice + cmds("ACL WHOAMI", "AUTH default x", "ACL WHOAMI")},
	{name: "login and reset", bytes: loginAlice + cmds("ACL WHOAMI", "RESET", "ACL WHOAMI", "PING")},
	{name: "reset", bytes: cmds("RESET", "PING", "HELLO 3", "RESET", "GET none")},
	{name: "quit", bytes: cmds("QUIT", "PING")},
	{name: "many words", bytes: cmds("DEL 1 2 3 4 5 6 7 8 9 10 11 12")},
	{name: "big first", bytes: cmd("SET", "k", large) + cmds("STRLEN k")},
	{name: "bad count", bytes: "*x\r\n"},
	{name: "bad length", bytes: "*2\r\n$3\r\nGET\r\n$x\r\n"},
	{name: "inline first", bytes: "PING\r\nAUTH default x\r\nPING\r\n"},
	{name: "unknown", bytes: cmds("NOSUCH")},
}

// ending is answered in every state, so that the end of the replies is seen.
const ending = "end-of-script"

// talk sends the pieces and returns everything up to the answer to ending, or
// to the end of the connection.
func talk(t testing.TB, conn net.Conn, pieces ...string) string {
	t.Helper()
	defer func() { _ = conn.Close() }()
	go func() { // a script may be refused while it is still being sent
		for _, piece := range append(pieces, cmd(ending)) {
			if _, err := conn.Write([]byte(piece)); err != nil {
				return
			}
		}
	}()
	var got []byte
	chunk := make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := conn.Read(chunk)
		got = append(got, chunk[:n]...)
		if at := bytes.Index(got, []byte(unknown(ending))); at >= 0 {
			return normal(got[:at])
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("no end of the replies: %.300q", got)
		}
		if err != nil { // a reset too: the engines close with requests unread
			return normal(got) + "(closed)"
		}
	}
}

// normal takes out what differs between two connections to one engine.
func normal(got []byte) string { return helloPattern.ReplaceAllString(string(got), "$1:N") }

// stage is an engine alone and one behind a gateway, with the same users.
type stage struct {
	t      *testing.T
	kind   identity.Engine
	direct *enginetest.Server
	rig    *rig
	tls    *tls.Config
}

func newStage(t *testing.T, kind identity.Engine, open bool) *stage {
	users := []user{{name: "alice", password: alicePassword}, {name: "carol", password: carolPassword, rules: carolsRules}}
	defaults := []string{"reset", "off"}
	if open {
		users = append(users, user{name: "default"})
		defaults = append([]string{"reset", "on", "nopass"}, everything...)
	}
	s := &stage{t: t, kind: kind, direct: enginetest.Start(t, kind)}
	// Thousands of connections: resumed ones cost half.
	s.tls = &tls.Config{RootCAs: roots, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	s.direct.Must(append([]string{"ACL", "SETUSER", "default"}, defaults...)...)
	s.direct.Must(append([]string{"ACL", "SETUSER", "alice", "reset", "on", ">" + alicePassword}, everything...)...)
	s.direct.Must(append([]string{"ACL", "SETUSER", "carol", "reset", "on", ">" + carolPassword}, carolsRules...)...)
	s.rig = newRig(t, kind, func(_ *gateway.Config, c *directory.Cache) { c.Anonymous = open }, users...)
	return s
}

func (s *stage) dialDirect() net.Conn {
	conn, err := net.Dial("unix", s.direct.Socket)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *stage) dialGateway() net.Conn {
	conn, err := tls.Dial("tcp", s.rig.cache.Nodes[0].Listen, s.tls)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// compare runs a script behind a prefix, whole and cut.
func (s *stage) compare(t *testing.T, prefix string, sc script, cuts bool) {
	t.Helper()
	want := talk(t, s.dialDirect(), prefix+sc.bytes)
	if sc.differ != nil && (sc.differ.only == "" || sc.differ.only == s.kind) {
		login := talk(t, s.dialDirect(), prefix)
		exempt := login + sc.differ.reply
		if exempt == want {
			t.Errorf("the engine does the same: the exception is not needed (%s)", sc.differ.why)
		}
		want = exempt
	}
	check := func(how string, pieces ...string) {
		t.Helper()
		if got := talk(t, s.dialGateway(), pieces...); got != want {
			t.Fatalf("%s\nthrough the gateway: %.1500q\nwanted:              %.1500q", how, got, want)
		}
	}
	check("whole", prefix+sc.bytes)
	if len(sc.bytes) > 2000 {
		check("in pieces of 1000", append([]string{prefix}, pieces(sc.bytes, 1000)...)...)
		return
	}
	check("byte by byte", append([]string{prefix}, strings.Split(sc.bytes, "")...)...)
	if !cuts || sc.slow || testing.Short() {
		return
	}
	for cut := 1; cut < len(sc.bytes); cut++ {
		check("cut", prefix+sc.bytes[:cut], sc.bytes[cut:])
	}
}

func pieces(text string, size int) []string {
	var list []string
	for len(text) > size {
		list, text = append(list, text[:size]), text[size:]
	}
	return append(list, text)
}

func TestSameAsEngine(t *testing.T) {
	for _, kind := range engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			closed, open := newStage(t, kind, false), newStage(t, kind, true)
			for _, sc := range beforeLogin {
				t.Run("before login/"+sc.name, func(t *testing.T) { closed.compare(t, "", sc, true) })
			}
			for _, sc := range anonymous {
				t.Run("anonymous/"+sc.name, func(t *testing.T) { open.compare(t, "", sc, true) })
			}
			for _, sc := range afterLogin {
				if !sc.resp3 {
					t.Run("RESP2/"+sc.name, func(t *testing.T) { closed.compare(t, loginAlice+cmds("FLUSHALL"), sc, kind == identity.Valkey) })
				}
				if !sc.resp2 {
					t.Run("RESP3/"+sc.name, func(t *testing.T) { open.compare(t, loginAlice3+cmds("FLUSHALL"), sc, kind == identity.Redis) })
				}
			}
		})
	}
}
