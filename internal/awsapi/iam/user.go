package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func underPath(path string, prefix *string) bool {
	return strings.HasPrefix(path, aws.ToString(prefix))
}

func (a *API) userOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("CreateUser", a.createUser),
		awsapi.Serve("GetUser", a.getUser),
		awsapi.Serve("ListUsers", a.listUsers),
		awsapi.Serve("UpdateUser", func(ctx context.Context, in *sdk.UpdateUserInput) (*sdk.UpdateUserOutput, error) {
			return &sdk.UpdateUserOutput{}, a.IAM.Rename(ctx, iam.User, *in.UserName, aws.ToString(in.NewUserName), aws.ToString(in.NewPath))
		}),
		awsapi.Serve("DeleteUser", func(ctx context.Context, in *sdk.DeleteUserInput) (*sdk.DeleteUserOutput, error) {
			return &sdk.DeleteUserOutput{}, a.IAM.DeleteUser(ctx, *in.UserName)
		}),
		awsapi.Serve("TagUser", func(ctx context.Context, in *sdk.TagUserInput) (*sdk.TagUserOutput, error) {
			return &sdk.TagUserOutput{}, a.IAM.Tag(ctx, iam.User, *in.UserName, tagsOf(in.Tags))
		}),
		awsapi.Serve("UntagUser", func(ctx context.Context, in *sdk.UntagUserInput) (*sdk.UntagUserOutput, error) {
			return &sdk.UntagUserOutput{}, a.IAM.Untag(ctx, iam.User, *in.UserName, in.TagKeys)
		}),
		awsapi.Serve("ListUserTags", a.listUserTags),
		awsapi.Serve("PutUserPermissionsBoundary", func(ctx context.Context, in *sdk.PutUserPermissionsBoundaryInput) (*sdk.PutUserPermissionsBoundaryOutput, error) {
			return &sdk.PutUserPermissionsBoundaryOutput{}, a.IAM.SetBoundary(ctx, iam.User, *in.UserName, *in.PermissionsBoundary)
		}),
		awsapi.Serve("DeleteUserPermissionsBoundary", func(ctx context.Context, in *sdk.DeleteUserPermissionsBoundaryInput) (*sdk.DeleteUserPermissionsBoundaryOutput, error) {
			return &sdk.DeleteUserPermissionsBoundaryOutput{}, a.IAM.SetBoundary(ctx, iam.User, *in.UserName, "")
		}),
		awsapi.Serve("PutUserPolicy", func(ctx context.Context, in *sdk.PutUserPolicyInput) (*sdk.PutUserPolicyOutput, error) {
			return &sdk.PutUserPolicyOutput{}, a.IAM.PutInline(ctx, iam.User, *in.UserName, *in.PolicyName, *in.PolicyDocument)
		}),
		awsapi.Serve("GetUserPolicy", func(_ context.Context, in *sdk.GetUserPolicyInput) (*sdk.GetUserPolicyOutput, error) {
			document, err := a.IAM.Inline(iam.User, *in.UserName, *in.PolicyName)
			return &sdk.GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, err
		}),
		awsapi.Serve("ListUserPolicies", func(_ context.Context, in *sdk.ListUserPoliciesInput) (*sdk.ListUserPoliciesOutput, error) {
			names, p, err := a.inlineNames(iam.User, in.UserName, in.Marker, in.MaxItems)
			return &sdk.ListUserPoliciesOutput{PolicyNames: names, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
		awsapi.Serve("DeleteUserPolicy", func(ctx context.Context, in *sdk.DeleteUserPolicyInput) (*sdk.DeleteUserPolicyOutput, error) {
			return &sdk.DeleteUserPolicyOutput{}, a.IAM.DeleteInline(ctx, iam.User, *in.UserName, *in.PolicyName)
		}),
		awsapi.Serve("AttachUserPolicy", func(ctx context.Context, in *sdk.AttachUserPolicyInput) (*sdk.AttachUserPolicyOutput, error) {
			return &sdk.AttachUserPolicyOutput{}, a.IAM.Attach(ctx, iam.User, *in.UserName, *in.PolicyArn)
		}),
		awsapi.Serve("DetachUserPolicy", func(ctx context.Context, in *sdk.DetachUserPolicyInput) (*sdk.DetachUserPolicyOutput, error) {
			return &sdk.DetachUserPolicyOutput{}, a.IAM.Detach(ctx, iam.User, *in.UserName, *in.PolicyArn)
		}),
		awsapi.Serve("ListAttachedUserPolicies", func(_ context.Context, in *sdk.ListAttachedUserPoliciesInput) (*sdk.ListAttachedUserPoliciesOutput, error) {
			list, p, err := a.attached(iam.User, in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
			return &sdk.ListAttachedUserPoliciesOutput{AttachedPolicies: list, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
		awsapi.Serve("ListGroupsForUser", a.listGroupsForUser),
	}
}

func (a *API) createUser(ctx context.Context, in *sdk.CreateUserInput) (*sdk.CreateUserOutput, error) {
	user, err := a.IAM.CreateUser(ctx, iam.NewEntity{
		Name: *in.UserName, Path: aws.ToString(in.Path), Boundary: aws.ToString(in.PermissionsBoundary), Tags: tagsOf(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	shown := a.showUser(user)
	return &sdk.CreateUserOutput{User: &shown}, nil
}

// getUser without a name is about the caller; complete has filled in the name
// of a caller that is a user.
func (a *API) getUser(ctx context.Context, in *sdk.GetUserInput) (*sdk.GetUserOutput, error) {
	caller := awsapi.CallerOf(ctx)
	if in.UserName == nil && caller.Root {
		return &sdk.GetUserOutput{User: &types.User{
			Arn: aws.String(caller.ARN), UserId: aws.String(caller.UserID), Path: aws.String("/"), UserName: aws.String(""),
			CreateDate: aws.Time(rootCreated),
		}}, nil
	}
	if in.UserName == nil {
		return nil, identity.Errorf(identity.ValidationError, "Must specify userName when calling with non-User credentials")
	}
	user, err := a.IAM.User(*in.UserName)
	if err != nil {
		return nil, err
	}
	shown := a.showUser(user)
	return &sdk.GetUserOutput{User: &shown}, nil
}

func (a *API) listUsers(_ context.Context, in *sdk.ListUsersInput) (*sdk.ListUsersOutput, error) {
	users, p, err := page(a.IAM.Users(aws.ToString(in.PathPrefix)), func(u *identity.IAMUser) string { return strings.ToLower(u.Name) }, in.Marker, in.MaxItems)
	out := &sdk.ListUsersOutput{Users: []types.User{}, Marker: p.Next, IsTruncated: p.Truncated}
	for _, user := range users {
		shown := a.showUser(user)
		shown.Tags, shown.PermissionsBoundary = nil, nil // as in IAM: listings leave them out
		out.Users = append(out.Users, shown)
	}
	return out, err
}

func (a *API) listUserTags(_ context.Context, in *sdk.ListUserTagsInput) (*sdk.ListUserTagsOutput, error) {
	user, err := a.IAM.User(*in.UserName)
	if err != nil {
		return nil, err
	}
	tags, p, err := pageOfTags(user.Tags, in.Marker, in.MaxItems)
	return &sdk.ListUserTagsOutput{Tags: tags, Marker: p.Next, IsTruncated: p.Truncated}, err
}

func (a *API) listGroupsForUser(_ context.Context, in *sdk.ListGroupsForUserInput) (*sdk.ListGroupsForUserOutput, error) {
	groups, err := a.IAM.GroupsOf(*in.UserName)
	if err != nil {
		return nil, err
	}
	shown, p, err := a.pageOfGroups(groups, in.Marker, in.MaxItems)
	return &sdk.ListGroupsForUserOutput{Groups: shown, Marker: p.Next, IsTruncated: p.Truncated}, err
}
