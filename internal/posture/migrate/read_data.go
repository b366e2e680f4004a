package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	dms "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice"
	dmstypes "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	kafkatypes "github.com/aws/aws-sdk-go-v2/service/kafka/types"

	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// readCluster reads an MSK cluster's security, which an update replaces whole.
func readCluster(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	client := kafka.NewFromConfig(cfg)
	out, err := client.DescribeClusterV2(ctx, &kafka.DescribeClusterV2Input{ClusterArn: &t.arn})
	if err != nil {
		return Configuration{}, err
	}
	c := out.ClusterInfo
	if c == nil || c.Provisioned == nil {
		return Configuration{}, errors.New("it is not a provisioned cluster: serverless clusters always ask for IAM")
	}
	authentication, err := fieldsOf(c.Provisioned.ClientAuthentication)
	if err != nil {
		return Configuration{}, err
	}
	fields := map[string]any{"ClientAuthentication": authentication}
	if e := c.Provisioned.EncryptionInfo; e != nil && e.EncryptionInTransit != nil {
		transit, err := fieldsOf(e.EncryptionInTransit)
		if err != nil {
			return Configuration{}, err
		}
		fields["EncryptionInTransit"] = transit
	}
	secrets, err := scramSecrets(ctx, client, t.arn)
	if err != nil {
		return Configuration{}, err
	}
	fields["ScramSecrets"] = secrets
	conf := Configuration{Fields: fields, Passing: map[string]any{"CurrentVersion": awssdk.ToString(c.CurrentVersion), "State": string(c.State)}}
	if c.State != kafkatypes.ClusterStateActive {
		conf.Busy = "the cluster is " + string(c.State)
		return conf, nil
	}
	brokers, err := client.GetBootstrapBrokers(ctx, &kafka.GetBootstrapBrokersInput{ClusterArn: &t.arn})
	if err != nil {
		return conf, err
	}
	known, err := fieldsOf(brokers)
	delete(known, "ResultMetadata")
	conf.Passing["Brokers"] = known
	return conf, err
}

