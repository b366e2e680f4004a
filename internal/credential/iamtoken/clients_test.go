package iamtoken

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gatehouse/gatehouse/internal/clock"
)

const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// presign makes a token as Go programs do, with the SDK's own signer.
func presign(t testing.TB, id, session, query string, at time.Time) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://orders/?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	creds := aws.Credentials{AccessKeyID: id, SecretAccessKey: secretText, SessionToken: session}
	uri, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, r, emptyBody, "elasticache", "us-east-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(uri, "http://")
}

func TestTokensOfTheGoSDK(t *testing.T) {
	const base = "Action=connect&User=app&X-Amz-Expires=900"
	for name, token := range map[string]string{
		"long-term":          presign(t, keyID, "", base, noon),
		"session":            presign(t, sessionID, sessionTok, base, noon),
		"serverless":         presign(t, keyID, "", base+"&ResourceType=ServerlessCache", noon),
		"serverless session": presign(t, sessionID, sessionTok, base+"&ResourceType=ServerlessCache", noon),
	} {
		want := *wantOrders
		want.Serverless = strings.HasPrefix(name, "serverless")
		if _, err := verify(t, noon, token, &want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := verify(t, noon, presign(t, keyID, "", "Action=connect&User=app", noon), wantOrders); err == nil || !strings.Contains(err.Error(), "X-Amz-Expires is missing") {
		t.Errorf("a token as the SDK makes it without an expiry: %v", err)
	}
}

// boto makes tokens as the ElastiCache guide's Python example does. It signs
// with the real time.
const boto = `
import sys
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
key, secret, session, serverless = sys.argv[1:]
params = {"Action": "connect", "User": "app"}
if serverless == "true":
    params["ResourceType"] = "ServerlessCache"
request = AWSRequest(method="GET", url="http://orders/", params=params)
SigV4QueryAuth(Credentials(key, secret, session or None), "elasticache", "us-east-1", expires=900).add_auth(request)
print(request.prepare().url.replace("http://", ""), end="")
`

func TestTokensOfBoto3(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import botocore").CombinedOutput(); err != nil {
		t.Skipf("Python with botocore is not installed (%v: %s)", err, out)
	}
	for name, c := range map[string]struct{ id, session, serverless string }{
		"long-term":          {keyID, "", "false"},
		"session":            {sessionID, sessionTok, "false"},
		"serverless session": {sessionID, sessionTok, "true"},
	} {
		token, err := exec.Command("python3", "-c", boto, c.id, secretText, c.session, c.serverless).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := *wantOrders
		want.Serverless = c.serverless == "true"
		source := &fixedSource{clock: clock.Real, days: 3}
		v := New(lasting{source}, clock.Real)
		if _, err := v.Verify(context.Background(), token, &want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lasting is a source whose sessions do not end with the tests' clock.
type lasting struct{ *fixedSource }

func (l lasting) Find(ctx context.Context, q Query) (*Grant, *SigningKey, error) {
	g, err := l.Grant(ctx, string(q.AccessKeyID), q.DecodedSession(), q.Region)
	if err != nil {
		return nil, nil, err
	}
	g.Expires = time.Time{}
	return g, g.key(q.Day, q.Region), nil
}

// TestRecordedTokens verifies tokens that other producers made at noon for the
// test's credentials. testdata/tokens.json may serve other implementations.
func TestRecordedTokens(t *testing.T) {
	text, err := os.ReadFile("testdata/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var tokens []struct {
		Producer, Token string
		Serverless      bool
	}
	if err := json.Unmarshal(text, &tokens); err != nil || len(tokens) == 0 {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	for _, recorded := range tokens {
		want := *wantOrders
		want.Serverless = recorded.Serverless
		if _, err := verify(t, noon, recorded.Token, &want); err != nil {
			t.Errorf("%s, serverless %v: %v", recorded.Producer, recorded.Serverless, err)
		}
		want.Serverless = !recorded.Serverless
		if _, err := verify(t, noon, recorded.Token, &want); err == nil {
			t.Errorf("%s, serverless %v: accepted by the other kind of cache", recorded.Producer, recorded.Serverless)
		}
	}
}
