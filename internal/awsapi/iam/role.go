package iam

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func (a *API) roleOperations() []awsapi.Operation {
	return append(a.rolePolicyOperations(), []awsapi.Operation{
		awsapi.Serve("CreateRole", a.createRole),
		awsapi.Serve("GetRole", a.getRole),
		awsapi.Serve("ListRoles", a.listRoles),
		awsapi.Serve("UpdateRole", func(ctx context.Context, in *sdk.UpdateRoleInput) (*sdk.UpdateRoleOutput, error) {
			_, err := a.IAM.UpdateRole(ctx, *in.RoleName, in.Description, seconds(in.MaxSessionDuration))
			return &sdk.UpdateRoleOutput{}, err
		}),
		awsapi.Serve("UpdateRoleDescription", a.updateRoleDescription),
		awsapi.Serve("UpdateAssumeRolePolicy", func(ctx context.Context, in *sdk.UpdateAssumeRolePolicyInput) (*sdk.UpdateAssumeRolePolicyOutput, error) {
			return &sdk.UpdateAssumeRolePolicyOutput{}, a.IAM.UpdateTrust(ctx, *in.RoleName, *in.PolicyDocument)
		}),
		awsapi.Serve("DeleteRole", func(ctx context.Context, in *sdk.DeleteRoleInput) (*sdk.DeleteRoleOutput, error) {
			return &sdk.DeleteRoleOutput{}, a.IAM.DeleteRole(ctx, *in.RoleName)
		}),
		awsapi.Serve("TagRole", func(ctx context.Context, in *sdk.TagRoleInput) (*sdk.TagRoleOutput, error) {
			return &sdk.TagRoleOutput{}, a.IAM.Tag(ctx, iam.Role, *in.RoleName, tagsOf(in.Tags))
		}),
		awsapi.Serve("UntagRole", func(ctx context.Context, in *sdk.UntagRoleInput) (*sdk.UntagRoleOutput, error) {
			return &sdk.UntagRoleOutput{}, a.IAM.Untag(ctx, iam.Role, *in.RoleName, in.TagKeys)
		}),
		awsapi.Serve("ListRoleTags", a.listRoleTags),
		awsapi.Serve("PutRolePermissionsBoundary", func(ctx context.Context, in *sdk.PutRolePermissionsBoundaryInput) (*sdk.PutRolePermissionsBoundaryOutput, error) {
			return &sdk.PutRolePermissionsBoundaryOutput{}, a.IAM.SetBoundary(ctx, iam.Role, *in.RoleName, *in.PermissionsBoundary)
		}),
		awsapi.Serve("DeleteRolePermissionsBoundary", func(ctx context.Context, in *sdk.DeleteRolePermissionsBoundaryInput) (*sdk.DeleteRolePermissionsBoundaryOutput, error) {
			return &sdk.DeleteRolePermissionsBoundaryOutput{}, a.IAM.SetBoundary(ctx, iam.Role, *in.RoleName, "")
		}),
		awsapi.Serve("ListInstanceProfilesForRole", a.listInstanceProfilesForRole),
	}...)
}