// scramSecrets lists the secrets of a cluster; one without SCRAM has none.
func scramSecrets(ctx context.Context, client *kafka.Client, arn string) ([]any, error) {
	secrets := []any{}
	pages := kafka.NewListScramSecretsPaginator(client, &kafka.ListScramSecretsInput{ClusterArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var refused *kafkatypes.BadRequestException
		if errors.As(err, &refused) {
			return secrets, nil // AWS refuses the question for a cluster whose SCRAM is off
		}
		if err != nil {
			return nil, err
		}
		for _, s := range page.SecretArnList {
			secrets = append(secrets, s)
		}
	}
	return secrets, nil
}

// readEndpoint reads a DMS endpoint, the tasks that use it and their
// connections.
func readEndpoint(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	client := dms.NewFromConfig(cfg)
	filter := []dmstypes.Filter{{Name: awssdk.String("endpoint-arn"), Values: []string{t.arn}}}
	out, err := client.DescribeEndpoints(ctx, &dms.DescribeEndpointsInput{Filters: filter})
	if err != nil {
		return Configuration{}, err
	}
	if len(out.Endpoints) != 1 {
		return Configuration{}, fmt.Errorf("DMS knows %d such endpoints", len(out.Endpoints))
	}
	endpoint, err := fieldsOf(out.Endpoints[0])
	if err != nil {
		return Configuration{}, err
	}
	delete(endpoint, "Status")
	if extra := awssdk.ToString(out.Endpoints[0].ExtraConnectionAttributes); extra != "" {
		endpoint["ExtraConnectionAttributes"] = fingerprint(extra) // they may hold secrets
	}
	tasks, connections, instances, busy := map[string]any{}, map[string]any{}, []any{}, ""
	pages := dms.NewDescribeReplicationTasksPaginator(client, &dms.DescribeReplicationTasksInput{Filters: filter, WithoutSettings: awssdk.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Configuration{}, err
		}
		for _, task := range page.ReplicationTasks {
			status, instance := awssdk.ToString(task.Status), awssdk.ToString(task.ReplicationInstanceArn)
			tasks[segment(awssdk.ToString(task.ReplicationTaskArn))] = map[string]any{"Status": status}
			if !slices.Contains(instances, any(instance)) {
				instances = append(instances, instance)
			}
			if slices.Contains([]string{"starting", "stopping", "modifying", "creating"}, status) {
				busy = "task " + awssdk.ToString(task.ReplicationTaskIdentifier) + " is " + status
			}
		}
	}
	links := dms.NewDescribeConnectionsPaginator(client, &dms.DescribeConnectionsInput{Filters: filter})
	for links.HasMorePages() {
		page, err := links.NextPage(ctx)
		if err != nil {
			return Configuration{}, err
		}
		for _, c := range page.Connections {
			status := awssdk.ToString(c.Status)
			connections[segment(awssdk.ToString(c.ReplicationInstanceArn))] = map[string]any{"Status": status, "Message": awssdk.ToString(c.LastFailureMessage)}
			if status == "testing" {
				busy = "the connection is being tested"
			}
		}
	}
	return Configuration{Fields: map[string]any{"Endpoint": endpoint, "Instances": instances}, Passing: map[string]any{"Tasks": tasks, "Connections": connections}, Busy: busy}, nil
}

// readGroup reads a replication group, its user groups and their users.
func readGroup(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	id := lastPart(t.arn, ":")
	client := elasticache.NewFromConfig(cfg)
	out, err := client.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
	if err != nil {
		return Configuration{}, err
	}
	g := out.ReplicationGroups[0]
	version, busy, err := nodes(ctx, client, g.MemberClusters)
	if err != nil {
		return Configuration{}, err
	}
	group := map[string]any{
		"Engine": awssdk.ToString(g.Engine), "EngineVersion": version, "AuthTokenEnabled": awssdk.ToBool(g.AuthTokenEnabled),
		"UserGroupIds": list(g.UserGroupIds), "TransitEncryptionEnabled": awssdk.ToBool(g.TransitEncryptionEnabled), "TransitEncryptionMode": string(g.TransitEncryptionMode),
		"AtRestEncryptionEnabled": awssdk.ToBool(g.AtRestEncryptionEnabled), "AutomaticFailover": string(g.AutomaticFailover), "Members": len(g.MemberClusters),
		"ClusterEnabled":         awssdk.ToBool(g.ClusterEnabled),
		"SnapshotRetentionLimit": awssdk.ToInt32(g.SnapshotRetentionLimit), "AutoMinorVersionUpgrade": awssdk.ToBool(g.AutoMinorVersionUpgrade),
	}
	if g.AuthTokenLastModifiedDate != nil {
		group["AuthTokenLastModifiedDate"] = g.AuthTokenLastModifiedDate.UTC().String()
	}
	passing := map[string]any{"Status": awssdk.ToString(g.Status), "Members": list(g.MemberClusters)}
	endpoint := g.ConfigurationEndpoint
	if endpoint == nil && len(g.NodeGroups) > 0 {
		endpoint = g.NodeGroups[0].PrimaryEndpoint
	}
	setEndpoint(passing, endpoint)
	switch {
	case awssdk.ToString(g.Status) != "available":
		busy = "the replication group is " + awssdk.ToString(g.Status)
	case g.PendingModifiedValues != nil && g.PendingModifiedValues.AuthTokenStatus != "":
		busy = "the token is " + string(g.PendingModifiedValues.AuthTokenStatus)
	}
	conf := Configuration{Fields: map[string]any{"Group": group}, Passing: passing, Busy: busy}
	return conf, readUsers(ctx, client, g.UserGroupIds, t.watch, &conf)
}

// nodes returns the lowest engine version of a group's members.
func nodes(ctx context.Context, client *elasticache.Client, ids []string) (version, busy string, err error) {
	for _, id := range ids {
		out, err := client.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: &id})
		if err != nil {
			return "", "", err
		}
		for _, m := range out.CacheClusters {
			if v := awssdk.ToString(m.EngineVersion); version == "" || source.Older(v, version) {
				version = v
			}
			if s := awssdk.ToString(m.CacheClusterStatus); s != "available" {
				busy = "node " + id + " is " + s
			}
		}
	}
	return version, busy, nil
}

