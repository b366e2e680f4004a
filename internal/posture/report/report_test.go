package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/report"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// sample has a finding of every verdict.
func sample() report.Report {
	at := func(file string, line int) posture.Location {
		return posture.Location{Origin: posture.OriginCloudFormation, File: file, Line: line}
	}
	findings := []posture.Finding{
		{Control: "APIGateway.8", Title: "t", Resource: "Api/GET /<a>", ResourceType: posture.KindRoute, Verdict: posture.Fail, Severity: posture.SeverityMedium, Reason: "open", Next: "close it", Source: at("dir with space/a.yaml", 7), Evidence: []posture.Evidence{{Attribute: "AuthorizationType", Value: "NONE"}}, Exposure: posture.ExposurePublic},
		{Control: "Gatehouse.2", Title: "t", Resource: "Cache", ResourceType: posture.KindReplicationGroup, Verdict: posture.FailEffective, Severity: posture.SeverityHigh, Reason: "open", Source: at("a.yaml", 9)},
		{Control: "MSK.6", Title: "t", Resource: "arn:aws:kafka:eu-west-1:111122223333:cluster/c/1", ResourceType: posture.KindMSKCluster, Verdict: posture.Pass, Severity: posture.SeverityMedium, Reason: "fine", Account: "111122223333", Region: "eu-west-1", Source: posture.Location{Origin: posture.OriginAWS}},
		{Control: "DMS.11", Title: "t", Resource: "R", Verdict: posture.Undecided, Severity: posture.SeverityMedium, Reason: "who knows", Needs: "a value", Source: at("a.yaml", 3)},
		{Control: "AppSync.5", Title: "t", Resource: "appsync in eu-west-1", Verdict: posture.Error, Severity: posture.SeverityHigh, Reason: "AccessDenied", Account: "111122223333", Region: "eu-west-1", Source: posture.Location{Origin: posture.OriginAWS}},
		{Control: "ElastiCache.6", Title: "t", Resource: "R2", Verdict: posture.NotApplicable, Severity: posture.SeverityMedium, Reason: "new engine", Source: at("a.yaml", 4)},
		{Control: "APIGateway.8", Title: "t", Resource: "Health", Verdict: posture.Excepted, Excused: posture.Fail, Severity: posture.SeverityMedium, Reason: "open", Source: at("a.yaml", 5), Exception: &posture.ExceptionRef{ID: "EX-1", Owner: "o", Reason: "a health check", Expires: "2027-01-01"}},
	}
	posture.Rank(findings)
	return report.New(posture.Inventory{Roots: []string{"."}, Files: []string{"a.yaml"}, Scopes: []posture.Scope{{Account: "111122223333", Region: "eu-west-1"}}}, posture.Catalogue(), findings, "1.2.3", now)
}