func (a *API) rolePolicyOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("PutRolePolicy", func(ctx context.Context, in *sdk.PutRolePolicyInput) (*sdk.PutRolePolicyOutput, error) {
			return &sdk.PutRolePolicyOutput{}, a.IAM.PutInline(ctx, iam.Role, *in.RoleName, *in.PolicyName, *in.PolicyDocument)
		}),
		awsapi.Serve("GetRolePolicy", func(_ context.Context, in *sdk.GetRolePolicyInput) (*sdk.GetRolePolicyOutput, error) {
			document, err := a.IAM.Inline(iam.Role, *in.RoleName, *in.PolicyName)
			return &sdk.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, err
		}),
		awsapi.Serve("ListRolePolicies", func(_ context.Context, in *sdk.ListRolePoliciesInput) (*sdk.ListRolePoliciesOutput, error) {
			names, p, err := a.inlineNames(iam.Role, in.RoleName, in.Marker, in.MaxItems)
			return &sdk.ListRolePoliciesOutput{PolicyNames: names, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
		awsapi.Serve("DeleteRolePolicy", func(ctx context.Context, in *sdk.DeleteRolePolicyInput) (*sdk.DeleteRolePolicyOutput, error) {
			return &sdk.DeleteRolePolicyOutput{}, a.IAM.DeleteInline(ctx, iam.Role, *in.RoleName, *in.PolicyName)
		}),
		awsapi.Serve("AttachRolePolicy", func(ctx context.Context, in *sdk.AttachRolePolicyInput) (*sdk.AttachRolePolicyOutput, error) {
			return &sdk.AttachRolePolicyOutput{}, a.IAM.Attach(ctx, iam.Role, *in.RoleName, *in.PolicyArn)
		}),
		awsapi.Serve("DetachRolePolicy", func(ctx context.Context, in *sdk.DetachRolePolicyInput) (*sdk.DetachRolePolicyOutput, error) {
			return &sdk.DetachRolePolicyOutput{}, a.IAM.Detach(ctx, iam.Role, *in.RoleName, *in.PolicyArn)
		}),
		awsapi.Serve("ListAttachedRolePolicies", func(_ context.Context, in *sdk.ListAttachedRolePoliciesInput) (*sdk.ListAttachedRolePoliciesOutput, error) {
			list, p, err := a.attached(iam.Role, in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
			return &sdk.ListAttachedRolePoliciesOutput{AttachedPolicies: list, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
	}
}

func seconds(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Second }

func (a *API) createRole(ctx context.Context, in *sdk.CreateRoleInput) (*sdk.CreateRoleOutput, error) {
	role, err := a.IAM.CreateRole(ctx, iam.NewEntity{
		Name: *in.RoleName, Path: aws.ToString(in.Path), Boundary: aws.ToString(in.PermissionsBoundary), Tags: tagsOf(in.Tags),
	}, *in.AssumeRolePolicyDocument, aws.ToString(in.Description), seconds(in.MaxSessionDuration))
	if err != nil {
		return nil, err
	}
	shown := a.showRole(role)
	return &sdk.CreateRoleOutput{Role: &shown}, nil
}

func (a *API) getRole(_ context.Context, in *sdk.GetRoleInput) (*sdk.GetRoleOutput, error) {
	role, err := a.IAM.Role(*in.RoleName)
	if err != nil {
		return nil, err
	}
	shown := a.showRole(role)
	return &sdk.GetRoleOutput{Role: &shown}, nil
}

func (a *API) listRoles(_ context.Context, in *sdk.ListRolesInput) (*sdk.ListRolesOutput, error) {
	roles, p, err := page(a.IAM.Roles(aws.ToString(in.PathPrefix)), func(r *identity.IAMRole) string { return strings.ToLower(r.Name) }, in.Marker, in.MaxItems)
	out := &sdk.ListRolesOutput{Roles: []types.Role{}, Marker: p.Next, IsTruncated: p.Truncated}
	for _, role := range roles {
		shown := a.showRole(role)
		shown.Tags, shown.PermissionsBoundary = nil, nil
		out.Roles = append(out.Roles, shown)
	}
	return out, err
}

func (a *API) updateRoleDescription(ctx context.Context, in *sdk.UpdateRoleDescriptionInput) (*sdk.UpdateRoleDescriptionOutput, error) {
	role, err := a.IAM.UpdateRole(ctx, *in.RoleName, in.Description, 0)
	if err != nil {
		return nil, err
	}
	shown := a.showRole(role)
	return &sdk.UpdateRoleDescriptionOutput{Role: &shown}, nil
}

func (a *API) listRoleTags(_ context.Context, in *sdk.ListRoleTagsInput) (*sdk.ListRoleTagsOutput, error) {
	role, err := a.IAM.Role(*in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, p, err := pageOfTags(role.Tags, in.Marker, in.MaxItems)
	return &sdk.ListRoleTagsOutput{Tags: tags, Marker: p.Next, IsTruncated: p.Truncated}, err
}

// listInstanceProfilesForRole answers that there are none, which Terraform asks
// before it deletes a role: instance profiles belong to EC2.
func (a *API) listInstanceProfilesForRole(_ context.Context, in *sdk.ListInstanceProfilesForRoleInput) (*sdk.ListInstanceProfilesForRoleOutput, error) {
	_, err := a.IAM.Role(*in.RoleName)
	return &sdk.ListInstanceProfilesForRoleOutput{InstanceProfiles: []types.InstanceProfile{}}, err
}
