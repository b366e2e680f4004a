package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// manual stops until the operator says that a step is done.
func (r *Runner) manual(ctx context.Context, step Step) (string, error) {
	remark, confirmed := r.Confirmed[step.ID]
	if !confirmed || !r.Execute {
		return fmt.Sprintf("a person's step: %s\nWhen it is done: gatehouse migrate apply %s --execute --confirm %s=NOTE", step.Title, r.Name, step.ID), nil
	}
	if len(step.Until) > 0 {
		conf, err := r.settled(ctx)
		if err != nil {
			return "", err
		}
		for _, c := range step.Until {
			if err := r.answer(ctx, c, conf); err != nil {
				return "", fmt.Errorf("it is confirmed and not so: %w", err)
			}
		}
	}
	if err := r.note(Event{What: evConfirmed, Step: step.ID, Note: remark}); err != nil {
		return "", err
	}
	return "", r.note(Event{What: evDone, Step: step.ID, State: step.Reaches})
}

// evidence lets the migration pass when the old path's measured use was zero for
// the whole window, from a source that was on all the time.
func (r *Runner) evidence(ctx context.Context, step Step) (string, error) {
	reading, from, err := r.measure(ctx, step)
	if err != nil {
		return "", err
	}
	if r.Execute {
		if err := r.note(Event{What: evReading, Step: step.ID, State: Draining, Reading: &reading}); err != nil {
			return "", err
		}
	}
	switch {
	case reading.Idle(from):
		if !r.Execute {
			return "", nil
		}
		return "", r.note(Event{What: evDone, Step: step.ID, State: Idle, Note: fmt.Sprintf("no use since %s", from.Format(time.RFC3339))})
	case reading.Quality == posture.QualityNone && strings.TrimSpace(r.WithoutEvidence[step.ID]) != "" && r.Execute:
		if err := r.note(Event{What: evAccepted, Step: step.ID, Note: r.WithoutEvidence[step.ID]}); err != nil {
			return "", err
		}
		return "", r.note(Event{What: evDone, Step: step.ID, State: Idle, Note: "on the operator's word: no evidence exists"})
	}
	return r.why(step, reading, from), nil
}

// measure reads a meter over the plan's window.
func (r *Runner) measure(ctx context.Context, step Step) (usage.Reading, time.Time, error) {
	window, err := r.Plan.window()
	if err != nil {
		return usage.Reading{}, time.Time{}, err
	}
	meter, err := usage.New(*step.Evidence, r.Config, r.Sessions)
	if err != nil {
		return usage.Reading{}, time.Time{}, err
	}
	now := r.Now()
	reading, err := meter.Read(ctx, now.Add(-window), now)
	if err != nil {
		return reading, time.Time{}, fmt.Errorf("measuring the old path's use: %w", err)
	}
	return reading, now.Add(-window), nil
}

// why says what keeps the old path open.
func (r *Runner) why(step Step, reading usage.Reading, from time.Time) string {
	window, err := r.Plan.window()
	if err != nil {
		return err.Error()
	}
	switch {
	case reading.Quality == posture.QualityNone:
		return "no source shows whether anybody still uses the old path: " + reading.Caution +
			"\nIf you know it otherwise (client roll-out, source code, a brown-out), say so, and the record keeps it:\n" +
			"  gatehouse migrate apply " + r.Name + " --execute --without-evidence " + step.ID + "=\"how you know\""
	case reading.Count > 0:
		return fmt.Sprintf("the old path was used %d time(s) in the last %s, last at %s (%s)", reading.Count, r.Plan.Window, reading.Last.UTC().Format(time.RFC3339), reading.Source)
	case reading.OnSince.IsZero():
		return "no use was seen, and it is not proven that the source was on: " + reading.Caution
	}
	return fmt.Sprintf("no use was seen since %s, when the source was turned on; the window of %s is complete at %s",
		reading.OnSince.UTC().Format(time.RFC3339), r.Plan.Window, reading.OnSince.Add(window).UTC().Format(time.RFC3339))
}

// stillIdle reads the evidence once more right before a call that closes the old
// path. Use that has reappeared takes the migration back to DRAINING.
func (r *Runner) stillIdle(ctx context.Context, closing Step) (string, error) {
	gate, ok := r.gateBefore(closing)
	if !ok || r.Record.has(evAccepted, gate.ID) {
		return "", nil
	}
	reading, from, err := r.measure(ctx, gate)
	if err != nil {
		return "", err
	}
	if reading.Idle(from) {
		return "", nil
	}
	message := r.why(gate, reading, from)
	if err := r.note(Event{What: evReopened, Step: gate.ID, State: Draining, Reading: &reading, Note: message}); err != nil {
		return "", err
	}
	return "back to draining, nothing was closed: " + message, nil
}

// gateBefore is the last evidence step before a step.
func (r *Runner) gateBefore(step Step) (Step, bool) {
	var gate Step
	found := false
	for _, s := range r.Plan.Steps {
		if s.ID == step.ID {
			break
		}
		if s.Kind == KindEvidence {
			gate, found = s, true
		}
	}
	return gate, found
}

// wait stops until its checks hold by themselves.
func (r *Runner) wait(ctx context.Context, step Step) (string, error) {
	conf, err := r.settled(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range step.Until {
		if err := r.answer(ctx, c, conf); err != nil {
			return fmt.Sprintf("waiting: %s (%v)", step.Title, err), nil
		}
	}
	if !r.Execute {
		return "", nil
	}
	return "", r.finish(step, conf, "")
}

// verify asks the service, not the report.
func (r *Runner) verify(ctx context.Context, step Step) (string, error) {
	if !r.Execute {
		for _, c := range step.Verify {
			r.Report("would check: " + c.String())
		}
		return "", nil
	}
	conf, err := r.settled(ctx)
	if err != nil {
		return "", err
	}
	var wrong []error
	for range verifyTries {
		wrong = nil
		for _, c := range step.Verify {
			if err := r.answer(ctx, c, conf); err != nil {
				wrong = append(wrong, err)
			}
		}
		if len(wrong) == 0 {
			return "", r.finish(step, conf, "")
		}
		if err := r.Sleep(ctx, r.Poll); err != nil {
			return "", err
		}
		if conf, err = r.settled(ctx); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the service does not behave as configured: %w", errors.Join(wrong...))
}

// verifyTries allows for the time in which an AWS service may still answer from
// its old configuration.
const verifyTries = 6
