package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func (a *API) policyOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("CreatePolicy", a.createPolicy),
		awsapi.Serve("GetPolicy", a.getPolicy),
		awsapi.Serve("ListPolicies", a.listPolicies),
		awsapi.Serve("DeletePolicy", func(ctx context.Context, in *sdk.DeletePolicyInput) (*sdk.DeletePolicyOutput, error) {
			return &sdk.DeletePolicyOutput{}, a.IAM.DeletePolicy(ctx, *in.PolicyArn)
		}),
		awsapi.Serve("CreatePolicyVersion", a.createPolicyVersion),
		awsapi.Serve("GetPolicyVersion", a.getPolicyVersion),
		awsapi.Serve("ListPolicyVersions", a.listPolicyVersions),
		awsapi.Serve("SetDefaultPolicyVersion", func(ctx context.Context, in *sdk.SetDefaultPolicyVersionInput) (*sdk.SetDefaultPolicyVersionOutput, error) {
			return &sdk.SetDefaultPolicyVersionOutput{}, a.IAM.SetDefaultVersion(ctx, *in.PolicyArn, *in.VersionId)
		}),
		awsapi.Serve("DeletePolicyVersion", func(ctx context.Context, in *sdk.DeletePolicyVersionInput) (*sdk.DeletePolicyVersionOutput, error) {
			return &sdk.DeletePolicyVersionOutput{}, a.IAM.DeleteVersion(ctx, *in.PolicyArn, *in.VersionId)
		}),
		awsapi.Serve("TagPolicy", func(ctx context.Context, in *sdk.TagPolicyInput) (*sdk.TagPolicyOutput, error) {
			return &sdk.TagPolicyOutput{}, a.IAM.TagPolicy(ctx, *in.PolicyArn, tagsOf(in.Tags))
		}),
		awsapi.Serve("UntagPolicy", func(ctx context.Context, in *sdk.UntagPolicyInput) (*sdk.UntagPolicyOutput, error) {
			return &sdk.UntagPolicyOutput{}, a.IAM.UntagPolicy(ctx, *in.PolicyArn, in.TagKeys)
		}),
		awsapi.Serve("ListPolicyTags", a.listPolicyTags),
		awsapi.Serve("ListEntitiesForPolicy", a.listEntitiesForPolicy),
	}
}

func (a *API) createPolicy(ctx context.Context, in *sdk.CreatePolicyInput) (*sdk.CreatePolicyOutput, error) {
	made, err := a.IAM.CreatePolicy(ctx, iam.NewEntity{Name: *in.PolicyName, Path: aws.ToString(in.Path), Tags: tagsOf(in.Tags)}, aws.ToString(in.Description), *in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	shown := a.showPolicy(made)
	return &sdk.CreatePolicyOutput{Policy: &shown}, nil
}

func (a *API) getPolicy(_ context.Context, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	found, err := a.IAM.Policy(*in.PolicyArn)
	if err != nil {
		return nil, err
	}
	shown := a.showPolicy(found)
	return &sdk.GetPolicyOutput{Policy: &shown}, nil
}

func (a *API) listPolicies(_ context.Context, in *sdk.ListPoliciesInput) (*sdk.ListPoliciesOutput, error) {
	var list []types.Policy
	for _, p := range a.IAM.Policies(in.Scope != types.PolicyScopeTypeAws, in.Scope != types.PolicyScopeTypeLocal) {
		shown := a.showPolicy(p)
		shown.Tags, shown.Description = nil, nil
		uses := *shown.AttachmentCount
		if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary {
			uses = *shown.PermissionsBoundaryUsageCount
		}
		if underPath(p.Path, in.PathPrefix) && (!in.OnlyAttached || uses > 0) {
			list = append(list, shown)
		}
	}
	slices.SortFunc(list, func(a, b types.Policy) int { return strings.Compare(*a.Arn, *b.Arn) })
	list, p, err := page(list, func(p types.Policy) string { return *p.Arn }, in.Marker, in.MaxItems)
	return &sdk.ListPoliciesOutput{Policies: filled(list), Marker: p.Next, IsTruncated: p.Truncated}, err
}

func showVersion(p *identity.IAMPolicy, v identity.PolicyVersion) types.PolicyVersion {
	return types.PolicyVersion{VersionId: aws.String(versionID(v.Number)), IsDefaultVersion: v.Number == p.Default, CreateDate: aws.Time(v.Created)}
}

func (a *API) createPolicyVersion(ctx context.Context, in *sdk.CreatePolicyVersionInput) (*sdk.CreatePolicyVersionOutput, error) {
	made, err := a.IAM.AddVersion(ctx, *in.PolicyArn, *in.PolicyDocument, in.SetAsDefault)
	if err != nil {
		return nil, err
	}
	return &sdk.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{
		VersionId: aws.String(versionID(made.Number)), IsDefaultVersion: in.SetAsDefault, CreateDate: aws.Time(made.Created),
	}}, nil
}

