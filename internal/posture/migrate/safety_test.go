package migrate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	"github.com/gatehouse/gatehouse/internal/posture/migrate"
	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

func apply(r *migrate.Runner) (migrate.Outcome, error) { return r.Apply(context.Background()) }

func confirm(steps ...string) func(*migrate.Runner) {
	return func(r *migrate.Runner) {
		for _, s := range steps {
			r.Confirmed[s] = "done"
		}
	}
}

// route seeds the open route GET /orders with its metrics on since now.
func route(w *world) migrate.Request {
	w.aws.AddHTTPAPI("web", nil)
	w.aws.AddRoute("web", "orders", nil)
	return migrate.Request{Resource: "arn:aws:apigateway:" + region + "::/apis/web/routes/orders", To: "iam"}
}

func mustPlan(t *testing.T, w *world, req migrate.Request) string {
	t.Helper()
	path, err := w.plan(req)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDryRunChangesNothing(t *testing.T) {
	w := newWorld(t)
	path := mustPlan(t, w, route(w))
	w.fake.Forget()
	var said []string
	out, err := w.attempt(context.Background(), path, func(r *migrate.Runner) {
		r.Execute = false
		r.Report = func(s string) { said = append(said, s) }
	}, apply)
	if err != nil || out.State != migrate.Open || out.Step != "move-clients" {
		t.Fatalf("%+v, %v", out, err)
	}
	if len(w.fake.Writes()) != 0 {
		t.Errorf("a dry run called %v", w.fake.Writes())
	}
	if !strings.Contains(strings.Join(said, "\n"), "apigatewayv2:CreateRoute") {
		t.Errorf("it does not say what it would call: %q", said)
	}
	if raw, _ := os.ReadFile(migrate.RecordPath(path)); len(raw) != 0 {
		t.Errorf("a dry run is on record: %s", raw)
	}
}

func TestChangedConfigurationStopsTheRun(t *testing.T) {
	t.Run("before the first step", func(t *testing.T) {
		w := newWorld(t)
		path := mustPlan(t, w, route(w))
		w.aws.Edit("routes/web", "orders", func(d fakeaws.Doc) { d["target"] = "integrations/other" })
		w.fake.Forget()
		if _, err := w.attempt(context.Background(), path, nil, apply); !errors.Is(err, migrate.ErrChanged) {
			t.Errorf("error %v", err)
		}
		if len(w.fake.Writes()) != 0 {
			t.Errorf("it called %v", w.fake.Writes())
		}
	})
	t.Run("between steps", func(t *testing.T) {
		w := newWorld(t)
		path := mustPlan(t, w, route(w))
		if _, err := w.driveUntil(path, "drain"); err != nil {
			t.Fatal(err)
		}
		w.aws.Edit("routes/web", "orders", func(d fakeaws.Doc) { d["target"] = "integrations/other" })
		w.pass(49 * time.Hour)
		w.fake.Forget()
		if _, err := w.attempt(context.Background(), path, nil, apply); !errors.Is(err, migrate.ErrChanged) {
			t.Errorf("error %v", err)
		}
		if len(w.fake.Writes()) != 0 {
			t.Errorf("it called %v", w.fake.Writes())
		}
	})
	t.Run("before a rollback", func(t *testing.T) {
		w := newWorld(t)
		path := mustPlan(t, w, route(w))
		if _, err := w.driveUntil(path, "drain"); err != nil {
			t.Fatal(err)
		}
		w.aws.Edit("routes/web", "orders", func(d fakeaws.Doc) { d["target"] = "integrations/other" })
		_, err := w.attempt(context.Background(), path, nil, func(r *migrate.Runner) (migrate.Outcome, error) { return r.Rollback(context.Background()) })
		if !errors.Is(err, migrate.ErrChanged) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("while a call was under way", func(t *testing.T) {
		w := newWorld(t)
		path := mustPlan(t, w, route(w))
		w.fake.Inject(fakeaws.Fault{Operation: "CreateRoute", Times: 1})
		if _, err := w.attempt(context.Background(), path, nil, apply); err == nil {
			t.Fatal("the cut went unnoticed")
		}
		w.aws.Edit("routes/web", "orders", func(d fakeaws.Doc) { d["target"] = "integrations/other" })
		if _, err := w.attempt(context.Background(), path, nil, apply); !errors.Is(err, migrate.ErrChanged) {
			t.Errorf("error %v", err)
		}
	})
}

// The old route's calls keep it open; a quiet window lets it close; a call
// between the two takes the migration back.
func TestUseKeepsThePathOpen(t *testing.T) {
	w := newWorld(t)
	path := mustPlan(t, w, route(w))
	if _, err := w.driveUntil(path, "move-clients"); err != nil {
		t.Fatal(err)
	}
	use := func() {
		w.aws.Measure("AWS/ApiGateway", "Count", map[string]string{"ApiId": "web", "Stage": "$default", "Method": "GET", "Resource": "/orders"}, 3)
	}
	step := func(change func(*migrate.Runner)) migrate.Outcome {
		t.Helper()
		out, err := w.attempt(context.Background(), path, change, apply)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// metrics have been on for a moment only
	if out := step(confirm("move-clients")); out.State != migrate.Draining || !strings.Contains(out.Message, "complete at") {
		t.Fatalf("a young source was taken as proof: %+v", out)
	}
	w.pass(47 * time.Hour)
	use()
	w.pass(3 * time.Hour)
	if out := step(nil); out.State != migrate.Draining || !strings.Contains(out.Message, "used 3 time(s)") {
		t.Fatalf("use was overlooked: %+v", out)
	}
	w.pass(49 * time.Hour)
	// use reappears between the gate and the call that would close
	out, err := w.attempt(context.Background(), path, func(r *migrate.Runner) {
		r.Now = func() time.Time {
			if r.Record.State() == migrate.Idle {
				r.Now = w.clock
				use()
				w.pass(time.Second)
			}
			return w.clock()
		}
	}, apply)
	if err != nil || out.State != migrate.Draining || out.Step != "close" {
		t.Fatalf("it closed over a live caller: %+v, %v", out, err)
	}
	routeIs("web", "orders", "NONE")(t, w)
	w.pass(49 * time.Hour)
	if out := step(nil); out.State != migrate.Verified {
		t.Fatalf("ended %+v", out)
	}
}

func TestMissingSeriesIsNoZero(t *testing.T) {
	w := newWorld(t)
	req := route(w)
	path := mustPlan(t, w, req)
	if _, err := w.driveUntil(path, "drain"); err != nil {
		t.Fatal(err)
	}
	w.pass(49 * time.Hour)
	w.aws.Edit("stages/web", "$default", func(d fakeaws.Doc) { delete(d, "routeSettings") })
	out, err := w.attempt(context.Background(), path, nil, apply)
	if err != nil || out.Step != "drain" || !strings.Contains(out.Message, "not a zero") {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestWithoutEvidenceTheOperatorMustSaySo(t *testing.T) {
	w := newWorld(t)
	w.aws.AddReplicationGroup("rg", "5.0.6", nil)
	w.serve("groups", "rg")
	path := mustPlan(t, w, migrate.Request{Resource: groupARN("rg"), To: "auth"})
	if _, err := w.driveUntil(path, "move-clients"); err != nil {
		t.Fatal(err)
	}
	w.pass(100 * time.Hour)
	out, err := w.attempt(context.Background(), path, confirm("move-clients"), apply)
	if err != nil || out.Step != "drain" || !strings.Contains(out.Message, "--without-evidence") {
		t.Fatalf("it went on without a word: %+v, %v", out, err)
	}
	authIs("OPT1")(t, w)
	const reason = "all twelve services were rolled out with the token"
	out, err = w.attempt(context.Background(), path, func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"another-gate": reason} }, apply)
	if err != nil || out.Step != "drain" {
		t.Fatalf("a word about another gate let it pass: %+v, %v", out, err)
	}
	out, err = w.attempt(context.Background(), path, func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"drain": reason} }, apply)
	if err != nil || out.State != migrate.Verified {
		t.Fatalf("%+v, %v", out, err)
	}
	raw, err := os.ReadFile(migrate.RecordPath(path))
	if err != nil || !strings.Contains(string(raw), reason) || !strings.Contains(string(raw), "tester") {
		t.Errorf("the record does not keep who said what: %s", raw)
	}
}

// The operator's word does not stand in for evidence that can be had.
func TestWordIsNotEnoughWhereEvidenceExists(t *testing.T) {
	w := newWorld(t)
	path := mustPlan(t, w, route(w))
	if _, err := w.driveUntil(path, "drain"); err != nil {
		t.Fatal(err)
	}
	out, err := w.attempt(context.Background(), path, func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"drain": "trust me"} }, apply)
	if err != nil || out.Step != "drain" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestGatehouseCountsExactly(t *testing.T) {
	w := newWorld(t)
	w.aws.AddReplicationGroup("rg", "7.1.0", nil)
	w.serve("groups", "rg")
	w.sessions = &sessions{logins: source.Logins{OnSince: w.clock().Add(-100 * time.Hour), Counts: []source.LoginCount{
		{User: "default", Method: source.MethodAnonymous, Open: 1}, {User: "rg-app", Method: source.MethodIAM, Logins: 9},
	}}}
	path := mustPlan(t, w, migrate.Request{Resource: groupARN("rg"), To: "iam", Gatehouse: true})
	if _, err := w.driveUntil(path, "move-clients"); err != nil {
		t.Fatal(err)
	}
	out, err := w.attempt(context.Background(), path, confirm("move-clients"), apply)
	if err != nil || out.State != migrate.Draining || !strings.Contains(out.Message, "used 1 time(s)") {
		t.Fatalf("an open anonymous session was overlooked: %+v, %v", out, err)
	}
	w.sessions.logins.Counts[0].Open = 0
	if out, err = w.attempt(context.Background(), path, nil, apply); err != nil || out.State != migrate.Verified {
		t.Fatalf("%+v, %v", out, err)
	}
}

// Between reading the version and calling, somebody else changes the cluster:
// MSK refuses the old version, and the run does not insist.
func TestOptimisticLock(t *testing.T) {
	w := newWorld(t)
	arn := w.aws.AddCluster("orders", nil)
	path := mustPlan(t, w, migrate.Request{Resource: arn, To: "iam"})
	_, err := w.attempt(context.Background(), path, func(r *migrate.Runner) {
		r.Report = func(s string) {
			if strings.HasPrefix(s, "calling kafka:UpdateSecurity") {
				w.aws.Edit("clusters", arn, func(d fakeaws.Doc) { d["currentVersion"] = "K-somebody-else" })
			}
		}
	}, apply)
	if err == nil || !strings.Contains(err.Error(), "version") {
		t.Fatalf("error %v", err)
	}
	if out, err := w.drive(path); err != nil || out.State != migrate.Verified {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestHalfEnforcedTokenIsTakenUpWhereItIs(t *testing.T) {
	w := newWorld(t)
	token, _ := secret(context.Background(), "auth-token")
	w.aws.AddReplicationGroup("rg", "7.1.0", fakeaws.Doc{"_auth": "OPT1", "_tokens": []string{token}, "AuthTokenEnabled": true})
	w.serve("groups", "rg")
	path := mustPlan(t, w, migrate.Request{Resource: groupARN("rg"), To: "auth"})
	p, err := migrate.Load(path)
	if err != nil || p.Steps[0].ID != "move-clients" {
		t.Fatalf("it begins with %s, %v", p.Steps[0].ID, err)
	}
	if out, err := w.drive(path); err != nil || out.State != migrate.Verified {
		t.Fatalf("%+v, %v", out, err)
	}
	authIs("REQ1")(t, w)
}

func TestVerificationAsksTheService(t *testing.T) {
	w := newWorld(t)
	w.aws.AddReplicationGroup("rg", "7.1.0", nil)
	w.serve("groups", "rg")
	path := mustPlan(t, w, migrate.Request{Resource: groupARN("rg"), To: "auth"})
	if _, err := w.driveUntil(path, "drain"); err != nil {
		t.Fatal(err)
	}
	// AWS says that SET is done, and the cache still serves strangers
	w.fake.Inject(fakeaws.Fault{Operation: "ModifyReplicationGroup", Times: 1, Code: "ServiceUnavailable", Status: 503})
	_, _ = w.attempt(context.Background(), path, func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"drain": "known"} }, apply)
	w.aws.Edit("groups", "rg", func(d fakeaws.Doc) { d["_anonymous"] = true })
	out, err := w.attempt(context.Background(), path, func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"drain": "known"} }, apply)
	if err == nil || out.State != migrate.Closed || !strings.Contains(err.Error(), "PONG") {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestWhereAWSCannotThePlanIsToRebuild(t *testing.T) {
	for name, seed := range map[string]func(w *world) migrate.Request{
		"token below 5.0.6": func(w *world) migrate.Request {
			w.aws.AddReplicationGroup("rg", "4.0.10", nil)
			return migrate.Request{Resource: groupARN("rg"), To: "auth"}
		},
		"token without TLS": func(w *world) migrate.Request {
			w.aws.AddReplicationGroup("rg", "5.0.6", fakeaws.Doc{"TransitEncryptionEnabled": false})
			return migrate.Request{Resource: groupARN("rg"), To: "auth"}
		},
		"at rest": func(w *world) migrate.Request {
			w.aws.AddReplicationGroup("rg", "7.1.0", nil)
			return migrate.Request{Resource: groupARN("rg"), Control: "ElastiCache.4"}
		},
		"subnet group": func(w *world) migrate.Request {
			w.aws.AddReplicationGroup("rg", "7.1.0", nil)
			return migrate.Request{Resource: groupARN("rg"), Control: "ElastiCache.7"}
		},
		"MSK without encryption in the cluster": func(w *world) migrate.Request {
			return migrate.Request{Resource: w.aws.AddCluster("c", fakeaws.Doc{"encryptionInfo": fakeaws.Doc{"encryptionInTransit": fakeaws.Doc{"clientBroker": "TLS", "inCluster": false}}})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p, err := migrate.Load(mustPlan(t, w, seed(w)))
			if err != nil || !strings.HasPrefix(p.Steps[len(p.Steps)-1].ID, "rebuild-") || p.Why == "" {
				t.Errorf("plan %+v, %v", p, err)
			}
		})
	}
}

func TestNothingToDoIsSaid(t *testing.T) {
	w := newWorld(t)
	w.aws.AddGraphQL("strong", fakeaws.Doc{"authenticationType": "AWS_IAM"})
	_, err := w.plan(migrate.Request{Resource: "arn:aws:appsync:" + region + ":" + fakeaws.DefaultAccount + ":apis/strong"})
	if err == nil || !strings.Contains(err.Error(), "nothing to migrate") {
		t.Errorf("error %v", err)
	}
}

// Neither plan nor record ever holds a secret; an AppSync key's id is one.
func TestNoSecretIsWritten(t *testing.T) {
	for _, s := range scenarios() {
		w := newWorld(t)
		path := mustPlan(t, w, s.seed(w))
		if _, err := w.drive(path); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{path, migrate.RecordPath(path)} {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(raw), "a-secret-of-20-chars") || strings.Contains(string(raw), "da2-first") {
				t.Errorf("%s: %s holds a secret", s.name, filepath.Base(file))
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", s.name, info.Mode(), err)
			}
		}
	}
}

