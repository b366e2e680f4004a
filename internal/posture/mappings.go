package posture

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
)

// frameworks are added to the catalogue's own mappings.
var frameworks = map[string][]Mapping{
	"APIGateway.8": {
		{pci40, []string{"1.2.8", "1.3.1", "1.3.2", "1.4.1", "1.4.2", "1.4.4", "1.5.1", "A1.1.3"}, powerpipe},
	},
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
	}
	return controls
}
