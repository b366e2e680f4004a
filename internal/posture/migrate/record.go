package migrate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// Event is one line of a record.
type Event struct {
	Time time.Time `json:"time"`
	What string    `json:"what"`
	Step string    `json:"step,omitempty"`
	Who  string    `json:"who,omitempty"`
	// State is the migration's state after this event, where it changed.
	State State `json:"state,omitempty"`
	// Hash is of the configuration: before the step for "begin", after it for "done".
	Hash    string            `json:"hash,omitempty"`
	Values  map[string]string `json:"values,omitempty"`
	Reading *usage.Reading    `json:"reading,omitempty"`
	Note    string            `json:"note,omitempty"`
}

// What events say.
const (
	evBegin     = "begin"     // a step's call is about to be made
	evDone      = "done"      // a step is over
	evReading   = "reading"   // the old path's use was measured
	evReopened  = "reopened"  // use reappeared: an evidence step counts no longer
	evConfirmed = "confirmed" // a person says that a manual step is done
	evAccepted  = "accepted"  // a person closes without evidence, and why
	evUndoing   = "undoing"   // a step's rollback is about to be made
	evUndone    = "undone"    // a step was rolled back
	evFailed    = "failed"    // a step failed
)

// Record is the append-only history of one plan. One process holds it at a time.
type Record struct {
	file   *os.File
	events []Event
}

// maxLine bounds a line of the record; the longest hold an evidence reading.
const maxLine = 1 << 20

// RecordPath is where the record of a plan is kept.
func RecordPath(plan string) string { return plan + ".record.jsonl" }

// OpenRecord opens a plan's record, made when new, and locks it until Close. A
// last line that a crash cut off is dropped; any other damage is an error.
func OpenRecord(path string) (*Record, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the record: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another gatehouse is at work on this migration (%s is locked)", path)
		}
		return nil, fmt.Errorf("locking the record: %w", err)
	}
	r := &Record{file: file}
	if err := r.load(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("reading the record %s: %w", path, err)
	}
	return r, nil
}

func (r *Record) load() error {
	raw, err := os.ReadFile(r.file.Name())
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(raw, '\n') + 1
	if err := r.file.Truncate(int64(whole)); err != nil {
		return err
	}
	if _, err := r.file.Seek(int64(whole), 0); err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(raw[:whole]))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		r.events = append(r.events, e)
	}
	return lines.Err()
}

// Close gives the record back.
func (r *Record) Close() error { return r.file.Close() }

// Events returns the history.
func (r *Record) Events() []Event { return r.events }

// add appends an event and returns when the disk has it.
func (r *Record) add(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	r.events = append(r.events, e)
	return nil
}

// State is where the migration stands.
func (r *Record) State() State {
	state := Open
	for _, e := range r.events {
		if e.State != "" {
			state = e.State
		}
	}
	return state
}

// progress is how far a step has come.
type progress int

const (
	fresh   progress = iota // not begun, or undone
	begun                   // its call may have been made
	done                    // over
	undoing                 // its rollback may have been made
)

func (r *Record) progress(step string) progress {
	p := fresh
	for _, e := range r.events {
		if e.Step != step {
			continue
		}
		switch e.What {
		case evBegin:
			p = begun
		case evDone:
			p = done
		case evUndoing:
			p = undoing
		case evUndone, evReopened:
			p = fresh
		}
	}
	return p
}

// left is the hash of the configuration as the last finished change left it; ""
// when there was none.
func (r *Record) left() string {
	hash := ""
	for _, e := range r.events {
		if (e.What == evDone || e.What == evUndone) && e.Hash != "" {
			hash = e.Hash
		}
	}
	return hash
}

// value finds what a step gave out or remembered.
func (r *Record) value(step, name string) (string, bool) {
	for i := len(r.events) - 1; i >= 0; i-- {
		if e := r.events[i]; e.Step == step {
			if v, ok := e.Values[name]; ok {
				return v, true
			}
		}
	}
	return "", false
}

// has reports whether an event about a step stands, that is, was not followed by
// a reopening or a rollback of it.
func (r *Record) has(what, step string) bool {
	stands := false
	for _, e := range r.events {
		if e.Step != step {
			continue
		}
		switch e.What {
		case what:
			stands = true
		case evReopened, evUndone:
			stands = false
		}
	}
	return stands
}
