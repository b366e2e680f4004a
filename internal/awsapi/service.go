package awsapi

import (
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
