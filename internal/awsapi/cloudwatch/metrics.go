package cloudwatch

import (
	"context"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/meter"
)

const (
	// maxStatistics is how many periods GetMetricStatistics returns (CloudWatch
	// API Reference, GetMetricStatistics).
	maxStatistics = 1440
	// listPage is how many metrics ListMetrics returns at once.
	listPage = 500
	// recently is what "recently active" means in ListMetrics.
	recently = 3 * time.Hour
)

func (a *API) getMetricStatistics(_ context.Context, in *sdk.GetMetricStatisticsInput) (*sdk.GetMetricStatisticsOutput, error) {
	if len(in.ExtendedStatistics) > 0 {
		return nil, invalid("ExtendedStatistics are not supported; use Statistics.")
	}
	if len(in.Statistics) == 0 {
		return nil, identity.Errorf(identity.MissingParameter, "The parameter Statistics or ExtendedStatistics is required.")
	}
	if err := checkRange(in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	period, err := readPeriod(in.Period)
	if err != nil {
		return nil, err
	}
	from := in.StartTime.UTC().Truncate(time.Minute)
	if asked := (in.EndTime.Sub(from) + period - 1) / period; asked > maxStatistics {
		return nil, identity.Errorf(identity.InvalidParameterCombination,
			"You have requested up to %d datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", asked)
	}
	series, err := seriesOf(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	if !countable(in.Unit) {
		return out, nil
	}
	for _, b := range a.Meter.Statistics(series, from, *in.EndTime, period) {
		out.Datapoints = append(out.Datapoints, datapoint(&b, in.Statistics))
	}
	return out, nil
}

func datapoint(b *meter.Bucket, statistics []types.Statistic) types.Datapoint {
	start := b.Start
	d := types.Datapoint{Timestamp: &start, Unit: types.StandardUnitCount}
	for _, name := range statistics {
		value, _ := statistic(string(name), b) // the model's check knows the names
		switch name {
		case types.StatisticSampleCount:
			d.SampleCount = &value
		case types.StatisticAverage:
			d.Average = &value
		case types.StatisticSum:
			d.Sum = &value
		case types.StatisticMinimum:
			d.Minimum = &value
		case types.StatisticMaximum:
			d.Maximum = &value
		}
	}
	return d
}

func (a *API) listMetrics(_ context.Context, in *sdk.ListMetricsInput) (*sdk.ListMetricsOutput, error) {
	if in.OwningAccount != nil || in.IncludeLinkedAccounts != nil && *in.IncludeLinkedAccounts {
		return nil, invalid("There are no linked accounts.")
	}
	after, err := position("ListMetrics", in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListMetricsOutput{Metrics: []types.Metric{}}
	last := ""
	for _, listed := range a.Meter.List() {
		name := listed.Series.Key()
		if name <= after && after != "" || !a.matches(in, &listed) {
			continue
		}
		if len(out.Metrics) == listPage {
			out.NextToken = token("ListMetrics", last)
			break
		}
		last = name
		s := listed.Series
		out.Metrics = append(out.Metrics, types.Metric{Namespace: &s.Namespace, MetricName: &s.Name, Dimensions: show(s.Dimensions)})
	}
	return out, nil
}

func (a *API) matches(in *sdk.ListMetricsInput, listed *meter.Listed) bool {
	s := &listed.Series
	switch {
	case in.Namespace != nil && *in.Namespace != s.Namespace,
		in.MetricName != nil && *in.MetricName != s.Name,
		in.RecentlyActive != "" && a.Clock.Now().Sub(listed.Last) > recently:
		return false
	}
	for _, want := range in.Dimensions {
		if !slices.ContainsFunc(s.Dimensions, func(d meter.Dimension) bool {
			return d.Name == text(want.Name) && (want.Value == nil || *want.Value == d.Value)
		}) {
			return false
		}
	}
	return true
}

// label is what a result is called when its query does not say: what tells the
// queries apart, which is their dimensions' values and the name.
func label(series *meter.Series) string {
	var parts []string
	for _, d := range series.Dimensions {
		parts = append(parts, d.Value)
	}
	return strings.Join(append(parts, series.Name), " ")
}
