package migrate

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

const (
	// pollEvery is how often a change under way is looked at.
	pollEvery = 10 * time.Second
	// firstPoll is the share of that after which a change is looked at first:
	// many are over in a second.
	firstPoll = 16
	// patience is how long one run waits for a change: a rolling restart of a
	// large MSK cluster takes hours. The next run takes it up again.
	patience = 3 * time.Hour
)

// ErrChanged says that the configuration is not what the plan, or the step
// before, left: somebody else is at work on the resource.
var ErrChanged = errors.New("the configuration has changed under the migration")

// Runner carries a plan out.
type Runner struct {
	Plan *Plan
	// Name is how the operator names the plan, for the commands in messages.
	Name     string
	Record   *Record
	Config   awssdk.Config // in the resource's account and region
	Sessions source.Sessions
	Secret   SecretSource
	// Execute makes the calls; without it a run only says what it would do.
	Execute  bool
	Operator string
	// Confirmed are the manual steps that the operator says are done, with a note.
	Confirmed map[string]string
	// WithoutEvidence are the operator's reasons, one per evidence step, for
	// closing a path whose use nobody can measure.
	WithoutEvidence map[string]string
	// Report is told what happens; nil means nobody.
	Report func(string)

	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error
	Poll     time.Duration
	Patience time.Duration
	HTTP     *http.Client
	TLS      *tls.Config
}

// Outcome says where a run ended.
type Outcome struct {
	State State
	// Step is the gate at which the run stopped; "" when the plan is through.
	Step string
	Kind Kind
	// Message says why it stopped there and what to do.
	Message string
}

