// Package sts serves the Security Token Service API.
//
// It owns GetCallerIdentity, which tells a caller who the front door took it
// for. It leaves who that is to awsapi.
package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// Service returns the API for the front door.
func Service() awsapi.Service {
	return awsapi.Service{
		Model:       model.STS,
		Operations:  []awsapi.Operation{awsapi.Serve("GetCallerIdentity", getCallerIdentity)},
		Permissions: awsapi.Permissions{"sts:GetCallerIdentity": awsapi.OnAll},
	}
}

func getCallerIdentity(ctx context.Context, _ *sdk.GetCallerIdentityInput) (*sdk.GetCallerIdentityOutput, error) {
	caller := awsapi.CallerOf(ctx)
	return &sdk.GetCallerIdentityOutput{
		Account: aws.String(caller.AccountID), Arn: aws.String(caller.ARN), UserId: aws.String(caller.UserID),
	}, nil
}
