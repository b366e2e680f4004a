package fakeaws

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

var stsHandlers = map[string]handler{
	"GetCallerIdentity": func(r *Region, _ *request) (Doc, error) {
		return Doc{"Account": r.Account, "Arn": "arn:aws:iam::" + r.Account + ":user/auditor", "UserId": "AIDA"}, nil
	},
	"AssumeRole": func(r *Region, q *request) (Doc, error) {
		parts := strings.Split(text(q.in, "RoleArn"), ":")
		if len(parts) < 6 || text(q.in, "RoleSessionName") == "" {
			return nil, refuse("ValidationError", "RoleArn or RoleSessionName is not valid")
		}
		return Doc{"Credentials": Doc{
			"AccessKeyId": "ASIA" + parts[4] + "0001", "SecretAccessKey": "secret", "SessionToken": "session",
			"Expiration": r.fake.Now().Add(time.Hour),
		}, "AssumedRoleUser": Doc{"Arn": "arn:aws:sts::" + parts[4] + ":assumed-role/x/y", "AssumedRoleId": "AROA:y"}}, nil
	},
}

var accountHandlers = map[string]handler{
	"ListRegions": func(r *Region, _ *request) (Doc, error) {
		var items []Doc
		for key := range r.fake.made {
			account, name, _ := strings.Cut(key, "/")
			if account == r.Account {
				items = append(items, Doc{"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"})
			}
		}
		slices.SortFunc(items, func(a, b Doc) int { return strings.Compare(text(a, "RegionName"), text(b, "RegionName")) })
		return Doc{"Regions": items}, nil
	},
}

var configHandlers = map[string]handler{
	"DescribeConfigRules": func(r *Region, q *request) (Doc, error) {
		items, next, err := r.page("configrules", r.table("configrules").list(), text(q.in, "NextToken"), 25)
		if err != nil {
			return nil, err
		}
		out := Doc{"ConfigRules": items}
		if next != "" {
			out["NextToken"] = next
		}
		return out, nil
	},
	"DescribeConfigurationRecorders": func(r *Region, _ *request) (Doc, error) {
		return Doc{"ConfigurationRecorders": r.table("recorders").list()}, nil
	},
	"DescribeConfigurationRecorderStatus": func(r *Region, _ *request) (Doc, error) {
		var items []Doc
		for _, rec := range r.table("recorders").list() {
			items = append(items, Doc{"name": rec["name"], "recording": !truth(rec, "_stopped")})
		}
		return Doc{"ConfigurationRecordersStatus": items}, nil
	},
}

// AddRecorder seeds AWS Config's recorder; no types means all of them.
func (r *Region) AddRecorder(running bool, types ...string) {
	group := Doc{"allSupported": len(types) == 0}
	if len(types) > 0 {
		group["resourceTypes"] = types
	}
	r.seed("recorders", "default", Doc{"name": "default", "recordingGroup": group, "_stopped": !running}, nil)
}

// AddConfigRule seeds a managed rule as Security Hub would make it.
func (r *Region) AddConfigRule(identifier, state string) {
	name := "securityhub-" + strings.ToLower(strings.ReplaceAll(identifier, "_", "-"))
	r.seed("configrules", name, Doc{"ConfigRuleName": name, "ConfigRuleState": state, "Source": Doc{"Owner": "AWS", "SourceIdentifier": identifier}}, nil)
}

// maxImport is how many findings Security Hub takes in one call.
const maxImport = 100

var hubHandlers = map[string]handler{
	"BatchImportFindings": importFindings,
	"BatchUpdateFindings": updateFindings,
	"GetFindings":         getFindings,
}

