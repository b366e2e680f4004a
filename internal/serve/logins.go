package serve

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// LoginsAnswer counts a cache's logins since a moment: the evidence on which a
// migration closes an insecure path, which ElastiCache has no metric for.
type LoginsAnswer struct {
	// OnSince is since when the trail has recorded logins without a gap.
	OnSince time.Time     `json:"on_since"`
	Counts  []LoginsCount `json:"counts"`
}

// LoginsCount counts one user's logins by one method.
type LoginsCount struct {
	User   string    `json:"user"`
	Method string    `json:"method"`
	Logins int64     `json:"logins"`
	Open   int64     `json:"open"` // sessions now
	Last   time.Time `json:"last,omitzero"`
}

func (s *server) loginsEndpoint() awsapi.Endpoint {
	return awsapi.Endpoint{Method: http.MethodGet, Path: "/gatehouse/v1/logins", Action: "gatehouse:ListLogins", Serve: s.listLogins}
}

func (s *server) listLogins(ctx context.Context, r *awsapi.EndpointRequest) (any, error) {
	cache := strings.ToLower(r.Query.Get("cache"))
	if s.state.View().ReplicationGroups[cache] == nil {
		return nil, identity.Errorf(identity.ReplicationGroupNotFound, "Replication group %s not found.", cache)
	}
	since, err := readSince(r.Query.Get("since"))
	if err != nil {
		return nil, err
	}
	counts := map[[2]string]*LoginsCount{}
	of := func(user, method string) *LoginsCount {
		key := [2]string{user, method}
		if counts[key] == nil {
			counts[key] = &LoginsCount{User: user, Method: method}
		}
		return counts[key]
	}
	var answer LoginsAnswer
	err = s.trail.Each(trail.Query{}, func(record *trail.Record) {
		if answer.OnSince.IsZero() {
			answer.OnSince = record.Time
		}
		if record.Event == trail.LoginAccepted && record.Cache == cache && !record.Time.Before(since) {
			c := of(record.User, record.Method)
			c.Logins++
			c.Last = record.Time
		}
	})
	if err != nil {
		return nil, err
	}
	open, silent := s.sessionsOfAll(ctx)
	if len(silent) > 0 { // evidence with a gap would close a path that is in use
		return nil, identity.Errorf(identity.Unavailable, "The gateways %s did not say who is connected to them.", strings.Join(silent, ", "))
	}
	for _, session := range open {
		if session.Cache == cache {
			of(session.User, string(session.Method)).Open++
		}
	}
	answer.Counts = []LoginsCount{}
	for _, c := range counts {
		answer.Counts = append(answer.Counts, *c)
	}
	slices.SortFunc(answer.Counts, func(a, b LoginsCount) int {
		return strings.Compare(a.User+"\x00"+a.Method, b.User+"\x00"+b.Method)
	})
	return answer, nil
}

// readSince reads a moment of a query; "" is the beginning of time.
func readSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	since, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return since, identity.Errorf(identity.InvalidParameterValue, "since must be a time such as 2026-01-02T15:04:05Z.")
	}
	return since, nil
}
