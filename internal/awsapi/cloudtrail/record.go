package cloudtrail

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/internal/trail"
)

// eventVersion is that of the record's form (CloudTrail User Guide, "CloudTrail
// record contents").
const eventVersion = "1.11"

// event is a CloudTrail record. Members that must be there but may be null are
// not left out when empty.
type event struct {
	EventVersion       string         `json:"eventVersion"`
	UserIdentity       userIdentity   `json:"userIdentity"`
	EventTime          string         `json:"eventTime"`
	EventSource        string         `json:"eventSource"`
	EventName          string         `json:"eventName"`
	AWSRegion          string         `json:"awsRegion"`
	SourceIPAddress    string         `json:"sourceIPAddress"`
	UserAgent          string         `json:"userAgent"`
	ErrorCode          string         `json:"errorCode,omitempty"`
	ErrorMessage       string         `json:"errorMessage,omitempty"`
	RequestParameters  map[string]any `json:"requestParameters"`
	ResponseElements   map[string]any `json:"responseElements"`
	RequestID          string         `json:"requestID"`
	EventID            string         `json:"eventID"`
	ReadOnly           bool           `json:"readOnly"`
	EventType          string         `json:"eventType"`
	ManagementEvent    bool           `json:"managementEvent"`
	RecipientAccountID string         `json:"recipientAccountId"`
	EventCategory      string         `json:"eventCategory"`
}

// userIdentity is who made a call (CloudTrail User Guide, "CloudTrail
// userIdentity element").
type userIdentity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *sessionContext `json:"sessionContext,omitempty"`
}

type sessionContext struct {
	SessionIssuer sessionIssuer `json:"sessionIssuer"`
}

type sessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

// eventID is the same whenever a record is read: a UUID of its place in the chain.
func eventID(r *trail.Record) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", r.Prev, r.Seq))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80 // version 8, variant 10 (RFC 9562)
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// shape puts a record into CloudTrail's form.
func (a *API) shape(r *trail.Record) (string, error) {
	e := event{
		EventVersion: eventVersion, UserIdentity: identityOf(r), EventTime: r.Time.UTC().Format(time.RFC3339),
		EventSource: r.EventSource, EventName: r.Action, AWSRegion: a.Account.Region,
		SourceIPAddress: r.Source, UserAgent: r.UserAgent,
		RequestParameters: r.Parameters, ResponseElements: r.Response,
		RequestID: r.RequestID, EventID: eventID(r), ReadOnly: r.ReadOnly,
		EventType: "AwsApiCall", ManagementEvent: true, RecipientAccountID: a.Account.ID, EventCategory: "Management",
	}
	if r.Outcome != "ok" {
		e.ErrorCode, e.ErrorMessage = r.Outcome, r.Reason
	}
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encoding record %d: %w", r.Seq, err)
	}
	return string(text), nil
}

func identityOf(r *trail.Record) userIdentity {
	u := userIdentity{Type: "Unknown", PrincipalID: r.PrincipalID, ARN: r.Principal, AccessKeyID: r.AccessKeyID}
	parts := strings.SplitN(r.Principal, ":", 6)
	if len(parts) < 6 {
		return u
	}
	u.AccountID = parts[4]
	kind, _, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "root":
		u.Type = "Root"
	case "user":
		u.Type, u.UserName = "IAMUser", last(parts[5])
	case "assumed-role":
		u.Type = "AssumedRole"
		id, _, _ := strings.Cut(r.PrincipalID, ":")
		u.SessionContext = &sessionContext{sessionIssuer{Type: "Role", PrincipalID: id, ARN: r.Role, AccountID: u.AccountID, UserName: last(r.Role)}}
	}
	return u
}

// username is what LookupEvents calls a caller: a user's name, a session's name,
// or root.
func username(r *trail.Record) string {
	if strings.HasSuffix(r.Principal, ":root") {
		return "root"
	}
	return last(r.Principal)
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