func setEndpoint(passing map[string]any, e *ectypes.Endpoint) {
	if e != nil {
		passing["Endpoint"] = map[string]any{"Address": awssdk.ToString(e.Address), "Port": awssdk.ToInt32(e.Port)}
	}
}

func list(items []string) []any {
	out := make([]any, 0, len(items))
	for _, i := range items {
		out = append(out, i)
	}
	return out
}

// readUsers adds user groups and users: those attached, their members, and those
// that the plan makes, as far as they exist.
func readUsers(ctx context.Context, client *elasticache.Client, attached []string, watch Watch, conf *Configuration) error {
	groups, users, ids := map[string]any{}, map[string]any{}, slices.Clone(watch.Users)
	for _, id := range append(slices.Clone(attached), watch.Groups...) {
		out, err := client.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{UserGroupId: &id})
		var missing *ectypes.UserGroupNotFoundFault
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return err
		}
		g := out.UserGroups[0]
		groups[segment(id)] = map[string]any{"UserIds": list(g.UserIds), "Engine": awssdk.ToString(g.Engine)}
		ids = append(ids, g.UserIds...)
		if s := awssdk.ToString(g.Status); s != "active" {
			conf.Busy = "user group " + id + " is " + s
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		out, err := client.DescribeUsers(ctx, &elasticache.DescribeUsersInput{UserId: &id})
		var missing *ectypes.UserNotFoundFault
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return err
		}
		u := out.Users[0]
		kind := ""
		if u.Authentication != nil {
			kind = string(u.Authentication.Type)
		}
		users[segment(id)] = map[string]any{"UserName": awssdk.ToString(u.UserName), "AccessString": awssdk.ToString(u.AccessString), "Authentication": kind}
		if s := awssdk.ToString(u.Status); s != "active" {
			conf.Busy = "user " + id + " is " + s
		}
	}
	conf.Fields["Groups"], conf.Fields["Users"] = groups, users
	return nil
}

func readServerless(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	id := lastPart(t.arn, ":")
	client := elasticache.NewFromConfig(cfg)
	out, err := client.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{ServerlessCacheName: &id})
	if err != nil {
		return Configuration{}, err
	}
	c := out.ServerlessCaches[0]
	var attached []string
	if c.UserGroupId != nil && *c.UserGroupId != "" {
		attached = []string{*c.UserGroupId}
	}
	conf := Configuration{Fields: map[string]any{"Group": map[string]any{
		"Engine": awssdk.ToString(c.Engine), "EngineVersion": awssdk.ToString(c.MajorEngineVersion),
		"UserGroupIds": list(attached), "TransitEncryptionEnabled": true, "TransitEncryptionMode": "required",
	}}, Passing: map[string]any{"Status": awssdk.ToString(c.Status)}}
	setEndpoint(conf.Passing, c.Endpoint)
	if s := awssdk.ToString(c.Status); s != "available" {
		conf.Busy = "the cache is " + s
	}
	return conf, readUsers(ctx, client, attached, t.watch, &conf)
}

// readNode reads a cluster that stands alone.
func readNode(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	id := lastPart(t.arn, ":")
	out, err := elasticache.NewFromConfig(cfg).DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: &id})
	if err != nil {
		return Configuration{}, err
	}
	m := out.CacheClusters[0]
	conf := Configuration{
		Fields: map[string]any{"Group": map[string]any{
			"Engine": awssdk.ToString(m.Engine), "EngineVersion": awssdk.ToString(m.EngineVersion),
			"ReplicationGroupId": awssdk.ToString(m.ReplicationGroupId), "CacheSubnetGroupName": awssdk.ToString(m.CacheSubnetGroupName),
			"SnapshotRetentionLimit": awssdk.ToInt32(m.SnapshotRetentionLimit), "AutoMinorVersionUpgrade": awssdk.ToBool(m.AutoMinorVersionUpgrade),
		}},
		Passing: map[string]any{"Status": awssdk.ToString(m.CacheClusterStatus)},
	}
	if s := awssdk.ToString(m.CacheClusterStatus); s != "available" {
		conf.Busy = "the node is " + s
	}
	return conf, nil
}
