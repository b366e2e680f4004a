package iamtoken

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// MaxToken is the longest token that is looked at, in bytes. A token of
// long-term credentials has about 320; a session token adds one to two
// thousand, and percent-encoding up to half as much again.
const MaxToken = 8192

// MaxLife is the longest X-Amz-Expires (ElastiCache User Guide: a token is
// valid for 15 minutes).
const MaxLife = 900 * time.Second

// MaxSkew is how far in the future a token may be dated. AWS states no figure
// for ElastiCache; five minutes is what SigV4 endpoints allow. It is granted to
// the beginning of a token's life only, so that no token lives longer.
const MaxSkew = 5 * time.Minute

// service and terminator are parts of every credential scope.
const (
	service    = "elasticache"
	terminator = "aws4_request"
	algorithm  = "AWS4-HMAC-SHA256"
	serverless = "ServerlessCache"
	slash      = "%2F"
)

// param is a query parameter of a token, in the order of the canonical request.
type param uint8

const (
	pAction param = iota
	pResourceType
	pUser
	pAlgorithm
	pCredential
	pDate
	pExpires
	pSecurityToken
	pSignedHeaders
	pSignature // is not signed
	params
)

var paramNames = [params]string{
	"Action", "ResourceType", "User", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
	"X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-SignedHeaders", "X-Amz-Signature",
}

// paramOf finds a parameter by its name, which must be spelled exactly.
func paramOf(name []byte) param {
	switch string(name) {
	case "Action":
		return pAction
	case "ResourceType":
		return pResourceType
	case "User":
		return pUser
	case "X-Amz-Algorithm":
		return pAlgorithm
	case "X-Amz-Credential":
		return pCredential
	case "X-Amz-Date":
		return pDate
	case "X-Amz-Expires":
		return pExpires
	case "X-Amz-Security-Token":
		return pSecurityToken
	case "X-Amz-SignedHeaders":
		return pSignedHeaders
	case "X-Amz-Signature":
		return pSignature
	default:
		return params
	}
}

// fields are the pieces of a token; nothing of them is proven.
type fields struct {
	host  []byte
	value [params][]byte // percent-encoded in the canonical way; nil: not given
	// Pieces of X-Amz-Credential; all nil when it has not five of them.
	accessKey, day, region, service, terminator []byte
	// X-Amz-Date, X-Amz-Expires and X-Amz-Signature, where they can be read.
	signed   time.Time
	life     time.Duration
	proof    [sha256.Size]byte
	hasTime  bool
	hasLife  bool
	hasProof bool
}

// notToken is the reason for a password in a token's place. It says nothing of
// what was sent.
const notToken = "this is no IAM token but some other password: it is not of the form cache/?Action=connect&…"

// split takes a token apart. The reason says what is wrong with its form.
func split(token []byte, f *fields) (reason string) {
	if len(token) > MaxToken {
		return fmt.Sprintf("the token has %d bytes; %d is the most", len(token), MaxToken)
	}
	end := bytes.IndexByte(token, '/')
	if end >= 0 && !bytes.HasPrefix(token[end:], []byte("/?")) {
		end = bytes.Index(token, []byte("/?")) // a scheme or a path is in front
	}
	if end < 0 {
		return notToken
	}
	f.host = token[:end]
	reason = f.query(token[end+2:])
	if (reason != "" || f.value[pAlgorithm] == nil) && !bytes.Contains(token[end:], []byte("X-Amz-")) {
		return notToken
	}
	if reason != "" {
		return reason
	}
	f.splitCredential()
	f.signed, f.hasTime = readTime(f.value[pDate])
	f.life, f.hasLife = readLife(f.value[pExpires])
	f.hasProof = readSignature(&f.proof, f.value[pSignature])
	return ""
}

// query reads name=value&name=value… in one pass.
func (f *fields) query(text []byte) (reason string) {
	for at := 0; ; at++ {
		start := at
		at = skip(text, at)
		p := paramOf(text[start:at])
		if p == params {
			end := at + bytes.IndexAny(text[at:], "=&") // the name's, if it has other characters
			return fmt.Sprintf("the token has a parameter that no IAM token has (%.40q)", text[start:max(at, end)])
		}
		if at == len(text) || text[at] != '=' {
			return paramNames[p] + " has no value"
		}
		at++
		start = at
		canonical := true
		for at = skip(text, at); at < len(text) && text[at] != '&'; at = skip(text, at) {
			canonical = canonical && isEscape(text, at)
			at++
		}
		if reason := f.take(p, text[start:at], canonical); reason != "" {
			return reason
		}
		if at == len(text) {
			return ""
		}
	}
}

