package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// Schema names the shape of the JSON report. It changes when a reader of the old
// shape would misread the new one.
const Schema = "gatehouse.audit/1"

// Exit codes of audit and gate. Code 2 is left to commands that could not run at
// all: a flag that does not exist, a file that cannot be written.
const (
	ExitClean   = 0
	ExitFail    = 1 // at least one FAIL or FAIL_EFFECTIVE
	ExitUsage   = 2
	ExitUnknown = 3 // no failure and no error, but something could not be decided
	ExitError   = 4 // no failure, but something could not be read
)

// Report is the outcome of one audit.
type Report struct {
	Schema      string                  `json:"schema"`
	GeneratedAt time.Time               `json:"generated_at"`
	Tool        Tool                    `json:"tool"`
	Summary     map[posture.Verdict]int `json:"summary"`
	Scopes      []posture.Scope         `json:"scopes,omitempty"`
	Controls    []string                `json:"controls"`
	Roots       []string                `json:"roots,omitempty"` // files and folders that were named
	Files       []string                `json:"files,omitempty"`
	Skipped     []string                `json:"skipped_files,omitempty"`
	Findings    []posture.Finding       `json:"findings"`
	Exceptions  []posture.ExceptionNote `json:"exceptions,omitempty"`
	Comparison  *Comparison             `json:"comparison,omitempty"`
	Gate        *Gate                   `json:"gate,omitempty"`
}

// Gate says what a change brought: findings that its base did not have.
type Gate struct {
	Against    []string `json:"against"`    // the base's files and folders
	Introduced int      `json:"introduced"` // failures, errors and undecided ones that are new
	Existing   int      `json:"existing"`   // those that the base has too; they are left out
}

// Tool names the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// New makes a report of ranked findings.
func New(inventory posture.Inventory, controls []posture.Control, findings []posture.Finding, version string, now time.Time) Report {
	r := Report{
		Schema: Schema, GeneratedAt: now.UTC().Truncate(time.Second),
		Tool:   Tool{Name: "gatehouse", Version: version},
		Scopes: inventory.Scopes, Roots: inventory.Roots, Files: inventory.Files, Skipped: inventory.Skipped,
		Findings: findings,
	}
	for _, control := range controls {
		r.Controls = append(r.Controls, control.ID)
	}
	if r.Findings == nil {
		r.Findings = []posture.Finding{}
	}
	r.Count()
	return r
}

// Count brings the summary up to date with the findings.
func (r *Report) Count() {
	r.Summary = map[posture.Verdict]int{}
	for _, verdict := range posture.Verdicts {
		r.Summary[verdict] = 0
	}
	for i := range r.Findings {
		r.Summary[r.Findings[i].Verdict]++
	}
}

// ExitCode is the process's exit code for this report.
func (r *Report) ExitCode() int {
	switch {
	case r.Summary[posture.Fail]+r.Summary[posture.FailEffective] > 0:
		return ExitFail
	case r.Summary[posture.Error] > 0:
		return ExitError
	case r.Summary[posture.Undecided] > 0:
		return ExitUnknown
	}
	return ExitClean
}

// Formats lists the formats that Write knows.
var Formats = []string{"table", "json", "html", "sarif", "junit", "asff"}

// Write writes the report in one of Formats.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "table", "":
		return r.writeTable(w)
	case "json":
		return r.writeJSON(w)
	case "html":
		return r.writeHTML(w)
	case "sarif":
		return r.writeSARIF(w)
	case "junit":
		return r.writeJUnit(w)
	case "asff":
		return r.writeASFF(w)
	}
	return fmt.Errorf("there is no output format %q; the formats are table, json, html, sarif, junit and asff", format)
}

func (r *Report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

// Read reads a JSON report that an earlier run wrote.
func Read(source io.Reader) (Report, error) {
	var r Report
	const most = 512 << 20 // far above a report of the largest estate
	if err := json.NewDecoder(io.LimitReader(source, most)).Decode(&r); err != nil {
		return Report{}, fmt.Errorf("reading an earlier report: %w", err)
	}
	if r.Schema != Schema {
		return Report{}, fmt.Errorf("reading an earlier report: its schema is %q, and %q is what this version reads", r.Schema, Schema)
	}
	return r, nil
}
