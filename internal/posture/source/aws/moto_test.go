package aws_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
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
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	kafkatypes "github.com/aws/aws-sdk-go-v2/service/kafka/types"

	"github.com/gatehouse/gatehouse/internal/posture"
	aws "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// startMoto runs moto, an AWS that others wrote, or skips.
func startMoto(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not installed (pip install 'moto[server]'): the cross-check with an independent AWS is left out")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	command.Stdout, command.Stderr = io.Discard, io.Discard
	if err := command.Start(); err != nil {
		stop()
		t.Skipf("moto_server does not start: %v", err)
	}
	t.Cleanup(func() { stop(); _ = command.Wait() })
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if answer, err := http.Get(url + "/moto-api/"); err == nil { //nolint:noctx // loopback, bounded by the deadline
			_ = answer.Body.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond) // another program's start cannot be awaited otherwise
	}
	t.Skip("moto_server is installed and does not answer within 30 s (its packages may be missing)")
	return ""
}

// Moto is written by others from AWS's texts: that it is read the same way shows
// that this package and its own fake do not merely agree with each other.
func TestCrossCheckWithMoto(t *testing.T) {
	url := startMoto(t)
	cfg := awssdk.Config{Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", "")}
	seedMoto(t, cfg)
	o := aws.Options{Config: cfg, Regions: []string{region}, Endpoint: url, Attempts: 1, Backoff: time.Millisecond}
	found := read(t, o)
	got := verdicts(t, found)
	for key, want := range map[string]posture.Verdict{
		"APIGateway.8 web GET /open": posture.Fail, "APIGateway.8 web GET /iam": posture.Pass,
		"AppSync.5 keyed": posture.Fail, "AppSync.5 both": posture.Fail, "AppSync.5 strong": posture.Pass,
		"MSK.6 anyone": posture.Fail, "MSK.6 iam": posture.Pass, "MSK.6 absent": posture.Fail,
		"DMS.11 open": posture.Fail, "DMS.11 shut": posture.Pass,
		"ElastiCache.6 old": posture.Fail,
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	for _, p := range found.Problems {
		// what moto 5.2.1 does not serve is an ERROR here, and not an empty list
		if !strings.Contains(p.Scope, "DescribeServerlessCaches") && !strings.Contains(p.Scope, "account:") {
			t.Errorf("could not read %s: %s", p.Scope, p.Reason)
		}
	}
}

func seedMoto(t *testing.T, cfg awssdk.Config) {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("seeding moto: %v", err)
		}
	}
	gateway := apigatewayv2.NewFromConfig(cfg)
	api, err := gateway.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: awssdk.String("web"), ProtocolType: gwtypes.ProtocolTypeHttp})
	check(err)
	for name, kind := range map[string]gwtypes.AuthorizationType{"GET /open": gwtypes.AuthorizationTypeNone, "GET /iam": gwtypes.AuthorizationTypeAwsIam} {
		_, err = gateway.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: awssdk.String(name), AuthorizationType: kind})
		check(err)
	}
	graph := appsync.NewFromConfig(cfg)
	keyed := []appsynctypes.AdditionalAuthenticationProvider{{AuthenticationType: appsynctypes.AuthenticationTypeApiKey}}
	for _, in := range []appsync.CreateGraphqlApiInput{
		{Name: awssdk.String("keyed"), AuthenticationType: appsynctypes.AuthenticationTypeApiKey},
		{Name: awssdk.String("both"), AuthenticationType: appsynctypes.AuthenticationTypeAwsIam, AdditionalAuthenticationProviders: keyed},
		{Name: awssdk.String("strong"), AuthenticationType: appsynctypes.AuthenticationTypeAwsIam},
	} {
		_, err = graph.CreateGraphqlApi(ctx, &in)
		check(err)
	}
	seedMotoData(t, cfg, check)
}

func seedMotoData(t *testing.T, cfg awssdk.Config, check func(error)) {
	t.Helper()
	ctx := t.Context()
	msk := kafka.NewFromConfig(cfg)
	encrypted := &kafkatypes.EncryptionInfo{EncryptionInTransit: &kafkatypes.EncryptionInTransit{ClientBroker: kafkatypes.ClientBrokerTls, InCluster: awssdk.Bool(true)}}
	for name, auth := range map[string]*kafkatypes.ClientAuthentication{
		"anyone": {Unauthenticated: &kafkatypes.Unauthenticated{Enabled: awssdk.Bool(true)}},
		"iam":    {Sasl: &kafkatypes.Sasl{Iam: &kafkatypes.Iam{Enabled: awssdk.Bool(true)}}, Unauthenticated: &kafkatypes.Unauthenticated{Enabled: awssdk.Bool(false)}},
		"absent": nil,
	} {
		// moto 5.2.1 loses the authentication of CreateClusterV2, and keeps CreateCluster's
		_, err := msk.CreateCluster(ctx, &kafka.CreateClusterInput{
			ClusterName:         awssdk.String(name),
			BrokerNodeGroupInfo: &kafkatypes.BrokerNodeGroupInfo{ClientSubnets: []string{"subnet-1"}, InstanceType: awssdk.String("kafka.m5.large")},
			KafkaVersion:        awssdk.String("3.6.0"), NumberOfBrokerNodes: awssdk.Int32(3), ClientAuthentication: auth, EncryptionInfo: encrypted,
		})
		check(err)
	}
	migration := dms.NewFromConfig(cfg)
	for name, auth := range map[string]dmstypes.AuthTypeValue{"open": dmstypes.AuthTypeValueNo, "shut": dmstypes.AuthTypeValuePassword} {
		_, err := migration.CreateEndpoint(ctx, &dms.CreateEndpointInput{
			EndpointIdentifier: awssdk.String(name), EndpointType: dmstypes.ReplicationEndpointTypeValueSource,
			EngineName: awssdk.String("mongodb"), MongoDbSettings: &dmstypes.MongoDbSettings{AuthType: auth, ServerName: awssdk.String("mongo")},
		})
		check(err)
	}
	caches := elasticache.NewFromConfig(cfg)
	_, err := caches.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: awssdk.String("old"), ReplicationGroupDescription: awssdk.String("old"),
		Engine: awssdk.String("redis"), TransitEncryptionEnabled: awssdk.Bool(true),
	})
	check(err)
	_, err = caches.CreateCacheCluster(ctx, &elasticache.CreateCacheClusterInput{
		CacheClusterId: awssdk.String("old-001"), Engine: awssdk.String("redis"), EngineVersion: awssdk.String("5.0.6"),
		ReplicationGroupId: awssdk.String("old"), CacheNodeType: awssdk.String("cache.t3.micro"), NumCacheNodes: awssdk.Int32(1),
	})
	check(err)
}
