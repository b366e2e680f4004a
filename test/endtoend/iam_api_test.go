package endtoend

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// refusedAs checks an API error by its code and a part of its message.
func refusedAs(t *testing.T, err error, code, message string) {
	t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

// awsAs runs the AWS CLI with somebody's keys.
func (s *server) awsAs(k keys, line string) (string, error) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "aws", words(line)...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+k.id, "AWS_SECRET_ACCESS_KEY="+k.secret,
		"AWS_SESSION_TOKEN="+k.token, "AWS_REGION="+s.note.Region, "AWS_DEFAULT_REGION="+s.note.Region, "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The life of identities by the AWS CLI, on a server of another region than the
// one that requests to IAM are signed for.
func TestIdentitiesByTheCLI(t *testing.T) {
	needCLI(t)
	s := serve(t, "--region", "eu-west-1")
	dir := t.TempDir()
	file := func(name string, statements ...string) string {
		path := dir + "/" + name
		if err := os.WriteFile(path, []byte(*document(statements...)), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	connect, trust := file("connect.json", allowConnect), file("trust.json", trustAll)
	const account = "arn:aws:iam::000000000000:"
	for _, step := range []struct{ line, want string }{
		{`iam create-user --user-name alice --path /team/ --tags Key=team,Value=red`, account + "user/team/alice"},
		{`iam create-group --group-name readers`, account + "group/readers"},
		{`iam add-user-to-group --user-name alice --group-name readers`, ""},
		{`iam list-groups-for-user --user-name alice --query Groups[].GroupName --output text`, "readers"},
		{`iam create-policy --policy-name connect --policy-document ` + connect, account + "policy/connect"},
		{`iam attach-group-policy --group-name readers --policy-arn ` + account + `policy/connect`, ""},
		{`iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/AmazonElastiCacheReadOnlyAccess`, ""},
		{`iam list-attached-user-policies --user-name alice --output text`, "AmazonElastiCacheReadOnlyAccess"},
		{`iam put-user-policy --user-name alice --policy-name own --policy-document ` + connect, ""},
		{`iam get-user-policy --user-name alice --policy-name own --query PolicyDocument.Statement[0].Action --output text`, "elasticache:Connect"},
		{`iam list-user-policies --user-name alice --query PolicyNames --output text`, "own"},
		{`iam create-policy-version --policy-arn ` + account + `policy/connect --policy-document ` + connect + ` --set-as-default --query PolicyVersion.VersionId --output text`, "v2"},
		{`iam get-policy-version --policy-arn ` + account + `policy/connect --version-id v2 --query PolicyVersion.Document.Version --output text`, "2012-10-17"},
		{`iam delete-policy-version --policy-arn ` + account + `policy/connect --version-id v1`, ""},
		{`iam list-entities-for-policy --policy-arn ` + account + `policy/connect --query PolicyGroups[].GroupName --output text`, "readers"},
		{`iam put-user-permissions-boundary --user-name alice --permissions-boundary ` + account + `policy/connect`, ""},
		{`iam get-user --user-name alice --query User.PermissionsBoundary.PermissionsBoundaryArn --output text`, account + "policy/connect"},
		{`iam create-role --role-name app --assume-role-policy-document ` + trust + ` --max-session-duration 7200 --description "the app"`, account + "role/app"},
		{`iam get-role --role-name app --query Role.AssumeRolePolicyDocument.Statement[0].Principal.AWS --output text`, "000000000000"},
		{`iam tag-role --role-name app --tags Key=stage,Value=prod`, ""},
		{`iam list-role-tags --role-name app --query Tags[0].Value --output text`, "prod"},
		{`iam list-instance-profiles-for-role --role-name app`, `"InstanceProfiles": []`},
		{`iam update-user --user-name alice --new-user-name alicia --new-path /`, ""},
		{`iam get-user --user-name ALICIA --query User.Arn --output text`, account + "user/alicia"},
		{`iam create-open-id-connect-provider --url https://issuer.example/id --client-id-list sts.amazonaws.com --thumbprint-list 0123456789012345678901234567890123456789`, account + "oidc-provider/issuer.example/id"},
		{`iam simulate-principal-policy --policy-source-arn ` + account + `user/alicia --action-names elasticache:Connect --resource-arns arn:aws:elasticache:eu-west-1:000000000000:replicationgroup:orders --query EvaluationResults[0].EvalDecision --output text`, "allowed"},
		{`iam simulate-principal-policy --policy-source-arn ` + account + `user/alicia --action-names iam:CreateUser --query EvaluationResults[0].EvalDecision --output text`, "implicitDeny"},
		{`sts get-caller-identity --query Arn --output text`, account + "root"},
	} {
		if out, err := s.aws(words(step.line)...); err != nil || !strings.Contains(out, step.want) {
			t.Errorf("aws %s\n%v\n%s", step.line, err, out)
		}
	}
	for _, refusal := range []struct{ line, want string }{
		{`iam delete-user --user-name alicia`, "(DeleteConflict) when calling the DeleteUser operation: Cannot delete entity, must remove users from group first."},
		{`iam delete-policy --policy-arn ` + account + `policy/connect`, "(DeleteConflict) when calling the DeletePolicy operation: Cannot delete a policy attached to entities."},
		{`iam get-user --user-name nobody`, "(NoSuchEntity) when calling the GetUser operation: The user with name nobody cannot be found."},
		{`iam create-user --user-name Alicia`, "(EntityAlreadyExists) when calling the CreateUser operation: User with name Alicia already exists."},
		{`iam create-policy --policy-name x --policy-document {}`, "(MalformedPolicyDocument)"},
		{`iam attach-user-policy --user-name alicia --policy-arn ` + account + `policy/none`, "(NoSuchEntity) when calling the AttachUserPolicy operation: Policy " + account + "policy/none does not exist or is not attachable."},
		{`iam create-user --user-name a/b`, "(ValidationError)"},
	} {
		if out, err := s.aws(words(refusal.line)...); err == nil || !strings.Contains(out, refusal.want) {
			t.Errorf("aws %s\n%v\n%s", refusal.line, err, out)
		}
	}
	// A page at a time.
	for i := range 3 {
		s.ok(fmt.Sprintf(`iam create-user --user-name page-%d`, i))
	}
	if out := s.ok(`iam list-users --page-size 1 --query Users[].UserName --output text`); strings.Join(strings.Fields(out), " ") != "alicia page-0 page-1 page-2" {
		t.Errorf("users: %s", out)
	}
	// And it is all there after a restart.
	s.stop()
	s.start()
	if out := s.ok(`iam get-role --role-name app --query Role.MaxSessionDuration --output text`); strings.TrimSpace(out) != "7200" {
		t.Errorf("after a restart: %s", out)
	}
}

func TestEveryCallIsAuthorised(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	alice := s.iamUser("alice")
	_, err := s.cachesAPI(alice).DescribeUsers(ctx, &elasticache.DescribeUsersInput{})
	refusedAs(t, err, "AccessDenied", "User: arn:aws:iam::000000000000:user/alice is not authorized to perform: elasticache:DescribeUsers on resource: arn:aws:elasticache:us-east-1:000000000000:user:* because no identity-based policy allows the elasticache:DescribeUsers action")
	if who := must[*sts.GetCallerIdentityOutput](t)(s.stsAPI(alice).GetCallerIdentity(ctx, nil)); *who.Arn != "arn:aws:iam::000000000000:user/alice" || !strings.HasPrefix(*who.UserId, "AIDA") {
		t.Errorf("%+v", who)
	}
	out, err := s.gatehouseAs(alice, "sessions")
	if err == nil || !strings.Contains(out, "is not authorized to perform: gatehouse:ListSessions") {
		t.Errorf("%v: %s", err, out)
	}

	s.userPolicy("alice", `{"Effect":"Allow","Action":["elasticache:Describe*","gatehouse:ListSessions"],"Resource":"*"}`,
		`{"Effect":"Allow","Action":["iam:*AccessKey*","iam:GetUser"],"Resource":"arn:aws:iam::*:user/${aws:username}"}`,
		`{"Effect":"Allow","Action":"elasticache:CreateUser","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red","elasticache:UserAuthenticationMode":"iam"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`)
	if _, err := s.cachesAPI(alice).DescribeUsers(ctx, &elasticache.DescribeUsersInput{}); err != nil {
		t.Error(err)
	}
	if out, err := s.gatehouseAs(alice, "sessions"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if me, err := s.iamAPI(alice).GetUser(ctx, &iam.GetUserInput{}); err != nil || *me.User.UserName != "alice" {
		t.Errorf("%v", err)
	}
	if _, err := s.iamAPI(alice).ListAccessKeys(ctx, &iam.ListAccessKeysInput{}); err != nil {
		t.Error(err)
	}
	_, err = s.iamAPI(alice).ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String("bob")})
	refusedAs(t, err, "AccessDenied", "iam:ListAccessKeys on resource: arn:aws:iam::000000000000:user/bob")
	const createUser = `elasticache create-user --user-id u-red --user-name u-red --engine valkey --access-string "on ~* +@all" --authentication-mode Type=iam --tags Key=team,Value=red`
	if out, err := s.awsAs(alice, createUser); err == nil || !strings.Contains(out, "elasticache:AddTagsToResource on resource: arn:aws:elasticache:us-east-1:000000000000:user:u-red because no identity-based policy allows") {
		t.Errorf("tags without the permission to tag: %v: %s", err, out)
	}
	s.userPolicy("alice", `{"Effect":"Allow","Action":["elasticache:CreateUser","elasticache:AddTagsToResource"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red","elasticache:UserAuthenticationMode":"iam"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}`)
	for tag, code := range map[string]string{"red": "", "blue": "AccessDenied"} {
		out, err := s.awsAs(alice, `elasticache create-user --user-id u-`+tag+` --user-name u-`+tag+` --engine valkey --access-string "on ~* +@all" --authentication-mode Type=iam --tags Key=team,Value=`+tag)
		if (err == nil) != (code == "") || !strings.Contains(out, code) {
			t.Errorf("%s: %v: %s", tag, err, out)
		}
	}
	s.userPolicy("alice", `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"elasticache:Delete*","Resource":"*"}`)
	_, err = s.cachesAPI(alice).DeleteUser(ctx, &elasticache.DeleteUserInput{UserId: aws.String("u-red")})
	refusedAs(t, err, "AccessDenied", "with an explicit deny in an identity-based policy")
}

// gatehouseAs runs an operator command with somebody's keys.
func (s *server) gatehouseAs(k keys, args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+k.id, "AWS_SECRET_ACCESS_KEY="+k.secret,
		"AWS_SESSION_TOKEN="+k.token, "AWS_REGION="+s.note.Region, "HOME="+s.t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAssumeRole(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	describe := `{"Effect":"Allow","Action":"elasticache:Describe*","Resource":"*"}`
	alice := s.iamUser("alice", `{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}`)
	bob := s.iamUser("bob")
	role := s.role("reader", describe)

	_, err := s.assume(s.rootKeys(), &sts.AssumeRoleInput{RoleArn: &role})
	refusedAs(t, err, "AccessDenied", "Roles may not be assumed by root accounts.")
	_, err = s.assume(bob, &sts.AssumeRoleInput{RoleArn: &role})
	refusedAs(t, err, "AccessDenied", "User: arn:aws:iam::000000000000:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/reader")
	_, err = s.assume(alice, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/nobody")})
	refusedAs(t, err, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/nobody")
	_, err = s.assume(alice, &sts.AssumeRoleInput{RoleArn: &role, DurationSeconds: aws.Int32(7200)})
	refusedAs(t, err, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")

	session := must[keys](t)(s.assume(alice, &sts.AssumeRoleInput{RoleArn: &role, Tags: []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}))
	who := must[*sts.GetCallerIdentityOutput](t)(s.stsAPI(session).GetCallerIdentity(ctx, nil))
	if *who.Arn != "arn:aws:sts::000000000000:assumed-role/reader/session-1" || !strings.HasPrefix(*who.UserId, "AROA") || !strings.HasSuffix(*who.UserId, ":session-1") {
		t.Errorf("%s %s", *who.Arn, *who.UserId)
	}
	if _, err := s.cachesAPI(session).DescribeUsers(ctx, &elasticache.DescribeUsersInput{}); err != nil {
		t.Error(err)
	}
	_, err = s.cachesAPI(session).DeleteUser(ctx, &elasticache.DeleteUserInput{UserId: aws.String("x")})
	refusedAs(t, err, "AccessDenied", "User: arn:aws:sts::000000000000:assumed-role/reader/session-1 is not authorized")

	for what, k := range map[string]keys{
		"tampered":    {session.id, session.secret, session.token[:30] + flip(session.token[30:31]) + session.token[31:]},
		"another key": {alice.id, alice.secret, session.token},
		"no token":    {session.id, session.secret, ""},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := s.cachesAPI(k).DescribeUsers(ctx, &elasticache.DescribeUsersInput{})
			refusedAs(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
		})
	}
	t.Run("an external id", func(t *testing.T) {
		_, err := s.iamAPI(s.rootKeys()).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("reader"), PolicyDocument: document(
			strings.Replace(trustAll, `"Effect"`, `"Condition":{"StringEquals":{"sts:ExternalId":"secret-42"}},"Effect"`, 1))})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.assume(alice, &sts.AssumeRoleInput{RoleArn: &role})
		refusedAs(t, err, "AccessDenied", "sts:AssumeRole")
		must[keys](t)(s.assume(alice, &sts.AssumeRoleInput{RoleArn: &role, ExternalId: aws.String("secret-42")}))
	})
	t.Run("a session policy", func(t *testing.T) {
		limited := must[keys](t)(s.assume(alice, &sts.AssumeRoleInput{
			RoleArn: &role, ExternalId: aws.String("secret-42"), Policy: document(`{"Effect":"Allow","Action":"elasticache:DescribeUserGroups","Resource":"*"}`),
		}))
		_, err := s.cachesAPI(limited).DescribeUsers(ctx, &elasticache.DescribeUsersInput{})
		refusedAs(t, err, "AccessDenied", "because no session policy allows the elasticache:DescribeUsers action")
	})
	t.Run("GetSessionToken", func(t *testing.T) {
		s.userPolicy("alice", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
		c := must[*sts.GetSessionTokenOutput](t)(s.stsAPI(alice).GetSessionToken(ctx, &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})).Credentials
		k := keys{*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken}
		if _, err := s.cachesAPI(k).DescribeUsers(ctx, &elasticache.DescribeUsersInput{}); err != nil {
			t.Error(err)
		}
		_, err := s.iamAPI(k).ListUsers(ctx, &iam.ListUsersInput{})
		refusedAs(t, err, "AccessDenied", "iam:ListUsers")
		_, err = s.stsAPI(k).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
		refusedAs(t, err, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	})
	if text, err := os.ReadFile(s.dir + "/trail/trail.jsonl"); err != nil || strings.Contains(string(text), session.token) || strings.Contains(string(text), session.secret) || strings.Contains(string(text), alice.secret) {
		t.Errorf("a secret is on the trail, or it cannot be read: %v", err)
	}
}

func flip(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}

// A secret access key is nowhere in the data directory in clear.
func TestSecretAccessKeysAreSealed(t *testing.T) {
	s := serve(t)
	alice := s.iamUser("alice")
	s.stop()
	out, err := exec.Command("grep", "-rlF", alice.secret, s.dir).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("%v: %s", err, out)
	}
	s.start()
	if _, err := s.stsAPI(alice).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestSimulate(t *testing.T) {
	s := serve(t)
	out := must[*iam.SimulateCustomPolicyOutput](t)(s.iamAPI(s.rootKeys()).SimulateCustomPolicy(t.Context(), &iam.SimulateCustomPolicyInput{
		PolicyInputList:                    []string{*document(allowConnect, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)},
		ActionNames:                        []string{"elasticache:Connect", "iam:CreateUser"},
		ResourceArns:                       []string{"arn:aws:elasticache:us-east-1:000000000000:user:app"},
		PermissionsBoundaryPolicyInputList: []string{*document(`{"Effect":"Allow","Action":"iam:*","Resource":"*"}`)},
	}))
	if len(out.EvaluationResults) != 2 {
		t.Fatalf("%+v", out.EvaluationResults)
	}
	connect, create := out.EvaluationResults[0], out.EvaluationResults[1]
	if connect.EvalDecision != "implicitDeny" || connect.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary || !slices.Equal(connect.MissingContextValues, []string{"aws:securetransport"}) {
		t.Errorf("%+v", connect)
	}
	if create.EvalDecision != "implicitDeny" || !create.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Errorf("%+v", create)
	}
	out = must[*iam.SimulateCustomPolicyOutput](t)(s.iamAPI(s.rootKeys()).SimulateCustomPolicy(t.Context(), &iam.SimulateCustomPolicyInput{
		PolicyInputList: []string{*document(`{"Effect":"Allow","Action":"iam:*","Resource":"*"}`, `{"Effect":"Deny","Action":"iam:Create*","Resource":"*"}`)},
		ActionNames:     []string{"iam:CreateUser"},
	}))
	matched := out.EvaluationResults[0].MatchedStatements
	if out.EvaluationResults[0].EvalDecision != "explicitDeny" || len(matched) != 1 || *matched[0].SourcePolicyId != "PolicyInputList.1" ||
		matched[0].StartPosition.Line != 1 || matched[0].StartPosition.Column != 89 {
		t.Errorf("%+v", out.EvaluationResults[0])
	}
}
