package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// operator runs a command with the environment that `gatehouse env` prints.
func (s *server) operator(t *testing.T, wantCode int, args ...string) string {
	t.Helper()
	id, secret := s.root()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_REGION="+s.note.Region, "GATEHOUSE_CA="+s.note.CA, "GATEHOUSE_SECRET_AUTH_TOKEN="+tokenA)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		t.Fatalf("gatehouse %s: exit code %d (%v), want %d\n%s", strings.Join(args, " "), code, err, wantCode, out)
	}
	return string(out)
}

func wants(t *testing.T, out, text string) {
	t.Helper()
	if !strings.Contains(out, text) {
		t.Errorf("no %q in:\n%s", text, out)
	}
}

// A cache of Gatehouse's own that answers strangers is found, walked to a
// required token with the gateways' own counts as evidence, and found closed.
func TestAnOpenCacheIsFoundAndClosed(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) {
		in.SnapshotRetentionLimit = aws.Int32(1)
	})
	found := s.operator(t, 1, "audit", "--gatehouse", "--control", "Gatehouse.2", "--output", "json")
	wants(t, found, `"verdict": "FAIL_EFFECTIVE"`)
	wants(t, found, "replicationgroup:orders")

	rg, err := s.describe("orders")
	if err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(t.TempDir(), "plan.yaml")
	wants(t, s.operator(t, 0, "migrate", "plan", aws.ToString(rg.ARN), "--to", "auth", "--gatehouse", "--window", "1s", "--out", plan), "make the token optional")
	wants(t, s.operator(t, 0, "migrate", "apply", plan), "Nothing was changed")
	if rg, err := s.describe("orders"); err != nil || aws.ToBool(rg.AuthTokenEnabled) {
		t.Fatalf("a dry run changed the cache: %+v, %v", rg, err)
	}
	wants(t, s.operator(t, 0, "migrate", "apply", plan, "--execute"), "DUAL")
	straggler := s.redis(address, "", "")
	allowed(t, straggler.Ping(t.Context()))
	wants(t, s.operator(t, 0, "migrate", "apply", plan, "--execute", "--confirm", "move-clients=all moved"), "DRAINING")
	if rg, err := s.describe("orders"); err != nil || aws.ToBool(rg.AuthTokenEnabled) != true {
		t.Fatalf("%+v, %v", rg, err)
	}
	allowed(t, straggler.Ping(t.Context())) // a path that is in use is not closed

	if err := straggler.Close(); err != nil {
		t.Fatal(err)
	}
	s.await("the window to pass without a stranger", func() error {
		out := s.operator(t, 0, "migrate", "apply", plan, "--execute")
		if !strings.Contains(out, "VERIFIED") {
			return errNotYet(out)
		}
		return nil
	})
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(t.Context()))
	s.accepts(address, tokenA)
	wants(t, s.operator(t, 0, "audit", "--gatehouse", "--control", "Gatehouse.2"), "PASS")
}

type errNotYet string

func (e errNotYet) Error() string { return string(e) }
