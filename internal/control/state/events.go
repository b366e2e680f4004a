package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store"
)

// EventsKept is how long events can be asked for
// (ElastiCache API, DescribeEvents: 14 days).
const EventsKept = 14 * 24 * time.Hour

// pruneBatch bounds how many old events one transaction removes
// (etcd takes 128 operations in one).
const pruneBatch = 100

// watchPause is the wait before a broken watch is begun anew.
const watchPause = time.Second

func (s *State) eventRecords(events []identity.Event) ([]store.Record, error) {
	records := make([]store.Record, 0, len(events))
	for _, event := range events {
		if event.Time.IsZero() {
			event.Time = s.clock.Now().UTC()
		}
		value, err := json.Marshal(event)
		if err != nil {
			return nil, fmt.Errorf("encoding an event: %w", err)
		}
		s.seq = (s.seq + 1) % 1_000_000
		key := fmt.Sprintf(eventKeyFormat, event.Time.UnixNano(), s.seq)
		records = append(records, store.Record{Key: key, Value: value})
	}
	return records, nil
}

// Events returns all events that are kept, oldest first.
func (s *State) Events(ctx context.Context) ([]identity.Event, error) {
	records, _, err := s.store.List(ctx, eventPrefix)
	if err != nil {
		return nil, fmt.Errorf("state: reading events: %w", err)
	}
	oldest := s.clock.Now().Add(-EventsKept)
	events := make([]identity.Event, 0, len(records))
	for _, record := range records {
		var event identity.Event
		if err := json.Unmarshal(record.Value, &event); err != nil {
			return nil, fmt.Errorf("state: reading event %s: %w", record.Key, err)
		}
		if !event.Time.Before(oldest) {
			events = append(events, event)
		}
	}
	return events, nil
}

// PruneEvents removes events that are no longer kept.
func (s *State) PruneEvents(ctx context.Context) error {
	records, _, err := s.store.List(ctx, eventPrefix)
	if err != nil {
		return fmt.Errorf("state: reading events: %w", err)
	}
	before := fmt.Sprintf(eventKeyFormat, s.clock.Now().Add(-EventsKept).UnixNano(), 0)
	var old []string
	for _, record := range records {
		if record.Key < before {
			old = append(old, record.Key)
		}
	}
	for len(old) > 0 {
		batch := old[:min(pruneBatch, len(old))]
		old = old[len(batch):]
		if _, err := s.store.Apply(ctx, store.Txn{Deletes: batch}); err != nil {
			return fmt.Errorf("state: removing old events: %w", err)
		}
	}
	return nil
}
