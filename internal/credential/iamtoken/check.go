package iamtoken

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Want is what a token must have been made for.
type Want struct {
	Cache      string // the cache's name, in lower case
	Region     string
	User       string // the user name of the AUTH command, as it was sent
	Serverless bool
}

// check is one question about a token that needs no key.
type check uint8

const (
	checkHost check = iota
	checkComplete
	checkAction
	checkUser
	checkResourceType
	checkAlgorithm
	checkCredential
	checkDate
	checkScope
	checkExpires
	checkSignatureForm
	checkTime
	checks
)

// fault asks one question and returns the reason for a refusal, or "". It is
// one function, so that the compiler sees that f does not outlive the call.
func (f *fields) fault(c check, w *Want, now time.Time) string {
	switch c {
	case checkHost:
		return f.hostFault(w)
	case checkComplete:
		return f.missing()
	case checkAction:
		if a := f.value[pAction]; a != nil && string(a) != "connect" {
			return fmt.Sprintf("Action is %s instead of \"connect\"", shown(a))
		}
	case checkUser:
		return f.userFault(w)
	case checkResourceType:
		return f.resourceTypeFault(w)
	case checkAlgorithm:
		if a := f.value[pAlgorithm]; a != nil && string(a) != algorithm {
			return fmt.Sprintf("X-Amz-Algorithm is %s instead of %q", shown(a), algorithm)
		}
		if s := f.value[pSignedHeaders]; s != nil && string(s) != "host" {
			return fmt.Sprintf("X-Amz-SignedHeaders is %s instead of \"host\"", shown(s))
		}
	case checkCredential:
		return f.credentialFault()
	case checkScope:
		return f.scopeFault(w)
	case checkDate:
		return f.dateFault()
	case checkExpires:
		return f.expiresFault()
	case checkSignatureForm:
		if f.value[pSignature] != nil && !f.hasProof {
			return "X-Amz-Signature is not 64 hexadecimal digits in lower case"
		}
	case checkTime:
		return f.timeFault(now)
	}
	return ""
}

func (f *fields) hostFault(w *Want) string {
	host := f.host
	if string(host) == w.Cache {
		return ""
	}
	said := fmt.Sprintf("%.60q", host)
	switch text := string(host); {
	case strings.Contains(text, "://"):
		return fmt.Sprintf("the token begins with %s: the scheme must be cut off, so that it begins with %q", said, w.Cache+"/?")
	case strings.EqualFold(text, w.Cache):
		return fmt.Sprintf("signed for cache %s instead of %q: the name must be in lower case", said, w.Cache)
	case strings.ContainsAny(text, ".:"):
		return fmt.Sprintf("signed for the endpoint %s instead of the cache's name %q", said, w.Cache)
	default:
		return fmt.Sprintf("signed for cache %s instead of %q", said, w.Cache)
	}
}

// missing names the first parameter that every token must have and this lacks.
func (f *fields) missing() string {
	for p := range params {
		if f.value[p] != nil || p == pResourceType || p == pSecurityToken {
			continue
		}
		if p == pExpires {
			return "X-Amz-Expires is missing: it must be given and signed, and at most 900"
		}
		return paramNames[p] + " is missing"
	}
	return ""
}

func (f *fields) userFault(w *Want) string {
	user := f.value[pUser]
	if user == nil || equalLower(user, w.User) {
		return ""
	}
	if strings.EqualFold(string(user), w.User) {
		return fmt.Sprintf("signed for user %s, which must be in lower case", shown(user))
	}
	return fmt.Sprintf("signed for user %s, which is not the user who logs in", shown(user))
}

// equalLower reports whether value is text in lower case.
func equalLower(value []byte, text string) bool {
	if len(value) != len(text) {
		return false
	}
	for i, c := range value {
		want := text[i]
		if 'A' <= want && want <= 'Z' {
			want += 'a' - 'A'
		}
		if c != want {
			return false
		}
	}
	return true
}

func (f *fields) resourceTypeFault(w *Want) string {
	kind := f.value[pResourceType]
	switch {
	case w.Serverless && kind == nil:
		return "ResourceType is missing: the cache is serverless, so the token needs ResourceType=ServerlessCache"
	case w.Serverless && string(kind) != serverless:
		return fmt.Sprintf("ResourceType is %s instead of %q", shown(kind), serverless)
	case !w.Serverless && kind != nil:
		return fmt.Sprintf("ResourceType is %s, but the cache is not serverless: leave ResourceType out", shown(kind))
	}
	return ""
}

