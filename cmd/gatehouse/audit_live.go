package main

import (
	"context"
	"errors"

	awssource "github.com/gatehouse/gatehouse/internal/posture/source/aws"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/report"
)

// liveFlags say which part of AWS is audited.
type liveFlags struct {
	Region      []string `help:"Region to audit; may be repeated, and \"all\" means every enabled one. The environment's own by default." placeholder:"REGION"`
	RoleARN     []string `name:"role-arn" help:"Role to assume in a further account; may be repeated." placeholder:"ARN" sep:"none"`
	EndpointURL string   `name:"endpoint-url" help:"Endpoint in place of AWS's." placeholder:"URL"`
	Gatehouse   bool     `help:"Audit the caches of the Gatehouse server that --endpoint-url or AWS_ENDPOINT_URL names."`
	Send        bool     `help:"Import the findings into Security Hub, update those of earlier runs, and resolve what is fixed."`
	Suppress    bool     `help:"With --send: mark Security Hub's own findings of excepted resources SUPPRESSED, with the written reason, and reopen them when the exception ends."`
}

// live reads AWS with the ordinary credential chain.
func (c liveFlags) live(ctx context.Context, controls []string) (posture.Inventory, error) {
	config, err := awssource.Load(ctx)
	if err != nil {
		return posture.Inventory{}, usageError{err}
	}
	return awssource.Read(ctx, awssource.Options{
		Config: config, Regions: c.Region, Roles: c.RoleARN, Endpoint: c.EndpointURL, Gatehouse: c.Gatehouse, Controls: controls,
	})
}

// send imports the report into Security Hub.
func (c liveFlags) send(context.Context, *report.Report) error {
	return usageError{errors.New("--send is not available")}
}
