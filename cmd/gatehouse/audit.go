package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/exception"
	"github.com/gatehouse/gatehouse/internal/posture/report"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

// judgeFlags are what audit and gate share.
type judgeFlags struct {
	Control    []string          `help:"Only these controls, such as MSK.6; may be repeated." placeholder:"ID"`
	Exceptions string            `help:"File of reviewed exceptions." type:"path" placeholder:"FILE"`
	Parameter  map[string]string `help:"A value for a template's parameter; may be repeated." placeholder:"NAME=VALUE"`
	Setting    map[string]string `help:"A control's parameter, such as ElastiCache.1/snapshotRetentionPeriod=7." placeholder:"CONTROL/NAME=VALUE"`
	Output     string            `help:"table, json, html, sarif, junit or asff." enum:"table,json,html,sarif,junit,asff" default:"table"`
	OutputFile string            `help:"Write the report here in place of standard output." type:"path" placeholder:"FILE"`
}

type auditCommand struct {
	judgeFlags
	liveFlags
	Template []string `help:"Template, plan or folder to read; may be repeated. CloudFormation, SAM, CDK output and Terraform plans in JSON are told apart by content." placeholder:"PATH" sep:"none"`
	Compare  string   `help:"Earlier JSON report to compare with." type:"path" placeholder:"REPORT"`
}

// Run audits what the flags name: templates, or the AWS account that the
// environment's credentials belong to.
func (c auditCommand) Run(ctx context.Context) error {
	if c.Send && len(c.Template) > 0 {
		return usageError{errors.New("--send is for a live audit: Security Hub has no account for a template's resources")}
	}
	if c.Suppress && !c.Send {
		return usageError{errors.New("--suppress goes with --send")}
	}
	var earlier *report.Report
	if c.Compare != "" {
		read, err := readReport(c.Compare)
		if err != nil {
			return usageError{err}
		}
		earlier = &read
	}
	inventory, err := c.read(ctx)
	if err != nil {
		return err
	}
	result, err := c.judge(inventory)
	if err != nil {
		return err
	}
	if earlier != nil {
		result.Compare(*earlier)
	}
	if err := c.write(&result); err != nil {
		return err
	}
	if c.Send {
		if err := c.send(ctx, &result); err != nil {
			return err
		}
	}
	return ended(result.ExitCode())
}

func ended(code int) error {
	if code == report.ExitClean {
		return nil
	}
	return exitWith(code)
}

// read takes the inventory from templates, or from AWS when none are named.
func (c auditCommand) read(ctx context.Context) (posture.Inventory, error) {
	if len(c.Template) == 0 {
		return c.live(ctx, c.Control)
	}
	options := files.Options{Parameters: c.Parameter}
	if len(c.Region) == 1 {
		options.Region = c.Region[0]
	}
	inventory := files.Read(c.Template, options)
	if len(inventory.Files)+len(inventory.Problems) == 0 {
		return inventory, usageError{fmt.Errorf("there is no template and no plan in %s", strings.Join(c.Template, ", "))}
	}
	return inventory, nil
}

// judge evaluates an inventory and applies the exceptions file.
func (c judgeFlags) judge(inventory posture.Inventory) (report.Report, error) {
	now := time.Now()
	controls, err := posture.Select(c.Control)
	if err != nil {
		return report.Report{}, usageError{err}
	}
	settings, err := c.settings()
	if err != nil {
		return report.Report{}, usageError{err}
	}
	findings, err := posture.Evaluate(inventory, posture.Options{Controls: c.Control, Parameters: settings})
	if err != nil {
		return report.Report{}, usageError{err}
	}
	result := report.New(inventory, controls, findings, version, now)
	if c.Exceptions != "" {
		file, err := exception.Load(c.Exceptions, now)
		if err != nil {
			return report.Report{}, usageError{err}
		}
		result.Exceptions = file.Apply(result.Findings, now)
		result.Count()
	}
	return result, nil
}

// settings splits CONTROL/NAME=VALUE.
func (c judgeFlags) settings() (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for key, value := range c.Setting {
		id, name, ok := strings.Cut(key, "/")
		control, known := posture.Lookup(id)
		if !ok || !known {
			return nil, fmt.Errorf("--setting %s: write CONTROL/NAME=VALUE, such as ElastiCache.1/snapshotRetentionPeriod=7", key)
		}
		if out[control.ID] == nil {
			out[control.ID] = map[string]string{}
		}
		out[control.ID][name] = value
	}
	return out, nil
}

// write prints the report, or writes it to a file whole or not at all.
func (c judgeFlags) write(result *report.Report) error {
	if c.OutputFile == "" {
		return result.Write(os.Stdout, c.Output)
	}
	file, err := os.Create(c.OutputFile)
	if err != nil {
		return usageError{fmt.Errorf("writing the report: %w", err)}
	}
	return errors.Join(result.Write(io.Writer(file), c.Output), file.Close())
}

func readReport(path string) (report.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return report.Report{}, fmt.Errorf("reading an earlier report: %w", err)
	}
	defer func() { _ = file.Close() }()
	return report.Read(file)
}
