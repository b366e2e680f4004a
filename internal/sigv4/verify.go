package sigv4

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// MaxSkew is how far a request's time may be from ours in either direction. It
// is AWS's own bound for the Query services.
const MaxSkew = 5 * time.Minute

// ErrUnknownKey is what a Lookup returns for a key that does not exist, is
// inactive, or does not belong to the session token it came with.
var ErrUnknownKey = errors.New("sigv4: no such access key")

// Lookup finds the secret of an access key. sessionToken is the request's
// X-Amz-Security-Token, "" if it has none. An error that is neither
// ErrUnknownKey nor an *Error is the server's own failure.
type Lookup func(ctx context.Context, accessKeyID, sessionToken string) (identity.Secret, error)

// Verifier checks requests that were signed for one region.
type Verifier struct {
	Clock  clock.Clock
	Region string
	Lookup Lookup
}

// Verify checks that a, which Parse read from r, signs exactly this request for
// this service. body is the whole body. A refusal is an *Error; any other error
// is the Lookup's.
func (v *Verifier) Verify(ctx context.Context, a *Authorization, r *http.Request, body []byte, service string) error {
	if err := checkShape(r); err != nil {
		return err
	}
	signed, err := requestTime(r.Header)
	if err != nil {
		return err
	}
	checks := []func() error{
		func() error { return v.checkTime(signed) },
		func() error { return checkSigned(a, r.Header) },
		func() error { return v.checkScope(a, service, signed) },
		func() error { return checkBody(r.Header, body) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	secret, err := v.Lookup(ctx, a.AccessKeyID, r.Header.Get(headerSecurityToken))
	if errors.Is(err, ErrUnknownKey) {
		return unknownKey()
	}
	if err != nil {
		return fmt.Errorf("sigv4: finding access key %q: %w", a.AccessKeyID, err)
	}
	canonical, err := canonicalRequest(r, body, a.SignedHeaders)
	if err != nil {
		return err
	}
	want := signature(secret, a, signed.Format(basicFormat), canonical)
	if subtle.ConstantTimeCompare([]byte(want), []byte(a.Signature)) != 1 {
		return mismatch(messageMismatch)
	}
	return nil
}

// checkShape refuses what two readers could understand differently: a header
// that decides something and is there twice, a signature in the query beside
// the one in the header, a path that normalising would change.
func checkShape(r *http.Request) error {
	for name, values := range r.Header {
		lower := strings.ToLower(name)
		decides := strings.HasPrefix(lower, "x-amz-") || lower == "date" || lower == "content-type" || lower == "content-length"
		if decides && len(values) > 1 {
			return incomplete("The request has more than one '%s' header.", name)
		}
	}
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		name, err := unescape(name)
		if err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			return mismatch("Found both '%s' as a query-string param and 'Authorization' as HTTP header.", name)
		}
	}
	if !plainPath(r.URL.EscapedPath()) {
		return incomplete("The path '%s' has empty or relative segments.", r.URL.EscapedPath())
	}
	return nil
}

// requestTime is X-Amz-Date or, when that is absent, Date.
func requestTime(h http.Header) (time.Time, error) {
	if text := h.Get(headerDate); text != "" {
		at, err := time.Parse(basicFormat, text)
		if err != nil {
			return time.Time{}, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", text)
		}
		return at, nil
	}
	text := h.Get("Date")
	for _, layout := range []string{basicFormat, http.TimeFormat} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", text)
}

func (v *Verifier) checkTime(signed time.Time) error {
	now := v.Clock.Now().UTC().Truncate(time.Second)
	minutes := int(MaxSkew / time.Minute)
	earliest, latest := now.Add(-MaxSkew), now.Add(MaxSkew)
	switch {
	case signed.Before(earliest):
		return mismatch("Signature expired: %s is now earlier than %s (%s - %d min.)",
			signed.Format(basicFormat), earliest.Format(basicFormat), now.Format(basicFormat), minutes)
	case signed.After(latest):
		return mismatch("Signature not yet current: %s is still later than %s (%s + %d min.)",
			signed.Format(basicFormat), latest.Format(basicFormat), now.Format(basicFormat), minutes)
	default:
		return nil
	}
}

// checkSigned makes sure that everything AWS gives a meaning to is signed.
func checkSigned(a *Authorization, h http.Header) error {
	signed := func(name string) bool {
		_, ok := slices.BinarySearch(a.SignedHeaders, name)
		return ok
	}
	if !signed("host") {
		return mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if h.Get(headerDate) == "" && !signed("date") {
		return mismatch("'Date' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !signed(lower) {
			return mismatch("'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

// checkScope lists all that is wrong with the credential scope, as AWS does.
func (v *Verifier) checkScope(a *Authorization, service string, signed time.Time) error {
	var wrong strings.Builder
	if a.Region != v.Region {
		fmt.Fprintf(&wrong, "Credential should be scoped to a valid region, not '%s'. ", a.Region)
	}
	if a.Service != service {
		fmt.Fprintf(&wrong, "Credential should be scoped to correct service: '%s'. ", service)
	}
	if a.Terminator != terminator {
		fmt.Fprintf(&wrong, "Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, a.Terminator)
	}
	if day := signed.Format(dayFormat); a.Date != day {
		fmt.Fprintf(&wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'. ", a.Date, day, signed.Format(basicFormat))
	}
	if wrong.Len() > 0 {
		return mismatch("%s", wrong.String())
	}
	return nil
}

// checkBody holds X-Amz-Content-Sha256 to the body. The Query services sign the
// body always, so UNSIGNED-PAYLOAD is no exception.
func checkBody(h http.Header, body []byte) error {
	given := h.Get(headerContentSHA256)
	if given == "" || given == bodyHash(body) {
		return nil
	}
	return mismatch("The value passed in as x-amz-content-sha256 does not match the computed payload hash.")
}
