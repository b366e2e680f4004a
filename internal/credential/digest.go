package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// MaxPassword is the longest password or token, in bytes
// (ElastiCache user guide: 16–128 characters).
const MaxPassword = 128

const (
	blockSize = 64 // of SHA-256, in bytes
	saltSize  = len(identity.Digest{}.Salt)
)

// Key is the secret part of every digest. It is not kept in the store, so that
// whoever copies the store cannot try passwords against it.
type Key struct{ inner, outer [blockSize]byte }

// NewKey makes a key from 32 random bytes.
func NewKey(secret [32]byte) *Key {
	k := &Key{}
	copy(k.inner[:], secret[:])
	copy(k.outer[:], secret[:])
	for i := range k.inner {
		k.inner[i] ^= 0x36 // RFC 2104: inner and outer padding
		k.outer[i] ^= 0x5c
	}
	return k
}

// Digest returns a digest of secret under a new salt.
func (k *Key) Digest(secret identity.Secret) identity.Digest {
	var d identity.Digest
	_, _ = rand.Read(d.Salt[:]) // crypto/rand.Read never fails since Go 1.24
	d.Sum = k.sum(&d.Salt, []byte(secret.Reveal()))
	return d
}

// Matches reports whether secret is the one that d was made of. It takes the
// same time for every secret of a length and allocates nothing.
func (k *Key) Matches(d *identity.Digest, secret []byte) bool {
	sum := k.sum(&d.Salt, secret)
	same := subtle.ConstantTimeCompare(sum[:], d.Sum[:])
	return same == 1 && len(secret) <= MaxPassword
}

// Fingerprint tells one text from another without saying what it is: the same
// text has the same fingerprint under one key. Only its beginning counts.
func (k *Key) Fingerprint(text string) string {
	sum := k.sum(new([saltSize]byte), []byte(text))
	return hex.EncodeToString(sum[:4])
}

// sum is HMAC-SHA256(key, salt ‖ secret) (RFC 2104) on the stack. Of a secret
// that is too long to be right only the beginning is digested.
func (k *Key) sum(salt *[saltSize]byte, secret []byte) [sha256.Size]byte {
	var inner [blockSize + saltSize + MaxPassword]byte
	n := copy(inner[:], k.inner[:])
	n += copy(inner[n:], salt[:])
	n += copy(inner[n:], secret)
	first := sha256.Sum256(inner[:n])
	var outer [blockSize + sha256.Size]byte
	copy(outer[:], k.outer[:])
	copy(outer[blockSize:], first[:])
	return sha256.Sum256(outer[:])
}
