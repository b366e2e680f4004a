package sigv4

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Key is an access key to sign with.
type Key struct {
	ID           string
	Secret       identity.Secret
	SessionToken string // "" for a long-term key
}

// Sign adds the headers that sign r, with this body, for a service in a region.
// It signs Host, Content-Type and every x-amz-* header; r must not be changed
// afterwards. An error says that the URL cannot be signed.
func Sign(r *http.Request, body []byte, key Key, region, service string, now time.Time) error {
	now = now.UTC()
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.Header.Set(headerDate, now.Format(basicFormat))
	r.Header.Set(headerContentSHA256, bodyHash(body))
	if key.SessionToken != "" {
		r.Header.Set(headerSecurityToken, key.SessionToken)
	}
	a := &Authorization{
		AccessKeyID: key.ID, Date: now.Format(dayFormat), Region: region, Service: service,
		Terminator: terminator, SignedHeaders: headersToSign(r.Header),
	}
	if err := checkShape(r); err != nil {
		return err
	}
	canonical, err := canonicalRequest(r, body, a.SignedHeaders)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", Algorithm+" Credential="+key.ID+"/"+a.scope()+
		", SignedHeaders="+strings.Join(a.SignedHeaders, ";")+
		", Signature="+signature(key.Secret, a, now.Format(basicFormat), canonical))
	return nil
}

func headersToSign(h http.Header) []string {
	names := []string{"host"}
	for name := range h {
		lower := strings.ToLower(name)
		if lower == "content-type" || strings.HasPrefix(lower, "x-amz-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return names
}
