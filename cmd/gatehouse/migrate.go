package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gatehouse/gatehouse/internal/posture/migrate"
	awssource "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

type migrateCommand struct {
	Plan     migratePlan     `cmd:"" help:"Write the plan that takes a resource from its open path to an authenticated one. Changes nothing."`
	Apply    migrateApply    `cmd:"" help:"Carry a plan out up to its next gate. Only says what it would do unless --execute is given."`
	Status   migrateStatus   `cmd:"" help:"Show where a migration stands, and what the old path's use says now."`
	Rollback migrateRollback `cmd:"" help:"Take back what a plan has done, the last step first. Only says what it would do unless --execute is given."`
}

// migrateFlags say as whom and where the calls are made.
type migrateFlags struct {
	RoleARN     string `name:"role-arn" help:"Role to assume in the resource's account." placeholder:"ARN"`
	EndpointURL string `name:"endpoint-url" help:"Endpoint in place of AWS's; a Gatehouse server's for its own caches." placeholder:"URL"`
	CA          string `help:"Authorities that the cache's endpoint verifies against, besides the system's (PEM)." env:"GATEHOUSE_CA" type:"path" placeholder:"FILE"`
}

// config is the AWS configuration for the region of a resource.
func (f migrateFlags) config(ctx context.Context, arn string) (awssdk.Config, error) {
	config, err := awssource.Load(ctx)
	if err != nil {
		return config, usageError{err}
	}
	config = awssource.Options{Config: config, Endpoint: f.EndpointURL}.Prepare()
	if parts := strings.Split(arn, ":"); len(parts) > 3 && parts[3] != "" {
		config.Region = parts[3]
	}
	return awssource.AsRole(config, f.RoleARN), nil
}

func (f migrateFlags) tls() (*tls.Config, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, usageError{fmt.Errorf("reading the authorities: %w", err)}
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, usageError{fmt.Errorf("%s holds no certificate", f.CA)}
		}
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

type migratePlan struct {
	migrateFlags
	Resource  string            `arg:"" help:"The resource's ARN, as the audit shows it."`
	To        string            `help:"Method to reach: iam, jwt, lambda (routes); iam, cognito, oidc, lambda (AppSync); iam, scram (MSK); auth, rbac, iam (ElastiCache); scram (DMS). The recommended one by default." placeholder:"METHOD"`
	Control   string            `help:"What to fix when it is not the authentication, such as ElastiCache.5." placeholder:"ID"`
	Window    time.Duration     `help:"How long the old path must have been unused. Cover a weekly cycle where there is one." default:"48h"`
	Set       map[string]string `help:"A setting of the path, such as issuer=https://…; the command says which it needs. Never a secret." placeholder:"NAME=VALUE"`
	Gatehouse bool              `help:"The cache is Gatehouse's own: its logins are the evidence."`
	Out       string            `help:"Where the plan is written (default migrate-NAME.yaml)." type:"path" placeholder:"FILE"`
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// Run reads the resource and writes the plan.
func (c migratePlan) Run(ctx context.Context) error {
	config, err := c.config(ctx, c.Resource)
	if err != nil {
		return err
	}
	roots, err := c.tls()
	if err != nil {
		return err
	}
	plan, err := migrate.Make(ctx, migrate.Request{
		Resource: c.Resource, Control: c.Control, To: c.To, Window: c.Window, Set: c.Set,
		Gatehouse: c.Gatehouse, Config: config, TLS: roots,
	})
	if err != nil {
		return err
	}
	path := c.Out
	if path == "" {
		parts := strings.SplitN(c.Resource, ":", 6)
		path = "migrate-" + strings.Trim(notInNames.ReplaceAllString(parts[len(parts)-1], "-"), "-") + ".yaml"
	}
	if err := plan.Save(path); errors.Is(err, os.ErrExist) {
		return usageError{fmt.Errorf("%s is there already: apply it, or name another file with --out", path)}
	} else if err != nil {
		return err
	}
	fmt.Printf("%s: from %s to %s\n%s\n\n", plan.Resource, plan.From, plan.To, plan.Why)
	for i, s := range plan.Steps {
		fmt.Printf("%2d  %-8s  %s\n", i+1, s.Kind, s.Title)
	}
	for _, w := range plan.Warnings {
		fmt.Println("\nMind:", w)
	}
	fmt.Printf("\nThe plan is in %s. Read it, then: gatehouse migrate apply %s\n", path, path)
	return nil
}

// runFlags are what apply, status and rollback share.
type runFlags struct {
	migrateFlags
	PlanFile   string            `arg:"" name:"plan" help:"The plan." type:"existingfile"`
	SecretFile map[string]string `help:"File that holds a secret of the plan; GATEHOUSE_SECRET_NAME in the environment does as well." placeholder:"NAME=FILE"`
}

// run opens the plan and its record, and runs what do says.
func (f runFlags) run(ctx context.Context, execute bool, do func(*migrate.Runner) error) error {
	plan, err := migrate.Load(f.PlanFile)
	if err != nil {
		return usageError{err}
	}
	config, err := f.config(ctx, plan.Resource)
	if err != nil {
		return err
	}
	roots, err := f.tls()
	if err != nil {
		return err
	}
	record, err := migrate.OpenRecord(migrate.RecordPath(f.PlanFile))
	if err != nil {
		return err
	}
	err = do(&migrate.Runner{
		Plan: plan, Name: f.PlanFile, Record: record, Config: config, TLS: roots, Execute: execute, Operator: operator(), Secret: f.secret,
		Sessions: gatehouseLogins{f.EndpointURL}, Report: func(s string) { fmt.Println(s) },
	})
	return errors.Join(err, record.Close())
}

// secret reads a secret that a plan names, from a file or the environment: never
// from the command line.
func (f runFlags) secret(_ context.Context, name string) (string, error) {
	variable := "GATEHOUSE_SECRET_" + strings.ToUpper(notInNames.ReplaceAllString(name, "_"))
	if path := f.SecretFile[name]; path != "" {
		raw, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			return "", fmt.Errorf("reading the secret %s: %w", name, err)
		}
		return strings.TrimRight(string(raw), "\r\n"), nil
	}
	if value := os.Getenv(variable); value != "" {
		return value, nil
	}
	return "", fmt.Errorf("the plan needs the secret %s: give --secret-file %s=FILE, or set %s", name, name, variable)
}

