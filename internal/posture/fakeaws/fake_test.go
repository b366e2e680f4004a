package fakeaws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/appsync"
	appsynctypes "github.com/aws/aws-sdk-go-v2/service/appsync/types"
	dms "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice"
	dmstypes "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	kafkatypes "github.com/aws/aws-sdk-go-v2/service/kafka/types"
	"github.com/aws/smithy-go"

	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
)

const region = "eu-west-1"

func start(t *testing.T) (*fakeaws.Fake, *fakeaws.Region, awssdk.Config) {
	t.Helper()
	fake := fakeaws.New()
	t.Cleanup(fake.Close)
	return fake, fake.Region(fakeaws.DefaultAccount, region), awssdk.Config{
		Region: region, BaseEndpoint: &fake.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIA"+fakeaws.DefaultAccount, "secret", ""),
	}
}

// code is the error code that the SDK found in an answer.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestPagesHonourWhatWasAsked(t *testing.T) {
	_, r, cfg := start(t)
	r.AddHTTPAPI("web", nil)
	const routes = 31
	for i := range routes {
		r.AddRoute("web", fmt.Sprintf("r%02d", i), nil)
	}
	client := apigatewayv2.NewFromConfig(cfg)
	seen := map[string]bool{}
	in := &apigatewayv2.GetRoutesInput{ApiId: awssdk.String("web"), MaxResults: awssdk.String("10")}
	pages := 0
	for {
		out, err := client.GetRoutes(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		if len(out.Items) > 10 {
			t.Fatalf("a page of %d", len(out.Items))
		}
		for _, item := range out.Items {
			seen[*item.RouteId] = true
		}
		if awssdk.ToString(out.NextToken) == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	if len(seen) != routes || pages != 4 {
		t.Errorf("%d routes on %d pages", len(seen), pages)
	}
	if _, err := client.GetApis(t.Context(), &apigatewayv2.GetApisInput{NextToken: in.NextToken}); code(err) != "BadRequestException" {
		t.Errorf("a token of another listing: %v", err)
	}
}

func TestFaults(t *testing.T) {
	fake, r, cfg := start(t)
	r.AddCluster("c", nil)
	client := kafka.NewFromConfig(cfg)
	listing := func() error {
		_, err := client.ListClustersV2(context.Background(), &kafka.ListClustersV2Input{})
		return err
	}
	fake.Throttle("kafka", "ListClustersV2", 1)
	if err := listing(); code(err) != "ThrottlingException" {
		t.Errorf("throttled: %v", err)
	}
	if err := listing(); err != nil {
		t.Errorf("after throttling: %v", err)
	}
	fake.Deny("kafka", "ListClustersV2")
	if err := listing(); code(err) != "AccessDeniedException" {
		t.Errorf("denied: %v", err)
	}
	fake.Heal()
	fake.Inject(fakeaws.Fault{Region: region})
	var api smithy.APIError
	if err := listing(); err == nil || errors.As(err, &api) {
		t.Errorf("an unreachable region answered: %v", err)
	}
	if n := fake.Calls()["kafka.ListClustersV2"]; n < 4 { // the transport may repeat a GET whose connection was cut
		t.Errorf("%d calls", n)
	}
}

func TestClusterLockAndStates(t *testing.T) {
	_, r, cfg := start(t)
	arn := r.AddCluster("c", nil)
	client := kafka.NewFromConfig(cfg)
	update := func(version string, iam, open bool) error {
		_, err := client.UpdateSecurity(context.Background(), &kafka.UpdateSecurityInput{ClusterArn: &arn, CurrentVersion: &version, ClientAuthentication: &kafkatypes.ClientAuthentication{
			Sasl: &kafkatypes.Sasl{Iam: &kafkatypes.Iam{Enabled: &iam}}, Unauthenticated: &kafkatypes.Unauthenticated{Enabled: &open},
		}})
		return err
	}
	describe := func() *kafkatypes.Cluster {
		out, err := client.DescribeClusterV2(context.Background(), &kafka.DescribeClusterV2Input{ClusterArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		return out.ClusterInfo
	}
	if err := update("K0", true, true); err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("a stale version: %v", err)
	}
	if err := update("K1", true, true); err != nil {
		t.Fatal(err)
	}
	if c := describe(); c.State != kafkatypes.ClusterStateUpdating || *c.CurrentVersion != "K1" || c.ActiveOperationArn == nil {
		t.Errorf("under way: %v %s", c.State, *c.CurrentVersion)
	}
	if err := update("K1", true, false); err == nil {
		t.Error("a second update while UPDATING")
	}
	c := describe()
	if c.State != kafkatypes.ClusterStateActive || *c.CurrentVersion == "K1" || !*c.Provisioned.ClientAuthentication.Sasl.Iam.Enabled {
		t.Errorf("afterwards: %+v", c)
	}
	if err := update(*c.CurrentVersion, false, false); err == nil {
		t.Error("a cluster without any way in")
	}
}

// The machine of ROTATE, SET and DELETE, as reference/elasticache.md A.2 has it.
func TestTokenMachine(t *testing.T) {
	token, other := "a-token-of-sixteen-1", "a-token-of-sixteen-2"
	type move struct{ strategy, token, refused string }
	for _, test := range []struct {
		name  string
		from  string
		have  []string
		moves []move
		want  string
	}{
		{"first token is optional", "NONE", nil, []move{{"ROTATE", token, ""}}, "OPT1"},
		{"then required", "NONE", nil, []move{{"ROTATE", token, ""}, {"SET", token, ""}}, "REQ1"},
		{"SET first is refused", "NONE", nil, []move{{"SET", token, "InvalidParameterCombination"}}, "NONE"},
		{"SET wants the last token", "OPT1", []string{token}, []move{{"SET", other, "InvalidParameterValue"}}, "OPT1"},
		{"rotation keeps two", "REQ1", []string{token}, []move{{"ROTATE", other, ""}}, "REQ2"},
		{"DELETE needs a group", "REQ1", []string{token}, []move{{"DELETE", "", "InvalidParameterValue"}}, "REQ1"},
		{"a short token", "NONE", nil, []move{{"ROTATE", "short", "InvalidParameterValue"}}, "NONE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, r, cfg := start(t)
			r.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"_auth": test.from, "_tokens": test.have, "AuthTokenEnabled": test.from != "NONE"})
			client := elasticache.NewFromConfig(cfg)
			for _, m := range test.moves {
				in := &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: awssdk.String("rg"), ApplyImmediately: awssdk.Bool(true)}
				if m.token != "" {
					in.AuthToken = &m.token
				}
				in.AuthTokenUpdateStrategy = ectypes.AuthTokenUpdateStrategyType(m.strategy)
				_, err := client.ModifyReplicationGroup(t.Context(), in)
				if m.refused == "" && err != nil || m.refused != "" && code(err) != m.refused {
					t.Fatalf("%s: %v", m.strategy, err)
				}
				if err != nil {
					continue
				}
				if _, err := client.ModifyReplicationGroup(t.Context(), in); code(err) != "InvalidReplicationGroupState" {
					t.Errorf("a second change while modifying: %v", err)
				}
				for range 2 {
					if _, err := client.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := r.Peek("groups", "rg")["_auth"]; got != test.want {
				t.Errorf("%v, want %s", got, test.want)
			}
		})
	}
}

