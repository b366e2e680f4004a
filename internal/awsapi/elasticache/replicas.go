package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/naming"
)

func (a *API) increaseReplicaCount(ctx context.Context, in *sdk.IncreaseReplicaCountInput) (*sdk.IncreaseReplicaCountOutput, error) {
	rg, err := a.Caches.IncreaseReplicaCount(ctx, caches.ChangeReplicaCountInput{
		ID: aws.ToString(in.ReplicationGroupId), NewReplicaCount: in.NewReplicaCount,
		Configurations: len(in.ReplicaConfiguration), ApplyImmediately: aws.ToBool(in.ApplyImmediately),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.IncreaseReplicaCountOutput{ReplicationGroup: a.showReplicationGroup(rg)}, nil
}

func (a *API) decreaseReplicaCount(ctx context.Context, in *sdk.DecreaseReplicaCountInput) (*sdk.DecreaseReplicaCountOutput, error) {
	rg, err := a.Caches.DecreaseReplicaCount(ctx, caches.ChangeReplicaCountInput{
		ID: aws.ToString(in.ReplicationGroupId), NewReplicaCount: in.NewReplicaCount, ReplicasToRemove: in.ReplicasToRemove,
		Configurations: len(in.ReplicaConfiguration), ApplyImmediately: aws.ToBool(in.ApplyImmediately),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DecreaseReplicaCountOutput{ReplicationGroup: a.showReplicationGroup(rg)}, nil
}

func (a *API) testFailover(ctx context.Context, in *sdk.TestFailoverInput) (*sdk.TestFailoverOutput, error) {
	rg, err := a.Caches.TestFailover(ctx, aws.ToString(in.ReplicationGroupId), aws.ToString(in.NodeGroupId))
	if err != nil {
		return nil, err
	}
	return &sdk.TestFailoverOutput{ReplicationGroup: a.showReplicationGroup(rg)}, nil
}

func (a *API) permitReplicas(p awsapi.Permissions) {
	p["elasticache:IncreaseReplicaCount"] = awsapi.On(func(in *sdk.IncreaseReplicaCountInput) []string {
		return a.arns(naming.ReplicationGroup, in.ReplicationGroupId)
	})
	p["elasticache:DecreaseReplicaCount"] = awsapi.On(func(in *sdk.DecreaseReplicaCountInput) []string {
		return a.arns(naming.ReplicationGroup, in.ReplicationGroupId)
	})
	p["elasticache:TestFailover"] = awsapi.On(func(in *sdk.TestFailoverInput) []string {
		return a.arns(naming.ReplicationGroup, in.ReplicationGroupId)
	})
}
