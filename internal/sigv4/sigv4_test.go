package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

const (
	keyID   = "AKIDEXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	region  = "us-east-1"
	service = "elasticache"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func verifier() *sigv4.Verifier {
	return &sigv4.Verifier{
		Clock:  clock.NewFake(now),
		Region: region,
		Lookup: func(_ context.Context, id, _ string) (identity.Secret, error) {
			if id != keyID {
				return identity.Secret{}, sigv4.ErrUnknownKey
			}
			return identity.NewSecret(secret), nil
		},
	}
}

// verify judges a request as a server would receive it: written to the wire and
// read again.
func verify(t testing.TB, r *http.Request, body []byte) error {
	t.Helper()
	return verifyReceived(receive(t, r, body), body)
}

func verifyReceived(r *http.Request, body []byte) error {
	a, err := sigv4.Parse(r.Header)
	if err != nil {
		return err
	}
	return verifier().Verify(context.Background(), a, r, body, service)
}

func receive(t testing.TB, r *http.Request, body []byte) *http.Request {
	t.Helper()
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	received, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	return received
}

func newRequest(t testing.TB, method, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sdkSign signs with the AWS SDK's signer, the oracle of these tests.
func sdkSign(t testing.TB, r *http.Request, body []byte, token string, at time.Time) {
	t.Helper()
	sum := sha256.Sum256(body)
	r.ContentLength = int64(len(body))
	creds := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token}
	err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), service, region, at)
	if err != nil {
		t.Fatal(err)
	}
}

