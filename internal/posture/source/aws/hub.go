package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/report"
)

const (
	// hubFilterValues is how many values one filter of GetFindings may have.
	hubFilterValues = 20
	hubPage         = 100
	// noteAuthor signs what this program writes, so that it undoes only its own.
	noteAuthor = "gatehouse"
)

// Sent says what a report changed in Security Hub.
type Sent struct {
	Imported, Resolved, Reopened, Suppressed int
	Refused                                  []string // findings that Security Hub did not take, and why
}

// Send imports a report's findings into Security Hub, each in its account and
// region, sets the workflow of those from earlier runs, and resolves those whose
// resource is gone from a scope that was read whole. With suppress it also marks
// Security Hub's own findings of excepted resources SUPPRESSED with the written
// reason, and reopens those that it suppressed once their exception has ended.
func Send(ctx context.Context, options Options, result *report.Report, suppress bool) (Sent, error) {
	var sent Sent
	configs, err := byAccount(ctx, options)
	if err != nil {
		return sent, err
	}
	groups := map[[2]string][]report.ASFF{}
	for _, f := range result.ForHub() {
		key := [2]string{f.Account, f.Region}
		groups[key] = append(groups[key], f)
	}
	for _, s := range result.Scopes {
		if key := [2]string{s.Account, s.Region}; s.Complete && groups[key] == nil {
			groups[key] = nil // nothing to import, and perhaps something to resolve
		}
	}
	for key, findings := range groups {
		cfg, ok := configs[key[0]]
		if !ok || key[1] == "" || key[1] == "*" {
			continue
		}
		cfg.Region = key[1]
		h := hub{client: securityhub.NewFromConfig(cfg), account: key[0], region: key[1], report: result, sent: &sent}
		if err := h.send(ctx, findings, suppress); err != nil {
			return sent, fmt.Errorf("sending to Security Hub in %s of account %s: %w", key[1], key[0], err)
		}
	}
	return sent, nil
}

// byAccount finds out which credentials belong to which account.
func byAccount(ctx context.Context, options Options) (map[string]awssdk.Config, error) {
	base := options.Prepare()
	if base.Region == "" && len(options.Regions) > 0 && options.Regions[0] != AllRegions {
		base.Region = options.Regions[0]
	}
	roles := options.Roles
	if len(roles) == 0 || options.OwnAccount {
		roles = append([]string{""}, roles...)
	}
	configs := map[string]awssdk.Config{}
	for _, role := range roles {
		cfg := AsRole(base, role)
		identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return nil, fmt.Errorf("asking whose credentials these are: %w", err)
		}
		configs[awssdk.ToString(identity.Account)] = cfg
	}
	return configs, nil
}

// hub is Security Hub in one account and region.
type hub struct {
	client          *securityhub.Client
	account, region string
	report          *report.Report
	sent            *Sent
}

func (h hub) send(ctx context.Context, findings []report.ASFF, suppress bool) error {
	product := fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%s/default", report.Partition(h.region), h.region, h.account, h.account)
	earlier, err := h.find(ctx, types.AwsSecurityFindingFilters{ProductArn: equals(product), GeneratorId: startsWith("gatehouse/"), RecordState: equals("ACTIVE")})
	if err != nil {
		return fmt.Errorf("reading the findings of earlier runs: %w", err)
	}
	had := map[string]types.AwsSecurityFinding{}
	for _, f := range earlier {
		had[awssdk.ToString(f.Id)] = f
	}
	for i := range findings {
		if old, ok := had[findings[i].ID]; ok {
			findings[i].CreatedAt = awssdk.ToString(old.CreatedAt)
		}
	}
	for _, batch := range report.Batches(findings) {
		if err := h.importBatch(ctx, batch); err != nil {
			return err
		}
	}
	if err := h.settle(ctx, findings, had); err != nil {
		return err
	}
	if suppress {
		return h.suppress(ctx)
	}
	return nil
}

