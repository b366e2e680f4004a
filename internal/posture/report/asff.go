package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// Limits of BatchImportFindings (Security Hub API reference).
const (
	BatchSize      = 100
	maxTitle       = 256
	maxDescription = 1024
	maxResourceID  = 512
	maxRelated     = 32
	maxOther       = 1024
)

// ASFF is a finding in AWS's Security Finding Format, with the fields that this
// program fills in. JSON names are the API's.
type ASFF struct {
	SchemaVersion string         `json:"SchemaVersion"`
	ID            string         `json:"Id"`
	ProductARN    string         `json:"ProductArn"`
	ProductName   string         `json:"ProductName"`
	GeneratorID   string         `json:"GeneratorId"`
	Account       string         `json:"AwsAccountId"`
	Region        string         `json:"Region,omitempty"`
	Types         []string       `json:"Types"`
	CreatedAt     string         `json:"CreatedAt"`
	UpdatedAt     string         `json:"UpdatedAt"`
	Severity      asffSeverity   `json:"Severity"`
	Title         string         `json:"Title"`
	Description   string         `json:"Description"`
	Remediation   *asffRemedy    `json:"Remediation,omitempty"`
	Resources     []asffResource `json:"Resources"`
	Compliance    asffCompliance `json:"Compliance"`
	Workflow      asffWorkflow   `json:"Workflow"`
	RecordState   string         `json:"RecordState"`
	Note          *asffNote      `json:"Note,omitempty"`
}

type (
	asffSeverity struct {
		Label string `json:"Label"`
	}
	asffRemedy struct {
		Recommendation asffRecommendation `json:"Recommendation"`
	}
	asffRecommendation struct {
		Text string `json:"Text,omitempty"`
		URL  string `json:"Url,omitempty"`
	}
	asffResource struct {
		Type      string            `json:"Type"`
		ID        string            `json:"Id"`
		Partition string            `json:"Partition,omitempty"`
		Region    string            `json:"Region,omitempty"`
		Tags      map[string]string `json:"Tags,omitempty"`
		Details   *asffDetails      `json:"Details,omitempty"`
	}
	asffDetails struct {
		Other map[string]string `json:"Other"`
	}
	asffCompliance struct {
		Status       string       `json:"Status"`
		Requirements []string     `json:"RelatedRequirements,omitempty"`
		Reasons      []asffReason `json:"StatusReasons,omitempty"`
		Control      string       `json:"SecurityControlId,omitempty"`
	}
	asffReason struct {
		Code string `json:"ReasonCode"`
		Text string `json:"Description"`
	}
	asffWorkflow struct {
		Status string `json:"Status"`
	}
	asffNote struct {
		Text      string `json:"Text"`
		UpdatedBy string `json:"UpdatedBy"`
		UpdatedAt string `json:"UpdatedAt"`
	}
)

// resourceTypes are the typed resources of ASFF; it has none for routes and for
// ElastiCache, which are "Other" (Security Hub API, ResourceDetails).
var resourceTypes = map[posture.Kind]string{
	posture.KindGraphQLAPI:    "AwsAppSyncGraphQlApi",
	posture.KindDMSEndpoint:   "AwsDmsEndpoint",
	posture.KindMSKCluster:    "AwsMskCluster",
	posture.KindMSKServerless: "AwsMskCluster",
}

// ForHub converts the report for BatchImportFindings. Resources of templates
// and plans have no account yet and are left out unless the caller named one.
func (r *Report) ForHub() []ASFF {
	var out []ASFF
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Account == "" || f.Control == posture.Unaudited {
			continue
		}
		out = append(out, r.asff(f))
	}
	return out
}

