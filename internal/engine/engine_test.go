package engine_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/engine/admin"
	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// helperEnv makes the test program be a Gatehouse that supervises one engine
// until it is killed.
const helperEnv = "GATEHOUSE_TEST_SUPERVISE"

func TestMain(m *testing.M) {
	if spec := os.Getenv(helperEnv); spec != "" {
		supervise(spec)
		return
	}
	goleak.VerifyTestMain(m)
}

func supervise(text string) {
	kind, dir, _ := strings.Cut(text, " ")
	supervisor := engine.NewSupervisor(engine.Options{})
	e, err := supervisor.Start(context.Background(), engine.Spec{Name: "orders-001", Kind: identity.Engine(kind), Dir: dir})
	if err == nil {
		err = e.Apply(context.Background(), []engine.User{{Name: "alice", Rules: []string{"~*", "+@all"}, Enabled: true}})
	}
	if err == nil {
		var node directory.Node
		node, err = e.Node("")
		fmt.Println(node.Secrets["alice"].Reveal(), node.Address)
	}
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	select {}
}

var kinds = []identity.Engine{identity.Valkey, identity.Redis}

// each runs a test for both engines.
func each(t *testing.T, test func(t *testing.T, kind identity.Engine)) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			enginetest.Program(t, kind)
			test(t, kind)
		})
	}
}

// patience bounds every wait; what is waited for normally takes milliseconds.
const patience = 30 * time.Second

func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// house is a supervisor whose events can be awaited.
type house struct {
	*engine.Supervisor
	t      *testing.T
	events chan engine.Event
}

func newHouse(t *testing.T, options engine.Options) *house {
	h := &house{t: t, events: make(chan engine.Event, 100)}
	options.Observe = func(e engine.Event) { h.events <- e }
	h.Supervisor = engine.NewSupervisor(options)
	t.Cleanup(func() { h.StopAll(background(t)) })
	return h
}

func (h *house) await(want engine.Happening) engine.Event {
	h.t.Helper()
	for {
		select {
		case event := <-h.events:
			if event.Happening == want {
				return event
			}
		case <-time.After(patience):
			h.t.Fatalf("the event %q did not come", want)
		}
	}
}

