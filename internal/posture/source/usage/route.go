package usage

import (
	"context"
	"fmt"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// metricPeriod is the grain of the metric: an hour is kept for 455 days.
const metricPeriod = time.Hour

// routeMeter counts the calls of one route on every stage of its API, from
// AWS/ApiGateway Count by ApiId, Stage, Method and Resource. CloudWatch has that
// series only while the stage's detailed metrics are on.
type routeMeter struct {
	cfg      awssdk.Config
	api, key string
}

func (m routeMeter) Read(ctx context.Context, from, to time.Time) (Reading, error) {
	r := Reading{
		Quality: posture.QualityProxy, Source: "AWS/ApiGateway Count of " + m.key + " in API " + m.api,
		Caution: "it counts every call of the route, with a credential or without: zero is zero, more may be callers who already send one",
	}
	out, err := apigatewayv2.NewFromConfig(m.cfg).GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: awssdk.String(m.api), MaxResults: awssdk.String("500")})
	if err != nil {
		return r, fmt.Errorf("reading the stages of API %s: %w", m.api, err)
	}
	for i, stage := range out.Items {
		since, err := m.onSince(ctx, stage, from)
		if err != nil {
			return r, err
		}
		if i == 0 || since.IsZero() || (!r.OnSince.IsZero() && since.After(r.OnSince)) {
			r.OnSince = since
		}
		if r.OnSince.IsZero() {
			r.Caution = "detailed metrics are off on stage " + awssdk.ToString(stage.StageName) + ": a missing series is not a zero"
			break
		}
	}
	if err := m.count(ctx, out.Items, from, to, &r); err != nil {
		return r, err
	}
	return r, nil
}

// onSince says since when a stage's detailed metrics have been on for the route;
// zero when they are off. The stage's last update bounds it; a later update that
// left them alone is recognised in CloudTrail.
func (m routeMeter) onSince(ctx context.Context, stage gwtypes.Stage, from time.Time) (time.Time, error) {
	on := stage.DefaultRouteSettings != nil && awssdk.ToBool(stage.DefaultRouteSettings.DetailedMetricsEnabled)
	if own, ok := stage.RouteSettings[m.key]; ok && own.DetailedMetricsEnabled != nil {
		on = *own.DetailedMetricsEnabled
	}
	updated := awssdk.ToTime(stage.LastUpdatedDate)
	switch {
	case !on:
		return time.Time{}, nil
	case !updated.After(from):
		return updated, nil
	}
	changed, err := lastEvent(ctx, m.cfg, from, "UpdateStage", m.api, "etailedMetricsEnabled")
	if err != nil {
		return updated, nil //nolint:nilerr // without CloudTrail the last update is the safe answer
	}
	if changed.IsZero() {
		if created := awssdk.ToTime(stage.CreatedDate); created.After(from) {
			return created, nil
		}
		return from, nil
	}
	return changed, nil
}

func (m routeMeter) count(ctx context.Context, stages []gwtypes.Stage, from, to time.Time, r *Reading) error {
	method, resource, found := strings.Cut(m.key, " ")
	if !found {
		method, resource = m.key, m.key // $default and WebSocket keys stand for themselves
	}
	var queries []cwtypes.MetricDataQuery
	for i, stage := range stages {
		queries = append(queries, cwtypes.MetricDataQuery{Id: awssdk.String(fmt.Sprintf("s%d", i)), MetricStat: &cwtypes.MetricStat{
			Period: awssdk.Int32(int32(metricPeriod / time.Second)), Stat: awssdk.String("Sum"),
			Metric: &cwtypes.Metric{Namespace: awssdk.String("AWS/ApiGateway"), MetricName: awssdk.String("Count"), Dimensions: []cwtypes.Dimension{
				{Name: awssdk.String("ApiId"), Value: awssdk.String(m.api)},
				{Name: awssdk.String("Stage"), Value: stage.StageName},
				{Name: awssdk.String("Method"), Value: awssdk.String(method)},
				{Name: awssdk.String("Resource"), Value: awssdk.String(resource)},
			}},
		}})
	}
	if len(queries) == 0 {
		return nil
	}
	pages := cloudwatch.NewGetMetricDataPaginator(cloudwatch.NewFromConfig(m.cfg), &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: awssdk.Time(from), EndTime: awssdk.Time(to),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading AWS/ApiGateway Count: %w", err)
		}
		for _, series := range page.MetricDataResults {
			for i, v := range series.Values {
				r.Count += int64(v)
				if at := series.Timestamps[i].Add(metricPeriod); v > 0 && at.After(r.Last) {
					r.Last = at
				}
			}
		}
	}
	if r.Last.After(to) {
		r.Last = to
	}
	return nil
}

// lastEvent returns when CloudTrail last saw an event of that name whose record
// holds all the words, or zero.
func lastEvent(ctx context.Context, cfg awssdk.Config, from time.Time, name string, words ...string) (time.Time, error) {
	pages := cloudtrail.NewLookupEventsPaginator(cloudtrail.NewFromConfig(cfg), &cloudtrail.LookupEventsInput{
		StartTime:        awssdk.Time(from),
		LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: awssdk.String(name)}},
	})
	var last time.Time
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return time.Time{}, fmt.Errorf("looking for %s in CloudTrail: %w", name, err)
		}
		for _, e := range page.Events {
			all := true
			for _, w := range words {
				all = all && strings.Contains(awssdk.ToString(e.CloudTrailEvent), w)
			}
			if at := awssdk.ToTime(e.EventTime); all && at.After(last) {
				last = at
			}
		}
	}
	return last, nil
}
