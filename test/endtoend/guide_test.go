package endtoend

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// aws runs the AWS CLI against the server. The CLI is not needed by the product;
// `pip install awscli` provides it.
func (s *server) aws(args ...string) (string, error) {
	s.t.Helper()
	id, secret := s.root()
	cmd := exec.CommandContext(s.t.Context(), "aws", args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+id,
		"AWS_SECRET_ACCESS_KEY="+secret, "AWS_REGION="+s.note.Region, "AWS_DEFAULT_REGION="+s.note.Region, "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func needCLI(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed: pip install awscli")
	}
}

// ok runs a command line as a guide prints it, with quoting by double quotes.
func (s *server) ok(line string) string {
	s.t.Helper()
	out, err := s.aws(words(line)...)
	if err != nil {
		s.t.Fatalf("aws %s\n%v\n%s", line, err, out)
	}
	return out
}

// words splits a command line at spaces outside double quotes; line ends with a
// backslash join.
func words(line string) []string {
	line = strings.ReplaceAll(line, "\\\n", " ")
	var all []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

// The commands of the ElastiCache user guide, "Authenticating with the Valkey
// and Redis OSS AUTH command", in the order in which it prints them.
func TestTheGuideToAUTHAsPrinted(t *testing.T) {
	needCLI(t)
	s := serve(t)
	s.ok(`elasticache create-cache-subnet-group --cache-subnet-group-name sng-test \
		--cache-subnet-group-description test --subnet-ids subnet-0a1b2c3d`)
	s.ok(`elasticache create-replication-group \
		--replication-group-id authtestgroup \
		--replication-group-description authtest \
		--engine redis \
		--cache-node-type cache.m4.large \
		--num-node-groups 1 \
		--replicas-per-node-group 2 \
		--transit-encryption-enabled \
		--auth-token This-is-a-sample-token \
		--cache-subnet-group sng-test`)
	s.ok(`elasticache wait replication-group-available --replication-group-id authtestgroup`)
	address := s.available("authtestgroup")
	s.accepts(address, "This-is-a-sample-token")

	s.ok(`elasticache modify-replication-group \
		--replication-group-id authtestgroup \
		--auth-token This-is-the-rotated-token \
		--auth-token-update-strategy ROTATE \
		--apply-immediately`)
	s.available("authtestgroup")
	s.accepts(address, "This-is-a-sample-token")
	s.accepts(address, "This-is-the-rotated-token")

	s.ok(`elasticache modify-replication-group \
		--replication-group-id authtestgroup \
		--auth-token This-is-the-set-token \
		--auth-token-update-strategy SET \
		--apply-immediately`)
	s.available("authtestgroup")
	s.accepts(address, "This-is-the-set-token")
	s.refuses(address, "This-is-the-rotated-token")
	s.refuses(address, "This-is-a-sample-token")

	s.ok(`elasticache delete-replication-group --replication-group-id authtestgroup`)
	s.ok(`elasticache wait replication-group-deleted --replication-group-id authtestgroup`)
}

// "Migrating from RBAC to AUTH" of the same page.
func TestTheGuideFromRBACToAUTHAsPrinted(t *testing.T) {
	needCLI(t)
	s := serve(t)
	s.createUser("default-user", "default", "on ~* +@all", "default-password-1")
	s.createGroup("team", "default-user")
	address := s.createCache("test", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
	s.ok(`elasticache modify-replication-group \
		--replication-group-id test \
		--remove-user-groups \
		--auth-token This-is-a-sample-token \
		--auth-token-update-strategy ROTATE \
		--apply-immediately`)
	s.available("test")
	allowed(t, s.redis(address, "", "").Ping(t.Context())) // optional until SET
	s.accepts(address, "This-is-a-sample-token")
	// As printed for Windows: --remove-user-groups once more changes nothing.
	s.ok(`elasticache modify-replication-group \
		--replication-group-id test \
		--remove-user-groups \
		--auth-token This-is-a-sample-token \
		--auth-token-update-strategy SET \
		--apply-immediately`)
	s.available("test")
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(t.Context()))
	s.accepts(address, "This-is-a-sample-token")

	rg, err := s.describe("test")
	if err != nil || !aws.ToBool(rg.AuthTokenEnabled) || len(rg.UserGroupIds) != 0 || rg.AuthTokenLastModifiedDate == nil {
		t.Errorf("the cache is described as %+v, %v", rg, err)
	}
	// "Disabling access control": back to RBAC with DELETE, then detach.
	s.ok(`elasticache modify-replication-group --replication-group-id test \
		--auth-token-update-strategy DELETE --user-group-ids-to-add team`)
	s.available("test")
	s.ok(`elasticache modify-replication-group --replication-group-id test --user-group-ids-to-remove team`)
	s.available("test")
	allowed(t, s.redis(address, "", "").Ping(t.Context()))
}

// A token asked for on a cache without one is refused by default, and accepted
// with --direct-set (Terraform's provider relies on it).
func TestDirectSet(t *testing.T) {
	needCLI(t)
	line := `elasticache modify-replication-group --replication-group-id orders \
		--auth-token This-is-a-sample-token --auth-token-update-strategy SET --apply-immediately`
	s := serve(t)
	s.createCache("orders", nil)
	if out, err := s.aws(words(line)...); err == nil || !strings.Contains(out, "ROTATE") {
		t.Errorf("SET from NONE: %v\n%s", err, out)
	}
	s = serve(t, "--direct-set")
	address := s.createCache("orders", nil)
	s.ok(line)
	s.available("orders")
	s.accepts(address, "This-is-a-sample-token")
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(t.Context()))
}

const boto = `
import boto3, sys, time
c = boto3.client("elasticache")
c.create_user(UserId="alice", UserName="alice", Engine="valkey", AccessString="on ~* +@all", AuthenticationMode={"Type": "password", "Passwords": ["alice-password-123"]})
c.create_user_group(UserGroupId="team", Engine="valkey", UserIds=["alice"])
while c.describe_user_groups(UserGroupId="team")["UserGroups"][0]["Status"] != "active": time.sleep(0.05)
c.create_replication_group(ReplicationGroupId="orders", ReplicationGroupDescription="x", Engine="valkey", CacheNodeType="cache.t4g.micro", NumCacheClusters=1, TransitEncryptionEnabled=True, UserGroupIds=["team"], Tags=[{"Key": "team", "Value": "a"}])
c.get_waiter("replication_group_available").wait(ReplicationGroupId="orders", WaiterConfig={"Delay": 1})
pages = list(c.get_paginator("describe_users").paginate(PaginationConfig={"PageSize": 20}))
assert [u["UserId"] for p in pages for u in p["Users"]] == ["alice", "default"], pages
try:
    c.delete_user_group(UserGroupId="team")
    sys.exit("a group in use was deleted")
except c.exceptions.InvalidUserGroupStateFault as e:
    pass
arn = c.describe_replication_groups()["ReplicationGroups"][0]["ARN"]
assert c.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "team", "Value": "a"}]
try:
    c.describe_users(UserId="nobody")
    sys.exit("a user that is not there was described")
except c.exceptions.UserNotFoundFault as e:
    assert e.response["Error"]["Message"] == "User nobody not found.", e
print("done")
`

func TestBoto3(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed: pip install boto3")
	}
	s := serve(t)
	id, secret := s.root()
	cmd := exec.CommandContext(t.Context(), "python3", "-c", boto)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_DEFAULT_REGION="+s.note.Region)
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "done" {
		t.Errorf("%v\n%s", err, out)
	}
}
