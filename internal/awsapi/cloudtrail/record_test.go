package cloudtrail

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/trail"
)

func TestARecordInCloudTrailsShape(t *testing.T) {
	a := &API{Account: naming.Account{ID: "123456789012", Region: "eu-west-1"}}
	r := &trail.Record{
		Seq: 7, Prev: "ab", Time: time.Date(2026, 11, 21, 6, 0, 0, 5e8, time.UTC), Event: trail.APICall, Outcome: "AccessDenied", Reason: "why",
		Principal: "arn:aws:sts::123456789012:assumed-role/reader/session-1", PrincipalID: "AROAX:session-1", Role: "arn:aws:iam::123456789012:role/apps/reader",
		AccessKeyID: "ASIAX", Service: "elasticache", EventSource: "elasticache.amazonaws.com", Action: "DescribeUsers", ReadOnly: true,
		RequestID: "r-1", UserAgent: "cli", Source: "10.0.0.1", Parameters: map[string]any{"userId": "app"},
	}
	text, err := a.shape(r)
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{
		"eventVersion": "1.11", "eventTime": "2026-11-21T06:00:00Z", "eventSource": "elasticache.amazonaws.com", "eventName": "DescribeUsers",
		"awsRegion": "eu-west-1", "sourceIPAddress": "10.0.0.1", "userAgent": "cli", "errorCode": "AccessDenied", "errorMessage": "why",
		"requestParameters": {"userId": "app"}, "responseElements": null, "requestID": "r-1", "eventID": "`+eventID(r)+`", "readOnly": true,
		"eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "123456789012", "eventCategory": "Management",
		"userIdentity": {"type": "AssumedRole", "principalId": "AROAX:session-1", "arn": "arn:aws:sts::123456789012:assumed-role/reader/session-1",
			"accountId": "123456789012", "accessKeyId": "ASIAX", "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROAX",
			"arn": "arn:aws:iam::123456789012:role/apps/reader", "accountId": "123456789012", "userName": "reader"}}}
	}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCallersAsCloudTrailNamesThem(t *testing.T) {
	for _, test := range []struct{ arn, kind, name, username string }{
		{"arn:aws:iam::123456789012:root", "Root", "", "root"},
		{"arn:aws:iam::123456789012:user/alice", "IAMUser", "alice", "alice"},
		{"arn:aws:iam::123456789012:user/staff/bob", "IAMUser", "bob", "bob"},
		{"arn:aws:sts::123456789012:assumed-role/reader/session-1", "AssumedRole", "", "session-1"},
		{"", "Unknown", "", ""},
	} {
		r := &trail.Record{Principal: test.arn}
		if u := identityOf(r); u.Type != test.kind || u.UserName != test.name || username(r) != test.username {
			t.Errorf("%s: %+v, %q", test.arn, u, username(r))
		}
	}
}

func TestAnEventKeepsItsID(t *testing.T) {
	first, second := &trail.Record{Seq: 1, Prev: "a"}, &trail.Record{Seq: 2, Prev: "a"}
	id, err := uuid.Parse(eventID(first))
	if err != nil || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		t.Errorf("%s: %v", eventID(first), err)
	}
	again := *first
	if eventID(&again) != eventID(first) || eventID(first) == eventID(second) {
		t.Error("ids are not those of their records")
	}
}

func FuzzNextToken(f *testing.F) {
	f.Add("")
	f.Add("AAAAAAAAAAdub25zZW5zZQ")
	f.Fuzz(func(t *testing.T, text string) {
		if seq, ok := readToken(&lookup, text); ok && (seq <= 0 || token(&lookup, seq) != text) {
			t.Errorf("%q is read as %d", text, seq)
		}
	})
}

var lookup sdk.LookupEventsInput

func TestATokenIsForOneLookup(t *testing.T) {
	other := sdk.LookupEventsInput{StartTime: aws.Time(time.Unix(1e9, 0))}
	made := token(&lookup, 42)
	if seq, ok := readToken(&lookup, made); !ok || seq != 42 {
		t.Errorf("its own: %d, %v", seq, ok)
	}
	if _, ok := readToken(&other, made); ok {
		t.Error("another lookup's token is taken")
	}
}