func TestRecordSurvivesACutOffLine(t *testing.T) {
	w := newWorld(t)
	path := mustPlan(t, w, route(w))
	if _, err := w.driveUntil(path, "drain"); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(migrate.RecordPath(path), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"what":"begin","step":"clo` + strings.Repeat("s", 5000)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := w.drive(path); err != nil || out.State != migrate.Verified {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	first, err := migrate.OpenRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.OpenRecord(path); err == nil || !strings.Contains(err.Error(), "another gatehouse") {
		t.Errorf("error %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := migrate.OpenRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
}

// A plan is data from a file: what it may call is fixed here.
func TestPlanCannotNameAnotherCall(t *testing.T) {
	w := newWorld(t)
	path := mustPlan(t, w, route(w))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(raw), "operation: CreateRoute", "operation: DeleteApi", 1)
	if bad == string(raw) {
		t.Fatal("the plan has no CreateRoute")
	}
	if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Load(path); err == nil || !strings.Contains(err.Error(), "DeleteApi") {
		t.Errorf("error %v", err)
	}
}

// Where a log could prove that the old listeners are idle, the operator has to
// say that there is none before their word about the clients counts.
func TestMSKWithoutALogIsSaidExplicitly(t *testing.T) {
	w := newWorld(t)
	arn := w.aws.AddCluster("orders", nil)
	path := mustPlan(t, w, migrate.Request{Resource: arn, To: "iam"})
	if _, err := w.driveUntil(path, "no-log"); err != nil {
		t.Fatal(err)
	}
	w.pass(100 * time.Hour)
	word := func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"drain": "every team has answered"} }
	out, err := w.attempt(context.Background(), path, word, apply)
	if err != nil || out.Step != "no-log" || !strings.Contains(out.Message, "flow-logs") {
		t.Fatalf("the word alone took it to %+v, %v", out, err)
	}
	out, err = w.attempt(context.Background(), path, func(r *migrate.Runner) { word(r); confirm("no-log")(r) }, apply)
	if err != nil || out.State != migrate.Verified {
		t.Errorf("%+v, %v", out, err)
	}
	// with a log named there is no such step, and the log decides
	logged := mustPlan(t, w, migrate.Request{Resource: w.aws.AddCluster("logged", nil), To: "iam", Set: map[string]string{"broker-logs": "brokers"}})
	p, err := migrate.Load(logged)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range p.Steps {
		if step.ID == "no-log" {
			t.Error("a plan with a log asks for the word that there is none")
		}
	}
}

// The probe of a WebSocket API opens a connection as a stranger would.
func TestVerificationAsksTheWebSocketAPI(t *testing.T) {
	w := newWorld(t)
	w.aws.AddWebSocketAPI("chat")
	path := mustPlan(t, w, migrate.Request{Resource: "arn:aws:apigateway:" + region + "::/apis/chat/routes/connect", To: "iam"})
	if _, err := w.driveUntil(path, "drain"); err != nil {
		t.Fatal(err)
	}
	w.aws.Edit("apis", "chat", func(d fakeaws.Doc) { d["_anonymous"] = true })
	out, err := w.attempt(context.Background(), path, func(r *migrate.Runner) { r.WithoutEvidence = map[string]string{"drain": "known"} }, apply)
	if err == nil || out.State != migrate.Closed || !strings.Contains(err.Error(), "101") {
		t.Errorf("%+v, %v", out, err)
	}
}
