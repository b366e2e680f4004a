package elasticache

import (
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/naming"
)

// permissions is the authorisation table of the service: what each action
// touches (Service Authorization Reference, "Actions defined by Amazon
// ElastiCache").
func (a *API) permissions() awsapi.Permissions {
	permissions := awsapi.Permissions{
		"elasticache:DescribeEvents":                  awsapi.OnAll,
		"elasticache:DescribeCacheEngineVersions":     awsapi.OnAll,
		"elasticache:DescribeEngineDefaultParameters": awsapi.OnAll,

		"elasticache:AddTagsToResource":      awsapi.On(func(in *sdk.AddTagsToResourceInput) []string { return given(in.ResourceName) }),
		"elasticache:RemoveTagsFromResource": awsapi.On(func(in *sdk.RemoveTagsFromResourceInput) []string { return given(in.ResourceName) }),
		"elasticache:ListTagsForResource":    awsapi.On(func(in *sdk.ListTagsForResourceInput) []string { return given(in.ResourceName) }),
	}
	for _, add := range []func(awsapi.Permissions){a.permitUsers, a.permitCaches, a.permitReplicas, a.permitClusters, a.permitSettings} {
		add(permissions)
	}
	return permissions
}

func (a *API) permitUsers(p awsapi.Permissions) {
	p["elasticache:CreateUser"] = awsapi.On(func(in *sdk.CreateUserInput) []string { return a.arns(naming.User, in.UserId) })
	p["elasticache:ModifyUser"] = awsapi.On(func(in *sdk.ModifyUserInput) []string { return a.arns(naming.User, in.UserId) })
	p["elasticache:DescribeUsers"] = awsapi.On(func(in *sdk.DescribeUsersInput) []string { return a.arns(naming.User, in.UserId) })
	p["elasticache:DeleteUser"] = awsapi.On(func(in *sdk.DeleteUserInput) []string { return a.arns(naming.User, in.UserId) })
	p["elasticache:CreateUserGroup"] = awsapi.On(func(in *sdk.CreateUserGroupInput) []string {
		return append(a.arns(naming.UserGroup, in.UserGroupId), a.each(naming.User, in.UserIds)...)
	})
	p["elasticache:ModifyUserGroup"] = awsapi.On(func(in *sdk.ModifyUserGroupInput) []string {
		touched := append(a.arns(naming.UserGroup, in.UserGroupId), a.each(naming.User, in.UserIdsToAdd)...)
		return append(touched, a.each(naming.User, in.UserIdsToRemove)...)
	})
	p["elasticache:DescribeUserGroups"] = awsapi.On(func(in *sdk.DescribeUserGroupsInput) []string {
		return a.arns(naming.UserGroup, in.UserGroupId)
	})
	p["elasticache:DeleteUserGroup"] = awsapi.On(func(in *sdk.DeleteUserGroupInput) []string {
		return a.arns(naming.UserGroup, in.UserGroupId)
	})
}

func (a *API) permitCaches(p awsapi.Permissions) {
	p["elasticache:CreateReplicationGroup"] = awsapi.On(func(in *sdk.CreateReplicationGroupInput) []string {
		touched := append(a.arns(naming.ReplicationGroup, in.ReplicationGroupId), a.optional(naming.SubnetGroup, in.CacheSubnetGroupName)...)
		touched = append(touched, a.optional(naming.ParameterGroup, in.CacheParameterGroupName)...)
		return append(touched, a.each(naming.UserGroup, in.UserGroupIds)...)
	})
	p["elasticache:ModifyReplicationGroup"] = awsapi.On(func(in *sdk.ModifyReplicationGroupInput) []string {
		touched := append(a.arns(naming.ReplicationGroup, in.ReplicationGroupId), a.optional(naming.ParameterGroup, in.CacheParameterGroupName)...)
		touched = append(touched, a.each(naming.UserGroup, in.UserGroupIdsToAdd)...)
		return append(touched, a.each(naming.UserGroup, in.UserGroupIdsToRemove)...)
	})
	p["elasticache:DescribeReplicationGroups"] = awsapi.On(func(in *sdk.DescribeReplicationGroupsInput) []string {
		return a.arns(naming.ReplicationGroup, in.ReplicationGroupId)
	})
	p["elasticache:DeleteReplicationGroup"] = awsapi.On(func(in *sdk.DeleteReplicationGroupInput) []string {
		return a.arns(naming.ReplicationGroup, in.ReplicationGroupId)
	})
	p["elasticache:DescribeCacheClusters"] = awsapi.On(func(in *sdk.DescribeCacheClustersInput) []string {
		return a.arns(naming.Cluster, in.CacheClusterId)
	})
}

