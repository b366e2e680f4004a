package fakeaws

import (
	"maps"
	"slices"
)

// cachePageLimit is the most records ElastiCache puts on a page.
const cachePageLimit = 100

var cacheHandlers = map[string]handler{
	"DescribeReplicationGroups": func(r *Region, q *request) (Doc, error) {
		return r.cachePage(q, "groups", "ReplicationGroups", "ReplicationGroupId", "ReplicationGroupNotFoundFault")
	},
	"DescribeCacheClusters": func(r *Region, q *request) (Doc, error) {
		return r.cachePage(q, "members", "CacheClusters", "CacheClusterId", "CacheClusterNotFound")
	},
	"DescribeCacheSubnetGroups": func(r *Region, q *request) (Doc, error) {
		return r.cachePage(q, "subnets", "CacheSubnetGroups", "CacheSubnetGroupName", "CacheSubnetGroupNotFoundFault")
	},
	"DescribeUserGroups": func(r *Region, q *request) (Doc, error) {
		return r.cachePage(q, "usergroups", "UserGroups", "UserGroupId", "UserGroupNotFound")
	},
	"DescribeUsers": func(r *Region, q *request) (Doc, error) {
		return r.cachePage(q, "users", "Users", "UserId", "UserNotFound")
	},
	"DescribeServerlessCaches": describeServerless,
	"ModifyReplicationGroup":   modifyGroup,
	"ModifyCacheCluster":       modifyMember,
	"ModifyServerlessCache":    modifyServerless,
	"IncreaseReplicaCount":     increaseReplicas,
	"CreateUser":               createUser,
	"DeleteUser":               deleteUser,
	"CreateUserGroup":          createUserGroup,
	"ModifyUserGroup":          modifyUserGroup,
	"DeleteUserGroup":          deleteUserGroup,
	"CreateSnapshot":           createSnapshot,
}

func (r *Region) cachePage(q *request, name, field, key, missing string) (Doc, error) {
	t := r.table(name)
	items := t.list()
	if id := text(q.in, key); id != "" {
		d, ok := t.byID[id]
		if !ok {
			return nil, refuse(missing, "%s not found: %s", key, id)
		}
		items = []Doc{d}
	}
	for _, d := range items {
		seen(d)
	}
	page, next, err := r.page(name, items, text(q.in, "Marker"), limit(q.in["MaxRecords"], cachePageLimit, cachePageLimit))
	if err != nil {
		return nil, err
	}
	out := Doc{field: page}
	if next != "" {
		out["Marker"] = next
	}
	return out, nil
}

