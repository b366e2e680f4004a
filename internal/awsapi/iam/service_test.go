package iam

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

func newAPI(t *testing.T) *API {
	t.Helper()
	st, err := state.Open(t.Context(), memory.New(), clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	account := naming.Account{ID: "000000000000", Region: "us-east-1"}
	service, err := iam.New(iam.Config{State: st, Account: account, Clock: clock.Real, Tags: tagging.New(st, account)})
	if err != nil {
		t.Fatal(err)
	}
	return &API{IAM: service}
}

func TestOperationsModelAndAuthorisationTableAgree(t *testing.T) {
	service := newAPI(t).Service()
	served := map[string]bool{}
	for _, op := range service.Operations {
		if served[op.Name] {
			t.Errorf("%s is served twice", op.Name)
		}
		served[op.Name] = true
		if service.Model.Operations[op.Name] == nil {
			t.Errorf("the model has no %s", op.Name)
		}
		if service.Permissions[awsapi.Action("iam:"+op.Name)] == nil {
			t.Errorf("%s is not in the authorisation table", op.Name)
		}
	}
	for name := range service.Model.Operations {
		if !served[name] {
			t.Errorf("%s is in the model and not served", name)
		}
	}
	if len(service.Permissions) != len(service.Operations) {
		t.Errorf("%d actions in the table for %d operations", len(service.Permissions), len(service.Operations))
	}
}

// Every action that is about something says what: with its required members
// filled in, its resources are whole ARNs of the kind that it is about.
func TestEveryActionHasItsResources(t *testing.T) {
	api := newAPI(t)
	ctx := context.Background()
	for _, err := range []error{
		second(api.IAM.CreateUser(ctx, iam.NewEntity{Name: "Alice", Path: "/team/"})),
		second(api.IAM.CreateGroup(ctx, iam.NewEntity{Name: "Readers"})),
		second(api.IAM.CreateRole(ctx, iam.NewEntity{Name: "App", Path: "/svc/"}, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`, "", 0)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const account = "arn:aws:iam::000000000000:"
	permissions := api.permissions()
	for action, c := range map[awsapi.Action]struct {
		in   any
		want []string
	}{
		"iam:GetUser":         {&sdk.GetUserInput{UserName: aws.String("ALICE")}, []string{account + "user/team/Alice"}},
		"iam:DeleteAccessKey": {&sdk.DeleteAccessKeyInput{UserName: aws.String("alice")}, []string{account + "user/team/Alice"}},
		"iam:CreateAccessKey": {&sdk.CreateAccessKeyInput{}, []string{account + "user/*"}},
		"iam:CreateUser":      {&sdk.CreateUserInput{UserName: aws.String("bob"), Path: aws.String("/x/")}, []string{account + "user/x/bob"}},
		"iam:UpdateUser": {
			&sdk.UpdateUserInput{UserName: aws.String("alice"), NewPath: aws.String("/admin/")},
			[]string{account + "user/team/Alice", account + "user/admin/Alice"},
		},
		"iam:AddUserToGroup":              {&sdk.AddUserToGroupInput{UserName: aws.String("alice"), GroupName: aws.String("readers")}, []string{account + "group/Readers"}},
		"iam:PutRolePolicy":               {&sdk.PutRolePolicyInput{RoleName: aws.String("app")}, []string{account + "role/svc/App"}},
		"iam:DeletePolicy":                {&sdk.DeletePolicyInput{PolicyArn: aws.String(account + "policy/p")}, []string{account + "policy/p"}},
		"iam:CreatePolicy":                {&sdk.CreatePolicyInput{PolicyName: aws.String("p"), Path: aws.String("/y/")}, []string{account + "policy/y/p"}},
		"iam:CreateOpenIDConnectProvider": {&sdk.CreateOpenIDConnectProviderInput{Url: aws.String("https://i.example/a")}, []string{account + "oidc-provider/i.example/a"}},
		"iam:TagOpenIDConnectProvider":    {&sdk.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: aws.String(account + "oidc-provider/i")}, []string{account + "oidc-provider/i"}},
		"iam:SimulatePrincipalPolicy":     {&sdk.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(account + "user/x")}, []string{account + "user/x"}},
		"iam:GetAccessKeyLastUsed":        {&sdk.GetAccessKeyLastUsedInput{AccessKeyId: aws.String("AKIANOBODYHASTHISKEY")}, []string{account + "user/*"}},
		"iam:ListUsers":                   {&sdk.ListUsersInput{}, []string{"*"}},
	} {
		if got := permissions[action](c.in); !slices.Equal(got, c.want) {
			t.Errorf("%s touches %v, want %v", action, got, c.want)
		}
	}
	for kind, actions := range map[string][]string{"user": onUser, "group": onGroup, "role": onRole} {
		for _, action := range actions {
			if !strings.Contains(strings.ToLower(action), kind) && !strings.Contains(action, "AccessKey") &&
				!strings.HasSuffix(action, "AssumeRolePolicy") {
				t.Errorf("%s is said to be about a %s", action, kind)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestConditions(t *testing.T) {
	api := newAPI(t)
	boundary, err := api.IAM.CreatePolicy(t.Context(), iam.NewEntity{Name: "limit"}, "", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	if err != nil {
		t.Fatal(err)
	}
	arn := api.IAM.PolicyARN(boundary)
	if _, err := api.IAM.CreateUser(t.Context(), iam.NewEntity{Name: "alice", Boundary: arn}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in             any
		policy, limits string
	}{
		"given":    {&sdk.CreateUserInput{UserName: aws.String("bob"), PermissionsBoundary: aws.String("arn:x")}, "", "arn:x"},
		"has":      {&sdk.PutUserPolicyInput{UserName: aws.String("alice")}, "", arn},
		"attached": {&sdk.AttachUserPolicyInput{UserName: aws.String("alice"), PolicyArn: aws.String("arn:p")}, "arn:p", arn},
		"none":     {&sdk.CreateUserInput{UserName: aws.String("bob")}, "", ""},
	} {
		keys := api.conditions(c.in)
		if got := strings.Join(keys["iam:PolicyARN"], ","); got != c.policy {
			t.Errorf("%s: iam:PolicyARN is %s", name, got)
		}
		if got := strings.Join(keys["iam:PermissionsBoundary"], ","); got != c.limits {
			t.Errorf("%s: iam:PermissionsBoundary is %s", name, got)
		}
	}
}

func TestPages(t *testing.T) {
	items := []string{"a", "b", "c", "d"}
	first, p, err := page(items, itself, nil, aws.Int32(2))
	if err != nil || !slices.Equal(first, []string{"a", "b"}) || !p.Truncated {
		t.Fatal(first, p, err)
	}
	// What came and went in between does not shift the next page.
	second, p, err := page([]string{"a", "aa", "c", "d"}, itself, p.Next, aws.Int32(2))
	if err != nil || !slices.Equal(second, []string{"c", "d"}) || p.Truncated || p.Next != nil {
		t.Fatal(second, p, err)
	}
	if _, _, err := page(items, itself, aws.String("!"), nil); err == nil {
		t.Error("a marker that nobody gave")
	}
	if got := *encoded(`{"a": "b+c/*"}`); got != "%7B%22a%22%3A%20%22b%2Bc%2F%2A%22%7D" {
		t.Error(got)
	}
}
