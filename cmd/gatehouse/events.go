package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

const (
	// followEvery is the pause between two questions for new events.
	followEvery = 500 * time.Millisecond
	// lookBack is how far before the last event is asked again: events of one
	// moment are written by several changes.
	lookBack = 10 * time.Second
)

type eventsCommand struct {
	serverFlags
	outputFlag
	Source string        `help:"Only events of this resource, by its identifier." placeholder:"ID"`
	Since  time.Duration `help:"How far back; at most 14 days." default:"1h"`
	Follow bool          `help:"Go on with what happens from now on, until interrupted." short:"f"`
}

// event is an entry as it is printed.
type event struct {
	Time       time.Time `json:"time"`
	SourceType string    `json:"sourceType"`
	Source     string    `json:"source"`
	Message    string    `json:"message"`
}

// Run lists what happened to caches, users and groups: each step of a change,
// and what one that takes long waits for.
func (c eventsCommand) Run(ctx context.Context) error {
	s, err := c.find()
	if err != nil {
		return err
	}
	api := s.elasticache()
	since := time.Now().Add(-c.Since)
	found, err := c.read(ctx, api, since)
	if err != nil {
		return err
	}
	if !c.Follow {
		return list(c.outputFlag, found, "Nothing happened.", []string{"TIME", "TYPE", "SOURCE", "MESSAGE"}, func(e event) []string {
			return []string{e.Time.Local().Format(time.DateTime), e.SourceType, e.Source, e.Message}
		})
	}
	return c.follow(ctx, api, found)
}

// follow prints one line for each event, those of the past first.
func (c eventsCommand) follow(ctx context.Context, api *elasticache.Client, found []event) error {
	printed := map[event]bool{}
	last := time.Now()
	for {
		for _, e := range found {
			if printed[e] {
				continue
			}
			printed[e] = true
			if e.Time.After(last) {
				last = e.Time
			}
			if err := c.print(e); err != nil {
				return err
			}
		}
		for e := range printed { // what cannot be asked for again need not be known
			if e.Time.Before(last.Add(-2 * lookBack)) {
				delete(printed, e)
			}
		}
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
			return nil
		}
		var err error
		if found, err = c.read(ctx, api, last.Add(-lookBack)); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

func (c eventsCommand) print(e event) error {
	if c.Output == "json" {
		return json.NewEncoder(os.Stdout).Encode(e)
	}
	_, err := fmt.Printf("%s  %s %s: %s\n", e.Time.Local().Format(time.DateTime), e.SourceType, e.Source, e.Message)
	return err
}

func (c eventsCommand) read(ctx context.Context, api *elasticache.Client, since time.Time) ([]event, error) {
	var all []event
	pages := elasticache.NewDescribeEventsPaginator(api, &elasticache.DescribeEventsInput{StartTime: &since})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		for _, e := range page.Events {
			if c.Source == "" || strings.EqualFold(c.Source, aws.ToString(e.SourceIdentifier)) {
				all = append(all, eventOf(e))
			}
		}
	}
	return all, nil
}

func eventOf(e types.Event) event {
	return event{Time: aws.ToTime(e.Date), SourceType: string(e.SourceType), Source: aws.ToString(e.SourceIdentifier), Message: aws.ToString(e.Message)}
}
