package migrate_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	"github.com/gatehouse/gatehouse/internal/posture/migrate"
	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

const region = "eu-west-1"

// world is a fake AWS with a clock that moves only when the test says so.
type world struct {
	t        *testing.T
	fake     *fakeaws.Fake
	aws      *fakeaws.Region
	sessions *sessions
	tls      *tls.Config
	dir      string

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, fake: fakeaws.New(), now: time.Now().Truncate(time.Second), dir: t.TempDir()}
	w.fake.Now = w.clock
	w.aws = w.fake.Region(fakeaws.DefaultAccount, region)
	t.Cleanup(w.fake.Close)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) config() awssdk.Config {
	return awssdk.Config{
		Region: region, BaseEndpoint: awssdk.String(w.fake.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIA"+fakeaws.DefaultAccount, "secret", ""),
	}
}

// scenario is one path of the reference: what is there, where it is to go, and
// what must be true at the end.
type scenario struct {
	name string
	seed func(w *world) migrate.Request
	// closed checks the end state, open the state after a rollback.
	closed func(t *testing.T, w *world)
	open   func(t *testing.T, w *world)
	// stays names the error of a rollback that cannot go all the way.
	stays bool
}

func (w *world) plan(req migrate.Request) (string, error) {
	req.Config, req.Now, req.TLS = w.config(), w.clock, w.tls
	p, err := migrate.Make(context.Background(), req)
	if err != nil {
		return "", err
	}
	path := filepath.Join(w.dir, fmt.Sprintf("plan-%d.yaml", w.clock().UnixNano()))
	return path, p.Save(path)
}

// attempt loads plan and record from disk, as a new process would, and runs.
func (w *world) attempt(ctx context.Context, path string, change func(*migrate.Runner), run func(*migrate.Runner) (migrate.Outcome, error)) (migrate.Outcome, error) {
	w.t.Helper()
	p, err := migrate.Load(path)
	if err != nil {
		w.t.Fatal(err)
	}
	record, err := migrate.OpenRecord(migrate.RecordPath(path))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = record.Close() }()
	r := &migrate.Runner{
		Plan: p, Record: record, Config: w.config(), Execute: true, Operator: "tester", Now: w.clock, Poll: time.Second,
		Patience: time.Hour, Confirmed: map[string]string{}, TLS: w.tls, Secret: secret,
		Sleep: func(_ context.Context, d time.Duration) error { w.pass(d); return ctx.Err() },
	}
	if w.sessions != nil {
		r.Sessions = w.sessions
	}
	if change != nil {
		change(r)
	}
	return run(r)
}

func secret(_ context.Context, name string) (string, error) {
	return "a-secret-of-20-chars-" + name, nil
}

// drive goes on until the plan is through, doing at each gate what a person
// would: move the clients, wait, say how they know.
func (w *world) drive(path string) (migrate.Outcome, error) {
	return w.driveUntil(path, "")
}

// driveUntil stops at the gate of that name.
func (w *world) driveUntil(path, gate string) (migrate.Outcome, error) {
	change := func(*migrate.Runner) {}
	const most = 40 // gates; no plan has as many
	for range most {
		out, err := w.attempt(context.Background(), path, change, func(r *migrate.Runner) (migrate.Outcome, error) { return r.Apply(context.Background()) })
		if err != nil || out.Step == "" || out.Step == gate {
			return out, err
		}
		step := out.Step
		switch out.Kind {
		case migrate.KindManual:
			change = func(r *migrate.Runner) { r.Confirmed[step] = "done" }
		case migrate.KindEvidence:
			w.pass(49 * time.Hour)
			change = func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{step: "the clients' code was read"} }
		case migrate.KindWait:
			w.pass(26 * time.Hour)
		}
	}
	return migrate.Outcome{}, fmt.Errorf("the plan never ends")
}

type sessions struct {
	mu     sync.Mutex
	logins source.Logins
}

func (s *sessions) Logins(_ context.Context, _ string, _ time.Time) (source.Logins, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins, nil
}

