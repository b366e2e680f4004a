package fakeaws

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// metricPoint is one value that CloudWatch has kept.
type metricPoint struct {
	at    time.Time
	value float64
}

var metricHandlers = map[string]handler{"GetMetricData": getMetricData}

// metricKey is a namespace, a name and its dimensions in order.
func metricKey(namespace, name string, dimensions map[string]string) string {
	parts := make([]string, 0, len(dimensions))
	for k, v := range dimensions {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return namespace + "|" + name + "|" + strings.Join(parts, ",")
}

// Measure adds a value to a metric at the fake's present.
func (r *Region) Measure(namespace, name string, dimensions map[string]string, value float64) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.measure(namespace, name, dimensions, value)
}

func (r *Region) measure(namespace, name string, dimensions map[string]string, value float64) {
	key := metricKey(namespace, name, dimensions)
	d := r.table("metrics").byID[key]
	if d == nil {
		d = r.table("metrics").put(key, Doc{"_points": []metricPoint(nil)})
	}
	points, _ := d["_points"].([]metricPoint)
	d["_points"] = append(points, metricPoint{r.fake.Now(), value})
}

func getMetricData(r *Region, q *request) (Doc, error) {
	start, _ := q.in["StartTime"].(time.Time)
	end, _ := q.in["EndTime"].(time.Time)
	queries, _ := q.in["MetricDataQueries"].([]any)
	results := []any{}
	for _, item := range queries {
		one, _ := item.(Doc)
		namespace, _ := dig(one, "MetricStat", "Metric", "Namespace").(string)
		name, _ := dig(one, "MetricStat", "Metric", "MetricName").(string)
		dimensions := map[string]string{}
		if list, ok := dig(one, "MetricStat", "Metric", "Dimensions").([]any); ok {
			for _, d := range list {
				if dim, ok := d.(Doc); ok {
					dimensions[text(dim, "Name")] = text(dim, "Value")
				}
			}
		}
		times, values := []any{}, []any{}
		if d := r.table("metrics").byID[metricKey(namespace, name, dimensions)]; d != nil {
			points, _ := d["_points"].([]metricPoint)
			for _, p := range points {
				if !p.at.Before(start) && p.at.Before(end) {
					times, values = append(times, p.at), append(values, p.value)
				}
			}
		}
		results = append(results, Doc{"Id": one["Id"], "Label": name, "Timestamps": times, "Values": values, "StatusCode": "Complete"})
	}
	return Doc{"MetricDataResults": results}, nil
}

var logHandlers = map[string]handler{"FilterLogEvents": filterLogEvents}

// AddLogGroup makes a log group exist.
func (r *Region) AddLogGroup(name string) { r.seed("loggroups", name, Doc{}, nil) }

// WriteLog adds a line to a log group at the fake's present.
func (r *Region) WriteLog(group, message string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.writeLog(group, message)
}

func (r *Region) writeLog(group, message string) {
	id := r.fake.id("log")
	r.table("log/"+group).put(id, Doc{"eventId": id, "timestamp": r.fake.Now().UnixMilli(), "message": message, "logStreamName": "one"})
}

// filterLogEvents understands patterns of quoted words, all of which must occur;
// for JSON patterns it takes the quoted values of "$.x = \"value\"" pairs as words.
func filterLogEvents(r *Region, q *request) (Doc, error) {
	group := text(q.in, "logGroupName")
	if arn := text(q.in, "logGroupIdentifier"); arn != "" {
		group = strings.TrimSuffix(arn[strings.LastIndex(arn, "log-group:")+len("log-group:"):], ":*")
	}
	if r.table("loggroups").byID[group] == nil {
		return nil, refuse("ResourceNotFoundException", "The specified log group does not exist.")
	}
	var words []string
	for i, piece := range strings.Split(text(q.in, "filterPattern"), `"`) {
		if i%2 == 1 {
			words = append(words, piece)
		}
	}
	var items []Doc
	for _, d := range r.table("log/" + group).list() {
		at := integer(d["timestamp"])
		if at < integer(q.in["startTime"]) || (q.in["endTime"] != nil && at > integer(q.in["endTime"])) {
			continue
		}
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text(d, "message"), w) }) {
			items = append(items, d)
		}
	}
	page, next, err := r.page("log/"+group, items, text(q.in, "nextToken"), limit(q.in["limit"], 10000, 10000))
	if err != nil {
		return nil, err
	}
	if page == nil {
		page = []Doc{}
	}
	out := Doc{"events": page}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

