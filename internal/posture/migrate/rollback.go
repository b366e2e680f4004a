package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrIrreversible says that a step cannot be taken back.
var ErrIrreversible = errors.New("this step cannot be taken back")

// Rollback takes back what was done, the last step first. Like Apply it may be
// cut off and called again.
func (r *Runner) Rollback(ctx context.Context) (Outcome, error) {
	r.prepare()
	for i, step := range slices.Backward(r.Plan.Steps) {
		state := r.Record.progress(step.ID)
		if state == fresh {
			continue
		}
		if err := r.undo(ctx, step, state, r.stateBefore(i)); err != nil {
			return Outcome{State: r.Record.State(), Step: step.ID, Kind: step.Kind}, fmt.Errorf("rolling back step %s (%s): %w", step.ID, step.Title, err)
		}
	}
	return Outcome{State: r.Record.State(), Message: "everything that can be taken back has been"}, nil
}

// stateBefore is the state that the steps before one had reached.
func (r *Runner) stateBefore(index int) State {
	state := Open
	for _, s := range r.Plan.Steps[:index] {
		if s.Reaches != "" && r.Record.progress(s.ID) == done {
			state = s.Reaches
		}
		if s.Kind == KindEvidence && r.Record.progress(s.ID) == done {
			state = Idle
		}
	}
	return state
}

func (r *Runner) undo(ctx context.Context, step Step, at progress, before State) error {
	if step.Kind != KindCall {
		if !r.Execute {
			return nil
		}
		return r.note(Event{What: evUndone, Step: step.ID, State: before})
	}
	if !r.Execute {
		r.Report("would undo: " + step.Title + describeUndo(step.Rollback))
		return nil
	}
	conf, err := r.settled(ctx)
	if err != nil {
		return err
	}
	switch at {
	case begun:
		if conf.Hash() == r.begunWith(step.ID) && !r.happened(ctx, step, conf) {
			return r.note(Event{What: evUndone, Step: step.ID, State: before, Hash: conf.Hash(), Note: "its call had never taken effect"})
		}
	case done:
		if err := r.expect(conf); err != nil {
			return err
		}
	}
	return r.takeBack(ctx, step, conf, at, before)
}

// happened reports whether the service shows that a step's call was made.
func (r *Runner) happened(ctx context.Context, step Step, conf Configuration) bool {
	shows := append(slices.Clone(step.Until), step.Made...)
	return len(shows) > 0 && r.all(ctx, shows, conf)
}

func (r *Runner) takeBack(ctx context.Context, step Step, conf Configuration, at progress, before State) error {
	u := step.Rollback
	if u == nil || (len(u.Calls) == 0 && !u.Impossible) {
		return r.note(Event{What: evUndone, Step: step.ID, State: before, Hash: conf.Hash(), Note: "there is nothing to take back"})
	}
	if u.Impossible {
		return fmt.Errorf("%w: %s", ErrIrreversible, u.Note)
	}
	if at != undoing {
		if err := r.note(Event{What: evUndoing, Step: step.ID, Hash: conf.Hash()}); err != nil {
			return err
		}
	}
	r.Report("undoing: " + step.Title + describeUndo(u))
	for _, c := range u.Calls {
		shows := append(slices.Clone(c.Until), c.Made...)
		if len(shows) > 0 && r.all(ctx, shows, conf) {
			continue
		}
		if err := r.send(ctx, c.Call, conf); err != nil {
			return err
		}
		var err error
		if conf, err = r.await(ctx, c.Until, nil); err != nil {
			return err
		}
	}
	return r.note(Event{What: evUndone, Step: step.ID, State: before, Hash: conf.Hash()})
}

func describeUndo(u *Undo) string {
	switch {
	case u == nil || (len(u.Calls) == 0 && !u.Impossible):
		return " (nothing to take back)"
	case u.Impossible:
		return " (cannot be taken back: " + u.Note + ")"
	}
	text := " by"
	for _, c := range u.Calls {
		text += " " + c.Call.String()
	}
	return text
}