func scenarios() []scenario {
	return []scenario{
		{
			name: "route to JWT on an automatic stage",
			seed: func(w *world) migrate.Request {
				w.aws.AddHTTPAPI("web", nil)
				w.aws.AddRoute("web", "orders", nil)
				return migrate.Request{
					Resource: "arn:aws:apigateway:" + region + "::/apis/web/routes/orders", To: "jwt",
					Set: map[string]string{"issuer": "https://issuer.example", "audience": "orders"},
				}
			},
			closed: routeIs("web", "orders", "JWT"), open: routeIs("web", "orders", "NONE"),
		},
		{
			name: "route to IAM where stages are deployed by hand",
			seed: func(w *world) migrate.Request {
				w.aws.AddHTTPAPI("web", nil)
				w.aws.AddRoute("web", "orders", nil)
				w.aws.AddStage("web", "v1", fakeaws.Doc{"defaultRouteSettings": fakeaws.Doc{"detailedMetricsEnabled": true}})
				w.aws.Deploy("web", "v1")
				return migrate.Request{Resource: "arn:aws:apigateway:" + region + "::/apis/web/routes/orders", To: "iam"}
			},
			closed: routeIs("web", "orders", "AWS_IAM"), open: routeIs("web", "orders", "NONE"),
		},
		{
			name: "route to a Lambda authorizer",
			seed: func(w *world) migrate.Request {
				w.aws.AddHTTPAPI("web", nil)
				w.aws.AddRoute("web", "orders", nil)
				return migrate.Request{Resource: "arn:aws:apigateway:" + region + "::/apis/web/routes/orders", To: "lambda", Set: map[string]string{"lambda-uri": authorizerURI}}
			},
			closed: routeIs("web", "orders", "CUSTOM"), open: routeIs("web", "orders", "NONE"),
		},
		{
			name: "WebSocket $connect to a Lambda authorizer",
			seed: func(w *world) migrate.Request {
				w.aws.AddWebSocketAPI("chat")
				return migrate.Request{Resource: "arn:aws:apigateway:" + region + "::/apis/chat/routes/connect", To: "lambda", Set: map[string]string{"lambda-uri": authorizerURI, "identity-source": "route.request.querystring.token"}}
			},
			closed: routeIs("chat", "connect", "CUSTOM"), open: routeIs("chat", "connect", "NONE"),
		},
		{
			name: "WebSocket $connect to IAM",
			seed: func(w *world) migrate.Request {
				w.aws.AddWebSocketAPI("chat")
				return migrate.Request{Resource: "arn:aws:apigateway:" + region + "::/apis/chat/routes/connect", To: "iam"}
			},
			closed: routeIs("chat", "connect", "AWS_IAM"), open: routeIs("chat", "connect", "NONE"),
		},
		keyTo("cognito", "AMAZON_COGNITO_USER_POOLS", "userPoolConfig", map[string]string{"user-pool": "eu-west-1_people"}),
		keyTo("oidc", "OPENID_CONNECT", "openIDConnectConfig", map[string]string{"issuer": "https://issuer.example"}),
		keyTo("lambda", "AWS_LAMBDA", "lambdaAuthorizerConfig", map[string]string{"lambda-arn": "arn:aws:lambda:eu-west-1:1:function:who"}),
		{
			name: "AppSync key to IAM",
			seed: func(w *world) migrate.Request {
				w.aws.AddGraphQL("gql", fakeaws.Doc{"logConfig": fakeaws.Doc{"fieldLogLevel": "ERROR", "cloudWatchLogsRoleArn": "arn:aws:iam::1:role/log"}, "xrayEnabled": true, "introspectionConfig": "DISABLED"})
				w.aws.AddAPIKey("gql", "da2-first", nil)
				w.aws.AddTrail("audit", "trail-logs", w.clock().Add(-time.Hour), "AWS::AppSync::GraphQLApi")
				return migrate.Request{Resource: "arn:aws:appsync:" + region + ":" + fakeaws.DefaultAccount + ":apis/gql", To: "iam"}
			},
			closed: func(t *testing.T, w *world) {
				api := w.aws.Peek("graphql", "gql")
				if api["authenticationType"] != "AWS_IAM" || len(list(api["additionalAuthenticationProviders"])) != 0 {
					t.Errorf("modes: %v + %v", api["authenticationType"], api["additionalAuthenticationProviders"])
				}
				if api["logConfig"] == nil || api["xrayEnabled"] != true || api["introspectionConfig"] != "DISABLED" {
					t.Errorf("the update reset something: %v", api)
				}
				if key := w.aws.Peek("apikeys/gql", "da2-first"); key != nil {
					t.Error("the key is still there")
				}
			},
			open: func(t *testing.T, w *world) {
				api := w.aws.Peek("graphql", "gql")
				if api["authenticationType"] != "API_KEY" || api["logConfig"] == nil || api["xrayEnabled"] != true {
					t.Errorf("after the rollback: %v", api)
				}
			},
		},
		{
			name: "MSK from plaintext to IAM",
			seed: func(w *world) migrate.Request {
				arn := w.aws.AddCluster("orders", fakeaws.Doc{"encryptionInfo": fakeaws.Doc{"encryptionInTransit": fakeaws.Doc{"clientBroker": "PLAINTEXT", "inCluster": true}}})
				return migrate.Request{Resource: arn, To: "iam"}
			},
			closed: clusterIs("orders", "TLS", false, true), open: clusterIs("orders", "PLAINTEXT", true, false),
		},
		{
			name: "MSK with mutual TLS to SCRAM keeps mutual TLS",
			seed: func(w *world) migrate.Request {
				arn := w.aws.AddCluster("orders", fakeaws.Doc{
					"clientAuthentication": fakeaws.Doc{"tls": fakeaws.Doc{"enabled": true, "certificateAuthorityArnList": []any{"arn:ca"}}, "unauthenticated": fakeaws.Doc{"enabled": true}},
					"encryptionInfo":       fakeaws.Doc{"encryptionInTransit": fakeaws.Doc{"clientBroker": "TLS_PLAINTEXT", "inCluster": true}},
				})
				return migrate.Request{Resource: arn, To: "scram", Set: map[string]string{"secret-arn": "arn:aws:secretsmanager:eu-west-1:1:secret:AmazonMSK_orders"}}
			},
			closed: func(t *testing.T, w *world) {
				clusterIs("orders", "TLS", false, false)(t, w)
				p := w.aws.Peek("clusters", clusterARN("orders"))["provisioned"].(fakeaws.Doc)
				if dig(p, "clientAuthentication", "tls", "enabled") != true || dig(p, "clientAuthentication", "sasl", "scram", "enabled") != true {
					t.Errorf("authentication: %v", p["clientAuthentication"])
				}
			},
			open: clusterIs("orders", "TLS_PLAINTEXT", true, false),
		},
		{
			name: "cache to a required token (ROTATE, SET)",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "5.0.6", nil)
				w.serve("groups", "rg")
				return migrate.Request{Resource: groupARN("rg"), To: "auth"}
			},
			closed: authIs("REQ1"), stays: true,
		},
		{
			name: "old cache upgraded together with its users",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "5.0.6", nil)
				w.serve("groups", "rg")
				return migrate.Request{Resource: groupARN("rg"), To: "rbac"}
			},
			closed: authIs("RBAC"), stays: true,
		},
		{
			name: "open cache to IAM",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "7.1.0", nil)
				w.serve("groups", "rg")
				return migrate.Request{Resource: groupARN("rg"), To: "iam"}
			},
			closed: authIs("RBAC"), open: authIs("NONE"),
		},
		{
			name: "token to IAM",
			seed: func(w *world) migrate.Request {
				token, _ := secret(context.Background(), "auth-token")
				w.aws.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"_auth": "REQ1", "_tokens": []string{token}, "AuthTokenEnabled": true})
				w.serve("groups", "rg")
				return migrate.Request{Resource: groupARN("rg"), To: "iam"}
			},
			closed: authIs("RBAC"), open: authIs("REQ1"),
		},
		{
			name: "Valkey with a password group to IAM needs no placeholder",
			seed: func(w *world) migrate.Request {
				w.aws.AddUser("people", "default", fakeaws.Doc{"Engine": "valkey"})
				w.aws.AddUserGroup("staff", "people")
				w.aws.Edit("usergroups", "staff", func(d fakeaws.Doc) { d["Engine"] = "valkey" })
				w.aws.AddReplicationGroup("rg", "8.0", fakeaws.Doc{"Engine": "valkey", "UserGroupIds": []string{"staff"}, "_auth": "RBAC"})
				w.serve("groups", "rg")
				return migrate.Request{Resource: groupARN("rg"), To: "iam"}
			},
			closed: func(t *testing.T, w *world) {
				if ids := fmt.Sprint(w.aws.Peek("usergroups", "staff")["UserIds"]); ids != "[rg-app]" {
					t.Errorf("the group's users: %s", ids)
				}
			},
			open: func(t *testing.T, w *world) {
				if ids := fmt.Sprint(w.aws.Peek("usergroups", "staff")["UserIds"]); ids != "[people]" {
					t.Errorf("the group's users: %s", ids)
				}
			},
		},
		{
			name: "serverless cache to passwords",
			seed: func(w *world) migrate.Request {
				w.aws.AddServerlessCache("sc", nil)
				w.serve("serverless", "sc")
				return migrate.Request{Resource: "arn:aws:elasticache:" + region + ":" + fakeaws.DefaultAccount + ":serverlesscache:sc", To: "rbac"}
			},
			closed: func(t *testing.T, w *world) {
				if w.aws.Peek("serverless", "sc")["UserGroupId"] != "sc-users" {
					t.Error("no user group")
				}
			},
			open: func(t *testing.T, w *world) {
				if w.aws.Peek("serverless", "sc")["UserGroupId"] != nil {
					t.Error("the user group is still attached")
				}
			},
		},
		{
			name: "encryption in transit in two steps",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"TransitEncryptionEnabled": false, "TransitEncryptionMode": nil})
				return migrate.Request{Resource: groupARN("rg"), Control: "ElastiCache.5"}
			},
			closed: groupHas("TransitEncryptionMode", "required"), open: groupHas("TransitEncryptionEnabled", false),
		},
		{
			name: "failover with a replica first",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"AutomaticFailover": "disabled"})
				return migrate.Request{Resource: groupARN("rg"), Control: "ElastiCache.3"}
			},
			closed: groupHas("AutomaticFailover", "enabled"), open: groupHas("AutomaticFailover", "disabled"),
		},
		{
			name: "backups",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"SnapshotRetentionLimit": 0})
				return migrate.Request{Resource: groupARN("rg"), Control: "ElastiCache.1", Set: map[string]string{"retention": "7"}}
			},
			closed: groupHas("SnapshotRetentionLimit", 7), open: groupHas("SnapshotRetentionLimit", 0),
		},
		{
			name: "minor versions",
			seed: func(w *world) migrate.Request {
				w.aws.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"AutoMinorVersionUpgrade": false})
				return migrate.Request{Resource: groupARN("rg"), Control: "ElastiCache.2"}
			},
			closed: groupHas("AutoMinorVersionUpgrade", true), open: groupHas("AutoMinorVersionUpgrade", false),
		},
		{
			name: "DMS endpoint with a running task",
			seed: func(w *world) migrate.Request {
				arn := w.aws.AddEndpoint("mongo", nil)
				w.aws.AddTask("copy", arn, w.aws.AddEndpoint("target", fakeaws.Doc{"EngineName": "docdb"}), nil)
				return migrate.Request{Resource: arn, Set: map[string]string{"username": "dms"}}
			},
			closed: dmsIs("password", "running"), open: dmsIs("no", "running"),
		},
	}
}

