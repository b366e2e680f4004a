package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// Algorithm is the only one that is accepted.
const Algorithm = "AWS4-HMAC-SHA256"

const terminator = "aws4_request"

const (
	// maxAuthorization bounds the Authorization header. The SDKs send about 300
	// bytes; a long list of signed headers and a long key id stay far below this.
	maxAuthorization = 8 << 10
	// maxSignedHeaders bounds the work that one list of names can cause.
	maxSignedHeaders = 100
)

// Authorization is what the Authorization header says; nothing of it is proven.
type Authorization struct {
	AccessKeyID   string
	Date          string // yyyymmdd
	Region        string
	Service       string
	Terminator    string
	SignedHeaders []string // lower case, sorted, no duplicates
	Signature     string
}

// scope is the credential scope of the string to sign.
func (a *Authorization) scope() string {
	return strings.Join([]string{a.Date, a.Region, a.Service, a.Terminator}, "/")
}

// Parse reads the Authorization header of a request. Its errors are *Error.
func Parse(h http.Header) (*Authorization, error) {
	values := h.Values("Authorization")
	switch {
	case len(values) == 0:
		return nil, missingToken()
	case len(values) > 1:
		return nil, incomplete("The request has more than one 'Authorization' header.")
	}
	return parseAuthorization(values[0], h.Get(headerDate) != "" || h.Get("Date") != "")
}

func parseAuthorization(header string, dated bool) (*Authorization, error) {
	if !strings.HasPrefix(header, "AWS4-") {
		return nil, missingToken()
	}
	if len(header) > maxAuthorization {
		return nil, incomplete("The 'Authorization' header is longer than %d bytes.", maxAuthorization)
	}
	algorithm, rest, _ := strings.Cut(header, " ")
	fields, err := authorizationFields(header, rest)
	if err != nil {
		return nil, err
	}
	if err := requireFields(header, fields, dated); err != nil {
		return nil, err
	}
	if algorithm != Algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '%s' (only %s for now). ", algorithm, Algorithm)
	}
	return assemble(fields)
}

// authorizationFields splits "Credential=…, SignedHeaders=…, Signature=…". A
// field that appears twice or is not one of the three is refused, because
// another reader of the same header might take the other one.
func authorizationFields(header, rest string) (map[string]string, error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		part = strings.Trim(part, " ")
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, incomplete("'%s' not a valid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '%s'.", part, hashed(header))
		}
		if !slices.Contains([]string{"Credential", "SignedHeaders", "Signature"}, name) {
			return nil, incomplete("'%s' is not a parameter of an Authorization header.", name)
		}
		if _, twice := fields[name]; twice {
			return nil, incomplete("Authorization header has more than one '%s' parameter.", name)
		}
		fields[name] = value
	}
	return fields, nil
}

func requireFields(header string, fields map[string]string, dated bool) error {
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if !dated {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() == 0 {
		return nil
	}
	return incomplete("%s(Hashed with SHA-256 and encoded with Base64) Authorization=%s", missing.String(), hashed(header))
}

// hashed stands for a header in a message, as AWS does it: the sender can check
// which header is meant, and nobody else learns a signature from a log.
func hashed(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func assemble(fields map[string]string) (*Authorization, error) {
	credential := strings.Split(fields["Credential"], "/")
	if len(credential) != 5 {
		return nil, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", fields["Credential"])
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	if err := checkSignedHeaders(signed); err != nil {
		return nil, err
	}
	return &Authorization{
		AccessKeyID:   credential[0],
		Date:          credential[1],
		Region:        credential[2],
		Service:       credential[3],
		Terminator:    credential[4],
		SignedHeaders: signed,
		Signature:     fields["Signature"],
	}, nil
}

func checkSignedHeaders(names []string) error {
	if len(names) > maxSignedHeaders {
		return incomplete("'SignedHeaders' names more than %d headers.", maxSignedHeaders)
	}
	for i, name := range names {
		if name == "" || name != strings.ToLower(name) {
			return incomplete("'SignedHeaders' must be header names in lower case, got '%s'.", name)
		}
		if i > 0 && names[i-1] >= name {
			return incomplete("'SignedHeaders' must be sorted and name each header once, got '%s' before '%s'.", names[i-1], name)
		}
	}
	return nil
}
