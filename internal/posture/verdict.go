package posture

import "slices"

// Verdict is the outcome of one control for one resource.
type Verdict string

// The verdicts, the worst first.
const (
	// Fail: the control's own text says that the resource fails.
	Fail Verdict = "FAIL"
	// FailEffective: the AWS control is green or silent, and the service still
	// answers callers who prove nothing.
	FailEffective Verdict = "FAIL_EFFECTIVE"
	// Error: the scope could not be read.
	Error Verdict = "ERROR"
	// Undecided: the source cannot know; Finding.Needs says what would settle it.
	Undecided Verdict = "UNKNOWN"
	// Excepted: a valid reviewed exception covers a failure.
	Excepted Verdict = "EXCEPTED"
	// Pass: everything that the control reads was read, and it is right.
	Pass Verdict = "PASS"
	// NotApplicable: the control says nothing about this resource.
	NotApplicable Verdict = "NOT_APPLICABLE"
)

// Verdicts lists all verdicts, the worst first.
var Verdicts = []Verdict{Fail, FailEffective, Error, Undecided, Excepted, Pass, NotApplicable}

// Bad reports whether the verdict is a failure that nobody excused.
func (v Verdict) Bad() bool { return v == Fail || v == FailEffective }

// rank orders verdicts, the worst lowest.
func (v Verdict) rank() int { return slices.Index(Verdicts, v) }

// Severity is the control's own severity, in Security Hub's words. How urgent a
// finding is here is its Rank.
type Severity string

// The severities.
const (
	SeverityCritical Severity = "CRITICAL"
	SeverityHigh     Severity = "HIGH"
	SeverityMedium   Severity = "MEDIUM"
	SeverityLow      Severity = "LOW"
)

// Evidence is one attribute that a rule read.
type Evidence struct {
	Attribute Attribute `json:"attribute"`
	Value     string    `json:"value"`
}

// ExceptionRef names the reviewed exception that excuses a finding.
type ExceptionRef struct {
	ID      string `json:"id"`
	Owner   string `json:"owner"`
	Reason  string `json:"reason"`
	Expires string `json:"expires"` // date, YYYY-MM-DD
	Ticket  string `json:"ticket,omitempty"`
}

// ExceptionState is how an entry of the exceptions file fared.
type ExceptionState string

// The states. Only a used entry excuses anything.
const (
	ExceptionUsed    ExceptionState = "used"
	ExceptionUnused  ExceptionState = "unused"
	ExceptionExpired ExceptionState = "expired"
	ExceptionInvalid ExceptionState = "invalid"
)

// ExceptionNote reports on an entry of the exceptions file.
type ExceptionNote struct {
	ID     string         `json:"id"`
	State  ExceptionState `json:"state"`
	Line   int            `json:"line,omitempty"`
	Detail string         `json:"detail,omitempty"`
}

// Finding is a verdict with everything a person needs to act on it.
type Finding struct {
	Control       string            `json:"control"`
	Title         string            `json:"title"`
	Resource      string            `json:"resource"`
	ResourceType  Kind              `json:"resource_type,omitempty"`
	Name          string            `json:"name,omitempty"`
	Verdict       Verdict           `json:"verdict"`
	Excused       Verdict           `json:"excused,omitempty"` // what the verdict would be without Exception
	Severity      Severity          `json:"severity"`
	Rank          int               `json:"rank,omitempty"` // 1 is the most urgent failure of the report
	RankReasons   []string          `json:"rank_reasons,omitempty"`
	Reason        string            `json:"reason"`
	Needs         string            `json:"needs,omitempty"`
	Notes         []string          `json:"notes,omitempty"`
	Prerequisites []string          `json:"prerequisites,omitempty"`
	Next          string            `json:"next,omitempty"`
	Evidence      []Evidence        `json:"evidence,omitempty"`
	Usage         *Usage            `json:"usage,omitempty"`
	Exposure      Exposure          `json:"exposure,omitempty"`
	Fronts        []string          `json:"fronts,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`
	Account       string            `json:"account"`
	Region        string            `json:"region"`
	Source        Location          `json:"source"`
	Exception     *ExceptionRef     `json:"exception,omitempty"`
	Change        string            `json:"change,omitempty"` // new, fixed or unchanged, under --compare and in the gate
}

// Key identifies a finding across runs: the same control on the same resource.
func (f Finding) Key() string {
	place := f.Source.File
	if f.Source.Origin.Live() {
		place = ""
	}
	return f.Control + "|" + f.Account + "|" + f.Region + "|" + place + "|" + f.Source.Stack + "|" + f.Resource
}
