package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// Version is the format of plans and records.
const Version = 1

// DefaultWindow is how long the old path must have been unused before it is
// closed. It should cover the weekly jobs of the callers.
const DefaultWindow = 48 * time.Hour

// maxPlan bounds a plan file: the longest, with fifty API keys, is under 200 kB.
const maxPlan = 4 << 20

// State is where a migration stands.
type State string

// The states, in their order. A migration goes back from IDLE to DRAINING when
// use reappears, and to OPEN when it is rolled back.
const (
	Open     State = "OPEN"     // only the path that asks nobody
	Dual     State = "DUAL"     // both paths work
	Draining State = "DRAINING" // the old path's use is being measured
	Idle     State = "IDLE"     // unused for the whole window
	Closed   State = "CLOSED"   // the old path is gone from the configuration
	Verified State = "VERIFIED" // the service itself refuses strangers
)

// Kind says what a step is.
type Kind string

// The kinds of steps. Run carries out calls and checks; it stops at the others.
const (
	KindCall     Kind = "call"     // one API call
	KindManual   Kind = "manual"   // a person does it and confirms it
	KindEvidence Kind = "evidence" // the old path's use must have been zero
	KindWait     Kind = "wait"     // something must have come about by itself
	KindVerify   Kind = "verify"   // the service is asked
)

// Plan is what a migration will do, for a person to read and for Apply to run.
type Plan struct {
	Version  int          `yaml:"version"`
	Created  time.Time    `yaml:"created"`
	Resource string       `yaml:"resource"`
	Type     posture.Kind `yaml:"type"`
	Account  string       `yaml:"account"`
	Region   string       `yaml:"region"`
	Control  string       `yaml:"control"`
	From     string       `yaml:"from"`
	To       string       `yaml:"to"`
	Why      string       `yaml:"why"`
	Warnings []string     `yaml:"warnings,omitempty"`
	// Precondition is the configuration that was read to make the plan.
	Precondition Precondition `yaml:"precondition"`
	// Watch names users and user groups that belong to the configuration before
	// they exist.
	Watch  Watch  `yaml:"watch,omitempty"`
	Window string `yaml:"window"` // of the evidence
	Steps  []Step `yaml:"steps"`
}

// Watch names what a reader looks up besides the resource itself.
type Watch struct {
	Users  []string `yaml:"users,omitempty"`
	Groups []string `yaml:"groups,omitempty"`
	Routes []string `yaml:"routes,omitempty"` // route keys
}

// Precondition is a configuration and its hash.
type Precondition struct {
	Hash string         `yaml:"hash"`
	Read map[string]any `yaml:"read"`
}

// Step is one step of a plan.
type Step struct {
	ID      string `yaml:"id"`
	Kind    Kind   `yaml:"kind"`
	Title   string `yaml:"title"`
	Reaches State  `yaml:"reaches,omitempty"`
	// Precondition says which configuration the step expects: the hash for the
	// first, for the others the step whose outcome is recorded.
	Precondition string `yaml:"precondition,omitempty"`
	Effect       string `yaml:"effect,omitempty"` // on live clients
	Call         *Call  `yaml:"call,omitempty"`
	// Closes marks calls that take the old path away: the evidence is read again
	// right before them.
	Closes bool `yaml:"closes,omitempty"`
	// Until are the checks that hold when the step is done; a call is not made
	// when they already hold, unless Repeat is set because it is a test.
	Until  []Check `yaml:"until,omitempty"`
	Repeat bool    `yaml:"repeat,omitempty"`
	// Made are further checks that show, after an interruption, that the call was
	// made, where the configuration alone cannot.
	Made []Check `yaml:"made,omitempty"`
	// Fails are checks that end the waiting for Until with a failure.
	Fails    []Check           `yaml:"fails,omitempty"`
	Outputs  map[string]string `yaml:"outputs,omitempty"`  // name: path in the configuration, read when done
	Remember map[string]string `yaml:"remember,omitempty"` // name: path in the configuration, read before
	Evidence *usage.Spec       `yaml:"evidence,omitempty"`
	Verify   []Check           `yaml:"verify,omitempty"`
	Rollback *Undo             `yaml:"rollback,omitempty"`
}

// Call is one AWS API call. Input is in the API's own words. ${…} stands for a
// value known only later: ${now.PATH} of the configuration read right before
// the call, ${steps.ID.NAME} an output, ${secret.NAME} a secret that is never
// written here, ${time.+25h} a moment in epoch seconds on a full hour.
type Call struct {
	Service   string         `yaml:"service"`
	Operation string         `yaml:"operation"`
	Input     map[string]any `yaml:"input"`
}

