package iamtoken

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/policy"
)

func grantOf(t testing.TB, statements string) *Grant {
	t.Helper()
	doc, err := policy.Parse(policy.Identity, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	return &Grant{
		Principal: policy.Principal{
			Type: policy.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/alice", ID: "AIDA", Name: "alice",
			Tags: map[string]string{"team": "red"},
		},
		Policies: policy.Policies{Identity: []policy.Named{{Name: "connect", Document: doc}}},
	}
}

func connection() *Connection {
	return &Connection{
		Cache:  Target{"arn:aws:elasticache:us-east-1:111122223333:replicationgroup:orders", map[string]string{"team": "red"}},
		User:   Target{"arn:aws:elasticache:us-east-1:111122223333:user:app", map[string]string{"stage": "prod"}},
		Region: "us-east-1", Source: netip.MustParseAddr("::ffff:10.1.2.3"), At: noon,
	}
}

func TestMayConnect(t *testing.T) {
	const allow = `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"*"`
	tests := []struct{ name, statements, denied string }{
		{"everything", allow + `}`, ""},
		{"both named", `{"Effect":"Allow","Action":"elasticache:Connect","Resource":["arn:aws:elasticache:*:*:replicationgroup:orders","arn:aws:elasticache:*:*:user:app"]}`, ""},
		{"only the cache", `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"arn:aws:elasticache:*:*:replicationgroup:orders"}`, "user:app denied: no identity-based policy allows it"},
		{"only the user", `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"arn:aws:elasticache:*:*:user:*"}`, "replicationgroup:orders denied: no identity-based policy allows it"},
		{"another cache", `{"Effect":"Allow","Action":"elasticache:Connect","Resource":["arn:aws:elasticache:*:*:serverlesscache:orders","arn:aws:elasticache:*:*:user:*"]}`, "replicationgroup:orders denied"},
		{"another action", `{"Effect":"Allow","Action":"elasticache:Describe*","Resource":"*"}`, "denied: no identity-based policy"},
		{"denied for the user", allow + `},{"Sid":"NotApp","Effect":"Deny","Action":"elasticache:Connect","Resource":"arn:aws:elasticache:*:*:user:app"}`, `user:app denied by Statement[1] (Sid NotApp) of identity-based policy "connect"`},
		{"from the right address", allow + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, ""},
		{"from a wrong address", allow + `,"Condition":{"IpAddress":{"aws:SourceIp":"192.168.0.0/16"}}}`, "denied"},
		{"at the right time", allow + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"2026-11-21T12:00:01Z"}}}`, ""},
		{"too late", allow + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"2026-11-21T12:00:00Z"}}}`, "denied"},
		{"over TLS", allow + `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, ""},
		{"by the principal's tag", allow + `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}`, ""},
		{"the cache's tag is not the user's", allow + `,"Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}`, "user:app denied"},
		{"the user's tag is not the cache's", allow + `,"Condition":{"StringEquals":{"aws:ResourceTag/stage":"prod"}}}`, "replicationgroup:orders denied"},
		{"tags where they exist", allow + `,"Condition":{"StringEqualsIfExists":{"aws:ResourceTag/team":"red","aws:ResourceTag/stage":"prod"}}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			decision, reason := grantOf(t, test.statements).MayConnect(connection())
			if decision.Allowed != (test.denied == "") || !strings.Contains(reason, test.denied) {
				t.Errorf("%v, %q, want %q", decision.Allowed, reason, test.denied)
			}
		})
	}
}

func BenchmarkMayConnect(b *testing.B) {
	g := grantOf(b, `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`)
	c := connection()
	b.ReportAllocs()
	for b.Loop() {
		if d, _ := g.MayConnect(c); !d.Allowed {
			b.Fatal("denied")
		}
	}
}
