package endtoend

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/smithy-go"
)

func (s *server) trailAPI(k keys) *cloudtrail.Client {
	return cloudtrail.New(cloudtrail.Options{BaseEndpoint: aws.String(s.note.Endpoint), Region: s.note.Region, Credentials: k.provider()})
}

// lookup returns what a lookup finds by one attribute, the newest first.
func (s *server) lookup(key types.LookupAttributeKey, value string) []types.Event {
	s.t.Helper()
	out := must[*cloudtrail.LookupEventsOutput](s.t)(s.trailAPI(s.rootKeys()).LookupEvents(s.t.Context(), &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: key, AttributeValue: &value}},
	}))
	return out.Events
}

func TestLookupEvents(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	alice := s.iamUser("alice", `{"Effect":"Allow","Action":"elasticache:DescribeUsers","Resource":"*"}`)
	const secret = "a-password-that-nobody-may-see-1"
	must[*elasticache.CreateUserOutput](t)(s.api().CreateUser(ctx, &elasticache.CreateUserInput{
		UserId: aws.String("app"), UserName: aws.String("app"), Engine: aws.String("valkey"), AccessString: aws.String("on ~* +@all"), Passwords: []string{secret},
	}))
	must[*elasticache.DescribeUsersOutput](t)(s.cachesAPI(alice).DescribeUsers(ctx, &elasticache.DescribeUsersInput{}))
	if _, err := s.cachesAPI(alice).DeleteUser(ctx, &elasticache.DeleteUserInput{UserId: aws.String("app")}); err == nil {
		t.Fatal("alice deleted a user")
	}

	created := s.lookup(types.LookupAttributeKeyEventName, "CreateUser")
	if len(created) != 2 { // of IAM and of ElastiCache
		t.Fatalf("CreateUser: %d events", len(created))
	}
	text := aws.ToString(created[0].CloudTrailEvent)
	var record map[string]any
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		t.Fatal(err)
	}
	parameters, _ := record["requestParameters"].(map[string]any)
	who, _ := record["userIdentity"].(map[string]any)
	response, _ := record["responseElements"].(map[string]any)
	if record["eventSource"] != "elasticache.amazonaws.com" || record["awsRegion"] != "us-east-1" || record["readOnly"] != false ||
		record["eventType"] != "AwsApiCall" || record["eventVersion"] == nil || parameters["userId"] != "app" ||
		parameters["passwords"] != "HIDDEN_DUE_TO_SECURITY_REASONS" || who["type"] != "Root" || who["accountId"] != "000000000000" ||
		response["userId"] != "app" || response["status"] == nil || record["errorCode"] != nil {
		t.Errorf("record: %s", text)
	}
	if strings.Contains(text, secret) {
		t.Error("the password is in the record")
	}
	byID := s.lookup(types.LookupAttributeKeyEventId, *created[0].EventId)
	if len(byID) != 1 || aws.ToString(byID[0].CloudTrailEvent) != text {
		t.Errorf("by its id: %+v", byID)
	}

	read := s.lookup(types.LookupAttributeKeyEventName, "DescribeUsers")
	if len(read) != 1 || !strings.Contains(aws.ToString(read[0].CloudTrailEvent), `"responseElements":null`) || aws.ToString(read[0].ReadOnly) != "true" {
		t.Errorf("DescribeUsers: %+v", read)
	}
	refused := s.lookup(types.LookupAttributeKeyEventName, "DeleteUser")
	if len(refused) != 1 || !strings.Contains(aws.ToString(refused[0].CloudTrailEvent), `"errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::000000000000:user/alice is not authorized`) {
		t.Errorf("DeleteUser: %+v", refused)
	}
	for _, test := range []struct {
		key   types.LookupAttributeKey
		value string
		want  int
	}{
		{types.LookupAttributeKeyUsername, "alice", 2},
		{types.LookupAttributeKeyAccessKeyId, alice.id, 2},
		{types.LookupAttributeKeyResourceName, "app", 2},
		{types.LookupAttributeKeyResourceType, "AWS::IAM::User", 3},
		{types.LookupAttributeKeyReadOnly, "false", 5},
		{types.LookupAttributeKeyEventSource, "sts.amazonaws.com", 0},
	} {
		if events := s.lookup(test.key, test.value); len(events) != test.want {
			t.Errorf("%s %s: %d events, want %d", test.key, test.value, len(events), test.want)
		}
	}
}

