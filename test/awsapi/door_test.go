package awsapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

const describeUsers = "Action=DescribeUsers&Version=2015-02-02"

// replaced serves one operation of ElastiCache with f and nothing else.
func replaced(f func() error) func(*awsapi.Config) {
	return func(c *awsapi.Config) {
		c.Services = []awsapi.Service{{
			Model: model.ElastiCache,
			Operations: []awsapi.Operation{awsapi.Serve("DescribeUsers", func(context.Context, *elasticache.DescribeUsersInput) (*elasticache.DescribeUsersOutput, error) {
				return &elasticache.DescribeUsersOutput{}, f()
			})},
			Permissions: awsapi.Permissions{"elasticache:DescribeUsers": awsapi.OnAll},
		}}
	}
}

// What goes wrong inside is told with a request id and no detail, and logged in full.
func TestInternalFailures(t *testing.T) {
	for name, f := range map[string]func() error{
		"error": func() error { return errors.New("the store is at /var/lib/secret") },
		"panic": func() error { panic("the store is at /var/lib/secret") },
	} {
		s := start(t, replaced(f))
		status, body := s.post(describeUsers)
		if status != 500 || !strings.Contains(body, "<Type>Receiver</Type><Code>InternalFailure</Code>") || strings.Contains(body, "/var/lib") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		log := s.log.String()
		if !strings.Contains(log, "/var/lib/secret") || !strings.Contains(log, s.last().RequestID) || (name == "panic") != strings.Contains(log, "stack=") {
			t.Errorf("%s: logged %s", name, log)
		}
	}
}

func TestAnActionThatIsNotListedIsRefused(t *testing.T) {
	called := false
	s := start(t, replaced(func() error { called = true; return nil }), func(c *awsapi.Config) { c.Services[0].Permissions = nil })
	status, body := s.post(describeUsers)
	if status != 403 || called || !strings.Contains(body, "<Code>AccessDenied</Code><Message>User: arn:aws:iam::000000000000:root is not authorized to perform: elasticache:DescribeUsers on resource: * because the action is not in the authorisation table</Message>") {
		t.Errorf("%d %s", status, body)
	}
}

// someone makes root's key that of a user without permissions.
type someone struct{ awsapi.Credentials }

func (c someone) Find(ctx context.Context, id, token string) (identity.Secret, awsapi.Caller, error) {
	secret, caller, err := c.Credentials.Find(ctx, id, token)
	bob := policy.Principal{Type: policy.User, Account: accountID, ARN: "arn:aws:iam::000000000000:user/bob", Name: "bob"}
	caller.ARN, caller.Root, caller.Identity = bob.ARN, false, &iam.Identity{Principal: bob, AccessKeyID: id}
	return secret, caller, err
}

func TestWhoHasNoPolicyIsRefused(t *testing.T) {
	s := start(t, func(c *awsapi.Config) { c.Credentials = someone{c.Credentials} })
	status, body := s.post("Action=DeleteUser&UserId=X&Version=2015-02-02")
	want := "User: arn:aws:iam::000000000000:user/bob is not authorized to perform: elasticache:DeleteUser on resource: arn:aws:elasticache:us-east-1:000000000000:user:x because no identity-based policy allows the elasticache:DeleteUser action"
	if status != 403 || !strings.Contains(body, want) {
		t.Errorf("%d %s", status, body)
	}
	if call := s.last(); call.ErrorCode != "AccessDenied" || call.Caller.ARN != "arn:aws:iam::000000000000:user/bob" || call.Parameters["userId"] != "X" {
		t.Errorf("on record: %+v", call)
	}
}

func endpoints(c *awsapi.Config) {
	echo := func(_ context.Context, r *awsapi.EndpointRequest) (any, error) {
		if r.Query.Get("fail") != "" {
			return nil, identity.Errorf(identity.ReplicationGroupNotFound, "Replication group x not found.")
		}
		return map[string]string{"cache": r.Query.Get("cache"), "body": string(r.Body)}, nil
	}
	c.Endpoints = []awsapi.Endpoint{
		{Method: http.MethodGet, Path: "/gatehouse/v1/sessions", Action: "gatehouse:ListSessions", Serve: echo},
		{Method: http.MethodPost, Path: "/gatehouse/v1/unlisted", Action: "gatehouse:Unlisted", Serve: echo},
	}
	c.Permissions = awsapi.Permissions{"gatehouse:ListSessions": awsapi.OnAll}
}

