package awsapi

import (
	"cmp"
	"context"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// Service is one AWS service with the operations that are served of it.
type Service struct {
	Model       *model.Service
	Operations  []Operation
	Permissions Permissions
	// Judged names shapes of the model whose constraints are not checked here,
	// because the operations check them and say more than the model can.
	Judged map[string]bool
	// Prefix begins the service's IAM actions; "" when it is the signing name.
	Prefix string
	// Home is a region that requests may be signed for beside the server's: that
	// of a global service. Some SDKs sign for it, and some, when they are given
	// an endpoint, for their own region (seen in botocore).
	Home string
	// Complete fills in what a request may leave out because the caller tells
	// it; nil: nothing.
	Complete func(caller Caller, in any)
	// Conditions returns the service's own condition keys that a request brings
	// with it; nil: none. Those of tags are found without it.
	Conditions func(in any) map[string][]string
	// Tagging names the action that a request must be allowed on top, on the
	// first of its resources, because it gives tags to what it creates; "" for
	// none. Without it tags could be chosen by who may not tag, and with them what
	// policies say about tags. nil: no operation of the service does.
	Tagging func(in any) Action
}

// action is the IAM action of an operation.
func (s *Service) action(operation string) Action {
	return Action(cmp.Or(s.Prefix, s.Model.SigningName) + ":" + operation)
}

// Operation is one operation of a service.
type Operation struct {
	Name  string
	input func() any
	serve func(ctx context.Context, in any) (any, error)
}

// Serve makes an Operation from a function of the SDK's input and output types.
// Every error that is not an *identity.Error or a *Fault is an internal failure.
func Serve[In, Out any](name string, f func(ctx context.Context, in *In) (*Out, error)) Operation {
	return Operation{
		Name:  name,
		input: func() any { return new(In) },
		serve: func(ctx context.Context, in any) (any, error) { return f(ctx, in.(*In)) },
	}
}
