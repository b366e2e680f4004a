package policy

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// Small policies that the table puts together.
const (
	allowConnect = `"Effect":"Allow","Action":"elasticache:Connect","Resource":"*"`
	allowOther   = `"Effect":"Allow","Action":"elasticache:Describe*","Resource":"*"`
	allowAll     = `"Effect":"Allow","Action":"*","Resource":"*"`
	denyConnect  = `"Sid":"NoConnect","Effect":"Deny","Action":"elasticache:Connect","Resource":"*"`
)

const orders = "arn:aws:elasticache:us-east-1:111122223333:replicationgroup:orders"

// TestKindsCombine follows the IAM User Guide, "Policy evaluation for requests
// within a single account" and "Cross-account policy evaluation logic".
func TestKindsCombine(t *testing.T) {
	principal := func(who, rest string) string { return `"Principal":` + who + `,` + rest }
	aws := func(arn string) string { return `{"AWS":"` + arn + `"}` }
	const none = "because no identity-based policy allows the elasticache:Connect action"
	tests := []struct {
		name                        string
		who                         *Principal
		identity, boundary, session string
		resource                    string
		decides                     bool   // the resource's policy must allow
		owner                       string // of the resource
		want                        string // "" allows; else the end of the sentence
	}{
		{name: "nothing at all", who: alice, want: none},
		{name: "identity", who: alice, identity: allowConnect},
		{name: "identity of another action", who: alice, identity: allowOther, want: none},
		{name: "identity denies", who: alice, identity: denyConnect, want: "with an explicit deny in an identity-based policy"},
		{name: "root needs nothing", who: root},
		{name: "root has no boundary", who: root, boundary: allowOther},
		{name: "root is stopped by the resource's deny", who: root, resource: principal(`"*"`, denyConnect), want: "with an explicit deny in a resource-based policy"},

		{name: "boundary allows nothing by itself", who: alice, boundary: allowAll, want: none},
		{name: "boundary allows it too", who: alice, identity: allowAll, boundary: allowConnect},
		{name: "boundary leaves it out", who: alice, identity: allowAll, boundary: allowOther, want: "because no permissions boundary allows the elasticache:Connect action"},
		{name: "boundary denies", who: alice, identity: allowAll, boundary: denyConnect, want: "with an explicit deny in a permissions boundary"},
		{name: "session allows nothing by itself", who: app, session: allowAll, want: none},
		{name: "session allows it too", who: app, identity: allowAll, session: allowConnect},
		{name: "session leaves it out", who: app, identity: allowAll, session: allowOther, want: "because no session policy allows the elasticache:Connect action"},
		{name: "session denies", who: app, identity: allowAll, session: denyConnect, want: "with an explicit deny in a session policy"},
		{name: "all three", who: app, identity: allowAll, boundary: allowConnect, session: allowConnect},
		{name: "boundary and session disjoint", who: app, identity: allowAll, boundary: allowConnect, session: allowOther, want: "because no session policy allows the elasticache:Connect action"},

		{name: "resource names the user", who: alice, resource: principal(aws(alice.ARN), allowConnect)},
		{name: "resource names the user, over the boundary", who: alice, boundary: allowOther, resource: principal(aws(alice.ARN), allowConnect)},
		{name: "resource names the user, deny in the identity policy", who: alice, identity: denyConnect, resource: principal(aws(alice.ARN), allowConnect), want: "with an explicit deny in an identity-based policy"},
		{name: "resource names the user, deny in the boundary", who: alice, boundary: denyConnect, resource: principal(aws(alice.ARN), allowConnect), want: "with an explicit deny in a permissions boundary"},
		{name: "resource names another", who: alice, resource: principal(aws(bob.ARN), allowConnect), want: none},
		{name: "resource names another, identity allows", who: alice, identity: allowConnect, resource: principal(aws(bob.ARN), allowConnect)},
		{name: "resource names everyone", who: alice, resource: principal(`"*"`, allowConnect)},
		{name: "resource names the account", who: alice, resource: principal(aws(account), allowConnect), want: none},
		{name: "resource names the account, identity allows", who: alice, identity: allowConnect, resource: principal(aws(account), allowConnect)},
		{name: "resource denies the user", who: alice, identity: allowAll, resource: principal(aws(alice.ARN), denyConnect), want: "with an explicit deny in a resource-based policy"},
		{name: "resource names the role", who: app, resource: principal(aws(app.Role), allowConnect)},
		{name: "resource names the role, boundary leaves it out", who: app, boundary: allowOther, resource: principal(aws(app.Role), allowConnect), want: "because no permissions boundary allows the elasticache:Connect action"},
		{name: "resource names the role, session leaves it out", who: app, session: allowOther, resource: principal(aws(app.Role), allowConnect), want: "because no session policy allows the elasticache:Connect action"},
		{name: "resource names the session, over both", who: app, boundary: allowOther, session: allowOther, resource: principal(aws(app.ARN), allowConnect)},
		{name: "resource names everyone, boundary leaves a role out", who: app, boundary: allowOther, resource: principal(`"*"`, allowConnect), want: "because no permissions boundary allows the elasticache:Connect action"},
		{name: "resource names a service", who: sns, resource: principal(`{"Service":"sns.amazonaws.com"}`, allowConnect)},
		{name: "anonymous, everyone named", who: guest, resource: principal(`"*"`, allowConnect)},
		{name: "anonymous, nobody named", who: guest, identity: "", want: none},

		{name: "resource decides and is silent", who: alice, identity: allowAll, decides: true, want: "because no resource-based policy allows the elasticache:Connect action"},
		{name: "resource decides and names another", who: alice, identity: allowAll, decides: true, resource: principal(aws(bob.ARN), allowConnect), want: "because no resource-based policy allows the elasticache:Connect action"},
		{name: "resource decides and names the account", who: alice, identity: allowAll, decides: true, resource: principal(aws(account), allowConnect)},
		{name: "resource decides and names the account, no identity policy", who: alice, decides: true, resource: principal(aws(account), allowConnect), want: none},
		{name: "resource decides and names the user", who: alice, decides: true, resource: principal(aws(alice.ARN), allowConnect)},
		{name: "resource decides even for root", who: root, decides: true, resource: principal(aws(alice.ARN), allowConnect), want: "because no resource-based policy allows the elasticache:Connect action"},
		{name: "resource decides and names root's account", who: root, decides: true, resource: principal(aws(account), allowConnect)},

		{name: "other account, identity only", who: eve, owner: account, identity: allowAll, want: "because no resource-based policy allows the elasticache:Connect action"},
		{name: "other account, resource only", who: eve, owner: account, resource: principal(aws(eve.ARN), allowConnect), want: none},
		{name: "other account, both", who: eve, owner: account, identity: allowAll, resource: principal(aws(eve.ARN), allowConnect)},
		{name: "other account, both, by account", who: eve, owner: account, identity: allowAll, resource: principal(aws(eve.Account), allowConnect)},
		{name: "other account, both, boundary leaves it out", who: eve, owner: account, identity: allowAll, boundary: allowOther, resource: principal(aws(eve.ARN), allowConnect), want: "because no permissions boundary allows the elasticache:Connect action"},
		{name: "other account, everyone named, no identity policy", who: eve, owner: account, resource: principal(`"*"`, allowConnect), want: none},
		{name: "other account, role named, no identity policy", who: mal, owner: account, resource: principal(aws(mal.Role), allowConnect), want: none},
		{name: "other account, role named, both", who: mal, owner: account, identity: allowConnect, resource: principal(aws(mal.Role), allowConnect)},
		{name: "own account spelled out", who: alice, owner: account, identity: allowConnect},
		{name: "a service from elsewhere", who: sns, owner: account, resource: principal(`{"Service":"sns.amazonaws.com"}`, allowConnect)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &Policies{ResourceDecides: test.decides}
			if test.identity != "" {
				p.Identity = []Named{{"other", parse(t, Identity, statement(allowOther))}, {"identity", parse(t, Identity, statement(test.identity))}}
			}
			if test.boundary != "" {
				p.Boundary = &Named{"boundary", parse(t, Boundary, statement(test.boundary))}
			}
			if test.session != "" {
				p.Session = []Named{{"session", parse(t, Session, statement(test.session))}}
			}
			if test.resource != "" {
				p.Resource = &Named{"resource", parse(t, Resource, statement(test.resource))}
			}
			r := &Request{Principal: test.who, Action: "elasticache:Connect", Resource: orders, Owner: test.owner}
			want := test.want
			if want != "" {
				want = "User: " + test.who.shown() + " is not authorized to perform: elasticache:Connect on resource: " + orders + " " + want
			}
			decision := Evaluate(r, p)
			if got := decision.Sentence(r); got != want || decision.Allowed != (want == "") {
				t.Errorf("allowed %v, %q\nwant %q", decision.Allowed, got, want)
			}
			explained, _ := Explain(r, p)
			if explained != decision {
				t.Errorf("Explain decides %+v, Evaluate %+v", explained, decision)
			}
		})
	}
}

