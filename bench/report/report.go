// Package report turns samples into figures: medians, ratios between targets,
// and whether a goal is met; as a table for people and as JSON for programs.
//
// It owns the arithmetic and the presentation. It does not know how a sample
// was measured, nor which goals there are: both are its caller's.
package report

import (
	"math"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/bench/usage"
)

// Sample is one run of one workload against one target.
type Sample struct {
	Workload string             `json:"workload"`
	Target   string             `json:"target"`
	Round    int                `json:"round"`
	Values   map[string]float64 `json:"values"` // by metric
	// Foreign is the share of the whole machine's CPU time that was used by
	// processes which are no part of the run, 0 to 1; nil where it does not matter.
	Foreign *float64 `json:"foreign,omitempty"`
	// Attempts is how often the run was made; the least disturbed one is kept.
	Attempts  int  `json:"attempts"`
	Disturbed bool `json:"disturbed"`
}

// Goal is what a figure should reach. A level that is zero and not Given is not set.
type Goal struct {
	AtLeast bool     `json:"at_least"`        // else at most
	Floor   *float64 `json:"floor,omitempty"` // what the first slice must reach
	Must    *float64 `json:"must,omitempty"`
	Aim     *float64 `json:"aim,omitempty"`
}

// Spec asks for one figure.
type Spec struct {
	Workload string
	Title    string
	Metric   string
	Unit     string
	Of       string // the target
	Against  string // the other target of a ratio; "" for the value itself
	Goal     Goal
}

// Figure is a spec's answer.
type Figure struct {
	Title    string             `json:"figure"`
	Workload string             `json:"workload"`
	Metric   string             `json:"metric"`
	Unit     string             `json:"unit"`
	Against  string             `json:"against,omitempty"`
	Medians  map[string]float64 `json:"medians"` // by target
	Value    float64            `json:"value"`   // the ratio of medians, or the median
	Low      float64            `json:"low"`     // of the rounds
	High     float64            `json:"high"`
	Rounds   int                `json:"rounds"`
	// Disturbed is how many of the samples behind the value were disturbed.
	Disturbed int `json:"disturbed"`
	// Doubtful is whether that is more than half of them: the verdict is then no
	// more than a hint.
	Doubtful bool    `json:"doubtful"`
	Goal     Goal    `json:"goal"`
	Verdict  Verdict `json:"verdict"`
}

// Verdict is the highest level that is reached.
type Verdict string

// The verdicts, and "" for a figure without a goal.
const (
	Missed Verdict = "missed"
	Floor  Verdict = "floor met"
	Must   Verdict = "must met"
	Aim    Verdict = "aim met"
)

// Report is everything that a run found out.
type Report struct {
	Made     time.Time         `json:"made"`
	Took     float64           `json:"seconds"`
	Machine  usage.Machine     `json:"machine"`
	Versions map[string]string `json:"versions"`
	Settings map[string]any    `json:"settings"`
	Targets  []string          `json:"targets"` // in the order of their turns
	Titles   map[string]string `json:"titles"`  // of targets
	Figures  []Figure          `json:"figures"`
	Samples  []Sample          `json:"samples"`
	Notes    []string          `json:"notes,omitempty"`
}

// Judge works out the figures that specs ask for; one whose targets or workload
// were not measured is left out.
func (r *Report) Judge(specs []Spec) {
	for _, spec := range specs {
		if figure, ok := r.figure(spec); ok {
			r.Figures = append(r.Figures, figure)
		}
	}
}

func (r *Report) figure(s Spec) (Figure, bool) {
	f := Figure{Title: s.Title, Workload: s.Workload, Metric: s.Metric, Unit: s.Unit, Against: s.Against, Goal: s.Goal, Medians: map[string]float64{}}
	for _, target := range append([]string{""}, r.Targets...) {
		if values := r.values(s.Workload, s.Metric, target); len(values) > 0 {
			f.Medians[target] = median(values)
		}
	}
	of := r.values(s.Workload, s.Metric, s.Of)
	if len(of) == 0 {
		return f, false
	}
	f.Value, f.Rounds = median(of), len(of)
	each := of
	if s.Against != "" {
		against := r.values(s.Workload, s.Metric, s.Against)
		if len(against) == 0 || median(against) == 0 {
			return f, false
		}
		f.Value /= median(against)
		f.Rounds = min(len(of), len(against))
		each = make([]float64, f.Rounds)
		for i := range each {
			each[i] = of[i] / against[i]
		}
	}
	f.Low, f.High = slices.Min(each), slices.Max(each)
	behind := []string{s.Of}
	if s.Against != "" {
		behind = append(behind, s.Against)
	}
	f.Disturbed = r.disturbed(s.Workload, behind...)
	f.Doubtful = 2*f.Disturbed > f.Rounds*len(behind)
	f.Verdict = s.Goal.judge(f.Value)
	return f, true
}

// values are those of a metric, in the order of the rounds.
func (r *Report) values(workload, metric, target string) []float64 {
	var values []float64
	for _, s := range r.Samples {
		if value, ok := s.Values[metric]; ok && s.Workload == workload && s.Target == target {
			values = append(values, value)
		}
	}
	return values
}

func (r *Report) disturbed(workload string, targets ...string) int {
	n := 0
	for _, s := range r.Samples {
		if s.Disturbed && s.Workload == workload && slices.Contains(targets, s.Target) {
			n++
		}
	}
	return n
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// judge compares a value with the goal, at the precision that it is shown with:
// what reads as met is met.
func (g Goal) judge(value float64) Verdict {
	reached := func(level *float64) bool {
		if level == nil || math.IsNaN(value) {
			return false
		}
		if g.AtLeast {
			return value >= *level-shown
		}
		return value <= *level+shown
	}
	switch {
	case g.Floor == nil && g.Must == nil && g.Aim == nil:
		return ""
	case reached(g.Aim) && (g.Must == nil || reached(g.Must)):
		return Aim
	case reached(g.Must):
		return Must
	case reached(g.Floor):
		return Floor
	}
	return Missed
}

// shown is half of the last digit that ratios are shown with.
const shown = 0.005

// MissedGoals lists the figures that miss what they must reach.
func (r *Report) MissedGoals() []Figure {
	var missed []Figure
	for _, f := range r.Figures {
		if f.Verdict == Missed || f.Verdict == Floor && f.Goal.Must != nil {
			missed = append(missed, f)
		}
	}
	return missed
}
