package posture_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// TestCatalogueIsAWSs holds the catalogue to the Security Hub user guide and the
// AWS Config rule pages.
func TestCatalogueIsAWSs(t *testing.T) {
	want := []struct {
		id       string
		severity posture.Severity
		rule     string
		schedule posture.Schedule
	}{
		{"APIGateway.8", "MEDIUM", "api-gwv2-authorization-type-configured", posture.Periodic},
		{"AppSync.5", "HIGH", "appsync-authorization-check", posture.ChangeTriggered},
		{"DMS.11", "MEDIUM", "dms-mongo-db-authentication-enabled", posture.ChangeTriggered},
		{"MSK.6", "MEDIUM", "msk-unrestricted-access-check", posture.ChangeTriggered},
		{"ElastiCache.1", "HIGH", "elasticache-redis-cluster-automatic-backup-check", posture.Periodic},
		{"ElastiCache.2", "HIGH", "elasticache-auto-minor-version-upgrade-check", posture.Periodic},
		{"ElastiCache.3", "MEDIUM", "elasticache-repl-grp-auto-failover-enabled", posture.Periodic},
		{"ElastiCache.4", "MEDIUM", "elasticache-repl-grp-encrypted-at-rest", posture.Periodic},
		{"ElastiCache.5", "MEDIUM", "elasticache-repl-grp-encrypted-in-transit", posture.Periodic},
		{"ElastiCache.6", "MEDIUM", "elasticache-repl-grp-redis-auth-enabled", posture.Periodic},
		{"ElastiCache.7", "HIGH", "elasticache-subnet-group-check", posture.Periodic},
	}
	for _, w := range want {
		c, ok := posture.Lookup(strings.ToLower(w.id))
		if !ok || c.Severity != w.severity || c.ConfigRule != w.rule || c.Schedule != w.schedule || c.Own {
			t.Errorf("%s is %s %s %s (own %v), want %s %s %s", w.id, c.Severity, c.ConfigRule, c.Schedule, c.Own, w.severity, w.rule, w.schedule)
		}
	}
	for _, c := range posture.Catalogue() {
		if c.Own != strings.HasPrefix(c.ID, "Gatehouse.") || c.Rule == nil || len(c.Kinds) == 0 || c.Title == "" || c.Category == "" {
			t.Errorf("%s is not complete", c.ID)
		}
		for _, m := range c.Mappings {
			if m.Source == "" || len(m.Requirements) == 0 {
				t.Errorf("%s maps to %s without a source or a requirement", c.ID, m.Framework)
			}
		}
	}
}

// A report says of each framework either what the control maps to, and by whom,
// or that no source maps it.
func TestFrameworksAreMappedOrSaidNotToBe(t *testing.T) {
	for _, c := range posture.Catalogue() {
		for _, framework := range []string{"SOC 2", "ISO/IEC 27001", "HIPAA", "PCI DSS", "FedRAMP"} {
			mapped := slices.ContainsFunc(c.Mappings, func(m posture.Mapping) bool { return strings.HasPrefix(m.Framework, framework) })
			if said := slices.Contains(c.Unmapped, framework); !c.Own && mapped == said {
				t.Errorf("%s and %s: mapped %v, said to be unmapped %v", c.ID, framework, mapped, said)
			}
		}
	}
}

func TestSelectAndParameters(t *testing.T) {
	route := posture.Resource{Kind: posture.KindRoute, ID: "r", Otherwise: posture.Absent(), Attributes: posture.Attributes{posture.AuthorizationType: posture.Text("JWT")}}
	inventory := posture.Inventory{Resources: []posture.Resource{route}}
	judge := func(options posture.Options) (posture.Verdict, error) {
		findings, err := posture.Evaluate(inventory, options)
		if err != nil {
			return "", err
		}
		return findings[0].Verdict, nil
	}
	params := func(control, name, value string) posture.Options {
		return posture.Options{Controls: []string{control}, Parameters: map[string]map[string]string{control: {name: value}}}
	}
	if v, err := judge(params("APIGateway.8", "authorizationType", "AWS_IAM")); v != posture.Fail || err != nil {
		t.Errorf("JWT where AWS_IAM is demanded is %s, %v", v, err)
	}
	if v, err := judge(params("APIGateway.8", "authorizationType", "JWT")); v != posture.Pass || err != nil {
		t.Errorf("JWT where JWT is demanded is %s, %v", v, err)
	}
	for _, bad := range []posture.Options{
		{Controls: []string{"S3.1"}},
		params("APIGateway.8", "authorizationType", "NONE"), params("APIGateway.8", "colour", "red"),
		params("ElastiCache.1", "snapshotRetentionPeriod", "36"), params("ElastiCache.1", "snapshotRetentionPeriod", "many"),
		params("AppSync.5", "AllowedAuthorizationTypes", "API_KEY"),
	} {
		if _, err := judge(bad); err == nil {
			t.Errorf("options %+v are accepted", bad)
		}
	}
}