func (a *API) getPolicyVersion(_ context.Context, in *sdk.GetPolicyVersionInput) (*sdk.GetPolicyVersionOutput, error) {
	p, v, err := a.IAM.Version(*in.PolicyArn, *in.VersionId)
	if err != nil {
		return nil, err
	}
	shown := showVersion(p, *v)
	shown.Document = encoded(v.Document)
	return &sdk.GetPolicyVersionOutput{PolicyVersion: &shown}, nil
}

func (a *API) listPolicyVersions(_ context.Context, in *sdk.ListPolicyVersionsInput) (*sdk.ListPolicyVersionsOutput, error) {
	p, err := a.IAM.Policy(*in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListPolicyVersionsOutput{Versions: []types.PolicyVersion{}} // five at most: one page
	for _, v := range slices.Backward(p.Versions) {
		out.Versions = append(out.Versions, showVersion(p, v))
	}
	return out, nil
}

func (a *API) listPolicyTags(_ context.Context, in *sdk.ListPolicyTagsInput) (*sdk.ListPolicyTagsOutput, error) {
	found, err := a.IAM.Policy(*in.PolicyArn)
	if err != nil {
		return nil, err
	}
	tags, p, err := pageOfTags(found.Tags, in.Marker, in.MaxItems)
	return &sdk.ListPolicyTagsOutput{Tags: tags, Marker: p.Next, IsTruncated: p.Truncated}, err
}

// wantedKind reports whether an EntityFilter lets a kind through.
func wantedKind(filter types.EntityType, kind iam.Kind) bool {
	return filter == "" || strings.EqualFold(string(filter), string(kind))
}

func (a *API) listEntitiesForPolicy(_ context.Context, in *sdk.ListEntitiesForPolicyInput) (*sdk.ListEntitiesForPolicyOutput, error) {
	if _, err := a.IAM.Policy(*in.PolicyArn); err != nil {
		return nil, err
	}
	boundaries := in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary
	var uses []iam.Use
	for _, use := range a.IAM.Uses(*in.PolicyArn) {
		if use.Boundary == boundaries && wantedKind(in.EntityFilter, use.Kind) && underPath(use.Entity.Path, in.PathPrefix) {
			uses = append(uses, use)
		}
	}
	key := func(u iam.Use) string { return string(u.Kind) + "/" + strings.ToLower(u.Entity.Name) }
	slices.SortFunc(uses, func(a, b iam.Use) int { return strings.Compare(key(a), key(b)) })
	uses, p, err := page(uses, key, in.Marker, in.MaxItems)
	out := &sdk.ListEntitiesForPolicyOutput{
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{},
		Marker: p.Next, IsTruncated: p.Truncated,
	}
	for _, use := range uses {
		name, id := aws.String(use.Entity.Name), aws.String(use.Entity.ID)
		switch use.Kind {
		case iam.Group:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: name, GroupId: id})
		case iam.Role:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: name, RoleId: id})
		default:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: name, UserId: id})
		}
	}
	return out, err
}
