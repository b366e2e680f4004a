package elasticache

import (
	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/control/users"
)

// API is the ElastiCache API over the control plane's operations.
type API struct {
	Account naming.Account
	Users   *users.Service
	Caches  *caches.Service
	Tags    *tagging.Service
}

// Service returns the API for the front door.
func (a *API) Service() awsapi.Service {
	return awsapi.Service{
		Model:       model.ElastiCache,
		Operations:  a.operations(),
		Permissions: a.permissions(),
		Conditions:  conditions,
		Tagging:     needsTagging,
		// The user operations judge these themselves, with the messages that AWS
		// has been seen to send and the model does not know.
		Judged: map[string]bool{
			"UserId": true, "UserGroupId": true, "UserName": true, "EngineType": true,
			"AccessString": true, "PasswordListInput": true, "InputAuthenticationType": true,
			"UserIdListInput": true, "UserGroupIdListInput": true,
		},
	}
}

func (a *API) operations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("CreateUser", a.createUser),
		awsapi.Serve("ModifyUser", a.modifyUser),
		awsapi.Serve("DescribeUsers", a.describeUsers),
		awsapi.Serve("DeleteUser", a.deleteUser),
		awsapi.Serve("CreateUserGroup", a.createUserGroup),
		awsapi.Serve("ModifyUserGroup", a.modifyUserGroup),
		awsapi.Serve("DescribeUserGroups", a.describeUserGroups),
		awsapi.Serve("DeleteUserGroup", a.deleteUserGroup),
		awsapi.Serve("CreateReplicationGroup", a.createReplicationGroup),
		awsapi.Serve("ModifyReplicationGroup", a.modifyReplicationGroup),
		awsapi.Serve("DescribeReplicationGroups", a.describeReplicationGroups),
		awsapi.Serve("DeleteReplicationGroup", a.deleteReplicationGroup),
		awsapi.Serve("IncreaseReplicaCount", a.increaseReplicaCount),
		awsapi.Serve("DecreaseReplicaCount", a.decreaseReplicaCount),
		awsapi.Serve("TestFailover", a.testFailover),
		awsapi.Serve("CreateCacheCluster", a.createCacheCluster),
		awsapi.Serve("ModifyCacheCluster", a.modifyCacheCluster),
		awsapi.Serve("DescribeCacheClusters", a.describeCacheClusters),
		awsapi.Serve("DeleteCacheCluster", a.deleteCacheCluster),
		awsapi.Serve("CreateCacheSubnetGroup", a.createSubnetGroup),
		awsapi.Serve("ModifyCacheSubnetGroup", a.modifySubnetGroup),
		awsapi.Serve("DescribeCacheSubnetGroups", a.describeSubnetGroups),
		awsapi.Serve("DeleteCacheSubnetGroup", a.deleteSubnetGroup),
		awsapi.Serve("CreateCacheParameterGroup", a.createParameterGroup),
		awsapi.Serve("ModifyCacheParameterGroup", a.modifyParameterGroup),
		awsapi.Serve("ResetCacheParameterGroup", a.resetParameterGroup),
		awsapi.Serve("DescribeCacheParameterGroups", a.describeParameterGroups),
		awsapi.Serve("DeleteCacheParameterGroup", a.deleteParameterGroup),
		awsapi.Serve("DescribeCacheParameters", a.describeParameters),
		awsapi.Serve("DescribeEngineDefaultParameters", a.describeEngineDefaultParameters),
		awsapi.Serve("DescribeCacheEngineVersions", a.describeEngineVersions),
		awsapi.Serve("DescribeEvents", a.describeEvents),
		awsapi.Serve("AddTagsToResource", a.addTags),
		awsapi.Serve("RemoveTagsFromResource", a.removeTags),
		awsapi.Serve("ListTagsForResource", a.listTags),
	}
}
