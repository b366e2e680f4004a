package model_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// Members whose names sound like secrets and are none.
var harmless = []string{
	"AccessKeyId", "AccessKeyLastUsed", "ContextKeyName", "ContextKeyType", "ContextKeyValues", "AccessKey", "AccessKeyMetadata", "TransitiveTagKeys",
	"PasswordLastUsed", "AuthTokenEnabled", "AuthTokenLastModifiedDate", "AuthTokenStatus", "AuthTokenUpdateStrategy",
	"NextToken", "NoPasswordRequired", "PasswordCount", "KmsKeyId", "TagKeys", "Key",
}

// A secret that modelgen did not mark would be written to the trail.
func TestEverySecretIsMarked(t *testing.T) {
	marked := 0
	for _, service := range []*model.Service{model.CloudWatch, model.ElastiCache, model.IAM, model.STS} {
		for name, shape := range service.Shapes {
			for _, m := range shape.Members {
				if m.Secret {
					marked++
					continue
				}
				lower := strings.ToLower(m.Name)
				for _, word := range []string{"password", "token", "secret", "key"} {
					if strings.Contains(lower, word) && !slices.Contains(harmless, m.Name) {
						t.Errorf("%s.%s sounds like a secret and is not marked as one", name, m.Name)
					}
				}
			}
		}
	}
	if marked == 0 {
		t.Error("no member is marked as a secret")
	}
}

func TestRecordHidesSecrets(t *testing.T) {
	got := model.ElastiCache.RecordInput("CreateUser", &elasticache.CreateUserInput{
		UserId:    aws.String("u"),
		Passwords: []string{"hunter2hunter2hunter2"},
		AuthenticationMode: &types.AuthenticationMode{
			Type: types.InputAuthenticationTypePassword, Passwords: []string{"hunter2hunter2hunter2"},
		},
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})
	want := map[string]any{
		"userId":             "u",
		"passwords":          model.Hidden,
		"authenticationMode": map[string]any{"type": types.InputAuthenticationTypePassword, "passwords": model.Hidden},
		"tags":               []any{map[string]any{"key": "k", "value": "v"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	group := model.ElastiCache.RecordOutput("CreateUserGroup", &elasticache.CreateUserGroupOutput{ARN: aws.String("arn"), UserIds: []string{}})
	if diff := cmp.Diff(map[string]any{"arn": "arn", "userIds": []any{}}, group); diff != "" {
		t.Error(diff)
	}
}

func TestCheck(t *testing.T) {
	cases := map[string]struct {
		operation string
		in        any
		want      []model.Violation
	}{
		"nothing wrong": {"DeleteUser", &elasticache.DeleteUserInput{UserId: aws.String("u")}, nil},
		"missing": {"CreateUserGroup", &elasticache.CreateUserGroupInput{}, []model.Violation{
			{Path: "UserGroupId", Missing: true}, {Path: "Engine", Missing: true},
		}},
		"enumeration": {"ModifyReplicationGroup", &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: aws.String("r"), AuthTokenUpdateStrategy: "DROP"}, []model.Violation{
			{Path: "AuthTokenUpdateStrategy", Value: "DROP", Rule: "Member must satisfy enum value set: [SET, ROTATE, DELETE]"},
		}},
		"nested": {"DescribeUsers", &elasticache.DescribeUsersInput{Filters: []types.Filter{{Name: aws.String(" "), Values: []string{}}}}, []model.Violation{
			{Path: "Filters.member.1.Name", Value: " ", Rule: `Member must satisfy regular expression pattern: .*\S.*`},
			{Path: "Filters.member.1.Values", Rule: "Member must have length greater than or equal to 1"},
		}},
		"a secret is not told": {"ModifyUser", &elasticache.ModifyUserInput{UserId: aws.String("u"), Passwords: []string{}}, []model.Violation{
			{Path: "Passwords", Value: model.Hidden, Rule: "Member must have length greater than or equal to 1"},
		}},
		"judged elsewhere": {"DeleteUser", &elasticache.DeleteUserInput{UserId: aws.String("1")}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := model.ElastiCache.Check(c.operation, c.in, map[string]bool{"UserId": true})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
