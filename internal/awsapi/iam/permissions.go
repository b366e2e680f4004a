package iam

import (
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/iam"
)

// Actions by the kind of resource that they touch (Service Authorization
// Reference, "Actions defined by AWS Identity and Access Management"). The
// resource is the one that the input names in the kind's own member.
var (
	onUser = strings.Fields(`CreateUser GetUser UpdateUser DeleteUser TagUser UntagUser ListUserTags
		PutUserPermissionsBoundary DeleteUserPermissionsBoundary PutUserPolicy GetUserPolicy ListUserPolicies DeleteUserPolicy
		AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies ListGroupsForUser
		CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey`)
	onGroup = strings.Fields(`CreateGroup GetGroup UpdateGroup DeleteGroup AddUserToGroup RemoveUserFromGroup
		PutGroupPolicy GetGroupPolicy ListGroupPolicies DeleteGroupPolicy
		AttachGroupPolicy DetachGroupPolicy ListAttachedGroupPolicies`)
	onRole = strings.Fields(`CreateRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole
		TagRole UntagRole ListRoleTags PutRolePermissionsBoundary DeleteRolePermissionsBoundary
		PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy
		AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole`)
	onPolicy = strings.Fields(`GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion ListPolicyVersions
		SetDefaultPolicyVersion DeletePolicyVersion TagPolicy UntagPolicy ListPolicyTags ListEntitiesForPolicy`)
	onProvider = strings.Fields(`GetOpenIDConnectProvider DeleteOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint
		AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider
		TagOpenIDConnectProvider UntagOpenIDConnectProvider ListOpenIDConnectProviderTags`)
	onAll = strings.Fields(`ListUsers ListGroups ListRoles ListPolicies ListOpenIDConnectProviders SimulateCustomPolicy`)
)

func (a *API) permissions() awsapi.Permissions {
	p := awsapi.Permissions{
		"iam:CreatePolicy": awsapi.On(func(in *sdk.CreatePolicyInput) []string {
			return []string{a.IAM.NewARN(iam.Policy, aws.ToString(in.Path), aws.ToString(in.PolicyName))}
		}),
		"iam:CreateOpenIDConnectProvider": awsapi.On(func(in *sdk.CreateOpenIDConnectProviderInput) []string {
			return []string{a.IAM.NewARN(iam.Provider, "", strings.TrimSuffix(strings.TrimPrefix(aws.ToString(in.Url), "https://"), "/"))}
		}),
		"iam:GetAccessKeyLastUsed": awsapi.On(func(in *sdk.GetAccessKeyLastUsedInput) []string {
			if user, err := a.IAM.AccessKeyOwner(aws.ToString(in.AccessKeyId)); err == nil {
				return []string{a.IAM.ARN(iam.User, &user.IAMEntity)}
			}
			return []string{a.IAM.NewARN(iam.User, "", "*")}
		}),
		"iam:SimulatePrincipalPolicy": awsapi.On(func(in *sdk.SimulatePrincipalPolicyInput) []string {
			return []string{aws.ToString(in.PolicySourceArn)}
		}),
	}
	permit := func(actions []string, resources awsapi.Resources) {
		for _, action := range actions {
			p[awsapi.Action("iam:"+action)] = resources
		}
	}
	permit(onUser, a.entities(iam.User, "UserName", "NewUserName"))
	permit(onGroup, a.entities(iam.Group, "GroupName", "NewGroupName"))
	permit(onRole, a.entities(iam.Role, "RoleName", ""))
	permit(onPolicy, itsOwn("PolicyArn"))
	permit(onProvider, itsOwn("OpenIDConnectProviderArn"))
	permit(onAll, awsapi.OnAll)
	return p
}

// text reads a member of an input, "" when the input has none or it is not given.
func text(in any, member string) string {
	field := reflect.ValueOf(in).Elem().FieldByName(member)
	if !field.IsValid() {
		return ""
	}
	value, _ := field.Interface().(*string)
	return aws.ToString(value)
}

// itsOwn is the ARN that the input names.
func itsOwn(member string) awsapi.Resources {
	return func(in any) []string { return []string{text(in, member)} }
}

// entities is the user, group or role that an input names: by its real ARN, with
// the path that it has and its name as it is spelled, so that another spelling
// does not get around a policy. Renaming touches the new ARN too (IAM API,
// UpdateUser).
func (a *API) entities(kind iam.Kind, member, newMember string) awsapi.Resources {
	return func(in any) []string {
		name := text(in, member)
		path := text(in, "Path")
		arn := a.IAM.NewARN(kind, path, name)
		if name == "" {
			arn = a.IAM.NewARN(kind, "", "*")
		}
		if e, err := a.IAM.Entity(kind, name); err == nil {
			arn, path, name = a.IAM.ARN(kind, e), e.Path, e.Name
		}
		newName, newPath := text(in, newMember), text(in, "NewPath")
		if newName == "" && newPath == "" {
			return []string{arn}
		}
		if newName == "" {
			newName = name
		}
		if newPath == "" {
			newPath = path
		}
		return []string{arn, a.IAM.NewARN(kind, newPath, newName)}
	}
}

// conditions are IAM's own condition keys (Service Authorization Reference,
// "Condition keys for AWS Identity and Access Management"): the policy that is
// attached or detached, and the boundary that a user or role is given or has.
func (a *API) conditions(in any) map[string][]string {
	keys := map[string][]string{}
	switch in.(type) {
	case *sdk.AttachUserPolicyInput, *sdk.DetachUserPolicyInput, *sdk.AttachGroupPolicyInput, *sdk.DetachGroupPolicyInput,
		*sdk.AttachRolePolicyInput, *sdk.DetachRolePolicyInput:
		keys["iam:PolicyARN"] = []string{text(in, "PolicyArn")}
	}
	boundary := text(in, "PermissionsBoundary")
	if boundary == "" {
		boundary = a.boundaryOf(in)
	}
	if boundary != "" {
		keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	return keys
}

// needsTagging is the action that tags at creation need (IAM User Guide, "Tags for
// IAM resources").
func needsTagging(in any) awsapi.Action {
	switch in := in.(type) {
	case *sdk.CreateUserInput:
		return needed("iam:TagUser", in.Tags)
	case *sdk.CreateRoleInput:
		return needed("iam:TagRole", in.Tags)
	case *sdk.CreatePolicyInput:
		return needed("iam:TagPolicy", in.Tags)
	case *sdk.CreateOpenIDConnectProviderInput:
		return needed("iam:TagOpenIDConnectProvider", in.Tags)
	default:
		return ""
	}
}

func needed(action awsapi.Action, tags []types.Tag) awsapi.Action {
	if len(tags) == 0 {
		return ""
	}
	return action
}

// boundaryOf is the boundary of the user or role that an input is about.
func (a *API) boundaryOf(in any) string {
	for kind, member := range map[iam.Kind]string{iam.User: "UserName", iam.Role: "RoleName"} {
		if e, err := a.IAM.Entity(kind, text(in, member)); err == nil {
			return e.Boundary
		}
	}
	return ""
}
