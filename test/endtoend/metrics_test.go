package endtoend

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

func (s *server) cloudWatch(k keys) *cloudwatch.Client {
	return cloudwatch.New(cloudwatch.Options{BaseEndpoint: aws.String(s.note.Endpoint), Region: s.note.Region, Credentials: k.provider()})
}

// sum is a metric's sum over the last minutes, -1 without a value.
func (s *server) sum(namespace, name string, dimensions ...string) (float64, error) {
	in := &cloudwatch.GetMetricStatisticsInput{
		Namespace: &namespace, MetricName: &name, Period: aws.Int32(3600), Statistics: []types.Statistic{types.StatisticSum},
		StartTime: aws.Time(time.Now().Add(-30 * time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)),
	}
	for i := 0; i < len(dimensions); i += 2 {
		in.Dimensions = append(in.Dimensions, types.Dimension{Name: &dimensions[i], Value: &dimensions[i+1]})
	}
	out, err := s.cloudWatch(s.rootKeys()).GetMetricStatistics(s.t.Context(), in)
	if err != nil || len(out.Datapoints) == 0 {
		return -1, err
	}
	return *out.Datapoints[0].Sum, nil
}

func (s *server) alarm(threshold string) {
	s.t.Helper()
	s.ok(`cloudwatch put-metric-alarm --alarm-name failures --namespace AWS/ElastiCache --metric-name AuthenticationFailures
		--dimensions Name=CacheClusterId,Value=orders-001 --statistic Sum --period 60 --evaluation-periods 1
		--threshold ` + threshold + ` --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching`)
}

func (s *server) awaitAlarm(state types.StateValue) *types.MetricAlarm {
	s.t.Helper()
	var found types.MetricAlarm
	s.await("the alarm to be "+string(state), func() error {
		out, err := s.cloudWatch(s.rootKeys()).DescribeAlarms(s.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"failures"}})
		if err != nil || len(out.MetricAlarms) != 1 {
			return fmt.Errorf("%v, %v", out, err)
		}
		if found = out.MetricAlarms[0]; found.StateValue != state {
			return fmt.Errorf("it is %s: %s", found.StateValue, *found.StateReason)
		}
		return nil
	})
	return &found
}

// A wrong password shows up as AuthenticationFailures within one collection, an
// alarm on it goes off, and both are found again after a restart.
func TestFailedLoginsAreMeasuredAndAlarm(t *testing.T) {
	needCLI(t)
	s := serve(t)
	s.createUser("reader", "reader", "on ~time* -@all +get +client|setinfo +hello", "reader-password-1")
	s.createGroup("team", "reader")
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
	s.failThrice(address)
	reader := s.redis(address, "reader", "reader-password-1")
	refusedWith(t, "NOPERM", reader.Set(t.Context(), "time", "x", 0))
	refusedWith(t, "NOPERM", reader.Get(t.Context(), "other"))
	s.alarm("0")

	alarmed := s.awaitAlarm(types.StateValueAlarm)
	if !strings.HasPrefix(*alarmed.StateReason, "Threshold Crossed: 1 datapoint [") {
		t.Errorf("the reason is %s", *alarmed.StateReason)
	}
	want := func() {
		t.Helper()
		for _, m := range []struct {
			name string
			sum  float64
		}{{"AuthenticationFailures", 3}, {"CommandAuthorizationFailures", 1}, {"KeyAuthorizationFailures", 1}, {"ChannelAuthorizationFailures", 0}, {"IamAuthenticationExpirations", 0}} {
			if got, err := s.sum("AWS/ElastiCache", m.name, "CacheNodeId", "0001", "CacheClusterId", "orders-001"); got != m.sum {
				t.Errorf("%s is %v (%v), want %v", m.name, got, err, m.sum)
			}
		}
		if got, err := s.sum("Gatehouse", "Logins", "CacheName", "orders", "Method", "password", "UserName", "reader"); got != 1 {
			t.Errorf("logins by password: %v, %v", got, err)
		}
	}
	want()
	s.byTheCLI()
	s.byBoto3()

	s.stop()
	s.start()
	want()
	if got := s.awaitAlarm(types.StateValueAlarm); !got.StateTransitionedTimestamp.Equal(*alarmed.StateTransitionedTimestamp) {
		t.Errorf("the alarm changed at %s and, after a restart, at %s", alarmed.StateTransitionedTimestamp, got.StateTransitionedTimestamp)
	}
	s.alarm("1000")
	s.awaitAlarm(types.StateValueOk)
	if out := s.ok(`cloudwatch describe-alarm-history --alarm-name failures --history-item-type StateUpdate --query AlarmHistoryItems[].HistorySummary --output text`); !strings.Contains(out, "Alarm updated from ALARM to OK") {
		t.Errorf("the history is %s", out)
	}
	s.ok(`cloudwatch delete-alarms --alarm-names failures`)
	_, err := s.cloudWatch(s.rootKeys()).DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"failures"}})
	refusedAs(t, err, "ResourceNotFound", "failures")
	_, err = s.cloudWatch(s.iamUser("alice")).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	refusedAs(t, err, "AccessDenied", "user/alice is not authorized to perform: cloudwatch:ListMetrics")
}

