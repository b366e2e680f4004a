// Package sts serves the Security Token Service API.
//
// It owns the translation between the SDK's types and the sessions of
// control/iam, and what of its actions the authorisation table says. It leaves
// who may have a session, what it holds and how it is sealed to control/iam.
package sts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	iamapi "github.com/gatehouse/gatehouse/internal/awsapi/iam"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// API is the STS API over the control plane's operations.
type API struct{ IAM *iam.Service }

// Service returns the API for the front door.
func (a *API) Service() awsapi.Service {
	return awsapi.Service{
		Model: model.STS,
		Operations: []awsapi.Operation{
			awsapi.Serve("GetCallerIdentity", getCallerIdentity),
			awsapi.Serve("AssumeRole", a.assumeRole),
			awsapi.Serve("GetSessionToken", a.getSessionToken),
		},
		Permissions: awsapi.Permissions{
			"sts:GetCallerIdentity": awsapi.OnAll,
			"sts:GetSessionToken":   awsapi.OnAll,
			"sts:AssumeRole":        awsapi.On(func(in *sdk.AssumeRoleInput) []string { return []string{aws.ToString(in.RoleArn)} }),
		},
		Conditions: conditions,
	}
}

func getCallerIdentity(ctx context.Context, _ *sdk.GetCallerIdentityInput) (*sdk.GetCallerIdentityOutput, error) {
	caller := awsapi.CallerOf(ctx)
	return &sdk.GetCallerIdentityOutput{
		Account: aws.String(caller.AccountID), Arn: aws.String(caller.ARN), UserId: aws.String(caller.UserID),
	}, nil
}

func conditions(in any) map[string][]string {
	if request, ok := in.(*sdk.AssumeRoleInput); ok {
		return read(request).Conditions()
	}
	return nil
}

// read takes a request over. What is missing was not given: the front door has
// not checked it yet when it asks for conditions.
func read(in *sdk.AssumeRoleInput) *iam.AssumeRoleInput {
	request := &iam.AssumeRoleInput{
		RoleARN: aws.ToString(in.RoleArn), SessionName: aws.ToString(in.RoleSessionName), ExternalID: aws.ToString(in.ExternalId),
		Policy: aws.ToString(in.Policy), Transitive: in.TransitiveTagKeys, SourceIdentity: aws.ToString(in.SourceIdentity),
		Duration: time.Duration(aws.ToInt32(in.DurationSeconds)) * time.Second,
	}
	for _, policy := range in.PolicyArns {
		request.PolicyARNs = append(request.PolicyARNs, aws.ToString(policy.Arn))
	}
	for _, tag := range in.Tags {
		request.Tags = append(request.Tags, naming.Tag{Key: aws.ToString(tag.Key), Value: aws.ToString(tag.Value)})
	}
	return request
}

func (a *API) assumeRole(ctx context.Context, in *sdk.AssumeRoleInput) (*sdk.AssumeRoleOutput, error) {
	if in.SerialNumber != nil || in.TokenCode != nil || len(in.ProvidedContexts) > 0 {
		return nil, identity.Errorf(identity.ValidationError, "SerialNumber, TokenCode and ProvidedContexts are not supported: there are no MFA devices and no context providers.")
	}
	session, err := a.IAM.AssumeRole(ctx, iamapi.Question(awsapi.AccessOf(ctx)), read(in))
	if err != nil {
		return nil, err
	}
	out := &sdk.AssumeRoleOutput{
		Credentials:     show(&session.Credentials),
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(session.ARN), AssumedRoleId: aws.String(session.ID)},
	}
	if in.Policy != nil || len(in.PolicyArns)+len(in.Tags) > 0 {
		//lint:ignore SA1019 older clients read this; the member that replaces it is not in every SDK's model yet
		out.PackedPolicySize = aws.Int32(int32(session.Packed))
	}
	if session.SourceIdentity != "" {
		out.SourceIdentity = aws.String(session.SourceIdentity)
	}
	return out, nil
}

func (a *API) getSessionToken(ctx context.Context, in *sdk.GetSessionTokenInput) (*sdk.GetSessionTokenOutput, error) {
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, identity.Errorf(identity.ValidationError, "SerialNumber and TokenCode are not supported: there are no MFA devices.")
	}
	duration := time.Duration(aws.ToInt32(in.DurationSeconds)) * time.Second
	credentials, err := a.IAM.GetSessionToken(ctx, awsapi.CallerOf(ctx).Identity, duration)
	if err != nil {
		return nil, err
	}
	return &sdk.GetSessionTokenOutput{Credentials: show(credentials)}, nil
}

func show(c *iam.Credentials) *types.Credentials {
	return &types.Credentials{
		AccessKeyId: aws.String(c.AccessKeyID), SecretAccessKey: aws.String(c.Secret.Reveal()),
		SessionToken: aws.String(c.SessionToken), Expiration: aws.Time(c.Expires),
	}
}
