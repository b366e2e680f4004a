package iamtoken

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// The example credentials of AWS's documentation.
const (
	keyID      = "AKIAIOSFODNN7EXAMPLE"
	sessionID  = "ASIAIOSFODNN7EXAMPLE"
	secretText = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// sessionTok is as long as STS's are.
var sessionTok = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ+" + strings.Repeat("b3JpZ2luX2VjEA", 65) + "=="

var secret = identity.NewSecret(secretText)

// noon is when the tests' tokens are signed.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// draft is a token being made by hand, the way the SigV4 documentation says,
// independently of the code under test.
type draft struct {
	host   string            // in the token
	signed string            // the Host that is signed; "" means host
	params map[string]string // without the signature
	order  []string          // of the parameters in the token; nil: sorted
	secret string
	// key overrides what is derived from the credential's scope.
	day, region, service string
	method, header       string
}

// newDraft is a good token for cache "orders" and user "app".
func newDraft() *draft {
	return &draft{
		host: "orders", secret: secretText, day: "20261121", region: "us-east-1", service: "elasticache",
		method: "GET", header: "host",
		params: map[string]string{
			"Action": "connect", "User": "app",
			"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": keyID + "/20261121/us-east-1/elasticache/aws4_request",
			"X-Amz-Date": "20261121T120000Z", "X-Amz-Expires": "900", "X-Amz-SignedHeaders": "host",
		},
	}
}

func (d *draft) with(name, value string) *draft {
	d.params[name] = value
	return d
}

func (d *draft) without(name string) *draft {
	delete(d.params, name)
	return d
}

func (d *draft) names() []string {
	var names []string
	for name := range d.params {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func (d *draft) pairs(names []string) []string {
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, name+"="+escaped(d.params[name]))
	}
	return pairs
}

func (d *draft) signature() string {
	signed := d.signed
	if signed == "" {
		signed = d.host
	}
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	canonical := d.method + "\n/\n" + strings.Join(d.pairs(d.names()), "&") + "\n" + d.header + ":" + signed + "\n\n" + d.header + "\n" + hash("")
	scope := strings.Join([]string{d.day, d.region, d.service, "aws4_request"}, "/")
	text := "AWS4-HMAC-SHA256\n" + d.params["X-Amz-Date"] + "\n" + scope + "\n" + hash(canonical)
	key := []byte("AWS4" + d.secret)
	for _, part := range []string{d.day, d.region, d.service, "aws4_request", text} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func (d *draft) token() string {
	names := d.order
	if names == nil {
		names = append(d.names(), "X-Amz-Signature")
	}
	signature := d.signature()
	var pairs []string
	for _, name := range names {
		if name == "X-Amz-Signature" {
			pairs = append(pairs, name+"="+signature)
			continue
		}
		pairs = append(pairs, d.pairs([]string{name})...)
	}
	return d.host + "/?" + strings.Join(pairs, "&")
}

// fixedSource knows one long-term key and one session.
type fixedSource struct {
	asked int
	err   error
	days  int
	clock clock.Clock
}

func (s *fixedSource) Grant(_ context.Context, id, session, region string) (*Grant, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	g := &Grant{AccessKeyID: id, Principal: policy.Principal{Type: policy.User, ARN: "arn:aws:iam::111122223333:user/app"}}
	switch {
	case id == keyID && session == "":
	case id == keyID:
		return nil, ErrSession
	case id == sessionID && session == sessionTok:
		g.Session, g.Expires = DigestSession(session), noon.Add(10*time.Minute)
	case id == sessionID:
		return nil, ErrSession
	default:
		return nil, ErrUnknownKey
	}
	for i := range max(s.days, 1) {
		day := DayAt(s.clock.Now().Add(time.Duration(i-1) * 24 * time.Hour))
		if s.days == 0 {
			day = DayAt(s.clock.Now())
		}
		g.Keys = append(g.Keys, Derive(secret, day, region))
	}
	return g, nil
}

func newVerifier(now time.Time) (*Verifier, *clock.Fake, *fixedSource) {
	c := clock.NewFake(now)
	source := &fixedSource{clock: c}
	return New(NewKeyring(source, c), c), c, source
}

var wantOrders = &Want{Cache: "orders", Region: "us-east-1", User: "app"}

func verify(t *testing.T, now time.Time, token string, want *Want) (string, error) {
	t.Helper()
	v, _, _ := newVerifier(now)
	grant, err := v.Verify(context.Background(), []byte(token), want)
	if err != nil {
		if grant != nil {
			t.Error("a refusal comes with a grant")
		}
		return "", err
	}
	return grant.AccessKeyID, nil
}

func TestAccepts(t *testing.T) {
	serverlessWant := &Want{Cache: "orders", Region: "us-east-1", User: "app", Serverless: true}
	session := func() *draft {
		return newDraft().with("X-Amz-Credential", sessionID+"/20261121/us-east-1/elasticache/aws4_request").with("X-Amz-Security-Token", sessionTok)
	}
	reversed := newDraft()
	names := append(reversed.names(), "X-Amz-Signature")
	for i := range len(names) / 2 {
		names[i], names[len(names)-1-i] = names[len(names)-1-i], names[i]
	}
	reversed.order = names
	tests := []struct {
		name  string
		draft *draft
		now   time.Time
		want  *Want
	}{
		{"as signed", newDraft(), noon, wantOrders},
		{"just before it expires", newDraft(), noon.Add(15*time.Minute - time.Second), wantOrders},
		{"signed by a clock that is a little ahead", newDraft(), noon.Add(-MaxSkew), wantOrders},
		{"shorter life", newDraft().with("X-Amz-Expires", "1"), noon, wantOrders},
		{"parameters backwards", reversed, noon, wantOrders},
		{"serverless", newDraft().with("ResourceType", "ServerlessCache"), noon, serverlessWant},
		{"session", session(), noon, wantOrders},
		{"serverless session", session().with("ResourceType", "ServerlessCache"), noon, serverlessWant},
		{"user name typed in upper case", newDraft(), noon, &Want{Cache: "orders", Region: "us-east-1", User: "APP"}},
		{"over midnight", func() *draft {
			d := newDraft().with("X-Amz-Date", "20261121T235900Z")
			return d
		}(), time.Date(2026, 11, 22, 0, 5, 0, 0, time.UTC), wantOrders},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := clock.NewFake(test.now)
			v := New(NewKeyring(&fixedSource{clock: c, days: 3}, c), c)
			if _, err := v.Verify(context.Background(), []byte(test.draft.token()), test.want); err != nil {
				t.Error(err)
			}
			if faults := Faults([]byte(test.draft.token()), test.want, test.now); faults != nil {
				t.Error(faults)
			}
		})
	}
}

