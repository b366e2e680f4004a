package posture

import (
	"fmt"
	"slices"
	"strings"
)

// Options choose what Evaluate judges.
type Options struct {
	Controls   []string                     // ids; none means all
	Parameters map[string]map[string]string // per control id: parameter name to value
}

// Evaluate judges every resource of an inventory under every chosen control,
// turns problems into ERROR findings, and ranks the result. The order of the
// findings depends on the inventory alone.
func Evaluate(inventory Inventory, options Options) ([]Finding, error) {
	controls, err := Select(options.Controls)
	if err != nil {
		return nil, err
	}
	findings := make([]Finding, 0, expected(inventory.Resources, controls))
	for _, control := range controls {
		params, err := control.parameters(options.Parameters[control.ID])
		if err != nil {
			return nil, err
		}
		for i := range inventory.Resources {
			resource := &inventory.Resources[i]
			if slices.Contains(control.Kinds, resource.Kind) {
				if finding := control.judge(resource, params); finding.Verdict != "" {
					findings = append(findings, finding)
				}
			}
		}
	}
	findings = append(findings, gaps(inventory.Gaps, controls)...)
	findings = append(findings, problems(inventory.Problems, controls)...)
	Rank(findings)
	return findings, nil
}

// expected counts the findings that resources can give, at most.
func expected(resources []Resource, controls []Control) int {
	perKind := map[Kind]int{}
	for i := range resources {
		perKind[resources[i].Kind]++
	}
	total := 0
	for _, control := range controls {
		for _, kind := range control.Kinds {
			total += perKind[kind]
		}
	}
	return total
}

// Judge applies one control to one resource with the control's default
// parameters.
func (c Control) Judge(resource Resource) Finding {
	params, _ := c.parameters(nil)
	return c.judge(&resource, params)
}

func (c Control) judge(resource *Resource, params map[string]string) Finding {
	finding := Finding{
		Control: c.ID, Title: c.Title, Severity: c.Severity,
		Resource: resource.ID, ResourceType: resource.Kind, Name: resource.Name,
		Account: resource.Account, Region: resource.Region,
		Exposure: resource.Exposure, Fronts: resource.Fronts, Tags: resource.Tags,
		Source: resource.Location, Usage: c.usage(resource),
	}
	judgement, evidence := c.decide(resource, params)
	finding.Verdict, finding.Reason, finding.Needs = judgement.Verdict, judgement.Reason, judgement.Needs
	finding.Next, finding.Notes, finding.Prerequisites = judgement.Next, judgement.Notes, judgement.Prerequisites
	finding.Evidence = evidence
	if resource.Doubt.Reason != "" && (finding.Verdict == Pass || finding.Verdict == NotApplicable) {
		finding.Verdict, finding.Needs = Undecided, resource.Doubt.Needs
		finding.Reason = resource.Doubt.Reason + "; as written: " + finding.Reason
	}
	if finding.Verdict.Bad() || finding.Verdict == Undecided {
		finding.Notes = append(finding.Notes, resource.Notes...)
	}
	if !finding.Verdict.Bad() && finding.Verdict != Undecided {
		finding.Usage = nil
	}
	return finding
}

// decide runs the rule, once per variant when the resource has variants.
func (c Control) decide(resource *Resource, params map[string]string) (Judgement, []Evidence) {
	if resource.Gone {
		return Judgement{Verdict: NotApplicable, Reason: "its condition is false, so the resource is not created"}, nil
	}
	if len(resource.Variants) == 0 {
		return c.run(resource, resource.Attributes, params)
	}
	var first Judgement
	var evidence []Evidence
	outcomes := map[Verdict][]string{}
	decided := false
	for _, variant := range resource.Variants {
		if variant.Gone {
			continue
		}
		judgement, read := c.run(resource, variant.Attributes, params)
		if judgement.Verdict == "" { // the check is not about the resource in this case
			continue
		}
		if !decided || judgement.Verdict.rank() < first.Verdict.rank() {
			first, evidence, decided = judgement, read, true
		}
		outcomes[judgement.Verdict] = append(outcomes[judgement.Verdict], variant.When)
	}
	switch {
	case !decided && allGone(resource.Variants):
		return Judgement{Verdict: NotApplicable, Reason: "the resource is created in no case"}, nil
	case !decided:
		return silent(), nil
	case len(outcomes) == 1:
		return first, evidence
	case len(outcomes) == 2 && len(outcomes[Pass]) > 0 && len(outcomes[NotApplicable]) > 0:
		first.Notes = append(first.Notes, "in some cases the control does not apply")
		return first, evidence
	}
	return split(first, outcomes), evidence
}

