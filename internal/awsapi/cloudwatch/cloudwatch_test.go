package cloudwatch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/cloudwatch"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/meter"
	"github.com/gatehouse/gatehouse/internal/meter/alarm"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// front knows one key, allows everything and listens.
type front struct{ asked []awsapi.Access }

func (f *front) Find(context.Context, string, string) (identity.Secret, awsapi.Caller, error) {
	return identity.NewSecret(secret), awsapi.Caller{ARN: "arn:aws:iam::000000000000:root", Root: true}, nil
}

func (f *front) Authorize(_ context.Context, access awsapi.Access) error {
	f.asked = append(f.asked, access)
	return nil
}

func (f *front) Called(context.Context, awsapi.Call) {}

type harness struct {
	*testing.T
	front    front
	clock    *clock.Fake
	start    time.Time // of the first minute
	failures float64
	meter    *meter.Meter
	url      string
	client   *sdk.Client
}

var failures = meter.Make("AWS/ElastiCache", "AuthenticationFailures", "CacheClusterId", "orders-001")

// begin serves the API over a meter that has seen 3, 0 and 2 failures, a minute
// each. The clock shows the real time then, because the SDK signs by that.
func begin(t *testing.T) *harness {
	t.Helper()
	h := &harness{T: t, start: time.Now().UTC().Truncate(time.Minute).Add(-3 * time.Minute)}
	h.clock = clock.NewFake(h.start)
	log := slog.New(slog.DiscardHandler)
	var alarms *alarm.Alarms
	var err error
	h.meter, err = meter.Open(meter.Config{Dir: t.TempDir(), Clock: h.clock, Log: log, Collected: func() { alarms.Evaluate() }, Collect: func(context.Context) []meter.Reading {
		return []meter.Reading{
			{Source: "g", Fresh: true, Series: failures, Value: h.failures},
			{Source: "g", Gauge: true, Series: meter.Make("AWS/ElastiCache", "CurrConnections", "CacheClusterId", "orders-001"), Value: 4},
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	alarms, err = alarm.Open(alarm.Config{Path: filepath.Join(t.TempDir(), "alarms.json"), Source: h.meter, Clock: h.clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	api := &cloudwatch.API{Meter: h.meter, Alarms: alarms, Clock: h.clock, AlarmARN: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"}
	door, err := awsapi.New(awsapi.Config{
		Region: "us-east-1", Clock: h.clock, Credentials: &h.front, Authorizer: &h.front, Observer: &h.front, Log: log, Services: []awsapi.Service{api.Service()},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	h.url = server.URL
	h.client = sdk.New(sdk.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
	})
	for _, n := range []float64{3, 0, 2} {
		h.minute(n)
	}
	return h
}

// minute lets one pass with so many failures.
func (h *harness) minute(n float64) {
	h.failures += n
	h.clock.Advance(time.Minute)
	h.meter.Collect(h.Context())
}

func (h *harness) refused(err error, code, message string) {
	h.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), message) {
		h.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func dimensions() []types.Dimension {
	return []types.Dimension{{Name: aws.String("CacheClusterId"), Value: aws.String("orders-001")}}
}

func (h *harness) data(change func(*sdk.GetMetricDataInput)) (*sdk.GetMetricDataOutput, error) {
	in := &sdk.GetMetricDataInput{StartTime: &h.start, EndTime: aws.Time(h.start.Add(10 * time.Minute)), ScanBy: types.ScanByTimestampAscending}
	for _, id := range []string{"a", "b"} {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
			Stat: aws.String("Sum"), Period: aws.Int32(60),
			Metric: &types.Metric{Namespace: aws.String("AWS/ElastiCache"), MetricName: aws.String("AuthenticationFailures"), Dimensions: dimensions()},
		}})
	}
	if change != nil {
		change(in)
	}
	return h.client.GetMetricData(h.Context(), in)
}

func TestMetricData(t *testing.T) {
	h := begin(t)
	out, err := h.data(nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := out.MetricDataResults; len(r) != 2 || len(r[0].Values) != 3 || r[0].Values[0] != 3 || r[0].Values[2] != 2 ||
		!r[0].Timestamps[0].Equal(h.start) || r[0].StatusCode != types.StatusCodeComplete || *r[0].Label != "orders-001 AuthenticationFailures" {
		t.Errorf("got %+v", r)
	}
	var pages []float64 // of two values each
	var next *string
	for {
		out, err := h.data(func(in *sdk.GetMetricDataInput) { in.MaxDatapoints, in.NextToken = aws.Int32(2), next })
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.MetricDataResults {
			pages = append(pages, r.Values...)
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	if want := []float64{3, 0, 2, 3, 0, 2}; !equal(pages, want) {
		t.Errorf("in pages: %v, want %v", pages, want)
	}
	for message, change := range map[string]func(*sdk.GetMetricDataInput){
		"must be less than":         func(in *sdk.GetMetricDataInput) { in.EndTime = in.StartTime },
		"Metric math":               func(in *sdk.GetMetricDataInput) { in.MetricDataQueries[0].Expression = aws.String("SUM(METRICS())") },
		"duplicate id":              func(in *sdk.GetMetricDataInput) { in.MetricDataQueries[0].Id = aws.String("b") },
		"begin with a lower-case":   func(in *sdk.GetMetricDataInput) { in.MetricDataQueries[0].Id = aws.String("B") },
		"multiple of 60":            func(in *sdk.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Period = aws.Int32(90) },
		"SampleCount, Average, Sum": func(in *sdk.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Stat = aws.String("p99") },
	} {
		_, err := h.data(change)
		h.refused(err, "InvalidParameterValue", message)
	}
	_, err = h.data(func(in *sdk.GetMetricDataInput) { in.NextToken = aws.String("AAAA") })
	h.refused(err, "InvalidNextToken", "NextToken")
}

func equal(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestMetricStatistics(t *testing.T) {
	h := begin(t)
	in := &sdk.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/ElastiCache"), MetricName: aws.String("AuthenticationFailures"), Dimensions: dimensions(),
		StartTime: &h.start, EndTime: aws.Time(h.start.Add(5 * time.Minute)), Period: aws.Int32(300),
		Statistics: []types.Statistic{"Sum", "Average", "Minimum", "Maximum", "SampleCount"},
	}
	out, err := h.client.GetMetricStatistics(t.Context(), in)
	if err != nil || len(out.Datapoints) != 1 {
		t.Fatalf("%v, %+v", err, out)
	}
	if d := out.Datapoints[0]; *d.Sum != 5 || *d.Maximum != 3 || *d.Minimum != 0 || *d.SampleCount != 3 || *d.Average != 5.0/3 || !d.Timestamp.Equal(h.start) || d.Unit != types.StandardUnitCount {
		t.Errorf("got %+v", d)
	}
	in.StartTime, in.Period = aws.Time(h.start.Add(-48*time.Hour)), aws.Int32(60)
	_, err = h.client.GetMetricStatistics(t.Context(), in)
	h.refused(err, "InvalidParameterCombination", "You have requested up to 2885 datapoints, which exceeds the limit of 1,440")
	in.Statistics = nil
	_, err = h.client.GetMetricStatistics(t.Context(), in)
	h.refused(err, "MissingParameter", "Statistics")
}

func TestListMetrics(t *testing.T) {
	h := begin(t)
	for want, in := range map[int]*sdk.ListMetricsInput{
		2: {Namespace: aws.String("AWS/ElastiCache"), Dimensions: []types.DimensionFilter{{Name: aws.String("CacheClusterId")}}},
		1: {MetricName: aws.String("CurrConnections"), RecentlyActive: types.RecentlyActivePt3h},
		0: {Dimensions: []types.DimensionFilter{{Name: aws.String("CacheClusterId"), Value: aws.String("other")}}},
	} {
		out, err := h.client.ListMetrics(t.Context(), in)
		if err != nil || len(out.Metrics) != want {
			t.Errorf("%+v: %v, %+v", in, err, out)
		}
	}
	if access := h.front.asked[0]; access.Action != "cloudwatch:ListMetrics" {
		t.Errorf("asked for %s", access.Action)
	}
}

func (h *harness) alarm(change func(*sdk.PutMetricAlarmInput)) error {
	in := &sdk.PutMetricAlarmInput{
		AlarmName: aws.String("failures"), Namespace: aws.String("AWS/ElastiCache"), MetricName: aws.String("AuthenticationFailures"), Dimensions: dimensions(),
		Statistic: types.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, AlarmActions: []string{"arn:aws:sns:us-east-1:000000000000:nobody"},
	}
	if change != nil {
		change(in)
	}
	_, err := h.client.PutMetricAlarm(h.Context(), in)
	return err
}

func (h *harness) state() types.StateValue {
	h.Helper()
	out, err := h.client.DescribeAlarms(h.Context(), &sdk.DescribeAlarmsInput{AlarmNamePrefix: aws.String("fail")})
	if err != nil || len(out.MetricAlarms) != 1 || *out.MetricAlarms[0].AlarmArn != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:failures" || len(out.MetricAlarms[0].AlarmActions) != 1 {
		h.Fatalf("%v, %+v", err, out)
	}
	return out.MetricAlarms[0].StateValue
}

func TestAnAlarmGoesOffAndComesBack(t *testing.T) {
	h := begin(t)
	if err := h.alarm(nil); err != nil {
		t.Fatal(err)
	}
	states := []types.StateValue{h.state()}
	for _, n := range []float64{0, 1, 0, 0} {
		h.minute(n)
		states = append(states, h.state())
	}
	if want := []types.StateValue{"INSUFFICIENT_DATA", "OK", "ALARM", "OK", "OK"}; !same(states, want) {
		t.Errorf("states %v, want %v", states, want)
	}
	history, err := h.client.DescribeAlarmHistory(t.Context(), &sdk.DescribeAlarmHistoryInput{AlarmName: aws.String("failures"), MaxRecords: aws.Int32(3)})
	if err != nil || len(history.AlarmHistoryItems) != 3 || *history.AlarmHistoryItems[0].HistorySummary != "Alarm updated from ALARM to OK" || history.NextToken == nil {
		t.Errorf("%v, %+v", err, history)
	}
	_, err = h.client.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"failures", "other"}})
	var missing *types.ResourceNotFound
	if !errors.As(err, &missing) {
		t.Errorf("got %v, want ResourceNotFound", err)
	}
	if _, err := h.client.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"failures"}}); err != nil {
		t.Error(err)
	}
}

func same(a, b []types.StateValue) bool {
	for i := range b {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestAlarmsThatCannotBeEvaluated(t *testing.T) {
	h := begin(t)
	for message, change := range map[string]func(*sdk.PutMetricAlarmInput){
		"ExtendedStatistic is not supported": func(in *sdk.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("p99") },
		"TreatMissingData":                   func(in *sdk.PutMetricAlarmInput) { in.TreatMissingData = aws.String("never") },
		"anomaly detection": func(in *sdk.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorLessThanLowerThreshold
		},
		"DatapointsToAlarm":                  func(in *sdk.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) },
		"cannot be checked across more than": func(in *sdk.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2000) },
		"more than once":                     func(in *sdk.PutMetricAlarmInput) { in.Dimensions = append(in.Dimensions, in.Dimensions...) },
		"Unit must be Count":                 func(in *sdk.PutMetricAlarmInput) { in.Unit = types.StandardUnitBytes },
	} {
		h.refused(h.alarm(change), "InvalidParameterValue", message)
	}
	h.refused(h.alarm(func(in *sdk.PutMetricAlarmInput) { in.Threshold = nil }), "MissingParameter", "Threshold")
}

// call sends a signed request that no current SDK of Go sends.
func (h *harness) call(contentType, target, body string) (int, http.Header, string) {
	h.Helper()
	request, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.url+"/", bytes.NewReader([]byte(body)))
	if err != nil {
		h.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	sum := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(h.Context(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, request, hex.EncodeToString(sum[:]), "monitoring", "us-east-1", time.Now())
	if err != nil {
		h.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func TestTheOtherProtocols(t *testing.T) {
	h := begin(t)
	const form, json10, target = "application/x-www-form-urlencoded", "application/x-amz-json-1.0", "GraniteServiceVersion20100801."
	for _, c := range []struct {
		kind, target, body string
		status             int
		want               string
	}{
		{form, "", "Action=ListMetrics&Version=2010-08-01&MetricName=CurrConnections", 200, "<ListMetricsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><ListMetricsResult><Metrics><member><Namespace>AWS/ElastiCache</Namespace><MetricName>CurrConnections</MetricName><Dimensions><member><Name>CacheClusterId</Name><Value>orders-001</Value></member></Dimensions></member></Metrics></ListMetricsResult>"},
		{form, "", "Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=other", 404, "<Code>ResourceNotFound</Code>"},
		{json10, target + "ListMetrics", `{"MetricName":"CurrConnections"}`, 200, `{"Metrics":[{"Dimensions":[{"Name":"CacheClusterId","Value":"orders-001"}],"MetricName":"CurrConnections","Namespace":"AWS/ElastiCache"}]}`},
		{json10, target + "DeleteAlarms", `{"AlarmNames":["other"]}`, 404, `"__type":"ResourceNotFound"`},
		{json10, target + "GetMetricStatistics", `{}`, 400, `"__type":"MissingRequiredParameterException"`},
		{json10, target + "ListMetrics", `{"Metricname":"x"}`, 400, `"__type":"SerializationException"`},
		{json10, target + "PutDashboard", `{}`, 400, `"__type":"UnknownOperationException"`},
		{json10, "Other.ListMetrics", `{}`, 400, `"__type":"UnknownOperationException"`},
		{"text/plain", target + "ListMetrics", `{}`, 400, `"__type":"SerializationException"`},
	} {
		status, header, body := h.call(c.kind, c.target, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s%s: %d %s\nwant %d %s", c.target, c.body, status, body, c.status, c.want)
		}
		if got := header.Get("X-Amzn-Query-Error"); strings.HasSuffix(c.target, "DeleteAlarms") && got != "ResourceNotFound;Sender" {
			t.Errorf("X-Amzn-Query-Error: %s", got)
		}
	}
}
