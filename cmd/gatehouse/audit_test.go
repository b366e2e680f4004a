package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	"github.com/gatehouse/gatehouse/internal/posture/report"
)

// posturally runs one of the commands that judge, and returns its exit code.
func posturally(t *testing.T, args ...string) int {
	t.Helper()
	var commands struct {
		Audit      auditCommand      `cmd:""`
		Gate       gateCommand       `cmd:""`
		Exceptions exceptionsCommand `cmd:""`
	}
	parser, err := kong.New(&commands, kong.BindTo(context.Background(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return exitUsage
	}
	err = parsed.Run()
	var coded interface{ ExitCode() int }
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded):
		return coded.ExitCode()
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

const examples = "../../examples/posture"

func TestAuditOfTheExamples(t *testing.T) {
	dir := t.TempDir()
	for _, format := range report.Formats {
		out := filepath.Join(dir, format)
		if code := posturally(t, "audit", "--template", examples, "--output", format, "--output-file", out); code != report.ExitFail {
			t.Errorf("%s: it ends with %d, want %d", format, code, report.ExitFail)
		}
		if text, err := os.ReadFile(out); err != nil || len(text) == 0 {
			t.Errorf("%s: nothing is written: %v", format, err)
		}
	}
	var got report.Report
	text, err := os.ReadFile(filepath.Join(dir, "json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil || len(got.Findings) == 0 {
		t.Errorf("the JSON report does not read: %v", err)
	}
	compared := filepath.Join(dir, "compared")
	posturally(t, "audit", "--template", examples, "--compare", filepath.Join(dir, "json"), "--output", "json", "--output-file", compared)
	if text, _ := os.ReadFile(compared); !strings.Contains(string(text), `"change": "unchanged"`) || strings.Contains(string(text), `"change": "new"`) {
		t.Error("a report compared with itself is not unchanged")
	}
}

// TestExitCodes of the commands, as the documentation has them.
func TestPostureExitCodes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	route := func(kind string) string {
		return "Parameters: {P: {Type: String}}\nResources: {R: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /a, AuthorizationType: " + kind + "}}}\n"
	}
	open, closed, unsure := write("open.yaml", route("NONE")), write("closed.yaml", route("AWS_IAM")), write("unsure.yaml", route("!Ref P"))
	excused := write("exceptions.yaml", "exceptions:\n- {id: E, control: APIGateway.8, resource: R, owner: o, reason: a reason that is long enough, compensating_control: c, approved_by: b, created: '2026-01-01', expires: '2026-12-31'}\n")
	endless := write("endless.yaml", "exceptions:\n- {id: E, control: APIGateway.8, resource: R, owner: o, reason: a reason that is long enough, compensating_control: c, approved_by: b, created: '2026-01-01'}\n")
	for _, c := range []struct {
		name string
		want int
		args []string
	}{
		{"a failure", 1, []string{"audit", "--template", open}},
		{"clean", 0, []string{"audit", "--template", closed}},
		{"undecided", 3, []string{"audit", "--template", unsure}},
		{"decided by a parameter", 0, []string{"audit", "--template", unsure, "--parameter", "P=JWT"}},
		{"unreadable", 4, []string{"audit", "--template", filepath.Join(dir, "gone.yaml")}},
		{"a folder without templates", 2, []string{"audit", "--template", t.TempDir()}},
		{"an unknown control", 2, []string{"audit", "--template", open, "--control", "S3.1"}},
		{"another control", 0, []string{"audit", "--template", open, "--control", "MSK.6"}},
		{"a setting", 1, []string{"audit", "--template", closed, "--setting", "APIGateway.8/authorizationType=JWT"}},
		{"an exceptions file that is not there", 2, []string{"audit", "--template", open, "--exceptions", filepath.Join(dir, "gone")}},
		{"an exception without an end excuses nothing", 1, []string{"audit", "--template", open, "--exceptions", endless}},
		{"sending a template's findings", 2, []string{"audit", "--template", open, "--send"}},
		{"the gate on a new failure", 1, []string{"gate", open}},
		{"the gate on an old one", 0, []string{"gate", open, "--base", open}},
		{"the gate on what turned bad", 1, []string{"gate", open, "--base", closed}},
		{"the gate on the undecided", 0, []string{"gate", unsure}},
		{"the strict gate", 3, []string{"gate", unsure, "--strict"}},
		{"the gate on a base that is not there", 2, []string{"gate", open, "--base", filepath.Join(dir, "gone.yaml")}},
		{"a valid exceptions file", 0, []string{"exceptions", "list", "--file", excused}},
		{"an invalid exceptions file", 1, []string{"exceptions", "check", "--file", endless}},
		{"an addition without an end", 2, []string{"exceptions", "add", "--file", excused, "--id", "F", "--control", "MSK.6", "--resource", "c", "--owner", "o", "--reason", "a reason that is long enough", "--compensating-control", "c", "--approved-by", "b", "--expires", "never"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if args[0] != "exceptions" {
				args = append(args, "--output-file", filepath.Join(t.TempDir(), "out"))
			}
			if code := posturally(t, args...); code != c.want {
				t.Errorf("it ends with %d, want %d", code, c.want)
			}
		})
	}
}

// TestAuditOfALiveEstate: the same command without --template reads AWS.
func TestAuditOfALiveEstate(t *testing.T) {
	fake := fakeaws.New()
	t.Cleanup(fake.Close)
	fake.PageCap = 1 // a group and its members come on different pages
	region := fake.Region(fakeaws.DefaultAccount, "eu-west-1")
	for _, name := range []string{"orders", "sessions", "carts"} {
		region.AddReplicationGroup(name, "5.0.6", fakeaws.Doc{"AuthTokenEnabled": false})
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIA" + fakeaws.DefaultAccount, "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	out := filepath.Join(t.TempDir(), "report.json")
	code := posturally(t, "audit", "--region", "eu-west-1", "--endpoint-url", fake.URL, "--control", "ElastiCache.6", "--output", "json", "--output-file", out)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got report.Report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if code != report.ExitFail || len(got.Findings) != 3 {
		t.Fatalf("it ends with %d and %d findings", code, len(got.Findings))
	}
	for _, f := range got.Findings {
		if f.Verdict != "FAIL" || f.Account != fakeaws.DefaultAccount || f.Region != "eu-west-1" || !strings.HasPrefix(f.Resource, "arn:aws:elasticache:") || !strings.Contains(f.Next, "gatehouse migrate plan arn:") {
			t.Errorf("the finding is %+v", f)
		}
	}
}