var trailHandlers = map[string]handler{
	"DescribeTrails": func(r *Region, _ *request) (Doc, error) {
		return Doc{"trailList": r.table("trails").list()}, nil
	},
	"GetTrailStatus": func(r *Region, q *request) (Doc, error) {
		t, err := r.need("trails", text(q.in, "Name"), "TrailNotFoundException")
		if err != nil {
			return nil, err
		}
		since, _ := t["_since"].(time.Time)
		return Doc{"IsLogging": !since.IsZero(), "StartLoggingTime": float64(since.Unix())}, nil
	},
	"GetEventSelectors": func(r *Region, q *request) (Doc, error) {
		t, err := r.need("trails", text(q.in, "TrailName"), "TrailNotFoundException")
		if err != nil {
			return nil, err
		}
		return Doc{"TrailARN": t["TrailARN"], "AdvancedEventSelectors": t["_selectors"]}, nil
	},
	"LookupEvents": lookupEvents,
}

// AddTrail seeds a trail that logs data events of the given resource types to a
// log group since then.
func (r *Region) AddTrail(name, group string, since time.Time, dataTypes ...string) {
	if group != "" {
		r.AddLogGroup(group)
	}
	selectors := []any{}
	for _, kind := range dataTypes {
		selectors = append(selectors, Doc{"Name": kind, "FieldSelectors": []any{
			Doc{"Field": "eventCategory", "Equals": []any{"Data"}}, Doc{"Field": "resources.type", "Equals": []any{kind}},
		}})
	}
	arn := r.arn("cloudtrail", "trail/"+name)
	d := Doc{"Name": name, "TrailARN": arn, "HomeRegion": r.Name, "IsMultiRegionTrail": true, "_since": since, "_selectors": selectors}
	if group != "" {
		d["CloudWatchLogsLogGroupArn"] = r.arn("logs", "log-group:"+group+":*")
	}
	r.seed("trails", arn, d, nil)
}

// record keeps a management event of a call that changed something.
func (r *Region) record(c Call) {
	detail, err := json.Marshal(Doc{
		"eventName": c.Operation, "eventSource": c.Service + ".amazonaws.com", "eventTime": r.fake.Now().UTC().Format(time.RFC3339),
		"requestParameters": clean(lowerKeys(c.Input)), "awsRegion": c.Region,
	})
	if err != nil {
		return
	}
	id := r.fake.id("ev")
	r.table("events.trail").put(id, Doc{
		"EventId": id, "EventName": c.Operation, "EventTime": float64(r.fake.Now().Unix()),
		"EventSource": c.Service + ".amazonaws.com", "CloudTrailEvent": string(detail), "_at": r.fake.Now(),
	})
}

// lowerKeys writes parameters as CloudTrail does and hides secrets as it does.
func lowerKeys(in Doc) Doc {
	out := Doc{}
	for k, v := range in {
		if k == "" || k == "Action" || k == "Version" {
			continue
		}
		if strings.Contains(strings.ToLower(k), "password") || k == "AuthToken" {
			v = "****"
		}
		out[strings.ToLower(k[:1])+k[1:]] = v
	}
	return out
}

func lookupEvents(r *Region, q *request) (Doc, error) {
	var items []Doc
	all := r.table("events.trail").list()
	for _, d := range slices.Backward(all) {
		at, _ := d["_at"].(time.Time)
		if start, ok := q.in["StartTime"].(float64); ok && at.Unix() < int64(start) {
			continue
		}
		fits := true
		if list, ok := q.in["LookupAttributes"].([]any); ok {
			for _, item := range list {
				a, _ := item.(Doc)
				fits = fits && d[text(a, "AttributeKey")] == a["AttributeValue"]
			}
		}
		if fits {
			items = append(items, d)
		}
	}
	page, next, err := r.page("events.trail", items, text(q.in, "NextToken"), limit(q.in["MaxResults"], 50, 50))
	if err != nil {
		return nil, err
	}
	out := Doc{"Events": page}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// Happened seeds a management event of ElastiCache in CloudTrail.
func (r *Region) Happened(operation string, parameters Doc) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.record(Call{Region: r.Name, Service: "elasticache", Operation: operation, Input: parameters})
}
