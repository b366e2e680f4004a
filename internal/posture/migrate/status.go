package migrate

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// StepStatus is how far one step has come.
type StepStatus struct {
	ID    string    `json:"id"`
	Kind  Kind      `json:"kind"`
	Title string    `json:"title"`
	Stand string    `json:"stand"` // "", begun, done, being undone
	At    time.Time `json:"at,omitzero"`
	Who   string    `json:"who,omitempty"`
	Note  string    `json:"note,omitempty"`
}

// Status is where a migration stands.
type Status struct {
	Resource string         `json:"resource"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	State    State          `json:"state"`
	Next     string         `json:"next,omitempty"` // the step to come
	Steps    []StepStatus   `json:"steps"`
	Use      *usage.Reading `json:"use,omitempty"`   // of the old path, read now
	Stops    string         `json:"stops,omitempty"` // why the old path has to stay
	Changed  bool           `json:"changed,omitempty"`
	Busy     string         `json:"busy,omitempty"`
}

// Status reads the record, the configuration and, while the old path is open,
// its use. It changes nothing and writes nothing down.
func (r *Runner) Status(ctx context.Context) (Status, error) {
	r.prepare()
	s := Status{Resource: r.Plan.Resource, From: r.Plan.From, To: r.Plan.To, State: r.Record.State()}
	for _, step := range r.Plan.Steps {
		row := StepStatus{ID: step.ID, Kind: step.Kind, Title: step.Title, Stand: map[progress]string{begun: "begun", done: "done", undoing: "being undone"}[r.Record.progress(step.ID)]}
		for _, e := range r.Record.events {
			if e.Step == step.ID && row.Stand != "" {
				row.At, row.Who = e.Time, e.Who
				if e.Note != "" {
					row.Note = e.Note
				}
			}
		}
		if row.Stand != "done" && s.Next == "" {
			s.Next = step.ID
		}
		s.Steps = append(s.Steps, row)
	}
	conf, err := r.read(ctx)
	if err != nil {
		return s, err
	}
	s.Busy = conf.Busy
	if next, ok := r.Plan.step(s.Next); ok && conf.Busy == "" && r.Record.progress(r.Plan.Steps[next].ID) == fresh {
		s.Changed = r.expect(conf) != nil
	}
	return s, r.addUse(ctx, &s)
}

// addUse reads the old path's use while that decides anything.
func (r *Runner) addUse(ctx context.Context, s *Status) error {
	if s.State == Closed || s.State == Verified {
		return nil
	}
	for _, step := range r.Plan.Steps {
		if step.Kind != KindEvidence || r.Record.has(evAccepted, step.ID) {
			continue
		}
		reading, from, err := r.measure(ctx, step)
		if err != nil {
			return err
		}
		s.Use = &reading
		if !reading.Idle(from) {
			s.Stops = r.why(step, reading, from)
		}
	}
	return nil
}
