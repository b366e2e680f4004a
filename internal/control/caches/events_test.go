package caches

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestDescribeEvents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	now := firstDay.Add(30 * 24 * time.Hour)
	h.clock.Advance(now.Sub(firstDay))
	for _, e := range []struct {
		ago  time.Duration
		kind string
		id   string
	}{
		{13 * 24 * time.Hour, "user", "old"},
		{2 * time.Hour, "replication-group", "a"},
		{50 * time.Minute, "cache-cluster", "a"},
		{10 * time.Minute, "replication-group", "b"},
		{time.Minute, "user-group", "c"},
	} {
		h.clock.Advance(-e.ago)
		_, err := h.state.Update(h.ctx, func(tx *state.Tx) error {
			tx.Event(e.kind, e.id, "%s", e.kind+"/"+e.id)
			return nil
		})
		h.must(err)
		h.clock.Advance(e.ago)
	}
	at := func(ago time.Duration) *time.Time { return new(now.Add(-ago)) }
	const last = "cache-cluster/a replication-group/b user-group/c"
	for _, c := range []struct {
		name string
		in   DescribeEventsInput
		want string
	}{
		{"the last hour", DescribeEventsInput{}, last},
		{"a duration", DescribeEventsInput{Duration: new(int32(15))}, "replication-group/b user-group/c"},
		{"14 days", DescribeEventsInput{Duration: new(int32(14 * 24 * 60))}, "user/old replication-group/a " + last},
		{"a start", DescribeEventsInput{Start: at(3 * time.Hour)}, "replication-group/a " + last},
		{"a start and a duration", DescribeEventsInput{Start: at(3 * time.Hour), Duration: new(int32(130))}, "replication-group/a cache-cluster/a"},
		{"an end", DescribeEventsInput{End: at(90 * time.Minute)}, "replication-group/a"},
		{"an end and a duration", DescribeEventsInput{End: at(5 * time.Minute), Duration: new(int32(10))}, "replication-group/b"},
		{"both ends", DescribeEventsInput{Start: at(time.Hour), End: at(20 * time.Minute)}, "cache-cluster/a"},
		{"a source type", DescribeEventsInput{SourceType: new("Replication-Group"), Start: at(3 * time.Hour)}, "replication-group/a replication-group/b"},
		{"a source", DescribeEventsInput{SourceID: new("A"), Start: at(3 * time.Hour)}, "replication-group/a cache-cluster/a"},
		{"both", DescribeEventsInput{SourceID: new("a"), SourceType: new("cache-cluster")}, "cache-cluster/a"},
		{"nothing", DescribeEventsInput{SourceID: new("z")}, ""},
	} {
		found, err := h.DescribeEvents(h.ctx, c.in)
		h.must(err)
		var got []string
		for _, e := range found {
			got = append(got, e.Message)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		in   DescribeEventsInput
		kind identity.Kind
		want string
	}{
		{DescribeEventsInput{Duration: new(int32(0))}, identity.InvalidParameterValue, "Invalid value for parameter Duration: it must be between 1 and 20160 minutes (14 days)."},
		{DescribeEventsInput{Duration: new(int32(20161))}, identity.InvalidParameterValue, "Invalid value for parameter Duration: it must be between 1 and 20160 minutes (14 days)."},
		{DescribeEventsInput{Start: at(15 * 24 * time.Hour)}, identity.InvalidParameterValue, "Invalid value for parameter StartTime: events are kept for 14 days."},
		{DescribeEventsInput{Start: at(0), End: at(time.Hour)}, identity.InvalidParameterCombination, "StartTime must not be later than EndTime."},
		{DescribeEventsInput{SourceType: new("cluster")}, identity.InvalidParameterValue, "Invalid value for parameter SourceType: valid values are cache-cluster, cache-parameter-group, cache-security-group, cache-subnet-group, replication-group, serverless-cache, serverless-cache-snapshot, user, user-group."},
	} {
		_, err := h.DescribeEvents(h.ctx, c.in)
		h.refused(err, c.kind, c.want)
	}
}