func describeServerless(r *Region, q *request) (Doc, error) {
	items := r.table("serverless").list()
	if id := text(q.in, "ServerlessCacheName"); id != "" {
		d, err := r.need("serverless", id, "ServerlessCacheNotFoundFault")
		if err != nil {
			return nil, err
		}
		items = []Doc{d}
	}
	for _, d := range items {
		seen(d)
	}
	page, next, err := r.page("serverless", items, text(q.in, "NextToken"), limit(q.in["MaxResults"], 50, 50))
	if err != nil {
		return nil, err
	}
	out := Doc{"ServerlessCaches": page}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// AddReplicationGroup seeds a group of one Redis OSS node with TLS and no token.
// engineVersion is its nodes' version, which only the member says.
func (r *Region) AddReplicationGroup(id, engineVersion string, d Doc) Doc {
	member := id + "-001"
	endpoint := Doc{"Address": id + ".cache.amazonaws.com", "Port": 6379}
	g := r.seed("groups", id, Doc{
		"ReplicationGroupId": id, "ARN": r.arn("elasticache", "replicationgroup:"+id), "Status": "available", "Engine": "redis",
		"MemberClusters": []string{member}, "AuthTokenEnabled": false, "TransitEncryptionEnabled": true, "TransitEncryptionMode": "required",
		"AtRestEncryptionEnabled": true, "AutomaticFailover": "enabled", "MultiAZ": "disabled", "SnapshotRetentionLimit": 1, "AutoMinorVersionUpgrade": true,
		"ClusterEnabled": false, "_auth": authNone, "_tokens": []string(nil),
		"NodeGroups": []Doc{{"NodeGroupId": "0001", "PrimaryEndpoint": endpoint, "NodeGroupMembers": []Doc{{"CacheClusterId": member}}}},
	}, d)
	r.AddCacheCluster(member, Doc{"ReplicationGroupId": id, "EngineVersion": engineVersion, "Engine": g["Engine"]})
	return g
}

// AddCacheCluster seeds a node; without a ReplicationGroupId it stands alone.
func (r *Region) AddCacheCluster(id string, d Doc) Doc {
	return r.seed("members", id, Doc{
		"CacheClusterId": id, "ARN": r.arn("elasticache", "cluster:"+id), "CacheClusterStatus": "available",
		"Engine": "redis", "EngineVersion": "7.1.0", "CacheSubnetGroupName": "private", "AutoMinorVersionUpgrade": true, "SnapshotRetentionLimit": 1,
		"AuthTokenEnabled": false, "TransitEncryptionEnabled": false,
	}, d)
}

// AddServerlessCache seeds a serverless cache without a user group.
func (r *Region) AddServerlessCache(id string, d Doc) Doc {
	return r.seed("serverless", id, Doc{
		"ServerlessCacheName": id, "ARN": r.arn("elasticache", "serverlesscache:"+id), "Status": "available",
		"Engine": "valkey", "MajorEngineVersion": "8", "FullEngineVersion": "8.0", "SnapshotRetentionLimit": 0, "SubnetIds": []string{"subnet-1"},
		"Endpoint": Doc{"Address": id + ".serverless.amazonaws.com", "Port": 6379},
	}, d)
}

// AddUser seeds a user. Without an Authentication it has one password.
func (r *Region) AddUser(id, name string, d Doc) Doc {
	return r.seed("users", id, Doc{
		"UserId": id, "UserName": name, "ARN": r.arn("elasticache", "user:"+id), "Status": "active", "Engine": "redis",
		"AccessString": "on ~* +@all", "UserGroupIds": []string{}, "Authentication": Doc{"Type": "password", "PasswordCount": 1},
	}, d)
}

// AddUserGroup seeds a user group.
func (r *Region) AddUserGroup(id string, users ...string) Doc {
	return r.seed("usergroups", id, Doc{
		"UserGroupId": id, "ARN": r.arn("elasticache", "usergroup:"+id), "Status": "active", "Engine": "redis",
		"UserIds": users, "ReplicationGroups": []string{}, "ServerlessCaches": []string{},
	}, nil)
}

// AddSubnetGroup seeds a subnet group.
func (r *Region) AddSubnetGroup(name string, d Doc) Doc {
	return r.seed("subnets", name, Doc{"CacheSubnetGroupName": name, "VpcId": "vpc-1", "ARN": r.arn("elasticache", "subnetgroup:"+name)}, d)
}

func createUser(r *Region, q *request) (Doc, error) {
	id := text(q.in, "UserId")
	if r.table("users").byID[id] != nil {
		return nil, refuse("UserAlreadyExists", "User %s already exists.", id)
	}
	authentication := Doc{"Type": "password", "PasswordCount": len(q.list("Passwords"))}
	switch {
	case q.in["AuthenticationMode.Type"] == "iam":
		authentication = Doc{"Type": "iam"}
		if q.in["UserName"] != id {
			return nil, refuse("InvalidParameterValue", "The user id and the user name must be the same for an IAM user.")
		}
	case truth(q.in, "NoPasswordRequired") || q.in["AuthenticationMode.Type"] == "no-password-required":
		authentication = Doc{"Type": "no-password"}
	case q.in["AuthenticationMode.Type"] == "password":
		authentication["PasswordCount"] = len(q.list("AuthenticationMode.Passwords"))
		fallthrough
	default:
		if authentication["PasswordCount"] == 0 {
			return nil, refuse("InvalidParameterCombination", "Either a password or NoPasswordRequired must be given.")
		}
	}
	d := Doc{
		"UserId": id, "UserName": q.in["UserName"], "ARN": r.arn("elasticache", "user:"+id), "Status": "active",
		"Engine": q.in["Engine"], "AccessString": q.in["AccessString"], "UserGroupIds": []string{}, "Authentication": authentication,
		"_passwords": append(q.list("Passwords"), q.list("AuthenticationMode.Passwords")...),
	}
	return r.table("users").put(id, d), nil
}

func deleteUser(r *Region, q *request) (Doc, error) {
	d, err := r.need("users", text(q.in, "UserId"), "UserNotFound")
	if err != nil {
		return nil, err
	}
	for _, g := range r.table("usergroups").list() {
		if slices.Contains(texts(g["UserIds"]), text(d, "UserId")) {
			return nil, refuse("InvalidUserState", "User %v is associated with user group %v.", d["UserId"], g["UserGroupId"])
		}
	}
	r.table("users").drop(text(d, "UserId"))
	return d, nil
}

func createUserGroup(r *Region, q *request) (Doc, error) {
	id, users := text(q.in, "UserGroupId"), q.list("UserIds")
	if r.table("usergroups").byID[id] != nil {
		return nil, refuse("UserGroupAlreadyExists", "User Group %s already exists.", id)
	}
	if err := r.usersFit(users, text(q.in, "Engine")); err != nil {
		return nil, err
	}
	return r.table("usergroups").put(id, Doc{
		"UserGroupId": id, "ARN": r.arn("elasticache", "usergroup:"+id), "Status": "active",
		"Engine": q.in["Engine"], "UserIds": users, "ReplicationGroups": []string{}, "ServerlessCaches": []string{},
	}), nil
}

// usersFit holds the rules of a group's members: they exist, their names differ,
// and a Redis OSS group has one named default.
func (r *Region) usersFit(users []string, engine string) error {
	names := map[string]bool{}
	for _, id := range users {
		u := r.table("users").byID[id]
		if u == nil {
			return refuse("UserNotFound", "User %s not found.", id)
		}
		if names[text(u, "UserName")] {
			return refuse("DuplicateUserName", "Duplicate user name %v.", u["UserName"])
		}
		names[text(u, "UserName")] = true
	}
	if engine == "redis" && !names["default"] {
		return refuse("DefaultUserRequired", "User group must contain a user with the name default.")
	}
	return nil
}

func modifyUserGroup(r *Region, q *request) (Doc, error) {
	g, err := r.need("usergroups", text(q.in, "UserGroupId"), "UserGroupNotFound")
	if err != nil {
		return nil, err
	}
	if busy(g) {
		return nil, refuse("InvalidUserGroupState", "User group must be active to modify.")
	}
	add, remove := q.list("UserIdsToAdd"), q.list("UserIdsToRemove")
	next := slices.DeleteFunc(texts(g["UserIds"]), func(id string) bool { return slices.Contains(remove, id) })
	for _, id := range add {
		if slices.Contains(next, id) {
			return nil, refuse("InvalidParameterValue", "User %s is already in the group.", id)
		}
		next = append(next, id)
	}
	if len(add)+len(remove) == 0 {
		return nil, refuse("InvalidParameterCombination", "No modifications were requested")
	}
	if err := r.usersFit(next, text(g, "Engine")); err != nil {
		return nil, err
	}
	g["Status"] = "modifying"
	r.begin(g, func(g Doc) { g["UserIds"], g["Status"] = next, "active" })
	return g, nil
}

func deleteUserGroup(r *Region, q *request) (Doc, error) {
	g, err := r.need("usergroups", text(q.in, "UserGroupId"), "UserGroupNotFound")
	if err != nil {
		return nil, err
	}
	for _, rg := range r.table("groups").list() {
		if slices.Contains(texts(rg["UserGroupIds"]), text(g, "UserGroupId")) {
			return nil, refuse("InvalidUserGroupState", "User group is attached to %v.", rg["ReplicationGroupId"])
		}
	}
	r.table("usergroups").drop(text(g, "UserGroupId"))
	return g, nil
}

func createSnapshot(r *Region, q *request) (Doc, error) {
	name := text(q.in, "SnapshotName")
	if r.table("snapshots").byID[name] != nil {
		return nil, refuse("SnapshotAlreadyExistsFault", "Snapshot %s already exists.", name)
	}
	d := Doc{"SnapshotName": name, "SnapshotStatus": "available", "ReplicationGroupId": q.in["ReplicationGroupId"]}
	return Doc{"Snapshot": maps.Clone(r.table("snapshots").put(name, d))}, nil
}