func (r *Runner) prepare() {
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Poll == 0 {
		r.Poll = pollEvery
	}
	if r.Patience == 0 {
		r.Patience = patience
	}
	if r.Name == "" {
		r.Name = "PLAN"
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Report == nil {
		r.Report = func(string) {}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Apply runs the plan up to its next gate. It may be called again at any time:
// what is done is not done twice.
func (r *Runner) Apply(ctx context.Context) (Outcome, error) {
	r.prepare()
	if err := r.Plan.validate(); err != nil {
		return Outcome{}, err
	}
	for _, step := range r.Plan.Steps {
		switch r.Record.progress(step.ID) {
		case done:
			continue
		case undoing:
			return r.outcome(step, ""), fmt.Errorf("step %s is being rolled back: finish that first (gatehouse migrate rollback)", step.ID)
		}
		stop, err := r.run(ctx, step)
		if err != nil {
			if r.Execute {
				_ = r.note(Event{What: evFailed, Step: step.ID, Note: err.Error()})
			}
			return r.outcome(step, ""), fmt.Errorf("step %s (%s): %w", step.ID, step.Title, err)
		}
		if stop != "" {
			return r.outcome(step, stop), nil
		}
	}
	return Outcome{State: r.Record.State(), Message: "the plan is through"}, nil
}

func (r *Runner) outcome(step Step, message string) Outcome {
	return Outcome{State: r.Record.State(), Step: step.ID, Kind: step.Kind, Message: message}
}

// note adds an event with the time and the operator.
func (r *Runner) note(e Event) error {
	e.Time, e.Who = r.Now().UTC(), r.Operator
	return r.Record.add(e)
}

// run carries out one step, and returns why the run has to stop there, if it has to.
func (r *Runner) run(ctx context.Context, step Step) (stop string, err error) {
	switch step.Kind {
	case KindCall:
		return r.call(ctx, step)
	case KindManual:
		return r.manual(ctx, step)
	case KindEvidence:
		return r.evidence(ctx, step)
	case KindWait:
		return r.wait(ctx, step)
	case KindVerify:
		return r.verify(ctx, step)
	}
	return "", fmt.Errorf("%q is not a kind of step", step.Kind)
}

// call makes a step's call, unless the service shows that it was made before the
// last run was cut off.
func (r *Runner) call(ctx context.Context, step Step) (string, error) {
	if !r.Execute {
		r.Report(fmt.Sprintf("would call %s  (%s)\n    on live clients: %s", step.Call, step.Title, step.Effect))
		return "", nil
	}
	conf, err := r.settled(ctx)
	if err != nil {
		return "", err
	}
	if r.Record.progress(step.ID) == begun {
		if !step.Repeat && r.happened(ctx, step, conf) {
			return "", r.finish(step, conf, "it had been made before the last run ended")
		}
		if hash := r.begunWith(step.ID); hash != conf.Hash() {
			return "", fmt.Errorf("%w: the call was begun, and what is there now is neither before nor after it", ErrChanged)
		}
	} else if err := r.expect(conf); err != nil {
		return "", err
	}
	if step.Closes {
		if stop, err := r.stillIdle(ctx, step); stop != "" || err != nil {
			return stop, err
		}
	}
	if !step.Repeat && r.happened(ctx, step, conf) {
		return "", r.finish(step, conf, "it was already so")
	}
	if err := r.note(Event{What: evBegin, Step: step.ID, Hash: conf.Hash(), Values: pick(step.Remember, conf)}); err != nil {
		return "", err
	}
	r.Report(fmt.Sprintf("calling %s  (%s)", step.Call, step.Title))
	if err := r.send(ctx, *step.Call, conf); err != nil {
		return "", err
	}
	conf, err = r.await(ctx, step.Until, step.Fails)
	if err != nil {
		return "", err
	}
	return "", r.finish(step, conf, "")
}

// send fills the call's placeholders in and makes it.
func (r *Runner) send(ctx context.Context, call Call, conf Configuration) error {
	filled, err := r.resolver(ctx, conf).fill(call.Input)
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	raw, err := json.Marshal(filled)
	if err != nil {
		return fmt.Errorf("%s: writing its input: %w", call, err)
	}
	make := calls[call.String()]
	if make == nil {
		return fmt.Errorf("%s is not a call that migrations make", call)
	}
	if err := make(ctx, r.Config, raw); err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	return nil
}

func (r *Runner) resolver(ctx context.Context, conf Configuration) resolver {
	return resolver{ctx: ctx, conf: conf, record: r.Record, secret: r.Secret, now: r.Now()}
}

// expect holds a fresh call's precondition: nothing has changed since the plan
// was made, or since the last step.
func (r *Runner) expect(conf Configuration) error {
	want := r.Record.left()
	since := "the last step"
	if want == "" {
		want, since = r.Plan.Precondition.Hash, "the plan was made"
	}
	if conf.Hash() != want {
		return fmt.Errorf("%w since %s: nothing was called; make a new plan, it starts from what is there now", ErrChanged, since)
	}
	return nil
}

func (r *Runner) begunWith(step string) string {
	hash := ""
	for _, e := range r.Record.events {
		if e.Step == step && (e.What == evBegin || e.What == evUndoing) {
			hash = e.Hash
		}
	}
	return hash
}

// finish records that a step is over, with what it gave out.
func (r *Runner) finish(step Step, conf Configuration, remark string) error {
	values := pick(step.Outputs, conf)
	r.Report("done: " + step.Title)
	return r.note(Event{What: evDone, Step: step.ID, Hash: conf.Hash(), State: step.Reaches, Values: values, Note: remark})
}

func pick(paths map[string]string, conf Configuration) map[string]string {
	if len(paths) == 0 {
		return nil
	}
	values := map[string]string{}
	for name, path := range paths {
		if v := conf.at(path); v != nil {
			values[name] = fmt.Sprint(v)
		}
	}
	return values
}

// settled reads the configuration, waiting until nothing is under way.
func (r *Runner) settled(ctx context.Context) (Configuration, error) {
	return r.await(ctx, nil, nil)
}

// await polls until nothing is under way and all checks hold.
func (r *Runner) await(ctx context.Context, until, fails []Check) (Configuration, error) {
	deadline := r.Now().Add(r.Patience)
	for pause := r.Poll / firstPoll; ; pause = min(2*pause, r.Poll) {
		conf, err := r.read(ctx)
		if err != nil {
			return conf, err
		}
		if conf.Busy == "" && r.all(ctx, until, conf) {
			return conf, nil
		}
		for _, c := range fails {
			if r.answer(ctx, c, conf) == nil {
				return conf, fmt.Errorf("%s: %v", c, conf.at(c.Path))
			}
		}
		if r.Now().After(deadline) {
			return conf, fmt.Errorf("still under way after %s (%s): run the same command again later", r.Patience, conf.Busy)
		}
		if conf.Busy != "" {
			r.Report("waiting: " + conf.Busy)
		}
		if err := r.Sleep(ctx, pause); err != nil {
			return conf, err
		}
	}
}

// all reports whether every check holds.
func (r *Runner) all(ctx context.Context, checks []Check, conf Configuration) bool {
	for _, c := range checks {
		if r.answer(ctx, c, conf) != nil {
			return false
		}
	}
	return true
}

// answer returns nil when a check holds, and else what is wrong.
func (r *Runner) answer(ctx context.Context, c Check, conf Configuration) error {
	if c.Probe != "" {
		return r.probe(ctx, c, conf)
	}
	if c.Differs != "" {
		before, err := r.resolver(ctx, conf).text(c.Differs)
		if err != nil {
			return err
		}
		c.Differs = fmt.Sprint(before)
	}
	if !c.holds(conf, r.Now()) {
		return fmt.Errorf("%s: it is %v", c, conf.at(c.Path))
	}
	return nil
}
