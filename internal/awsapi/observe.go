package awsapi

import (
	"context"
	"strings"
	"time"
)

// Observer is told about every call, also one that was refused before anything
// about it was proven.
type Observer interface {
	// Called must not keep the caller waiting; it may run concurrently.
	Called(ctx context.Context, call Call)
}

// Call is what an audit record needs to know. Nothing in it is secret.
type Call struct {
	Time      time.Time
	RequestID string
	SourceIP  string
	UserAgent string
	// Caller is zero until the signature has been verified; AccessKeyID is what
	// the request claims.
	Caller      Caller
	AccessKeyID string
	Service     string // signing name: elasticache, sts, gatehouse; claimed until verified
	EventSource string // CloudTrail's name for the service; "" for gatehouse
	Operation   string // CreateUser
	// Parameters and Response have secrets hidden. Response is nil for what only
	// reads, and after an error.
	Parameters map[string]any
	Response   map[string]any
	ReadOnly   bool
	Status     int    // HTTP
	ErrorCode  string // "" for success
	ErrorText  string

	secure bool // came over TLS
}

// maxClaim bounds what a record takes over from a request that proved nothing.
const maxClaim = 256

func claim(text string) string {
	if len(text) > maxClaim {
		text = text[:maxClaim]
	}
	return strings.ToValidUTF8(text, "?")
}

// readOnly says whether an operation of that name changes nothing, as
// CloudTrail's management events tell it.
func readOnly(operation string) bool {
	for _, prefix := range []string{"Describe", "List", "Get", "Lookup"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}
