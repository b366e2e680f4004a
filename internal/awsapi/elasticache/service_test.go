package elasticache

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/naming"
)

func TestOperationsModelAndAuthorisationTableAgree(t *testing.T) {
	service := (&API{Account: naming.Account{ID: "000000000000", Region: "us-east-1"}}).Service()
	served := map[string]bool{}
	for _, op := range service.Operations {
		served[op.Name] = true
		if service.Model.Operations[op.Name] == nil {
			t.Errorf("the model has no %s", op.Name)
		}
		if service.Permissions[awsapi.Action("elasticache:"+op.Name)] == nil {
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
	for shape := range service.Judged {
		if service.Model.Shapes[shape] == nil {
			t.Errorf("the model has no shape %s", shape)
		}
	}
}

func TestResources(t *testing.T) {
	permissions := (&API{Account: naming.Account{ID: "000000000000", Region: "us-east-1"}}).permissions()
	const prefix = "arn:aws:elasticache:us-east-1:000000000000:"
	for action, c := range map[awsapi.Action]struct {
		in   any
		want []string
	}{
		"elasticache:DeleteUser":        {&sdk.DeleteUserInput{UserId: aws.String("Alice")}, []string{prefix + "user:alice"}},
		"elasticache:DescribeUsers":     {&sdk.DescribeUsersInput{}, []string{prefix + "user:*"}},
		"elasticache:DescribeEvents":    {&sdk.DescribeEventsInput{}, []string{"*"}},
		"elasticache:AddTagsToResource": {&sdk.AddTagsToResourceInput{ResourceName: aws.String("arn:x")}, []string{"arn:x"}},
		"elasticache:ModifyUserGroup": {
			&sdk.ModifyUserGroupInput{UserGroupId: aws.String("g"), UserIdsToAdd: []string{"a"}, UserIdsToRemove: []string{"B"}},
			[]string{prefix + "usergroup:g", prefix + "user:a", prefix + "user:b"},
		},
		"elasticache:CreateReplicationGroup": {
			&sdk.CreateReplicationGroupInput{ReplicationGroupId: aws.String("r"), CacheParameterGroupName: aws.String("default.redis7"), UserGroupIds: []string{"g"}},
			[]string{prefix + "replicationgroup:r", prefix + "parametergroup:default.redis7", prefix + "usergroup:g"},
		},
	} {
		if got := permissions[action](c.in); !slices.Equal(got, c.want) {
			t.Errorf("%s touches %v, want %v", action, got, c.want)
		}
	}
}