// TestTrust follows the IAM User Guide, "How permissions are determined for
// AssumeRole".
func TestTrust(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/app"
	const github = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`
	assume := `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":`
	tests := []struct {
		name, trust, identity, action string
		who                           *Principal
		context                       map[string]string
		want                          string
	}{
		{"the user is named", assume + `"arn:aws:iam::111122223333:user/alice"}`, "", "sts:AssumeRole", alice, nil, ""},
		{"another is named", assume + `"arn:aws:iam::111122223333:user/bob"}`, allowAll, "sts:AssumeRole", alice, nil, "because no role trust policy allows the sts:AssumeRole action"},
		{"the account is named", assume + `"111122223333"}`, allowAll, "sts:AssumeRole", alice, nil, ""},
		{"the account is named, no identity policy", assume + `"111122223333"}`, "", "sts:AssumeRole", alice, nil, "because no identity-based policy allows the sts:AssumeRole action"},
		{"explicit deny", `"Effect":"Deny","Action":"sts:*","Principal":"*"`, allowAll, "sts:AssumeRole", alice, nil, "with an explicit deny in the role trust policy"},
		{"external id", assume + `"*"},"Condition":{"StringEquals":{"sts:ExternalId":"s3cret"}}`, allowAll, "sts:AssumeRole", alice, map[string]string{"sts:ExternalId": "s3cret"}, ""},
		{"wrong external id", assume + `"*"},"Condition":{"StringEquals":{"sts:ExternalId":"s3cret"}}`, allowAll, "sts:AssumeRole", alice, map[string]string{"sts:ExternalId": "S3cret"}, "because no role trust policy allows the sts:AssumeRole action"},
		{"session tags need their own permission", assume + `"arn:aws:iam::111122223333:user/alice"}`, "", "sts:TagSession", alice, nil, "because no role trust policy allows the sts:TagSession action"},
		{"web identity", `"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":` + github + `,"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:org/*"}}`, "", "sts:AssumeRoleWithWebIdentity", ci, map[string]string{"token.actions.githubusercontent.com:sub": "repo:org/x"}, ""},
		{"web identity of another repository", `"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":` + github + `,"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:org/*"}}`, "", "sts:AssumeRoleWithWebIdentity", ci, map[string]string{"token.actions.githubusercontent.com:sub": "repo:evil/x"}, "because no role trust policy allows the sts:AssumeRoleWithWebIdentity action"},
		{"web identity where AWS principals are meant", `"Effect":"Allow","Action":"sts:*","Principal":{"AWS":"*"}`, "", "sts:AssumeRoleWithWebIdentity", ci, nil, "because no role trust policy allows the sts:AssumeRoleWithWebIdentity action"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &Policies{Resource: &Named{"trust", parse(t, Trust, statement(test.trust))}, ResourceDecides: true}
			if test.identity != "" {
				p.Identity = []Named{{"identity", parse(t, Identity, statement(test.identity))}}
			}
			ctx := Context{}
			for key, value := range test.context {
				ctx.Set(key, value)
			}
			r := &Request{Principal: test.who, Action: test.action, Resource: role, Context: ctx}
			d := Evaluate(r, p)
			if !strings.HasSuffix(d.Sentence(r), test.want) || d.Allowed != (test.want == "") {
				t.Errorf("allowed %v, %q; want %q", d.Allowed, d.Sentence(r), test.want)
			}
		})
	}
}