func allGone(variants []Variant) bool {
	return !slices.ContainsFunc(variants, func(v Variant) bool { return !v.Gone })
}

// split says that the verdict depends on something undecided.
func split(worst Judgement, outcomes map[Verdict][]string) Judgement {
	var parts, needs []string
	for _, verdict := range Verdicts {
		if cases := outcomes[verdict]; len(cases) > 0 {
			parts = append(parts, fmt.Sprintf("%s when %s", verdict, strings.Join(firstFew(cases), " or ")))
			for _, when := range cases {
				for atom := range strings.SplitSeq(when, ", ") {
					name, _, _ := strings.Cut(atom, "=")
					if name != "" && !slices.Contains(needs, name) {
						needs = append(needs, name)
					}
				}
			}
		}
	}
	return Judgement{
		Verdict:       Undecided,
		Reason:        "the verdict depends on what the template does not decide: " + strings.Join(parts, "; ") + ". At worst: " + worst.Reason,
		Needs:         "a value for " + strings.Join(needs, ", "),
		Next:          worst.Next,
		Notes:         worst.Notes,
		Prerequisites: worst.Prerequisites,
	}
}

func firstFew(cases []string) []string {
	const most = 3 // more cases than this do not help a reader
	if len(cases) > most {
		return append(slices.Clone(cases[:most]), fmt.Sprintf("%d more cases", len(cases)-most))
	}
	return cases
}

func (c Control) run(resource *Resource, attrs Attributes, params map[string]string) (Judgement, []Evidence) {
	reader := &Reader{resource: resource, attrs: attrs, params: params}
	judgement := c.Rule(reader)
	return judgement, reader.evidence
}

func (c Control) usage(resource *Resource) *Usage {
	if resource.Usage != nil {
		return resource.Usage
	}
	if usage, ok := c.Usage[resource.Kind]; ok {
		return &usage
	}
	return nil
}

// Unaudited is the control of findings about what could not be read or expanded
// at all, whatever it holds.
const Unaudited = "Gatehouse.0"

// gaps turns what a source could not expand into UNKNOWN findings.
func gaps(list []Gap, controls []Control) []Finding {
	var findings []Finding
	for _, gap := range list {
		if len(gap.Controls) == 0 {
			findings = append(findings, Finding{
				Control: Unaudited, Title: "Could not be audited", Severity: SeverityMedium, Verdict: Undecided,
				Resource: gap.Resource, Account: gap.Account, Region: gap.Region, Source: gap.Location,
				Reason: gap.Reason, Needs: gap.Needs,
			})
		}
		for _, control := range controls {
			if !slices.Contains(gap.Controls, control.ID) {
				continue
			}
			findings = append(findings, Finding{
				Control: control.ID, Title: control.Title, Severity: control.Severity, Verdict: Undecided,
				Resource: gap.Resource, Account: gap.Account, Region: gap.Region, Source: gap.Location,
				Reason: gap.Reason, Needs: gap.Needs,
			})
		}
	}
	return findings
}

// problems turns what a source could not read into ERROR findings.
func problems(list []Problem, controls []Control) []Finding {
	var findings []Finding
	for _, problem := range list {
		finding := Finding{
			Resource: problem.Scope, Verdict: Error, Severity: SeverityHigh, Title: "Could not be audited",
			Account: problem.Account, Region: problem.Region, Source: problem.Location,
			Reason: problem.Reason, Next: problem.Next,
		}
		if len(problem.Controls) == 0 {
			finding.Control = Unaudited
			findings = append(findings, finding)
			continue
		}
		for _, control := range controls {
			if slices.Contains(problem.Controls, control.ID) {
				each := finding
				each.Control, each.Title, each.Severity = control.ID, control.Title, control.Severity
				findings = append(findings, each)
			}
		}
	}
	return findings
}
