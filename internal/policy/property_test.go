package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Small alphabets make statements and requests meet often.
var (
	someActions    = []string{"elasticache:Connect", "elasticache:DescribeUsers", "iam:GetUser", "*", "elasticache:*", "iam:Get*", "elasticache:?onnect"}
	someResources  = []string{"*", "arn:aws:elasticache:us-east-1:111122223333:user:alice", "arn:aws:elasticache:*:111122223333:user:*", "arn:aws:elasticache:us-east-1:111122223333:user:${aws:username}", "arn:aws:iam::111122223333:*"}
	somePrincipals = []string{`"*"`, `{"AWS":"*"}`, `{"AWS":"111122223333"}`, `{"AWS":"arn:aws:iam::111122223333:user/alice"}`, `{"AWS":"arn:aws:iam::111122223333:role/app"}`, `{"AWS":"arn:aws:sts::111122223333:assumed-role/app/one"}`}
	someConditions = []string{
		`{}`, `{"StringEquals":{"aws:PrincipalTag/team":"red"}}`, `{"StringNotEquals":{"aws:PrincipalTag/team":["red","blue"]}}`,
		`{"ForAllValues:StringLike":{"aws:TagKeys":["a*","b"]}}`, `{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}`,
		`{"Null":{"aws:PrincipalTag/team":"true"}}`, `{"BoolIfExists":{"aws:SecureTransport":"true"}}`, `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`,
	}
)

func genStatement(kind Kind) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		list := func(from []string, label string) string {
			raw, _ := json.Marshal(rapid.SliceOfN(rapid.SampledFrom(from), 1, 3).Draw(t, label))
			return string(raw)
		}
		effect := rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")
		not := rapid.SampledFrom([]string{"", "", "", "Not"})
		s := fmt.Sprintf(`{"Effect":%q,"%sAction":%s,"%sResource":%s,"Condition":%s`, effect,
			not.Draw(t, "notAction"), list(someActions, "actions"), not.Draw(t, "notResource"), list(someResources, "resources"),
			rapid.SampledFrom(someConditions).Draw(t, "condition"))
		if kind.namesPrincipals() {
			element := "Principal"
			if effect == "Deny" {
				element = not.Draw(t, "notPrincipal") + element
			}
			s += fmt.Sprintf(`,%q:%s`, element, rapid.SampledFrom(somePrincipals).Draw(t, "principal"))
		}
		return s + "}"
	})
}

func document(t *rapid.T, kind Kind, statements []string) *Document {
	doc, err := Parse(kind, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func genDocument(t *rapid.T, kind Kind) *Document {
	return document(t, kind, rapid.SliceOfN(genStatement(kind), 1, 4).Draw(t, kind.String()))
}

func genRequest(t *rapid.T) *Request {
	ctx := Context{}
	who := rapid.SampledFrom([]*Principal{root, alice, bob, app, eve, ci, guest}).Draw(t, "who")
	who.Describe(ctx)
	ctx.Set("aws:PrincipalTag/team", rapid.SampledFrom([][]string{nil, {"red"}, {"blue"}, {""}}).Draw(t, "team")...)
	ctx.Set("aws:TagKeys", rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}, {"c"}}).Draw(t, "keys")...)
	ctx.Set("aws:SourceIp", rapid.SampledFrom([]string{"10.1.1.1", "192.0.2.1"}).Draw(t, "ip"))
	return &Request{
		Principal: who, Context: ctx,
		Action:   rapid.SampledFrom([]string{"elasticache:Connect", "iam:GetUser", "iam:CreateUser"}).Draw(t, "action"),
		Resource: rapid.SampledFrom([]string{"*", "arn:aws:elasticache:us-east-1:111122223333:user:alice", "arn:aws:iam::111122223333:user/bob"}).Draw(t, "resource"),
		Owner:    rapid.SampledFrom([]string{"", account}).Draw(t, "owner"),
	}
}

func genPolicies(t *rapid.T) *Policies {
	p := &Policies{ResourceDecides: rapid.Bool().Draw(t, "decides")}
	for i := range rapid.IntRange(0, 3).Draw(t, "identities") {
		p.Identity = append(p.Identity, Named{fmt.Sprint("i", i), genDocument(t, Identity)})
	}
	if rapid.Bool().Draw(t, "bounded") {
		p.Boundary = &Named{"b", genDocument(t, Boundary)}
	}
	if rapid.Bool().Draw(t, "narrowed") {
		p.Session = []Named{{"s", genDocument(t, Session)}}
	}
	if rapid.Bool().Draw(t, "resourced") {
		p.Resource = &Named{"r", genDocument(t, Resource)}
	}
	return p
}

