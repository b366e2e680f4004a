package aws_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	"github.com/gatehouse/gatehouse/internal/posture/report"
	aws "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// audit reads the fake and judges one control.
func audit(t *testing.T, o aws.Options, excuse string) *report.Report {
	t.Helper()
	o.Controls = []string{"MSK.6"}
	found := read(t, o)
	controls, err := posture.Select(o.Controls)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := posture.Evaluate(found, posture.Options{Controls: o.Controls})
	if err != nil {
		t.Fatal(err)
	}
	for i := range findings {
		if findings[i].Resource == excuse {
			findings[i].Excused, findings[i].Verdict = findings[i].Verdict, posture.Excepted
			findings[i].Exception = &posture.ExceptionRef{ID: "E1", Owner: "team", Reason: "a reviewed reason", Expires: "2027-01-01"}
		}
	}
	r := report.New(found, controls, findings, "test", time.Now())
	return &r
}

func send(t *testing.T, o aws.Options, r *report.Report) aws.Sent {
	t.Helper()
	sent, err := aws.Send(t.Context(), o, r, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(sent.Refused) > 0 {
		t.Fatalf("refused: %v", sent.Refused)
	}
	return sent
}

func TestFindingsComeGoAndAreSuppressed(t *testing.T) {
	fake, r := start(t)
	arn := r.AddCluster("open", nil)
	other := r.AddCluster("other", nil)
	native := r.AddFinding("MSK.6", arn, "NEW")
	o := options(fake)
	if sent := send(t, o, audit(t, o, "")); sent.Imported != 2 || sent.Resolved+sent.Reopened+sent.Suppressed != 0 {
		t.Errorf("first run: %+v", sent)
	}
	status := func() string {
		d := r.Peek("findings", "arn:aws:securityhub:"+region+"::product/aws/securityhub|"+native)
		w, _ := d["Workflow"].(fakeaws.Doc)
		return fmt.Sprint(w["Status"])
	}
	if status() != "NEW" {
		t.Errorf("the native finding is %s", status())
	}
	if sent := send(t, o, audit(t, o, arn)); sent.Suppressed != 2 || status() != "SUPPRESSED" {
		t.Errorf("excepted: %+v, native %s", sent, status())
	}
	if sent := send(t, o, audit(t, o, "")); sent.Reopened != 2 || status() != "NEW" {
		t.Errorf("exception over: %+v, native %s", sent, status())
	}
	r.Edit("clusters", arn, func(d fakeaws.Doc) {
		d["provisioned"] = fakeaws.Doc{
			"clientAuthentication": fakeaws.Doc{"sasl": fakeaws.Doc{"iam": fakeaws.Doc{"enabled": true}}, "unauthenticated": fakeaws.Doc{"enabled": false}},
			"encryptionInfo":       fakeaws.Doc{"encryptionInTransit": fakeaws.Doc{"clientBroker": "TLS", "inCluster": true}},
		}
	})
	if sent := send(t, o, audit(t, o, "")); sent.Resolved != 1 {
		t.Errorf("closed: %+v", sent)
	}
	r.Drop("clusters", other)
	fake.Inject(fakeaws.Fault{Service: "kafka", Times: 9, Code: "AccessDeniedException", Status: 403})
	if sent := send(t, o, audit(t, o, "")); sent.Resolved != 0 {
		t.Errorf("an unread scope resolved something: %+v", sent)
	}
	fake.Heal()
	if sent := send(t, o, audit(t, o, "")); sent.Resolved == 0 {
		t.Errorf("a deleted cluster is not resolved: %+v", sent)
	}
}

func TestFindingsAreImportedInBatches(t *testing.T) {
	fake, r := start(t)
	const n = 250
	for i := range n {
		r.AddCluster(fmt.Sprintf("c%03d", i), nil)
	}
	o := options(fake)
	sent := send(t, o, audit(t, o, ""))
	if sent.Imported != n || fake.Calls()["securityhub.BatchImportFindings"] != 3 {
		t.Errorf("%+v in %d calls", sent, fake.Calls()["securityhub.BatchImportFindings"])
	}
}
