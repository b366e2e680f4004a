package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"place": Place, "usage": UsageText, "lower": func(v posture.Verdict) string { return strings.ToLower(string(v)) },
	"join": strings.Join, "label": Label,
}).Parse(pageText))

// htmlGroup is one control's findings with one verdict.
type htmlGroup struct {
	Control  posture.Control
	ID       string
	Title    string
	Severity posture.Severity
	Usage    *posture.Usage // what holds for all of them; measured numbers stand with each
	Findings []*posture.Finding
}

type htmlSection struct {
	Verdict posture.Verdict
	Meaning string
	Count   int
	Groups  []htmlGroup
}

type htmlPage struct {
	*Report
	Tiles    []htmlSection
	Sections []htmlSection
	Total    int
	Worst    []*posture.Finding
	Quiet    []htmlCount
}

type htmlCount struct {
	ID, Title          string
	Pass, Inapplicable int
}

var meanings = map[posture.Verdict]string{
	posture.Fail:          "The control's own text says that these fail.",
	posture.FailEffective: "AWS's control is green or silent, and the service still answers callers who prove nothing.",
	posture.Error:         "These could not be read. Nothing is known about them.",
	posture.Undecided:     "The source cannot know. Each says what would settle it.",
	posture.Excepted:      "A reviewed exception with an owner and an end covers these.",
}

// mostWorst is how many findings the head of the page names.
const mostWorst = 5

// writeHTML writes one page with everything in it: no script, no font and no
// image is loaded from anywhere.
func (r *Report) writeHTML(w io.Writer) error {
	data := htmlPage{Report: r, Total: len(r.Findings)}
	for _, heading := range headings {
		section := htmlSection{Verdict: heading.verdict, Meaning: meanings[heading.verdict], Count: r.Summary[heading.verdict]}
		for _, group := range r.byControl(heading.verdict) {
			control, _ := posture.Lookup(group[0].Control)
			section.Groups = append(section.Groups, htmlGroup{control, group[0].Control, group[0].Title, group[0].Severity, sharedUsage(group), group})
		}
		if section.Count > 0 {
			data.Sections = append(data.Sections, section)
		}
	}
	for _, verdict := range posture.Verdicts {
		if n := r.Summary[verdict]; n > 0 {
			data.Tiles = append(data.Tiles, htmlSection{Verdict: verdict, Count: n})
		}
	}
	data.Worst = r.worst()
	data.Quiet = r.quiet()
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("writing the HTML report: %w", err)
	}
	return nil
}

// quiet counts what needs no work, per control.
func (r *Report) quiet() []htmlCount {
	var counts []htmlCount
	place := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Verdict != posture.Pass && f.Verdict != posture.NotApplicable {
			continue
		}
		at, ok := place[f.Control]
		if !ok {
			at = len(counts)
			place[f.Control] = at
			counts = append(counts, htmlCount{ID: f.Control, Title: f.Title})
		}
		if f.Verdict == posture.Pass {
			counts[at].Pass++
		} else {
			counts[at].Inapplicable++
		}
	}
	return counts
}

// worst picks the most urgent failures, one per resource.
func (r *Report) worst() []*posture.Finding {
	var worst []*posture.Finding
	seen := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		place := f.Source.File + "#" + f.Resource
		if f.Verdict.Bad() && len(worst) < mostWorst && !seen[place] {
			seen[place] = true
			worst = append(worst, f)
		}
	}
	return worst
}

// sharedUsage is the advice on evidence that all findings of a group have.
func sharedUsage(group []*posture.Finding) *posture.Usage {
	if usage := group[0].Usage; usage != nil && !usage.Measured && group[0].Verdict.Bad() {
		return usage
	}
	return nil
}
