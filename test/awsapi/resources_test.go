package awsapi_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gatehouse/gatehouse/internal/awsapi"
)

// aboutNothing are the actions without resource types (Service Authorization
// Reference). A policy that names a resource does not allow them.
var aboutNothing = []awsapi.Action{
	"elasticache:DescribeEvents", "elasticache:DescribeCacheEngineVersions", "elasticache:DescribeEngineDefaultParameters",
	"iam:ListUsers", "iam:ListGroups", "iam:ListRoles", "iam:ListPolicies", "iam:ListOpenIDConnectProviders", "iam:SimulateCustomPolicy",
	"sts:GetCallerIdentity", "sts:GetSessionToken",
}

// clients have a method for every operation, which tells the type of its input.
var clients = map[string]any{"elasticache": &elasticache.Client{}, "iam": &iam.Client{}, "sts": &sts.Client{}}

// Every action of every service says what it is about: with its members filled
// in, whole ARNs that name something given; with none, ARNs of the same kind for
// all; and only the actions listed above say "*".
func TestEveryActionHasItsResources(t *testing.T) {
	var services []awsapi.Service
	start(t, func(c *awsapi.Config) { services = c.Services })
	checked := 0
	for _, service := range services {
		client, known := clients[service.Model.SigningName]
		if !known {
			t.Errorf("%s: add its client to this test", service.Model.SigningName)
			continue
		}
		for action, resources := range service.Permissions {
			checked++
			if action == "iam:GetAccessKeyLastUsed" {
				continue // about the key's owner, whom the key must exist for: see the tests of awsapi/iam
			}
			_, name, _ := strings.Cut(string(action), ":")
			method, ok := reflect.TypeOf(client).MethodByName(name)
			if !ok {
				t.Errorf("%s is no operation of the SDK", action)
				continue
			}
			checkResources(t, action, resources, method.Type.In(2).Elem())
		}
	}
	if checked < 100 {
		t.Errorf("only %d actions were looked at", checked)
	}
}

func checkResources(t *testing.T, action awsapi.Action, resources awsapi.Resources, input reflect.Type) {
	t.Helper()
	filled := reflect.New(input)
	fillTexts(filled.Elem())
	touched := resources(filled.Interface())
	if slices.Contains(aboutNothing, action) {
		if !slices.Equal(touched, []string{"*"}) {
			t.Errorf("%s is about nothing and touches %v", action, touched)
		}
		return
	}
	for _, arn := range touched {
		if !strings.HasPrefix(arn, "arn:aws:") || strings.Count(arn, ":") < 5 || strings.Contains(arn, "*") || !strings.Contains(arn, "given") {
			t.Errorf("%s touches %q, which names nothing that was given", action, arn)
		}
	}
	if len(touched) == 0 {
		t.Errorf("%s touches nothing", action)
	}
	for _, arn := range resources(reflect.New(input).Interface()) { // nothing given: no panic, nothing named
		if strings.Contains(arn, "given") {
			t.Errorf("%s touches %q without being told", action, arn)
		}
	}
}

// fillTexts gives every text of an input a value: an ARN where the member is one.
func fillTexts(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Field(i)
		if !field.CanSet() {
			continue
		}
		name := v.Type().Field(i).Name
		text := "given"
		if strings.HasSuffix(name, "Arn") || name == "ResourceName" {
			text = "arn:aws:iam::000000000000:role/given"
		}
		switch {
		case field.Type() == reflect.TypeFor[*string]() && (name == "Path" || name == "NewPath"):
			field.Set(reflect.ValueOf(new("/given/")))
		case field.Type() == reflect.TypeFor[*string]():
			field.Set(reflect.ValueOf(&text))
		case field.Type() == reflect.TypeFor[[]string]():
			field.Set(reflect.ValueOf([]string{text}))
		}
	}
}
