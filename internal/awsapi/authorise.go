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
	SourceIP  string
}

// Authorizer decides what a caller may do. A refusal is an *identity.Error of
// kind AccessDenied; Denied makes one in AWS's words.
type Authorizer interface {
	Authorize(ctx context.Context, access Access) error
}

// RootOnly lets the account's root do everything and nobody else anything.
type RootOnly struct{}

// Authorize implements Authorizer.
func (RootOnly) Authorize(_ context.Context, access Access) error {
	if access.Caller.Root {
		return nil
	}
	return Denied(access, "no identity-based policy allows the "+string(access.Action)+" action")
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

func (d *Door) authorise(ctx context.Context, call *Call, action Action, in any) error {
	access := Access{Caller: call.Caller, Action: action, SourceIP: call.SourceIP}
	resources, listed := d.permissions[action]
	if !listed {
		return Denied(access, "the action is not in the authorisation table")
	}
	access.Resources = resources(in)
	return d.config.Authorizer.Authorize(ctx, access)
}
