package cloudtrail

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// maxResults is the most events on a page, and how many there are unless the
// caller says otherwise (CloudTrail API, LookupEvents).
const maxResults = 50

// API is the CloudTrail API over a trail.
type API struct {
	Account naming.Account
	Trail   *trail.Trail
}

// Service returns the API for the front door.
func (a *API) Service() awsapi.Service {
	return awsapi.Service{
		Model:       model.CloudTrail,
		Operations:  []awsapi.Operation{awsapi.Serve("LookupEvents", a.lookupEvents)},
		Permissions: awsapi.Permissions{"cloudtrail:LookupEvents": awsapi.OnAll},
		Judged:      map[string]bool{"MaxResults": true, "LookupAttributeKey": true}, // with errors of their own
	}
}

// lookupEvents returns API calls, the newest first.
func (a *API) lookupEvents(_ context.Context, in *sdk.LookupEventsInput) (*sdk.LookupEventsOutput, error) {
	q, err := query(in)
	if err != nil {
		return nil, err
	}
	size := q.Limit
	q.Limit++ // to know whether there are more
	records, err := a.Trail.Read(q)
	if err != nil {
		return nil, err
	}
	out := &sdk.LookupEventsOutput{Events: []types.Event{}}
	more := len(records) > size
	if more {
		records = records[len(records)-size:]
		out.NextToken = aws.String(token(in, records[0].Seq))
	}
	for i := len(records) - 1; i >= 0; i-- {
		event, err := a.show(&records[i])
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, event)
	}
	return out, nil
}

func query(in *sdk.LookupEventsInput) (trail.Query, error) {
	q := trail.Query{Event: trail.APICall, Reads: true, Limit: maxResults, Since: aws.ToTime(in.StartTime)}
	if in.EndTime != nil { // given in whole seconds, and that second is meant too
		q.Until = in.EndTime.Truncate(time.Second).Add(time.Second - 1)
	}
	if in.StartTime != nil && in.EndTime != nil && in.EndTime.Before(*in.StartTime) {
		return q, fault("InvalidTimeRangeException", "The start time must not be later than the end time.")
	}
	if in.EventCategory != "" {
		return q, fault("InvalidEventCategoryException", "There are no insight events; leave EventCategory out for management events.")
	}
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > maxResults {
			return q, fault("InvalidMaxResultsException", "MaxResults must be a number from 1 to %d.", maxResults)
		}
		q.Limit = int(*in.MaxResults)
	}
	matches, err := attribute(in.LookupAttributes)
	if err != nil {
		return q, err
	}
	q.Match = func(r *trail.Record) bool { return r.EventSource != "" && matches(r) }
	if in.NextToken != nil {
		before, ok := readToken(in, *in.NextToken)
		if !ok {
			return q, fault("InvalidNextTokenException", "The token is not one that this lookup returned.")
		}
		q.Before = before
	}
	return q, nil
}

// attribute is the one condition that a lookup may have.
func attribute(list []types.LookupAttribute) (func(*trail.Record) bool, error) {
	switch {
	case len(list) == 0:
		return func(*trail.Record) bool { return true }, nil
	case len(list) > 1:
		return nil, fault("InvalidLookupAttributesException", "Only one lookup attribute can be given.")
	}
	value := aws.ToString(list[0].AttributeValue)
	is := func(of func(*trail.Record) string) (func(*trail.Record) bool, error) {
		return func(r *trail.Record) bool { return of(r) == value }, nil
	}
	switch list[0].AttributeKey {
	case types.LookupAttributeKeyEventId:
		return is(eventID)
	case types.LookupAttributeKeyEventName:
		return is(func(r *trail.Record) string { return r.Action })
	case types.LookupAttributeKeyReadOnly:
		return is(func(r *trail.Record) string { return strconv.FormatBool(r.ReadOnly) })
	case types.LookupAttributeKeyUsername:
		return is(username)
	case types.LookupAttributeKeyEventSource:
		return is(func(r *trail.Record) string { return r.EventSource })
	case types.LookupAttributeKeyAccessKeyId:
		return is(func(r *trail.Record) string { return r.AccessKeyID })
	case types.LookupAttributeKeyResourceType:
		return func(r *trail.Record) bool { return about(r, func(x resource) bool { return x.kind == value }) }, nil
	case types.LookupAttributeKeyResourceName:
		return func(r *trail.Record) bool { return about(r, func(x resource) bool { return x.name == value }) }, nil
	default:
		return nil, fault("InvalidLookupAttributesException", "There is no lookup attribute of this name.")
	}
}

func (a *API) show(r *trail.Record) (types.Event, error) {
	text, err := a.shape(r)
	e := types.Event{
		EventId: aws.String(eventID(r)), EventName: aws.String(r.Action), EventSource: aws.String(r.EventSource),
		EventTime: aws.Time(r.Time), ReadOnly: aws.String(strconv.FormatBool(r.ReadOnly)), CloudTrailEvent: aws.String(text),
		Resources: []types.Resource{},
	}
	if r.AccessKeyID != "" {
		e.AccessKeyId = aws.String(r.AccessKeyID)
	}
	if name := username(r); name != "" {
		e.Username = aws.String(name)
	}
	for _, x := range resourcesOf(r) {
		e.Resources = append(e.Resources, types.Resource{ResourceType: aws.String(x.kind), ResourceName: aws.String(x.name)})
	}
	return e, err
}

// A token is the sequence number of the last event that was shown and a digest
// of what was asked. Neither is a secret, and a forged one shows nothing that
// its sender may not look up anyway.
func token(in *sdk.LookupEventsInput, seq int64) string {
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(seq)), asked(in)...))
}

func readToken(in *sdk.LookupEventsInput, text string) (seq int64, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < 8 {
		return 0, false
	}
	seq = int64(binary.BigEndian.Uint64(raw))
	return seq, seq > 0 && token(in, seq) == text
}

func asked(in *sdk.LookupEventsInput) []byte {
	text, _ := json.Marshal([]any{in.LookupAttributes, aws.ToTime(in.StartTime).Unix(), aws.ToTime(in.EndTime).Unix()}) // plain data always encodes
	sum := sha256.Sum256(text)
	return sum[:8]
}

func fault(code, format string, args ...any) error {
	return &awsapi.Fault{Code: code, Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}
