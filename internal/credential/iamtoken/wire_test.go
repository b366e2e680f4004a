package iamtoken

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/policy"
)

func wireGrantOf(t testing.TB) *Grant {
	t.Helper()
	g := grantOf(t, `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"*"}`)
	g.AccessKeyID, g.Session, g.Expires = sessionID, DigestSession(sessionTok), noon.Add(1e12)
	g.Principal.Issued = noon
	document := g.Policies.Identity[0].Document.Text
	boundary, err := policy.Parse(policy.Boundary, document)
	if err != nil {
		t.Fatal(err)
	}
	session, err := policy.Parse(policy.Session, document)
	if err != nil {
		t.Fatal(err)
	}
	g.Policies.Boundary = &policy.Named{Name: "boundary", Document: boundary}
	g.Policies.Session = []policy.Named{{Name: "session", Document: session}}
	g.Keys = []SigningKey{Derive(secret, 20261121, "us-east-1"), Derive(secret, 20261122, "us-east-1")}
	return g
}

func TestGrantOnTheWire(t *testing.T) {
	g := wireGrantOf(t)
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), secretText) {
		t.Error("a grant contains the secret access key")
	}
	again, err := DecodeGrant(text)
	if err != nil || !reflect.DeepEqual(again, g) {
		t.Errorf("%+v, %v\nwant %+v", again, err, g)
	}
	long := &Grant{AccessKeyID: keyID, Keys: g.Keys}
	text, err = long.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := DecodeGrant(text); err != nil || !reflect.DeepEqual(again, long) {
		t.Errorf("%+v, %v\nwant %+v", again, err, long)
	}
}

// A gateway that has only what came over the wire lets in whom it should.
func TestGrantFromTheWireVerifies(t *testing.T) {
	text, err := wireGrantOf(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	g, err := DecodeGrant(text)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(noon)
	ring := NewKeyring(nil, c)
	ring.remember(g)
	got, err := New(ring, c).Verify(context.Background(), []byte(benchmarkTokens()["Session"]), wantOrders)
	if err != nil {
		t.Fatal(err)
	}
	if decision, reason := got.MayConnect(connection()); !decision.Allowed {
		t.Error(reason)
	}
}

func TestDecodeGrantRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                       "reading a grant",
		`{"digest":"AAAA"}`:                      "digest has 3 bytes",
		`{"keys":[{"key":"AA"}]}`:                "reading a grant",
		`{"keys":[{"day":1,"key":"AAAA"}]}`:      "the key of 1 has 3 bytes",
		`{"identity":[{"name":"n","text":"x"}]}`: `policy "n"`,
		`{"session":[{"name":"n","text":"x"}]}`:  `policy "n"`,
		`{"boundary":{"name":"n","text":"{}"}}`:  `policy "n"`,
	} {
		if g, err := DecodeGrant([]byte(text)); err == nil || g != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