func (a *API) permitSettings(p awsapi.Permissions) {
	p["elasticache:CreateCacheSubnetGroup"] = awsapi.On(func(in *sdk.CreateCacheSubnetGroupInput) []string {
		return a.arns(naming.SubnetGroup, in.CacheSubnetGroupName)
	})
	p["elasticache:ModifyCacheSubnetGroup"] = awsapi.On(func(in *sdk.ModifyCacheSubnetGroupInput) []string {
		return a.arns(naming.SubnetGroup, in.CacheSubnetGroupName)
	})
	p["elasticache:DescribeCacheSubnetGroups"] = awsapi.On(func(in *sdk.DescribeCacheSubnetGroupsInput) []string {
		return a.arns(naming.SubnetGroup, in.CacheSubnetGroupName)
	})
	p["elasticache:DeleteCacheSubnetGroup"] = awsapi.On(func(in *sdk.DeleteCacheSubnetGroupInput) []string {
		return a.arns(naming.SubnetGroup, in.CacheSubnetGroupName)
	})
	p["elasticache:CreateCacheParameterGroup"] = awsapi.On(func(in *sdk.CreateCacheParameterGroupInput) []string {
		return a.arns(naming.ParameterGroup, in.CacheParameterGroupName)
	})
	p["elasticache:ModifyCacheParameterGroup"] = awsapi.On(func(in *sdk.ModifyCacheParameterGroupInput) []string {
		return a.arns(naming.ParameterGroup, in.CacheParameterGroupName)
	})
	p["elasticache:ResetCacheParameterGroup"] = awsapi.On(func(in *sdk.ResetCacheParameterGroupInput) []string {
		return a.arns(naming.ParameterGroup, in.CacheParameterGroupName)
	})
	p["elasticache:DescribeCacheParameterGroups"] = awsapi.On(func(in *sdk.DescribeCacheParameterGroupsInput) []string {
		return a.arns(naming.ParameterGroup, in.CacheParameterGroupName)
	})
	p["elasticache:DescribeCacheParameters"] = awsapi.On(func(in *sdk.DescribeCacheParametersInput) []string {
		return a.arns(naming.ParameterGroup, in.CacheParameterGroupName)
	})
	p["elasticache:DeleteCacheParameterGroup"] = awsapi.On(func(in *sdk.DeleteCacheParameterGroupInput) []string {
		return a.arns(naming.ParameterGroup, in.CacheParameterGroupName)
	})
}

// arns is the resource with that id or, when there is none, all of the kind.
func (a *API) arns(kind naming.Kind, id *string) []string {
	if id == nil || *id == "" {
		return []string{a.Account.ARN(kind, "*")}
	}
	return []string{a.Account.ARN(kind, strings.ToLower(*id))}
}

// optional is the resource with that id, if one was given.
func (a *API) optional(kind naming.Kind, id *string) []string {
	if id == nil {
		return nil
	}
	return a.arns(kind, id)
}

func (a *API) each(kind naming.Kind, ids []string) []string {
	var touched []string
	for _, id := range ids {
		touched = append(touched, a.arns(kind, &id)...)
	}
	return touched
}

// given is an ARN that the request itself names.
func given(arn *string) []string {
	if arn == nil || *arn == "" {
		return []string{"*"}
	}
	return []string{*arn}
}