// The farthest-reaching Allow counts, wherever it stands.
func TestStatementsOfAResourcePolicyAddUp(t *testing.T) {
	const user, whole = `{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}}`,
		`{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":"111122223333"}}`
	for _, statements := range []string{user + "," + whole, whole + "," + user} {
		doc := parse(t, Resource, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
		r := &Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}
		if d := Evaluate(r, &Policies{Resource: &Named{"r", doc}}); !d.Allowed {
			t.Errorf("%s: %s", statements, d.Sentence(r))
		}
	}
}

func TestExplainNamesStatements(t *testing.T) {
	doc := parse(t, Identity, `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Sid": "Stop", "Effect": "Deny", "Action": "elasticache:Connect", "Resource": "*",
     "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
  ]
}`)
	p := &Policies{Identity: []Named{{"first", doc}, {"second", doc}}}
	ctx := Context{}
	ctx.Set("aws:SecureTransport", "false")
	r := &Request{Principal: alice, Action: "elasticache:Connect", Resource: orders, Context: ctx}
	decision, matches := Explain(r, p)
	if decision.Allowed || len(matches) != 2 || matches[0].Statement.SID != "Stop" || matches[1].Policy != "second" {
		t.Errorf("%+v, %v", decision, matches)
	}
	if s := matches[0].Statement; s.Start != (Position{5, 5}) || s.End != (Position{6, 62}) {
		t.Errorf("the statement stands from %v to %v", s.Start, s.End)
	}
	if got := decision.Reason(r); got != "elasticache:Connect on "+orders+` denied by Statement[1] (Sid Stop) of identity-based policy "first"` {
		t.Error(got)
	}
	ctx.Set("aws:SecureTransport", "true")
	if decision, matches = Explain(r, p); !decision.Allowed || len(matches) != 2 || matches[0].Statement.Index != 0 {
		t.Errorf("%+v, %v", decision, matches)
	}
	r.Action = "x:Y"
	p.Identity = nil
	if decision, matches = Explain(r, p); decision.Allowed || matches != nil {
		t.Errorf("%+v, %v", decision, matches)
	}
	if got := decision.Reason(r); !strings.HasSuffix(got, "denied: no identity-based policy allows it") {
		t.Error(got)
	}
}

