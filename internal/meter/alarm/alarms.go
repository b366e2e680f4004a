package alarm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

const (
	// MaxAlarms bounds the file and the work of an evaluation.
	MaxAlarms = 1000
	// maxHistory bounds an alarm's history, which CloudWatch keeps for 30 days.
	maxHistory = 100
)

// ErrTooMany says that there are MaxAlarms.
var ErrTooMany = errors.New("there are too many alarms")

// Config is what Alarms are made of.
type Config struct {
	Path    string // of the file
	Source  Source
	Clock   clock.Clock
	Changed func(Change) // is told of each change; nil: nothing
	Log     *slog.Logger
}

// Alarms is safe for concurrent use.
type Alarms struct {
	cfg Config

	mu     sync.Mutex
	alarms map[string]*Status
}

// Open reads the alarms that there are.
func Open(cfg Config) (*Alarms, error) {
	a := &Alarms{cfg: cfg, alarms: map[string]*Status{}}
	text, err := os.ReadFile(cfg.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	var list []*Status
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the alarms: %w", err)
	}
	for _, s := range list {
		if !Compares(s.Comparison) || s.Period < 60 || s.EvaluationPeriods < 1 {
			return nil, fmt.Errorf("reading the alarms: %s has the alarm %q, which cannot be evaluated", cfg.Path, s.Name)
		}
		a.alarms[s.Name] = s
	}
	return a, nil
}

// Put makes an alarm, or gives one a new definition and leaves its state. The
// answer comes when it is on disk.
func (a *Alarms) Put(d Definition) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.cfg.Clock.Now().UTC()
	old := a.alarms[d.Name]
	if old == nil && len(a.alarms) >= MaxAlarms {
		return ErrTooMany
	}
	s := &Status{Definition: d, Configured: now, State: Insufficient, Reason: "Unchecked: Initial alarm creation", Updated: now, Transitioned: now}
	what := "created"
	if old != nil {
		s.State, s.Reason, s.Updated, s.Transitioned, s.History = old.State, old.Reason, old.Updated, old.Transitioned, slices.Clone(old.History)
		what = "updated"
	}
	s.remember(Configured, now, fmt.Sprintf("Alarm %q %s", d.Name, what), d)
	return a.replace(func(next map[string]*Status) { next[d.Name] = s })
}

// Delete removes the alarms of these names, all or none; missing are those that
// there are not.
func (a *Alarms) Delete(names []string) (missing []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if a.alarms[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return missing, nil
	}
	return nil, a.replace(func(next map[string]*Status) {
		for _, name := range names {
			delete(next, name)
		}
	})
}

// List returns all alarms by name. What they point to is not to be changed.
func (a *Alarms) List() []Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]Status, 0, len(a.alarms))
	for _, name := range slices.Sorted(maps.Keys(a.alarms)) {
		list = append(list, *a.alarms[name])
	}
	return list
}

// Evaluate judges every alarm as of now.
func (a *Alarms) Evaluate() {
	changes := a.evaluate()
	if a.cfg.Changed == nil {
		return
	}
	for _, c := range changes {
		a.cfg.Changed(c)
	}
}

func (a *Alarms) evaluate() []Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.cfg.Clock.Now().UTC()
	var changes []Change
	changed := map[string]*Status{}
	for name, s := range a.alarms {
		v := s.evaluate(a.cfg.Source, now)
		if v.state == "" || v.state == s.State {
			continue
		}
		next := *s
		next.History = slices.Clone(s.History)
		next.move(v, now)
		changed[name] = &next
		changes = append(changes, Change{name, s.State, v.state, v.reason, now})
	}
	if len(changed) == 0 {
		return nil
	}
	if err := a.replace(func(next map[string]*Status) { maps.Copy(next, changed) }); err != nil {
		a.cfg.Log.Error("an alarm's new state is not on disk; it is judged again", "error", err)
		return nil
	}
	return changes
}

// move takes over a verdict with another state.
func (s *Status) move(v verdict, now time.Time) {
	type half struct {
		Value  State  `json:"stateValue"`
		Reason string `json:"stateReason"`
	}
	s.remember(Changed, now, fmt.Sprintf("Alarm updated from %s to %s", s.State, v.state), map[string]any{
		"version": "1.0", "oldState": half{s.State, s.Reason}, "newState": half{v.state, v.reason},
	})
	s.State, s.Reason, s.Updated, s.Transitioned = v.state, v.reason, now, now
}

func (s *Status) remember(kind string, now time.Time, summary string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte("{}") // definitions and texts always encode
	}
	s.History = append(s.History, Item{Time: now, Kind: kind, Summary: summary, Data: string(text)})
	if extra := len(s.History) - maxHistory; extra > 0 {
		s.History = slices.Delete(s.History, 0, extra)
	}
}

// replace writes the alarms with a change to disk and then takes it over.
func (a *Alarms) replace(change func(next map[string]*Status)) error {
	next := maps.Clone(a.alarms)
	change(next)
	list := make([]*Status, 0, len(next))
	for _, name := range slices.Sorted(maps.Keys(next)) {
		list = append(list, next[name])
	}
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("writing the alarms: %w", err)
	}
	if err := write(a.cfg.Path, text); err != nil {
		return fmt.Errorf("writing the alarms: %w", err)
	}
	a.alarms = next
	return nil
}

// write replaces a file, so that a crash leaves the old one or the new one.
func write(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".alarms-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}
