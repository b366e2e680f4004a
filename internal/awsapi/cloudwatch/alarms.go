package cloudwatch

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/meter/alarm"
)

const (
	// maxWatched bounds how far an alarm looks back (CloudWatch API Reference,
	// PutMetricAlarm: a day; alarms with periods of an hour and more, a week).
	maxWatched = 24 * time.Hour
	// alarmPage is how many alarms and items are returned unless a request says.
	alarmPage = 50
	// maxDelete is how many alarms one request may delete.
	maxDelete = 100
)

func (a *API) putMetricAlarm(_ context.Context, in *sdk.PutMetricAlarmInput) (*sdk.PutMetricAlarmOutput, error) {
	d, err := readAlarm(in)
	if err != nil {
		return nil, err
	}
	err = a.Alarms.Put(*d)
	if errors.Is(err, alarm.ErrTooMany) {
		return nil, fault("LimitExceeded", http.StatusBadRequest, "The maximum limit of %d alarms exceeded.", alarm.MaxAlarms)
	}
	return &sdk.PutMetricAlarmOutput{}, err
}

// readAlarm reads a request's alarm and refuses what cannot be evaluated.
func readAlarm(in *sdk.PutMetricAlarmInput) (*alarm.Definition, error) {
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	period, err := readPeriod(in.Period)
	if err != nil {
		return nil, err
	}
	watched := maxWatched
	if period >= time.Hour {
		watched = 7 * maxWatched
	}
	if time.Duration(*in.EvaluationPeriods) > watched/period {
		return nil, invalid("Metrics cannot be checked across more than %s: EvaluationPeriods * Period is too long.", watched)
	}
	series, err := seriesOf(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	d := &alarm.Definition{
		Name: *in.AlarmName, Description: in.AlarmDescription, Series: series, Statistic: string(in.Statistic), Unit: string(in.Unit),
		Period: int(*in.Period), EvaluationPeriods: int(*in.EvaluationPeriods),
		Comparison: string(in.ComparisonOperator), Threshold: *in.Threshold, TreatMissing: text(in.TreatMissingData),
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		OKActions:      in.OKActions, AlarmActions: in.AlarmActions, InsufficientActions: in.InsufficientDataActions,
	}
	if in.DatapointsToAlarm != nil {
		d.DatapointsToAlarm = int(*in.DatapointsToAlarm)
	}
	return d, nil
}

func checkAlarm(in *sdk.PutMetricAlarmInput) error {
	for _, unsupported := range []struct {
		given bool
		name  string
	}{
		{len(in.Metrics) > 0, "Metrics"},
		{in.ExtendedStatistic != nil, "ExtendedStatistic"},
		{in.ThresholdMetricId != nil, "ThresholdMetricId"},
		{in.EvaluateLowSampleCountPercentile != nil, "EvaluateLowSampleCountPercentile"},
		{len(in.Tags) > 0, "Tags"},
	} {
		if unsupported.given {
			return invalid("The parameter %s is not supported: an alarm watches one metric by one of the plain statistics.", unsupported.name)
		}
	}
	for _, required := range []struct {
		given bool
		name  string
	}{
		{in.Namespace != nil, "Namespace"},
		{in.MetricName != nil, "MetricName"},
		{in.Statistic != "", "Statistic"},
		{in.Period != nil, "Period"},
		{in.EvaluationPeriods != nil, "EvaluationPeriods"},
		{in.Threshold != nil, "Threshold"},
		{in.ComparisonOperator != "", "ComparisonOperator"},
	} {
		if !required.given {
			return identity.Errorf(identity.MissingParameter, "The parameter %s is required for an alarm on a metric.", required.name)
		}
	}
	missing := []string{"", "missing", "ignore", "breaching", "notBreaching"}
	switch {
	case !alarm.Compares(string(in.ComparisonOperator)):
		return invalid("The ComparisonOperator %s is for anomaly detection, which is not supported.", in.ComparisonOperator)
	case !slices.Contains(missing, text(in.TreatMissingData)):
		return invalid("The parameter TreatMissingData must be one of missing, ignore, breaching, notBreaching.")
	case !countable(in.Unit):
		return invalid("The Unit must be Count: nothing is measured in %s.", in.Unit)
	case math.IsNaN(*in.Threshold) || math.IsInf(*in.Threshold, 0):
		return invalid("The parameter Threshold must be a finite number.")
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > *in.EvaluationPeriods):
		return invalid("The parameter DatapointsToAlarm must be between 1 and EvaluationPeriods.")
	}
	return nil
}

