package iamtoken

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// Day is a date in UTC as a number: 20261121.
type Day int

// DayAt is the day of t in UTC.
func DayAt(t time.Time) Day { return dayOf(t.UTC()) }

func dayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(y*10000 + int(m)*100 + d)
}

// SigningKey is what tokens of one access key are signed with on one day in one
// region. It cannot be turned back into the secret access key.
type SigningKey struct {
	Day    Day
	Region string
	// inner and outer are the key with HMAC's paddings (RFC 2104).
	inner, outer [blockSize]byte
}

// Derive makes a signing key from a secret access key. Only the control plane
// has one.
func Derive(secret identity.Secret, day Day, region string) SigningKey {
	k := mac([]byte("AWS4"+secret.Reveal()), strconv.Itoa(int(day)))
	k = mac(k, region)
	k = mac(k, service)
	return newSigningKey(day, region, mac(k, terminator))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func newSigningKey(day Day, region string, key []byte) SigningKey {
	k := SigningKey{Day: day, Region: region}
	copy(k.inner[:], key)
	copy(k.outer[:], key)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// finish is HMAC-SHA256 of a text that k.inner stands in front of.
func (k *SigningKey) finish(text []byte) [sha256.Size]byte {
	first := sha256.Sum256(text)
	var outer [blockSize + sha256.Size]byte
	copy(outer[:], k.outer[:])
	copy(outer[blockSize:], first[:])
	return sha256.Sum256(outer[:])
}

// String masks the key.
func (k SigningKey) String() string { return fmt.Sprintf("key for %d in %s", k.Day, k.Region) }

// GoString masks the key.
func (k SigningKey) GoString() string { return k.String() }

// Reveal returns the key in clear, for the sealed link from the control plane
// to a gateway and for nothing else.
func (k *SigningKey) Reveal() (key [sha256.Size]byte) {
	for i := range key {
		key[i] = k.inner[i] ^ 0x36
	}
	return key
}

// KeyOf is the signing key that Reveal showed.
func KeyOf(day Day, region string, key [sha256.Size]byte) SigningKey {
	return newSigningKey(day, region, key[:])
}

// SessionDigest is the SHA-256 of a session token in percent-encoded form, by
// which a gateway knows it again without keeping it; zero for long-term
// credentials.
type SessionDigest [sha256.Size]byte

// DigestSession digests a session token; "" gives the zero digest.
func DigestSession(token string) SessionDigest {
	if token == "" {
		return SessionDigest{}
	}
	var encoded []byte
	for i := range len(token) {
		encoded = encode(encoded, token[i])
	}
	return sha256.Sum256(encoded)
}

// Grant is what a verifier knows of one access key. It is never changed after
// it was handed out.
type Grant struct {
	AccessKeyID string
	Principal   policy.Principal
	Policies    policy.Policies // for evaluating elasticache:Connect
	Session     SessionDigest
	Expires     time.Time // of the session; zero for long-term credentials
	Keys        []SigningKey
}

// key finds the signing key of a day in a region.
func (g *Grant) key(day Day, region string) *SigningKey {
	for i := range g.Keys {
		if k := &g.Keys[i]; k.Day == day && k.Region == region {
			return k
		}
	}
	return nil
}