func TestLookupEventsPagesAndBounds(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	api := s.trailAPI(s.rootKeys())
	const calls = 7
	for range calls {
		_, err := s.api().DeleteUser(ctx, &elasticache.DeleteUserInput{UserId: aws.String("nobody")})
		if !errors.As(err, new(*ectypes.UserNotFoundFault)) {
			t.Fatal(err)
		}
	}
	var seen []string
	pages := 0
	paginator := cloudtrail.NewLookupEventsPaginator(api, &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("DeleteUser")}},
		MaxResults:       aws.Int32(3), StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Hour)),
	})
	for paginator.HasMorePages() {
		page := must[*cloudtrail.LookupEventsOutput](t)(paginator.NextPage(ctx))
		pages++
		for _, event := range page.Events {
			seen = append(seen, *event.EventId)
		}
	}
	distinct := map[string]bool{}
	for _, id := range seen {
		distinct[id] = true
	}
	if pages != 3 || len(seen) != calls || len(distinct) != calls {
		t.Errorf("%d pages, %d events, %d distinct", pages, len(seen), len(distinct))
	}
	past := &cloudtrail.LookupEventsInput{EndTime: aws.Time(time.Now().Add(-time.Hour))}
	if out := must[*cloudtrail.LookupEventsOutput](t)(api.LookupEvents(ctx, past)); len(out.Events) != 0 {
		t.Errorf("an hour ago: %d events", len(out.Events))
	}
	for code, in := range map[string]*cloudtrail.LookupEventsInput{
		"InvalidMaxResultsException":       {MaxResults: aws.Int32(51)},
		"InvalidNextTokenException":        {NextToken: aws.String("nonsense")},
		"InvalidTimeRangeException":        {StartTime: aws.Time(time.Now()), EndTime: aws.Time(time.Now().Add(-time.Hour))},
		"InvalidEventCategoryException":    {EventCategory: types.EventCategoryInsight},
		"InvalidLookupAttributesException": {LookupAttributes: []types.LookupAttribute{{AttributeKey: "Colour", AttributeValue: aws.String("red")}}},
	} {
		var refusal smithy.APIError
		if _, err := api.LookupEvents(ctx, in); !errors.As(err, &refusal) || refusal.ErrorCode() != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	bob := s.iamUser("bob")
	var refusal smithy.APIError
	if _, err := s.trailAPI(bob).LookupEvents(ctx, &cloudtrail.LookupEventsInput{}); !errors.As(err, &refusal) || refusal.ErrorCode() != "AccessDeniedException" {
		t.Errorf("bob: %v", err)
	}
}

func TestLookupEventsOfTheAWSCLI(t *testing.T) {
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	s := serve(t)
	_ = s.iamUser("carol")
	root := s.rootKeys()
	cmd := exec.CommandContext(t.Context(), path, "cloudtrail", "lookup-events", "--endpoint-url", s.note.Endpoint, "--region", s.note.Region,
		"--lookup-attributes", "AttributeKey=ResourceName,AttributeValue=carol", "--max-results", "10", "--start-time", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
		"--query", "Events[].[EventName,Username]", "--output", "text")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+root.id, "AWS_SECRET_ACCESS_KEY="+root.secret)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "CreateAccessKey\troot\nCreateUser\troot" {
		t.Errorf("aws cloudtrail lookup-events: %v\n%s", err, out)
	}
}

// Whoever has no credentials makes the trail no longer than by two lines a minute.
func TestStrangersCannotFillTheTrail(t *testing.T) {
	s := serve(t)
	const requests = 300
	for range requests {
		response, err := http.Post(s.note.Endpoint, "application/x-www-form-urlencoded", strings.NewReader("Action=DescribeUsers&Version=2015-02-02"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode < 400 {
			t.Fatal(response.Status)
		}
	}
	s.stop()
	text, err := os.ReadFile(filepath.Join(s.dir, "trail", "trail.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines, calls := 0, 0
	for line := range strings.Lines(string(text)) {
		var record struct {
			Outcome, Principal, Event string
			Count                     int
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record.Event == "api.call" && record.Principal == "" {
			lines++
			calls += max(record.Count, 1)
		}
	}
	if calls != requests || lines > 4 { // the requests may fall into two minutes
		t.Errorf("%d lines stand for %d calls", lines, calls)
	}
}
