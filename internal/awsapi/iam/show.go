package iam

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func tagsOf(tags []types.Tag) []naming.Tag {
	list := make([]naming.Tag, 0, len(tags))
	for _, tag := range tags {
		list = append(list, naming.Tag{Key: aws.ToString(tag.Key), Value: aws.ToString(tag.Value)})
	}
	return list
}

// showTags are tags by key; none are left out of an answer when empty is nil.
func showTags(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

func pageOfTags(tags map[string]string, marker *string, size *int32) ([]types.Tag, paging, error) {
	shown, p, err := page(showTags(tags), func(t types.Tag) string { return *t.Key }, marker, size)
	return filled(shown), p, err
}

// filled makes an empty list of none, which IAM's answers have where a list is
// the point of them.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func showBoundary(e *identity.IAMEntity) *types.AttachedPermissionsBoundary {
	if e.Boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: aws.String(e.Boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
	}
}

func (a *API) showUser(u *identity.IAMUser) types.User {
	return types.User{
		Arn: aws.String(a.IAM.ARN(iam.User, &u.IAMEntity)), CreateDate: aws.Time(u.Created), Path: aws.String(u.Path),
		UserId: aws.String(u.ID), UserName: aws.String(u.Name), PermissionsBoundary: showBoundary(&u.IAMEntity), Tags: showTags(u.Tags),
	}
}

func (a *API) showGroup(g *identity.IAMGroup) types.Group {
	return types.Group{
		Arn: aws.String(a.IAM.ARN(iam.Group, &g.IAMEntity)), CreateDate: aws.Time(g.Created), Path: aws.String(g.Path),
		GroupId: aws.String(g.ID), GroupName: aws.String(g.Name),
	}
}

func (a *API) showRole(r *identity.IAMRole) types.Role {
	role := types.Role{
		Arn: aws.String(a.IAM.ARN(iam.Role, &r.IAMEntity)), CreateDate: aws.Time(r.Created), Path: aws.String(r.Path),
		RoleId: aws.String(r.ID), RoleName: aws.String(r.Name), AssumeRolePolicyDocument: encoded(a.IAM.Trust(r)),
		MaxSessionDuration: aws.Int32(int32(r.MaxSession.Seconds())), PermissionsBoundary: showBoundary(&r.IAMEntity), Tags: showTags(r.Tags),
	}
	if r.Description != "" {
		role.Description = aws.String(r.Description)
	}
	return role
}

func (a *API) showPolicy(p *identity.IAMPolicy) types.Policy {
	arn := a.IAM.PolicyARN(p)
	var attachments, boundaries int32
	for _, use := range a.IAM.Uses(arn) {
		if use.Boundary {
			boundaries++
		} else {
			attachments++
		}
	}
	shown := types.Policy{
		Arn: aws.String(arn), PolicyId: aws.String(p.ID), PolicyName: aws.String(p.Name), Path: aws.String(p.Path),
		DefaultVersionId: aws.String(versionID(p.Default)), AttachmentCount: aws.Int32(attachments),
		PermissionsBoundaryUsageCount: aws.Int32(boundaries), IsAttachable: true,
		CreateDate: aws.Time(p.Created), UpdateDate: aws.Time(p.Updated), Tags: showTags(p.Tags),
	}
	if p.Description != "" {
		shown.Description = aws.String(p.Description)
	}
	return shown
}

func versionID(number int) string { return "v" + strconv.Itoa(number) }

// attached are the managed policies of an entity, by ARN.
func (a *API) attached(kind iam.Kind, name, pathPrefix, marker *string, size *int32) ([]types.AttachedPolicy, paging, error) {
	e, err := a.IAM.Entity(kind, aws.ToString(name))
	if err != nil {
		return nil, paging{}, err
	}
	var list []types.AttachedPolicy
	for _, arn := range slices.Sorted(slices.Values(e.Attached)) {
		p, err := a.IAM.Policy(arn)
		if err == nil && underPath(p.Path, pathPrefix) {
			list = append(list, types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(p.Name)})
		}
	}
	shown, next, err := page(list, func(p types.AttachedPolicy) string { return *p.PolicyArn }, marker, size)
	return filled(shown), next, err
}

// inlineNames are the names of an entity's inline policies.
func (a *API) inlineNames(kind iam.Kind, name, marker *string, size *int32) ([]string, paging, error) {
	e, err := a.IAM.Entity(kind, aws.ToString(name))
	if err != nil {
		return nil, paging{}, err
	}
	shown, next, err := page(slices.Sorted(maps.Keys(e.Inline)), itself, marker, size)
	return filled(shown), next, err
}
