package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// sound is a token without a fault at soundAt for the cache orders.
const sound = "orders/?Action=connect&User=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLEEXAMPLE00%2F20261121%2Feu-west-1%2Felasticache%2Faws4_request" +
	"&X-Amz-Date=20261121T060000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var soundAt = time.Date(2026, 11, 21, 6, 1, 0, 0, time.UTC)

func TestEveryFaultOfATokenHasAdvice(t *testing.T) {
	want := iamtoken.Want{Cache: "orders", Region: "eu-west-1", User: "app"}
	if faults := iamtoken.Faults([]byte(sound), &want, soundAt); len(faults) > 0 {
		t.Fatalf("the sound token: %q", faults)
	}
	for _, test := range []struct{ old, new, advice string }{
		{"orders/", "Orders/", "lower case"},
		{"orders/", "http://orders/", "Cut"},
		{"orders/", "orders.example.com:6379/", "not for its endpoint"},
		{"orders/", "other/", "for each cache"},
		{"User=app", "User=App", "lower case"},
		{"User=app", "User=bob", "user id"},
		{"User=app", "ResourceType=ServerlessCache&User=app", "without ResourceType"},
		{"eu-west-1", "us-east-1", "own region"},
		{"elasticache", "memorydb", "service name"},
		{"Action=connect", "Action=other", "Action=connect"},
		{"20261121T060000Z", "20261121T020000Z", "new token"},
		{"20261121T060000Z", "20261121T120000Z", "clock"},
		{"Expires=900", "Expires=901", "Make the token with"},
		{"X-Amz-Expires=900&", "", "Make the token with"},
		{"User=app", "User=app&User=app", "Make the token with"},
		{"User=app", "Other=app", "Make the token with"},
		{"0123456789abcdef", "0123456789ABCDEF", "Make the token with"},
		{sound, "a-password", "logs in with IAM"},
	} {
		faults := iamtoken.Faults([]byte(strings.Replace(sound, test.old, test.new, 1)), &want, soundAt)
		if len(faults) == 0 || !strings.Contains(whatNext(faults[0]), test.advice) {
			t.Errorf("%s for %s: %q, advice %q", test.new, test.old, faults, whatNext(strings.Join(faults, " ")))
		}
	}
	want.Serverless = true
	if faults := iamtoken.Faults([]byte(sound), &want, soundAt); !strings.Contains(whatNext(faults[0]), "ServerlessCache") {
		t.Errorf("serverless: %q", faults)
	}
}

func TestOtherReasonsHaveAdvice(t *testing.T) {
	for reason, advice := range map[string]string{
		"there is no such user at this cache":                                   "user group",
		"the user is disabled (its access string says off)":                     "Enable",
		"the password is wrong":                                                 "Compare",
		"the AUTH token is wrong":                                               "Compare",
		"the ticket has been used already":                                      "new ticket",
		"the cache or its node is gone":                                         "endpoint",
		"access key X: " + iamtoken.ErrUnknownKey.Error():                       "deleted",
		"access key X: " + iamtoken.ErrInactiveKey.Error():                      "Activate",
		"access key X: " + iamtoken.ErrSession.Error():                          "new credentials",
		"access key X: " + iamtoken.ErrUnavailable.Error():                      "control plane",
		"a: elasticache:Connect on b denied: no policy allows it":               "Allow elasticache:Connect",
		"X-Amz-Security-Token is missing: the key is a temporary":               "session token",
		"the session that signed the token expired 3 minutes ago":               "renew",
		"access key X: the session token is not valid: its session has expired": "renew",
	} {
		if got := whatNext(reason); !strings.Contains(got, advice) {
			t.Errorf("%s: %q", reason, got)
		}
	}
	if got := whatNext("something new"); got != "" {
		t.Errorf("advice for what nobody knows: %q", got)
	}
}

func TestRefusalsAreGroupedByWhatHelps(t *testing.T) {
	at := func(minute int, user, source, reason string) trail.Record {
		return trail.Record{Time: time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC), Cache: "orders", User: user, Source: source, Reason: reason}
	}
	groups := group([]trail.Record{
		at(1, "app", "10.0.0.1:1", "expired 3 minutes ago (signed 18 minutes ago, valid for 15 minutes)"),
		at(2, "app", "10.0.0.1:2", "expired 4 minutes ago (signed 19 minutes ago, valid for 15 minutes)"),
		at(3, "app", "[::1]:2", "expired 5 minutes ago (signed 20 minutes ago, valid for 15 minutes)"),
		at(4, "app", "10.0.0.1:4", "the password is wrong"),
		at(5, "app", "10.0.0.1:5", "expired 7 minutes ago (signed 22 minutes ago, valid for 15 minutes)"),
	})
	var text strings.Builder
	if err := explain(&text, groups); err != nil {
		t.Fatal(err)
	}
	if len(groups) != 3 || groups[0].Count != 3 || groups[0].First.Minute() != 1 || groups[0].Last.Minute() != 5 ||
		!strings.Contains(groups[0].Reason, "7 minutes") || groups[1].Reason != "the password is wrong" || groups[2].Source != "::1" {
		t.Errorf("groups:\n%s", text.String())
	}
}

func TestATerminalIsNotCommanded(t *testing.T) {
	if got := printable("a\x1b[2Jb\n\u202eö"); got != `a\x1b[2Jb\n\u202eö` {
		t.Errorf("printable: %q", got)
	}
}