// credentialFault judges the form of the access key id, which goes on to a
// lookup: 16 to 128 word characters (IAM API, accessKeyIdType).
func (f *fields) credentialFault() string {
	if f.value[pCredential] == nil {
		return ""
	}
	if f.accessKey == nil {
		return "X-Amz-Credential is not of the form key/date/region/service/aws4_request"
	}
	if len(f.accessKey) < 16 || len(f.accessKey) > 128 {
		return "X-Amz-Credential does not begin with an access key id"
	}
	for _, c := range f.accessKey {
		if c == '-' || c == '.' || c == '~' || c == '%' {
			return "X-Amz-Credential does not begin with an access key id"
		}
	}
	return ""
}

func (f *fields) scopeFault(w *Want) string {
	date := f.value[pDate]
	switch {
	case f.accessKey == nil:
		return ""
	case string(f.region) != w.Region:
		return fmt.Sprintf("signed for region %s instead of %q", shown(f.region), w.Region)
	case string(f.service) != service:
		return fmt.Sprintf("signed for service %s instead of %q", shown(f.service), service)
	case string(f.terminator) != terminator:
		return fmt.Sprintf("X-Amz-Credential ends with %s instead of %q", shown(f.terminator), terminator)
	case len(date) >= 8 && !bytes.Equal(f.day, date[:8]):
		return fmt.Sprintf("X-Amz-Credential is dated %s and X-Amz-Date %s", shown(f.day), shown(date))
	}
	return ""
}

func (f *fields) dateFault() string {
	if date := f.value[pDate]; date != nil && !f.hasTime {
		return fmt.Sprintf("X-Amz-Date is %s and not of the form 20060102T150405Z", shown(date))
	}
	return ""
}

func (f *fields) expiresFault() string {
	if expires := f.value[pExpires]; expires != nil && !f.hasLife {
		return fmt.Sprintf("X-Amz-Expires is %s and not a number of seconds", shown(expires))
	}
	if f.life > MaxLife {
		return fmt.Sprintf("X-Amz-Expires is %d; %d seconds is the most", f.life/time.Second, MaxLife/time.Second)
	}
	return ""
}

func (f *fields) timeFault(now time.Time) string {
	if !f.hasTime || !f.hasLife {
		return ""
	}
	if ahead := f.signed.Sub(now); ahead > MaxSkew {
		return fmt.Sprintf("signed %s in the future: the client's clock is ahead of this one by at least that much, or this one is behind", inWords(ahead))
	}
	if ago := now.Sub(f.signed.Add(min(f.life, MaxLife))); ago >= 0 {
		return fmt.Sprintf("expired %s ago (signed %s ago, valid for %s)", inWords(ago), inWords(now.Sub(f.signed)), inWords(f.life))
	}
	return ""
}

// inWords rounds a duration to the unit that a reader needs.
func inWords(d time.Duration) string {
	count := func(n time.Duration, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d < 2*time.Minute:
		return count(d/time.Second, "second")
	case d < 2*time.Hour:
		return count(d/time.Minute, "minute")
	case d < 48*time.Hour:
		return count(d/time.Hour, "hour")
	default:
		return count(d/(24*time.Hour), "day")
	}
}

// readTime reads 20060102T150405Z. It is stricter and far cheaper than time.Parse.
func readTime(text []byte) (time.Time, bool) {
	if len(text) != len("20060102T150405Z") || text[8] != 'T' || text[15] != 'Z' {
		return time.Time{}, false
	}
	day, ok := digits(text[:8])
	clock, ok2 := digits(text[9:15])
	if !ok || !ok2 || clock/10000 > 23 || clock/100%100 > 59 || clock%100 > 59 {
		return time.Time{}, false
	}
	t := time.Date(day/10000, time.Month(day/100%100), day%100, clock/10000, clock/100%100, clock%100, 0, time.UTC)
	return t, dayOf(t) == Day(day) // a 30 February became a day in March
}

// readLife reads X-Amz-Expires: seconds, without a sign or leading zeros.
func readLife(text []byte) (time.Duration, bool) {
	if len(text) == 0 || len(text) > 9 || text[0] == '0' {
		return 0, false
	}
	n, ok := digits(text)
	return time.Duration(n) * time.Second, ok
}

func digits(text []byte) (n int, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}