func TestAccessControlNeedsItsPrerequisites(t *testing.T) {
	for name, test := range map[string]struct {
		group   fakeaws.Doc
		version string
		in      elasticache.ModifyReplicationGroupInput
	}{
		"token without TLS":         {fakeaws.Doc{"TransitEncryptionEnabled": false}, "7.1.0", elasticache.ModifyReplicationGroupInput{AuthToken: awssdk.String("a-token-of-sixteen-1"), AuthTokenUpdateStrategy: "ROTATE"}},
		"token with preferred":      {fakeaws.Doc{"TransitEncryptionMode": "preferred"}, "7.1.0", elasticache.ModifyReplicationGroupInput{AuthToken: awssdk.String("a-token-of-sixteen-1"), AuthTokenUpdateStrategy: "ROTATE"}},
		"token below 5.0.6":         {nil, "5.0.0", elasticache.ModifyReplicationGroupInput{AuthToken: awssdk.String("a-token-of-sixteen-1"), AuthTokenUpdateStrategy: "ROTATE"}},
		"group beside a token":      {fakeaws.Doc{"_auth": "REQ1", "AuthTokenEnabled": true}, "7.1.0", elasticache.ModifyReplicationGroupInput{UserGroupIdsToAdd: []string{"g"}}},
		"group below 6.0":           {nil, "5.0.6", elasticache.ModifyReplicationGroupInput{UserGroupIdsToAdd: []string{"g"}}},
		"required before preferred": {fakeaws.Doc{"TransitEncryptionEnabled": false}, "7.1.0", elasticache.ModifyReplicationGroupInput{TransitEncryptionEnabled: awssdk.Bool(true), TransitEncryptionMode: "required"}},
		"nothing asked":             {nil, "7.1.0", elasticache.ModifyReplicationGroupInput{}},
		"failover without replica":  {nil, "7.1.0", elasticache.ModifyReplicationGroupInput{AutomaticFailoverEnabled: awssdk.Bool(true)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, r, cfg := start(t)
			r.AddUser("u", "default", nil)
			r.AddUserGroup("g", "u")
			r.AddReplicationGroup("rg", test.version, test.group)
			in := test.in
			in.ReplicationGroupId = awssdk.String("rg")
			if _, err := elasticache.NewFromConfig(cfg).ModifyReplicationGroup(t.Context(), &in); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

func TestUpdateOfAGraphQLAPIReplacesItWhole(t *testing.T) {
	_, r, cfg := start(t)
	r.AddGraphQL("gql", fakeaws.Doc{"xrayEnabled": true, "logConfig": fakeaws.Doc{"fieldLogLevel": "ALL", "cloudWatchLogsRoleArn": "arn"}, "tags": fakeaws.Doc{"team": "a"}})
	out, err := appsync.NewFromConfig(cfg).UpdateGraphqlApi(t.Context(), &appsync.UpdateGraphqlApiInput{ApiId: awssdk.String("gql"), Name: awssdk.String("gql"), AuthenticationType: appsynctypes.AuthenticationTypeAwsIam})
	if err != nil {
		t.Fatal(err)
	}
	if out.GraphqlApi.XrayEnabled || out.GraphqlApi.LogConfig != nil || out.GraphqlApi.Tags["team"] != "a" {
		t.Errorf("%+v", out.GraphqlApi)
	}
}

func TestDeploymentsAndTheDataPlane(t *testing.T) {
	_, r, cfg := start(t)
	api := r.AddHTTPAPI("web", nil)
	r.AddRoute("web", "orders", fakeaws.Doc{"routeKey": "GET /orders/{id}"})
	r.AddStage("web", "v1", nil)
	client := apigatewayv2.NewFromConfig(cfg)
	ask := func(path string) int {
		t.Helper()
		answer, err := http.Get(api["apiEndpoint"].(string) + path) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	deploy := func(stage string) error {
		_, err := client.CreateDeployment(context.Background(), &apigatewayv2.CreateDeploymentInput{ApiId: awssdk.String("web"), StageName: &stage})
		return err
	}
	if ask("/orders/1") != 200 || ask("/v1/orders/1") != 404 {
		t.Error("before any deployment")
	}
	if err := deploy("$default"); code(err) != "BadRequestException" {
		t.Errorf("a deployment of an automatic stage: %v", err)
	}
	if err := deploy("v1"); err != nil || ask("/v1/orders/1") != 200 {
		t.Errorf("deployed: %v", err)
	}
	if _, err := client.UpdateRoute(t.Context(), &apigatewayv2.UpdateRouteInput{ApiId: awssdk.String("web"), RouteId: awssdk.String("orders"), AuthorizationType: gwtypes.AuthorizationTypeAwsIam}); err != nil {
		t.Fatal(err)
	}
	if ask("/orders/1") != 403 || ask("/v1/orders/1") != 200 {
		t.Error("an update is live at once only where the stage deploys by itself")
	}
	if err := deploy("v1"); err != nil || ask("/v1/orders/1") != 403 {
		t.Errorf("deployed again: %v", err)
	}
}

func TestEndpointInUseIsNotModified(t *testing.T) {
	_, r, cfg := start(t)
	arn := r.AddEndpoint("mongo", fakeaws.Doc{"_requiresAuth": true})
	task := r.AddTask("copy", arn, "arn:target", nil)
	client := dms.NewFromConfig(cfg)
	modify := func() error {
		_, err := client.ModifyEndpoint(context.Background(), &dms.ModifyEndpointInput{EndpointArn: &arn, MongoDbSettings: &dmstypes.MongoDbSettings{AuthType: dmstypes.AuthTypeValuePassword, Username: awssdk.String("u"), Password: awssdk.String("p")}})
		return err
	}
	if err := modify(); code(err) != "InvalidResourceStateFault" {
		t.Errorf("in use: %v", err)
	}
	if _, err := client.StopReplicationTask(t.Context(), &dms.StopReplicationTaskInput{ReplicationTaskArn: &task}); err != nil {
		t.Fatal(err)
	}
	var status string
	for range 2 {
		out, err := client.DescribeReplicationTasks(t.Context(), &dms.DescribeReplicationTasksInput{})
		if err != nil {
			t.Fatal(err)
		}
		status += *out.ReplicationTasks[0].Status + " "
	}
	if status != "stopping stopped " {
		t.Errorf("the task went %s", status)
	}
	if err := modify(); err != nil {
		t.Error(err)
	}
	if out, err := client.DescribeEndpoints(t.Context(), &dms.DescribeEndpointsInput{}); err != nil || out.Endpoints[0].MongoDbSettings.Password != nil {
		t.Errorf("the password is shown: %v", err)
	}
}

func TestKeysLiveAtLeastADay(t *testing.T) {
	_, r, cfg := start(t)
	r.AddGraphQL("gql", nil)
	r.AddAPIKey("gql", "da2-x", nil)
	client := appsync.NewFromConfig(cfg)
	for ahead, good := range map[time.Duration]bool{time.Hour: false, 25 * time.Hour: true, 400 * 24 * time.Hour: false} {
		_, err := client.UpdateApiKey(t.Context(), &appsync.UpdateApiKeyInput{ApiId: awssdk.String("gql"), Id: awssdk.String("da2-x"), Expires: time.Now().Add(ahead).Unix()})
		if (err == nil) != good {
			t.Errorf("%s: %v", ahead, err)
		}
	}
}