func TestGatehousesOwnCalls(t *testing.T) {
	s := start(t, endpoints)
	cases := map[string]struct {
		method, target, service string
		unsigned                bool
		status                  int
		want                    map[string]string
	}{
		"served":     {"GET", "/gatehouse/v1/sessions?cache=a+b", "gatehouse", false, 200, map[string]string{"cache": "a b", "body": ""}},
		"unsigned":   {"GET", "/gatehouse/v1/sessions", "gatehouse", true, 403, map[string]string{"code": "MissingAuthenticationToken"}},
		"of another": {"GET", "/gatehouse/v1/sessions", "elasticache", false, 403, map[string]string{"code": "SignatureDoesNotMatch", "message": "Credential should be scoped to correct service: 'gatehouse'. "}},
		"unlisted":   {"POST", "/gatehouse/v1/unlisted", "gatehouse", false, 403, map[string]string{"code": "AccessDenied"}},
		"not there":  {"GET", "/gatehouse/v1/nothing", "gatehouse", false, 404, map[string]string{"code": "InvalidAction", "message": "There is no GET /gatehouse/v1/nothing."}},
		"by method":  {"POST", "/gatehouse/v1/sessions", "gatehouse", false, 404, map[string]string{"code": "InvalidAction"}},
		"twice":      {"GET", "/gatehouse/v1/sessions?cache=a&cache=b", "gatehouse", false, 400, map[string]string{"code": "InvalidQueryParameter"}},
		"refused":    {"GET", "/gatehouse/v1/sessions?fail=1", "gatehouse", false, 404, map[string]string{"code": "ReplicationGroupNotFoundFault", "message": "Replication group x not found."}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(c.method, s.url+c.target, nil)
			must(t, err)
			if !c.unsigned {
				s.sign(r, "", c.service)
			}
			status, body := s.send(r)
			var got map[string]string
			must(t, json.Unmarshal([]byte(body), &got))
			if status != c.status {
				t.Errorf("got %d %s", status, body)
			}
			for key, want := range c.want {
				if got[key] != want {
					t.Errorf("%s is %q, want %q", key, got[key], want)
				}
			}
			if c.status != 200 && got["requestId"] != s.last().RequestID {
				t.Errorf("the request id is %q", got["requestId"])
			}
		})
	}
	r, err := http.NewRequest(http.MethodGet, s.url+"/gatehouse/v1/sessions?cache=a", nil)
	must(t, err)
	s.sign(r, "", "gatehouse")
	s.send(r)
	if call := s.last(); call.Operation != "ListSessions" || call.Service != "gatehouse" || !call.ReadOnly || call.Parameters["cache"] != "a" || !call.Caller.Root {
		t.Errorf("on record: %+v", call)
	}
}

func TestWhatADoorRefusesToBeMadeOf(t *testing.T) {
	_, err := awsapi.New(awsapi.Config{})
	if err == nil {
		t.Error("no services")
	}
	service := awsapi.Service{
		Model: model.STS,
		Operations: []awsapi.Operation{awsapi.Serve("NotInTheModel", func(context.Context, *elasticache.DescribeUsersInput) (*elasticache.DescribeUsersOutput, error) {
			return nil, nil
		})},
		Permissions: awsapi.Permissions{"sts:A": awsapi.OnAll},
	}
	_, err = awsapi.New(awsapi.Config{
		Services:    []awsapi.Service{service},
		Endpoints:   []awsapi.Endpoint{{Method: "GET", Path: "/other", Action: "gatehouse:A"}},
		Permissions: awsapi.Permissions{"sts:A": awsapi.OnAll},
	})
	for _, fault := range []string{"NotInTheModel", "/other", "sts:A is in the authorisation table twice"} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%v does not name %s", err, fault)
		}
	}
}
