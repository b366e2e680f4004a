package cloudtrail

import (
	"slices"

	"github.com/gatehouse/gatehouse/internal/trail"
)

// parameter names a resource in a call's parameters.
type parameter struct{ name, kind string }

// resourceParameters are those that name what a call is about, by the source of
// the event.
var resourceParameters = map[string][]parameter{
	"elasticache.amazonaws.com": {
		{"replicationGroupId", "AWS::ElastiCache::ReplicationGroup"},
		{"cacheClusterId", "AWS::ElastiCache::CacheCluster"},
		{"serverlessCacheName", "AWS::ElastiCache::ServerlessCache"},
		{"userGroupId", "AWS::ElastiCache::UserGroup"},
		{"userId", "AWS::ElastiCache::User"},
		{"cacheSubnetGroupName", "AWS::ElastiCache::SubnetGroup"},
		{"cacheParameterGroupName", "AWS::ElastiCache::ParameterGroup"},
	},
	"iam.amazonaws.com": {
		{"userName", "AWS::IAM::User"},
		{"groupName", "AWS::IAM::Group"},
		{"roleName", "AWS::IAM::Role"},
		{"policyArn", "AWS::IAM::Policy"},
		{"policyName", "AWS::IAM::Policy"},
		{"accessKeyId", "AWS::IAM::AccessKey"},
	},
	"sts.amazonaws.com": {
		{"roleArn", "AWS::IAM::Role"},
	},
}

// resource is what a call is about.
type resource struct{ kind, name string }

func resourcesOf(r *trail.Record) []resource {
	var found []resource
	for _, p := range resourceParameters[r.EventSource] {
		if name, ok := r.Parameters[p.name].(string); ok && name != "" {
			found = append(found, resource{p.kind, name})
		}
	}
	return found
}

func about(r *trail.Record, matches func(resource) bool) bool {
	return slices.ContainsFunc(resourcesOf(r), matches)
}
