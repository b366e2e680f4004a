package usage_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

const (
	region = "eu-west-1"
	window = 48 * time.Hour
)

type world struct {
	fake *fakeaws.Fake
	aws  *fakeaws.Region
	now  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fake: fakeaws.New(), now: time.Now().Truncate(time.Second)}
	w.fake.Now = func() time.Time { return w.now }
	w.fake.PageCap = 2
	w.aws = w.fake.Region(fakeaws.DefaultAccount, region)
	t.Cleanup(w.fake.Close)
	return w
}

func (w *world) read(t *testing.T, spec usage.Spec, sessions source.Sessions) usage.Reading {
	t.Helper()
	cfg := awssdk.Config{Region: region, BaseEndpoint: &w.fake.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIA"+fakeaws.DefaultAccount, "s", "")}
	meter, err := usage.New(spec, cfg, sessions)
	if err != nil {
		t.Fatal(err)
	}
	r, err := meter.Read(context.Background(), w.now.Add(-window), w.now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeyUseIsCountedExactly(t *testing.T) {
	arn := "arn:aws:appsync:" + region + ":" + fakeaws.DefaultAccount + ":apis/gql"
	spec := usage.Spec{Meter: usage.AppSyncKey, Params: map[string]string{"api_arn": arn}}
	event := func(api, mode string) string {
		return fmt.Sprintf(`{"eventSource":"appsync.amazonaws.com","eventName":"GraphQL","additionalEventData":{"authType":[%q]},"resources":[{"ARN":%q}]}`, mode, api)
	}
	t.Run("no trail", func(t *testing.T) {
		w := newWorld(t)
		if r := w.read(t, spec, nil); r.Idle(w.now.Add(-window)) || r.Caution == "" {
			t.Errorf("silence without a source counts as idle: %+v", r)
		}
	})
	t.Run("trail of something else", func(t *testing.T) {
		w := newWorld(t)
		w.aws.AddTrail("t", "logs", w.now.Add(-100*time.Hour), "AWS::S3::Object")
		if r := w.read(t, spec, nil); !r.OnSince.IsZero() {
			t.Errorf("%+v", r)
		}
	})
	t.Run("only this API and only the key", func(t *testing.T) {
		w := newWorld(t)
		w.aws.AddTrail("t", "logs", w.now.Add(-100*time.Hour), "AWS::AppSync::GraphQLApi")
		for range 5 {
			w.aws.WriteLog("logs", event(arn, "API_KEY"))
		}
		w.aws.WriteLog("logs", event(arn, "AWS_IAM"))
		w.aws.WriteLog("logs", event(arn+"-other", "API_KEY"))
		r := w.read(t, spec, nil)
		if r.Count != 5 || r.Quality != posture.QualityExact || !r.Last.Equal(w.now) {
			t.Errorf("%+v", r)
		}
		w.now = w.now.Add(49 * time.Hour)
		if r := w.read(t, spec, nil); !r.Idle(w.now.Add(-window)) {
			t.Errorf("two quiet days are not idle: %+v", r)
		}
	})
	t.Run("trail turned on within the window", func(t *testing.T) {
		w := newWorld(t)
		w.aws.AddTrail("t", "logs", w.now.Add(-time.Hour), "AWS::AppSync::GraphQLApi")
		if r := w.read(t, spec, nil); r.Idle(w.now.Add(-window)) {
			t.Errorf("an hour proves two days: %+v", r)
		}
	})
}

func TestRouteCount(t *testing.T) {
	spec := usage.Spec{Meter: usage.RouteCount, Params: map[string]string{"api": "web", "route_key": "GET /orders"}}
	w := newWorld(t)
	w.aws.AddHTTPAPI("web", nil)
	if r := w.read(t, spec, nil); !r.OnSince.IsZero() {
		t.Errorf("metrics are off, and the reading says on since %s", r.OnSince)
	}
	w.aws.AddStage("web", "$default", fakeaws.Doc{"autoDeploy": true, "defaultRouteSettings": fakeaws.Doc{"detailedMetricsEnabled": true}, "lastUpdatedDate": w.now, "createdDate": w.now.Add(-1000 * time.Hour)})
	w.now = w.now.Add(window)
	if r := w.read(t, spec, nil); !r.Idle(w.now.Add(-window)) {
		t.Errorf("%+v", r)
	}
	// a deployment updates the stage and leaves its metrics alone
	w.aws.Edit("stages/web", "$default", func(d fakeaws.Doc) { d["lastUpdatedDate"] = w.now })
	if r := w.read(t, spec, nil); !r.Idle(w.now.Add(-window)) {
		t.Errorf("a deployment restarted the window: %+v", r)
	}
	// without CloudTrail the update is the safe answer
	w.fake.Deny("cloudtrail", "LookupEvents")
	if r := w.read(t, spec, nil); r.Idle(w.now.Add(-window)) {
		t.Errorf("an unexplained update was overlooked: %+v", r)
	}
	w.aws.Measure("AWS/ApiGateway", "Count", map[string]string{"ApiId": "web", "Stage": "$default", "Method": "GET", "Resource": "/orders"}, 7)
	if r := w.read(t, spec, nil); r.Count != 7 {
		t.Errorf("%+v", r)
	}
}

func TestFlowLogs(t *testing.T) {
	w := newWorld(t)
	arn := w.aws.AddCluster("c", nil)
	w.aws.AddBroker(arn, "eni-1")
	w.aws.AddBroker(arn, "eni-2")
	w.aws.AddBroker(arn, "eni-3")
	w.aws.AddLogGroup("flows")
	spec := usage.Spec{Meter: usage.MSKFlowLogs, Params: map[string]string{"cluster_arn": arn, "log_group": "flows", "ports": "9092,9094"}}
	line := func(eni, port, action, status string) {
		w.aws.WriteLog("flows", fmt.Sprintf("2 1 %s 10.0.0.9 10.0.0.1 40000 %s 6 10 100 1 2 %s %s", eni, port, action, status))
	}
	all := func(port, action, status string) {
		for _, eni := range []string{"eni-1", "eni-2", "eni-3"} {
			line(eni, port, action, status)
		}
	}
	if r := w.read(t, spec, nil); r.Idle(w.now.Add(-window)) || r.Caution == "" {
		t.Errorf("an empty log proves silence: %+v", r)
	}
	all("9098", "ACCEPT", "OK")
	w.now = w.now.Add(window)
	line("eni-1", "9092", "REJECT", "OK")
	if r := w.read(t, spec, nil); !r.Idle(w.now.Add(-window)) {
		t.Errorf("%+v", r)
	}
	line("eni-2", "9094", "ACCEPT", "OK")
	if r := w.read(t, spec, nil); r.Count != 1 {
		t.Errorf("%+v", r)
	}
	w.now = w.now.Add(window)
	all("9098", "ACCEPT", "SKIPDATA")
	if r := w.read(t, spec, nil); r.Idle(w.now.Add(-window)) {
		t.Errorf("skipped records count as none: %+v", r)
	}
}

func TestBrokerLogs(t *testing.T) {
	w := newWorld(t)
	w.aws.AddLogGroup("broker")
	spec := usage.Spec{Meter: usage.MSKBrokerLogs, Params: map[string]string{"log_group": "broker"}}
	if r := w.read(t, spec, nil); r.Idle(w.now.Add(-window)) {
		t.Errorf("a log that shows nobody proves silence: %+v", r)
	}
	w.aws.WriteLog("broker", "Principal = User:alice is Allowed Operation = Read")
	w.now = w.now.Add(window)
	if r := w.read(t, spec, nil); !r.Idle(w.now.Add(-window)) {
		t.Errorf("%+v", r)
	}
	w.aws.WriteLog("broker", "Principal = User:ANONYMOUS is Allowed Operation = Write")
	if r := w.read(t, spec, nil); r.Count != 1 {
		t.Errorf("%+v", r)
	}
}

type counted source.Logins

func (c counted) Logins(context.Context, string, time.Time) (source.Logins, error) {
	return source.Logins(c), nil
}

func TestGatehouseSessions(t *testing.T) {
	w := newWorld(t)
	logins := counted{OnSince: w.now.Add(-100 * time.Hour), Counts: []source.LoginCount{
		{User: "default", Method: source.MethodPassword, Logins: 2, Last: w.now.Add(-time.Hour)},
		{User: "app", Method: source.MethodPassword, Logins: 50},
		{User: "app", Method: source.MethodIAM, Logins: 9},
	}}
	spec := usage.Spec{Meter: usage.GatehouseUse, Params: map[string]string{"cache": "c", "methods": "token,password", "users": "default"}}
	if r := w.read(t, spec, logins); r.Count != 2 || !r.Last.Equal(w.now.Add(-time.Hour)) {
		t.Errorf("%+v", r)
	}
	logins.Counts[0] = source.LoginCount{User: "default", Method: source.MethodPassword, Open: 1}
	if r := w.read(t, spec, logins); r.Count != 1 || r.Idle(w.now.Add(-window)) {
		t.Errorf("a session that is still open was overlooked: %+v", r)
	}
	logins.Counts = logins.Counts[1:]
	if r := w.read(t, spec, logins); !r.Idle(w.now.Add(-window)) {
		t.Errorf("%+v", r)
	}
}

func TestNothingIsSaidToBeNothing(t *testing.T) {
	w := newWorld(t)
	r := w.read(t, usage.Spec{Meter: usage.Nothing, Params: map[string]string{"reason": "why"}}, nil)
	if r.Idle(time.Time{}) || r.Quality != posture.QualityNone || r.Caution != "why" {
		t.Errorf("%+v", r)
	}
	if _, err := usage.New(usage.Spec{Meter: usage.GatehouseUse}, awssdk.Config{}, nil); err == nil {
		t.Error("Gatehouse's evidence without a Gatehouse")
	}
	if _, err := usage.New(usage.Spec{Meter: "guess"}, awssdk.Config{}, nil); err == nil {
		t.Error("an unknown meter was made")
	}
}
