package aws

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// The methods by which callers of a Gatehouse cache log in.
const (
	MethodAnonymous = "anonymous"
	MethodToken     = "token"
	MethodPassword  = "password"
	MethodIAM       = "iam"
)

// auditWindow is how far back an audit looks at Gatehouse's own counts.
const auditWindow = 48 * time.Hour

// openUsers says which user groups have a user named default who is on and
// needs no password.
type openUsers struct {
	members   map[string][]string
	users     map[string]bool
	operation string // that failed
	failure   error
}

func readOpenUsers(ctx context.Context, client *elasticache.Client) openUsers {
	o := openUsers{members: map[string][]string{}, users: map[string]bool{}}
	groups, err := listing(func(next *string) ([]types.UserGroup, *string, error) {
		out, err := client.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{MaxRecords: awssdk.Int32(cachePage), Marker: next})
		if err != nil {
			return nil, nil, err
		}
		return out.UserGroups, out.Marker, nil
	})
	if err != nil {
		o.operation, o.failure = "DescribeUserGroups", err
		return o
	}
	users, err := listing(func(next *string) ([]types.User, *string, error) {
		out, err := client.DescribeUsers(ctx, &elasticache.DescribeUsersInput{MaxRecords: awssdk.Int32(cachePage), Marker: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Users, out.Marker, nil
	})
	if err != nil {
		o.operation, o.failure = "DescribeUsers", err
		return o
	}
	for _, g := range groups {
		o.members[awssdk.ToString(g.UserGroupId)] = g.UserIds
	}
	for _, u := range users {
		o.users[awssdk.ToString(u.UserId)] = openDefault(u)
	}
	return o
}

// openDefault reports whether a user is one that admits strangers: named
// default, switched on, without a password.
func openDefault(u types.User) bool {
	mode := posture.Unknown("ElastiCache did not say how the user authenticates", "the user")
	if u.Authentication != nil {
		mode = posture.Text(string(u.Authentication.Type))
	}
	open := posture.UserOpen(posture.TextOrAbsent(u.AccessString), posture.Absent(), mode, posture.Absent())
	return awssdk.ToString(u.UserName) == "default" && !open.False()
}

func (o openUsers) open(groups []string) posture.Value {
	if len(groups) == 0 {
		return posture.Absent()
	}
	if o.failure != nil {
		return posture.Unknown("elasticache:"+o.operation+": "+plain(o.failure), "the users of "+strings.Join(groups, ", "))
	}
	for _, g := range groups {
		members, ok := o.members[g]
		if !ok {
			return posture.Unknown("user group "+g+" was not listed", "the users of "+g)
		}
		for _, id := range members {
			open, known := o.users[id]
			if !known {
				return posture.Unknown("user "+id+" was not listed", "the users of "+g)
			}
			if open {
				return posture.Flag(true)
			}
		}
	}
	return posture.Flag(false)
}

// tokenHistory is what CloudTrail remembers of changes to AUTH tokens: after
// ROTATE on a group without a token, Describe looks as if the token were
// required, and only the record of the call says otherwise.
type tokenHistory struct {
	byGroup map[string][]tokenChange // the newest first
	failure error                    // of cloudtrail:LookupEvents
}

type tokenChange struct {
	at       time.Time
	strategy string
	created  bool // CreateReplicationGroup
	token    bool
}

// trailReach is how far CloudTrail's event history goes back.
const trailReach = 90 * 24 * time.Hour

func (s *scope) tokenHistory(ctx context.Context) tokenHistory {
	h := tokenHistory{byGroup: map[string][]tokenChange{}}
	client := cloudtrail.NewFromConfig(s.cfg)
	for _, name := range []string{"ModifyReplicationGroup", "CreateReplicationGroup"} {
		events, err := listing(func(next *string) ([]trailtypes.Event, *string, error) {
			out, err := client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{
				NextToken: next, StartTime: awssdk.Time(s.now().Add(-trailReach)),
				LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: awssdk.String(name)}},
			})
			if err != nil {
				return nil, nil, err
			}
			return out.Events, out.NextToken, nil
		})
		if err != nil {
			h.failure = err
			return h
		}
		for _, e := range events {
			h.keep(e)
		}
	}
	for _, changes := range h.byGroup {
		// CloudTrail's times are whole seconds: on a tie the creation came first.
		slices.SortStableFunc(changes, func(a, b tokenChange) int { return b.at.Compare(a.at) })
	}
	return h
}

// keep takes over an event that concerns a token and was not refused.
func (h tokenHistory) keep(e trailtypes.Event) {
	var detail struct {
		ErrorCode         string `json:"errorCode"`
		RequestParameters struct {
			Group    string `json:"replicationGroupId"`
			Strategy string `json:"authTokenUpdateStrategy"`
			Token    string `json:"authToken"`
		} `json:"requestParameters"`
	}
	if json.Unmarshal([]byte(awssdk.ToString(e.CloudTrailEvent)), &detail) != nil || detail.ErrorCode != "" {
		return
	}
	p := detail.RequestParameters
	created := awssdk.ToString(e.EventName) == "CreateReplicationGroup"
	if !created && p.Strategy == "" && p.Token == "" {
		return
	}
	strategy := p.Strategy
	if !created && strategy == "" {
		strategy = string(types.AuthTokenUpdateStrategyTypeRotate) // the API's default
	}
	h.byGroup[p.Group] = append(h.byGroup[p.Group], tokenChange{at: awssdk.ToTime(e.EventTime), strategy: strategy, created: created, token: p.Token != ""})
}

// of says by which strategy a group's token was changed last, and whether that
// change introduced it. What the history does not settle stays unknown.
func (h tokenHistory) of(g types.ReplicationGroup) (strategy, introduced posture.Value) {
	const needs = "the last ModifyReplicationGroup in CloudTrail, or an unauthenticated PING over TLS"
	switch {
	case !awssdk.ToBool(g.AuthTokenEnabled):
		return posture.Absent(), posture.Absent()
	case h.failure != nil:
		why := "cloudtrail:LookupEvents: " + plain(h.failure)
		return posture.Unknown(why, needs), posture.Unknown(why, needs)
	}
	changes := h.byGroup[awssdk.ToString(g.ReplicationGroupId)]
	if len(changes) == 0 {
		why := "CloudTrail's 90 days hold no change of the group's token"
		return posture.Unknown(why, needs), posture.Unknown(why, needs)
	}
	last := changes[0]
	if last.created || last.strategy == string(types.AuthTokenUpdateStrategyTypeSet) {
		return posture.Text(string(types.AuthTokenUpdateStrategyTypeSet)), posture.Flag(false) // a token given at creation is required at once
	}
	strategy = posture.Text(last.strategy)
	if len(changes) == 1 {
		return strategy, posture.Unknown("what the group had before its last ROTATE is older than CloudTrail's 90 days", needs)
	}
	before := changes[1]
	switch {
	case before.created:
		return strategy, posture.Flag(!before.token)
	case before.strategy == string(types.AuthTokenUpdateStrategyTypeDelete):
		return strategy, posture.Flag(true)
	}
	return strategy, posture.Flag(false) // a second ROTATE, or one after SET, leaves two tokens and no stranger
}
