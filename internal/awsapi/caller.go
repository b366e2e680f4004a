package awsapi

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Caller is who signed a request.
type Caller struct {
	ARN         string
	AccountID   string
	UserID      string // the unique id that GetCallerIdentity shows
	AccessKeyID string
	Root        bool
	// Identity is the caller as policies see it.
	Identity *iam.Identity
}

// Credentials knows the access keys.
type Credentials interface {
	// Find returns the secret and the owner of an active access key.
	// sessionToken is "" for a request without one. A key that does not exist,
	// is inactive or does not go with the session token is sigv4.ErrUnknownKey; a
	// session that is over is an *sigv4.Error.
	Find(ctx context.Context, accessKeyID, sessionToken string) (identity.Secret, Caller, error)
}

type callerKey struct{}

func withCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerOf returns the caller of the operation that ctx belongs to.
func CallerOf(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