// failThrice sends AUTH by hand: clients that are refused try again in other ways,
// each of which counts.
func (s *server) failThrice(address string) {
	s.t.Helper()
	conn, err := tls.Dial("tcp", address, s.tls())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	replies := bufio.NewScanner(conn)
	for range 3 {
		if _, err := conn.Write([]byte("AUTH reader a-wrong-password-1\r\n")); err != nil {
			s.t.Fatal(err)
		}
		if !replies.Scan() || !strings.HasPrefix(replies.Text(), "-WRONGPASS") {
			s.t.Fatalf("AUTH: %s, %v", replies.Text(), replies.Err())
		}
	}
}

func (s *server) byTheCLI() {
	s.t.Helper()
	if out := s.ok(`cloudwatch list-metrics --namespace AWS/ElastiCache --metric-name NewConnections --query Metrics[].Dimensions[].Value --output text`); strings.Join(strings.Fields(out), " ") != "orders-001 orders-001 0001" {
		s.t.Errorf("list-metrics: %s", out)
	}
	now := time.Now().UTC()
	out := s.ok(`cloudwatch get-metric-statistics --namespace AWS/ElastiCache --metric-name AuthenticationFailures --dimensions Name=CacheClusterId,Value=orders-001
		--start-time ` + now.Add(-20*time.Minute).Format(time.RFC3339) + ` --end-time ` + now.Add(time.Minute).Format(time.RFC3339) + ` --period 3600 --statistics Sum --query Datapoints[].Sum --output text`)
	if strings.TrimSpace(out) != "3.0" {
		s.t.Errorf("get-metric-statistics: %s", out)
	}
}

const boto3Metrics = `
import boto3, datetime
now = datetime.datetime.now(datetime.timezone.utc)
c = boto3.client("cloudwatch")
r = c.get_metric_data(StartTime=now - datetime.timedelta(minutes=20), EndTime=now + datetime.timedelta(minutes=1), MetricDataQueries=[
    {"Id": "f", "MetricStat": {"Stat": "Sum", "Period": 3600, "Metric": {"Namespace": "AWS/ElastiCache", "MetricName": "AuthenticationFailures",
     "Dimensions": [{"Name": "CacheClusterId", "Value": "orders-001"}]}}}])
assert r["MetricDataResults"][0]["Values"] == [3.0], r
try:
    c.delete_alarms(AlarmNames=["nothing"])
except c.exceptions.ResourceNotFound as e:
    assert e.response["Error"]["Code"] == "ResourceNotFound", e.response
else:
    raise AssertionError("an alarm that is not there was deleted")
`

func (s *server) byBoto3() {
	s.t.Helper()
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		s.t.Log("boto3 is not installed: pip install boto3")
		return
	}
	k := s.rootKeys()
	cmd := exec.CommandContext(s.t.Context(), "python3", "-c", boto3Metrics)
	cmd.Env = append(cmd.Environ(), "AWS_ENDPOINT_URL="+s.note.Endpoint, "AWS_ACCESS_KEY_ID="+k.id, "AWS_SECRET_ACCESS_KEY="+k.secret, "AWS_DEFAULT_REGION="+s.note.Region)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Errorf("boto3: %v\n%s", err, out)
	}
}
