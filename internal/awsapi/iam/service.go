package iam

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
)

// API is the IAM API over the control plane's operations.
type API struct{ IAM *iam.Service }

// Service returns the API for the front door.
func (a *API) Service() awsapi.Service {
	var operations []awsapi.Operation
	for _, some := range [][]awsapi.Operation{
		a.userOperations(), a.keyOperations(), a.groupOperations(), a.roleOperations(),
		a.policyOperations(), a.providerOperations(), a.simulateOperations(),
	} {
		operations = append(operations, some...)
	}
	return awsapi.Service{
		Model:       model.IAM,
		Operations:  operations,
		Permissions: a.permissions(),
		Home:        home(a.IAM.Account.Region),
		Complete:    complete,
		Conditions:  a.conditions,
		Tagging:     needsTagging,
	}
}

// home is the region that requests to IAM are signed for (AWS General Reference,
// "IAM endpoints and quotas").
func home(region string) string {
	switch naming.Partition(region) {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	default:
		return "us-east-1"
	}
}

func serviceOf(action awsapi.Action) string {
	name, _, _ := strings.Cut(string(action), ":")
	return name
}
