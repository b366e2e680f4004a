package policy

import (
	"testing"
)

const account = "111122223333"

// Principals of the tests.
var (
	root  = &Principal{Type: Root, Account: account, ARN: "arn:aws:iam::111122223333:root", ID: account}
	alice = &Principal{Type: User, Account: account, ARN: "arn:aws:iam::111122223333:user/alice", ID: "AIDAALICE", Name: "alice", Tags: map[string]string{"Team": "red"}}
	bob   = &Principal{Type: User, Account: account, ARN: "arn:aws:iam::111122223333:user/bob", ID: "AIDABOB", Name: "bob"}
	app   = &Principal{Type: AssumedRole, Account: account, ARN: "arn:aws:sts::111122223333:assumed-role/app/one", Role: "arn:aws:iam::111122223333:role/app", ID: "AROAAPP:one"}
	eve   = &Principal{Type: User, Account: "999988887777", ARN: "arn:aws:iam::999988887777:user/eve", ID: "AIDAEVE", Name: "eve"}
	mal   = &Principal{Type: AssumedRole, Account: "999988887777", ARN: "arn:aws:sts::999988887777:assumed-role/mal/x", Role: "arn:aws:iam::999988887777:role/mal", ID: "AROAMAL:x"}
	ci    = &Principal{Type: Federated, Account: account, ARN: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", ID: "ci"}
	sns   = &Principal{Type: Service, ARN: "sns.amazonaws.com"}
	guest = &Principal{Type: Anonymous}
)

func parse(t testing.TB, kind Kind, document string) *Document {
	t.Helper()
	doc, err := Parse(kind, document)
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return doc
}

// statement makes a document of one statement.
func statement(elements string) string {
	return `{"Version":"2012-10-17","Statement":[{` + elements + `}]}`
}

// allowed asks as alice with one identity policy.
func allowed(doc *Document, action, resource string, ctx Context) bool {
	r := Request{Principal: alice, Action: action, Resource: resource, Context: ctx}
	return Evaluate(&r, &Policies{Identity: []Named{{"p", doc}}}).Allowed
}
