package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/report"
	awssource "github.com/gatehouse/gatehouse/internal/posture/source/aws"
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

// options are the flags as the live source takes them.
func (c liveFlags) options(ctx context.Context, controls []string) (awssource.Options, error) {
	config, err := awssource.Load(ctx)
	if err != nil {
		return awssource.Options{}, usageError{err}
	}
	options := awssource.Options{
		Config: config, Regions: c.Region, Roles: c.RoleARN, Endpoint: c.EndpointURL, Gatehouse: c.Gatehouse, Controls: controls,
	}
	if c.Gatehouse {
		options.Sessions = gatehouseLogins{c.EndpointURL}
	}
	return options, nil
}

// live reads AWS with the ordinary credential chain.
func (c liveFlags) live(ctx context.Context, controls []string) (posture.Inventory, error) {
	options, err := c.options(ctx, controls)
	if err != nil {
		return posture.Inventory{}, err
	}
	return awssource.Read(ctx, options)
}

// send imports the report into Security Hub and says on standard error what
// changed there; a finding that was refused makes the command fail.
func (c liveFlags) send(ctx context.Context, result *report.Report) error {
	options, err := c.options(ctx, nil)
	if err != nil {
		return err
	}
	sent, err := awssource.Send(ctx, options, result, c.Suppress)
	fmt.Fprintf(os.Stderr, "Security Hub: %d imported, %d resolved, %d reopened, %d suppressed\n", sent.Imported, sent.Resolved, sent.Reopened, sent.Suppressed)
	if err != nil {
		return err
	}
	if len(sent.Refused) > 0 {
		return fmt.Errorf("refused by Security Hub: %d finding(s): %s", len(sent.Refused), sent.Refused[0])
	}
	return nil
}