func (c Call) String() string { return c.Service + ":" + c.Operation }

// Undo takes a step back.
type Undo struct {
	Calls []UndoCall `yaml:"calls,omitempty"`
	Note  string     `yaml:"note,omitempty"`
	// Impossible says that the step cannot be taken back, and Note why.
	Impossible bool `yaml:"impossible,omitempty"`
}

// UndoCall is one call of a rollback. It is skipped when Until and Made already
// hold; Until is waited for.
type UndoCall struct {
	Call  Call    `yaml:"call"`
	Until []Check `yaml:"until,omitempty"`
	Made  []Check `yaml:"made,omitempty"`
}

// undo is the rollback by one call.
func undo(c *Call, until ...Check) *Undo {
	return &Undo{Calls: []UndoCall{{Call: *c, Until: until}}}
}

// withNote adds a remark to a rollback.
func withNote(u *Undo, note string) *Undo {
	u.Note = note
	return u
}

// Check is a question with one right answer: to the configuration (Path), or to
// the service itself (Probe).
type Check struct {
	Path   string `yaml:"path,omitempty"`
	Is     any    `yaml:"is,omitempty"`     // the value
	Lacks  string `yaml:"lacks,omitempty"`  // a list does not hold it
	Has    string `yaml:"has,omitempty"`    // a list holds it
	Absent bool   `yaml:"absent,omitempty"` // nothing is there
	Exists bool   `yaml:"exists,omitempty"` // something is there
	Past   bool   `yaml:"past,omitempty"`   // epoch seconds that have passed
	// Differs is what the value was before; it must have changed.
	Differs string            `yaml:"differs,omitempty"`
	Probe   string            `yaml:"probe,omitempty"`
	Params  map[string]string `yaml:"params,omitempty"`
}

// Load reads a plan.
func Load(path string) (*Plan, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxPlan+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if len(raw) > maxPlan {
		return nil, fmt.Errorf("the plan %s is larger than %d bytes, which no plan is", path, maxPlan)
	}
	var p Plan
	if err := yaml.UnmarshalWithOptions(raw, &p, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("reading the plan %s: %w", path, err)
	}
	if p.Version != Version {
		return nil, fmt.Errorf("the plan %s has version %d; this program runs version %d", path, p.Version, Version)
	}
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("the plan %s: %w", path, err)
	}
	return &p, nil
}

// Save writes a plan where none is yet, readable by its owner only: it shows
// how the estate is laid out.
func (p *Plan) Save(path string) error {
	raw, err := p.marshal()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if _, err := file.Write(raw); err != nil {
		_ = file.Close()
		return fmt.Errorf("writing the plan: %w", err)
	}
	return file.Close()
}

func (p *Plan) marshal() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# A migration, for reading and for `gatehouse migrate apply`. Its record is the file beside it.\n")
	if err := yaml.NewEncoder(&b, yaml.Indent(2), yaml.IndentSequence(true)).Encode(p); err != nil {
		return nil, fmt.Errorf("writing the plan: %w", err)
	}
	return b.Bytes(), nil
}

func (p *Plan) validate() error {
	seen := map[string]bool{}
	if _, err := p.window(); err != nil {
		return err
	}
	for _, s := range p.Steps {
		switch {
		case s.ID == "" || seen[s.ID]:
			return fmt.Errorf("step %q: every step has an id of its own", s.ID)
		case (s.Kind == KindCall) != (s.Call != nil):
			return fmt.Errorf("step %s: a call, and only a call, says which", s.ID)
		case s.Kind == KindCall && calls[s.Call.String()] == nil:
			return fmt.Errorf("step %s: %s is not a call that migrations make", s.ID, s.Call)
		case s.Rollback != nil && slices.ContainsFunc(s.Rollback.Calls, func(u UndoCall) bool { return calls[u.Call.String()] == nil }):
			return fmt.Errorf("step %s: its rollback names a call that migrations do not make", s.ID)
		case s.Kind == KindEvidence && s.Evidence == nil:
			return fmt.Errorf("step %s: it names no source of evidence", s.ID)
		}
		seen[s.ID] = true
	}
	return nil
}

func (p *Plan) window() (time.Duration, error) {
	d, err := time.ParseDuration(p.Window)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("the window %q is not a duration such as 48h", p.Window)
	}
	return d, nil
}

// step finds a step by its id.
func (p *Plan) step(id string) (int, bool) {
	for i, s := range p.Steps {
		if s.ID == id {
			return i, true
		}
	}
	return 0, false
}
