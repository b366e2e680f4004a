package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	dms "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice"
	"github.com/aws/aws-sdk-go-v2/service/databasemigrationservice/types"

	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// planEndpoint gives a MongoDB endpoint a password: the tasks stop, the endpoint
// is changed and tested, the tasks go on from where they were.
func planEndpoint(b *builder) error {
	b.plan.Control = "DMS.11"
	b.plan.From = b.conf.field("Endpoint.MongoDbSettings.AuthType")
	if engine := b.conf.field("Endpoint.EngineName"); engine != "mongodb" {
		b.plan.Why = "the endpoint's engine is " + engine + "; only MongoDB has an AuthType"
		return nil
	}
	if b.plan.From == "password" {
		b.plan.Why = "the endpoint logs in with a password already"
		return nil
	}
	if err := b.choose("scram", "DMS logs in to MongoDB with SCRAM-SHA-1; version 4 and later know nothing else", "scram", "password"); err != nil {
		return err
	}
	credential, err := b.mongoCredential()
	if err != nil {
		return err
	}
	b.warn("the anonymous path is the MongoDB server, not DMS: it is closed when security.authorization is on there")
	if b.conf.field("Endpoint.ExtraConnectionAttributes") != "" {
		b.warn("the endpoint has extra connection attributes: authType in them can win over the settings")
	}
	b.endpointSteps(credential)
	return nil
}

// mongoCredential is a Secrets Manager secret, or a user and a password that the
// plan names and does not hold; never both.
func (b *builder) mongoCredential() (map[string]any, error) {
	settings := map[string]any{"AuthType": "password", "AuthMechanism": b.set("mechanism", "scram_sha_1"), "AuthSource": b.set("auth-source", "admin")}
	if id := b.req.Set["secret-id"]; id != "" {
		role, err := b.need("secret-role", "the role with which DMS reads the secret")
		if err != nil {
			return nil, err
		}
		settings["SecretsManagerSecretId"], settings["SecretsManagerAccessRoleArn"] = id, role
		return settings, nil
	}
	user, err := b.need("username", "a MongoDB user (or --set secret-id=… and secret-role=…)")
	if err != nil {
		return nil, err
	}
	settings["Username"], settings["Password"] = user, "${secret.mongodb-password}"
	return settings, nil
}

func (b *builder) endpointSteps(credential map[string]any) {
	b.add(Step{
		ID: "mongo-user", Kind: KindManual, Reaches: Dual, Effect: "none",
		Title: "on MongoDB make the user with the roles that the task needs; with keyfile clusters let transitionToAuth accept both",
	})
	b.drain(usage.Spec{Meter: usage.Nothing, Params: map[string]string{"reason": "DMS is the client here; only the MongoDB server's log of connections without authentication would show who else uses the open door"}})
	tasks := b.runningTasks()
	for i, arn := range tasks {
		path := "Tasks." + segment(arn) + ".Status"
		b.add(Step{
			ID: fmt.Sprintf("stop-%d", i+1), Kind: KindCall, Title: "stop task " + lastPart(arn, ":") + ": an endpoint in use cannot be changed", Effect: "replication pauses; the position is kept",
			Call: call("dms", "StopReplicationTask", map[string]any{"ReplicationTaskArn": arn}), Until: []Check{is(path, "stopped")},
			Rollback: undo(b.resume(arn), is(path, "running")),
		})
	}
	settings, _ := b.conf.at("Endpoint.MongoDbSettings").(map[string]any)
	next, before := maps.Clone(settings), maps.Clone(settings)
	if next == nil {
		next, before = map[string]any{}, map[string]any{}
	}
	maps.Copy(next, credential)
	if before["AuthType"] == nil {
		before["AuthType"] = "no"
	}
	modify := func(s map[string]any) *Call {
		return call("dms", "ModifyEndpoint", map[string]any{"EndpointArn": b.req.Resource, "EngineName": "mongodb", "MongoDbSettings": s})
	}
	b.add(Step{
		ID: "close", Kind: KindCall, Title: "let the endpoint log in", Effect: "none while the tasks are stopped", Closes: true, Reaches: Closed, Call: modify(next),
		Until: []Check{is("Endpoint.MongoDbSettings.AuthType", "password")}, Rollback: undo(modify(before), is("Endpoint.MongoDbSettings.AuthType", "no")),
	})
	instances := b.instances()
	var verify []Check
	for i, arn := range instances {
		path := "Connections." + segment(arn) + ".Status"
		b.add(Step{
			ID: fmt.Sprintf("test-%d", i+1), Kind: KindCall, Title: "test the connection from " + lastPart(arn, ":"), Effect: "none", Repeat: true,
			Call:  call("dms", "TestConnection", map[string]any{"EndpointArn": b.req.Resource, "ReplicationInstanceArn": arn}),
			Until: []Check{is(path, "successful")}, Fails: []Check{is(path, "failed")},
		})
		verify = append(verify, is(path, "successful"))
	}
	for i, arn := range tasks {
		path := "Tasks." + segment(arn) + ".Status"
		b.add(Step{
			ID: fmt.Sprintf("resume-%d", i+1), Kind: KindCall, Title: "resume task " + lastPart(arn, ":") + " where it stopped", Effect: "replication goes on", Call: b.resume(arn),
			Until:    []Check{is(path, "running")},
			Rollback: undo(call("dms", "StopReplicationTask", map[string]any{"ReplicationTaskArn": arn}), is(path, "stopped")),
		})
		verify = append(verify, is(path, "running"))
	}
	b.manual("authorization", "on MongoDB turn security.authorization on, if it is not", "whoever connects without a login is refused")
	b.add(Step{
		ID: "verify", Kind: KindVerify, Title: "the endpoint logs in and its tasks run", Reaches: Verified,
		Verify: append([]Check{is("Endpoint.MongoDbSettings.AuthType", "password")}, verify...),
	})
}

func (b *builder) resume(task string) *Call {
	return call("dms", "StartReplicationTask", map[string]any{"ReplicationTaskArn": task, "StartReplicationTaskType": "resume-processing"})
}

// runningTasks are the tasks to stop and to resume.
func (b *builder) runningTasks() []string {
	tasks, _ := b.conf.Passing["Tasks"].(map[string]any)
	var running []string
	for _, arn := range slices.Sorted(maps.Keys(tasks)) {
		if b.conf.field("Tasks."+arn+".Status") == "running" {
			running = append(running, unsegment(arn))
		}
	}
	return running
}

// instances are where the endpoint is tested from: its tasks' instances, or any.
func (b *builder) instances() []string {
	found := words(b.conf.Fields["Instances"])
	if len(found) > 0 {
		return found
	}
	if arn := b.req.Set["instance"]; arn != "" {
		return []string{arn}
	}
	if arn, err := anyInstance(b.ctx, b.req.Config); err == nil && arn != "" {
		return []string{arn}
	}
	b.warn("no replication instance was found to test the endpoint from: give --set instance=ARN")
	return nil
}

func anyInstance(ctx context.Context, cfg awssdk.Config) (string, error) {
	out, err := dms.NewFromConfig(cfg).DescribeReplicationInstances(ctx, &dms.DescribeReplicationInstancesInput{})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(out.ReplicationInstances, func(i types.ReplicationInstance) bool {
		return awssdk.ToString(i.ReplicationInstanceStatus) == "available"
	})
	if i < 0 {
		return "", nil
	}
	return awssdk.ToString(out.ReplicationInstances[i].ReplicationInstanceArn), nil
}
