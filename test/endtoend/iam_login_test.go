package endtoend

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

// keys are credentials as a client holds them.
type keys struct{ id, secret, token string }

func (k keys) provider() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(k.id, k.secret, k.token)
}

func (s *server) rootKeys() keys {
	id, secret := s.root()
	return keys{id: id, secret: secret}
}

func (s *server) iamAPI(k keys) *iam.Client {
	return iam.New(iam.Options{BaseEndpoint: aws.String(s.note.Endpoint), Region: s.note.Region, Credentials: k.provider()})
}

func (s *server) stsAPI(k keys) *sts.Client {
	return sts.New(sts.Options{BaseEndpoint: aws.String(s.note.Endpoint), Region: s.note.Region, Credentials: k.provider()})
}

func (s *server) cachesAPI(k keys) *elasticache.Client {
	return elasticache.New(elasticache.Options{BaseEndpoint: aws.String(s.note.Endpoint), Region: s.note.Region, Credentials: k.provider()})
}

// statement is a policy document of statements.
func document(statements ...string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

const allowConnect = `{"Effect":"Allow","Action":"elasticache:Connect","Resource":["arn:aws:elasticache:*:*:replicationgroup:orders","arn:aws:elasticache:*:*:user:app"]}`

// iamUser makes an IAM user with an access key and, if given, a policy.
func (s *server) iamUser(name string, statements ...string) keys {
	s.t.Helper()
	api := s.iamAPI(s.rootKeys())
	must[*iam.CreateUserOutput](s.t)(api.CreateUser(s.t.Context(), &iam.CreateUserInput{UserName: &name}))
	if len(statements) > 0 {
		s.userPolicy(name, statements...)
	}
	made := must[*iam.CreateAccessKeyOutput](s.t)(api.CreateAccessKey(s.t.Context(), &iam.CreateAccessKeyInput{UserName: &name}))
	return keys{id: *made.AccessKey.AccessKeyId, secret: *made.AccessKey.SecretAccessKey}
}

func (s *server) userPolicy(name string, statements ...string) {
	s.t.Helper()
	must[*iam.PutUserPolicyOutput](s.t)(s.iamAPI(s.rootKeys()).PutUserPolicy(s.t.Context(), &iam.PutUserPolicyInput{
		UserName: &name, PolicyName: aws.String("access"), PolicyDocument: document(statements...),
	}))
}

// iamCache makes the cache "orders" with the IAM user "app" and returns its address.
func (s *server) iamCache() string {
	s.t.Helper()
	must[*elasticache.CreateUserOutput](s.t)(s.api().CreateUser(s.t.Context(), &elasticache.CreateUserInput{
		UserId: aws.String("app"), UserName: aws.String("app"), Engine: aws.String("valkey"), AccessString: aws.String("on ~* +@all"),
		AuthenticationMode: &types.AuthenticationMode{Type: types.InputAuthenticationTypeIam},
	}))
	s.createGroup("team", "app")
	return s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
}

// token is a token as pkg/cacheauth makes it.
func (s *server) token(k keys) string {
	s.t.Helper()
	generator := must[*cacheauth.Generator](s.t)(cacheauth.NewGenerator(cacheauth.Config{
		Cache: "orders", User: "app", Region: s.note.Region, Credentials: k.provider(),
	}))
	return must[string](s.t)(generator.Token(s.t.Context()))
}

// tokenAt is a token that was signed at a time.
func (s *server) tokenAt(k keys, at time.Time) string {
	s.t.Helper()
	r := must[*http.Request](s.t)(http.NewRequest(http.MethodGet, "http://orders/?Action=connect&User=app&X-Amz-Expires=900", nil))
	const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	url, _, err := v4.NewSigner().PresignHTTP(s.t.Context(), aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token}, r, emptyBody, "elasticache", s.note.Region, at.UTC())
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimPrefix(url, "http://")
}

// logsIn and isRefused check a login by a token; the reason is what the trail
// must say and the client is not told.
func (s *server) logsIn(address, token string) {
	s.t.Helper()
	c := s.redis(address, "app", token)
	allowed(s.t, c.Ping(s.t.Context()))
	if who, err := c.Do(s.t.Context(), "ACL", "WHOAMI").Text(); err != nil || who != "app" {
		s.t.Errorf("whoami: %q, %v", who, err)
	}
}

