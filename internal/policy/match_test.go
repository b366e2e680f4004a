package policy

import (
	"fmt"
	"testing"
)

// TestActionsAndResources follows the reference pages of the Action, NotAction,
// Resource and NotResource elements.
func TestActionsAndResources(t *testing.T) {
	const (
		cache = "arn:aws:elasticache:us-east-1:111122223333:replicationgroup:orders"
		user  = "arn:aws:elasticache:us-east-1:111122223333:user:app-1"
	)
	tests := []struct {
		action, resource string // the elements, as JSON
		asked, on        string
		want             bool
	}{
		{`"Action":"elasticache:Connect"`, `"Resource":"*"`, "elasticache:Connect", cache, true},
		{`"Action":"elasticache:Connect"`, `"Resource":"*"`, "elasticache:CONNECT", cache, true},
		{`"Action":"ELASTICACHE:connect"`, `"Resource":"*"`, "elasticache:Connect", cache, true},
		{`"Action":"elasticache:Connect"`, `"Resource":"*"`, "elasticache:Connects", cache, false},
		{`"Action":"elasticache:Connect"`, `"Resource":"*"`, "elasticache:Connec", cache, false},
		{`"Action":"elasticache:Connect"`, `"Resource":"*"`, "iam:Connect", cache, false},
		{`"Action":"elasticache:*"`, `"Resource":"*"`, "elasticache:Connect", cache, true},
		{`"Action":"elasticache:*"`, `"Resource":"*"`, "elasticachex:Connect", cache, false},
		{`"Action":"*"`, `"Resource":"*"`, "anything:AtAll", cache, true},
		{`"Action":"*:*"`, `"Resource":"*"`, "anything:AtAll", cache, true},
		{`"Action":"iam:*AccessKey*"`, `"Resource":"*"`, "iam:CreateAccessKey", "*", true},
		{`"Action":"iam:*AccessKey*"`, `"Resource":"*"`, "iam:GetAccessKeyLastUsed", "*", true},
		{`"Action":"iam:*AccessKey*"`, `"Resource":"*"`, "iam:CreateUser", "*", false},
		{`"Action":"iam:?etUser"`, `"Resource":"*"`, "iam:GetUser", "*", true},
		{`"Action":"iam:?etUser"`, `"Resource":"*"`, "iam:etUser", "*", false},
		{`"Action":["iam:GetUser","iam:GetRole"]`, `"Resource":"*"`, "iam:GetRole", "*", true},
		{`"Action":["iam:GetUser","iam:GetRole"]`, `"Resource":"*"`, "iam:GetGroup", "*", false},
		{`"NotAction":"iam:*"`, `"Resource":"*"`, "elasticache:Connect", cache, true},
		{`"NotAction":"iam:*"`, `"Resource":"*"`, "IAM:getuser", "*", false},
		{`"NotAction":["iam:*","sts:*"]`, `"Resource":"*"`, "sts:AssumeRole", "*", false},
		{`"NotAction":["iam:*","sts:*"]`, `"Resource":"*"`, "kms:Encrypt", "*", true},
		{`"NotAction":"*"`, `"Resource":"*"`, "kms:Encrypt", "*", false},

		{`"Action":"*"`, `"Resource":"` + cache + `"`, "a:B", cache, true},
		{`"Action":"*"`, `"Resource":"` + cache + `"`, "a:B", user, false},
		{`"Action":"*"`, `"Resource":"` + cache + `"`, "a:B", cache + "2", false},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-east-1:111122223333:replicationgroup:Orders"`, "a:B", cache, false},
		{`"Action":"*"`, `"Resource":["` + cache + `","` + user + `"]`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-east-1:111122223333:user:*"`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-east-1:111122223333:user:*"`, "a:B", cache, false},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-east-1:111122223333:user:app-?"`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-east-1:111122223333:user:app-??"`, "a:B", user, false},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:*:111122223333:user:*"`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-*:*:*:app*"`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:*"`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:us-east-1:*"`, "a:B", user, true},
		{`"Action":"*"`, `"Resource":"arn:aws:elasticache:eu-*"`, "a:B", user, false},
		// a * that ends a segment may run over the colons
		{`"Action":"*"`, `"Resource":"arn:aws:dynamodb:*:table/prod-*"`, "a:B", "arn:aws:dynamodb:us-east-1:111122223333:table/prod-x", true},
		{`"Action":"*"`, `"Resource":"arn:aws:dynamodb:*:table/prod-*"`, "a:B", "arn:aws:dynamodb:us-east-1:111122223333:table/dev-x", false},
		{`"Action":"*"`, `"Resource":"arn:aws:s3:::bucket/*/test/*"`, "a:B", "arn:aws:s3:::bucket/1/2/test/object.jpg", true},
		{`"Action":"*"`, `"Resource":"arn:aws:s3:::bucket/*/test/*"`, "a:B", "arn:aws:s3:::bucket/test/object.jpg", false},
		{`"Action":"*"`, `"Resource":"arn:aws:s3:::bucket/*"`, "a:B", "arn:aws:s3:::bucket", false},
		{`"Action":"*"`, `"Resource":"arn:aws:iam::111122223333:user/accounting/*"`, "a:B", "arn:aws:iam::111122223333:user/accounting/x", true},
		{`"Action":"*"`, `"Resource":"*"`, "a:B", "*", true},
		{`"Action":"*"`, `"Resource":"` + cache + `"`, "a:B", "*", false},
		{`"Action":"*"`, `"NotResource":"` + cache + `"`, "a:B", cache, false},
		{`"Action":"*"`, `"NotResource":"` + cache + `"`, "a:B", user, true},
		{`"Action":"*"`, `"NotResource":["` + cache + `","` + user + `"]`, "a:B", user, false},
		{`"Action":"*"`, `"NotResource":"arn:aws:elasticache:*"`, "a:B", "arn:aws:iam::111122223333:user/x", true},
		{`"Action":"*"`, `"NotResource":"*"`, "a:B", cache, false},
	}
	for _, test := range tests {
		doc := parse(t, Identity, statement(fmt.Sprintf(`"Effect":"Allow",%s,%s`, test.action, test.resource)))
		if got := allowed(doc, test.asked, test.on, nil); got != test.want {
			t.Errorf("%s, %s: %s on %s: %v, want %v", test.action, test.resource, test.asked, test.on, got, test.want)
		}
	}
}

// TestPrincipals follows the reference pages of Principal and NotPrincipal. The
// resource's policy must allow here, so that it alone decides.
func TestPrincipals(t *testing.T) {
	all := map[string]*Principal{"root": root, "alice": alice, "bob": bob, "app": app, "eve": eve, "ci": ci, "sns": sns, "guest": guest}
	tests := []struct {
		name, element string
		deny          bool // the element stands in a Deny beside an Allow for "*"
		want          []string
	}{
		{"everyone", `"Principal":"*"`, false, []string{"root", "alice", "bob", "app", "eve", "ci", "sns", "guest"}},
		{"every AWS principal", `"Principal":{"AWS":"*"}`, false, []string{"root", "alice", "bob", "app", "eve", "guest"}},
		{"account", `"Principal":{"AWS":"111122223333"}`, false, []string{"root", "alice", "bob", "app"}},
		{"account by ARN", `"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`, false, []string{"root", "alice", "bob", "app"}},
		{"user", `"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}`, false, []string{"alice"}},
		{"two users", `"Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::999988887777:user/eve"]}`, false, []string{"alice", "eve"}},
		{"role", `"Principal":{"AWS":"arn:aws:iam::111122223333:role/app"}`, false, []string{"app"}},
		{"session", `"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/app/one"}`, false, []string{"app"}},
		{"other session", `"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/app/two"}`, false, nil},
		{"case counts", `"Principal":{"AWS":"arn:aws:iam::111122223333:user/Alice"}`, false, nil},
		{"service", `"Principal":{"Service":"sns.amazonaws.com"}`, false, []string{"sns"}},
		{"other service", `"Principal":{"Service":"sqs.amazonaws.com"}`, false, nil},
		{"web identity", `"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`, false, []string{"ci"}},
		{"mixed", `"Principal":{"AWS":"arn:aws:iam::111122223333:user/bob","Service":"sns.amazonaws.com"}`, false, []string{"bob", "sns"}},
		{"deny everyone", `"Principal":"*"`, true, nil},
		{"deny every AWS principal", `"Principal":{"AWS":"*"}`, true, nil},
		{"deny the account", `"Principal":{"AWS":"111122223333"}`, true, []string{"eve", "ci", "sns", "guest"}},
		{"deny a user", `"Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}`, true, []string{"root", "bob", "app", "eve", "ci", "sns", "guest"}},
		{"deny a role", `"Principal":{"AWS":"arn:aws:iam::111122223333:role/app"}`, true, []string{"root", "alice", "bob", "eve", "ci", "sns", "guest"}},
		{"deny all but a user, without the account", `"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"}`, true, nil},
		{"deny all but a user", `"NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:root"]}`, true, []string{"root", "alice"}},
		{"deny all but a role, without the session", `"NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/app","111122223333"]}`, true, []string{"root"}},
		{"deny all but a session, without the role", `"NotPrincipal":{"AWS":["arn:aws:sts::111122223333:assumed-role/app/one","111122223333"]}`, true, []string{"root"}},
		{"deny all but a session", `"NotPrincipal":{"AWS":["arn:aws:sts::111122223333:assumed-role/app/one","arn:aws:iam::111122223333:role/app","111122223333"]}`, true, []string{"root", "app"}},
		{"deny all but a service", `"NotPrincipal":{"Service":"sns.amazonaws.com"}`, true, []string{"sns"}},
		{"deny nobody", `"NotPrincipal":"*"`, true, []string{"root", "alice", "bob", "app", "eve", "ci", "sns", "guest"}},
	}
	full := Named{"all", parse(t, Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*"`))}
	for _, test := range tests {
		document := statement(`"Effect":"Allow","Action":"*","Resource":"*",` + test.element)
		if test.deny {
			document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"},
				{"Effect":"Deny","Action":"*","Resource":"*",` + test.element + `}]}`
		}
		policies := &Policies{Identity: []Named{full}, Resource: &Named{"r", parse(t, Resource, document)}, ResourceDecides: true}
		want := map[string]bool{}
		for _, name := range test.want {
			want[name] = true
		}
		for name, who := range all {
			r := Request{Principal: who, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
			if got := Evaluate(&r, policies).Allowed; got != want[name] {
				t.Errorf("%s: %s: %v, want %v", test.name, name, got, want[name])
			}
		}
	}
}
