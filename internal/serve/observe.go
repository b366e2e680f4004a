package serve

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// TrailKey is the purpose of the key that signs the trail's checkpoints.
const TrailKey = "trail"

// callRecorder puts API calls on the trail. What strangers send, and what
// succeeds and only reads, is recorded once a minute and counted: the one must
// not fill the disk, the other would bury what matters, since tools poll.
type callRecorder struct{ trail *trail.Trail }

// Called implements awsapi.Observer.
func (r callRecorder) Called(_ context.Context, call awsapi.Call) {
	record := trail.Record{
		Time: call.Time, Event: trail.APICall, Outcome: "ok", Reason: call.ErrorText,
		Principal: call.Caller.ARN, PrincipalID: call.Caller.UserID, AccessKeyID: call.AccessKeyID, Source: call.SourceIP,
		Service: call.Service, EventSource: call.EventSource, Action: call.Operation, RequestID: call.RequestID,
		UserAgent: call.UserAgent, Parameters: call.Parameters, Response: call.Response, ReadOnly: call.ReadOnly,
	}
	if id := call.Caller.Identity; id != nil {
		record.Role = id.Principal.Role
	}
	if call.ErrorCode != "" {
		record.Outcome = call.ErrorCode
	}
	switch {
	case record.Principal == "":
		r.trail.AppendSeldom("strangers", call.SourceIP+" "+call.ErrorCode, record)
	case call.ReadOnly && call.ErrorCode == "":
		r.trail.AppendSeldom("reads", record.Principal+" "+call.Service+":"+call.Operation, record)
	default:
		r.trail.Append(record)
	}
}

// loginRecorder puts logins and ends of sessions on the trail.
type loginRecorder struct {
	trail   *trail.Trail
	gateway string
}

// eventOf names the trail's events by the gateway's outcomes.
var eventOf = map[gateway.Outcome]string{
	gateway.Accepted:        trail.LoginAccepted,
	gateway.Reauthenticated: trail.LoginAccepted,
	gateway.Refused:         trail.LoginRefused,
	gateway.LoggedOut:       trail.LoggedOut,
	gateway.Revoked:         trail.SessionEnded,
}

// Login implements gateway.Observer.
func (r loginRecorder) Login(event gateway.LoginEvent) {
	outcome := "ok"
	if event.Outcome == gateway.Refused {
		outcome = "refused"
	}
	r.trail.Append(trail.Record{
		Time: event.Time.UTC(), Event: eventOf[event.Outcome], Outcome: outcome, Reason: event.Reason,
		Principal: event.Principal, Source: event.Peer, Cache: event.Cache, Node: event.Node,
		User: event.User, Method: string(event.Method), Gateway: r.gateway,
	})
}
