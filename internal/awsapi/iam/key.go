package iam

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// rootCreated is said of root, of whose making nothing is recorded.
var rootCreated = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// complete fills in the user name that these operations take from the caller.
func complete(caller awsapi.Caller, in any) {
	if caller.Identity == nil || caller.Identity.Principal.Name == "" {
		return
	}
	name := &caller.Identity.Principal.Name
	var field **string
	switch in := in.(type) {
	case *sdk.GetUserInput:
		field = &in.UserName
	case *sdk.CreateAccessKeyInput:
		field = &in.UserName
	case *sdk.ListAccessKeysInput:
		field = &in.UserName
	case *sdk.UpdateAccessKeyInput:
		field = &in.UserName
	case *sdk.DeleteAccessKeyInput:
		field = &in.UserName
	}
	if field != nil && *field == nil {
		*field = name
	}
}

func (a *API) keyOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("CreateAccessKey", a.createAccessKey),
		awsapi.Serve("ListAccessKeys", a.listAccessKeys),
		awsapi.Serve("UpdateAccessKey", a.updateAccessKey),
		awsapi.Serve("DeleteAccessKey", a.deleteAccessKey),
		awsapi.Serve("GetAccessKeyLastUsed", a.getAccessKeyLastUsed),
	}
}

// userOf is the user whose keys a call is about. Root has one key, which is in
// the data directory and no object of the API.
func userOf(name *string) (string, error) {
	if name == nil {
		return "", identity.Errorf(identity.ValidationError, "Must specify userName when calling with non-User credentials")
	}
	return *name, nil
}

func status(active bool) types.StatusType {
	if active {
		return types.StatusTypeActive
	}
	return types.StatusTypeInactive
}

func (a *API) createAccessKey(ctx context.Context, in *sdk.CreateAccessKeyInput) (*sdk.CreateAccessKeyOutput, error) {
	name, err := userOf(in.UserName)
	if err != nil {
		return nil, err
	}
	key, secret, err := a.IAM.CreateAccessKey(ctx, name)
	if err != nil {
		return nil, err
	}
	return &sdk.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: aws.String(key.ID), SecretAccessKey: aws.String(secret.Reveal()), Status: status(key.Active),
		UserName: aws.String(name), CreateDate: aws.Time(key.Created),
	}}, nil
}

func (a *API) listAccessKeys(_ context.Context, in *sdk.ListAccessKeysInput) (*sdk.ListAccessKeysOutput, error) {
	name, err := userOf(in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := a.IAM.AccessKeys(name)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListAccessKeysOutput{AccessKeyMetadata: []types.AccessKeyMetadata{}} // two at most: one page
	for _, key := range keys {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, types.AccessKeyMetadata{
			AccessKeyId: aws.String(key.ID), Status: status(key.Active), UserName: aws.String(name), CreateDate: aws.Time(key.Created),
		})
	}
	return out, nil
}

func (a *API) updateAccessKey(ctx context.Context, in *sdk.UpdateAccessKeyInput) (*sdk.UpdateAccessKeyOutput, error) {
	name, err := userOf(in.UserName)
	if err != nil {
		return nil, err
	}
	if in.Status != types.StatusTypeActive && in.Status != types.StatusTypeInactive {
		return nil, identity.Errorf(identity.ValidationError, "Status must be Active or Inactive.")
	}
	return &sdk.UpdateAccessKeyOutput{}, a.IAM.SetAccessKey(ctx, name, *in.AccessKeyId, in.Status == types.StatusTypeActive)
}

func (a *API) deleteAccessKey(ctx context.Context, in *sdk.DeleteAccessKeyInput) (*sdk.DeleteAccessKeyOutput, error) {
	name, err := userOf(in.UserName)
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteAccessKeyOutput{}, a.IAM.DeleteAccessKey(ctx, name, *in.AccessKeyId)
}

func (a *API) getAccessKeyLastUsed(_ context.Context, in *sdk.GetAccessKeyLastUsedInput) (*sdk.GetAccessKeyLastUsedOutput, error) {
	user, err := a.IAM.AccessKeyOwner(*in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	shown := &types.AccessKeyLastUsed{Region: aws.String("N/A"), ServiceName: aws.String("N/A")}
	if use := a.IAM.LastUse(*in.AccessKeyId); use != nil {
		shown = &types.AccessKeyLastUsed{LastUsedDate: aws.Time(use.Time), Region: aws.String(use.Region), ServiceName: aws.String(use.Service)}
	}
	return &sdk.GetAccessKeyLastUsedOutput{UserName: aws.String(user.Name), AccessKeyLastUsed: shown}, nil
}
