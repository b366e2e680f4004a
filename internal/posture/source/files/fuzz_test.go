package files_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
	"github.com/gatehouse/gatehouse/internal/posture/source/plan"
	"github.com/gatehouse/gatehouse/internal/posture/source/template"
)

// checked reports on what must hold of any inventory: every finding says
// something, and a verdict that decides nothing says what it needs.
func checked(t *testing.T, inventory posture.Inventory) {
	t.Helper()
	findings, err := posture.Evaluate(inventory, posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Verdict == "" || f.Reason == "" || f.Control == "" {
			t.Errorf("a finding says nothing: %+v", f)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	seeds, err := filepath.Glob("../../../../examples/posture/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(resource("AWS::ApiGatewayV2::Route", "AuthorizationType: !If [C, !Ref P, !FindInMap [M, a, b]]", "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, a]}")))
	f.Add([]byte(`{"Resources":{"A":{"Type":"AWS::ApiGatewayV2::Api","Properties":{"Body":{"paths":{"/a":{"get":{"security":[{"x":[]}]}}}},"Target":"t"}}}}`))
	f.Add([]byte("Transform: AWS::Serverless-2016-10-31\nGlobals: {HttpApi: {Auth: 1}}\nResources: {F: {Type: AWS::Serverless::Function, Properties: {Events: [1]}}}"))
	f.Add([]byte("Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\nResources: {R: {Type: AWS::MSK::Cluster, Condition: A}}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		root, err := template.Parse(src)
		if err != nil || !template.Is(root) {
			return
		}
		checked(t, template.Read("t", root, template.Options{}))
	})
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(modules))
	f.Add([]byte(planned("aws_msk_cluster", `{"client_authentication":[{"sasl":[{"iam":true}]}]}`, `{"client_authentication":[{"unauthenticated":true}]}`)))
	f.Add([]byte(planned("awscc_elasticache_replication_group", `{"engine":"redis"}`, `{"user_group_ids":[true]}`)))
	f.Add([]byte(planned("aws_apigatewayv2_api", `{"body":"{\"paths\":{\"/a\":1}}"}`, "")))
	f.Add([]byte(`{"format_version":"1.0","planned_values":{"root_module":{"resources":[1],"child_modules":[{}]}}}`))
	f.Add([]byte(`{"terraform_version":"1","resource_changes":null}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		if !plan.Is(src) {
			return
		}
		for _, prior := range []bool{false, true} {
			inventory, err := plan.Read("p", src, plan.Options{Prior: prior})
			if err != nil {
				return
			}
			checked(t, inventory)
		}
	})
}

// TestFilesOfTheExamples keeps the examples telling: each has what its text says.
func TestFilesOfTheExamples(t *testing.T) {
	findings, err := posture.Evaluate(files.Read([]string{"../../../../examples/posture"}, files.Options{}), posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, findings,
		judgement{"APIGateway.8", "OrdersRoute", posture.Fail}, judgement{"APIGateway.8", "ProfileRoute", posture.Pass},
		judgement{"APIGateway.8", "ReportRoute", posture.Undecided}, judgement{"MSK.6", "OrdersStream", posture.Fail},
		judgement{"Gatehouse.2", "SessionCache", posture.FailEffective}, judgement{"ElastiCache.6", "LegacyCache", posture.Fail},
		judgement{"AppSync.5", "StorefrontApi", posture.Fail}, judgement{"DMS.11", "MigrationSource", posture.Fail},
		judgement{"APIGateway.8", "ShopApi/GET /basket", posture.Pass}, judgement{"APIGateway.8", "ShopApi/GET /basket/export", posture.Fail},
		judgement{"APIGateway.8", "ServerlessHttpApi/GET /catalogue", posture.Fail},
	)
}