// A Deny anywhere never allows more, and a Deny of all allows nothing.
func TestDenyNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := genRequest(t), genPolicies(t)
		before := Evaluate(r, p).Allowed
		more := *p
		deny := strings.Replace(genStatement(Identity).Draw(t, "deny"), `"Effect":"Allow"`, `"Effect":"Deny"`, 1)
		more.Identity = append(slices.Clone(p.Identity), Named{"deny", document(t, Identity, []string{deny})})
		if !before && Evaluate(r, &more).Allowed {
			t.Fatalf("%s allows what was denied", deny)
		}
		all := `{"Effect":"Deny","Action":"*","Resource":"*"}`
		more.Identity[len(more.Identity)-1].Document = document(t, Identity, []string{all})
		if d := Evaluate(r, &more); d.Allowed || !d.Explicit {
			t.Fatalf("allowed in spite of %s", all)
		}
	})
}

// A boundary or a session policy only takes away.
func TestBoundaryAndSessionOnlyNarrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := genRequest(t), genPolicies(t)
		bounded := *p
		bounded.Boundary = &Named{"b", genDocument(t, Boundary)}
		bounded.Session = []Named{{"s", genDocument(t, Session)}}
		free := *p
		free.Boundary, free.Session = nil, nil
		if Evaluate(r, &bounded).Allowed && !Evaluate(r, &free).Allowed {
			t.Fatal("a boundary or session policy allowed what nothing else allows")
		}
	})
}

// Neither the order of policies nor that of statements changes whether a
// request is allowed, nor which kind of policy is to blame.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := genRequest(t)
		statements := rapid.SliceOfN(genStatement(Identity), 1, 5).Draw(t, "statements")
		one := &Policies{Identity: []Named{{"one", document(t, Identity, statements)}}}
		backwards := slices.Clone(statements)
		slices.Reverse(backwards)
		two := &Policies{}
		for _, s := range backwards {
			two.Identity = append(two.Identity, Named{"two", document(t, Identity, []string{s})})
		}
		a, b := Evaluate(r, one), Evaluate(r, two)
		if a.Allowed != b.Allowed || a.Explicit != b.Explicit || a.Kind != b.Kind {
			t.Fatalf("%+v in order, %+v backwards and apart", a, b)
		}
	})
}

// Explain decides as Evaluate does, and its statements bear the decision out.
func TestExplainAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := genRequest(t), genPolicies(t)
		decision, matches := Explain(r, p)
		if fast := Evaluate(r, p); fast != decision {
			t.Fatalf("Evaluate %+v, Explain %+v", fast, decision)
		}
		for _, m := range matches {
			if (m.Statement.Effect == Allow) != decision.Allowed {
				t.Fatalf("%v explains %+v", m, decision)
			}
		}
		if (decision.Sentence(r) == "") != decision.Allowed {
			t.Fatal(decision.Sentence(r))
		}
	})
}

// slow is the plainest matcher there is: the model for glob.
func slow(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '*':
		return slow(pattern[1:], s) || len(s) > 0 && slow(pattern, s[1:])
	default:
		return len(s) > 0 && (pattern[0] == '?' || pattern[0] == s[0]) && slow(pattern[1:], s[1:])
	}
}

func TestWildcardLaws(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab:ü")), 0, 8, -1)
	wild := rapid.StringOfN(rapid.RuneFrom([]rune("ab:ü*?")), 0, 8, -1)
	matches := func(pattern, s string) bool {
		p, err := compile(pattern, syntax{wildcards: true})
		return err == nil && p.match(s, nil, false)
	}
	rapid.Check(t, func(t *rapid.T) {
		p, s, rest := wild.Draw(t, "pattern"), text.Draw(t, "text"), text.Draw(t, "rest")
		if got, want := matches(p, s), slow([]rune(p), []rune(s)); got != want {
			t.Fatalf("%q against %q: %v, want %v", p, s, got, want)
		}
		if !matches(s, s) || !matches("*", s) || !matches(s+"*", s+rest) || !matches("*"+rest, s+rest) {
			t.Fatalf("a law does not hold for %q and %q", s, rest)
		}
		if matches(p, s) && (!matches(p+"*", s) || !matches("*"+p, s)) {
			t.Fatalf("a further * makes %q match less than before", p)
		}
	})
}

func FuzzParse(f *testing.F) {
	for name, text := range examples(f) {
		f.Add(uint8(kindOf(name)), text)
	}
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		k := Kind(kind%5 + 1)
		doc, err := Parse(k, text)
		if err != nil {
			if !strings.Contains(err.Error(), "(") {
				t.Errorf("%q names no place", err)
			}
			return
		}
		ctx := Context{}
		alice.Describe(ctx)
		p := &Policies{Resource: &Named{"p", doc}}
		if !k.namesPrincipals() {
			p = &Policies{Identity: []Named{{"p", doc}}, Boundary: &Named{"p", doc}}
		}
		r := &Request{Principal: alice, Action: "elasticache:Connect", Resource: orders, Context: ctx}
		decision, _ := Explain(r, p)
		if decision != Evaluate(r, p) {
			t.Error("Explain and Evaluate disagree")
		}
		_ = decision.Reason(r)
		_ = doc.Keys()
	})
}
