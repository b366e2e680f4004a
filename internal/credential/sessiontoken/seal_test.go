package sessiontoken

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const keyID = "ASIAIOSFODNN7EXAMPLE"

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newKeys(t testing.TB, secrets ...byte) *Keys {
	t.Helper()
	var all [][32]byte
	for _, s := range secrets {
		all = append(all, [32]byte{s})
	}
	ks, err := NewKeys(all[0], all[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return ks
}

func seal(t testing.TB, ks *Keys, contents string) string {
	t.Helper()
	token, err := ks.Seal(keyID, noon.Add(time.Hour), []byte(contents))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestSealAndOpen(t *testing.T) {
	ks := newKeys(t, 1)
	token := seal(t, ks, "who and what")
	contents, expires, err := ks.Open(token, keyID, noon)
	if err != nil || string(contents) != "who and what" || !expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("%q, %v, %v", contents, expires, err)
	}
	if strings.Contains(token, "who") || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("token %q", token)
	}
	if seal(t, ks, "who and what") == token {
		t.Error("two seals of the same contents are equal")
	}
}

func TestOpenRefuses(t *testing.T) {
	ks := newKeys(t, 1)
	token := seal(t, ks, "x")
	for name, test := range map[string]struct {
		keys       *Keys
		token, key string
		now        time.Time
		want       error
	}{
		"another access key":  {ks, token, "ASIAXXXXXXXXXXXXXXXX", noon, ErrInvalid},
		"no access key":       {ks, token, "", noon, ErrInvalid},
		"another sealing key": {newKeys(t, 2), token, keyID, noon, ErrInvalid},
		"the end of its life": {ks, token, keyID, noon.Add(time.Hour), ErrExpired},
		"empty":               {ks, "", keyID, noon, ErrInvalid},
		"not base64":          {ks, "!!!!", keyID, noon, ErrInvalid},
		"cut short":           {ks, token[:len(token)-4], keyID, noon, ErrInvalid},
		"only a header":       {ks, token[:17], keyID, noon, ErrInvalid},
		"lengthened":          {ks, token + "AAAA", keyID, noon, ErrInvalid},
		"padded":              {ks, token + "=", keyID, noon, ErrInvalid},
		"a line break":        {ks, token[:8] + "\n" + token[8:], keyID, noon, ErrInvalid},
		"far too long":        {ks, strings.Repeat("A", MaxToken+1), keyID, noon, ErrInvalid},
	} {
		if contents, _, err := test.keys.Open(test.token, test.key, test.now); !errors.Is(err, test.want) || contents != nil {
			t.Errorf("%s: %q, %v, want %v", name, contents, err, test.want)
		}
	}
}

// No byte can be changed, the expiry in the header least of all.
func TestEveryCharacterCounts(t *testing.T) {
	ks := newKeys(t, 1)
	token := seal(t, ks, "x")
	for i := range len(token) {
		for _, c := range "AZaz09-_" {
			other := token[:i] + string(c) + token[i+1:]
			if other == token {
				continue
			}
			if _, _, err := ks.Open(other, keyID, noon); !errors.Is(err, ErrInvalid) {
				t.Errorf("with %q at %d: %v", c, i, err)
			}
		}
	}
}

func TestRotation(t *testing.T) {
	old := seal(t, newKeys(t, 1), "old")
	both := newKeys(t, 2, 1)
	if _, _, err := both.Open(old, keyID, noon); err != nil {
		t.Errorf("a token of the earlier key: %v", err)
	}
	fresh := seal(t, both, "fresh")
	if _, _, err := newKeys(t, 2).Open(fresh, keyID, noon); err != nil {
		t.Errorf("a token of the current key: %v", err)
	}
	if _, _, err := newKeys(t, 1).Open(fresh, keyID, noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("the earlier key opens a token of the current one: %v", err)
	}
}

func TestContentsAreBounded(t *testing.T) {
	ks := newKeys(t, 1)
	if _, err := ks.Seal(keyID, noon, make([]byte, MaxToken)); err == nil {
		t.Error("a token that Open would refuse was sealed")
	}
}

func FuzzOpen(f *testing.F) {
	ks := newKeys(f, 1)
	f.Add(seal(f, ks, "contents"))
	f.Add("")
	f.Add("AQAAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		contents, _, err := ks.Open(token, "ASIAXXXXXXXXXXXXXXXX", noon) // sealed for nobody
		if err == nil {
			t.Errorf("%q opens: %q", token, contents)
		}
	})
}