func TestDescribe(t *testing.T) {
	issued := *app
	issued.Issued = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		who  *Principal
		want map[string]string
	}{
		{root, map[string]string{"aws:principalarn": root.ARN, "aws:principaltype": "Account", "aws:userid": account, "aws:principalaccount": account, "aws:principalisawsservice": "false"}},
		{alice, map[string]string{
			"aws:principalarn": alice.ARN, "aws:principaltype": "User", "aws:userid": "AIDAALICE", "aws:username": "alice",
			"aws:principaltag/team": "red", "aws:principalaccount": account, "aws:principalisawsservice": "false",
		}},
		{&issued, map[string]string{
			"aws:principalarn": app.Role, "aws:principaltype": "AssumedRole", "aws:userid": "AROAAPP:one", "aws:principalaccount": account,
			"aws:tokenissuetime": "2026-11-21T12:00:00Z", "aws:principalisawsservice": "false",
		}},
		{ci, map[string]string{"aws:federatedprovider": ci.ARN, "aws:principaltype": "FederatedUser", "aws:userid": "ci", "aws:principalisawsservice": "false"}},
		{sns, map[string]string{"aws:principalservicename": "sns.amazonaws.com", "aws:principalisawsservice": "true"}},
		{guest, map[string]string{"aws:principaltype": "Anonymous", "aws:userid": "anonymous", "aws:principalisawsservice": "false"}},
	} {
		ctx := Context{}
		test.who.Describe(ctx)
		got := map[string]string{}
		for key, values := range ctx {
			got[key] = strings.Join(values, ",")
		}
		if !maps.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.who.Type, got, test.want)
		}
	}
}

func TestKeys(t *testing.T) {
	doc := parse(t, Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}",
		"Condition":{"StringEquals":{"aws:PrincipalTag/A":"${aws:PrincipalTag/B}","aws:username":"x"}}`))
	if got := strings.Join(doc.Keys(), " "); got != "aws:username aws:principaltag/a aws:principaltag/b" {
		t.Error(got)
	}
}

func TestEvaluateAllocatesNothing(t *testing.T) {
	r, p := loginRequest(t)
	if n := testing.AllocsPerRun(100, func() { Evaluate(r, p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// loginRequest is a login as a gateway sees it: several policies, a variable,
// conditions.
func loginRequest(t testing.TB) (*Request, *Policies) {
	admin := parse(t, Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["elasticache:Describe*","elasticache:List*"],"Resource":"*"},
		{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"]},
		{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}`)
	connect := parse(t, Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"elasticache:Connect","Resource":["arn:aws:elasticache:us-east-1:111122223333:replicationgroup:orders",
		 "arn:aws:elasticache:us-east-1:111122223333:user:${aws:username}"],
		 "Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]},"StringEquals":{"aws:PrincipalTag/Team":"red"}}}]}`)
	ctx := Context{}
	alice.Describe(ctx)
	ctx.Set("aws:SourceIp", "10.1.2.3")
	return &Request{Principal: alice, Action: "elasticache:Connect", Resource: "arn:aws:elasticache:us-east-1:111122223333:user:alice", Context: ctx},
		&Policies{
			Identity: []Named{{"admin", admin}, {"connect", connect}},
			Boundary: &Named{"boundary", parse(t, Boundary, statement(`"Effect":"Allow","Action":"elasticache:*","Resource":"*"`))},
		}
}

func BenchmarkEvaluateLogin(b *testing.B) {
	r, p := loginRequest(b)
	if !Evaluate(r, p).Allowed {
		b.Fatal("the login is denied")
	}
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(r, p)
	}
}

func BenchmarkParse(b *testing.B) {
	document := statement(allowConnect)
	for b.Loop() {
		if _, err := Parse(Identity, document); err != nil {
			b.Fatal(err)
		}
	}
}
