package aws_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
)

func TestMethodsOfRESTAPIs(t *testing.T) {
	fake, r := start(t)
	r.AddRESTAPI("shop", nil, map[string]string{
		"GET /orders": "NONE", "POST /orders": "AWS_IAM", "OPTIONS /orders": "NONE", "GET /me": "COGNITO_USER_POOLS",
	})
	r.AddRESTAPI("inner", fakeaws.Doc{"endpointConfiguration": fakeaws.Doc{"types": []string{"PRIVATE"}}, "policy": "{}"}, map[string]string{"ANY /": "NONE"})
	found := read(t, options(fake))
	got := verdicts(t, found)
	for key, want := range map[string]posture.Verdict{
		"Gatehouse.8 shop GET /orders": posture.FailEffective, "Gatehouse.8 shop POST /orders": posture.Pass,
		"Gatehouse.8 shop OPTIONS /orders": posture.Pass, "Gatehouse.8 shop GET /me": posture.Pass,
		"Gatehouse.8 inner ANY /": posture.FailEffective,
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	for _, res := range found.Resources {
		if res.Kind != posture.KindRESTMethod {
			continue
		}
		inner := strings.HasPrefix(res.Name, "inner")
		if private := res.Exposure == posture.ExposureVPC; private != inner {
			t.Errorf("%s is exposed to %q", res.Name, res.Exposure)
		}
		if inner && len(res.Notes) == 0 {
			t.Errorf("%s says nothing of its API's resource policy", res.Name)
		}
		if res.Name == "shop GET /orders" && res.ID != "arn:aws:apigateway:"+region+"::/restapis/shop/resources/r-orders/methods/GET" {
			t.Errorf("its ARN is %s", res.ID)
		}
	}
}

func TestTagsOfEndpointsAndCachesRank(t *testing.T) {
	fake, r := start(t)
	fake.PageCap = 1
	r.AddReplicationGroup("a", "5.0.6", nil)
	r.AddReplicationGroup("b", "5.0.6", nil)
	r.Tag("arn:aws:elasticache:"+region+":"+fakeaws.DefaultAccount+":replicationgroup:b", map[string]string{"data": "payment"})
	r.Tag(r.AddEndpoint("mongo", nil), map[string]string{"env": "prod"})
	o := options(fake)
	o.Controls = []string{"ElastiCache.6", "DMS.11"}
	findings, err := posture.Evaluate(read(t, o), posture.Options{Controls: o.Controls})
	if err != nil {
		t.Fatal(err)
	}
	ranks := map[string]int{}
	for _, f := range findings {
		ranks[f.Name] = f.Rank
		if f.Name == "mongo" && !slices.ContainsFunc(f.RankReasons, func(s string) bool { return strings.Contains(s, "prod") }) {
			t.Errorf("the tag of the DMS endpoint does not count: %v", f.RankReasons)
		}
	}
	if ranks["b"] >= ranks["a"] {
		t.Errorf("the tagged cache does not come first: %v", ranks)
	}
}

func TestMergedAPIs(t *testing.T) {
	fake, r := start(t)
	fake.PageCap = 1
	r.AddGraphQL("users", fakeaws.Doc{"authenticationType": "AWS_IAM"})
	r.AddGraphQL("payments", fakeaws.Doc{"authenticationType": "AWS_IAM"})
	r.AddMergedAPI("all", nil, "users", "payments")
	found := read(t, options(fake))
	if got := verdicts(t, found)["AppSync.5 all"]; got != posture.Fail {
		t.Errorf("a merged API with a key gets %q", got)
	}
	for _, res := range found.Resources {
		if res.Name == "all" && len(res.Fronts) != 2 {
			t.Errorf("it answers for %v", res.Fronts)
		}
	}
	if len(found.Resources) != 3+configRules(found) {
		t.Errorf("an API counts twice: %d resources", len(found.Resources))
	}
}

func configRules(found posture.Inventory) int {
	n := 0
	for _, res := range found.Resources {
		if res.Kind == posture.KindConfigRule {
			n++
		}
	}
	return n
}

// Whatever call is refused, the report names it: no read is lost in silence.
func TestEveryRefusedCallIsInTheReport(t *testing.T) {
	seed := func() *fakeaws.Fake {
		fake, r := start(t)
		r.AddHTTPAPI("web", nil)
		r.AddHTTPAPI("hidden", fakeaws.Doc{"disableExecuteApiEndpoint": true})
		r.AddRoute("web", "open", nil)
		r.AddRoute("web", "jwt", fakeaws.Doc{"authorizationType": "JWT", "authorizerId": "x"})
		r.AddRESTAPI("rest", nil, map[string]string{"GET /": "NONE"})
		r.AddGraphQL("gql", nil)
		r.AddMergedAPI("merged", nil, "gql")
		r.AddEventAPI("events", nil)
		r.AddCluster("msk", fakeaws.Doc{})
		r.AddEndpoint("mongo", nil)
		r.AddUser("u", "default", nil)
		r.AddUserGroup("g", "u")
		r.AddReplicationGroup("rbac", "7.1.0", fakeaws.Doc{"UserGroupIds": []string{"g"}, "_auth": "RBAC"})
		r.AddReplicationGroup("token", "7.1.0", fakeaws.Doc{"AuthTokenEnabled": true, "_auth": "REQ1"})
		return fake
	}
	fake := seed()
	read(t, options(fake))
	calls := fake.Calls()
	for _, needed := range []string{"apigateway.GetIntegrations", "apigateway.GetAuthorizers", "apigateway.GetDomainNames", "tagging.GetResources", "appsync.ListSourceApiAssociations", "cloudtrail.LookupEvents", "elasticache.DescribeUsers", "dms.DescribeReplicationTasks"} {
		if calls[needed] == 0 {
			t.Errorf("the estate does not bring about %s", needed)
		}
	}
	for call := range calls {
		service, operation, _ := strings.Cut(call, ".")
		fake := seed()
		fake.Deny(service, operation)
		findings, err := posture.Evaluate(read(t, options(fake)), posture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(findings, func(f posture.Finding) bool {
			return f.Verdict == posture.Error && strings.Contains(f.Reason, "AccessDenied") &&
				(strings.Contains(f.Resource, operation) || strings.Contains(f.Resource, "account of"))
		}) {
			t.Errorf("a denied %s is nowhere in the report", call)
		}
	}
}
