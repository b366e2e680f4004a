package caches

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// defaultPeriod is how far back events are listed when no times are given
// (ElastiCache API, DescribeEvents).
const defaultPeriod = time.Hour

// sourceTypes are the API's SourceType values.
var sourceTypes = []string{
	"cache-cluster", "cache-parameter-group", "cache-security-group", "cache-subnet-group", "replication-group",
	"serverless-cache", "serverless-cache-snapshot", "user", "user-group",
}

// DescribeEvents returns the events of a period that a request selects, oldest
// first. The events are those of all resources, users and user groups included.
func (s *Service) DescribeEvents(ctx context.Context, in DescribeEventsInput) ([]identity.Event, error) {
	if err := oneOf("SourceType", in.SourceType, sourceTypes...); err != nil {
		return nil, err
	}
	from, to, err := period(in, s.clock.Now())
	if err != nil {
		return nil, err
	}
	all, err := s.state.Events(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e identity.Event) bool {
		return e.Time.Before(from) || e.Time.After(to) ||
			in.SourceType != nil && !strings.EqualFold(e.SourceType, *in.SourceType) ||
			in.SourceID != nil && !strings.EqualFold(e.SourceID, *in.SourceID)
	}), nil
}

// period returns the time that a request is about. A start and a duration give
// the end; an end and a duration, or a duration alone, give the start.
func period(in DescribeEventsInput, now time.Time) (from, to time.Time, err error) {
	length := defaultPeriod
	if in.Duration != nil {
		length = time.Duration(*in.Duration) * time.Minute
		if length <= 0 || length > state.EventsKept {
			return from, to, invalid("Duration", "it must be between 1 and %d minutes (14 days).", int(state.EventsKept/time.Minute))
		}
	}
	if to = or(in.End, now); in.End == nil && in.Start != nil && in.Duration != nil {
		to = in.Start.Add(length)
	}
	from = or(in.Start, to.Add(-length))
	switch {
	case in.Start != nil && in.Start.Before(now.Add(-state.EventsKept)):
		return from, to, invalid("StartTime", "events are kept for 14 days.")
	case from.After(to):
		return from, to, identity.Errorf(identity.InvalidParameterCombination, "StartTime must not be later than EndTime.")
	}
	return from, to, nil
}
