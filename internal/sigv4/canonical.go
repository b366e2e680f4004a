package sigv4

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	headerDate          = "X-Amz-Date"
	headerContentSHA256 = "X-Amz-Content-Sha256"
	headerSecurityToken = "X-Amz-Security-Token"
	basicFormat         = "20060102T150405Z"
	dayFormat           = "20060102"
)

// canonicalRequest is the text whose hash is signed.
func canonicalRequest(r *http.Request, body []byte, signed []string) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(r.Method)
	b.WriteByte('\n')
	b.WriteString(canonicalPath(r.URL.EscapedPath()))
	b.WriteByte('\n')
	b.WriteString(query)
	b.WriteByte('\n')
	for _, name := range signed {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(canonicalHeader(r, name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(signed, ";"))
	b.WriteByte('\n')
	b.WriteString(bodyHash(body))
	return b.String(), nil
}

func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// canonicalPath encodes the path as it was sent once more, segment by segment.
func canonicalPath(escaped string) string {
	if escaped == "" {
		return "/"
	}
	return escape(escaped, '/')
}

// plainPath says that normalising (RFC 3986, section 6) would leave the path
// alone. SDKs differ in whether they normalise before they sign, so a path
// where it matters would have two meanings under one signature.
func plainPath(escaped string) bool {
	inner, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return escaped == ""
	}
	segments := strings.Split(inner, "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		if segment == "." || segment == ".." || (segment == "" && !last) {
			return false
		}
	}
	return true
}

// canonicalQuery decodes every name and value, encodes them by RFC 3986 and
// sorts the pairs by encoded name, then by encoded value. A plus sign is a
// space, as it is for whoever reads the parameters afterwards.
func canonicalQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := unescape(name)
		if err != nil {
			return "", err
		}
		value, err = unescape(value)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, pair{escape(name, 0), escape(value, 0)})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String(), nil
}

// canonicalHeader returns a header's values, trimmed, with runs of blanks made
// one, joined by commas.
func canonicalHeader(r *http.Request, name string) string {
	switch name {
	case "host":
		return strings.TrimSpace(r.Host)
	case "content-length":
		if len(r.Header.Values(name)) == 0 && r.ContentLength > 0 {
			return strconv.FormatInt(r.ContentLength, 10)
		}
	}
	values := r.Header.Values(name)
	folded := make([]string, len(values))
	for i, value := range values {
		folded[i] = fold(value)
	}
	return strings.Join(folded, ",")
}

func fold(value string) string {
	return strings.Join(strings.FieldsFunc(value, func(c rune) bool {
		return c == ' ' || c == '\t' || c == '\r' || c == '\n'
	}), " ")
}

// escape percent-encodes all but RFC 3986's unreserved characters and keep.
func escape(s string, keep byte) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; unreserved(c) || (keep != 0 && c == keep) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] != '%':
			b.WriteByte(s[i])
		case i+2 >= len(s):
			return "", malformedQuery("Incomplete trailing escape % sequence")
		default:
			c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", malformedQuery("Illegal hex character in escape % pattern: %" + s[i+1:i+3])
			}
			b.WriteByte(byte(c))
			i += 2
		}
	}
	return b.String(), nil
}

// malformedQuery has the status that AWS documents for this code.
func malformedQuery(message string) error {
	return &Error{Code: "MalformedQueryString", Status: http.StatusNotFound, Message: message}
}

// signature computes the signature of a canonical request.
func signature(secret identity.Secret, a *Authorization, stamp, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	toSign := Algorithm + "\n" + stamp + "\n" + a.scope() + "\n" + hex.EncodeToString(sum[:])
	return hex.EncodeToString(mac(signingKey(secret, a), toSign))
}

func signingKey(secret identity.Secret, a *Authorization) []byte {
	key := mac([]byte("AWS4"+secret.Reveal()), a.Date)
	for _, part := range []string{a.Region, a.Service, a.Terminator} {
		key = mac(key, part)
	}
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
