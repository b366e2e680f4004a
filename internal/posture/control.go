package posture

import (
	"fmt"
	"slices"
	"strings"
)

// Schedule says when AWS Config evaluates a control's rule.
type Schedule string

// The schedules; a check of Gatehouse's own has none.
const (
	Periodic        Schedule = "periodic"
	ChangeTriggered Schedule = "change-triggered"
)

// Parameter is a setting of a control.
type Parameter struct {
	Name    string   `json:"name"`
	Allowed []string `json:"allowed,omitempty"` // exact values, or for numbers "min–max"
	Default string   `json:"default,omitempty"`
	Fixed   bool     `json:"fixed,omitempty"` // AWS sets it and nobody can change it
}

// Mapping ties a control to a requirement of a framework, as a named source has it.
type Mapping struct {
	Framework    string   `json:"framework"`
	Requirements []string `json:"requirements"`
	Source       string   `json:"source"`
}

// Control is one check as data. Rule is nil for none of them.
type Control struct {
	ID         string      `json:"id"`
	Title      string      `json:"title"`
	Own        bool        `json:"own,omitempty"` // Gatehouse's own check, beyond Security Hub
	Severity   Severity    `json:"severity"`
	Category   string      `json:"category"`
	Kinds      []Kind      `json:"resource_types"`
	ConfigRule string      `json:"config_rule,omitempty"`
	Schedule   Schedule    `json:"schedule,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
	Mappings   []Mapping   `json:"mappings,omitempty"`
	// Unmapped are the frameworks of soughtAfter that no source maps the control
	// to: the Security Hub guide, Powerpipe's compliance mod and Prowler were read.
	Unmapped []string `json:"unmapped,omitempty"`
	// Retired is the date on which AWS retired the control, or empty.
	Retired string `json:"retired,omitempty"`
	// Usage is the evidence of unauthenticated use that AWS can offer, per kind.
	Usage map[Kind]Usage `json:"-"`
	// Page is where AWS describes the control.
	Page string `json:"page,omitempty"`

	Rule Rule `json:"-"`
}

// Rule judges one resource. It is a pure function: what it reads through the
// Reader is recorded as the finding's evidence.
type Rule func(r *Reader) Judgement

// Judgement is what a rule says. A Judgement without a verdict says that there is nothing to report.
type Judgement struct {
	Verdict       Verdict
	Reason        string
	Needs         string // for Undecided: what would settle it
	Next          string // the next command or edit
	Notes         []string
	Prerequisites []string // what has to be true before the fix can work
}

// Reader hands a rule the attributes of a resource and records what it read.
type Reader struct {
	resource *Resource
	attrs    Attributes
	params   map[string]string
	evidence []Evidence
}

// Read returns an attribute and records it as evidence.
func (r *Reader) Read(name Attribute) Value {
	value, ok := r.attrs[name]
	if !ok {
		value = r.resource.Otherwise
	}
	if !slices.ContainsFunc(r.evidence, func(e Evidence) bool { return e.Attribute == name }) {
		r.evidence = append(r.evidence, Evidence{Attribute: name, Value: value.String()})
	}
	return value
}

// Resource returns what is judged: its id, name and origin, not its attributes.
func (r *Reader) Resource() *Resource { return r.resource }

// Param returns a parameter of the control, as given or by default.
func (r *Reader) Param(name string) string { return r.params[name] }

// Next picks the command for a live resource or the edit for a declared one.
func (r *Reader) Next(live, declared string) string {
	if r.resource.Location.Origin.Live() {
		return live
	}
	return declared
}

// Catalogue returns every control, Security Hub's first, in order of id.
func Catalogue() []Control { return slices.Clone(catalogue) }

// Lookup finds a control by id, in any case.
func Lookup(id string) (Control, bool) {
	for _, control := range catalogue {
		if strings.EqualFold(control.ID, id) {
			return control, true
		}
	}
	return Control{}, false
}

// Select returns the controls with the given ids, or all that are not retired
// when there are none. An id that does not exist is an error that lists those
// that do.
func Select(ids []string) ([]Control, error) {
	var chosen []Control
	if len(ids) == 0 {
		for _, control := range catalogue {
			if control.Retired == "" {
				chosen = append(chosen, control)
			}
		}
		return chosen, nil
	}
	for _, id := range ids {
		control, ok := Lookup(id)
		if !ok {
			return nil, fmt.Errorf("there is no control %q; the controls are %s", id, strings.Join(controlIDs(), ", "))
		}
		chosen = append(chosen, control)
	}
	return chosen, nil
}

func controlIDs() []string {
	ids := make([]string, 0, len(catalogue))
	for _, control := range catalogue {
		ids = append(ids, control.ID)
	}
	return ids
}

// parameters merges given values over the defaults and refuses what the control
// does not know.
func (c Control) parameters(given map[string]string) (map[string]string, error) {
	values := map[string]string{}
	for _, p := range c.Parameters {
		values[p.Name] = p.Default
	}
	for name, value := range given {
		i := slices.IndexFunc(c.Parameters, func(p Parameter) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("control %s has no parameter %q", c.ID, name)
		}
		if err := c.Parameters[i].check(value); err != nil {
			return nil, fmt.Errorf("control %s: %w", c.ID, err)
		}
		values[name] = value
	}
	return values, nil
}

func (p Parameter) check(value string) error {
	if p.Fixed {
		return fmt.Errorf("parameter %s is fixed by AWS", p.Name)
	}
	if low, high, ok := p.bounds(); ok {
		n, known := Text(value).Int()
		if !known || n < low || n > high {
			return fmt.Errorf("parameter %s must be a number from %d to %d", p.Name, low, high)
		}
		return nil
	}
	if len(p.Allowed) > 0 && !slices.Contains(p.Allowed, value) {
		return fmt.Errorf("parameter %s must be one of %s", p.Name, strings.Join(p.Allowed, ", "))
	}
	return nil
}

// bounds reads "1–35" in Allowed.
func (p Parameter) bounds() (low, high int, ok bool) {
	if len(p.Allowed) != 1 {
		return 0, 0, false
	}
	from, to, found := strings.Cut(p.Allowed[0], "–")
	if !found {
		return 0, 0, false
	}
	low, ok1 := Text(from).Int()
	high, ok2 := Text(to).Int()
	return low, high, ok1 && ok2
}
