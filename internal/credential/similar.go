package credential

import (
	"strings"
	"time"
	"unicode"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// lookalikes are the substitutions by which people vary a password
// without making it a different one.
var lookalikes = strings.NewReplacer(
	"0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b",
	"$", "s", "!", "i", "@", "a",
)

// normalise reduces a secret to what stays when case, digits, punctuation and
// look-alike characters are varied: two secrets with one normal form are
// "similar" in the sense of the ElastiCache guide for AUTH tokens.
func normalise(secret string) string {
	trimmed := strings.TrimFunc(secret, func(r rune) bool { return !unicode.IsLetter(r) })
	plain := lookalikes.Replace(strings.ToLower(trimmed))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, plain)
}

// Remember puts secret at the front of past and drops what is older than the
// last identity.PastSecretsKept.
func (k *Key) Remember(past []identity.PastSecret, secret identity.Secret, used time.Time) []identity.PastSecret {
	entry := identity.PastSecret{
		Exact:      k.Digest(secret),
		Normalised: k.Digest(identity.NewSecret(normalise(secret.Reveal()))),
		Used:       used,
	}
	kept := append([]identity.PastSecret{entry}, past...)
	return kept[:min(len(kept), identity.PastSecretsKept)]
}

// Resembles says whether secret was used before, or is only a variation of one
// that was. A secret without letters resembles nothing but itself.
func (k *Key) Resembles(past []identity.PastSecret, secret identity.Secret) (same, similar bool) {
	plain := normalise(secret.Reveal())
	for i := range past {
		same = same || k.Matches(&past[i].Exact, []byte(secret.Reveal()))
		similar = similar || plain != "" && k.Matches(&past[i].Normalised, []byte(plain))
	}
	return same, similar
}
