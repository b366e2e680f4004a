package identity

import (
	"crypto/subtle"
	"errors"
	"log/slog"
)

// mask is what every printed form of a Secret shows.
const mask = "********"

// Secret is a credential in clear text. Its text, JSON, Go-syntax and log
// forms are masked, so that it cannot slip into output; Reveal is the one way
// to read it and is easy to search for.
type Secret struct{ text string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the clear text. Callers hand it to a digest, a seal or an
// engine, and never to a log, an error or a reply.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// Equal compares in constant time for equal lengths.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.text), []byte(other.text)) == 1
}

func (s Secret) String() string               { return mask }
func (s Secret) GoString() string             { return mask }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(mask) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText refuses: a secret that went through a masked form is lost, and
// reading the mask back as if it were the secret would be worse.
func (s *Secret) UnmarshalText([]byte) error {
	return errors.New("identity: a secret cannot be read back from its masked form")
}