const authorizerURI = "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/arn:aws:lambda:" + region + ":1:function:who/invocations"

// keyTo is the path of an AppSync API from its key to a mode with settings of
// its own, which must move with it when it becomes the primary one.
func keyTo(to, mode, settings string, set map[string]string) scenario {
	return scenario{
		name: "AppSync key to " + to,
		seed: func(w *world) migrate.Request {
			w.aws.AddGraphQL("gql", nil)
			w.aws.AddAPIKey("gql", "da2-first", nil)
			w.aws.AddTrail("audit", "trail-logs", w.clock().Add(-time.Hour), "AWS::AppSync::GraphQLApi")
			return migrate.Request{Resource: "arn:aws:appsync:" + region + ":" + fakeaws.DefaultAccount + ":apis/gql", To: to, Set: set}
		},
		closed: func(t *testing.T, w *world) {
			api := w.aws.Peek("graphql", "gql")
			if api["authenticationType"] != mode || len(list(api["additionalAuthenticationProviders"])) != 0 || api[settings] == nil {
				t.Errorf("it ends with %v", api)
			}
		},
		open: func(t *testing.T, w *world) {
			if api := w.aws.Peek("graphql", "gql"); api["authenticationType"] != "API_KEY" || len(list(api["additionalAuthenticationProviders"])) != 0 {
				t.Errorf("after the rollback: %v", api)
			}
		},
	}
}

