package elasticache

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func (a *API) describeEvents(ctx context.Context, in *sdk.DescribeEventsInput) (*sdk.DescribeEventsOutput, error) {
	found, err := a.Caches.DescribeEvents(ctx, caches.DescribeEventsInput{
		SourceType: optional(in.SourceType), SourceID: in.SourceIdentifier,
		Start: in.StartTime, End: in.EndTime, Duration: in.Duration,
	})
	if err != nil {
		return nil, err
	}
	shown, next, err := page("events", number(found), func(e numbered) string { return e.key }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeEventsOutput{Marker: next, Events: []types.Event{}}
	for _, e := range shown {
		out.Events = append(out.Events, types.Event{
			Date: aws.Time(e.Time), Message: aws.String(e.Message),
			SourceIdentifier: aws.String(e.SourceID), SourceType: types.SourceType(e.SourceType),
		})
	}
	return out, nil
}

// numbered is an event with a key of its own: events of one instant are told
// apart by their order.
type numbered struct {
	identity.Event
	key string
}

// number takes events that are sorted by time.
func number(events []identity.Event) []numbered {
	list := make([]numbered, 0, len(events))
	same := 0
	for i, e := range events {
		if same++; i == 0 || !e.Time.Equal(events[i-1].Time) {
			same = 0
		}
		list = append(list, numbered{e, fmt.Sprintf("%020d-%06d", e.Time.UnixNano(), same)})
	}
	return list
}