func (s *server) isRefused(address, token, reason string) {
	s.t.Helper()
	refusedWith(s.t, "WRONGPASS invalid username-password pair or user is disabled.", s.redis(address, "app", token).Ping(s.t.Context()))
	s.await("the trail to say why", func() error { return s.lastRefusal(reason) })
}

func (s *server) lastRefusal(reason string) error {
	out, err := s.gatehouse("", "trail", "--event", "login.refused", "--output", "json", "--limit", "1")
	if err != nil {
		return err
	}
	var records []struct{ Reason string }
	if err := json.Unmarshal([]byte(out), &records); err != nil {
		return err
	}
	if len(records) != 1 || !strings.Contains(records[0].Reason, reason) {
		return &mismatch{out, reason}
	}
	return nil
}

type mismatch struct{ got, want string }

func (m *mismatch) Error() string { return "got " + m.got + ", want " + m.want }

func TestIAMLogins(t *testing.T) {
	s := serve(t)
	address := s.iamCache()
	alice := s.iamUser("alice", allowConnect)
	api := s.iamAPI(s.rootKeys())
	ctx := t.Context()

	s.logsIn(address, s.token(alice))
	out, err := s.gatehouse("", "trail", "--event", "login.accepted", "--output", "json")
	if err != nil || !strings.Contains(out, "arn:aws:iam::000000000000:user/alice") || strings.Contains(out, "X-Amz-Signature") {
		t.Errorf("the trail says %s, %v", out, err)
	}
	t.Run("an expired token", func(t *testing.T) {
		s.isRefused(address, s.tokenAt(alice, time.Now().Add(-16*time.Minute)), "expired 60 seconds ago")
	})
	t.Run("another secret", func(t *testing.T) {
		s.isRefused(address, s.token(keys{id: alice.id, secret: "x" + alice.secret[1:]}), "the signature is wrong")
	})
	t.Run("an access key that nobody has", func(t *testing.T) {
		s.isRefused(address, s.token(keys{id: "AKIAINVENTEDINVENTED", secret: alice.secret}), "the access key does not exist")
	})
	t.Run("root", func(t *testing.T) {
		s.isRefused(address, s.token(s.rootKeys()), "root")
	})
	t.Run("a password in a token's place", func(t *testing.T) {
		s.isRefused(address, "This-is-a-password-123", "no IAM token")
	})
	t.Run("no permission", func(t *testing.T) {
		s.isRefused(address, s.token(s.iamUser("bob")), "no identity-based policy allows it")
	})
	t.Run("only on the cache", func(t *testing.T) {
		carol := s.iamUser("carol", `{"Effect":"Allow","Action":"elasticache:Connect","Resource":"arn:aws:elasticache:*:*:replicationgroup:*"}`)
		s.isRefused(address, s.token(carol), "user:app denied: no identity-based policy allows it")
	})
	t.Run("from another address", func(t *testing.T) {
		dave := s.iamUser("dave", strings.Replace(allowConnect, `"Effect"`, `"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}},"Effect"`, 1))
		s.isRefused(address, s.token(dave), "denied")
		s.userPolicy("dave", strings.Replace(allowConnect, `"Effect"`, `"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}},"Effect"`, 1))
		s.logsIn(address, s.token(dave)) // at once: the write has reached the gateway
	})
	t.Run("by tags of the cache and the user", func(t *testing.T) {
		tagged := `"Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}},"Effect"`
		erin := s.iamUser("erin", strings.Replace(allowConnect, `"Effect"`, tagged, 1))
		s.isRefused(address, s.token(erin), "denied")
		for _, arn := range []string{"replicationgroup:orders", "user:app"} {
			_, err := s.api().AddTagsToResource(ctx, &elasticache.AddTagsToResourceInput{
				ResourceName: aws.String("arn:aws:elasticache:us-east-1:000000000000:" + arn), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.logsIn(address, s.token(erin))
	})
	t.Run("an inactive key", func(t *testing.T) {
		set := func(status iamtypes.StatusType) {
			must[*iam.UpdateAccessKeyOutput](t)(api.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &alice.id, Status: status}))
		}
		set(iamtypes.StatusTypeInactive)
		s.isRefused(address, s.token(alice), "the access key is inactive")
		set(iamtypes.StatusTypeActive)
		s.logsIn(address, s.token(alice))
	})
	t.Run("an explicit deny", func(t *testing.T) {
		s.userPolicy("alice", allowConnect, `{"Sid":"Never","Effect":"Deny","Action":"elasticache:Connect","Resource":"*"}`)
		s.isRefused(address, s.token(alice), "Sid Never")
		s.userPolicy("alice", allowConnect)
		s.logsIn(address, s.token(alice))
	})
	t.Run("last used", func(t *testing.T) {
		used := must[*iam.GetAccessKeyLastUsedOutput](t)(api.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &alice.id}))
		if aws.ToString(used.AccessKeyLastUsed.ServiceName) != "elasticache" || time.Since(aws.ToTime(used.AccessKeyLastUsed.LastUsedDate)) > time.Minute {
			t.Errorf("%+v", used.AccessKeyLastUsed)
		}
	})
	t.Run("a deleted user", func(t *testing.T) {
		must[*iam.DeleteAccessKeyOutput](t)(api.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &alice.id}))
		s.isRefused(address, s.token(alice), "the access key does not exist")
	})
}