func (w *world) serve(table, id string) {
	pool := w.aws.ServeCache(table, id)
	w.tls = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func groupARN(id string) string {
	return "arn:aws:elasticache:" + region + ":" + fakeaws.DefaultAccount + ":replicationgroup:" + id
}

func clusterARN(name string) string {
	return "arn:aws:kafka:" + region + ":" + fakeaws.DefaultAccount + ":cluster/" + name + "/0000-1"
}

func routeIs(api, route, want string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		if got := w.aws.Peek("routes/"+api, route)["authorizationType"]; got != want {
			t.Errorf("the route asks for %v, want %s", got, want)
		}
	}
}

func clusterIs(name, transport string, open, iam bool) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		p, _ := w.aws.Peek("clusters", clusterARN(name))["provisioned"].(fakeaws.Doc)
		gotOpen, _ := dig(p, "clientAuthentication", "unauthenticated", "enabled").(bool)
		gotIAM, _ := dig(p, "clientAuthentication", "sasl", "iam", "enabled").(bool)
		if dig(p, "encryptionInfo", "encryptionInTransit", "clientBroker") != transport || gotOpen != open || gotIAM != iam {
			t.Errorf("the cluster has %v and %v", p["clientAuthentication"], p["encryptionInfo"])
		}
	}
}

