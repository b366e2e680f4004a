package main

import (
	"fmt"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/exception"
)

type exceptionsCommand struct {
	List   exceptionsList   `cmd:"" help:"List the entries with their owners and ends."`
	Check  exceptionsCheck  `cmd:"" help:"Check a file of exceptions: what is invalid, expired or about to expire."`
	Add    exceptionsAdd    `cmd:"" help:"Add an entry."`
	Schema exceptionsSchema `cmd:"" help:"Print the file's JSON schema, for editors."`
}

type exceptionsFile struct {
	File string `help:"File of reviewed exceptions." type:"path" default:"exceptions.yaml" placeholder:"FILE"`
}

// exceptionRow is an entry with its state, as list prints it.
type exceptionRow struct {
	ID       string `json:"id"`
	State    string `json:"state"` // active, expiring, expired, invalid
	Control  string `json:"control"`
	Resource string `json:"resource"`
	Owner    string `json:"owner"`
	Expires  string `json:"expires"`
	Detail   string `json:"detail,omitempty"`
}

func (c exceptionsFile) rows() ([]exceptionRow, error) {
	now := time.Now()
	file, err := exception.Load(c.File, now)
	if err != nil {
		return nil, usageError{err}
	}
	rows := make([]exceptionRow, 0, len(file.Entries))
	for i := range file.Entries {
		e := &file.Entries[i]
		state, detail := e.State(now)
		rows = append(rows, exceptionRow{e.ID, state, e.Control, e.Resource, e.Owner, e.Expires, detail})
	}
	return rows, nil
}

type exceptionsList struct {
	exceptionsFile
	outputFlag
}

// Run lists every entry.
func (c exceptionsList) Run() error {
	rows, err := c.rows()
	if err != nil {
		return err
	}
	return list(c.outputFlag, rows, "The file has no exceptions.",
		[]string{"ID", "STATE", "CONTROL", "RESOURCE", "OWNER", "EXPIRES"},
		func(r exceptionRow) []string {
			return []string{r.ID, r.State, r.Control, r.Resource, r.Owner, r.Expires}
		})
}

type exceptionsCheck struct{ exceptionsFile }

// Run prints what is wrong and fails if anything is. Which entries match nothing
// only an audit with --exceptions can tell.
func (c exceptionsCheck) Run() error {
	rows, err := c.rows()
	if err != nil {
		return err
	}
	wrong := 0
	for _, row := range rows {
		if row.State == exception.StateActive {
			continue
		}
		fmt.Printf("%s: %s: %s\n", row.ID, row.State, row.Detail)
		if row.State != exception.StateExpiring {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d exceptions excuse nothing", wrong, len(rows))
	}
	fmt.Printf("%d exceptions are valid\n", len(rows))
	return nil
}

type exceptionsAdd struct {
	exceptionsFile
	ID           string `required:"" help:"A name of its own, such as EX-7."`
	Control      string `required:"" help:"The control that fails, such as APIGateway.8."`
	Resource     string `required:"" help:"The resource, as the report names it."`
	Glob         bool   `help:"The resource is a glob (* and ?)."`
	Owner        string `required:"" help:"Who answers for it."`
	Reason       string `required:"" help:"Why it may answer strangers."`
	Compensating string `required:"" name:"compensating-control" help:"What protects it instead."`
	ApprovedBy   string `required:"" help:"Who approved it."`
	Expires      string `required:"" help:"Last day on which it counts, as in 2026-12-31."`
	Ticket       string `help:"Ticket."`
}

// Run appends the entry; one that would excuse nothing is refused.
func (c exceptionsAdd) Run() error {
	now := time.Now()
	entry := exception.Entry{
		ID: c.ID, Control: c.Control, Resource: c.Resource, Owner: c.Owner, Reason: c.Reason,
		Compensating: c.Compensating, ApprovedBy: c.ApprovedBy, Created: now.UTC().Format(time.DateOnly),
		Expires: c.Expires, Ticket: c.Ticket,
	}
	if c.Glob {
		entry.Match = "glob"
	}
	if control, ok := posture.Lookup(c.Control); ok {
		entry.Control = control.ID
	}
	if err := exception.Add(c.File, entry, now); err != nil {
		return usageError{err}
	}
	fmt.Printf("added %s to %s\n", c.ID, c.File)
	return nil
}

type exceptionsSchema struct{}

// Run prints the schema.
func (exceptionsSchema) Run() error {
	_, err := fmt.Fprint(os.Stdout, exception.Schema)
	return err
}
