package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Terraform creates identities, finds nothing to change afterwards, and takes
// all of it away again. It needs the AWS provider, which `terraform init` finds
// in a mirror that TF_CLI_CONFIG_FILE names; without one the test is skipped.
func TestIdentitiesByTerraform(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed")
	}
	if _, err := os.Stat(os.Getenv("TF_CLI_CONFIG_FILE")); err != nil {
		t.Skip("TF_CLI_CONFIG_FILE names no mirror with hashicorp/aws")
	}
	s := serve(t)
	dir := t.TempDir()
	configuration, err := os.ReadFile("testdata/terraform/identities.tf")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), configuration, 0o600); err != nil {
		t.Fatal(err)
	}
	root := s.rootKeys()
	terraform := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "terraform", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+root.id,
			"AWS_SECRET_ACCESS_KEY="+root.secret, "AWS_REGION="+s.note.Region, "CHECKPOINT_DISABLE=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	terraform("init", "-no-color")
	terraform("apply", "-auto-approve", "-no-color")
	if role := strings.TrimSpace(terraform("output", "-raw", "role")); role != "arn:aws:iam::000000000000:role/app" {
		t.Errorf("the role is %q", role)
	}
	terraform("plan", "-detailed-exitcode", "-no-color") // exits 2 when something differs
	terraform("destroy", "-auto-approve", "-no-color")
	if users, err := s.iamAPI(root).ListUsers(t.Context(), nil); err != nil || len(users.Users) != 0 {
		t.Errorf("left behind: %+v, %v", users, err)
	}
}
