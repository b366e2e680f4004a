package gate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/gate"
	"github.com/gatehouse/gatehouse/internal/posture/report"
)

func finding(file, resource string, verdict posture.Verdict) posture.Finding {
	return posture.Finding{
		Control: "APIGateway.8", Resource: resource, ResourceType: posture.KindRoute, Verdict: verdict,
		Source: posture.Location{Origin: posture.OriginCloudFormation, File: file, Line: 1},
	}
}

func headOf(findings ...posture.Finding) report.Report {
	return report.New(posture.Inventory{Roots: []string{"head"}}, posture.Catalogue(), findings, "v", time.Unix(0, 0))
}

// TestNarrow: what the base had too is left out; what got worse, what is new and
// what could not be read is kept.
func TestNarrow(t *testing.T) {
	cases := []struct {
		name         string
		before, now  posture.Verdict // before is empty when the base has no such resource
		kept         bool
		code, strict int
	}{
		{"a new failure", "", posture.Fail, true, 1, 1},
		{"an old failure", posture.Fail, posture.Fail, false, 0, 0},
		{"an old failure that got a new face", posture.FailEffective, posture.Fail, false, 0, 0},
		{"a pass that turned", posture.Pass, posture.Fail, true, 1, 1},
		{"unknown that turned out bad", posture.Undecided, posture.Fail, true, 1, 1},
		{"bad that turned unknown", posture.Fail, posture.Undecided, false, 0, 0},
		{"a pass that turned unknown", posture.Pass, posture.Undecided, true, 0, 3},
		{"a new unknown", "", posture.Undecided, true, 0, 3},
		{"an old unknown", posture.Undecided, posture.Undecided, false, 0, 0},
		{"an error, whatever was before", posture.Error, posture.Error, true, 4, 4},
		{"an excepted new failure", "", posture.Excepted, true, 0, 0},
		{"a mended one", posture.Fail, posture.Pass, false, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			now := finding("head/a/t.yaml", "R", c.now)
			if c.now == posture.Excepted {
				now.Excused = posture.Fail
			}
			head := headOf(now)
			var base []posture.Finding
			if c.before != "" {
				base = append(base, finding("elsewhere/base/a/t.yaml", "R", c.before))
			}
			gate.Narrow(&head, base, []string{"elsewhere/base"})
			if kept := len(head.Findings) == 1; kept != c.kept {
				t.Errorf("kept is %v, want %v", kept, c.kept)
			}
			if code := gate.ExitCode(&head, false); code != c.code {
				t.Errorf("it ends with %d, want %d", code, c.code)
			}
			if code := gate.ExitCode(&head, true); code != c.strict {
				t.Errorf("strict, it ends with %d, want %d", code, c.strict)
			}
		})
	}
}

func TestOneFileUnderTwoNames(t *testing.T) {
	head := report.New(posture.Inventory{Roots: []string{"new.yaml"}}, nil, []posture.Finding{finding("new.yaml", "R", posture.Fail)}, "v", time.Unix(0, 0))
	gate.Narrow(&head, []posture.Finding{finding("old.yaml", "R", posture.Fail)}, []string{"old.yaml"})
	if len(head.Findings) != 0 {
		t.Error("an old failure in a file that was named itself counts as new")
	}
}

func TestTheSameNameInAnotherFileIsNotTheSame(t *testing.T) {
	head := headOf(finding("head/a.yaml", "R", posture.Fail), finding("head/b.yaml", "R", posture.Fail))
	gate.Narrow(&head, []posture.Finding{finding("base/a.yaml", "R", posture.Fail)}, []string{"base"})
	if len(head.Findings) != 1 || head.Findings[0].Source.File != "head/b.yaml" || head.Gate.Introduced != 1 || head.Gate.Existing != 1 {
		t.Errorf("kept are %+v", head.Findings)
	}
}

// TestOmittedType: leaving the type out of a template does not open the deployed
// route at once, and the gate says so.
func TestOmittedType(t *testing.T) {
	open := finding("head/t.yaml", "R", posture.Fail)
	open.Evidence = []posture.Evidence{{Attribute: posture.AuthorizationType, Value: posture.Absent().String()}}
	head := headOf(open)
	gate.Narrow(&head, []posture.Finding{finding("base/t.yaml", "R", posture.Pass)}, []string{"base"})
	if notes := strings.Join(head.Findings[0].Notes, " "); !strings.Contains(notes, "keeps the deployed route's authorizer") {
		t.Errorf("the notes are %q", notes)
	}
}
