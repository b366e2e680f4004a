package cloudwatch

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/gatehouse/gatehouse/internal/meter"
)

// Limits of GetMetricData (CloudWatch API Reference).
const (
	maxQueries    = 500
	maxDatapoints = 100_800
)

// query is a query that was understood.
type query struct {
	id, label, stat string
	series          meter.Series
	period          time.Duration
	unit            types.StandardUnit
	shown           bool
}

func (a *API) getMetricData(_ context.Context, in *sdk.GetMetricDataInput) (*sdk.GetMetricDataOutput, error) {
	if err := checkRange(in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	queries, err := readQueries(in.MetricDataQueries)
	if err != nil {
		return nil, err
	}
	room := maxDatapoints
	if in.MaxDatapoints != nil {
		room = int(*in.MaxDatapoints)
	}
	if room < 1 || room > maxDatapoints {
		return nil, invalid("The parameter MaxDatapoints must be between 1 and %d.", maxDatapoints)
	}
	first, skip, err := readPlace(in.NextToken, len(queries))
	if err != nil {
		return nil, err
	}
	out := &sdk.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}, Messages: []types.MessageData{}}
	for i, q := range queries[first:] {
		if !q.shown {
			continue
		}
		if room == 0 {
			out.NextToken = place(first+i, 0)
			break
		}
		result, more := a.result(&q, in, skip, room)
		out.MetricDataResults = append(out.MetricDataResults, result)
		if more {
			out.NextToken = place(first+i, skip+len(result.Values))
			break
		}
		room -= len(result.Values)
		skip = 0
	}
	return out, nil
}

// result answers a query from the value number skip on, with room values at most.
func (a *API) result(q *query, in *sdk.GetMetricDataInput, skip, room int) (result types.MetricDataResult, more bool) {
	result = types.MetricDataResult{Id: &q.id, Label: &q.label, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
	var buckets []meter.Bucket
	if countable(q.unit) {
		buckets = a.Meter.Statistics(q.series, in.StartTime.UTC().Truncate(q.period), *in.EndTime, q.period)
	}
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(buckets)
	}
	buckets = buckets[min(skip, len(buckets)):]
	if more = len(buckets) > room; more {
		buckets = buckets[:room]
		result.StatusCode = types.StatusCodePartialData
	}
	for i := range buckets {
		value, _ := statistic(q.stat, &buckets[i]) // readQueries knows the names
		result.Timestamps = append(result.Timestamps, buckets[i].Start)
		result.Values = append(result.Values, value)
	}
	return result, more
}

func readQueries(list []types.MetricDataQuery) ([]query, error) {
	if len(list) == 0 || len(list) > maxQueries {
		return nil, invalid("The parameter MetricDataQueries must have between 1 and %d queries.", maxQueries)
	}
	var queries []query
	seen := map[string]bool{}
	for _, q := range list {
		read, err := readQuery(&q)
		if err != nil {
			return nil, err
		}
		if seen[read.id] {
			return nil, invalid("The value %s for parameter MetricDataQueries has a duplicate id.", read.id)
		}
		seen[read.id] = true
		queries = append(queries, *read)
	}
	return queries, nil
}

func readQuery(q *types.MetricDataQuery) (*query, error) {
	id := text(q.Id)
	if id == "" || id[0] < 'a' || id[0] > 'z' || strings.ContainsFunc(id, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return nil, invalid("The Id %q of a query must begin with a lower-case letter and consist of letters, digits and underscores.", id)
	}
	switch {
	case q.Expression != nil:
		return nil, invalid("The query %s has an Expression. Metric math and Metrics Insights are not supported; give a MetricStat.", id)
	case q.MetricStat == nil || q.MetricStat.Metric == nil:
		return nil, invalid("The query %s has no MetricStat.", id)
	case !knownStatistic(text(q.MetricStat.Stat)):
		return nil, invalid("The Stat of the query %s must be SampleCount, Average, Sum, Minimum or Maximum.", id)
	}
	metric := q.MetricStat.Metric
	series, err := seriesOf(metric.Namespace, metric.MetricName, metric.Dimensions)
	if err != nil {
		return nil, err
	}
	period, err := readPeriod(q.MetricStat.Period)
	if err != nil {
		return nil, err
	}
	name := text(q.Label)
	if name == "" {
		name = label(&series)
	}
	return &query{
		id: id, label: name, stat: *q.MetricStat.Stat, series: series, period: period, unit: q.MetricStat.Unit,
		shown: q.ReturnData == nil || *q.ReturnData,
	}, nil
}

// place is where the next answer begins: at a value of a query.
func place(query, value int) *string {
	return token("GetMetricData", strconv.Itoa(query)+"/"+strconv.Itoa(value))
}

func readPlace(token *string, queries int) (query, value int, err error) {
	at, err := position("GetMetricData", token)
	if err != nil || at == "" {
		return 0, 0, err
	}
	first, second, _ := strings.Cut(at, "/")
	query, err1 := strconv.Atoi(first)
	value, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil || query < 0 || query >= queries || value < 0 {
		return 0, 0, fault("InvalidNextToken", 400, "The NextToken does not belong to these queries.")
	}
	return query, value, nil
}
