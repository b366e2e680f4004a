package credential

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

var testKey = NewKey([32]byte{1, 2, 3})

func TestDigest(t *testing.T) {
	longest := strings.Repeat("x", MaxPassword)
	for _, secret := range []string{"", "a password of some length", longest} {
		d := testKey.Digest(identity.NewSecret(secret))
		if !testKey.Matches(&d, []byte(secret)) {
			t.Errorf("%d bytes do not match their own digest", len(secret))
		}
		for _, other := range []string{secret + "x", secret + "\x00", strings.TrimSuffix(secret, "x") + "y"} {
			if testKey.Matches(&d, []byte(other)) {
				t.Errorf("%d other bytes match the digest of %d", len(other), len(secret))
			}
		}
		if again := testKey.Digest(identity.NewSecret(secret)); again == d {
			t.Error("two digests of one secret are the same: the salt is missing")
		}
		if NewKey([32]byte{9}).Matches(&d, []byte(secret)) {
			t.Error("another key accepts the secret")
		}
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	d := testKey.Digest(identity.NewSecret("a password of some length"))
	guess := []byte("another guess of the same kind")
	if n := testing.AllocsPerRun(100, func() { testKey.Matches(&d, guess) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestResembles(t *testing.T) {
	now := time.Unix(1e9, 0)
	past := testKey.Remember(nil, identity.NewSecret("Correct-Horse-Battery-1"), now)
	for secret, want := range map[string]struct{ same, similar bool }{
		"Correct-Horse-Battery-1": {true, true},
		"correct-horse-battery-2": {false, true},
		"C0rrect!Horse!Battery!9": {false, false}, // "!" reads as the letter i inside
		"C0rrect-H0rse-B4ttery-9": {false, true},
		"an-entirely-other-token": {false, false},
		"1234567890123456":        {false, false},
	} {
		same, similar := testKey.Resembles(past, identity.NewSecret(secret))
		if same != want.same || similar != want.similar {
			t.Errorf("%s: same %v, similar %v", secret, same, similar)
		}
	}
}

func TestRememberKeepsTheLast(t *testing.T) {
	var past []identity.PastSecret
	for i := range identity.PastSecretsKept + 2 {
		past = testKey.Remember(past, identity.NewSecret(strings.Repeat("secret ", i+1)), time.Unix(int64(i), 0))
	}
	if len(past) != identity.PastSecretsKept || past[0].Used.Unix() != int64(identity.PastSecretsKept+1) {
		t.Errorf("%d kept, the newest from %v", len(past), past[0].Used)
	}
	if same, _ := testKey.Resembles(past, identity.NewSecret("secret ")); same {
		t.Error("the oldest was not forgotten")
	}
}
