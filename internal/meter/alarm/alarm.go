package alarm

import (
	"time"

	"github.com/gatehouse/gatehouse/internal/meter"
)

// State of an alarm.
type State string

// The states.
const (
	OK           State = "OK"
	Alarm        State = "ALARM"
	Insufficient State = "INSUFFICIENT_DATA"
)

// Definition is what an alarm watches and shows. Its texts are CloudWatch's; the
// caller has checked them.
type Definition struct {
	Name        string       `json:"name"`
	Description *string      `json:"description,omitempty"`
	Series      meter.Series `json:"series"`
	Statistic   string       `json:"statistic"`
	Unit        string       `json:"unit,omitempty"`
	// Period is in seconds, a multiple of 60.
	Period            int     `json:"period"`
	EvaluationPeriods int     `json:"evaluationPeriods"`
	DatapointsToAlarm int     `json:"datapointsToAlarm,omitempty"` // 0: all of them
	Comparison        string  `json:"comparison"`
	Threshold         float64 `json:"threshold"`
	TreatMissing      string  `json:"treatMissing,omitempty"`

	ActionsEnabled      bool     `json:"actionsEnabled"`
	OKActions           []string `json:"okActions,omitempty"`
	AlarmActions        []string `json:"alarmActions,omitempty"`
	InsufficientActions []string `json:"insufficientActions,omitempty"`
}

// Item is an entry of an alarm's history.
type Item struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"` // CloudWatch's HistoryItemType
	Summary string    `json:"summary"`
	Data    string    `json:"data"` // JSON
}

// The kinds of items.
const (
	Configured = "ConfigurationUpdate"
	Changed    = "StateUpdate"
)

// Status is an alarm as it is now.
type Status struct {
	Definition
	Configured   time.Time `json:"configured"`
	State        State     `json:"state"`
	Reason       string    `json:"reason"`
	Updated      time.Time `json:"updated"`      // of state or reason
	Transitioned time.Time `json:"transitioned"` // of the state
	History      []Item    `json:"history"`      // oldest first
}

// Change tells of an alarm whose state has changed.
type Change struct {
	Name     string
	From, To State
	Reason   string
	At       time.Time
}

// value is the statistic of a period.
func (d *Definition) value(b *meter.Bucket) float64 {
	switch d.Statistic {
	case "SampleCount":
		return b.Samples
	case "Average":
		return b.Sum / b.Samples
	case "Minimum":
		return b.Min
	case "Maximum":
		return b.Max
	default:
		return b.Sum
	}
}

// comparisons are CloudWatch's, with the words of its reasons.
var comparisons = map[string]struct {
	words string
	not   string
	holds func(value, threshold float64) bool
}{
	"GreaterThanThreshold":          {"greater than", "not greater than", func(v, t float64) bool { return v > t }},
	"GreaterThanOrEqualToThreshold": {"greater than or equal to", "not greater than or equal to", func(v, t float64) bool { return v >= t }},
	"LessThanThreshold":             {"less than", "not less than", func(v, t float64) bool { return v < t }},
	"LessThanOrEqualToThreshold":    {"less than or equal to", "not less than or equal to", func(v, t float64) bool { return v <= t }},
}

// Compares reports whether a comparison of that name can be evaluated.
func Compares(name string) bool {
	_, ok := comparisons[name]
	return ok
}

func (d *Definition) breaches(value float64) bool {
	return comparisons[d.Comparison].holds(value, d.Threshold)
}

// final reports whether a breach by a period that is not over stands: a count
// that is over the threshold can only grow.
func (d *Definition) final() bool {
	grows := d.Statistic == "Sum" || d.Statistic == "SampleCount" || d.Statistic == "Maximum"
	return grows && (d.Comparison == "GreaterThanThreshold" || d.Comparison == "GreaterThanOrEqualToThreshold")
}