// Other spellings of the same values mean the same, as SigV4 decodes before it
// signs.
func TestAcceptsOtherEncodings(t *testing.T) {
	token := newDraft().token()
	for _, other := range []string{
		strings.ReplaceAll(token, "%2F", "/"),
		strings.ReplaceAll(token, "%2F", "%2f"),
		strings.Replace(token, "connect", "%63onnect", 1),
	} {
		if other == token {
			t.Fatal("the spelling did not change")
		}
		if _, err := verify(t, noon, other, wantOrders); err != nil {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// TestAttacks has one test for each way of being let in that must not work. The
// drafts are signed after they were changed, with a good key, so that nothing
// but the check in question refuses them.
func TestAttacks(t *testing.T) {
	tests := []struct {
		name   string
		token  string
		now    time.Time
		reason string
	}{
		{"no token at all", "correct horse battery staple", noon, "this is no IAM token"},
		{"empty", "", noon, "this is no IAM token"},
		{"too long", newDraft().with("X-Amz-Security-Token", strings.Repeat("x", MaxToken)).token(), noon, "8192 is the most"},
		{"another cache", (&draft{}).of(newDraft(), func(d *draft) { d.host = "invoices" }), noon, `signed for cache "invoices" instead of "orders"`},
		{"another case", (&draft{}).of(newDraft(), func(d *draft) { d.host = "Orders" }), noon, `signed for cache "Orders" instead of "orders": the name must be in lower case`},
		{"the endpoint", (&draft{}).of(newDraft(), func(d *draft) { d.host = "master.orders.x.use1.cache.amazonaws.com" }), noon, "signed for the endpoint"},
		{"a port", (&draft{}).of(newDraft(), func(d *draft) { d.host = "orders:6379" }), noon, "signed for the endpoint"},
		{"a scheme", "http://" + newDraft().token(), noon, "the scheme must be cut off"},
		{"a name in front", "evil.orders" + strings.TrimPrefix(newDraft().token(), "orders"), noon, "instead of the cache's name"},
		{"another name in the token than signed", (&draft{}).of(newDraft(), func(d *draft) { d.signed = "invoices" }), noon, "the signature is wrong"},
		{"a path", strings.Replace(newDraft().token(), "/?", "/x/?", 1), noon, "signed for cache"},
		{"no path", strings.Replace(newDraft().token(), "/?", "?", 1), noon, "this is no IAM token"},
		{"another host behind a user", "orders@evil" + strings.TrimPrefix(newDraft().token(), "orders"), noon, "signed for cache"},
		{"a fragment", newDraft().token() + "#x", noon, "64 hexadecimal digits"},
		{"text behind", newDraft().token() + "&", noon, "a parameter that no IAM token has"},
		{"another action", newDraft().with("Action", "describe").token(), noon, `Action is "describe"`},
		{"action in upper case", newDraft().with("Action", "Connect").token(), noon, `Action is "Connect"`},
		{"no action", newDraft().without("Action").token(), noon, "Action is missing"},
		{"action twice", newDraft().token() + "&Action=connect", noon, "Action is given twice"},
		{"user twice", newDraft().token() + "&User=admin", noon, "User is given twice"},
		{"signature twice", newDraft().token() + "&X-Amz-Signature=" + strings.Repeat("0", 64), noon, "X-Amz-Signature is given twice"},
		{"expires twice", newDraft().token() + "&X-Amz-Expires=900", noon, "X-Amz-Expires is given twice"},
		{"session token twice", newDraft().with("X-Amz-Security-Token", sessionTok).token() + "&X-Amz-Security-Token=x", noon, "X-Amz-Security-Token is given twice"},
		{"an unknown parameter", newDraft().with("X-Evil", "1").token(), noon, `a parameter that no IAM token has ("X-Evil")`},
		{"a parameter in another case", strings.Replace(newDraft().token(), "User=", "user=", 1), noon, `a parameter that no IAM token has ("user")`},
		{"an encoded parameter name", strings.Replace(newDraft().token(), "User=", "%55ser=", 1), noon, "a parameter that no IAM token has"},
		{"a parameter without value", strings.Replace(newDraft().token(), "User=app", "User", 1), noon, "User has no value"},
		{"another user", newDraft().with("User", "admin").token(), noon, `signed for user "admin", which is not the user who logs in`},
		{"user in upper case", newDraft().with("User", "App").token(), noon, `signed for user "App", which must be in lower case`},
		{"user exchanged afterwards", strings.Replace(newDraft().with("User", "bob").token(), "User=bob", "User=app", 1), noon, "the signature is wrong"},
		{"no user", newDraft().without("User").token(), noon, "User is missing"},
		{"serverless token for a node", newDraft().with("ResourceType", "ServerlessCache").token(), noon, "the cache is not serverless"},
		{"another algorithm", newDraft().with("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256").token(), noon, "X-Amz-Algorithm is"},
		{"no algorithm", newDraft().without("X-Amz-Algorithm").token(), noon, "X-Amz-Algorithm is missing"},
		{"more signed headers", newDraft().with("X-Amz-SignedHeaders", "host;x-amz-date").token(), noon, "X-Amz-SignedHeaders is"},
		{"no signed headers", newDraft().with("X-Amz-SignedHeaders", "").token(), noon, "X-Amz-SignedHeaders is"},
		{"another region", newDraft().with("X-Amz-Credential", keyID+"/20261121/eu-west-1/elasticache/aws4_request").token(), noon, `signed for region "eu-west-1" instead of "us-east-1"`},
		{"another service", newDraft().with("X-Amz-Credential", keyID+"/20261121/us-east-1/rds-db/aws4_request").token(), noon, `signed for service "rds-db"`},
		{"service in upper case", newDraft().with("X-Amz-Credential", keyID+"/20261121/us-east-1/ElastiCache/aws4_request").token(), noon, `signed for service "ElastiCache"`},
		{"another terminator", newDraft().with("X-Amz-Credential", keyID+"/20261121/us-east-1/elasticache/aws5_request").token(), noon, "X-Amz-Credential ends with"},
		{"another day in the scope", newDraft().with("X-Amz-Credential", keyID+"/20261120/us-east-1/elasticache/aws4_request").token(), noon, "X-Amz-Credential is dated"},
		{"a day that is no day", newDraft().with("X-Amz-Credential", keyID+"/2026112x/us-east-1/elasticache/aws4_request").token(), noon, "X-Amz-Credential is dated"},
		{"credential in four pieces", newDraft().with("X-Amz-Credential", keyID+"/20261121/us-east-1/elasticache").token(), noon, "not of the form"},
		{"credential in six pieces", newDraft().with("X-Amz-Credential", keyID+"/20261121/us-east-1/elasticache/aws4_request/x").token(), noon, "not of the form"},
		{"an access key that is none", newDraft().with("X-Amz-Credential", "../../../../etc/passwd/20261121/us-east-1/elasticache/aws4_request").token(), noon, "not of the form"},
		{"an access key of other characters", newDraft().with("X-Amz-Credential", "AKIA.OSFODNN7EXAMPLE/20261121/us-east-1/elasticache/aws4_request").token(), noon, "does not begin with an access key id"},
		{"an access key with a colon", newDraft().with("X-Amz-Credential", "AKIA:OSFODNN7EXAMPLE/20261121/us-east-1/elasticache/aws4_request").token(), noon, "does not begin with an access key id"},
		{"a short access key", newDraft().with("X-Amz-Credential", "AKIA/20261121/us-east-1/elasticache/aws4_request").token(), noon, "does not begin with an access key id"},
		{"an unknown access key", newDraft().with("X-Amz-Credential", "AKIAXXXXXXXXXXXXXXXX/20261121/us-east-1/elasticache/aws4_request").token(), noon, "the access key does not exist"},
		{"no credential", newDraft().without("X-Amz-Credential").token(), noon, "X-Amz-Credential is missing"},
		{"no date", newDraft().without("X-Amz-Date").token(), noon, "X-Amz-Date is missing"},
		{"a date in words", newDraft().with("X-Amz-Date", "21 Nov 2026").token(), noon, "X-Amz-Date is"},
		{"a day that does not exist", newDraft().with("X-Amz-Date", "20260230T120000Z").token(), noon, "X-Amz-Date is"},
		{"the 24th hour", newDraft().with("X-Amz-Date", "20261121T240000Z").token(), noon, "X-Amz-Date is"},
		{"expired", newDraft().token(), noon.Add(18 * time.Minute), "expired 3 minutes ago (signed 18 minutes ago, valid for 15 minutes)"},
		{"expired this very second", newDraft().token(), noon.Add(15 * time.Minute), "expired 0 seconds ago"},
		{"expired days ago", newDraft().token(), noon.Add(100 * time.Hour), "expired 4 days ago"},
		{"shorter life expired", newDraft().with("X-Amz-Expires", "60").token(), noon.Add(61 * time.Second), "expired 1 second ago"},
		{"from the future", newDraft().token(), noon.Add(-MaxSkew - time.Second), "signed 5 minutes in the future"},
		{"a long life", newDraft().with("X-Amz-Expires", "901").token(), noon, "X-Amz-Expires is 901; 900 seconds is the most"},
		{"a huge life", newDraft().with("X-Amz-Expires", "99999999999999999999").token(), noon, "X-Amz-Expires is"},
		{"a negative life", newDraft().with("X-Amz-Expires", "-1").token(), noon, "X-Amz-Expires is"},
		{"no life", newDraft().with("X-Amz-Expires", "0").token(), noon, "X-Amz-Expires is"},
		{"life with a leading zero", newDraft().with("X-Amz-Expires", "0900").token(), noon, "X-Amz-Expires is"},
		{"life not given", newDraft().without("X-Amz-Expires").token(), noon, "X-Amz-Expires is missing"},
		{"life made longer afterwards", strings.Replace(newDraft().with("X-Amz-Expires", "60").token(), "Expires=60", "Expires=900", 1), noon.Add(10 * time.Minute), "the signature is wrong"},
		{"no signature", strings.Split(newDraft().token(), "&X-Amz-Signature")[0], noon, "X-Amz-Signature is missing"},
		{"an empty signature", strings.Split(newDraft().token(), "X-Amz-Signature")[0] + "X-Amz-Signature=", noon, "64 hexadecimal digits"},
		{"a signature in upper case", upperSignature(newDraft().token()), noon, "64 hexadecimal digits in lower case"},
		{"a wrong secret", (&draft{}).of(newDraft(), func(d *draft) { d.secret = "x" }), noon, "the signature is wrong for access key " + keyID},
		{"a key of another service", (&draft{}).of(newDraft(), func(d *draft) { d.service = "s3" }), noon, "the signature is wrong"},
		{"a key of another region", (&draft{}).of(newDraft(), func(d *draft) { d.region = "eu-west-1" }), noon, "the signature is wrong"},
		{"another method", (&draft{}).of(newDraft(), func(d *draft) { d.method = "POST" }), noon, "the signature is wrong"},
		{"a session token for a long-term key", newDraft().with("X-Amz-Security-Token", sessionTok).token(), noon, "the session token is not valid"},
		{"a temporary key without its session token", newDraft().with("X-Amz-Credential", sessionID+"/20261121/us-east-1/elasticache/aws4_request").token(), noon, "the session token is not valid"},
		{"another session token", newDraft().with("X-Amz-Credential", sessionID+"/20261121/us-east-1/elasticache/aws4_request").with("X-Amz-Security-Token", "x").token(), noon, "the session token is not valid"},
		{"a session that has ended", newDraft().with("X-Amz-Credential", sessionID+"/20261121/us-east-1/elasticache/aws4_request").with("X-Amz-Security-Token", sessionTok).token(), noon.Add(11 * time.Minute), "the session that signed the token expired 60 seconds ago"},
		{"a plus sign", strings.Replace(newDraft().with("User", "a b").token(), "a%20b", "a+b", 1), noon, "plus sign"},
		{"half an escape", strings.Replace(newDraft().token(), "User=app", "User=ap%7", 1), noon, "two hexadecimal digits"},
		{"a raw byte", strings.Replace(newDraft().token(), "User=app", "User=a\x00p", 1), noon, "must be percent-encoded"},
		{"a line break", strings.Replace(newDraft().token(), "User=app", "User=app\r\n", 1), noon, "must be percent-encoded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := verify(t, test.now, test.token, wantOrders)
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Fatalf("%v, want %q", err, test.reason)
			}
			if _, ok := err.(*Refused); !ok {
				t.Errorf("the error is a %T", err)
			}
			if strings.Contains(err.Error(), "battery") || strings.Contains(err.Error(), sessionTok) {
				t.Errorf("the reason shows a secret: %v", err)
			}
		})
	}
}

// of changes a draft and makes the token.
func (*draft) of(d *draft, change func(*draft)) string {
	change(d)
	return d.token()
}

func upperSignature(token string) string {
	before, after, _ := strings.Cut(token, "X-Amz-Signature=")
	return before + "X-Amz-Signature=" + strings.ToUpper(after)
}

func TestServerlessNeedsResourceType(t *testing.T) {
	want := &Want{Cache: "orders", Region: "us-east-1", User: "app", Serverless: true}
	for kind, reason := range map[string]string{
		"":                 "ResourceType is missing: the cache is serverless",
		"serverlesscache":  `ResourceType is "serverlesscache" instead of "ServerlessCache"`,
		"ReplicationGroup": `ResourceType is "ReplicationGroup"`,
	} {
		d := newDraft()
		if kind != "" {
			d.with("ResourceType", kind)
		}
		if _, err := verify(t, noon, d.token(), want); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v, want %q", kind, err, reason)
		}
	}
	appended := newDraft().token() + "&ResourceType=ServerlessCache"
	if _, err := verify(t, noon, appended, want); err == nil || !strings.Contains(err.Error(), "the signature is wrong") {
		t.Errorf("ResourceType that is not signed: %v", err)
	}
}

