package report

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// The parts of SARIF 2.1.0 that this report fills in (OASIS sarif-schema-2.1.0).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"semanticVersion,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription sarifText      `json:"shortDescription"`
		HelpURI          string         `json:"helpUri,omitempty"`
		Properties       map[string]any `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Kind         string             `json:"kind"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Baseline     string             `json:"baselineState,omitempty"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

const sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"

func (r *Report) writeSARIF(w io.Writer) error {
	rules, index := sarifRules(r.Findings)
	run := sarifRun{
		Tool:       sarifTool{Driver: sarifDriver{Name: r.Tool.Name, Rules: rules}},
		ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
	}
	for i := range r.Findings {
		run.Results = append(run.Results, sarifOf(&r.Findings[i], index))
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}); err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	return nil
}

func sarifRules(findings []posture.Finding) ([]sarifRule, map[string]int) {
	rules, index := []sarifRule{}, map[string]int{}
	for i := range findings {
		f := &findings[i]
		if _, ok := index[f.Control]; ok {
			continue
		}
		index[f.Control] = len(rules)
		rule := sarifRule{ID: f.Control, ShortDescription: sarifText{f.Title}}
		if control, ok := posture.Lookup(f.Control); ok {
			rule.HelpURI = control.Page
			rule.Properties = map[string]any{"tags": []string{"security", control.Category}, "security-severity": score(control.Severity)}
		}
		rules = append(rules, rule)
	}
	return rules, index
}

// score is the number that code scanning services read as severity (GitHub's
// documentation of SARIF support: above 9 critical, 7 high, 4 medium).
func score(s posture.Severity) string {
	switch s {
	case posture.SeverityCritical:
		return "9.5"
	case posture.SeverityHigh:
		return "8.0"
	case posture.SeverityMedium:
		return "5.5"
	}
	return "2.0"
}

// sarifOf maps a finding: only failures have a level, as the schema demands of
// every other kind; UNKNOWN and ERROR are open.
func sarifOf(f *posture.Finding, index map[string]int) sarifResult {
	out := sarifResult{
		RuleID: f.Control, RuleIndex: index[f.Control], Level: "none",
		Message:      sarifText{strings.Join(sentences(f), " ")},
		Fingerprints: map[string]string{"gatehouse/v1": f.Key()},
		Properties:   map[string]any{"verdict": f.Verdict, "severity": f.Severity},
	}
	switch f.Verdict {
	case posture.Fail, posture.FailEffective, posture.Excepted:
		out.Kind, out.Level = "fail", level(f.Severity)
	case posture.Undecided, posture.Error:
		out.Kind = "open"
	case posture.NotApplicable:
		out.Kind = "notApplicable"
	default:
		out.Kind = "pass"
	}
	if f.Exception != nil && f.Verdict == posture.Excepted {
		out.Suppressions = []sarifSuppression{{"external", "accepted", fmt.Sprintf("%s (%s, until %s): %s", f.Exception.ID, f.Exception.Owner, f.Exception.Expires, f.Exception.Reason)}}
	}
	switch f.Change {
	case "new", "unchanged":
		out.Baseline = f.Change
	}
	out.Locations = []sarifLocation{sarifPlace(f)}
	return out
}

func sarifPlace(f *posture.Finding) sarifLocation {
	place := sarifLocation{Logical: []sarifLogical{{FullyQualifiedName: f.Resource, Kind: "resource"}}}
	if f.Source.File != "" {
		place.Physical = &sarifPhysical{Artifact: sarifArtifact{uri(f.Source.File)}}
		if f.Source.Line > 0 {
			place.Physical.Region = &sarifRegion{f.Source.Line}
		}
	}
	return place
}

// uri writes a path as a relative URI reference, or an absolute file URI.
func uri(path string) string {
	path = filepath.ToSlash(filepath.Clean(path))
	var b strings.Builder
	if strings.HasPrefix(path, "/") {
		b.WriteString("file://")
	}
	for _, c := range []byte(path) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("/-._~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func level(s posture.Severity) string {
	switch s {
	case posture.SeverityLow:
		return "note"
	case posture.SeverityMedium:
		return "warning"
	}
	return "error"
}

// sentences is a finding in prose: what was found, what is missing, what to do.
func sentences(f *posture.Finding) []string {
	out := []string{f.Resource + ": " + f.Reason + "."}
	if f.Needs != "" {
		out = append(out, "Needs: "+f.Needs+".")
	}
	if f.Next != "" {
		out = append(out, "Next: "+f.Next)
	}
	return out
}
