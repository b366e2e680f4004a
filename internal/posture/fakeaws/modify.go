package fakeaws

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The states of a group's access control: nobody is asked, a token is optional,
// one or two tokens are required, a user group decides.
const (
	authNone = "NONE"
	authOpt1 = "OPT1"
	authReq1 = "REQ1"
	authReq2 = "REQ2"
	authRBAC = "RBAC"
)

// modifyGroup is ModifyReplicationGroup: it validates the whole request, then
// the group is "modifying" until it has been described Settle times.
func modifyGroup(r *Region, q *request) (Doc, error) {
	g, err := r.need("groups", text(q.in, "ReplicationGroupId"), "ReplicationGroupNotFoundFault")
	if err != nil {
		return nil, err
	}
	if text(g, "Status") != "available" {
		return nil, refuse("InvalidReplicationGroupState", "Replication group must be in available state to modify.")
	}
	next := maps.Clone(g)
	pending := Doc{}
	for _, change := range []func(*Region, *request, Doc, Doc) error{changeAuth, changeGroups, changeTLS, changeRest} {
		if err := change(r, q, next, pending); err != nil {
			return nil, err
		}
	}
	if len(pending) == 0 {
		return nil, refuse("InvalidParameterCombination", "No modifications were requested")
	}
	if err := r.versionFits(q, next); err != nil {
		return nil, err
	}
	g["Status"], g["PendingModifiedValues"] = "modifying", pending
	r.begin(g, func(g Doc) {
		maps.Copy(g, next)
		g["Status"] = "available"
		delete(g, "PendingModifiedValues")
		delete(g, "_transition")
		r.syncMembers(g, text(q.in, "EngineVersion"), text(q.in, "Engine"))
	})
	return Doc{"ReplicationGroup": g}, nil
}

// changeAuth is the ROTATE/SET/DELETE machine.
func changeAuth(r *Region, q *request, next, pending Doc) error {
	token, strategy := text(q.in, "AuthToken"), text(q.in, "AuthTokenUpdateStrategy")
	if token == "" && strategy == "" {
		return nil
	}
	auth, tokens := text(next, "_auth"), texts(next["_tokens"])
	if strategy == "DELETE" {
		if auth == authNone || auth == authRBAC || len(q.list("UserGroupIdsToAdd")) == 0 {
			return refuse("InvalidParameterValue", "Auth token update strategy delete is not supported currently")
		}
		next["_auth"], next["_tokens"], next["AuthTokenEnabled"] = authNone, []string(nil), false
		pending["AuthTokenStatus"] = "SETTING"
		return nil
	}
	if auth == authRBAC {
		if !truth(q.in, "RemoveUserGroups") {
			return refuse("InvalidParameterCombination", "Auth tokens can't be enabled with a user group already associated. Pass RemoveUserGroups to proceed.")
		}
		auth, tokens = authNone, nil
		next["UserGroupIds"] = []string{}
	}
	if err := tokenFits(r, next, token); err != nil {
		return err
	}
	if strategy == "SET" {
		return setToken(next, pending, auth, tokens, token)
	}
	states := map[string]string{authNone: authOpt1, authOpt1: authReq2, authReq1: authReq2, authReq2: authReq2}
	tokens = append(tokens, token)
	if len(tokens) > 2 {
		tokens = tokens[len(tokens)-2:]
	}
	next["_auth"], next["_tokens"], next["AuthTokenEnabled"] = states[auth], tokens, true
	pending["AuthTokenStatus"] = "ROTATING"
	return nil
}

func setToken(next, pending Doc, auth string, tokens []string, token string) error {
	if auth != authOpt1 && auth != authReq2 {
		return refuse("InvalidParameterCombination", "The SET strategy needs two AUTH tokens or one optional token from a ROTATE before.")
	}
	if tokens[len(tokens)-1] != token {
		return refuse("InvalidParameterValue", "The SET strategy needs the last AUTH token.")
	}
	next["_auth"], next["_tokens"], next["AuthTokenEnabled"] = authReq1, []string{token}, true
	pending["AuthTokenStatus"] = "SETTING"
	return nil
}

func tokenFits(r *Region, g Doc, token string) error {
	switch {
	case !truth(g, "TransitEncryptionEnabled"):
		return refuse("InvalidParameterCombination", "AuthToken can only be used with encryption in transit.")
	case text(g, "TransitEncryptionMode") == "preferred":
		return refuse("InvalidParameterCombination", "Transit encryption preferred is not supported with redis access control.")
	case len(token) < 16 || len(token) > 128:
		return refuse("InvalidParameterValue", "An AUTH token has 16 to 128 printable characters.")
	case text(g, "Engine") == "redis" && older(r.lowest(g), "5.0.6"):
		return refuse("InvalidParameterCombination", "Redis OSS 5.0.6 or later is needed to change the AUTH token.")
	}
	return nil
}