func (h *house) start(kind identity.Engine, dir string) *engine.Engine {
	h.t.Helper()
	e, err := h.Start(background(h.t), engine.Spec{Name: "orders-001", Kind: kind, Dir: dir})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func rules(t *testing.T, kind identity.Engine, text string) []string {
	t.Helper()
	access, err := acl.Parse(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return access.EngineRules(true)
}

func apply(t *testing.T, e *engine.Engine, users ...engine.User) {
	t.Helper()
	if err := e.Apply(background(t), users); err != nil {
		t.Fatal(err)
	}
}

func node(t *testing.T, e *engine.Engine) directory.Node {
	t.Helper()
	n, err := e.Node("127.0.0.1:16379")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func dial(t *testing.T, n directory.Node) *admin.Conn {
	t.Helper()
	conn, err := admin.Dial(background(t), n.Network, n.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func login(t *testing.T, n directory.Node, user string) *admin.Conn {
	t.Helper()
	secret, ok := n.Secrets[user]
	if user == directory.AdminUser {
		secret, ok = n.Admin, true
	}
	if !ok {
		t.Fatalf("there is no secret for %s", user)
	}
	conn := dial(t, n)
	must(t, conn, "AUTH", user, secret.Reveal())
	return conn
}

func must(t *testing.T, conn *admin.Conn, args ...string) admin.Reply {
	t.Helper()
	reply, err := conn.Do(background(t), args...)
	if err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return reply
}

func mustRefuse(t *testing.T, conn *admin.Conn, code string, args ...string) {
	t.Helper()
	if reply, err := conn.Do(background(t), args...); !admin.IsReply(err, code) {
		t.Errorf("%q: got %v, %v; want the error %s", args, reply, err, code)
	}
}

func TestStartedEngineIsClosedUntilApply(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Options{})
		began := time.Now()
		e := h.start(kind, t.TempDir())
		// Alone on a machine it is a few milliseconds; this one may be busy.
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the start took %s", took)
		} else {
			t.Logf("the start took %s", took)
		}
		n := node(t, e)
		if n.Start == "" || n.Start != h.await(engine.Started).Start || n.ClusterID != "orders-001" || n.Kind != kind || n.Network != "unix" {
			t.Errorf("the node is %+v", n)
		}
		stranger := dial(t, n)
		mustRefuse(t, stranger, "NOAUTH", "PING")
		mustRefuse(t, stranger, "WRONGPASS", "AUTH", "default", "")
		mustRefuse(t, stranger, "WRONGPASS", "AUTH", "alice", "guess")
		if len(n.Secrets) != 0 {
			t.Errorf("there are secrets of %v before Apply", e.Users())
		}
		apply(t, e, engine.User{Name: "alice", Rules: rules(t, kind, "on ~* +@all"), Enabled: true})
		must(t, login(t, node(t, e), "alice"), "SET", "k", "v")
		mustRefuse(t, stranger, "NOAUTH", "GET", "k")
	})
}

func TestNothingOfTheEngineShows(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		dir := t.TempDir()
		h := newHouse(t, engine.Options{})
		e := h.start(kind, dir)
		watcher := login(t, node(t, e), directory.AdminUser)
		must(t, watcher, "CONFIG", "SET", "slowlog-log-slower-than", "0")
		apply(t, e, engine.User{Name: "alice", Rules: rules(t, kind, "on ~* +@all"), Enabled: true})
		n := node(t, e)
		conn := login(t, n, "alice")
		pid := must(t, conn, "INFO", "server").Text
		if strings.Contains(pid, dir) {
			t.Errorf("INFO shows the directory:\n%s", pid)
		}
		slow := fmt.Sprint(must(t, conn, "SLOWLOG", "GET", "-1"))
		for _, secret := range []identity.Secret{n.Admin, n.Secrets["alice"]} {
			digest := fmt.Sprintf("%x", sha256.Sum256([]byte(secret.Reveal())))
			if strings.Contains(slow, secret.Reveal()) || strings.Contains(slow, digest) {
				t.Errorf("SLOWLOG shows a secret: %s", slow)
			}
		}
		if !strings.Contains(slow, "SETUSER") {
			t.Error("SLOWLOG does not have what this test is about")
		}
		info, err := e.Info(background(t), "server")
		if err != nil || info["process_id"] == "" || info["config_file"] != "" {
			t.Fatalf("INFO: %v, %v", info, err)
		}
		if line, err := os.ReadFile("/proc/" + info["process_id"] + "/cmdline"); err == nil && strings.Contains(string(line), n.Admin.Reveal()) {
			t.Errorf("the command line is %q", line)
		}
		if got := must(t, conn, "CLIENT", "INFO").Text; !strings.Contains(got, " addr=gateway:0 ") {
			t.Errorf("CLIENT INFO shows %s", got)
		}
		for _, name := range []string{"engine.log", "engine.json", "engine.lock", "supervisor.lock"} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the directory: %v, %v", info, err)
		}
	})
}

func TestMonitorShowsNothingOfTheAdministrator(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		e := newHouse(t, engine.Impatient(engine.Options{})).start(kind, t.TempDir())
		alice := engine.User{Name: "alice", Rules: rules(t, kind, "on ~* +@all"), Enabled: true}
		apply(t, e, alice)
		n := node(t, e)
		raw, err := net.Dial(n.Network, n.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = raw.Close() }()
		if _, err := fmt.Fprintf(raw, "AUTH alice %s\r\nMONITOR\r\n", n.Secrets["alice"].Reveal()); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(raw)
		for range 2 {
			if line, err := lines.ReadString('\n'); err != nil || line != "+OK\r\n" {
				t.Fatalf("%q, %v", line, err)
			}
		}
		apply(t, e, alice)
		conn := login(t, n, "alice")
		for i := range 3 { // each is long enough for a few signs of life
			must(t, conn, "BLPOP", "nothing", "0.05")
			if i == 2 {
				must(t, conn, "ECHO", "over")
			}
		}
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			for _, hidden := range []string{"SETUSER", "SLOWLOG", "PING", n.Admin.Reveal(), n.Secrets["alice"].Reveal(), directory.AdminUser} {
				if strings.Contains(line, hidden) {
					t.Errorf("MONITOR shows %s", line)
				}
			}
			if strings.Contains(line, `"over"`) {
				return
			}
		}
	})
}

