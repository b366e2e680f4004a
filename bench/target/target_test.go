package target_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/bench/load"
	"github.com/gatehouse/gatehouse/bench/target"
)

// native starts an engine with TLS, with keys.
func native(t *testing.T, keys int) *target.Target {
	t.Helper()
	for _, name := range []string{"valkey-server", "valkey-benchmark"} {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if _, err := os.Stat("../../.setup/done"); err == nil {
			t.Fatalf("%s is missing although `make setup` was run", name)
		}
		t.Skipf("%s is missing: run `make setup`", name)
	}
	started, err := target.Start(t.Context(), target.Native, target.Options{Dir: t.TempDir(), Connections: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := load.Fill(t.Context(), started.Server, keys); err != nil {
		t.Fatal(err)
	}
	return started
}

func count(t *testing.T, s load.Server) load.Counters {
	t.Helper()
	counted, err := load.Count(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return counted
}

func wantError(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want %q", what, err, text)
	}
}

func TestClaimsAreHeldToTheEngine(t *testing.T) {
	s := native(t, 500).Server
	before := count(t, s)
	run := load.Throughput{Command: "get", Clients: 5, Pipeline: 4, Requests: 1000, Keys: 500}
	if _, err := run.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	after := count(t, s)
	claim := load.Claim{Command: "get", Requests: 1000, Logins: 5, Reads: true}
	if err := claim.Prove(before, after); err != nil {
		t.Errorf("a true claim: %v", err)
	}
	more, other, logins := claim, claim, claim
	more.Requests++
	wantError(t, "one request too many", more.Prove(before, after), "claims 1001 get")
	other.Command = "set"
	wantError(t, "another command", other.Prove(before, after), "served 0")
	logins.Logins = 500
	wantError(t, "too many logins", logins.Prove(before, after), "logins")

	run.Keys = 5000 // nine in ten do not exist
	if _, err := run.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	wantError(t, "keys that do not exist", claim.Prove(after, count(t, s)), "did not exist")
}

func TestClientsThatDidNotLogIn(t *testing.T) {
	s := native(t, 10).Server
	wrong := s
	wrong.Password = "not the password"
	_, err := load.Throughput{Command: "get", Clients: 2, Pipeline: 1, Requests: 10, Keys: 10}.Run(t.Context(), wrong)
	wantError(t, "valkey-benchmark", err, "WRONGPASS")
	_, err = load.Latency{Requests: 10, Keys: 10}.Run(t.Context(), wrong)
	wantError(t, "one client", err, `"-WRON`) // it reads just enough to see that it is refused
	_, err = load.Connect{Connections: 10}.Run(t.Context(), wrong)
	wantError(t, "connections", err, "WRONGPASS")
	_, err = load.OpenIdle(t.Context(), wrong, 10)
	wantError(t, "idle connections", err, "WRONGPASS")
	wantError(t, "the check", load.CheckLogin(t.Context(), wrong), "WRONGPASS")
}

func TestAServerThatServesStrangersIsRefused(t *testing.T) {
	s := native(t, 10).Server
	if err := load.CheckLogin(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := load.Command(t.Context(), s, "ACL", "SETUSER", "default", "on", "nopass", "~*", "+@all"); err != nil {
		t.Fatal(err)
	}
	wantError(t, "a server without a password", load.CheckLogin(t.Context(), s), "NOAUTH was expected")
}

func TestHandshakesAreWhatIsClaimed(t *testing.T) {
	s := native(t, 10).Server
	for _, resumed := range []bool{false, true} {
		result, err := load.Connect{Connections: 40, Resumed: resumed}.Run(t.Context(), s)
		if err != nil || result.Requests != 40 || result.PerSecond <= 0 {
			t.Errorf("resumed %t: %+v, %v", resumed, result, err)
		}
	}
	without := s
	without.TLS = s.TLS.Clone()
	without.TLS.SessionTicketsDisabled = true
	_, err := load.Connect{Connections: 10, Resumed: true}.Run(t.Context(), without)
	wantError(t, "no tickets", err, "resumed: false")
}

func TestLatencyOfOneClient(t *testing.T) {
	s := native(t, 100).Server
	before := count(t, s)
	result, err := load.Latency{Requests: 500, Keys: 100}.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := (load.Claim{Command: "get", Requests: 500, Logins: 1, Reads: true}).Prove(before, count(t, s)); err != nil {
		t.Error(err)
	}
	if result.Mean <= 0 || result.P99 < result.Mean/2 || result.PerSecond > 1/result.Mean.Seconds() {
		t.Errorf("the result is %+v", result)
	}
	_, err = load.Latency{Requests: 500, Keys: 100_000}.Run(t.Context(), s)
	wantError(t, "keys that do not exist", err, `"$-1`)
}

func TestAProgramThatIsMissing(t *testing.T) {
	_, err := target.Start(t.Context(), target.Gatehouse, target.Options{Dir: t.TempDir(), Program: "./no-such-program"})
	wantError(t, "a missing program", err, "not installed")
}
