package endtoend

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// terraform is a working directory with the stack.
type terraform struct {
	s   *server
	dir string
	env []string
}

func newTerraform(t *testing.T, s *server) *terraform {
	t.Helper()
	id, secret := s.root()
	tf := &terraform{s: s, dir: t.TempDir(), env: append(os.Environ(),
		"AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_REGION="+s.note.Region, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")}
	stack, err := os.ReadFile("testdata/terraform/stack.tf")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tf.dir, "stack.tf"), stack, 0o600); err != nil {
		t.Fatal(err)
	}
	tf.must("init", "-input=false")
	return tf
}

// set makes variables those of the commands from here on.
func (tf *terraform) set(variables ...string) {
	for _, v := range variables {
		tf.env = append(tf.env, "TF_VAR_"+v)
	}
}

func (tf *terraform) run(args ...string) (string, error) {
	tf.s.t.Helper()
	cmd := exec.CommandContext(tf.s.t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (tf *terraform) must(args ...string) {
	tf.s.t.Helper()
	if out, err := tf.run(args...); err != nil {
		tf.s.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// apply brings the stack about and checks that nothing is left to do.
func (tf *terraform) apply() {
	tf.s.t.Helper()
	began := time.Now()
	tf.must("apply", "-auto-approve", "-input=false", "-no-color")
	tf.s.t.Logf("apply took %v", time.Since(began).Round(time.Second))
	out, err := tf.run("plan", "-detailed-exitcode", "-input=false", "-no-color")
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		tf.s.t.Errorf("the plan after apply is not clean (exit %d):\n%s", exit.ExitCode(), out)
	}
}

// TestTerraform brings a whole stack about, rotates and sets its token and
// changes its replicas in place, imports it, and destroys it. Nearly all of its
// minutes are the provider's own pauses of half a minute for each change.
//
// The provider cannot go from a token to a group by itself: it adds the group in
// one call and deletes the token in another, which AWS refuses too
// (hashicorp/terraform-provider-aws#31710).
func TestTerraform(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed")
	}
	if _, err := os.Stat(os.Getenv("TF_CLI_CONFIG_FILE")); err != nil {
		t.Skip("TF_CLI_CONFIG_FILE names no mirror with hashicorp/aws")
	}
	ports := freePorts(t, 14)
	s := serve(t, "--ports", ports)
	_, last, _ := strings.Cut(ports, "-")
	top := must[int](t)(strconv.Atoi(last))
	tf := newTerraform(t, s)
	tf.set(fmt.Sprintf("ports=[%d,%d,%d]", top-2, top-1, top), "token="+firstToken)
	tf.apply()
	g := s.members("token")
	allowed(t, s.redis(g.primary, "", firstToken).Set(t.Context(), "app:1", "kept", 0))
	before := s.members("group")
	allowed(t, s.redis(before.primary, "writer", "password-of-writer-2").Set(t.Context(), "app:1", "x", 0))
	allowed(t, s.redis(before.primary, "reader", "password-of-reader-1").Get(t.Context(), "app:1"))

	tf.set("token="+secondToken, "strategy=ROTATE", "replicas=2", "access=on ~app:* -@all +get +mget")
	tf.apply()
	for _, token := range []string{firstToken, secondToken} {
		allowed(t, s.redis(g.primary, "", token).Get(t.Context(), "app:1"))
	}
	allowed(t, s.redis(before.primary, "reader", "password-of-reader-1").MGet(t.Context(), "app:1"))

	tf.set("strategy=SET", "replicas=1")
	tf.apply()
	refusedWith(t, "WRONGPASS", s.redis(g.primary, "", firstToken).Ping(t.Context()))
	allowed(t, s.redis(g.primary, "", secondToken).Get(t.Context(), "app:1"))

	for address, id := range map[string]string{"aws_elasticache_user.reader": "reader", "aws_elasticache_replication_group.token": "token"} {
		tf.must("state", "rm", address)
		tf.must("import", "-input=false", address, id)
	}
	tf.must("destroy", "-auto-approve", "-input=false")
	for _, id := range []string{"token", "group"} {
		if rg, err := s.describe(id); err == nil {
			t.Errorf("after destroy %s is %s", id, aws.ToString(rg.Status))
		}
	}
}