func TestApplyKeepsConnectionsAndRemoveEndsThem(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Options{})
		e := h.start(kind, t.TempDir())
		alice := engine.User{Name: "alice", Rules: rules(t, kind, "on ~* +@all"), Enabled: true}
		byDefault := engine.User{Name: identity.DefaultUser, Rules: rules(t, kind, "on ~d -@all +get"), Enabled: true}
		apply(t, e, alice, byDefault)
		before := node(t, e).Secrets
		conn, anonymous := login(t, node(t, e), "alice"), login(t, node(t, e), "default")
		must(t, conn, "SET", "k", "v")
		must(t, anonymous, "GET", "d")
		mustRefuse(t, dial(t, node(t, e)), "NOAUTH", "GET", "d")

		alice.Rules = rules(t, kind, "on ~* -@all +get")
		apply(t, e, alice, byDefault)
		must(t, conn, "GET", "k")
		mustRefuse(t, conn, "NOPERM", "SET", "k", "w")
		if after := node(t, e).Secrets; !after["alice"].Equal(before["alice"]) || !after["default"].Equal(before["default"]) {
			t.Error("a secret changed although the engine did not start anew")
		}

		alice.Enabled = false
		apply(t, e, alice)
		must(t, conn, "GET", "k")
		if _, has := node(t, e).Secrets["alice"]; has {
			t.Error("a disabled user has a secret")
		}
		mustRefuse(t, dial(t, node(t, e)), "WRONGPASS", "AUTH", "alice", before["alice"].Reveal())

		for range 2 { // the second finds nothing to do
			if err := e.Remove(background(t), []string{"alice", "default", "nobody"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := conn.Do(background(t), "GET", "k"); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the connection of a removed user lives: %v", err)
		}
		mustRefuse(t, anonymous, "NOPERM", "GET", "d")
		mustRefuse(t, dial(t, node(t, e)), "WRONGPASS", "AUTH", "default", before["default"].Reveal())
		if left := e.Users(); len(left) != 0 {
			t.Errorf("users are left: %v", left)
		}
	})
}

func TestOneFaultyUserDoesNotKeepOthersOut(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		e := newHouse(t, engine.Options{}).start(kind, t.TempDir())
		err := e.Apply(background(t), []engine.User{
			{Name: directory.AdminUser, Enabled: true},
			{Name: "", Enabled: true},
			{Name: "broken", Rules: []string{"+nonesuch"}, Enabled: true},
			{Name: "alice", Rules: []string{"+@all"}, Enabled: true},
		})
		if err == nil || !strings.Contains(err.Error(), `"broken"`) || !strings.Contains(err.Error(), directory.AdminUser) {
			t.Errorf("the error is %v", err)
		}
		must(t, login(t, node(t, e), "alice"), "PING")
		if got := e.Users(); len(got) != 1 {
			t.Errorf("the users are %v", got)
		}
		if err := e.Remove(background(t), []string{directory.AdminUser}); err == nil {
			t.Error("the administrator could be removed")
		}
	})
}

func TestCrashedEngineComesBackClosed(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Options{})
		e := h.start(kind, t.TempDir())
		alice := engine.User{Name: "alice", Rules: rules(t, kind, "on ~* +@all"), Enabled: true}
		apply(t, e, alice)
		old := node(t, e)
		conn := login(t, old, "alice")
		must(t, conn, "SET", "kept", "yes")
		must(t, login(t, old, directory.AdminUser), "CONFIG", "SET", "appendfsync", "always")
		must(t, conn, "SET", "kept", "yes")

		kill(t, e)
		if crash := h.await(engine.Crashed); crash.Start != old.Start || crash.Err == nil || !strings.Contains(crash.Err.Error(), "killed") {
			t.Errorf("the event is %+v", crash)
		}
		again := h.await(engine.Started)
		n := node(t, e)
		if n.Start != again.Start || n.Start == old.Start || n.Admin.Equal(old.Admin) || len(n.Secrets) != 0 {
			t.Errorf("after the crash the node is %+v, before %+v", n, old)
		}
		stranger := dial(t, n)
		mustRefuse(t, stranger, "WRONGPASS", "AUTH", "alice", old.Secrets["alice"].Reveal())
		mustRefuse(t, stranger, "WRONGPASS", "AUTH", directory.AdminUser, old.Admin.Reveal())
		mustRefuse(t, stranger, "NOAUTH", "GET", "kept")

		apply(t, e, alice)
		if node(t, e).Secrets["alice"].Equal(old.Secrets["alice"]) {
			t.Error("the new start has the old secret")
		}
		if got := must(t, login(t, node(t, e), "alice"), "GET", "kept").Text; got != "yes" {
			t.Errorf("the data is %q", got)
		}
	})
}