func changeGroups(r *Region, q *request, next, pending Doc) error {
	add, remove := q.list("UserGroupIdsToAdd"), q.list("UserGroupIdsToRemove")
	if truth(q.in, "RemoveUserGroups") && text(q.in, "AuthToken") == "" {
		remove = texts(next["UserGroupIds"])
	}
	if len(add)+len(remove) == 0 {
		return nil
	}
	if len(add) > 0 {
		switch {
		case !truth(next, "TransitEncryptionEnabled"):
			return refuse("InvalidParameterCombination", "User group based access control requires encryption-in-transit to be enabled on the replication group.")
		case text(next, "TransitEncryptionMode") == "preferred":
			return refuse("InvalidParameterCombination", "Transit encryption preferred is not supported with redis access control.")
		case text(next, "_auth") != authNone && text(next, "_auth") != authRBAC:
			return refuse("InvalidParameterCombination", "User group can't be associated with auth token enabled. Pass AuthStrategy delete to proceed.")
		}
	}
	groups := slices.DeleteFunc(texts(next["UserGroupIds"]), func(id string) bool { return slices.Contains(remove, id) })
	for _, id := range add {
		ug := r.table("usergroups").byID[id]
		if ug == nil {
			return refuse("UserGroupNotFound", "User group %s not found.", id)
		}
		groups = append(groups, id)
	}
	next["UserGroupIds"], next["_auth"] = groups, authNone
	if len(groups) > 0 {
		next["_auth"] = authRBAC
	}
	pending["UserGroups"] = Doc{"UserGroupIdsToAdd": add, "UserGroupIdsToRemove": remove}
	return nil
}

func changeTLS(r *Region, q *request, next, pending Doc) error {
	mode, wanted := text(q.in, "TransitEncryptionMode"), text(q.in, "TransitEncryptionEnabled")
	if mode == "" && wanted == "" {
		return nil
	}
	on := truth(next, "TransitEncryptionEnabled")
	switch {
	case text(next, "_auth") != authNone:
		return refuse("InvalidParameterCombination", "Modification of transit encryption is not supported for access control enabled clusters.")
	case !on && older(r.lowest(next), "7.0.5") && text(next, "Engine") == "redis":
		return refuse("InvalidParameterCombination", "Transit encryption can be changed from Redis OSS 7.0.5 on.")
	case !on && wanted == "true" && mode != "preferred":
		return refuse("InvalidParameterCombination", "Transit encryption mode preferred must come before required.")
	case !on && wanted != "true":
		return refuse("InvalidParameterCombination", "To modify transit encryption mode, set encryption-in-transit as enabled.")
	}
	next["TransitEncryptionEnabled"] = wanted != "false"
	next["TransitEncryptionMode"] = mode
	if wanted == "false" {
		delete(next, "TransitEncryptionMode")
	}
	pending["TransitEncryptionEnabled"], pending["TransitEncryptionMode"] = wanted != "false", mode
	return nil
}

func changeRest(r *Region, q *request, next, pending Doc) error {
	if v := text(q.in, "SnapshotRetentionLimit"); v != "" {
		next["SnapshotRetentionLimit"], pending["_snapshot"] = integer(v), true
	}
	if v := text(q.in, "AutoMinorVersionUpgrade"); v != "" {
		next["AutoMinorVersionUpgrade"], pending["_minor"] = v == "true", true
	}
	if text(q.in, "AutomaticFailoverEnabled") == "true" {
		if len(texts(next["MemberClusters"])) < 2 {
			return refuse("InvalidReplicationGroupState", "Automatic failover needs a replica.")
		}
		next["AutomaticFailover"], pending["AutomaticFailoverStatus"] = "enabled", "enabled"
	} else if text(q.in, "AutomaticFailoverEnabled") == "false" {
		next["AutomaticFailover"], pending["AutomaticFailoverStatus"] = "disabled", "disabled"
	}
	if v := text(q.in, "EngineVersion"); v != "" {
		if older(v, r.lowest(next)) {
			return refuse("InvalidParameterCombination", "The engine cannot be downgraded.")
		}
		pending["_version"] = v
	}
	if v := text(q.in, "Engine"); v != "" {
		next["Engine"], pending["_engine"] = v, v
	}
	return nil
}