func authIs(want string) func(*testing.T, *world) { return groupHas("_auth", want) }

func groupHas(field string, want any) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		if got := w.aws.Peek("groups", "rg")[field]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", field, got, want)
		}
	}
}

func dmsIs(auth, task string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		arn := "arn:aws:dms:" + region + ":" + fakeaws.DefaultAccount + ":"
		if got := dig(w.aws.Peek("endpoints", arn+"endpoint:mongo"), "MongoDbSettings", "AuthType"); got != auth {
			t.Errorf("AuthType is %v, want %s", got, auth)
		}
		if got := w.aws.Peek("tasks", arn+"task:copy")["Status"]; got != task {
			t.Errorf("the task is %v, want %s", got, task)
		}
	}
}

func dig(d fakeaws.Doc, keys ...string) any {
	var v any = d
	for _, k := range keys {
		m, ok := v.(fakeaws.Doc)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func TestEveryPathEndsVerified(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			path, err := w.plan(s.seed(w))
			if err != nil {
				t.Fatal(err)
			}
			out, err := w.drive(path)
			if err != nil || out.State != migrate.Verified {
				t.Fatalf("ended %+v, %v", out, err)
			}
			s.closed(t, w)
		})
	}
}

// The process ends at every call that changes something, once before the call
// takes effect and once after it: the next run takes it up, and nothing is done
// twice.
func TestInterruptedAtEveryStepAndResumed(t *testing.T) {
	for _, s := range scenarios() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%t", s.name, after), func(t *testing.T) {
				for at := 0; ; at++ {
					if !interruptAt(t, s, at, after) {
						if at == 0 {
							t.Fatal("no call was interrupted")
						}
						return
					}
				}
			})
		}
	}
}

// interruptAt reports whether the plan has a call number at.
func interruptAt(t *testing.T, s scenario, at int, after bool) bool {
	t.Helper()
	w := newWorld(t)
	defer w.fake.Close()
	path, err := w.plan(s.seed(w))
	if err != nil {
		t.Fatal(err)
	}
	cut := false
	w.fake.Inject(fakeaws.Fault{Writes: true, Skip: at, Times: 1, After: after, Then: func() { cut = true }})
	out, err := w.drive(path)
	if cut && err == nil {
		t.Fatalf("call %d was cut off and nobody noticed", at)
	}
	if cut {
		out, err = w.drive(path)
	}
	if err != nil || out.State != migrate.Verified {
		t.Fatalf("call %d: resumed to %+v, %v", at, out, err)
	}
	s.closed(t, w)
	seen := map[string]bool{}
	for _, c := range w.fake.Writes() {
		key := c.Operation + fmt.Sprint(c.Input)
		if seen[key] && !strings.HasPrefix(c.Operation, "Test") {
			t.Errorf("call %d: %s was made twice", at, c.Operation)
		}
		seen[key] = true
	}
	return cut
}

func TestRollbackFromEveryGate(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			path, err := w.plan(s.seed(w))
			if err != nil {
				t.Fatal(err)
			}
			p, err := migrate.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			gates := []string{""}
			for _, step := range p.Steps {
				if step.Kind != migrate.KindCall && step.Kind != migrate.KindVerify {
					gates = append(gates, step.ID)
				}
			}
			for _, gate := range gates {
				rollbackFrom(t, s, gate)
			}
		})
	}
}

func rollbackFrom(t *testing.T, s scenario, gate string) {
	t.Helper()
	w := newWorld(t)
	path, err := w.plan(s.seed(w))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := w.driveUntil(path, gate); err != nil || out.Step != gate {
		t.Fatalf("did not get to %q: %+v, %v", gate, out, err)
	}
	undo := func(r *migrate.Runner) (migrate.Outcome, error) { return r.Rollback(context.Background()) }
	// cut the rollback off once on its way
	w.fake.Inject(fakeaws.Fault{Writes: true, Times: 1, After: true})
	out, err := w.attempt(context.Background(), path, nil, undo)
	w.fake.Heal()
	if err != nil && !s.stays {
		out, err = w.attempt(context.Background(), path, nil, undo)
	}
	switch {
	case s.stays:
		if err != nil && !strings.Contains(err.Error(), "cannot be taken back") && !strings.Contains(err.Error(), "EOF") {
			t.Errorf("from %q: %v", gate, err)
		}
	case err != nil || out.State != migrate.Open:
		t.Errorf("from %q: %+v, %v", gate, out, err)
	default:
		s.open(t, w)
	}
}