// kill ends the process of an engine as a crash does.
func kill(t *testing.T, e *engine.Engine) {
	t.Helper()
	info, err := e.Info(background(t), "server")
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(info["process_id"], &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestDataIsFoundAgain(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		dir := t.TempDir()
		h := newHouse(t, engine.Options{})
		for round := range 3 {
			e := h.start(kind, dir)
			apply(t, e, engine.User{Name: "alice", Rules: []string{"~*", "+@all"}, Enabled: true})
			if got := must(t, login(t, node(t, e), "alice"), "INCR", "n").Int; got != int64(round+1) {
				t.Errorf("in round %d the counter is %d", round, got)
			}
			if err := h.Stop(background(t), "orders-001"); err != nil {
				t.Fatal(err)
			}
			h.await(engine.Stopped)
			if _, err := e.Node(""); !errors.Is(err, engine.ErrDown) {
				t.Errorf("a stopped engine has a node: %v", err)
			}
		}
		spec := engine.Spec{Name: "orders-001", Kind: kind, Dir: dir}
		for range 2 { // the second finds nothing
			if err := h.Delete(background(t), spec); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the directory is still there: %v", err)
		}
		if err := h.Delete(background(t), engine.Spec{Name: "orders-001", Dir: t.TempDir()}); err == nil {
			t.Error("a directory that is no engine's was deleted")
		}
	})
}

func TestOneSupervisorPerDirectory(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		dir := t.TempDir()
		first, second := newHouse(t, engine.Options{}), newHouse(t, engine.Options{})
		e := first.start(kind, dir)
		_, err := second.Start(background(t), engine.Spec{Name: "other-001", Kind: kind, Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "another Gatehouse is using") {
			t.Errorf("a second supervisor: %v", err)
		}
		if err := second.Delete(background(t), engine.Spec{Name: "other-001", Dir: dir}); err == nil {
			t.Error("a second supervisor deleted the data")
		}
		if _, err := first.Start(background(t), engine.Spec{Name: "orders-001", Kind: kind, Dir: dir}); err == nil {
			t.Error("the same engine was started twice")
		}
		if _, err := e.Info(background(t), "server"); err != nil {
			t.Errorf("the first engine was disturbed: %v", err)
		}
	})
}

func TestOrphanIsStoppedAndItsDataFound(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		dir := t.TempDir()
		secret, address, died := diedWithoutStopping(t, kind, dir)
		orphan, err := admin.Dial(background(t), "unix", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = orphan.Close() }()
		must(t, orphan, "AUTH", "alice", secret)
		must(t, orphan, "SET", "kept", "yes")
		if !died() {
			t.Fatal("the supervisor lives")
		}
		must(t, orphan, "PING") // the engine outlived its supervisor

		h := newHouse(t, engine.Options{})
		e := h.start(kind, dir)
		if _, err := orphan.Do(background(t), "PING"); err == nil {
			t.Error("the orphan still answers")
		}
		mustRefuse(t, dial(t, node(t, e)), "WRONGPASS", "AUTH", "alice", secret)
		apply(t, e, engine.User{Name: "alice", Rules: []string{"~*", "+@all"}, Enabled: true})
		if got := must(t, login(t, node(t, e), "alice"), "GET", "kept").Text; got != "yes" {
			t.Errorf("the orphan's data is %q", got)
		}
	})
}

