package aws_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/fakeaws"
	aws "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

const region = "eu-west-1"

func start(t *testing.T) (*fakeaws.Fake, *fakeaws.Region) {
	t.Helper()
	fake := fakeaws.New()
	t.Cleanup(fake.Close)
	return fake, fake.Region(fakeaws.DefaultAccount, region)
}

func options(fake *fakeaws.Fake, regions ...string) aws.Options {
	if len(regions) == 0 {
		regions = []string{region}
	}
	return aws.Options{
		Config:  awssdk.Config{Region: regions[0], Credentials: credentials.NewStaticCredentialsProvider("AKIA"+fakeaws.DefaultAccount, "secret", "")},
		Regions: regions, Endpoint: fake.URL, Attempts: 3, Backoff: time.Millisecond,
	}
}

func read(t *testing.T, o aws.Options) posture.Inventory {
	t.Helper()
	found, err := aws.Read(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// verdicts maps "control name" to the verdict, for resources by their name.
func verdicts(t *testing.T, found posture.Inventory) map[string]posture.Verdict {
	t.Helper()
	findings, err := posture.Evaluate(found, posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]posture.Verdict{}
	for _, f := range findings {
		name := f.Name
		if name == "" {
			name = f.Resource
		}
		out[f.Control+" "+name] = f.Verdict
	}
	return out
}

func TestEveryServiceBothWays(t *testing.T) {
	fake, r := start(t)
	r.AddHTTPAPI("web", fakeaws.Doc{"name": "web"})
	r.AddRoute("web", "open", nil)
	r.AddRoute("web", "iam", fakeaws.Doc{"authorizationType": "AWS_IAM"})
	r.AddGraphQL("keyed", nil)
	r.AddGraphQL("both", fakeaws.Doc{"authenticationType": "AWS_IAM", "additionalAuthenticationProviders": []any{fakeaws.Doc{"authenticationType": "API_KEY"}}})
	r.AddGraphQL("strong", fakeaws.Doc{"authenticationType": "AWS_IAM"})
	r.AddCluster("anyone", nil)
	r.AddCluster("iam", fakeaws.Doc{"clientAuthentication": fakeaws.Doc{"sasl": fakeaws.Doc{"iam": fakeaws.Doc{"enabled": true}}, "unauthenticated": fakeaws.Doc{"enabled": false}}})
	r.AddCluster("mtlsplain", fakeaws.Doc{
		"clientAuthentication": fakeaws.Doc{"tls": fakeaws.Doc{"enabled": true}},
		"encryptionInfo":       fakeaws.Doc{"encryptionInTransit": fakeaws.Doc{"clientBroker": "TLS_PLAINTEXT", "inCluster": true}},
	})
	r.AddServerlessCluster("sls")
	r.AddEndpoint("mongo-open", nil)
	r.AddEndpoint("mongo-shut", fakeaws.Doc{"MongoDbSettings": fakeaws.Doc{"AuthType": "password", "AuthMechanism": "default"}})
	r.AddReplicationGroup("old", "5.0.6", nil)
	r.AddReplicationGroup("old-token", "5.0.6", fakeaws.Doc{"AuthTokenEnabled": true, "_auth": "REQ1"})
	r.AddReplicationGroup("new-open", "7.1.0", nil)
	r.AddUser("open-default", "default", fakeaws.Doc{"Authentication": fakeaws.Doc{"Type": "no-password"}})
	r.AddUser("shut-default", "default", fakeaws.Doc{"Authentication": fakeaws.Doc{"Type": "no-password"}, "AccessString": "off ~* -@all"})
	r.AddUserGroup("wide", "open-default")
	r.AddUserGroup("narrow", "shut-default")
	r.AddReplicationGroup("rbac-open", "7.1.0", fakeaws.Doc{"UserGroupIds": []string{"wide"}, "_auth": "RBAC"})
	r.AddReplicationGroup("rbac-shut", "7.1.0", fakeaws.Doc{"UserGroupIds": []string{"narrow"}, "_auth": "RBAC"})
	r.AddServerlessCache("sc-open", nil)
	r.AddServerlessCache("sc-shut", fakeaws.Doc{"UserGroupId": "narrow"})

	got := verdicts(t, read(t, options(fake)))
	for key, want := range map[string]posture.Verdict{
		"APIGateway.8 web GET /open": posture.Fail, "APIGateway.8 web GET /iam": posture.Pass,
		"AppSync.5 keyed": posture.Fail, "AppSync.5 both": posture.Fail, "AppSync.5 strong": posture.Pass,
		"MSK.6 anyone": posture.Fail, "MSK.6 iam": posture.Pass, "Gatehouse.4 mtlsplain": posture.FailEffective, "MSK.6 sls": posture.NotApplicable,
		"DMS.11 mongo-open": posture.Fail, "DMS.11 mongo-shut": posture.Pass,
		"ElastiCache.6 old": posture.Fail, "ElastiCache.6 old-token": posture.Pass, "ElastiCache.6 new-open": posture.NotApplicable,
		"Gatehouse.2 new-open": posture.FailEffective, "Gatehouse.2 rbac-open": posture.FailEffective, "Gatehouse.2 rbac-shut": posture.Pass,
		"Gatehouse.2 sc-open": posture.FailEffective, "Gatehouse.2 sc-shut": posture.Pass,
		"Gatehouse.1 old-token": posture.Undecided, // CloudTrail says nothing about how its token came
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
}

func TestEveryPageOfEveryList(t *testing.T) {
	fake, r := start(t)
	fake.PageCap = 2
	const n = 7
	for i := range n {
		id := fmt.Sprintf("x%d", i)
		r.AddHTTPAPI(id, nil)
		for j := range n {
			r.AddRoute(id, fmt.Sprintf("r%d", j), nil)
		}
		r.AddRESTAPI("rest"+id, nil, map[string]string{"GET /": "NONE", "GET /a": "AWS_IAM", "POST /a": "NONE", "GET /b": "NONE"})
		r.AddGraphQL(id, nil)
		r.AddEventAPI("e"+id, nil)
		r.AddCluster(id, nil)
		r.AddEndpoint(id, nil)
		r.AddReplicationGroup(id, "5.0.6", nil)
		r.AddServerlessCache(id, nil)
	}
	counts := map[posture.Kind]int{}
	for _, res := range read(t, options(fake)).Resources {
		counts[res.Kind]++
	}
	for kind, want := range map[posture.Kind]int{
		posture.KindRoute: n * n, posture.KindRESTMethod: n * 4, posture.KindGraphQLAPI: n, posture.KindEventAPI: n, posture.KindMSKCluster: n,
		posture.KindDMSEndpoint: n, posture.KindReplicationGroup: n, posture.KindCacheCluster: n, posture.KindServerlessCache: n,
	} {
		if counts[kind] != want {
			t.Errorf("%s: %d resources, want %d", kind, counts[kind], want)
		}
	}
}

// A scope that AWS does not show is an ERROR for the controls concerned, and
// the others are judged all the same.
func TestWhatCannotBeReadIsAnErrorAndNeverEmpty(t *testing.T) {
	for _, test := range []struct {
		name, control string
		fault         fakeaws.Fault
		says          string
	}{
		{"denied list", "ElastiCache.6", fakeaws.Fault{Service: "elasticache", Operation: "DescribeReplicationGroups", Code: "AccessDenied", Status: 403, Message: "no"}, "AccessDenied"},
		{"denied second page", "MSK.6", fakeaws.Fault{Service: "kafka", Operation: "ListClustersV2", Skip: 1, Code: "AccessDeniedException", Status: 403}, "AccessDenied"},
		{"denied child list", "APIGateway.8", fakeaws.Fault{Service: "apigateway", Operation: "GetRoutes", Code: "AccessDeniedException", Status: 403}, "AccessDenied"},
		{"throttled to the end", "AppSync.5", fakeaws.Fault{Service: "appsync", Operation: "ListGraphqlApis", Code: "ThrottlingException", Status: 429}, "Throttling"},
		{"cut off", "DMS.11", fakeaws.Fault{Service: "dms"}, ""},
		{"region not enabled", "MSK.6", fakeaws.Fault{Service: "kafka", Code: "UnrecognizedClientException", Status: 403, Message: "The security token included in the request is invalid."}, "Unrecognized"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake, r := start(t)
			fake.PageCap = 1
			r.AddHTTPAPI("a", nil)
			r.AddRoute("a", "r", nil)
			r.AddGraphQL("g", nil)
			r.AddCluster("c", nil)
			r.AddCluster("d", nil)
			r.AddReplicationGroup("rg", "5.0.6", nil)
			fake.Inject(test.fault)
			o := options(fake)
			if test.fault.Code == "ThrottlingException" {
				o.Attempts = 2
			}
			found := read(t, o)
			findings, err := posture.Evaluate(found, posture.Options{})
			if err != nil {
				t.Fatal(err)
			}
			hit := slices.IndexFunc(findings, func(f posture.Finding) bool { return f.Control == test.control && f.Verdict == posture.Error })
			if hit < 0 {
				t.Fatalf("no ERROR for %s", test.control)
			}
			if f := findings[hit]; !strings.Contains(f.Reason, test.says) || f.Next == "" || f.Region != region || f.Account != fakeaws.DefaultAccount {
				t.Errorf("the finding does not say what happened: %+v", f)
			}
			if found.Scopes[0].Complete {
				t.Error("the scope counts as complete")
			}
		})
	}
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	fake, r := start(t)
	r.AddCluster("c", nil)
	fake.Throttle("kafka", "ListClustersV2", 2)
	found := read(t, options(fake))
	if len(found.Problems) != 0 || fake.Calls()["kafka.ListClustersV2"] != 3 {
		t.Errorf("problems %v, calls %v", found.Problems, fake.Calls())
	}
}

func TestAccountsByRoleAndRegions(t *testing.T) {
	fake, _ := start(t)
	accounts := []string{"222233334444", "333344445555"}
	regions := []string{"eu-west-1", "us-east-1"}
	o := options(fake, regions...)
	for _, a := range accounts {
		for _, r := range regions {
			fake.Region(a, r).AddCluster("c-"+a+"-"+r, nil)
		}
		o.Roles = append(o.Roles, "arn:aws:iam::"+a+":role/auditor")
	}
	o.Roles = append(o.Roles, "arn:aws:iam::999988887777:role/locked")
	fake.Inject(fakeaws.Fault{Operation: "GetCallerIdentity", Account: "999988887777", Code: "AccessDenied", Status: 403})
	found := read(t, o)
	seen := map[string]bool{}
	for _, res := range found.Resources {
		if res.Kind == posture.KindMSKCluster {
			seen[res.Account+"/"+res.Region] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("saw %v", slices.Collect(maps.Keys(seen)))
	}
	if len(found.Problems) != 1 || found.Problems[0].Account != "999988887777" || len(found.Problems[0].Controls) != 0 {
		t.Errorf("problems: %+v", found.Problems)
	}
}

func TestAllEnabledRegions(t *testing.T) {
	fake, _ := start(t)
	fake.Region(fakeaws.DefaultAccount, "us-east-1").AddCluster("far", nil)
	o := options(fake)
	o.Regions = []string{aws.AllRegions}
	if found := read(t, o); len(found.Scopes) != 2 {
		t.Errorf("scopes: %+v", found.Scopes)
	}
}

// The number of calls is what the lists need and no more.
func TestCallsAreWhatTheListingNeeds(t *testing.T) {
	fake, r := start(t)
	for i := range 3 {
		id := fmt.Sprintf("a%d", i)
		r.AddHTTPAPI(id, nil)
		r.AddRoute(id, "r", fakeaws.Doc{"authorizationType": "AWS_IAM"})
		r.AddCluster(id, nil)
		r.AddReplicationGroup(id, "7.1.0", nil)
	}
	o := options(fake)
	o.Controls = []string{"APIGateway.8", "MSK.6", "ElastiCache.6"}
	read(t, o)
	want := map[string]int{
		"sts.GetCallerIdentity": 1, "apigateway.GetApis": 1, "apigateway.GetRoutes": 3, "kafka.ListClustersV2": 1,
		"elasticache.DescribeReplicationGroups": 1, "elasticache.DescribeCacheClusters": 1, "elasticache.DescribeServerlessCaches": 1,
		"tagging.GetResources": 1,
	}
	if got := fake.Calls(); !maps.Equal(got, want) {
		t.Errorf("calls:\n got %v\nwant %v", got, want)
	}
}

// After ROTATE on a group without a token AWS's control is green; the record of
// the call in CloudTrail gives it away.
func TestHalfEnforcedTokenIsFoundInCloudTrail(t *testing.T) {
	fake, r := start(t)
	r.AddReplicationGroup("half", "7.1.0", fakeaws.Doc{"AuthTokenEnabled": true, "_auth": "OPT1"})
	r.AddReplicationGroup("whole", "7.1.0", fakeaws.Doc{"AuthTokenEnabled": true, "_auth": "REQ1"})
	r.Happened("CreateReplicationGroup", fakeaws.Doc{"ReplicationGroupId": "half"})
	r.Happened("ModifyReplicationGroup", fakeaws.Doc{"ReplicationGroupId": "half", "AuthToken": "t", "AuthTokenUpdateStrategy": "ROTATE"})
	r.Happened("ModifyReplicationGroup", fakeaws.Doc{"ReplicationGroupId": "whole", "AuthToken": "t", "AuthTokenUpdateStrategy": "SET"})
	got := verdicts(t, read(t, options(fake)))
	if got["Gatehouse.1 half"] != posture.FailEffective || got["Gatehouse.1 whole"] != posture.Pass {
		t.Errorf("half %q, whole %q", got["Gatehouse.1 half"], got["Gatehouse.1 whole"])
	}
}

func TestConfigCoverage(t *testing.T) {
	fake, r := start(t)
	r.AddRecorder(true, "AWS::MSK::Cluster")
	r.AddConfigRule("MSK_UNRESTRICTED_ACCESS_CHECK", "ACTIVE")
	r.AddConfigRule("APPSYNC_AUTHORIZATION_CHECK", "ACTIVE")
	far := fake.Region(fakeaws.DefaultAccount, "il-central-1")
	far.AddRecorder(false)
	got := verdicts(t, read(t, options(fake)))
	for key, want := range map[string]posture.Verdict{"Gatehouse.9 MSK.6": posture.Pass, "Gatehouse.9 AppSync.5": posture.FailEffective, "Gatehouse.9 DMS.11": posture.FailEffective} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	got = verdicts(t, read(t, options(fake, "il-central-1")))
	if got["Gatehouse.9 MSK.6"] != posture.NotApplicable || got["Gatehouse.9 DMS.11"] != posture.FailEffective {
		t.Errorf("il-central-1: MSK.6 %q, DMS.11 %q", got["Gatehouse.9 MSK.6"], got["Gatehouse.9 DMS.11"])
	}
}

func TestNoRegionIsSaid(t *testing.T) {
	_, err := aws.Read(context.Background(), aws.Options{})
	if err == nil || !strings.Contains(err.Error(), "--region") {
		t.Errorf("error %v", err)
	}
}
