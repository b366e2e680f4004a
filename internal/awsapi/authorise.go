package awsapi

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Permissions is the authorisation table. An action that is not in it is
// refused, whoever asks.
type Permissions map[Action]Resources

// Action is an IAM action, such as "elasticache:CreateUser".
type Action string

// Resources returns the ARNs that a call with this input touches.
type Resources func(in any) []string

// On makes Resources from a function of the operation's input type.
func On[In any](f func(in *In) []string) Resources {
	return func(in any) []string { return f(in.(*In)) }
}

// OnAll is for actions that have no resource types.
func OnAll(any) []string { return []string{"*"} }

// Access is a question to an Authorizer.
type Access struct {
	Caller    Caller
	Action    Action
	Resources []string // all of them must be allowed
	// Conditions are the condition keys that the request brings with it.
	Conditions map[string][]string
	SourceIP   string
	UserAgent  string
	Secure     bool // came over TLS
}

type accessKey struct{}

// AccessOf returns the question by which the operation that ctx belongs to was
// allowed, for operations that take several actions.
func AccessOf(ctx context.Context) Access {
	access, _ := ctx.Value(accessKey{}).(Access)
	return access
}

// Authorizer decides what a caller may do. A refusal is an *identity.Error of
// kind AccessDenied; Denied makes one in AWS's words.
type Authorizer interface {
	Authorize(ctx context.Context, access Access) error
}

// Denied is the refusal of access, for the reason given.
func Denied(access Access, reason string) error {
	resource := "*"
	if len(access.Resources) > 0 {
		resource = access.Resources[0]
	}
	return identity.Errorf(identity.AccessDenied,
		"User: %s is not authorized to perform: %s on resource: %s because %s",
		access.Caller.ARN, access.Action, resource, reason)
}

// authorise asks whether the call may be made. The context that it returns
// answers AccessOf.
func (d *Door) authorise(ctx context.Context, call *Call, action Action, in any, conditions map[string][]string) (context.Context, error) {
	access := Access{
		Caller: call.Caller, Action: action, Conditions: conditions,
		SourceIP: call.SourceIP, UserAgent: call.UserAgent, Secure: call.secure,
	}
	resources, listed := d.permissions[action]
	if !listed {
		return nil, Denied(access, "the action is not in the authorisation table")
	}
	access.Resources = resources(in)
	if len(access.Resources) == 0 { // nothing to be asked about is nothing allowed
		access.Resources = []string{"*"}
	}
	return context.WithValue(ctx, accessKey{}, access), d.config.Authorizer.Authorize(ctx, access)
}

// authoriseTagging asks about the tags that an allowed request gives.
func (d *Door) authoriseTagging(ctx context.Context, service *served, in any) error {
	if service.Tagging == nil {
		return nil
	}
	access := AccessOf(ctx)
	if access.Action = service.Tagging(in); access.Action == "" {
		return nil
	}
	access.Resources = access.Resources[:1]
	return d.config.Authorizer.Authorize(ctx, access)
}
