package exception_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/exception"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// entry is a valid entry; changes replace or, with an empty value, remove lines.
func entry(changes ...string) string {
	fields := map[string]string{
		"id": "EX-1", "control": "APIGateway.8", "resource": "HealthRoute", "owner": "platform", "reason": "the health check holds no data at all",
		"compensating_control": "a rate limit", "approved_by": "lead", "created": "2026-11-01", "expires": "2027-01-31",
	}
	for i := 0; i+1 < len(changes); i += 2 {
		fields[changes[i]] = changes[i+1]
	}
	var b strings.Builder
	lead := "  - "
	for _, key := range []string{"id", "control", "resource", "match", "owner", "reason", "compensating_control", "approved_by", "created", "expires", "ticket", "expiry"} {
		if fields[key] != "" {
			b.WriteString(lead + key + ": '" + fields[key] + "'\n")
			lead = "    "
		}
	}
	return b.String()
}

func findings() []posture.Finding {
	finding := func(control, resource, file string, verdict posture.Verdict) posture.Finding {
		return posture.Finding{Control: control, Resource: resource, Verdict: verdict, Source: posture.Location{Origin: posture.OriginCloudFormation, File: file}}
	}
	return []posture.Finding{
		finding("APIGateway.8", "HealthRoute", "a.yaml", posture.Fail),
		finding("APIGateway.8", "OrdersRoute", "a.yaml", posture.Fail),
		finding("APIGateway.8", "UnsureRoute", "a.yaml", posture.Undecided),
		finding("APIGateway.8", "Twin", "a.yaml", posture.Fail),
		finding("APIGateway.8", "Twin", "b.yaml", posture.Fail),
		finding("Gatehouse.7", "HealthRoute", "a.yaml", posture.FailEffective),
	}
}

func TestApply(t *testing.T) {
	cases := []struct {
		name, text string
		state      posture.ExceptionState
		excused    []string
		detail     string
	}{
		{"valid", entry(), posture.ExceptionUsed, []string{"a.yaml#HealthRoute"}, "covers 1"},
		{"the last day counts", entry("expires", "2026-11-21"), posture.ExceptionUsed, []string{"a.yaml#HealthRoute"}, ""},
		{"expired", entry("expires", "2026-11-20"), posture.ExceptionExpired, nil, "2026-11-20"},
		{"unused", entry("resource", "Gone"), posture.ExceptionUnused, nil, "delete"},
		{"no expiry", entry("expires", ""), posture.ExceptionInvalid, nil, "expires is missing"},
		{"an expiry that is no date", entry("expires", "next year"), posture.ExceptionInvalid, nil, "not a date"},
		{"an expiry that does not exist", entry("expires", "2027-02-30"), posture.ExceptionInvalid, nil, "not a date"},
		{"a misspelt expiry", entry("expires", "", "expiry", "2027-01-31"), posture.ExceptionInvalid, nil, `"expiry" is not known`},
		{"too long a life", entry("expires", "2028-11-01"), posture.ExceptionInvalid, nil, "366 are allowed"},
		{"created in the future", entry("created", "2026-12-24"), posture.ExceptionInvalid, nil, "future"},
		{"ends before it begins", entry("expires", "2026-10-01"), posture.ExceptionInvalid, nil, "before it was created"},
		{"a short reason", entry("reason", "by design"), posture.ExceptionInvalid, nil, "9 characters"},
		{"no owner", entry("owner", ""), posture.ExceptionInvalid, nil, "owner is missing"},
		{"no approver", entry("approved_by", ""), posture.ExceptionInvalid, nil, "approved_by is missing"},
		{"no compensating control", entry("compensating_control", ""), posture.ExceptionInvalid, nil, "compensating_control is missing"},
		{"a control that does not exist", entry("control", "S3.1"), posture.ExceptionInvalid, nil, "no control"},
		{"every control", entry("control", "*"), posture.ExceptionInvalid, nil, "no control"},
		{"a star without a glob", entry("resource", "*Route"), posture.ExceptionInvalid, nil, "match: glob"},
		{"a glob", entry("resource", "Heal*Route", "match", "glob"), posture.ExceptionUsed, []string{"a.yaml#HealthRoute"}, ""},
		{"a glob for everything", entry("resource", "*", "match", "glob"), posture.ExceptionInvalid, nil, "too broad"},
		{"a glob for an account", entry("resource", "arn:aws:apigateway:*:111122223333:*", "match", "glob"), posture.ExceptionInvalid, nil, "too broad"},
		{"a match that does not exist", entry("match", "regex"), posture.ExceptionInvalid, nil, "exact or glob"},
		{"the same name in two templates", entry("resource", "Twin"), posture.ExceptionInvalid, nil, "FILE#Twin"},
		{"one of the two", entry("resource", "b.yaml#Twin"), posture.ExceptionUsed, []string{"b.yaml#Twin"}, ""},
		{"what is unknown cannot be excused", entry("resource", "UnsureRoute"), posture.ExceptionUnused, nil, ""},
		{"a prefix is not enough", entry("resource", "Health"), posture.ExceptionUnused, nil, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := exception.Parse([]byte("version: 1\nexceptions:\n"+c.text), now)
			if err != nil {
				t.Fatal(err)
			}
			list := findings()
			notes := file.Apply(list, now)
			if len(notes) != 1 || notes[0].State != c.state || !strings.Contains(notes[0].Detail, c.detail) {
				t.Fatalf("notes are %+v, want %s with %q", notes, c.state, c.detail)
			}
			var excused []string
			for _, f := range list {
				if f.Verdict == posture.Excepted {
					excused = append(excused, f.Source.File+"#"+f.Resource)
					if f.Excused != posture.Fail || f.Exception == nil || f.Exception.ID != "EX-1" {
						t.Errorf("the excused finding does not say what and why: %+v", f)
					}
				}
			}
			if strings.Join(excused, " ") != strings.Join(c.excused, " ") {
				t.Errorf("excused are %q, want %q", excused, c.excused)
			}
		})
	}
}

