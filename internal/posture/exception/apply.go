package exception

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// Apply turns failures that a valid entry covers into EXCEPTED findings, ranks
// the findings anew, and reports on every entry.
func (f File) Apply(findings []posture.Finding, now time.Time) []posture.ExceptionNote {
	notes := make([]posture.ExceptionNote, 0, len(f.Entries))
	for i := range f.Entries {
		notes = append(notes, f.Entries[i].apply(findings, now))
	}
	posture.Rank(findings)
	return notes
}

func (e *Entry) apply(findings []posture.Finding, now time.Time) posture.ExceptionNote {
	note := posture.ExceptionNote{ID: e.ID, Line: e.Line}
	if note.ID == "" {
		note.ID = fmt.Sprintf("(line %d)", e.Line)
	}
	covered, places := e.covered(findings)
	switch {
	case len(e.Problems) > 0:
		note.State, note.Detail = posture.ExceptionInvalid, strings.Join(e.Problems, "; ")
	case e.Expired(now):
		note.State, note.Detail = posture.ExceptionExpired, "it ended on "+e.Expires+" and excuses nothing"
	case len(covered) == 0:
		note.State, note.Detail = posture.ExceptionUnused, "no failure of "+e.Control+" matches "+e.Resource+": delete the entry, or correct it"
	case e.Match == "exact" && places > 1:
		note.State = posture.ExceptionInvalid
		note.Detail = fmt.Sprintf("%q is a resource in %d templates: write FILE#%s to say which is meant", e.Resource, places, e.Resource)
	default:
		note.State = posture.ExceptionUsed
		note.Detail = fmt.Sprintf("covers %d finding(s) until %s", len(covered), e.Expires)
		for _, finding := range covered {
			e.excuse(finding)
		}
	}
	return note
}

// Honoured returns the valid, unexpired entry that excuses a control on one
// resource, for a caller that asks before the resource exists.
func (f File) Honoured(control, resource string, now time.Time) (Entry, bool) {
	asked := posture.Finding{Control: control, Resource: resource}
	for _, e := range f.Entries {
		if len(e.Problems) == 0 && !e.Expired(now) && e.Control == control && e.matches(&asked) {
			return e, true
		}
	}
	return Entry{}, false
}

// covered returns the failures that the entry matches, and in how many places
// (templates, stacks, accounts) they are.
func (e *Entry) covered(findings []posture.Finding) ([]*posture.Finding, int) {
	var covered []*posture.Finding
	places := map[string]bool{}
	for i := range findings {
		f := &findings[i]
		if f.Verdict.Bad() && f.Control == e.Control && e.matches(f) {
			covered = append(covered, f)
			places[f.Source.File+"|"+f.Source.Stack+"|"+f.Account+"|"+f.Region] = true
		}
	}
	return covered, len(places)
}

func (e *Entry) excuse(f *posture.Finding) {
	f.Excused, f.Verdict = f.Verdict, posture.Excepted
	f.Exception = &posture.ExceptionRef{ID: e.ID, Owner: e.Owner, Reason: e.Reason, Expires: e.Expires, Ticket: e.Ticket}
}

// matches compares the resource, and the file too when the entry names one as
// FILE#RESOURCE.
func (e *Entry) matches(f *posture.Finding) bool {
	candidates := []string{f.Resource}
	if f.Source.File != "" {
		candidates = append(candidates, filepath.ToSlash(filepath.Clean(f.Source.File))+"#"+f.Resource)
	}
	for _, candidate := range candidates {
		if e.Match == "exact" && candidate == e.Resource || e.Match == "glob" && glob(e.Resource, candidate) {
			return true
		}
	}
	return false
}

// glob matches * (any run, slashes too) and ? (any one character), in time
// linear in both but for backtracking to the last star.
func glob(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
