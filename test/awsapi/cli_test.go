package awsapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// environment is what `gatehouse env` prints, for a client with no configuration
// of its own.
func (s *server) environment() []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + s.url, "AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_MAX_ATTEMPTS=1",
	}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") {
			env = append(env, entry)
		}
	}
	return env
}

// run runs a client's program and returns its standard output and error.
func (s *server) run(name string, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.environment()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// cli runs one AWS CLI command as it would be typed.
func (s *server) cli(command string) map[string]any {
	s.t.Helper()
	out, errs, err := s.run("aws", strings.Fields(command)...)
	if err != nil {
		s.t.Fatalf("aws %s: %v %s", command, err, errs)
	}
	answer := map[string]any{}
	if strings.TrimSpace(out) != "" {
		must(s.t, json.Unmarshal([]byte(out), &answer))
	}
	return answer
}

func needCLI(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("aws", "--version").CombinedOutput(); err != nil {
		t.Skipf("the AWS CLI is not installed (pip install awscli, or https://aws.amazon.com/cli): %v %s", err, out)
	}
}

// at follows a path of names and indexes through an answer.
func at(answer any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			fields, _ := answer.(map[string]any)
			answer = fields[step]
		case int:
			items, _ := answer.([]any)
			if step >= len(items) {
				return nil
			}
			answer = items[step]
		}
	}
	return answer
}

// The commands of the AWS guide for AUTH, as printed but for the number of
// replicas, and the waiters.
func TestTheCLIWithTokens(t *testing.T) {
	needCLI(t)
	t.Parallel()
	s := start(t)
	s.settleAlways()
	s.cli("elasticache create-cache-subnet-group --cache-subnet-group-name sng-test --cache-subnet-group-description test --subnet-ids subnet-1")
	s.cli("elasticache create-replication-group --replication-group-id authtestgroup --replication-group-description authtest --engine redis --cache-node-type cache.m4.large --num-node-groups 1 --transit-encryption-enabled --auth-token This-is-a-sample-token --cache-subnet-group sng-test")
	s.cli("elasticache wait replication-group-available --replication-group-id authtestgroup")
	s.cli("elasticache modify-replication-group --replication-group-id authtestgroup --auth-token This-is-the-rotated-token --auth-token-update-strategy ROTATE --apply-immediately")
	s.cli("elasticache wait replication-group-available --replication-group-id authtestgroup")
	s.cli("elasticache modify-replication-group --replication-group-id authtestgroup --auth-token This-is-the-rotated-token --auth-token-update-strategy SET --apply-immediately")
	s.cli("elasticache wait replication-group-available --replication-group-id authtestgroup")
	shown := s.cli("elasticache describe-replication-groups --replication-group-id authtestgroup")
	if at(shown, "ReplicationGroups", 0, "AuthTokenEnabled") != true || at(shown, "ReplicationGroups", 0, "Status") != "available" {
		t.Errorf("shown: %v", shown)
	}
	s.cli("elasticache delete-replication-group --replication-group-id authtestgroup")
	s.cli("elasticache wait replication-group-deleted --replication-group-id authtestgroup")
	if who := s.cli("sts get-caller-identity"); who["Account"] != accountID {
		t.Errorf("get-caller-identity says %v", who)
	}
}

func TestTheCLIWithUsers(t *testing.T) {
	needCLI(t)
	t.Parallel()
	s := start(t)
	s.settleAlways()
	out, errs, err := s.run("aws", "elasticache", "create-user", "--user-id", "user-id-1", "--user-name", "user-name-1", "--engine", "redis",
		"--access-string", "on ~objects:* ~items:* ~public:* -@all +get", "--authentication-mode", "Type=password,Passwords="+password)
	if err != nil {
		t.Fatalf("%v %s", err, errs)
	}
	var user map[string]any
	must(t, json.Unmarshal([]byte(out), &user))
	if at(user, "Authentication", "PasswordCount") != 1.0 || user["Status"] != "active" || user["AccessString"] != "on ~objects:* ~items:* ~public:* -@all +get" {
		t.Errorf("created: %v", user)
	}
	s.cli("elasticache create-user-group --user-group-id group-1 --engine REDIS --user-ids user-id-1 default")
	groups := s.cli("elasticache describe-user-groups --user-group-id group-1")
	if at(groups, "UserGroups", 0, "Engine") != "redis" {
		t.Errorf("groups: %v", groups)
	}
	_, errs, err = s.run("aws", "elasticache", "delete-user", "--user-id", "nobody")
	if err == nil || !strings.Contains(errs, "An error occurred (UserNotFound) when calling the DeleteUser operation: User nobody not found.") {
		t.Errorf("deleting nobody: %v %s", err, errs)
	}
}

const botoScript = `
import boto3, botocore, datetime, json, sys
c = boto3.client("elasticache")
c.create_user(UserId="u", UserName="u", Engine="redis", AccessString="on ~<a&b> +@all", Passwords=["correct-horse-battery-1", "correct-horse-battery-2"], Tags=[{"Key": "k", "Value": "é = x"}])
users = c.get_paginator("describe_users").paginate(PaginationConfig={"PageSize": 20}).build_full_result()["Users"]
tags = c.list_tags_for_resource(ResourceName="arn:aws:elasticache:us-east-1:000000000000:user:u")["TagList"]
events = c.describe_events(SourceType="user", StartTime=datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5))["Events"]
groups = c.describe_user_groups()
try:
    c.modify_user_group(UserGroupId="nothing", UserIdsToAdd=["u"])
    sys.exit("no error")
except c.exceptions.UserGroupNotFoundFault as e:
    error = e.response["Error"]
print(json.dumps({"users": [u["UserId"] for u in users], "count": users[1]["Authentication"], "tags": tags, "groups": groups["UserGroups"],
    "error": error, "access": users[1]["AccessString"], "when": events[0]["Date"].isoformat(), "id": len(groups["ResponseMetadata"]["RequestId"])}))
`

func TestBoto3(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("python3", "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("boto3 is not installed (pip install boto3): %v %s", err, out)
	}
	s := start(t)
	out, errs, err := s.run("python3", "-c", botoScript)
	if err != nil {
		t.Fatalf("%v %s", err, errs)
	}
	var got map[string]any
	must(t, json.Unmarshal([]byte(out), &got))
	when, err := time.Parse(time.RFC3339Nano, got["when"].(string))
	if err != nil || clock.Real.Now().Sub(when).Abs() > time.Minute {
		t.Errorf("the event's time is %v", got["when"])
	}
	delete(got, "when")
	want := map[string]any{
		"users":  []any{"default", "u"},
		"count":  map[string]any{"Type": "password", "PasswordCount": 2.0},
		"tags":   []any{map[string]any{"Key": "k", "Value": "é = x"}},
		"groups": []any{},
		"error":  map[string]any{"Type": "Sender", "Code": "UserGroupNotFound", "Message": "User group nothing not found."},
		"access": "on ~<a&b> +@all",
		"id":     36.0,
	}
	same(t, want, got)
}