// operator is who the record says was at work.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

type migrateApply struct {
	runFlags
	Execute         bool              `help:"Make the calls."`
	Confirm         map[string]string `help:"A person's step that is done, with a note for the record; may be repeated." placeholder:"STEP=NOTE" mapsep:"none"`
	WithoutEvidence map[string]string `help:"How you know that nobody uses the old path, where nothing can show it: for one step, in words that the record keeps; may be repeated." placeholder:"STEP=REASON" mapsep:"none"`
}

// Run carries the plan out up to its next gate.
func (c migrateApply) Run(ctx context.Context) error {
	return c.run(ctx, c.Execute, func(r *migrate.Runner) error {
		r.Confirmed, r.WithoutEvidence = c.Confirm, c.WithoutEvidence
		out, err := r.Apply(ctx)
		return ending(out, err, c.Execute)
	})
}

func ending(out migrate.Outcome, err error, execute bool) error {
	fmt.Printf("\n%s", out.State)
	if out.Step != "" {
		fmt.Printf(", at step %s", out.Step)
	}
	fmt.Println()
	if out.Message != "" {
		fmt.Println(out.Message)
	}
	if err == nil && !execute {
		fmt.Println("Nothing was changed: give --execute to do it.")
	}
	return err
}

type migrateStatus struct {
	runFlags
	outputFlag
}

// Run shows where the migration stands.
func (c migrateStatus) Run(ctx context.Context) error {
	return c.run(ctx, false, func(r *migrate.Runner) error {
		status, err := r.Status(ctx)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(os.Stdout, status)
		}
		fmt.Printf("%s: from %s to %s\n%s\n\n", status.Resource, status.From, status.To, status.State)
		if err := list(c.outputFlag, status.Steps, "The plan has no steps.", []string{"STEP", "KIND", "STANDS", "WHAT"}, func(s migrate.StepStatus) []string {
			return []string{s.ID, string(s.Kind), s.Stand, s.Title}
		}); err != nil {
			return err
		}
		for _, line := range []string{status.Busy, status.Stops} {
			if line != "" {
				fmt.Println("\n" + line)
			}
		}
		if status.Changed {
			fmt.Println("\nThe configuration has changed under the migration: make a new plan, it starts from what is there now.")
		}
		return nil
	})
}

type migrateRollback struct {
	runFlags
	Execute bool `help:"Make the calls."`
}

// Run takes the plan back.
func (c migrateRollback) Run(ctx context.Context) error {
	return c.run(ctx, c.Execute, func(r *migrate.Runner) error {
		out, err := r.Rollback(ctx)
		return ending(out, err, c.Execute)
	})
}

// gatehouseLogins asks a Gatehouse server who still logs in by the old method:
// the evidence of migrations of its own caches.
type gatehouseLogins struct{ endpoint string }

// Logins implements awssource.Sessions.
func (l gatehouseLogins) Logins(ctx context.Context, cache string, since time.Time) (awssource.Logins, error) {
	var logins awssource.Logins
	s, err := serverFlags{}.find()
	if err != nil {
		return logins, err
	}
	if l.endpoint != "" {
		s.Endpoint = l.endpoint
	}
	query := url.Values{"cache": {cache}, "since": {since.UTC().Format(time.RFC3339)}}
	err = s.call(ctx, http.MethodGet, "/gatehouse/v1/logins?"+query.Encode(), nil, &logins)
	return logins, err
}
