package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// width is where the table's text breaks; a terminal that is narrower breaks it
// again, one that is wider keeps lines easy to read.
const width = 100

// headings name the groups of the table in the order in which they are printed.
var headings = []struct {
	verdict posture.Verdict
	text    string
}{
	{posture.Fail, "FAIL  the control fails"},
	{posture.FailEffective, "FAIL_EFFECTIVE  AWS's control is green or silent, and strangers are answered"},
	{posture.Error, "ERROR  could not be read"},
	{posture.Undecided, "UNKNOWN  could not be decided"},
	{posture.Excepted, "EXCEPTED  a reviewed exception covers it"},
}

// writeTable prints what needs work, grouped by verdict and control, the most
// urgent first, and counts the rest.
func (r *Report) writeTable(w io.Writer) error {
	var b strings.Builder
	for _, heading := range headings {
		r.tableGroup(&b, heading.verdict, heading.text)
	}
	r.tableExceptions(&b)
	r.tableComparison(&b)
	r.tableSummary(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

func (r *Report) tableGroup(b *strings.Builder, verdict posture.Verdict, heading string) {
	if r.Summary[verdict] == 0 {
		return
	}
	fmt.Fprintf(b, "%s (%d)\n", heading, r.Summary[verdict])
	for _, group := range r.byControl(verdict) {
		first := group[0]
		fmt.Fprintf(b, "\n  %s  %s  %s\n", first.Control, first.Severity, first.Title)
		for _, f := range group {
			tableFinding(b, f)
		}
		tableShared(b, group)
	}
	b.WriteString("\n")
}

// byControl groups the findings of a verdict; the group with the most urgent
// finding comes first.
func (r *Report) byControl(verdict posture.Verdict) [][]*posture.Finding {
	var groups [][]*posture.Finding
	place := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Verdict != verdict {
			continue
		}
		at, ok := place[f.Control]
		if !ok {
			at = len(groups)
			place[f.Control] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], f)
	}
	return groups
}

func tableFinding(b *strings.Builder, f *posture.Finding) {
	head := "    "
	if f.Rank > 0 {
		head += fmt.Sprintf("#%-3d ", f.Rank)
	}
	head += f.Resource
	if label := Label(f); label != "" {
		head += "  (" + label + ")"
	}
	if place := Place(f); place != "" {
		head += "   " + place
	}
	if f.Change != "" {
		head += "   [" + f.Change + "]"
	}
	b.WriteString(head + "\n")
	wrap(b, "         ", f.Reason)
	if len(f.RankReasons) > 0 {
		wrap(b, "         rank: ", strings.Join(f.RankReasons, ", "))
	}
	if f.Usage != nil && f.Usage.Measured {
		wrap(b, "         usage: ", UsageText(f.Usage))
	}
	if f.Needs != "" {
		wrap(b, "         needs: ", f.Needs)
	}
	for _, note := range f.Notes {
		wrap(b, "         note: ", note)
	}
	for _, first := range f.Prerequisites {
		wrap(b, "         first: ", first)
	}
	if f.Exception != nil {
		wrap(b, "         exception: ", fmt.Sprintf("%s until %s (%s): %s", f.Exception.ID, f.Exception.Expires, f.Exception.Owner, f.Exception.Reason))
	}
}

// tableShared prints once what every finding of a group has in common, or the
// next step under a heading of its own when they differ.
func tableShared(b *strings.Builder, group []*posture.Finding) {
	seen := map[string]bool{}
	for _, f := range group {
		if f.Next != "" && !seen[f.Next] {
			seen[f.Next] = true
			wrap(b, "      next: ", f.Next)
		}
	}
	if usage := sharedUsage(group); usage != nil {
		wrap(b, "      usage: ", UsageText(usage))
	}
}

// Label is what people call a resource, where its id does not say it.
func Label(f *posture.Finding) string {
	if f.Name == "" || strings.Contains(f.Resource, f.Name) || strings.ReplaceAll(f.Resource, "/", " ") == strings.ReplaceAll(f.Name, "/", " ") {
		return ""
	}
	return f.Name
}

// Place is where a finding's resource stands: file and line, or account and region.
func Place(f *posture.Finding) string {
	if f.Source.File != "" {
		place := fmt.Sprintf("%s:%d", f.Source.File, f.Source.Line)
		if f.Source.Stack != "" {
			place += " (in nested stack " + f.Source.Stack + ")"
		}
		return place
	}
	return strings.TrimSpace(f.Account + " " + f.Region)
}

// UsageText says in one sentence what is known about unauthenticated use.
func UsageText(u *posture.Usage) string {
	var text string
	switch {
	case u.Measured:
		text = fmt.Sprintf("%d calls without authentication in %s (%s evidence: %s)", u.Count, u.Window, u.Quality, u.Where)
	case u.Quality == posture.QualityNone:
		text = "evidence: " + u.Where
	default:
		text = fmt.Sprintf("not measured; %s evidence: %s", u.Quality, u.Where)
	}
	if u.Caution != "" {
		text += " (" + u.Caution + ")"
	}
	return text
}

func (r *Report) tableExceptions(b *strings.Builder) {
	first := true
	for _, note := range r.Exceptions {
		if note.State == posture.ExceptionUsed {
			continue
		}
		if first {
			b.WriteString("Exceptions that need attention\n")
			first = false
		}
		wrap(b, fmt.Sprintf("    %-8s %s: ", note.State, note.ID), note.Detail)
	}
	if !first {
		b.WriteString("\n")
	}
}

func (r *Report) tableComparison(b *strings.Builder) {
	if c := r.Comparison; c != nil {
		fmt.Fprintf(b, "Since %s: %d new, %d fixed, %d unchanged\n", c.Since.Format("2006-01-02 15:04"), len(c.New), len(c.Fixed), c.Unchanged)
		for _, f := range c.Fixed {
			fmt.Fprintf(b, "    fixed  %s  %s\n", f.Control, f.Resource)
		}
		b.WriteString("\n")
	}
}

func (r *Report) tableSummary(b *strings.Builder) {
	var parts []string
	for _, verdict := range posture.Verdicts {
		if n := r.Summary[verdict]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, verdict))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing found that a control is about"}
		if r.Gate != nil {
			parts = []string{"nothing that needs work"}
		}
	}
	fmt.Fprintf(b, "%s\n", strings.Join(parts, " · "))
	if g := r.Gate; g != nil {
		fmt.Fprintf(b, "the change introduces %d finding(s); %d of the base are left out\n", g.Introduced, g.Existing)
	}
	if len(r.Files) > 0 {
		fmt.Fprintf(b, "%d file(s) read, %d skipped\n", len(r.Files), len(r.Skipped))
	}
	for _, scope := range r.Scopes {
		if !scope.Complete {
			fmt.Fprintf(b, "incomplete: account %s, region %s\n", scope.Account, scope.Region)
		}
	}
}

// wrap writes text after a prefix and breaks it at width, indented like the
// prefix.
func wrap(b *strings.Builder, prefix, text string) {
	indent := strings.Repeat(" ", len(prefix)-len(strings.TrimLeft(prefix, " "))+2)
	line := prefix
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