// Every byte of a token counts.
func TestEveryByteCounts(t *testing.T) {
	token := newDraft().token()
	for i := range len(token) {
		for _, b := range []byte{'0', 'a', '%', '&', '=', token[i] ^ 0x20} {
			other := token[:i] + string(b) + token[i+1:]
			if b == token[i] || strings.ReplaceAll(other, "%2f", "%2F") == token {
				continue
			}
			if _, err := verify(t, noon, other, wantOrders); err == nil {
				t.Errorf("accepted with %q at %d: %s", b, i, other)
			}
		}
	}
}

func TestFaultsListsAll(t *testing.T) {
	d := newDraft().with("User", "App").without("X-Amz-Expires").with("X-Amz-Credential", keyID+"/20261121/eu-west-1/elasticache/aws4_request")
	d.host = "Orders"
	faults := Faults([]byte(d.token()), &Want{Cache: "orders", Region: "us-east-1", User: "app", Serverless: true}, noon.Add(-time.Hour))
	for _, want := range []string{`cache "Orders"`, "X-Amz-Expires is missing", `user "App"`, "ResourceType is missing", `region "eu-west-1"`} {
		if !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("%q is not among %q", want, faults)
		}
	}
	if faults := Faults([]byte("hunter2"), wantOrders, noon); len(faults) != 1 || strings.Contains(faults[0], "hunter2") {
		t.Error(faults)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	key := Derive(secret, 20261121, "us-east-1")
	raw := key.Reveal()
	if KeyOf(key.Day, key.Region, raw) != key {
		t.Error("a key that was revealed is not the same again")
	}
	grant := Grant{Keys: []SigningKey{key}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, grant); strings.Contains(text, fmt.Sprint(raw[:4])[1:8]) || strings.Contains(text, "inner") {
			t.Errorf("%s shows the key: %s", verb, text)
		}
	}
}