func (a *API) deleteAlarms(_ context.Context, in *sdk.DeleteAlarmsInput) (*sdk.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) > maxDelete {
		return nil, invalid("Not more than %d alarms can be deleted at once.", maxDelete)
	}
	missing, err := a.Alarms.Delete(in.AlarmNames)
	if err == nil && len(missing) > 0 {
		err = fault("ResourceNotFound", http.StatusNotFound, "Alarm(s) not found: %s", strings.Join(missing, ", "))
	}
	return &sdk.DeleteAlarmsOutput{}, err
}

func (a *API) describeAlarms(_ context.Context, in *sdk.DescribeAlarmsInput) (*sdk.DescribeAlarmsOutput, error) {
	if in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil {
		return nil, invalid("There are no composite alarms.")
	}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, identity.Errorf(identity.InvalidParameterCombination, "AlarmNames and AlarmNamePrefix cannot be given together.")
	}
	after, err := position("DescribeAlarms", in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := alarmPage
	if in.MaxRecords != nil {
		limit = int(*in.MaxRecords)
	}
	out := &sdk.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	for _, s := range a.Alarms.List() {
		if s.Name <= after && after != "" || !wanted(in, &s) {
			continue
		}
		if len(out.MetricAlarms) == limit {
			out.NextToken = token("DescribeAlarms", *out.MetricAlarms[limit-1].AlarmName)
			break
		}
		out.MetricAlarms = append(out.MetricAlarms, a.showAlarm(&s))
	}
	return out, nil
}

func wanted(in *sdk.DescribeAlarmsInput, s *alarm.Status) bool {
	anyAction := func(actions []string) bool {
		return slices.ContainsFunc(actions, func(arn string) bool { return strings.HasPrefix(arn, *in.ActionPrefix) })
	}
	switch {
	case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, s.Name),
		in.AlarmNamePrefix != nil && !strings.HasPrefix(s.Name, *in.AlarmNamePrefix),
		len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm),
		in.StateValue != "" && string(in.StateValue) != string(s.State),
		in.ActionPrefix != nil && !anyAction(slices.Concat(s.OKActions, s.AlarmActions, s.InsufficientActions)):
		return false
	}
	return true
}

func (a *API) showAlarm(s *alarm.Status) types.MetricAlarm {
	arn, period, periods := a.AlarmARN+s.Name, int32(s.Period), int32(s.EvaluationPeriods)
	shown := types.MetricAlarm{
		AlarmName: &s.Name, AlarmArn: &arn, AlarmDescription: s.Description, AlarmConfigurationUpdatedTimestamp: &s.Configured,
		ActionsEnabled: &s.ActionsEnabled, OKActions: list(s.OKActions), AlarmActions: list(s.AlarmActions), InsufficientDataActions: list(s.InsufficientActions),
		StateValue: types.StateValue(s.State), StateReason: &s.Reason, StateUpdatedTimestamp: &s.Updated, StateTransitionedTimestamp: &s.Transitioned,
		Namespace: &s.Series.Namespace, MetricName: &s.Series.Name, Dimensions: show(s.Series.Dimensions),
		Statistic: types.Statistic(s.Statistic), Unit: types.StandardUnit(s.Unit), Period: &period, EvaluationPeriods: &periods,
		Threshold: &s.Threshold, ComparisonOperator: types.ComparisonOperator(s.Comparison), TreatMissingData: optional(s.TreatMissing),
	}
	if s.DatapointsToAlarm > 0 {
		needed := int32(s.DatapointsToAlarm)
		shown.DatapointsToAlarm = &needed
	}
	return shown
}

// list is a list that is there, also when it is empty.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