// diedWithoutStopping runs a supervisor in a process of its own; the function
// that it returns kills that process alone.
func diedWithoutStopping(t *testing.T, kind identity.Engine, dir string) (secret, address string, die func() bool) {
	t.Helper()
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperEnv+"="+string(kind)+" "+dir)
	output, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	die = func() bool {
		once.Do(func() {
			_ = helper.Process.Kill()
			_ = helper.Wait()
		})
		return helper.ProcessState != nil
	}
	t.Cleanup(func() { die() })
	if _, err := fmt.Fscanln(output, &secret, &address); err != nil || secret == "failed:" {
		rest, _ := io.ReadAll(output)
		t.Fatalf("the other supervisor: %v %s", err, rest)
	}
	return secret, address, die
}

// TestOrphanThatHangsIsKilled stops the orphan's process, so that it does not
// even notice that it shall end.
func TestOrphanThatHangsIsKilled(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		dir := t.TempDir()
		_, _, die := diedWithoutStopping(t, kind, dir)
		die()
		text, err := os.ReadFile(filepath.Join(dir, "engine.json"))
		if err != nil {
			t.Fatal(err)
		}
		var left struct{ PID int }
		if err := json.Unmarshal(text, &left); err != nil || left.PID == 0 {
			t.Fatalf("%s: %v", text, err)
		}
		if err := syscall.Kill(left.PID, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		e := newHouse(t, engine.Impatient(engine.Options{})).start(kind, dir)
		if info, err := e.Info(background(t), "server"); err != nil || info["process_id"] == fmt.Sprint(left.PID) {
			t.Errorf("the engine is still %v (%v)", info, err)
		}
	})
}

func TestLongPathsGetAShortSocket(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		runtime, err := os.MkdirTemp("", "gh")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(runtime) }()
		dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 20), "node with a space")
		h := newHouse(t, engine.Options{Runtime: runtime})
		e := h.start(kind, dir)
		n := node(t, e)
		if len(n.Address) > 103 || !strings.HasPrefix(n.Address, runtime) {
			t.Errorf("the socket is at %s", n.Address)
		}
		apply(t, e, engine.User{Name: "alice", Rules: []string{"+@all"}, Enabled: true})
		must(t, login(t, node(t, e), "alice"), "PING")
		if err := h.Stop(background(t), "orders-001"); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(runtime); err != nil || len(left) != 0 {
			t.Errorf("after the stop there is %v (%v)", left, err)
		}
	})
}

func TestWhatCannotBeStarted(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		spec    engine.Spec
		program string
		want    string
	}{
		{"missing program", engine.Spec{Name: "a-001", Kind: identity.Redis, Dir: dir}, "no-such-server", "make setup"},
		{"unknown engine", engine.Spec{Name: "a-001", Kind: "memcached", Dir: dir}, "", "no engine"},
		{"name", engine.Spec{Name: "a b", Kind: identity.Valkey, Dir: dir}, "", "other characters"},
		{"relative directory", engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: "here"}, "", "absolute"},
		{"file instead of a directory", engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: plain}, "", "directory"},
		{"setting", engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: dir, Settings: map[string]string{"port": "6379"}}, "", "may not be set"},
		{"two lines in a setting", engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: dir, Settings: map[string]string{"maxmemory": "1\nport 1"}}, "", "not allowed"},
		{"quote in a setting", engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: dir, Settings: map[string]string{"maxmemory": `1" x`}}, "", "not allowed"},
		{"value that the engine refuses", engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: dir, Settings: map[string]string{"maxmemory-policy": "guess"}}, "", "argument"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, engine.Options{Programs: map[identity.Engine]string{test.spec.Kind: test.program}})
			_, err := h.Start(background(t), test.spec)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want something about %q", err, test.want)
			}
			if test.program != "" && !errors.Is(err, engine.ErrNotInstalled) {
				t.Errorf("%v is not ErrNotInstalled", err)
			}
			if h.Engine(test.spec.Name) != nil {
				t.Error("an engine is left")
			}
		})
	}
}

func TestInstalled(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	h := newHouse(t, engine.Options{Programs: map[identity.Engine]string{identity.Redis: "no-such-server"}})
	if err := h.Installed(identity.Valkey); err != nil {
		t.Error(err)
	}
	if err := h.Installed(identity.Redis); !errors.Is(err, engine.ErrNotInstalled) {
		t.Errorf("a missing program: %v", err)
	}
}

