package iamtoken

import (
	"bytes"
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
	// Pieces of X-Amz-Credential; all empty when it has not five of them.
	accessKey, day, region, service, terminator []byte
}

// split takes a token apart. The reason says what is wrong with its form, and
// nothing of what it contains, because it may be a password in the wrong place.
func split(token []byte, f *fields) (reason string) {
	if len(token) > MaxToken {
		return fmt.Sprintf("the token has %d bytes; %d is the most", len(token), MaxToken)
	}
	end := bytes.Index(token, []byte("/?"))
	if end < 0 || bytes.Index(token[end:], []byte("X-Amz-")) < 0 {
		return "this is no IAM token but some other password: it is not of the form cache/?Action=connect&…"
	}
	f.host = token[:end]
	for rest := token[end+2:]; ; {
		pair, after, more := bytes.Cut(rest, []byte("&"))
		if reason := f.take(pair); reason != "" {
			return reason
		}
		if !more {
			break
		}
		rest = after
	}
	f.splitCredential()
	return ""
}

// take reads one name=value.
func (f *fields) take(pair []byte) (reason string) {
	name, value, ok := bytes.Cut(pair, []byte("="))
	p := paramOf(name)
	switch {
	case p == params:
		return fmt.Sprintf("the token has a parameter that no IAM token has (%.40q)", name)
	case !ok:
		return paramNames[p] + " has no value"
	case f.value[p] != nil:
		return paramNames[p] + " is given twice"
	}
	if !isCanonical(value) {
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

// isCanonical reports whether value is encoded as SigV4 encodes it, as the
// value of every SDK is.
func isCanonical(value []byte) bool {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if unreserved[c] {
			continue
		}
		if c != '%' || i+2 >= len(value) || !upperHex(value[i+1]) || !upperHex(value[i+2]) ||
			unreserved[unhex(value[i+1])<<4|unhex(value[i+2])] {
			return false
		}
		i += 2
	}
	return true
}

// recode decodes value and encodes it in the canonical way. A plus sign is
// refused: some read it as itself and some as a space.
func recode(value []byte) (canonical []byte, reason string) {
	const digits = "0123456789ABCDEF"
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
		if unreserved[c] {
			canonical = append(canonical, c)
			continue
		}
		canonical = append(canonical, '%', digits[c>>4], digits[c&15])
	}
	return canonical, ""
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

// shown is a value as a reason shows it: decoded, quoted and short.
func shown(value []byte) string {
	return fmt.Sprintf("%.60q", strings.ToValidUTF8(string(decode(nil, value)), "?"))
}
