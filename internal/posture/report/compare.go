package report

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// Comparison sets a report against an earlier one. It is about what needs work:
// failures, errors and what could not be decided.
type Comparison struct {
	Since     time.Time         `json:"since"`
	New       []string          `json:"new"`       // keys of findings that the earlier report did not have
	Fixed     []posture.Finding `json:"fixed"`     // findings of the earlier report that need no work any more
	Unchanged int               `json:"unchanged"` // findings that both have
}

// Compare marks each finding that needs work as new or unchanged against an
// earlier report, and lists what was fixed. Something that this run could not
// read is not fixed: it needs to have been judged, or to be gone from a scope
// that was read.
func (r *Report) Compare(earlier Report) {
	open := map[string]posture.Finding{}
	for _, f := range earlier.Findings {
		if needsWork(f.Verdict) {
			open[f.Key()] = f
		}
	}
	c := &Comparison{Since: earlier.GeneratedAt, New: []string{}, Fixed: []posture.Finding{}}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Verdict == posture.Excepted {
			delete(open, f.Key()) // excused, not fixed
		}
		if !needsWork(f.Verdict) {
			continue
		}
		key := f.Key()
		before, had := open[key]
		delete(open, key)
		if had && before.Verdict == f.Verdict {
			f.Change = "unchanged"
			c.Unchanged++
			continue
		}
		f.Change = "new"
		c.New = append(c.New, key)
	}
	for _, f := range earlier.Findings {
		if _, still := open[f.Key()]; still && r.judged(&f) {
			f.Change = "fixed"
			c.Fixed = append(c.Fixed, f)
		}
	}
	r.Comparison = c
}

func needsWork(v posture.Verdict) bool {
	return v.Bad() || v == posture.Error || v == posture.Undecided
}

// judged reports whether this run looked where an earlier finding was: at its
// control, and at its file or at its account and region without an error.
func (r *Report) judged(f *posture.Finding) bool {
	if f.Control != posture.Unaudited && !slices.Contains(r.Controls, f.Control) {
		return false
	}
	for i := range r.Findings {
		now := &r.Findings[i]
		if now.Verdict == posture.Error && (now.Control == f.Control || now.Control == posture.Unaudited) &&
			now.Account == f.Account && now.Region == f.Region && (now.Source.File == f.Source.File) {
			return false
		}
	}
	if f.Source.File == "" {
		return slices.ContainsFunc(r.Scopes, func(s posture.Scope) bool { return s.Account == f.Account && s.Region == f.Region })
	}
	return slices.ContainsFunc(r.Roots, func(root string) bool {
		rel, err := filepath.Rel(root, f.Source.File)
		return err == nil && filepath.IsLocal(rel)
	})
}