// TestOthersDirectoriesAreRefused: whoever owns the directory of an engine, or
// of the short paths, could put a socket of his own there.
func TestOthersDirectoriesAreRefused(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	long := filepath.Join(t.TempDir(), strings.Repeat("long/", 20))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	theirs := t.TempDir()
	tests := []struct{ name, dir, runtime string }{
		{"link instead of the directory", link, ""},
		{"link instead of the runtime directory", long, link},
		{"somebody's directory", theirs, ""},
		{"somebody's runtime directory", long, theirs},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.dir == theirs || test.runtime == theirs {
				if err := os.Chown(theirs, 12345, 12345); err != nil {
					t.Skipf("only root can make a directory somebody's: %v", err)
				}
			}
			h := newHouse(t, engine.Options{Runtime: test.runtime})
			_, err := h.Start(background(t), engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: test.dir})
			if err == nil || !strings.Contains(err.Error(), "is not a directory of the user") {
				t.Errorf("got %v", err)
			}
		})
	}
	// A refused start leaves the directory free.
	newHouse(t, engine.Options{}).start(identity.Valkey, long)
}

func TestSettingsAreInForce(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Options{})
		e, err := h.Start(background(t), engine.Spec{Name: "a-001", Kind: kind, Dir: t.TempDir(), Settings: map[string]string{"maxmemory-policy": "allkeys-lru", "notify-keyspace-events": ""}})
		if err != nil {
			t.Fatal(err)
		}
		if got := must(t, login(t, node(t, e), directory.AdminUser), "CONFIG", "GET", "maxmemory-policy").Texts()[1]; got != "allkeys-lru" {
			t.Errorf("maxmemory-policy is %s", got)
		}
	})
}

func TestStopAllDuringAStart(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	h := newHouse(t, engine.Options{})
	started := make(chan error)
	go func() {
		_, err := h.Start(context.Background(), engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: t.TempDir()})
		started <- err
	}()
	h.StopAll(background(t))
	err := <-started // too late, in time to be cancelled, or finished and then stopped
	if h.Engine("a-001") != nil {
		t.Errorf("an engine runs on after StopAll (%v)", err)
	}
	if _, err := h.Start(background(t), engine.Spec{Name: "b-001", Kind: identity.Valkey, Dir: t.TempDir()}); err == nil {
		t.Error("after StopAll an engine was started")
	}
}

func TestStopEndsByForce(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Options{})
		e := h.start(kind, t.TempDir())
		apply(t, e, engine.User{Name: "alice", Rules: []string{"~*", "+@all"}, Enabled: true})
		administrator := login(t, node(t, e), directory.AdminUser)
		must(t, administrator, "CONFIG", "SET", "busy-reply-threshold", "1")
		conn := login(t, node(t, e), "alice")
		gone := make(chan error)
		go func() {
			_, err := conn.Do(background(t), "EVAL", "while true do end", "0")
			gone <- err
		}()
		var err error
		for !admin.IsReply(err, "BUSY") { // until the script runs, which never ends
			_, err = administrator.Do(background(t), "PING")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		if err := h.Stop(ctx, "orders-001"); err != nil {
			t.Fatal(err)
		}
		if err := <-gone; err == nil {
			t.Error("the endless script ended well")
		}
	})
}

func TestCrashDuringRewriteOfTheAOF(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Options{})
		e := h.start(kind, t.TempDir())
		administrator := login(t, node(t, e), directory.AdminUser)
		for i := range 100 {
			must(t, administrator, "SET", fmt.Sprint("key", i), "v")
		}
		must(t, administrator, "CONFIG", "SET", "rdb-key-save-delay", "1000000") // a second for each key
		must(t, administrator, "BGREWRITEAOF")
		for { // until the child works
			info, err := e.Info(background(t), "persistence")
			if err != nil {
				t.Fatal(err)
			}
			if info["aof_rewrite_in_progress"] == "1" {
				break
			}
		}
		began := time.Now()
		kill(t, e)
		h.await(engine.Crashed)
		h.await(engine.Started)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the engine was back after %s: it waited for the old one's child", took)
		}
		if got := must(t, login(t, node(t, e), directory.AdminUser), "DBSIZE").Int; got != 100 {
			t.Errorf("%d keys are left of 100", got)
		}
	})
}

