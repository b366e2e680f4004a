package posture

import (
	"slices"
	"strings"
)

// Frameworks beyond those of the Security Hub guide, as two public mappings have
// them. What no source maps is not here: nobody's guess stands in a report.
const (
	powerpipe = "turbot/steampipe-mod-aws-compliance@a1d0b446"
	prowler   = "prowler-cloud/prowler@3e000faa, prowler/compliance/aws"

	soc2    = "SOC 2"
	iso     = "ISO/IEC 27001:2022"
	hipaa   = "HIPAA Security Rule"
	pci40   = "PCI DSS v4.0"
	fedramp = "FedRAMP Moderate Rev. 4"
	c5      = "BSI C5:2025"
	nis2    = "NIS2"
)

// soughtAfter are the frameworks that were looked for in every source, by the
// beginning of their names.
var soughtAfter = []string{"SOC 2", "ISO/IEC 27001", "HIPAA", "PCI DSS", "FedRAMP"}

// frameworks are added to the catalogue's own mappings.
var frameworks = map[string][]Mapping{
	"APIGateway.8": {
		{pci40, []string{"1.2.8", "1.3.1", "1.3.2", "1.4.1", "1.4.2", "1.4.4", "1.5.1", "A1.1.3"}, powerpipe},
	},
	"AppSync.5": {{c5, []string{"CRY-03.01B"}, prowler}},
	"DMS.11":    {{nis2, []string{"11.4.2.c"}, prowler}},
	"MSK.6":     {{c5, []string{"IAM-10.01B"}, prowler}},
	"ElastiCache.1": {
		{soc2, []string{"A1.2", "CC7.4"}, powerpipe},
		{hipaa, []string{
			"164.308(a)(1)(ii)(B)", "164.308(a)(7)(i)", "164.308(a)(7)(ii)(A)", "164.308(a)(7)(ii)(B)",
			"164.308(a)(7)(ii)(C)", "164.310(d)(2)(iv)", "164.312(a)(2)(ii)",
		}, powerpipe},
		{fedramp, []string{"CP-9(b)", "CP-10", "SC-5", "SI-12"}, powerpipe},
		{pci40, []string{"10.3.3"}, powerpipe},
	},
	"ElastiCache.2": {{pci40, []string{"6.3.3"}, powerpipe}},
	"ElastiCache.3": {{iso, []string{"A.8.14"}, prowler}},
	"ElastiCache.4": {
		{iso, []string{"A.8.11", "A.8.24"}, prowler},
		{pci40, []string{"8.3.2"}, powerpipe},
	},
	"ElastiCache.5": {
		{soc2, []string{"CC6.7"}, prowler},
		{iso, []string{"A.8.11", "A.8.24"}, prowler},
		{pci40, []string{"2.2.7", "4.2.1", "4.2.1.1", "8.3.2"}, powerpipe},
	},
	"ElastiCache.7": {{pci40, []string{"1.3.1", "1.3.2", "1.4.1", "1.4.4"}, powerpipe}},
}

// withFrameworks returns the controls with every mapping that a source has.
func withFrameworks(controls []Control) []Control {
	for i := range controls {
		controls[i].Mappings = append(controls[i].Mappings, frameworks[controls[i].ID]...)
		if !controls[i].Own {
			controls[i].Unmapped = unmapped(controls[i].Mappings)
		}
	}
	return controls
}

func unmapped(mappings []Mapping) []string {
	var missing []string
	for _, framework := range soughtAfter {
		if !slices.ContainsFunc(mappings, func(m Mapping) bool { return strings.HasPrefix(m.Framework, framework) }) {
			missing = append(missing, framework)
		}
	}
	return missing
}