// importBatch imports up to a hundred findings. The JSON names of report.ASFF
// are the API's, so that the SDK's structure is read from them.
func (h hub) importBatch(ctx context.Context, batch []report.ASFF) error {
	raw, err := json.Marshal(batch)
	if err != nil {
		return fmt.Errorf("writing the findings: %w", err)
	}
	var findings []types.AwsSecurityFinding
	if err := json.Unmarshal(raw, &findings); err != nil {
		return fmt.Errorf("writing the findings: %w", err)
	}
	out, err := h.client.BatchImportFindings(ctx, &securityhub.BatchImportFindingsInput{Findings: findings})
	if err != nil {
		return fmt.Errorf("importing %d findings: %w", len(batch), err)
	}
	h.sent.Imported += int(awssdk.ToInt32(out.SuccessCount))
	for _, f := range out.FailedFindings {
		h.sent.Refused = append(h.sent.Refused, awssdk.ToString(f.Id)+": "+awssdk.ToString(f.ErrorMessage))
	}
	return nil
}

// change is what a workflow update sets.
type change struct {
	status types.WorkflowStatus
	note   string
}

// settle sets the workflow of findings that were there before, which an import
// leaves alone, and resolves those whose resource is gone.
func (h hub) settle(ctx context.Context, findings []report.ASFF, had map[string]types.AwsSecurityFinding) error {
	changes := map[change][]types.AwsSecurityFindingIdentifier{}
	present := map[string]bool{}
	for _, f := range findings {
		present[f.ID] = true
		old, ok := had[f.ID]
		if !ok || old.Workflow == nil {
			continue
		}
		want := change{status: types.WorkflowStatus(f.Workflow.Status)}
		if f.Note != nil {
			want.note = f.Note.Text
		}
		if h.differs(old, want.status) {
			changes[want] = append(changes[want], identify(old))
		}
	}
	for id, old := range had {
		if !present[id] && h.gone(old) && old.Workflow != nil && old.Workflow.Status != types.WorkflowStatusResolved {
			done := change{status: types.WorkflowStatusResolved, note: "The resource is gone."}
			changes[done] = append(changes[done], identify(old))
		}
	}
	return h.update(ctx, changes)
}

// differs reports whether a workflow has to change. What a person set stays: a
// failure that is NOTIFIED, or SUPPRESSED by somebody else, is not reopened.
func (h hub) differs(old types.AwsSecurityFinding, want types.WorkflowStatus) bool {
	is := old.Workflow.Status
	if want != types.WorkflowStatusNew {
		return is != want
	}
	return is == types.WorkflowStatusResolved || (is == types.WorkflowStatusSuppressed && byUs(old))
}

func byUs(f types.AwsSecurityFinding) bool {
	return f.Note != nil && awssdk.ToString(f.Note.UpdatedBy) == noteAuthor
}

// gone reports whether a finding's control was judged in a scope that was read
// whole: only then does its absence mean that the resource is gone.
func (h hub) gone(f types.AwsSecurityFinding) bool {
	whole := slices.ContainsFunc(h.report.Scopes, func(s posture.Scope) bool { return s.Account == h.account && s.Region == h.region && s.Complete })
	judged := slices.ContainsFunc(h.report.Controls, func(c string) bool { return "gatehouse/"+c == awssdk.ToString(f.GeneratorId) })
	return whole && judged
}