func drawRequest(t *rapid.T, tb testing.TB) (*http.Request, []byte) {
	segment := rapid.StringMatching(`[a-zA-Z0-9 ~_%+:@!$&'()*,;=é-]{1,8}`)
	path := "/" + strings.Join(rapid.SliceOfN(segment, 0, 4).Draw(t, "path"), "/")
	query := url.Values{}
	for range rapid.IntRange(0, 4).Draw(t, "parameters") {
		name := rapid.OneOf(rapid.StringN(1, 6, -1), rapid.SampledFrom([]string{"a", "a b"})).Draw(t, "name")
		if !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			query.Add(name, rapid.String().Draw(t, "value"))
		}
	}
	u := url.URL{Scheme: "http", Host: "cache.example:4510", Path: path, RawQuery: query.Encode()}
	r := newRequest(tb, rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(t, "method"), u.String())
	value := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`)
	for _, name := range []string{"Content-Type", "X-Amz-Meta-One", "X-Custom"} {
		if rapid.Bool().Draw(t, name) {
			r.Header.Set(name, value.Draw(t, name+" value"))
		}
	}
	if rapid.Bool().Draw(t, "custom twice") {
		r.Header.Add("X-Custom", value.Draw(t, "second value"))
	}
	return r, rapid.SliceOf(rapid.Byte()).Draw(t, "body")
}

func TestWhatTheSDKSignsIsAccepted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, body := drawRequest(rt, t)
		token := rapid.SampledFrom([]string{"", "FwoGZXIvYXdzEBY+/=="}).Draw(rt, "token")
		skew := time.Duration(rapid.IntRange(-300, 300).Draw(rt, "skew")) * time.Second
		sdkSign(t, r, body, token, now.Add(skew))
		received := receive(t, r, body)
		a, err := sigv4.Parse(received.Header)
		if err != nil {
			rt.Fatal(err)
		}
		v, asked := verifier(), "nothing"
		lookup := v.Lookup
		v.Lookup = func(ctx context.Context, id, token string) (identity.Secret, error) {
			asked = token
			return lookup(ctx, id, token)
		}
		if err := v.Verify(context.Background(), a, received, body, service); err != nil || asked != token {
			rt.Fatalf("%s %s: %v, with session token %q", r.Method, r.URL, err, asked)
		}
	})
}

func TestWhatWeSignIsAcceptedAndEqualsTheSDKs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, body := drawRequest(rt, t)
		r.Header.Del("X-Custom") // the SDK signs it, Sign does not
		theirs := r.Clone(context.Background())
		key := sigv4.Key{ID: keyID, Secret: identity.NewSecret(secret)}
		if err := sigv4.Sign(r, body, key, region, service, now); err != nil {
			rt.Fatal(err)
		}
		theirs.Header.Set("X-Amz-Content-Sha256", r.Header.Get("X-Amz-Content-Sha256"))
		sdkSign(t, theirs, nil, "", now) // nil: so that the SDK does not sign Content-Length
		if len(body) == 0 && r.Header.Get("Authorization") != theirs.Header.Get("Authorization") {
			rt.Fatalf("ours   %s\ntheirs %s", r.Header.Get("Authorization"), theirs.Header.Get("Authorization"))
		}
		if err := verify(t, r, body); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestAnyChangeBreaksTheSignature(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, body := drawRequest(rt, t)
		r.Header.Set("X-Custom", "signed")
		sdkSign(t, r, body, "", now)
		received := receive(t, r, body)
		changed := rapid.SampledFrom([]string{"method", "path", "query", "host", "header", "body", "signature"}).Draw(rt, "changed")
		switch changed {
		case "method":
			received.Method = "PATCH"
		case "path":
			received.URL.Path, received.URL.RawPath = received.URL.Path+"x", ""
		case "query":
			received.URL.RawQuery += "&added=1"
		case "host":
			received.Host = "other.example"
		case "header":
			received.Header.Set("X-Custom", "changed")
		case "body":
			body = append(bytes.Clone(body), '!')
		case "signature":
			header := received.Header.Get("Authorization")
			last := header[len(header)-1]
			received.Header.Set("Authorization", header[:len(header)-1]+string('0'+(last+1)%10))
		}
		err := verifyReceived(received, body)
		var refusal *sigv4.Error
		if !errors.As(err, &refusal) || refusal.Code != sigv4.CodeDoesNotMatch {
			rt.Fatalf("%s changed: %v", changed, err)
		}
	})
}

// Every refusal, with the words that AWS uses for it.
func TestRefusals(t *testing.T) {
	const body = "Action=DescribeUsers&Version=2015-02-02"
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			header := r.Header.Get("Authorization")
			if !strings.Contains(header, old) {
				panic("the header has no " + old)
			}
			r.Header.Set("Authorization", strings.Replace(header, old, with, 1))
		}
	}
	cases := map[string]struct {
		at      time.Time
		change  func(*http.Request)
		status  int
		code    string
		message string // a part of it
	}{
		"no header":         {change: func(r *http.Request) { r.Header.Del("Authorization") }, status: 403, code: "MissingAuthenticationToken", message: "Request is missing Authentication Token"},
		"another scheme":    {change: func(r *http.Request) { r.Header.Set("Authorization", "Basic dTpw") }, status: 403, code: "MissingAuthenticationToken", message: "missing Authentication Token"},
		"two headers":       {change: func(r *http.Request) { r.Header.Add("Authorization", "AWS4-HMAC-SHA256 x") }, status: 400, code: "IncompleteSignature", message: "more than one 'Authorization'"},
		"no equal sign":     {change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential") }, status: 400, code: "IncompleteSignature", message: "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header"},
		"nothing in it":     {change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 ") }, status: 400, code: "IncompleteSignature", message: "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "},
		"no date":           {change: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, status: 400, code: "IncompleteSignature", message: "requires existence of either a 'X-Amz-Date' or a 'Date' header. "},
		"field twice":       {change: replace("SignedHeaders=", "Signature=00, SignedHeaders="), status: 400, code: "IncompleteSignature", message: "more than one 'Signature'"},
		"unknown field":     {change: replace("SignedHeaders=", "Extra=1, SignedHeaders="), status: 400, code: "IncompleteSignature", message: "'Extra' is not a parameter"},
		"algorithm":         {change: replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), status: 400, code: "IncompleteSignature", message: "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'"},
		"four parts":        {change: replace("/aws4_request", ""), status: 400, code: "IncompleteSignature", message: "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"},
		"unsorted names":    {change: replace("SignedHeaders=content-length;", "SignedHeaders=x;content-length;"), status: 400, code: "IncompleteSignature", message: "must be sorted"},
		"upper-case names":  {change: replace("SignedHeaders=content-length;", "SignedHeaders=Content-Length;"), status: 400, code: "IncompleteSignature", message: "lower case"},
		"date format":       {change: func(r *http.Request) { r.Header.Set("X-Amz-Date", "2026-03-01") }, status: 400, code: "IncompleteSignature", message: "Date must be in ISO-8601 'basic format'. Got '2026-03-01'."},
		"date twice":        {change: func(r *http.Request) { r.Header.Add("X-Amz-Date", "20260301T120000Z") }, status: 400, code: "IncompleteSignature", message: "more than one 'X-Amz-Date'"},
		"stale":             {at: now.Add(-5*time.Minute - time.Second), status: 403, code: "SignatureDoesNotMatch", message: "Signature expired: 20260301T115459Z is now earlier than 20260301T115500Z (20260301T120000Z - 5 min.)"},
		"future":            {at: now.Add(5*time.Minute + time.Second), status: 403, code: "SignatureDoesNotMatch", message: "Signature not yet current: 20260301T120501Z is still later than 20260301T120500Z (20260301T120000Z + 5 min.)"},
		"host not signed":   {change: replace("host;", ""), status: 403, code: "SignatureDoesNotMatch", message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		"header not signed": {change: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "t") }, status: 403, code: "SignatureDoesNotMatch", message: "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."},
		"region":            {change: replace("us-east-1", "mars-1"), status: 403, code: "SignatureDoesNotMatch", message: "Credential should be scoped to a valid region, not 'mars-1'. "},
		"service":           {change: replace("/elasticache/", "/s3/"), status: 403, code: "SignatureDoesNotMatch", message: "Credential should be scoped to correct service: 'elasticache'. "},
		"terminator":        {change: replace("aws4_request", "aws5"), status: 403, code: "SignatureDoesNotMatch", message: "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. "},
		"day":               {change: replace("/20260301/", "/20260228/"), status: 403, code: "SignatureDoesNotMatch", message: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260228' != '20260301', from '20260301T120000Z'."},
		"region, service":   {change: replace("us-east-1/elasticache", "a/b"), status: 403, code: "SignatureDoesNotMatch", message: "not 'a'. Credential should be scoped to correct service: 'elasticache'. "},
		"made-up key":       {change: replace(keyID, "AKIDMADEUP"), status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid."},
		"wrong signature":   {change: replace("Signature=", "Signature=0"), status: 403, code: "SignatureDoesNotMatch", message: "The request signature we calculated does not match the signature you provided."},
		"query signature":   {change: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=00" }, status: 403, code: "SignatureDoesNotMatch", message: "Found both 'X-Amz-Signature' as a query-string param and 'Authorization' as HTTP header."},
		"bad escape":        {change: func(r *http.Request) { r.URL.RawQuery = "a=%2" }, status: 404, code: "MalformedQueryString", message: "Incomplete trailing escape % sequence"},
		"bad hexadecimal":   {change: func(r *http.Request) { r.URL.RawQuery = "a=%zz" }, status: 404, code: "MalformedQueryString", message: "Illegal hex character in escape % pattern: %zz"},
		"relative path":     {change: func(r *http.Request) { r.URL.Path = "/a/../" }, status: 400, code: "IncompleteSignature", message: "relative segments"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, "POST", "http://cache.example/")
			if c.at.IsZero() {
				c.at = now
			}
			sdkSign(t, r, []byte(body), "", c.at)
			r = receive(t, r, []byte(body))
			if c.change != nil {
				c.change(r)
			}
			err := verifyReceived(r, []byte(body))
			var refusal *sigv4.Error
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v", err)
			}
			if refusal.Status != c.status || refusal.Code != c.code || !strings.Contains(refusal.Message, c.message) {
				t.Errorf("got %d %s %q", refusal.Status, refusal.Code, refusal.Message)
			}
		})
	}
}

func TestTheBodyHashHeaderMustBeTheBodys(t *testing.T) {
	for _, claimed := range []string{"UNSIGNED-PAYLOAD", strings.Repeat("0", 64)} {
		r := newRequest(t, "POST", "http://cache.example/")
		r.Header.Set("X-Amz-Content-Sha256", claimed)
		creds := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
		if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, claimed, service, region, now); err != nil {
			t.Fatal(err)
		}
		err := verify(t, r, []byte("body"))
		var refusal *sigv4.Error
		if !errors.As(err, &refusal) || !strings.Contains(refusal.Message, "x-amz-content-sha256") {
			t.Errorf("%s: %v", claimed, err)
		}
	}
}

func TestADateHeaderDoesWhenItIsSigned(t *testing.T) {
	date := now.Format(http.TimeFormat)
	for signed, want := range map[string]string{"date;host": "", "host": "'Date' must be a 'SignedHeader'"} {
		r := newRequest(t, "GET", "http://cache.example/")
		r.Header.Set("Date", date)
		headers := "host:cache.example\n"
		if signed != "host" {
			headers = "date:" + date + "\n" + headers
		}
		empty := sha256.Sum256(nil)
		canonical := "GET\n/\n\n" + headers + "\n" + signed + "\n" + hex.EncodeToString(empty[:])
		hash := sha256.Sum256([]byte(canonical))
		key := []byte("AWS4" + secret)
		for _, part := range []string{"20260301", region, service, "aws4_request", "AWS4-HMAC-SHA256\n20260301T120000Z\n20260301/us-east-1/elasticache/aws4_request\n" + hex.EncodeToString(hash[:])} {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(part))
			key = mac.Sum(nil)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20260301/us-east-1/elasticache/aws4_request, SignedHeaders="+signed+", Signature="+hex.EncodeToString(key))
		err := verify(t, r, nil)
		if (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("signed %s: %v", signed, err)
		}
	}
}

// A failing Lookup is the server's fault and must not look like the caller's.
func TestAFailingLookupIsNoRefusal(t *testing.T) {
	v := verifier()
	v.Lookup = func(context.Context, string, string) (identity.Secret, error) {
		return identity.Secret{}, io.ErrUnexpectedEOF
	}
	r := newRequest(t, "GET", "http://cache.example/")
	sdkSign(t, r, nil, "", now)
	r = receive(t, r, nil)
	a, err := sigv4.Parse(r.Header)
	if err != nil {
		t.Fatal(err)
	}
	err = v.Verify(context.Background(), a, r, nil, service)
	var refusal *sigv4.Error
	if errors.As(err, &refusal) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{
		"", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=a/20260301/us-east-1/elasticache/aws4_request,SignedHeaders=host;x-amz-date,Signature=ff",
		"AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;;,Signature==", "Basic dTpw", "AWS4-HMAC-SHA256 =,=,=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := newRequest(t, "POST", "http://cache.example/")
		r.Header = http.Header{"Authorization": {header}, "X-Amz-Date": {"20260301T120000Z"}}
		a, err := sigv4.Parse(r.Header)
		var refusal *sigv4.Error
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatalf("%q: %v is not a refusal", header, err)
			}
			return
		}
		if len(a.SignedHeaders) == 0 || a.Signature == "" {
			t.Fatalf("%q was read as %+v", header, a)
		}
		if err := verifier().Verify(context.Background(), a, r, nil, service); !errors.As(err, &refusal) {
			t.Fatalf("%q was judged %v", header, err)
		}
	})
}

// The query that is signed and the query that is read afterwards must be the same.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=1&a=2", "a=%20+b", "=&&=", "%", "a=%C3%A9", "b&a", "a;b=c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := newRequest(t, "GET", "http://cache.example/")
		r.URL.RawQuery = raw
		key := sigv4.Key{ID: keyID, Secret: identity.NewSecret(secret)}
		if err := sigv4.Sign(r, nil, key, region, service, now); err != nil {
			return
		}
		if err := verifyReceived(r, nil); err != nil {
			t.Fatalf("%q: signed by us and refused by us: %v", raw, err)
		}
	})
}