func TestSilentEngineIsReportedAndNotKilled(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		h := newHouse(t, engine.Impatient(engine.Options{}))
		e := h.start(kind, t.TempDir())
		before := node(t, e).Start
		must(t, login(t, node(t, e), directory.AdminUser), "CLIENT", "PAUSE", "700", "ALL")
		if event := h.await(engine.Unresponsive); event.Start != before {
			t.Errorf("the event is %+v", event)
		}
		h.await(engine.Responsive)
		if after := node(t, e).Start; after != before {
			t.Error("the engine was started anew")
		}
	})
}

// TestOnlyTheEngineItselfIsEvicted leaves a state file that names a process
// which is not the engine: this one.
func TestOnlyTheEngineItselfIsEvicted(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "engine.json"), fmt.Appendf(nil, `{"pid":%d,"born":"another time"}`, os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.Create(filepath.Join(dir, "engine.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	h := newHouse(t, engine.Options{})
	if _, err := h.Start(ctx, engine.Spec{Name: "a-001", Kind: identity.Valkey, Dir: dir}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_ = held.Close()
	h.start(identity.Valkey, dir) // the file of a process that is gone is no obstacle
}

func TestAdministratorConnectsAgain(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		e := newHouse(t, engine.Options{}).start(kind, t.TempDir())
		alice := engine.User{Name: "alice", Rules: rules(t, kind, "on ~* +@all"), Enabled: true}
		for range 3 {
			apply(t, e, alice)
			conn := login(t, node(t, e), "alice")
			if killed := must(t, conn, "CLIENT", "KILL", "USER", directory.AdminUser).Int; killed == 0 {
				t.Error("no connection of the administrator was there")
			}
		}
		apply(t, e, alice)
	})
}

func TestShortPathIsMadeAnew(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	runtime, err := os.MkdirTemp("", "gh")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(runtime) }()
	h := newHouse(t, engine.Impatient(engine.Options{Runtime: runtime}))
	e := h.start(identity.Valkey, filepath.Join(t.TempDir(), strings.Repeat("long/", 20)))
	if err := os.RemoveAll(runtime); err != nil {
		t.Fatal(err)
	}
	n, ctx := node(t, e), background(t)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for _, err := os.Stat(n.Address); err != nil; _, err = os.Stat(n.Address) {
		select {
		case <-ctx.Done():
			t.Fatalf("the path did not come back: %v", err)
		case <-ticker.C:
		}
	}
	mustRefuse(t, dial(t, n), "NOAUTH", "PING")
	if err := h.Stop(background(t), "orders-001"); err != nil {
		t.Fatal(err)
	}
}

func TestEngineThatCannotComeBack(t *testing.T) {
	each(t, func(t *testing.T, kind identity.Engine) {
		dir := t.TempDir()
		h := newHouse(t, engine.Options{})
		e := h.start(kind, dir)
		if err := os.WriteFile(filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest"), []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
		kill(t, e)
		h.await(engine.Crashed)
		for range 2 { // it goes on trying
			if crash := h.await(engine.Crashed); !strings.Contains(crash.Err.Error(), "manifest") {
				t.Errorf("the cause is %v", crash.Err)
			}
		}
		if err := e.Apply(background(t), nil); !errors.Is(err, engine.ErrDown) {
			t.Errorf("Apply: %v", err)
		}
		if err := h.Stop(background(t), "orders-001"); err != nil {
			t.Fatal(err)
		}
		h.await(engine.Stopped)
	})
}

func TestLogIsBounded(t *testing.T) {
	enginetest.Program(t, identity.Valkey)
	dir := t.TempDir()
	path := filepath.Join(dir, "engine.log")
	if err := os.WriteFile(path, make([]byte, 1<<20-100), 0o600); err != nil {
		t.Fatal(err)
	}
	newHouse(t, engine.Options{}).start(identity.Valkey, dir)
	now, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.Stat(path + ".1")
	if err != nil || old.Size() > 1<<20 || now.Size() > 1<<20 {
		t.Errorf("the log has %d bytes, the older one %v (%v)", now.Size(), old, err)
	}
}