// A session keeps what it has until it logs in again; taking the permission away
// is felt at the next login, and an expired token leaves the session as it was.
func TestIAMSessionsAndRenewal(t *testing.T) {
	s := serve(t)
	address := s.iamCache()
	alice := s.iamUser("alice", allowConnect)
	ctx := t.Context()
	c := s.redis(address, "app", s.token(alice)).Conn()
	allowed(t, c.Ping(ctx))
	refusedWith(t, "WRONGPASS", c.Do(ctx, "AUTH", "app", s.tokenAt(alice, time.Now().Add(-time.Hour))))
	allowed(t, c.Set(ctx, "k", "v", 0))
	before := s.deadline()
	allowed(t, c.Do(ctx, "AUTH", "app", s.token(alice)))
	if after := s.deadline(); !after.After(before) || time.Until(after) < 11*time.Hour+59*time.Minute || time.Until(after) > 12*time.Hour {
		t.Errorf("the deadline was %v and is %v", before, after)
	}
	s.userPolicy("alice", `{"Effect":"Deny","Action":"*","Resource":"*"}`)
	allowed(t, c.Get(ctx, "k"))
	s.isRefused(address, s.token(alice), "denied")

	must[*elasticache.CreateUserOutput](t)(s.api().CreateUser(ctx, &elasticache.CreateUserInput{
		UserId: aws.String("other"), UserName: aws.String("other"), Engine: aws.String("valkey"), AccessString: aws.String("on ~* +@all"), Passwords: []string{"other-password-123"},
	}))
	must[*elasticache.ModifyUserGroupOutput](t)(s.api().ModifyUserGroup(ctx, &elasticache.ModifyUserGroupInput{
		UserGroupId: aws.String("team"), UserIdsToAdd: []string{"other"}, UserIdsToRemove: []string{"app"},
	}))
	s.groupActive("team")
	if err := c.Get(ctx, "k").Err(); err == nil {
		t.Error("a session of a user that left the group goes on")
	}
}

// deadline is that of the one session.
func (s *server) deadline() time.Time {
	s.t.Helper()
	out, err := s.gatehouse("", "sessions", "--output", "json")
	var answer struct {
		Sessions []struct{ Deadline time.Time }
	}
	if err != nil || json.Unmarshal([]byte(out), &answer) != nil || len(answer.Sessions) != 1 {
		s.t.Fatalf("sessions: %s, %v", out, err)
	}
	return answer.Sessions[0].Deadline
}

const trustAll = `{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":["sts:AssumeRole","sts:TagSession"]}`

// role makes a role that the account trusts, with a policy.
func (s *server) role(name string, statements ...string) string {
	s.t.Helper()
	api := s.iamAPI(s.rootKeys())
	made := must[*iam.CreateRoleOutput](s.t)(api.CreateRole(s.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: document(trustAll)}))
	if len(statements) > 0 {
		must[*iam.PutRolePolicyOutput](s.t)(api.PutRolePolicy(s.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("access"), PolicyDocument: document(statements...)}))
	}
	return *made.Role.Arn
}

