package endtoend

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// examined is what the doctor says of a login of these credentials to orders as app.
func (s *server) examined(k keys, args ...string) (string, error) {
	s.t.Helper()
	return s.gatehouseAs(k, append([]string{"doctor", "--cache", "orders", "--user", "app"}, args...)...)
}

func TestDoctorEvaluatesThePoliciesOfTheCaller(t *testing.T) {
	s := serve(t)
	address := s.iamCache()
	const itself = `{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"*"}`
	says := func(k keys, healthy bool, words ...string) {
		t.Helper()
		out, err := s.examined(k)
		if (err == nil) != healthy {
			t.Errorf("exit: %v", err)
		}
		for _, word := range words {
			if !strings.Contains(out, word) {
				t.Errorf("the doctor does not say %q:\n%s", word, out)
			}
		}
	}
	alice := s.iamUser("alice", allowConnect, itself)
	says(alice, true, "the policies of arn:aws:iam::000000000000:user/alice allow elasticache:Connect on arn:aws:elasticache:us-east-1:000000000000:replicationgroup:orders",
		"allow elasticache:Connect on arn:aws:elasticache:us-east-1:000000000000:user:app", "clock and the AWS endpoint's agree", "Nothing was found")
	s.logsIn(address, s.token(alice))

	half := s.iamUser("half", `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"arn:aws:elasticache:*:*:replicationgroup:orders"}`, itself)
	says(half, false, "elasticache:Connect on arn:aws:elasticache:us-east-1:000000000000:user:app is not allowed by the policies of", "next: Allow elasticache:Connect", "1 fault")
	s.isRefused(address, s.token(half), "elasticache:Connect on arn:aws:elasticache:us-east-1:000000000000:user:app denied")

	denied := s.iamUser("denied", allowConnect, itself, `{"Effect":"Deny","Action":"elasticache:*","Resource":"arn:aws:elasticache:*:*:user:app"}`)
	says(denied, false, "user:app is denied explicitly by a statement of")

	mute := s.iamUser("mute", allowConnect)
	says(mute, true, "the policies of arn:aws:iam::000000000000:user/mute cannot be evaluated here")
	says(s.rootKeys(), false, "root, which does not log in to caches")
	says(keys{id: "AKIAUNKNOWNUNKNOWN00", secret: "x"}, true, "the AWS endpoint does not say who the signer is")

	role := s.role("reader", allowConnect, itself)
	assumer := s.iamUser("assumer", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`)
	session, err := s.assume(assumer, &sts.AssumeRoleInput{RoleArn: &role})
	if err != nil {
		t.Fatal(err)
	}
	says(session, true, "assumed-role/reader/", "allow elasticache:Connect")
}

func TestConnectWithIAM(t *testing.T) {
	s := serve(t)
	s.iamCache()
	alice := s.iamUser("alice", allowConnect, `{"Effect":"Allow","Action":"gatehouse:GetCache","Resource":"*"}`)
	connect := func(k keys) string {
		t.Helper()
		out, err := s.gatehouseAs(k, "connect", "orders", "--user", "app", "--iam", "--", "ACL", "WHOAMI")
		if err != nil {
			t.Logf("connect: %v", err)
		}
		return strings.TrimSpace(out)
	}
	t.Setenv("GATEHOUSE_CA", s.note.CA)
	if out := connect(alice); out != "app" {
		t.Errorf("alice is %q", out)
	}
	if out := connect(s.rootKeys()); !strings.Contains(out, "NOAUTH") {
		t.Errorf("root: %q", out)
	}
	out, err := s.gatehouse("", "explain", "--user", "app", "--cache", "orders")
	if err != nil || !strings.Contains(out, "root, which does not log in to caches") || !strings.Contains(out, "next:  Sign as an IAM user or a role") {
		t.Errorf("explain: %v\n%s", err, out)
	}
}