func (r *Report) asff(f *posture.Finding) ASFF {
	now := r.GeneratedAt.Format("2006-01-02T15:04:05.000Z")
	partition := Partition(f.Region)
	a := ASFF{
		SchemaVersion: "2018-10-08", ID: HubID(f), ProductName: "Gatehouse",
		ProductARN:  fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%s/default", partition, f.Region, f.Account, f.Account),
		GeneratorID: "gatehouse/" + f.Control, Account: f.Account, Region: f.Region,
		Types:     []string{"Software and Configuration Checks/Industry and Regulatory Standards/AWS-Foundational-Security-Best-Practices"},
		CreatedAt: now, UpdatedAt: now, Severity: asffSeverity{string(f.Severity)},
		Title: clip(f.Control+" "+f.Title, maxTitle), Description: clip(strings.Join(sentences(f), " "), maxDescription),
		Resources:   []asffResource{asffResourceOf(f, partition)},
		Workflow:    asffWorkflow{"NEW"},
		RecordState: "ACTIVE",
	}
	control, _ := posture.Lookup(f.Control)
	if f.Next != "" || control.Page != "" {
		a.Remediation = &asffRemedy{asffRecommendation{Text: clip(f.Next, 512), URL: control.Page}}
	}
	a.Compliance = compliance(f, control)
	if !f.Verdict.Bad() && f.Verdict != posture.Excepted {
		a.Severity.Label = "INFORMATIONAL"
	}
	switch {
	case f.Verdict == posture.Pass:
		a.Workflow.Status = "RESOLVED"
	case f.Verdict == posture.Excepted && f.Exception != nil:
		a.Workflow.Status = "SUPPRESSED"
		a.Note = &asffNote{clip(ExceptionText(f.Exception), 512), "gatehouse", now}
	}
	return a
}

// ExceptionText is the written reason that goes with a suppression.
func ExceptionText(e *posture.ExceptionRef) string {
	return fmt.Sprintf("Exception %s, owner %s, until %s: %s", e.ID, e.Owner, e.Expires, e.Reason)
}

// HubID stays the same for a control and a resource, so that a later import
// updates the finding.
func HubID(f *posture.Finding) string {
	sum := sha256.Sum256([]byte(f.Key()))
	return "gatehouse/" + f.Control + "/" + hex.EncodeToString(sum[:16])
}

// compliance maps verdicts: what does not apply, and what could not be read, is
// NOT_AVAILABLE or WARNING, never PASSED.
func compliance(f *posture.Finding, control posture.Control) asffCompliance {
	c := asffCompliance{Control: f.Control, Reasons: []asffReason{{string(f.Verdict), clip(f.Reason, 2048)}}}
	switch f.Verdict {
	case posture.Pass:
		c.Status = "PASSED"
	case posture.Fail, posture.FailEffective, posture.Excepted:
		c.Status = "FAILED"
	case posture.Undecided:
		c.Status = "WARNING"
	default:
		c.Status = "NOT_AVAILABLE"
	}
	for _, mapping := range control.Mappings {
		for _, requirement := range mapping.Requirements {
			if len(c.Requirements) < maxRelated {
				c.Requirements = append(c.Requirements, clip(mapping.Framework+" "+requirement, 64))
			}
		}
	}
	return c
}

func asffResourceOf(f *posture.Finding, partition string) asffResource {
	kind := resourceTypes[f.ResourceType]
	if kind == "" {
		kind = "Other"
	}
	out := asffResource{Type: kind, ID: clip(f.Resource, maxResourceID), Partition: partition, Region: f.Region, Tags: f.Tags}
	if kind == "Other" {
		out.Details = &asffDetails{Other: map[string]string{"ResourceType": string(f.ResourceType)}}
		for _, e := range f.Evidence {
			out.Details.Other[string(e.Attribute)] = clip(e.Value, maxOther)
		}
	}
	return out
}

// Partition is the AWS partition of a region.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// Batches cuts findings into what one BatchImportFindings takes.
func Batches(findings []ASFF) [][]ASFF {
	var batches [][]ASFF
	for len(findings) > BatchSize {
		batches = append(batches, findings[:BatchSize])
		findings = findings[BatchSize:]
	}
	if len(findings) > 0 {
		batches = append(batches, findings)
	}
	return batches
}

func (r *Report) writeASFF(w io.Writer) error {
	batches := []map[string]any{}
	for _, batch := range Batches(r.ForHub()) {
		batches = append(batches, map[string]any{"Findings": batch})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(batches); err != nil {
		return fmt.Errorf("writing ASFF: %w", err)
	}
	return nil
}

// clip shortens text to a number of bytes, on a character's boundary.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	text = text[:most-len("…")]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}