func TestTwoEntriesWithOneIDExcuseNothing(t *testing.T) {
	file, err := exception.Parse([]byte("exceptions:\n"+entry()+entry("resource", "OrdersRoute")), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range file.Apply(findings(), now) {
		if note.State != posture.ExceptionInvalid {
			t.Errorf("%+v, want invalid", note)
		}
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for _, text := range []string{"[]", "exceptions: x", "exception: []", "version: 2\nexceptions: []", "max_days: 9999\nexceptions: []", "max_days: soon", "a: [", "- a: &a [*a]"} {
		if _, err := exception.Parse([]byte(text), now); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	file, err := exception.Parse([]byte("max_days: 10\nexceptions:\n"+entry()), now)
	if err != nil || len(file.Entries[0].Problems) == 0 {
		t.Errorf("a file's own maximum does not bind: %+v, %v", file, err)
	}
}

func TestAdd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exceptions.yaml")
	one := exception.Entry{
		ID: "EX-1", Control: "APIGateway.8", Resource: "A/GET /health", Owner: "o", Reason: `a reason with "quotes" and: colons`,
		Compensating: "c", ApprovedBy: "b", Created: "2026-11-21", Expires: "2027-01-01",
	}
	if err := exception.Add(path, one, now); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "  # a remark that must stay\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	two := one
	two.ID, two.Match, two.Resource = "EX-2", "glob", "A/GET /health*"
	if err := exception.Add(path, two, now); err != nil {
		t.Fatal(err)
	}
	file, err := exception.Load(path, now)
	if err != nil || len(file.Entries) != 2 || file.Entries[0].Reason != one.Reason || file.Entries[1].Match != "glob" {
		t.Fatalf("the file reads as %+v, %v", file, err)
	}
	text, _ = os.ReadFile(path)
	if !strings.Contains(string(text), "a remark that must stay") {
		t.Error("the remark is gone")
	}
	three := one
	three.ID, three.Expires = "EX-3", "someday"
	if err := exception.Add(path, three, now); err == nil || !strings.Contains(err.Error(), "not a date") {
		t.Errorf("an entry without an end is added: %v", err)
	}
	if err := exception.Add(path, one, now); err == nil {
		t.Error("an id is added twice")
	}
	after, _ := os.ReadFile(path)
	if string(after) != string(text) {
		t.Error("a refused entry changed the file")
	}
}

// TestSchema: editors accept what the program accepts, for the example file and
// for the faults that a schema can see.
func TestSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(exception.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("exceptions.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("exceptions.json")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../../examples/posture/exceptions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	quoted := strings.NewReplacer("created: 2026-11-01", "created: '2026-11-01'", "expires: 2027-04-30", "expires: '2027-04-30'").Replace(string(example))
	for text, valid := range map[string]bool{
		quoted: true, "exceptions:\n" + entry(): true, "exceptions:\n" + entry("owner", ""): false,
		"exceptions:\n" + entry("expires", "soon"): false, "exceptions:\n" + entry("reason", "short"): false,
	} {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != valid {
			t.Errorf("the schema says %v of\n%s", err, text)
		}
	}
	for _, control := range posture.Catalogue() {
		if !strings.Contains(exception.Schema, `"`+control.ID+`"`) {
			t.Errorf("the schema does not know %s", control.ID)
		}
	}
	file, err := exception.Parse(example, now)
	if err != nil || len(file.Entries) != 2 || len(file.Entries[0].Problems)+len(file.Entries[1].Problems) > 0 {
		t.Errorf("the example is not valid: %+v, %v", file, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("exceptions:\n" + entry())
	f.Add("exceptions:\n" + entry("resource", "a*b?c", "match", "glob"))
	f.Add("exceptions: [{id: 1, expires: [x]}]")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := exception.Parse([]byte(text), now)
		if err != nil {
			return
		}
		list := findings()
		for _, note := range file.Apply(list, now) {
			if note.State == posture.ExceptionUsed && note.ID == "" {
				t.Error("an entry without an id is honoured")
			}
		}
		for _, finding := range list {
			if finding.Verdict == posture.Excepted {
				if end, err := time.Parse(time.DateOnly, finding.Exception.Expires); err != nil || end.After(now.Add(400*24*time.Hour)) {
					t.Errorf("an exception without an end is honoured: %+v", finding.Exception)
				}
			}
		}
	})
}
