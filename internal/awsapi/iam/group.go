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

func (a *API) groupOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("CreateGroup", a.createGroup),
		awsapi.Serve("GetGroup", a.getGroup),
		awsapi.Serve("ListGroups", func(_ context.Context, in *sdk.ListGroupsInput) (*sdk.ListGroupsOutput, error) {
			shown, p, err := a.pageOfGroups(a.IAM.Groups(aws.ToString(in.PathPrefix)), in.Marker, in.MaxItems)
			return &sdk.ListGroupsOutput{Groups: shown, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
		awsapi.Serve("UpdateGroup", func(ctx context.Context, in *sdk.UpdateGroupInput) (*sdk.UpdateGroupOutput, error) {
			return &sdk.UpdateGroupOutput{}, a.IAM.Rename(ctx, iam.Group, *in.GroupName, aws.ToString(in.NewGroupName), aws.ToString(in.NewPath))
		}),
		awsapi.Serve("DeleteGroup", func(ctx context.Context, in *sdk.DeleteGroupInput) (*sdk.DeleteGroupOutput, error) {
			return &sdk.DeleteGroupOutput{}, a.IAM.DeleteGroup(ctx, *in.GroupName)
		}),
		awsapi.Serve("AddUserToGroup", func(ctx context.Context, in *sdk.AddUserToGroupInput) (*sdk.AddUserToGroupOutput, error) {
			return &sdk.AddUserToGroupOutput{}, a.IAM.AddUserToGroup(ctx, *in.UserName, *in.GroupName)
		}),
		awsapi.Serve("RemoveUserFromGroup", func(ctx context.Context, in *sdk.RemoveUserFromGroupInput) (*sdk.RemoveUserFromGroupOutput, error) {
			return &sdk.RemoveUserFromGroupOutput{}, a.IAM.RemoveUserFromGroup(ctx, *in.UserName, *in.GroupName)
		}),
		awsapi.Serve("PutGroupPolicy", func(ctx context.Context, in *sdk.PutGroupPolicyInput) (*sdk.PutGroupPolicyOutput, error) {
			return &sdk.PutGroupPolicyOutput{}, a.IAM.PutInline(ctx, iam.Group, *in.GroupName, *in.PolicyName, *in.PolicyDocument)
		}),
		awsapi.Serve("GetGroupPolicy", func(_ context.Context, in *sdk.GetGroupPolicyInput) (*sdk.GetGroupPolicyOutput, error) {
			document, err := a.IAM.Inline(iam.Group, *in.GroupName, *in.PolicyName)
			return &sdk.GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, err
		}),
		awsapi.Serve("ListGroupPolicies", func(_ context.Context, in *sdk.ListGroupPoliciesInput) (*sdk.ListGroupPoliciesOutput, error) {
			names, p, err := a.inlineNames(iam.Group, in.GroupName, in.Marker, in.MaxItems)
			return &sdk.ListGroupPoliciesOutput{PolicyNames: names, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
		awsapi.Serve("DeleteGroupPolicy", func(ctx context.Context, in *sdk.DeleteGroupPolicyInput) (*sdk.DeleteGroupPolicyOutput, error) {
			return &sdk.DeleteGroupPolicyOutput{}, a.IAM.DeleteInline(ctx, iam.Group, *in.GroupName, *in.PolicyName)
		}),
		awsapi.Serve("AttachGroupPolicy", func(ctx context.Context, in *sdk.AttachGroupPolicyInput) (*sdk.AttachGroupPolicyOutput, error) {
			return &sdk.AttachGroupPolicyOutput{}, a.IAM.Attach(ctx, iam.Group, *in.GroupName, *in.PolicyArn)
		}),
		awsapi.Serve("DetachGroupPolicy", func(ctx context.Context, in *sdk.DetachGroupPolicyInput) (*sdk.DetachGroupPolicyOutput, error) {
			return &sdk.DetachGroupPolicyOutput{}, a.IAM.Detach(ctx, iam.Group, *in.GroupName, *in.PolicyArn)
		}),
		awsapi.Serve("ListAttachedGroupPolicies", func(_ context.Context, in *sdk.ListAttachedGroupPoliciesInput) (*sdk.ListAttachedGroupPoliciesOutput, error) {
			list, p, err := a.attached(iam.Group, in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
			return &sdk.ListAttachedGroupPoliciesOutput{AttachedPolicies: list, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
	}
}

func (a *API) createGroup(ctx context.Context, in *sdk.CreateGroupInput) (*sdk.CreateGroupOutput, error) {
	group, err := a.IAM.CreateGroup(ctx, iam.NewEntity{Name: *in.GroupName, Path: aws.ToString(in.Path)})
	if err != nil {
		return nil, err
	}
	shown := a.showGroup(group)
	return &sdk.CreateGroupOutput{Group: &shown}, nil
}

func (a *API) getGroup(_ context.Context, in *sdk.GetGroupInput) (*sdk.GetGroupOutput, error) {
	group, members, err := a.IAM.Group(*in.GroupName)
	if err != nil {
		return nil, err
	}
	members, p, err := page(members, func(u *identity.IAMUser) string { return strings.ToLower(u.Name) }, in.Marker, in.MaxItems)
	shown := a.showGroup(group)
	out := &sdk.GetGroupOutput{Group: &shown, Users: []types.User{}, Marker: p.Next, IsTruncated: p.Truncated}
	for _, user := range members {
		out.Users = append(out.Users, a.showUser(user))
	}
	return out, err
}

func (a *API) pageOfGroups(groups []*identity.IAMGroup, marker *string, size *int32) ([]types.Group, paging, error) {
	groups, p, err := page(groups, func(g *identity.IAMGroup) string { return strings.ToLower(g.Name) }, marker, size)
	shown := []types.Group{}
	for _, group := range groups {
		shown = append(shown, a.showGroup(group))
	}
	return shown, p, err
}
