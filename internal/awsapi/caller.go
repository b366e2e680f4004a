package awsapi

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// Caller is who signed a request.
type Caller struct {
	ARN         string
	AccountID   string
	UserID      string // the unique id that GetCallerIdentity shows
	AccessKeyID string
	Root        bool
}

// Credentials knows the access keys.
type Credentials interface {
	// Find returns the secret and the owner of an active access key.
	// sessionToken is "" for a request without one. A key that does not exist,
	// is inactive or does not go with the session token is sigv4.ErrUnknownKey.
	Find(ctx context.Context, accessKeyID, sessionToken string) (identity.Secret, Caller, error)
}

// RootCredentials knows the one key of the account's root.
type RootCredentials struct {
	Key       sigv4.Key
	AccountID string
	Partition string // of the region: aws, aws-cn, aws-us-gov
}

// Find implements Credentials.
func (c RootCredentials) Find(_ context.Context, accessKeyID, sessionToken string) (identity.Secret, Caller, error) {
	if accessKeyID == "" || accessKeyID != c.Key.ID || sessionToken != "" {
		return identity.Secret{}, Caller{}, sigv4.ErrUnknownKey
	}
	return c.Key.Secret, Caller{
		ARN:         "arn:" + c.Partition + ":iam::" + c.AccountID + ":root",
		AccountID:   c.AccountID,
		UserID:      c.AccountID,
		AccessKeyID: c.Key.ID,
		Root:        true,
	}, nil
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