// versionFits refuses a user group on an engine that has no ACLs, judged by the
// version that the same request asks for.
func (r *Region) versionFits(q *request, next Doc) error {
	version := r.lowest(next)
	if v := text(q.in, "EngineVersion"); v != "" {
		version = v
	}
	if text(next, "_auth") == authRBAC && text(next, "Engine") == "redis" && older(version, "6.0") {
		return refuse("InvalidParameterCombination", "User groups need Redis OSS 6.0 or later.")
	}
	return nil
}

func (r *Region) syncMembers(g Doc, version, engine string) {
	for _, id := range texts(g["MemberClusters"]) {
		m := r.table("members").byID[id]
		if m == nil {
			continue
		}
		if version != "" {
			m["EngineVersion"] = version
		}
		if engine != "" {
			m["Engine"] = engine
		}
		for _, k := range []string{"AuthTokenEnabled", "AutoMinorVersionUpgrade", "TransitEncryptionEnabled", "SnapshotRetentionLimit"} {
			m[k] = g[k]
		}
	}
}

// lowest is the lowest engine version among a group's members.
func (r *Region) lowest(g Doc) string {
	low := ""
	for _, id := range texts(g["MemberClusters"]) {
		v := text(r.table("members").byID[id], "EngineVersion")
		if low == "" || older(v, low) {
			low = v
		}
	}
	return low
}

// older compares versions number by number; "x" counts as the highest.
func older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		x, y := part(as, i), part(bs, i)
		if x != y {
			return x < y
		}
	}
	return false
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, err := strconv.Atoi(parts[i])
	if err != nil {
		return 1 << 20
	}
	return n
}

func modifyMember(r *Region, q *request) (Doc, error) {
	m, err := r.need("members", text(q.in, "CacheClusterId"), "CacheClusterNotFound")
	if err != nil {
		return nil, err
	}
	if text(m, "CacheClusterStatus") != "available" {
		return nil, refuse("InvalidCacheClusterState", "Cache cluster must be available to modify.")
	}
	next := Doc{}
	if v := text(q.in, "SnapshotRetentionLimit"); v != "" {
		next["SnapshotRetentionLimit"] = integer(v)
	}
	if v := text(q.in, "AutoMinorVersionUpgrade"); v != "" {
		next["AutoMinorVersionUpgrade"] = v == "true"
	}
	if len(next) == 0 {
		return nil, refuse("InvalidParameterCombination", "No modifications were requested")
	}
	m["CacheClusterStatus"] = "modifying"
	r.begin(m, func(m Doc) { maps.Copy(m, next); m["CacheClusterStatus"] = "available" })
	return Doc{"CacheCluster": m}, nil
}

func modifyServerless(r *Region, q *request) (Doc, error) {
	s, err := r.need("serverless", text(q.in, "ServerlessCacheName"), "ServerlessCacheNotFoundFault")
	if err != nil {
		return nil, err
	}
	if text(s, "Status") != "available" {
		return nil, refuse("InvalidServerlessCacheStateFault", "Serverless cache must be available to modify.")
	}
	group, remove := text(q.in, "UserGroupId"), truth(q.in, "RemoveUserGroup")
	if group != "" && r.table("usergroups").byID[group] == nil {
		return nil, refuse("UserGroupNotFound", "User group %s not found.", group)
	}
	s["Status"] = "modifying"
	r.begin(s, func(s Doc) {
		s["Status"] = "available"
		if group != "" {
			s["UserGroupId"] = group
		}
		if remove {
			delete(s, "UserGroupId")
		}
	})
	return Doc{"ServerlessCache": s}, nil
}

func increaseReplicas(r *Region, q *request) (Doc, error) {
	g, err := r.need("groups", text(q.in, "ReplicationGroupId"), "ReplicationGroupNotFoundFault")
	if err != nil {
		return nil, err
	}
	if text(g, "Status") != "available" {
		return nil, refuse("InvalidReplicationGroupState", "Replication group must be in available state to modify.")
	}
	version := r.lowest(g)
	g["Status"] = "modifying"
	r.begin(g, func(g Doc) {
		members := texts(g["MemberClusters"])
		for len(members) < integer(q.in["NewReplicaCount"])+1 {
			id := text(g, "ReplicationGroupId") + "-00" + strconv.Itoa(len(members)+1)
			members = append(members, id)
			r.table("members").put(id, Doc{
				"CacheClusterId": id, "ARN": r.arn("elasticache", "cluster:"+id), "CacheClusterStatus": "available",
				"Engine": g["Engine"], "EngineVersion": version, "ReplicationGroupId": g["ReplicationGroupId"],
			})
		}
		g["MemberClusters"], g["Status"] = members, "available"
	})
	return Doc{"ReplicationGroup": g}, nil
}