func TestVariants(t *testing.T) {
	variant := func(when, kind string) posture.Variant {
		return posture.Variant{When: when, Attributes: posture.Attributes{posture.AuthorizationType: posture.Text(kind)}}
	}
	control, _ := posture.Lookup("APIGateway.8")
	cases := []struct {
		name     string
		variants []posture.Variant
		want     posture.Verdict
	}{
		{"all the same", []posture.Variant{variant("A=1", "NONE"), variant("A=2", "NONE")}, posture.Fail},
		{"different", []posture.Variant{variant("A=1", "NONE"), variant("A=2", "JWT")}, posture.Undecided},
		{"gone in the bad case", []posture.Variant{{When: "A=1", Gone: true}, variant("A=2", "JWT")}, posture.Pass},
		{"gone in the good case", []posture.Variant{variant("A=1", "NONE"), {When: "A=2", Gone: true}}, posture.Fail},
		{"never there", []posture.Variant{{When: "A=1", Gone: true}}, posture.NotApplicable},
	}
	for _, c := range cases {
		if f := control.Judge(posture.Resource{Kind: posture.KindRoute, Variants: c.variants, Otherwise: posture.Absent()}); f.Verdict != c.want {
			t.Errorf("%s: %s, want %s", c.name, f.Verdict, c.want)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
		ok   bool
	}{
		{"5.0.6", "6.0", -1, true},
		{"10.0", "6.0", 1, true},
		{"6.x", "6.0", 0, true},
		{"6", "6.0.0", 0, true},
		{"7.0.5", "7.0.10", -1, true},
		{"latest", "6.0", 0, false},
		{"", "6.0", 0, false},
		{"6.-1", "6.0", 0, false},
	} {
		if got, ok := posture.CompareVersions(c.a, c.b); got != c.want || ok != c.ok {
			t.Errorf("CompareVersions(%q, %q) = %d, %v", c.a, c.b, got, ok)
		}
	}
	if lowest, ok := posture.LowestVersion([]string{"6.2", "5.0.6", "6.0"}); lowest != "5.0.6" || !ok {
		t.Errorf("the lowest version is %q, %v", lowest, ok)
	}
}

func TestRanking(t *testing.T) {
	finding := func(resource string, exposure posture.Exposure, verdict posture.Verdict, fronts ...string) posture.Finding {
		return posture.Finding{Control: "X", Resource: resource, Exposure: exposure, Verdict: verdict, Severity: posture.SeverityMedium, Fronts: fronts}
	}
	findings := []posture.Finding{
		finding("fine", posture.ExposurePublic, posture.Pass),
		finding("inner-cache", posture.ExposureVPC, posture.Fail),
		finding("unsure", posture.ExposurePublic, posture.Undecided, "PaymentsFunction"),
		finding("api/GET /health", posture.ExposurePublic, posture.Fail),
		finding("api/GET /products", posture.ExposurePublic, posture.Fail),
		finding("api/GET /list", posture.ExposurePublic, posture.FailEffective, "OrdersFunction"),
	}
	posture.Rank(findings)
	var order []string
	for _, f := range findings {
		order = append(order, f.Resource)
	}
	want := []string{"api/GET /list", "api/GET /health", "api/GET /products", "inner-cache", "unsure", "fine"}
	if !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
	if findings[0].Rank != 1 || findings[4].Rank != 5 || findings[5].Rank != 0 {
		t.Errorf("ranks are %d, %d, %d", findings[0].Rank, findings[4].Rank, findings[5].Rank)
	}
}

// TestProblemsAreErrors: a scope that could not be read is never an empty list.
func TestProblemsAreErrors(t *testing.T) {
	findings, err := posture.Evaluate(posture.Inventory{Problems: []posture.Problem{
		{Scope: "kafka in eu-west-1", Controls: []string{"MSK.6", "Gatehouse.4"}, Account: "1", Region: "eu-west-1", Reason: "AccessDenied"},
		{Scope: "t.yaml", Reason: "it does not parse"},
	}}, posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var controls []string
	for _, f := range findings {
		if f.Verdict != posture.Error {
			t.Errorf("%s is %s", f.Control, f.Verdict)
		}
		controls = append(controls, f.Control)
	}
	slices.Sort(controls)
	if want := []string{posture.Unaudited, "Gatehouse.4", "MSK.6"}; !slices.Equal(controls, want) {
		t.Errorf("errors of %q, want %q", controls, want)
	}
}

func TestUserOpen(t *testing.T) {
	text, absent := posture.Text, posture.Absent()
	cases := []struct {
		access, noPassword, mode, passwords posture.Value
		want                                string
	}{
		{text("on ~* +@all"), posture.Flag(true), absent, absent, "open"},
		{text("off ~* -@all"), posture.Flag(true), absent, absent, "closed"},
		{text("on ~* +@all off"), posture.Flag(true), absent, absent, "closed"},
		{text("on ~* +@all"), posture.Flag(false), absent, posture.Secret(), "closed"},
		{text("on ~* +@all"), absent, text("iam"), absent, "closed"},
		{text("on ~* +@all"), absent, text("no-password-required"), absent, "open"},
		{text("on ~* +@all"), absent, text("no-password"), absent, "open"},
		{text("on ~* +@all"), absent, absent, absent, "unknown"},
		{posture.Value{}, posture.Flag(true), absent, absent, "unknown"},
		{posture.Value{}, posture.Flag(false), text("password"), absent, "closed"},
	}
	for i, c := range cases {
		got := "unknown"
		if open := posture.UserOpen(c.access, c.noPassword, c.mode, c.passwords); open.True() {
			got = "open"
		} else if open.False() {
			got = "closed"
		}
		if got != c.want {
			t.Errorf("case %d is %s, want %s", i, got, c.want)
		}
	}
}