func (s *server) assume(k keys, in *sts.AssumeRoleInput) (keys, error) {
	in.RoleSessionName = aws.String("session-1")
	out, err := s.stsAPI(k).AssumeRole(context.Background(), in)
	if err != nil {
		return keys{}, err
	}
	c := out.Credentials
	return keys{*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken}, nil
}

func TestIAMLoginsOfSessions(t *testing.T) {
	s := serve(t)
	address := s.iamCache()
	alice := s.iamUser("alice", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`)
	role := s.role("app-role", allowConnect)
	session := must[keys](t)(s.assume(alice, &sts.AssumeRoleInput{RoleArn: &role}))
	s.logsIn(address, s.token(session))
	out, err := s.gatehouse("", "trail", "--event", "login.accepted", "--output", "json")
	if err != nil || !strings.Contains(out, "arn:aws:sts::000000000000:assumed-role/app-role/session-1") {
		t.Errorf("the trail says %s, %v", out, err)
	}
	s.isRefused(address, s.token(keys{session.id, session.secret, ""}), "X-Amz-Security-Token is missing")
	s.isRefused(address, s.token(keys{session.id, session.secret, session.token[:20] + "A" + session.token[21:]}), "X-Amz-Security-Token")
	s.isRefused(address, s.token(keys{alice.id, alice.secret, session.token}), "session")
	limited := must[keys](t)(s.assume(alice, &sts.AssumeRoleInput{RoleArn: &role, Policy: document(`{"Effect":"Allow","Action":"elasticache:Describe*","Resource":"*"}`)}))
	s.isRefused(address, s.token(limited), "no session policy allows it")

	must[*iam.DeleteRolePolicyOutput](t)(s.iamAPI(s.rootKeys()).DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("app-role"), PolicyName: aws.String("access")}))
	s.isRefused(address, s.token(session), "no identity-based policy allows it")
	must[*iam.DeleteRoleOutput](t)(s.iamAPI(s.rootKeys()).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("app-role")}))
	s.isRefused(address, s.token(session), "its principal is gone")
}

// What AWS's own guide prints for Python, and a token by gatehouse token.
const botoToken = `
import sys
from urllib.parse import urlencode, urlunparse, ParseResult
from botocore.model import ServiceId
from botocore.signers import RequestSigner
import botocore.session
session = botocore.session.get_session()
signer = RequestSigner(ServiceId("elasticache"), sys.argv[1], "elasticache", "v4", session.get_credentials(), session.get_component("event_emitter"))
url = urlunparse(ParseResult(scheme="https", netloc="orders", path="/", query=urlencode({"Action": "connect", "User": "app"}), params="", fragment=""))
print(signer.generate_presigned_url({"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}}, operation_name="connect", expires_in=900, region_name=sys.argv[1])[len("https://"):])
`

func TestTokensOfOtherTools(t *testing.T) {
	s := serve(t)
	address := s.iamCache()
	alice := s.iamUser("alice", allowConnect)
	environment := append(os.Environ(), "AWS_ACCESS_KEY_ID="+alice.id, "AWS_SECRET_ACCESS_KEY="+alice.secret, "AWS_REGION="+s.note.Region, "AWS_DEFAULT_REGION="+s.note.Region)
	t.Run("boto3", func(t *testing.T) {
		if err := exec.Command("python3", "-c", "import botocore").Run(); err != nil {
			t.Skip("boto3 is not installed: pip install boto3")
		}
		cmd := exec.CommandContext(t.Context(), "python3", "-c", botoToken, s.note.Region)
		cmd.Env = environment
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		s.logsIn(address, strings.TrimSpace(string(out)))
	})
	t.Run("gatehouse token", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), program, "token", "--cache", "Orders", "--user", "app")
		cmd.Env = environment
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		s.logsIn(address, strings.TrimSpace(string(out)))
	})
	t.Run("gatehouse connect", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), program, "connect", "--data-dir", s.dir, "--iam", "--user", "app", "orders", "--", "ACL", "WHOAMI")
		cmd.Env = environment
		if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "app" {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("gatehouse explain", func(t *testing.T) {
		s.isRefused(address, s.tokenAt(alice, time.Now().Add(-18*time.Minute)), "expired 3 minutes ago")
		out, err := s.gatehouse("", "explain", "--cache", "orders", "--user", "app")
		if err != nil || !strings.Contains(out, "expired 3 minutes ago") || strings.Contains(out, "Signature=") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
