package main

import (
	"fmt"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/gate"
	"github.com/gatehouse/gatehouse/internal/posture/report"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

type gateCommand struct {
	judgeFlags
	Paths  []string `arg:"" name:"path" help:"Templates, plans or folders of the change."`
	Base   []string `help:"The same before the change: templates, plans or a folder of another checkout; may be repeated. A Terraform plan needs none: what exists stands in it." placeholder:"PATH" sep:"none"`
	Strict bool     `help:"Also end with a failure on what cannot be decided (exit code 3)."`
}

// Run reports what the change introduces and ends with 1 on a failure that no
// exception covers.
func (c gateCommand) Run() error {
	result, err := c.judge(files.Read(c.Paths, files.Options{Parameters: c.Parameter}))
	if err != nil {
		return err
	}
	base, roots, err := c.base()
	if err != nil {
		return err
	}
	gate.Narrow(&result, base, roots)
	if err := c.write(&result); err != nil {
		return err
	}
	return ended(gate.ExitCode(&result, c.Strict))
}

// base judges what was there before; exceptions do not matter for it.
func (c gateCommand) base() ([]posture.Finding, []string, error) {
	var inventory posture.Inventory
	if len(c.Base) > 0 {
		inventory = files.Read(c.Base, files.Options{Parameters: c.Parameter})
	} else {
		inventory = files.Read(c.Paths, files.Options{Parameters: c.Parameter, Prior: true})
		inventory.Problems = nil // they are the change's own, and reported there
	}
	before := c.judgeFlags
	before.Exceptions = ""
	result, err := before.judge(inventory)
	if err != nil {
		return nil, nil, err
	}
	if result.Summary[posture.Error] > 0 {
		return nil, nil, usageError{baseError(result)}
	}
	return result.Findings, inventory.Roots, nil
}

// baseError says why the base cannot serve: judged against half a base, old
// findings would look new.
func baseError(base report.Report) error {
	for _, f := range base.Findings {
		if f.Verdict == posture.Error {
			return fmt.Errorf("reading the base %s: %s", f.Resource, f.Reason)
		}
	}
	return nil
}