// skip passes over unreserved characters.
func skip(text []byte, at int) int {
	for at < len(text) && unreserved[text[at]] {
		at++
	}
	return at
}

// take keeps the value of a parameter.
func (f *fields) take(p param, value []byte, canonical bool) (reason string) {
	if f.value[p] != nil {
		return paramNames[p] + " is given twice"
	}
	if !canonical {
		if value, reason = recode(value); reason != "" {
			return paramNames[p] + " " + reason
		}
	}
	f.value[p] = value
	return ""
}

// splitCredential takes accessKey/day/region/service/terminator apart.
func (f *fields) splitCredential() {
	rest := f.value[pCredential]
	var pieces [5][]byte
	for i := range pieces {
		piece, after, more := bytes.Cut(rest, []byte(slash))
		if more != (i < len(pieces)-1) {
			return
		}
		pieces[i], rest = piece, after
	}
	f.accessKey, f.day, f.region, f.service, f.terminator = pieces[0], pieces[1], pieces[2], pieces[3], pieces[4]
}

// unreserved are the characters that SigV4 leaves as they are (RFC 3986, 2.3).
var unreserved = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" {
		set[c] = true
	}
	return set
}()

// isEscape reports whether at i stands an escape as SigV4 writes it: of a
// character that must be escaped, with digits in upper case. The two digits
// themselves are unreserved characters.
func isEscape(text []byte, i int) bool {
	return text[i] == '%' && i+2 < len(text) && upperHex(text[i+1]) && upperHex(text[i+2]) &&
		!unreserved[unhex(text[i+1])<<4|unhex(text[i+2])]
}

// recode decodes value and encodes it in the canonical way. A plus sign is
// refused: some read it as itself and some as a space.
func recode(value []byte) (canonical []byte, reason string) {
	canonical = make([]byte, 0, 3*len(value))
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '+':
			return nil, "contains a plus sign that is not percent-encoded (%2B)"
		case c <= ' ' || c > '~':
			return nil, "contains a byte that must be percent-encoded"
		case c == '%':
			if i+2 >= len(value) || !anyHex(value[i+1]) || !anyHex(value[i+2]) {
				return nil, "contains a percent sign that is not followed by two hexadecimal digits"
			}
			c = unhex(value[i+1])<<4 | unhex(value[i+2])
			i += 2
		}
		canonical = encode(canonical, c)
	}
	return canonical, ""
}

// encode appends a byte as SigV4 encodes it.
func encode(to []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	if unreserved[c] {
		return append(to, c)
	}
	return append(to, '%', digits[c>>4], digits[c&15])
}

// decode appends what canonical encodes.
func decode(to, canonical []byte) []byte {
	for i := 0; i < len(canonical); i++ {
		c := canonical[i]
		if c == '%' {
			c = unhex(canonical[i+1])<<4 | unhex(canonical[i+2])
			i += 2
		}
		to = append(to, c)
	}
	return to
}

func upperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }
func anyHex(c byte) bool   { return upperHex(c) || 'a' <= c && c <= 'f' }

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}

// lowerHex has the value of every hexadecimal digit in lower case, and notHex
// for every other byte.
var lowerHex = func() (values [256]byte) {
	for i := range values {
		values[i] = notHex
	}
	for i, c := range []byte("0123456789abcdef") {
		values[c] = byte(i)
	}
	return values
}()

const notHex = 0xff

// readSignature reads 64 hexadecimal digits in lower case.
func readSignature(to *[sha256.Size]byte, text []byte) bool {
	if len(text) != 2*sha256.Size {
		return false
	}
	for i := range to {
		high, low := lowerHex[text[2*i]], lowerHex[text[2*i+1]]
		if high == notHex || low == notHex {
			return false
		}
		to[i] = high<<4 | low
	}
	return true
}

// shown is a value as a reason shows it: decoded, quoted and short.
func shown(value []byte) string {
	return fmt.Sprintf("%.60q", strings.ToValidUTF8(string(decode(nil, value)), "?"))
}