func importFindings(r *Region, q *request) (Doc, error) {
	list, _ := q.in["Findings"].([]any)
	if len(list) == 0 || len(list) > maxImport {
		return nil, refuse("InvalidInputException", "Give between 1 and %d findings", maxImport)
	}
	failed := []any{}
	good := 0
	for _, item := range list {
		f, _ := item.(Doc)
		if missing := lacking(f); missing != "" {
			failed = append(failed, Doc{"Id": f["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "Finding does not have " + missing})
			continue
		}
		id := text(f, "ProductArn") + "|" + text(f, "Id")
		if have := r.table("findings").byID[id]; have != nil {
			f["Workflow"] = have["Workflow"] // an import leaves the workflow alone once a finding exists
		} else if f["Workflow"] == nil {
			f["Workflow"] = Doc{"Status": "NEW"}
		}
		r.table("findings").put(id, f)
		good++
	}
	return Doc{"SuccessCount": good, "FailedCount": len(failed), "FailedFindings": failed}, nil
}

// lacking names the first required field that a finding does not have.
func lacking(f Doc) string {
	for _, field := range []string{"SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "CreatedAt", "UpdatedAt", "Title", "Description", "Resources", "Severity", "Types"} {
		if f[field] == nil {
			return field
		}
	}
	return ""
}

func updateFindings(r *Region, q *request) (Doc, error) {
	list, _ := q.in["FindingIdentifiers"].([]any)
	if len(list) == 0 || len(list) > maxImport {
		return nil, refuse("InvalidInputException", "Give between 1 and %d finding identifiers", maxImport)
	}
	done, left := []any{}, []any{}
	for _, item := range list {
		id, _ := item.(Doc)
		f := r.table("findings").byID[text(id, "ProductArn")+"|"+text(id, "Id")]
		if f == nil {
			left = append(left, Doc{"FindingIdentifier": id, "ErrorCode": "FindingNotFound", "ErrorMessage": "Finding not found"})
			continue
		}
		for _, field := range []string{"Workflow", "Note"} {
			if v := q.in[field]; v != nil {
				f[field] = v
			}
		}
		done = append(done, id)
	}
	return Doc{"ProcessedFindings": done, "UnprocessedFindings": left}, nil
}

func getFindings(r *Region, q *request) (Doc, error) {
	filters, _ := q.in["Filters"].(Doc)
	var items []Doc
	for _, f := range r.table("findings").list() {
		if findingFits(filters, f) {
			items = append(items, f)
		}
	}
	page, next, err := r.page("findings", items, text(q.in, "NextToken"), limit(q.in["MaxResults"], 100, 100))
	if err != nil {
		return nil, err
	}
	if page == nil {
		page = []Doc{}
	}
	out := Doc{"Findings": page}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// findingFits applies the string filters that the audit uses. Within one field
// any value may match; every field must.
func findingFits(filters, f Doc) bool {
	fields := map[string]string{
		"ProductArn": text(f, "ProductArn"), "Id": text(f, "Id"), "RecordState": text(f, "RecordState"), "GeneratorId": text(f, "GeneratorId"),
		"AwsAccountId": text(f, "AwsAccountId"),
	}
	fields["WorkflowStatus"], _ = dig(f, "Workflow", "Status").(string)
	fields["NoteUpdatedBy"], _ = dig(f, "Note", "UpdatedBy").(string)
	fields["ComplianceSecurityControlId"], _ = dig(f, "Compliance", "SecurityControlId").(string)
	if list, ok := f["Resources"].([]any); ok && len(list) > 0 {
		if first, ok := list[0].(Doc); ok {
			fields["ResourceId"] = text(first, "Id")
		}
	}
	for name, value := range filters {
		list, _ := value.([]any)
		hit := len(list) == 0
		for _, item := range list {
			filter, _ := item.(Doc)
			want, have := text(filter, "Value"), fields[name]
			switch text(filter, "Comparison") {
			case "EQUALS":
				hit = hit || have == want
			case "PREFIX":
				hit = hit || strings.HasPrefix(have, want)
			}
		}
		if !hit {
			return false
		}
	}
	return true
}

// AddFinding seeds a finding of Security Hub's own for a control.
func (r *Region) AddFinding(control, resource, workflow string) string {
	product := "arn:aws:securityhub:" + r.Name + "::product/aws/securityhub"
	id := "arn:aws:securityhub:" + r.Name + ":" + r.Account + ":security-control/" + control + "/finding/" + strconv.Itoa(len(resource))
	r.seed("findings", product+"|"+id, Doc{
		"SchemaVersion": "2018-10-08", "Id": id, "ProductArn": product, "AwsAccountId": r.Account,
		"GeneratorId": "security-control/" + control, "RecordState": "ACTIVE", "Workflow": Doc{"Status": workflow},
		"Compliance": Doc{"Status": "FAILED", "SecurityControlId": control}, "Resources": []any{Doc{"Id": resource, "Type": "Other"}},
		"Title": control, "Description": control, "CreatedAt": "2026-01-01T00:00:00Z", "UpdatedAt": "2026-01-01T00:00:00Z",
	}, nil)
	return id
}
