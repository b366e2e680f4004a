package usage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

const (
	graphQLType = "AWS::AppSync::GraphQLApi" // resource type of AppSync's data events
	keyMode     = "API_KEY"
)

// keyMeter counts calls that a key authorised, from CloudTrail's data events:
// additionalEventData.authType names the mode of each call. It needs a trail
// that records them and sends them to CloudWatch Logs.
type keyMeter struct {
	cfg awssdk.Config
	arn string
}

func (m keyMeter) Read(ctx context.Context, from, to time.Time) (Reading, error) {
	r := Reading{Quality: posture.QualityExact, Source: "CloudTrail data events GraphQL of " + m.arn + ", additionalEventData.authType = API_KEY"}
	client := cloudtrail.NewFromConfig(m.cfg)
	trails, err := client.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
	if err != nil {
		return r, fmt.Errorf("listing the trails: %w", err)
	}
	for _, trail := range trails.TrailList {
		since, err := m.onSince(ctx, client, trail, from)
		if err != nil {
			return r, err
		}
		if since.IsZero() {
			continue
		}
		r.OnSince = since
		return r, m.count(ctx, trail, from, to, &r)
	}
	r.Caution = "no trail records data events of " + graphQLType + " and sends them to CloudWatch Logs: turn that on, and the window begins"
	return r, nil
}

// onSince says since when a trail has recorded the API's calls; zero if it does
// not. A change of the trail in the window restarts its proof.
func (m keyMeter) onSince(ctx context.Context, client *cloudtrail.Client, trail trailtypes.Trail, from time.Time) (time.Time, error) {
	if awssdk.ToString(trail.CloudWatchLogsLogGroupArn) == "" {
		return time.Time{}, nil
	}
	selectors, err := client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: trail.TrailARN})
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the selectors of trail %s: %w", awssdk.ToString(trail.Name), err)
	}
	if !slices.ContainsFunc(selectors.AdvancedEventSelectors, m.covered) {
		return time.Time{}, nil
	}
	status, err := client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: trail.TrailARN})
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the status of trail %s: %w", awssdk.ToString(trail.Name), err)
	}
	if !awssdk.ToBool(status.IsLogging) || status.StartLoggingTime == nil {
		return time.Time{}, nil
	}
	since := *status.StartLoggingTime
	for _, change := range []string{"PutEventSelectors", "StopLogging", "UpdateTrail"} {
		at, err := lastEvent(ctx, m.cfg, from, change, awssdk.ToString(trail.Name))
		if err != nil {
			return time.Time{}, err
		}
		if at.After(since) {
			since = at
		}
	}
	return since, nil
}

// covered reports whether a selector records every call of the API: one that
// narrows by anything but the API's own ARN does not.
func (m keyMeter) covered(s trailtypes.AdvancedEventSelector) bool {
	kind := false
	for _, f := range s.FieldSelectors {
		switch awssdk.ToString(f.Field) {
		case "eventCategory":
			if !slices.Contains(f.Equals, "Data") {
				return false
			}
		case "resources.type":
			kind = slices.Contains(f.Equals, graphQLType)
		case "resources.ARN":
			starts := slices.ContainsFunc(f.StartsWith, func(p string) bool { return strings.HasPrefix(m.arn, p) })
			if !slices.Contains(f.Equals, m.arn) && !starts {
				return false
			}
		default:
			return false
		}
	}
	return kind
}

func (m keyMeter) count(ctx context.Context, trail trailtypes.Trail, from, to time.Time, r *Reading) error {
	cfg := m.cfg.Copy()
	if home := awssdk.ToString(trail.HomeRegion); home != "" {
		cfg.Region = home
	}
	return filter(ctx, cfg, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupIdentifier: awssdk.String(strings.TrimSuffix(awssdk.ToString(trail.CloudWatchLogsLogGroupArn), ":*")),
		FilterPattern:      awssdk.String(`"appsync.amazonaws.com" "` + keyMode + `"`),
	}, from, to, func(e logtypes.FilteredLogEvent) {
		if m.byKey(awssdk.ToString(e.Message)) {
			r.seen(e)
		}
	})
}

// byKey reports whether a record is of a call of this API that a key authorised.
func (m keyMeter) byKey(message string) bool {
	var event struct {
		EventSource string `json:"eventSource"`
		Additional  struct {
			AuthType []string `json:"authType"`
		} `json:"additionalEventData"`
		Resources []struct {
			ARN string `json:"ARN"`
		} `json:"resources"`
	}
	if json.Unmarshal([]byte(message), &event) != nil {
		return strings.Contains(message, m.arn) // unreadable, and about this API: it may not count as silence
	}
	mine := slices.ContainsFunc(event.Resources, func(r struct {
		ARN string `json:"ARN"`
	},
	) bool {
		return r.ARN == m.arn
	})
	return event.EventSource == "appsync.amazonaws.com" && mine && slices.Contains(event.Additional.AuthType, keyMode)
}

// seen counts one log event.
func (r *Reading) seen(e logtypes.FilteredLogEvent) {
	r.Count++
	if at := time.UnixMilli(awssdk.ToInt64(e.Timestamp)); at.After(r.Last) {
		r.Last = at
	}
}

// filter reads every page of a log search.
func filter(ctx context.Context, cfg awssdk.Config, in *cloudwatchlogs.FilterLogEventsInput, from, to time.Time, visit func(logtypes.FilteredLogEvent)) error {
	in.StartTime, in.EndTime = awssdk.Int64(from.UnixMilli()), awssdk.Int64(to.UnixMilli())
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(cfg), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("searching the log group: %w", err)
		}
		for _, e := range page.Events {
			visit(e)
		}
	}
	return nil
}
