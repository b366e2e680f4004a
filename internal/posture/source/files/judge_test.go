package files_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

// judgement is control, resource and verdict as one line, for tables.
type judgement struct {
	control, resource string
	verdict           posture.Verdict
}

// audit writes files into a folder and judges one of them, or all when name is
// empty.
func audit(t *testing.T, name string, contents map[string]string, options files.Options) []posture.Finding {
	t.Helper()
	dir := t.TempDir()
	for path, text := range contents {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	findings, err := posture.Evaluate(files.Read([]string{filepath.Join(dir, name)}, options), posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// find returns the one finding of a control for a resource.
func find(t *testing.T, findings []posture.Finding, control, resource string) posture.Finding {
	t.Helper()
	var found []posture.Finding
	for _, f := range findings {
		if f.Control == control && f.Resource == resource {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		var all []string
		for _, f := range findings {
			all = append(all, fmt.Sprintf("%s %s %s", f.Control, f.Resource, f.Verdict))
		}
		t.Fatalf("%d findings of %s for %q, want 1; there are:\n%s", len(found), control, resource, strings.Join(all, "\n"))
	}
	return found[0]
}

func expect(t *testing.T, findings []posture.Finding, want ...judgement) {
	t.Helper()
	for _, w := range want {
		if w.verdict == "" {
			for _, f := range findings {
				if f.Control == w.control && f.Resource == w.resource {
					t.Errorf("%s %s is %s, want no finding", w.control, w.resource, f.Verdict)
				}
			}
			continue
		}
		if got := find(t, findings, w.control, w.resource); got.Verdict != w.verdict {
			t.Errorf("%s %s is %s (%s), want %s", w.control, w.resource, got.Verdict, got.Reason, w.verdict)
		}
	}
}

// resource is a CloudFormation template with one resource named R, besides what
// else is given.
func resource(kind, properties string, more ...string) string {
	return "AWSTemplateFormatVersion: '2010-09-09'\n" + strings.Join(more, "\n") + "\nResources:\n  R:\n    Type: " + kind + "\n    Properties:\n" + indent(properties, 6)
}

func indent(text string, by int) string {
	pad := strings.Repeat(" ", by)
	return pad + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+pad) + "\n"
}

// planned is a Terraform plan that creates one resource of the given type named
// x; configured lists the attributes that the configuration sets.
func planned(kind, after, unknown string, configured ...string) string {
	var expressions []string
	for _, name := range configured {
		expressions = append(expressions, fmt.Sprintf(`%q:{"references":["var.x"]}`, name))
	}
	if unknown == "" {
		unknown = "{}"
	}
	return fmt.Sprintf(`{"format_version":"1.2","terraform_version":"1.9.0","resource_changes":[
{"address":"%[1]s.x","mode":"managed","type":"%[1]s","name":"x","change":{"actions":["create"],"before":null,"after":%[2]s,"after_unknown":%[3]s}}],
"configuration":{"root_module":{"resources":[{"address":"%[1]s.x","mode":"managed","type":"%[1]s","name":"x","expressions":{%[4]s}}]}}}`,
		kind, after, unknown, strings.Join(expressions, ","))
}
