// Package gate decides what a change introduces: the findings of the changed
// templates and plans that their base did not have.
//
// It owns matching the two sides (a file may lie in another checkout, a plan
// carries its own base) and the gate's exit code. Judging, exceptions and
// formats belong to its neighbours.
package gate

import (
	"path/filepath"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/report"
)

// Narrow keeps of a report what the change introduces and counts the rest. base
// are the findings of the base, read from baseRoots. What could not be read is
// kept whatever the base says.
func Narrow(head *report.Report, base []posture.Finding, baseRoots []string) {
	before := map[string]posture.Finding{}
	for _, f := range base {
		before[key(&f, baseRoots)] = f
	}
	summary := &report.Gate{Against: baseRoots}
	kept := []posture.Finding{}
	for _, f := range head.Findings {
		old, known := before[key(&f, head.Roots)]
		if f.Verdict != posture.Error && known && !worse(verdict(&f), verdict(&old)) {
			if f.Verdict.Bad() || f.Verdict == posture.Undecided {
				summary.Existing++
			}
			continue
		}
		if f.Verdict.Bad() || f.Verdict == posture.Undecided || f.Verdict == posture.Error {
			f.Change = "new"
			f.Notes = append(f.Notes, omitted(&f, &old, known)...)
			summary.Introduced++
		}
		kept = append(kept, f)
	}
	posture.Rank(kept)
	head.Findings, head.Gate = kept, summary
	head.Count()
}

// verdict is what the control says, without exceptions: an exception that was
// deleted does not make an old failure new.
func verdict(f *posture.Finding) posture.Verdict {
	if f.Excused != "" {
		return f.Excused
	}
	return f.Verdict
}

// worse reports whether a change went from something acceptable to something
// that needs work, or from undecided to a failure.
func worse(now, before posture.Verdict) bool {
	return badness(now) > badness(before)
}

func badness(v posture.Verdict) int {
	switch v {
	case posture.Fail, posture.FailEffective:
		return 2
	case posture.Undecided, posture.Error:
		return 1
	}
	return 0
}

// omitted explains a trap: leaving AuthorizationType out of a template does not
// detach the authorizer of a deployed route (CloudFormation coverage roadmap,
// issue 2184), so template and route differ from then on.
func omitted(f, old *posture.Finding, known bool) []string {
	if !known || old.Verdict != posture.Pass || f.ResourceType != posture.KindRoute {
		return nil
	}
	for _, e := range f.Evidence {
		if e.Attribute == posture.AuthorizationType && e.Value == posture.Absent().String() {
			return []string{"the base had an authorization type; leaving it out keeps the deployed route's authorizer until the route is made anew, which is then open"}
		}
	}
	return nil
}

// key matches a finding with its counterpart in another checkout: the file's
// place below the root that was named, not its whole path.
func key(f *posture.Finding, roots []string) string {
	place := ""
	if f.Source.Origin != posture.OriginTerraform {
		place = below(f.Source.File, roots)
	}
	return strings.Join([]string{f.Control, place, f.Source.Stack, f.Resource}, "|")
}

func below(file string, roots []string) string {
	best := file
	for _, root := range roots {
		if rel, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(rel) && len(rel) < len(best) {
			best = rel
		}
	}
	return filepath.ToSlash(best)
}

// ExitCode is the gate's exit code: what could not be read always ends it, what
// could not be decided only when strict.
func ExitCode(r *report.Report, strict bool) int {
	code := r.ExitCode()
	if code == report.ExitUnknown && !strict {
		return report.ExitClean
	}
	return code
}