func TestVerifyAllocatesNothing(t *testing.T) {
	for name, token := range benchmarkTokens() {
		v, _, _ := newVerifier(noon)
		raw := []byte(token)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := v.Verify(context.Background(), raw, wantOrders); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func benchmarkTokens() map[string]string {
	return map[string]string{
		"LongTerm": newDraft().token(),
		"Session": newDraft().with("X-Amz-Credential", sessionID+"/20261121/us-east-1/elasticache/aws4_request").
			with("X-Amz-Security-Token", sessionTok).token(),
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"LongTerm", "Session"} {
		token := []byte(benchmarkTokens()[name])
		b.Run(name, func(b *testing.B) {
			c := clock.NewFake(noon)
			v := New(NewKeyring(&fixedSource{clock: c}, c), c)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(context.Background(), token, wantOrders); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	for _, token := range benchmarkTokens() {
		f.Add([]byte(token))
	}
	f.Add([]byte(newDraft().with("ResourceType", "ServerlessCache").token()))
	f.Add([]byte(strings.ReplaceAll(newDraft().token(), "%2F", "/")))
	f.Add([]byte("orders/?X-Amz-Signature=%&User=+"))
	f.Fuzz(func(t *testing.T, token []byte) {
		for _, isServerless := range []bool{false, true} {
			want := &Want{Cache: "orders", Region: "us-east-1", User: "app", Serverless: isServerless}
			v, _, _ := newVerifier(noon)
			_, err := v.Verify(context.Background(), token, want)
			faults := Faults(token, want, noon)
			if err == nil && faults != nil {
				t.Errorf("accepted in spite of %q", faults)
			}
			if err == nil && !sameMeaning(string(token)) {
				t.Errorf("accepted %q", token)
			}
		}
	})
}

// sameMeaning reports whether a token is one of the drafts' in another spelling;
// nobody can make an accepted one without the secret.
func sameMeaning(token string) bool {
	host, query, _ := strings.Cut(token, "/?")
	values, err := url.ParseQuery(query)
	if err != nil || host != "orders" {
		return false
	}
	d := newDraft()
	d.params = map[string]string{}
	for name := range values {
		d.params[name] = values.Get(name)
	}
	signature := d.params["X-Amz-Signature"]
	delete(d.params, "X-Amz-Signature")
	return signature == d.signature()
}
