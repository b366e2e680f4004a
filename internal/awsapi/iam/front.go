package iam

import (
	"context"
	"errors"
	"net/http"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// Front answers the front door's questions: it is its awsapi.Credentials and
// its awsapi.Authorizer.
type Front struct{ IAM *iam.Service }

// expired is what AWS says of temporary credentials that are over (IAM User
// Guide, "Troubleshoot IAM": common errors of all services).
var expired = &sigv4.Error{
	Code: "ExpiredToken", Status: http.StatusForbidden, Message: "The security token included in the request is expired",
}

// Find implements awsapi.Credentials.
func (f Front) Find(ctx context.Context, accessKeyID, sessionToken string) (identity.Secret, awsapi.Caller, error) {
	secret, who, err := f.IAM.Find(ctx, accessKeyID, sessionToken)
	switch {
	case errors.Is(err, iam.ErrUnknown):
		return secret, awsapi.Caller{}, sigv4.ErrUnknownKey
	case errors.Is(err, iam.ErrExpired):
		return secret, awsapi.Caller{}, expired
	case err != nil:
		return secret, awsapi.Caller{}, err
	}
	return secret, awsapi.Caller{
		ARN: who.Principal.ARN, AccountID: who.Principal.Account, UserID: who.Principal.ID,
		AccessKeyID: accessKeyID, Root: who.Root(), Identity: who,
	}, nil
}

// Authorize implements awsapi.Authorizer. It is asked only after the signature
// was verified, so that this is a use of the key.
func (f Front) Authorize(_ context.Context, access awsapi.Access) error {
	who := access.Caller.Identity
	if who.Session == nil && who.Principal.Type == policy.User {
		f.IAM.Used(who.AccessKeyID, serviceOf(access.Action))
	}
	return f.IAM.Authorize(Question(access))
}

// Question is an access question in control's terms.
func Question(access awsapi.Access) *iam.Question {
	return &iam.Question{
		Who: access.Caller.Identity, Action: string(access.Action), Resources: access.Resources,
		Conditions: access.Conditions, SourceIP: access.SourceIP, UserAgent: access.UserAgent, Secure: access.Secure,
	}
}
