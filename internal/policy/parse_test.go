package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestParseRefuses(t *testing.T) {
	const v = `"Version":"2012-10-17",`
	allow := func(elements string) string { return statement(`"Effect":"Allow",` + elements) }
	tests := []struct {
		name     string
		kind     Kind
		document string
		want     []string
	}{
		{"empty", Identity, ``, []string{"Syntax errors in policy.", "line 1, column 1", "ends too early"}},
		{"no object", Identity, `[]`, []string{"Syntax errors in policy.", "JSON object"}},
		{"cut short", Identity, `{"Version":"2012-10-17","Statement":[`, []string{"Syntax errors in policy.", "ends too early"}},
		{"comma too many", Identity, "{\n \"Version\": \"2012-10-17\",\n}", []string{"line 3, column 1", "Syntax errors"}},
		{"text behind", Identity, statement(allowAll) + `x`, []string{"after the end"}},
		{"two documents", Identity, statement(allowAll) + statement(allowAll), []string{"after the end"}},
		{"invalid UTF-8", Identity, "{\"Version\":\"\xff\"}", []string{"UTF-8"}},
		{"control character", Identity, statement(`"Effect":"Allow","Action":"a:\u0000","Resource":"*"`), []string{"control character"}},
		{"control character in a name", Identity, `{"a\u0001":1}`, []string{"control character"}},
		{"twice the same name", Identity, `{"Version":"2012-10-17","Version":"2012-10-17"}`, []string{`"Version" occurs twice`, "line 1, column 25"}},
		{"nested deep", Identity, strings.Repeat(`[`, 5000), []string{"nested deeper"}},
		{"too long", Identity, `{"Id":"` + strings.Repeat("x", MaxDocument) + `"}`, []string{"131072 is the most"}},
		{"unknown element", Identity, `{` + v + `"Comment":"x"}`, []string{`unknown element "Comment"`}},
		{"wrong version", Identity, `{"Version":"2020-01-01","Statement":{` + allowAll + `}}`, []string{"Syntax errors in policy.", "Version must be"}},
		{"no statement", Identity, `{"Version":"2012-10-17"}`, []string{"there is no Statement"}},
		{"empty statement list", Identity, `{` + v + `"Statement":[]}`, []string{"Statement is empty"}},
		{"statement is text", Identity, `{` + v + `"Statement":["x"]}`, []string{"Statement[0]", "JSON object"}},
		{"Id is a number", Identity, `{` + v + `"Id":1}`, []string{"Id must be a string"}},
		{"unknown field", Identity, allow(`"Action":"*","Resource":"*","Actions":"*"`), []string{"Unknown field Actions", "Statement[0].Actions"}},
		{"no effect", Identity, statement(`"Action":"*","Resource":"*"`), []string{"Effect is missing"}},
		{"effect in lower case", Identity, statement(`"Effect":"allow","Action":"*","Resource":"*"`), []string{"Statement[0].Effect", `"Allow" or "Deny"`}},
		{"no action", Identity, allow(`"Resource":"*"`), []string{"Policy statement must contain actions."}},
		{"empty action list", Identity, allow(`"Action":[],"Resource":"*"`), []string{"Policy statement must contain actions."}},
		{"action is a number", Identity, allow(`"Action":1,"Resource":"*"`), []string{"Statement[0].Action", "a string must stand here"}},
		{"both actions", Identity, allow(`"Action":"*","NotAction":"*","Resource":"*"`), []string{"Action and NotAction exclude each other"}},
		{"both resources", Identity, allow(`"Action":"*","NotResource":"*","Resource":"*"`), []string{"Resource and NotResource exclude each other"}},
		{"action without vendor", Identity, allow(`"Action":"Connect","Resource":"*"`), []string{"Actions/Conditions must be prefaced by a vendor", `"Connect"`}},
		{"action with two colons", Identity, allow(`"Action":"a:b:c","Resource":"*"`), []string{"Actions/Condition can contain only one colon."}},
		{"action without name", Identity, allow(`"Action":"a:","Resource":"*"`), []string{"names no action"}},
		{"vendor with wildcard", Identity, allow(`"Action":"s3*:Get","Resource":"*"`), []string{"Vendor s3* is not valid"}},
		{"no resource", Identity, allow(`"Action":"*"`), []string{"Policy statement must contain resources."}},
		{"empty resource list", Resource, allow(`"Action":"*","Principal":"*","Resource":[]`), []string{"Policy statement must contain resources."}},
		{"resource is no ARN", Identity, allow(`"Action":"*","Resource":"orders"`), []string{`Resource orders must be in ARN format or "*".`}},
		{"resource is half an ARN", Identity, allow(`"Action":"*","Resource":"arn:aws:s3"`), []string{"Resource vendor must be fully qualified"}},
		{"resource of another partition", Identity, allow(`"Action":"*","Resource":"arn:gcp:s3:::x"`), []string{`Partition "gcp" is not valid`}},
		{"second resource", Identity, allow(`"Action":"*","Resource":["*","x"]`), []string{"Resource x must be in ARN format"}},
		{"variable too early", Identity, allow(`"Action":"*","Resource":"arn:aws:iam::${aws:PrincipalAccount}:user/x"`), []string{"behind the fifth colon"}},
		{"variable not closed", Identity, allow(`"Action":"*","Resource":"arn:aws:s3:::${aws:username"`), []string{"a policy variable is written"}},
		{"variable without a vendor", Identity, allow(`"Action":"*","Resource":"arn:aws:s3:::${username}"`), []string{"a policy variable is written"}},
		{"default without quotation marks", Identity, allow(`"Action":"*","Resource":"arn:aws:s3:::${aws:username, x}"`), []string{"a policy variable is written"}},
		{"principal in an identity policy", Identity, allow(`"Action":"*","Resource":"*","Principal":"*"`), []string{"Policy document should not specify a principal."}},
		{"principal in a boundary", Boundary, allow(`"Action":"*","Resource":"*","Principal":"*"`), []string{"Policy document should not specify a principal."}},
		{"no principal in a resource policy", Resource, allow(`"Action":"*","Resource":"*"`), []string{"Missing required field Principal."}},
		{"no principal in a trust policy", Trust, allow(`"Action":"sts:AssumeRole"`), []string{"Missing required field Principal."}},
		{"resource in a trust policy", Trust, allow(`"Action":"sts:AssumeRole","Principal":"*","Resource":"*"`), []string{"Has prohibited field Resource."}},
		{"action of a trust policy", Trust, allow(`"Action":"s3:GetObject","Principal":"*"`), []string{"AssumeRole policy may only specify STS AssumeRole actions."}},
		{"every action of a trust policy", Trust, allow(`"Action":"*","Principal":"*"`), []string{"AssumeRole policy may only specify STS AssumeRole actions."}},
		{"NotAction of a trust policy", Trust, allow(`"NotAction":"sts:AssumeRole","Principal":"*"`), []string{"AssumeRole policy may only specify STS AssumeRole actions."}},
		{"NotPrincipal that allows", Resource, allow(`"Action":"*","Resource":"*","NotPrincipal":{"AWS":"111122223333"}`), []string{"NotPrincipal is possible"}},
		{"principal with a wildcard", Resource, allow(`"Action":"*","Resource":"*","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"}`), []string{`Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`}},
		{"principal that is a group", Resource, allow(`"Action":"*","Resource":"*","Principal":{"AWS":"arn:aws:iam::111122223333:group/x"}`), []string{"Invalid principal in policy"}},
		{"principal with a short account", Resource, allow(`"Action":"*","Resource":"*","Principal":{"AWS":"1234"}`), []string{"Invalid principal in policy"}},
		{"principal of an unknown type", Resource, allow(`"Action":"*","Resource":"*","Principal":{"User":"x"}`), []string{"Invalid principal in policy"}},
		{"principal is a plain ARN", Resource, allow(`"Action":"*","Resource":"*","Principal":"arn:aws:iam::111122223333:root"`), []string{"Invalid principal in policy"}},
		{"service without its domain", Resource, allow(`"Action":"*","Resource":"*","Principal":{"Service":"sns"}`), []string{"Invalid principal in policy"}},
		{"principal list is empty", Resource, allow(`"Action":"*","Resource":"*","Principal":{"AWS":[]}`), []string{"list of principals is empty"}},
		{"Sid with a space", Identity, allow(`"Sid":"a b","Action":"*","Resource":"*"`), []string{"Statement IDs (SID) must be alpha-numeric.", `"a b"`}},
		{"Sid is a number", Identity, allow(`"Sid":1,"Action":"*","Resource":"*"`), []string{"Sid must be a string"}},
		{"Sid twice", Identity, `{` + v + `"Statement":[{"Sid":"A",` + allowAll + `},{"Sid":"A",` + allowAll + `}]}`, []string{"Statement IDs (SID) in a single policy must be unique.", "Statement[1]"}},
		{"condition is text", Identity, allow(`"Action":"*","Resource":"*","Condition":"x"`), []string{"Statement[0].Condition"}},
		{"unknown operator", Identity, allow(`"Action":"*","Resource":"*","Condition":{"StringEqual":{"aws:x":"y"}}`), []string{"Statement[0].Condition.StringEqual", `unknown condition operator "StringEqual"`}},
		{"NullIfExists", Identity, allow(`"Action":"*","Resource":"*","Condition":{"NullIfExists":{"aws:x":"true"}}`), []string{"unknown condition operator"}},
		{"operator without keys", Identity, allow(`"Action":"*","Resource":"*","Condition":{"StringEquals":"x"}`), []string{"JSON object of condition keys"}},
		{"key without vendor", Identity, allow(`"Action":"*","Resource":"*","Condition":{"StringEquals":{"x":"y"}}`), []string{"Actions/Conditions must be prefaced by a vendor", `"x"`}},
		{"no values", Identity, allow(`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:x":[]}}`), []string{"has no value"}},
		{"value is an object", Identity, allow(`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:x":{}}}`), []string{"must be a string, number or boolean"}},
		{"not a number", Identity, allow(`"Action":"*","Resource":"*","Condition":{"NumericEquals":{"aws:x":"ten"}}`), []string{`"ten" is no number`}},
		{"not a date", Identity, allow(`"Action":"*","Resource":"*","Condition":{"DateEquals":{"aws:x":"tomorrow"}}`), []string{"ISO 8601"}},
		{"not a boolean", Identity, allow(`"Action":"*","Resource":"*","Condition":{"Bool":{"aws:x":"yes"}}`), []string{`neither "true" nor "false"`}},
		{"not a range", Identity, allow(`"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}`), []string{"CIDR"}},
		{"not base64", Identity, allow(`"Action":"*","Resource":"*","Condition":{"BinaryEquals":{"aws:x":"!"}}`), []string{"base64"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.kind, test.document)
			if identity.KindOf(err) != Malformed {
				t.Fatalf("error %v, want one of kind %q", err, Malformed)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// examples are documents as they stand in AWS's documentation and in the wild.
func examples(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/documents/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no example documents found (%v)", err)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(file)] = string(text)
	}
	return found
}

// kindOf reads the kind from an example's file name, kind-subject.json.
func kindOf(name string) Kind {
	word, _, _ := strings.Cut(name, "-")
	return map[string]Kind{"identity": Identity, "boundary": Boundary, "session": Session, "resource": Resource, "trust": Trust}[word]
}

func TestParseAcceptsExamples(t *testing.T) {
	for name, text := range examples(t) {
		if _, err := Parse(kindOf(name), text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManagedPoliciesAreOfTheNewVersion(t *testing.T) {
	for document, want := range map[string]bool{
		`{"Statement":{` + allowAll + `}}`:                        false,
		`{"Version":"2008-10-17","Statement":{` + allowAll + `}}`: false,
		statement(allowAll):                                       true,
	} {
		err := parse(t, Identity, document).CheckManaged()
		if (err == nil) != want || err != nil && (identity.KindOf(err) != Malformed || !strings.Contains(err.Error(), "must be version 2012-10-17 or greater")) {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestCharacters(t *testing.T) {
	if got := Characters("{ \"a\":\r\n\t\"ü\" }"); got != 9 {
		t.Error(got)
	}
}
