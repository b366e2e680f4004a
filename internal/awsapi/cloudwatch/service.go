package cloudwatch

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/meter"
	"github.com/gatehouse/gatehouse/internal/meter/alarm"
)

// API is the CloudWatch API over what the server counts.
type API struct {
	Meter  *meter.Meter
	Alarms *alarm.Alarms
	Clock  clock.Clock
	// AlarmARN is what the name of an alarm is appended to.
	AlarmARN string
}

// Service returns the API for the front door. The actions on metrics have no
// resource types (Service Authorization Reference, "Actions defined by Amazon
// CloudWatch").
func (a *API) Service() awsapi.Service {
	return awsapi.Service{
		Model:  model.CloudWatch,
		Prefix: "cloudwatch",
		Operations: []awsapi.Operation{
			awsapi.Serve("GetMetricData", a.getMetricData),
			awsapi.Serve("GetMetricStatistics", a.getMetricStatistics),
			awsapi.Serve("ListMetrics", a.listMetrics),
			awsapi.Serve("PutMetricAlarm", a.putMetricAlarm),
			awsapi.Serve("DescribeAlarms", a.describeAlarms),
			awsapi.Serve("DescribeAlarmHistory", a.describeAlarmHistory),
			awsapi.Serve("DeleteAlarms", a.deleteAlarms),
		},
		Permissions: awsapi.Permissions{
			"cloudwatch:GetMetricData":       awsapi.OnAll,
			"cloudwatch:GetMetricStatistics": awsapi.OnAll,
			"cloudwatch:ListMetrics":         awsapi.OnAll,
			"cloudwatch:PutMetricAlarm":      awsapi.On(func(in *sdk.PutMetricAlarmInput) []string { return a.arns(text(in.AlarmName)) }),
			"cloudwatch:DescribeAlarms":      awsapi.On(func(in *sdk.DescribeAlarmsInput) []string { return a.arns(in.AlarmNames...) }),
			"cloudwatch:DescribeAlarmHistory": awsapi.On(func(in *sdk.DescribeAlarmHistoryInput) []string {
				return a.arns(text(in.AlarmName))
			}),
			"cloudwatch:DeleteAlarms": awsapi.On(func(in *sdk.DeleteAlarmsInput) []string { return a.arns(in.AlarmNames...) }),
		},
	}
}

// arns are those of alarms; none named is all of them.
func (a *API) arns(names ...string) []string {
	var arns []string
	for _, name := range names {
		if name != "" {
			arns = append(arns, a.AlarmARN+name)
		}
	}
	if len(arns) == 0 {
		arns = []string{a.AlarmARN + "*"}
	}
	return arns
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// optional is a text that is left out of an answer when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func invalid(format string, args ...any) error {
	return identity.Errorf(identity.InvalidParameterValue, format, args...)
}

func fault(code string, status int, format string, args ...any) error {
	return &awsapi.Fault{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// seriesOf is the series that a request names. One name cannot have two values.
func seriesOf(namespace, name *string, dimensions []types.Dimension) (meter.Series, error) {
	var pairs []string
	seen := map[string]bool{}
	for _, d := range dimensions {
		if seen[text(d.Name)] {
			return meter.Series{}, invalid("The dimension %s is given more than once.", text(d.Name))
		}
		seen[text(d.Name)] = true
		pairs = append(pairs, text(d.Name), text(d.Value))
	}
	return meter.Make(text(namespace), text(name), pairs...), nil
}

func show(dimensions []meter.Dimension) []types.Dimension {
	shown := make([]types.Dimension, len(dimensions))
	for i, d := range dimensions {
		shown[i] = types.Dimension{Name: &d.Name, Value: &d.Value}
	}
	return shown
}

// readPeriod reads a period in seconds.
func readPeriod(seconds *int32) (time.Duration, error) {
	if seconds == nil || *seconds < 60 || *seconds%60 != 0 || *seconds > 86400 {
		return 0, invalid("The parameter Period must be a multiple of 60 up to 86400: metrics are kept at one minute.")
	}
	return time.Duration(*seconds) * time.Second, nil
}

func checkRange(from, to *time.Time) error {
	if from != nil && to != nil && !from.Before(*to) {
		return invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	return nil
}

// statistic is one of CloudWatch's statistics of a period.
func statistic(name string, b *meter.Bucket) (float64, bool) {
	switch types.Statistic(name) {
	case types.StatisticSampleCount:
		return b.Samples, true
	case types.StatisticAverage:
		return b.Sum / b.Samples, true
	case types.StatisticSum:
		return b.Sum, true
	case types.StatisticMinimum:
		return b.Min, true
	case types.StatisticMaximum:
		return b.Max, true
	}
	return 0, false
}

func knownStatistic(name string) bool {
	_, known := statistic(name, &meter.Bucket{Samples: 1})
	return known
}

// countable reports whether a unit selects anything: all values are counts.
func countable(unit types.StandardUnit) bool { return unit == "" || unit == types.StandardUnitCount }

// token and position write and read what continues an answer: what it is of, and
// the last entry before.
func token(listing, after string) *string {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(listing + "/" + after))
	return &encoded
}

func position(listing string, token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(*token)
	after, ok := strings.CutPrefix(string(decoded), listing+"/")
	if err != nil || !ok {
		return "", fault("InvalidNextToken", http.StatusBadRequest, "The NextToken is not one of an earlier answer to the same operation.")
	}
	return after, nil
}
