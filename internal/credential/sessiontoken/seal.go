package sessiontoken

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// MaxToken is the longest token that Seal makes and Open reads, in bytes. It
// leaves an IAM token that carries it within the bounds of package iamtoken.
const MaxToken = 4096

// The sealed form is base64url (whose characters need no escaping in a query)
// of version ‖ key id ‖ expiry ‖ nonce ‖ ciphertext ‖ tag. All that stands before
// the nonce, and the access key id, is authenticated though not encrypted.
const (
	version    = 1
	keyIDSize  = 4
	headerSize = 1 + keyIDSize + 8
)

// Errors of Open. A caller outside is told only that the token is not valid.
var (
	// ErrInvalid means that the token was not sealed by these keys for this
	// access key, or was changed.
	ErrInvalid = errors.New("the session token is not valid")
	// ErrExpired means that the token is genuine and its session has ended.
	ErrExpired = errors.New("the session has expired")
)

// Keys seal with the first key and open with any of them.
type Keys struct{ keys []key }

type key struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
}

// NewKeys makes sealing keys of 32 random bytes each: the current one, and
// earlier ones whose sessions may still run.
func NewKeys(current [32]byte, earlier ...[32]byte) (*Keys, error) {
	ks := &Keys{}
	for _, secret := range append([][32]byte{current}, earlier...) {
		block, err := aes.NewCipher(secret[:])
		if err != nil {
			return nil, fmt.Errorf("making a key for session tokens: %w", err)
		}
		// Random nonces of 96 bits are safe for 2³² tokens under one key
		// (NIST SP 800-38D, 8.3).
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("making a key for session tokens: %w", err)
		}
		sum := sha256.Sum256(append([]byte("gatehouse session token key id"), secret[:]...))
		ks.keys = append(ks.keys, key{id: [keyIDSize]byte(sum[:keyIDSize]), aead: aead})
	}
	return ks, nil
}

// Seal makes the token of a session. It fails only when contents are too long.
func (ks *Keys) Seal(accessKeyID string, expires time.Time, contents []byte) (string, error) {
	k := ks.keys[0]
	header := make([]byte, 0, headerSize)
	header = append(header, version)
	header = append(header, k.id[:]...)
	header = binary.BigEndian.AppendUint64(header, uint64(expires.Unix()))
	sealed := k.aead.Seal(bytes.Clone(header), nil, contents, bind(header, accessKeyID))
	token := base64.RawURLEncoding.EncodeToString(sealed)
	if len(token) > MaxToken {
		return "", fmt.Errorf("sealing a session token: it would have %d bytes, and %d is the most", len(token), MaxToken)
	}
	return token, nil
}

// Open returns the contents and the end of the session, if the token belongs
// to the access key and the session has not ended. The error is ErrInvalid or
// ErrExpired.
func (ks *Keys) Open(token, accessKeyID string, now time.Time) (contents []byte, expires time.Time, err error) {
	if len(token) > MaxToken {
		return nil, time.Time{}, ErrInvalid
	}
	// One text for one token: Strict refuses bits that mean nothing, and the
	// length shows line breaks, which the decoder passes over.
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(sealed)) != len(token) || len(sealed) < headerSize || sealed[0] != version {
		return nil, time.Time{}, ErrInvalid
	}
	header := sealed[:headerSize]
	for _, k := range ks.keys {
		if !bytes.Equal(header[1:1+keyIDSize], k.id[:]) {
			continue
		}
		contents, err := k.aead.Open(nil, nil, sealed[headerSize:], bind(header, accessKeyID))
		if err != nil {
			return nil, time.Time{}, ErrInvalid
		}
		expires := time.Unix(int64(binary.BigEndian.Uint64(header[1+keyIDSize:])), 0).UTC()
		if !now.Before(expires) {
			return nil, time.Time{}, ErrExpired
		}
		return contents, expires, nil
	}
	return nil, time.Time{}, ErrInvalid
}

// bind is the additional data of the seal. The header has a fixed size, so no
// two pairs of header and access key give the same.
func bind(header []byte, accessKeyID string) []byte {
	return append(bytes.Clone(header), accessKeyID...)
}