func write(t *testing.T, r report.Report, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestJSONContract holds the report to what other programs read.
func TestJSONContract(t *testing.T) {
	var got struct {
		Findings []map[string]any `json:"findings"`
	}
	if err := json.Unmarshal(write(t, sample(), "json"), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != 7 {
		t.Fatalf("%d findings, want 7", len(got.Findings))
	}
	for _, f := range got.Findings {
		for _, key := range []string{"control", "resource", "verdict", "severity", "reason", "account", "region", "source"} {
			if _, ok := f[key]; !ok {
				t.Errorf("%v has no %s", f["resource"], key)
			}
		}
		source := f["source"].(map[string]any)
		if source["type"] == "cloudformation" && (source["file"] == nil || source["line"] == nil) {
			t.Errorf("%v has no file and line", f["resource"])
		}
	}
	empty := report.New(posture.Inventory{}, nil, nil, "v", now)
	if !bytes.Contains(write(t, empty, "json"), []byte(`"findings": []`)) {
		t.Error("an empty report has no list of findings")
	}
}

func TestExitCodes(t *testing.T) {
	for verdict, want := range map[posture.Verdict]int{
		posture.Fail: 1, posture.FailEffective: 1, posture.Undecided: 3, posture.Error: 4,
		posture.Pass: 0, posture.NotApplicable: 0, posture.Excepted: 0,
	} {
		r := report.New(posture.Inventory{}, nil, []posture.Finding{{Verdict: verdict}, {Verdict: posture.Pass}}, "v", now)
		if got := r.ExitCode(); got != want {
			t.Errorf("%s ends with %d, want %d", verdict, got, want)
		}
	}
	r := sample()
	if got := r.ExitCode(); got != 1 {
		t.Errorf("a failure beside an error ends with %d, want 1", got)
	}
}

// TestSARIF checks the rules of the specification that its schema cannot say and
// those that code scanning depends on.
func TestSARIF(t *testing.T) {
	text := write(t, sample(), "sarif")
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Level, Kind string
				RuleIndex           int
				Message             struct{ Text string }
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("version %s with %d runs", log.Version, len(log.Runs))
	}
	kinds := map[string]int{}
	for _, result := range log.Runs[0].Results {
		kinds[result.Kind]++
		if result.Kind != "fail" && result.Level != "none" {
			t.Errorf("%s is of kind %s with level %s", result.RuleID, result.Kind, result.Level)
		}
		if rule := log.Runs[0].Tool.Driver.Rules[result.RuleIndex]; rule.ID != result.RuleID {
			t.Errorf("ruleIndex points at %s, want %s", rule.ID, result.RuleID)
		}
		if result.Message.Text == "" || len(result.PartialFingerprints) == 0 {
			t.Errorf("%s has no message or no fingerprint", result.RuleID)
		}
	}
	if want := map[string]int{"fail": 3, "pass": 1, "open": 2, "notApplicable": 1}; fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("kinds are %v, want %v", kinds, want)
	}
	for _, want := range []string{`"uri": "dir%20with%20space/a.yaml"`, `"startLine": 7`, `"status": "accepted"`, `"kind": "external"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the log has no %s", want)
		}
	}
}

func TestJUnit(t *testing.T) {
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	if err := xml.Unmarshal(write(t, sample(), "junit"), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 7 || suites.Failures != 2 || suites.Errors != 2 || suites.Skipped != 2 {
		t.Errorf("counts are %+v", suites)
	}
}

func TestASFF(t *testing.T) {
	r := sample()
	for i := range 150 { // more than one batch
		r.Findings = append(r.Findings, posture.Finding{Control: "MSK.6", Resource: fmt.Sprintf("arn:%d", i), Verdict: posture.Fail, Severity: posture.SeverityMedium, Account: "111122223333", Region: "cn-north-1", Source: posture.Location{Origin: posture.OriginAWS}})
	}
	var batches []struct{ Findings []report.ASFF }
	if err := json.Unmarshal(write(t, r, "asff"), &batches); err != nil {
		t.Fatal(err)
	}
	if len(batches) != 2 || len(batches[0].Findings) != report.BatchSize || len(batches[1].Findings) != 52 {
		t.Fatalf("%d batches", len(batches))
	}
	status := map[string]string{}
	ids := map[string]bool{}
	for _, batch := range batches {
		for _, f := range batch.Findings {
			status[f.Compliance.Control+" "+f.Resources[0].ID] = f.Compliance.Status
			if ids[f.ID] || f.SchemaVersion != "2018-10-08" || f.Account == "" || len(f.Types) == 0 || f.Title == "" || f.Description == "" {
				t.Errorf("%s is not complete or not unique", f.ID)
			}
			ids[f.ID] = true
		}
	}
	if got := status["MSK.6 arn:aws:kafka:eu-west-1:111122223333:cluster/c/1"]; got != "PASSED" {
		t.Errorf("a pass is %s", got)
	}
	if got := status["AppSync.5 appsync in eu-west-1"]; got != "NOT_AVAILABLE" {
		t.Errorf("an error is %s", got)
	}
	if !strings.HasPrefix(batches[1].Findings[0].ProductARN, "arn:aws-cn:securityhub:cn-north-1:111122223333:product/") {
		t.Errorf("the product is %s", batches[1].Findings[0].ProductARN)
	}
}

func TestCompare(t *testing.T) {
	finding := func(resource string, verdict posture.Verdict) posture.Finding {
		return posture.Finding{Control: "MSK.6", Resource: resource, Verdict: verdict, Source: posture.Location{Origin: posture.OriginCloudFormation, File: "d/a.yaml"}}
	}
	inventory := posture.Inventory{Roots: []string{"d"}, Files: []string{"d/a.yaml"}}
	build := func(findings ...posture.Finding) report.Report {
		return report.New(inventory, posture.Catalogue(), findings, "v", now)
	}
	earlier := build(finding("same", posture.Fail), finding("mended", posture.Fail), finding("gone", posture.Fail), finding("excused", posture.Fail), finding("worse", posture.Undecided))
	later := build(finding("same", posture.Fail), finding("mended", posture.Pass), finding("excused", posture.Excepted), finding("worse", posture.Fail), finding("fresh", posture.Fail))
	later.Compare(earlier)
	c := later.Comparison
	var fixed []string
	for _, f := range c.Fixed {
		fixed = append(fixed, f.Resource)
	}
	if len(c.New) != 2 || c.Unchanged != 1 || strings.Join(fixed, " ") != "mended gone" {
		t.Errorf("new %q, fixed %q, unchanged %d", c.New, fixed, c.Unchanged)
	}

	blind := build()
	blind.Findings = append(blind.Findings, posture.Finding{Control: posture.Unaudited, Verdict: posture.Error, Source: posture.Location{File: "d/a.yaml"}})
	blind.Compare(earlier)
	if len(blind.Comparison.Fixed) != 0 {
		t.Errorf("what could not be read is called fixed: %+v", blind.Comparison.Fixed)
	}
	elsewhere := report.New(posture.Inventory{Roots: []string{"e"}}, posture.Catalogue(), nil, "v", now)
	elsewhere.Compare(earlier)
	if len(elsewhere.Comparison.Fixed) != 0 {
		t.Errorf("what was not looked at is called fixed: %+v", elsewhere.Comparison.Fixed)
	}
}

func TestReadRefusesWhatItWouldMisread(t *testing.T) {
	r := sample()
	again, err := report.Read(bytes.NewReader(write(t, r, "json")))
	if err != nil || len(again.Findings) != len(r.Findings) || again.Findings[0].Key() != r.Findings[0].Key() {
		t.Errorf("a report does not read back: %v", err)
	}
	for _, text := range []string{"", "{}", `{"schema":"gatehouse.audit/9","findings":[]}`} {
		if _, err := report.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// TestHTMLIsOnePage: nothing is loaded from anywhere, and text is escaped.
func TestHTMLIsOnePage(t *testing.T) {
	page := string(write(t, sample(), "html"))
	for _, bad := range []string{"<script", "<link", "src=", "@import", "url(", "Api/GET /<a>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, want := range []string{"Api/GET /&lt;a&gt;", "FAIL_EFFECTIVE", "EX-1", "AuthorizationType = NONE", "who knows"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestTable(t *testing.T) {
	text := string(write(t, sample(), "table"))
	for _, want := range []string{"FAIL_EFFECTIVE", "#1 ", "dir with space/a.yaml:7", "needs: a value", "EX-1 until 2027-01-01", "1 FAIL · 1 FAIL_EFFECTIVE · 1 ERROR · 1 UNKNOWN · 1 EXCEPTED · 1 PASS · 1 NOT_APPLICABLE"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	r := sample()
	if err := r.Write(&bytes.Buffer{}, "pdf"); err == nil {
		t.Error("a format that does not exist is accepted")
	}
}