// suppress marks Security Hub's own findings.
func (h hub) suppress(ctx context.Context) error {
	product := "arn:" + report.Partition(h.region) + ":securityhub:" + h.region + "::product/aws/securityhub"
	excepted := map[string]map[string]string{} // control: resource: reason
	for _, f := range h.report.Findings {
		if f.Verdict == posture.Excepted && f.Exception != nil && f.Account == h.account && f.Region == h.region {
			if excepted[f.Control] == nil {
				excepted[f.Control] = map[string]string{}
			}
			excepted[f.Control][f.Resource] = report.ExceptionText(f.Exception)
		}
	}
	changes := map[change][]types.AwsSecurityFindingIdentifier{}
	for control, resources := range excepted {
		for ids := range slices.Chunk(sortedKeys(resources), hubFilterValues) {
			found, err := h.find(ctx, types.AwsSecurityFindingFilters{
				ProductArn: equals(product), RecordState: equals("ACTIVE"),
				ComplianceSecurityControlId: equals(control), ResourceId: equals(ids...),
			})
			if err != nil {
				return fmt.Errorf("reading the findings of %s: %w", control, err)
			}
			for _, f := range found {
				if f.Workflow == nil || f.Workflow.Status != types.WorkflowStatusSuppressed {
					want := change{types.WorkflowStatusSuppressed, resources[resourceID(f)]}
					changes[want] = append(changes[want], identify(f))
				}
			}
		}
	}
	ours, err := h.find(ctx, types.AwsSecurityFindingFilters{ProductArn: equals(product), RecordState: equals("ACTIVE"), WorkflowStatus: equals("SUPPRESSED"), NoteUpdatedBy: equals(noteAuthor)})
	if err != nil {
		return fmt.Errorf("reading the suppressed findings: %w", err)
	}
	for _, f := range ours {
		control := ""
		if f.Compliance != nil {
			control = awssdk.ToString(f.Compliance.SecurityControlId)
		}
		if _, still := excepted[control][resourceID(f)]; !still && h.judged(control) {
			want := change{types.WorkflowStatusNew, "The exception has ended."}
			changes[want] = append(changes[want], identify(f))
		}
	}
	return h.update(ctx, changes)
}

// judged reports whether this run looked at a control: an audit of other
// controls says nothing about its exceptions.
func (h hub) judged(control string) bool {
	return slices.Contains(h.report.Controls, control)
}

func (h hub) update(ctx context.Context, changes map[change][]types.AwsSecurityFindingIdentifier) error {
	for want, ids := range changes {
		for batch := range slices.Chunk(ids, report.BatchSize) {
			in := &securityhub.BatchUpdateFindingsInput{FindingIdentifiers: batch, Workflow: &types.WorkflowUpdate{Status: want.status}}
			if want.note != "" {
				in.Note = &types.NoteUpdate{Text: awssdk.String(want.note), UpdatedBy: awssdk.String(noteAuthor)}
			}
			out, err := h.client.BatchUpdateFindings(ctx, in)
			if err != nil {
				return fmt.Errorf("marking %d findings %s: %w", len(batch), want.status, err)
			}
			for _, f := range out.UnprocessedFindings {
				h.sent.Refused = append(h.sent.Refused, awssdk.ToString(f.FindingIdentifier.Id)+": "+awssdk.ToString(f.ErrorMessage))
			}
			switch n := len(out.ProcessedFindings); want.status {
			case types.WorkflowStatusResolved:
				h.sent.Resolved += n
			case types.WorkflowStatusSuppressed:
				h.sent.Suppressed += n
			default:
				h.sent.Reopened += n
			}
		}
	}
	return nil
}

// find reads every page of a search.
func (h hub) find(ctx context.Context, filters types.AwsSecurityFindingFilters) ([]types.AwsSecurityFinding, error) {
	var all []types.AwsSecurityFinding
	pages := securityhub.NewGetFindingsPaginator(h.client, &securityhub.GetFindingsInput{Filters: &filters, MaxResults: awssdk.Int32(hubPage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Findings...)
	}
	return all, nil
}

func equals(values ...string) []types.StringFilter {
	return filters(types.StringFilterComparisonEquals, values)
}

func startsWith(prefix string) []types.StringFilter {
	return filters(types.StringFilterComparisonPrefix, []string{prefix})
}

func filters(comparison types.StringFilterComparison, values []string) []types.StringFilter {
	out := make([]types.StringFilter, 0, len(values))
	for _, v := range values {
		out = append(out, types.StringFilter{Comparison: comparison, Value: awssdk.String(v)})
	}
	return out
}

func identify(f types.AwsSecurityFinding) types.AwsSecurityFindingIdentifier {
	return types.AwsSecurityFindingIdentifier{Id: f.Id, ProductArn: f.ProductArn}
}

func resourceID(f types.AwsSecurityFinding) string {
	if len(f.Resources) == 0 {
		return ""
	}
	return awssdk.ToString(f.Resources[0].Id)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
