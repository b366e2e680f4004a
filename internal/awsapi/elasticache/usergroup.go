package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/users"
)

func (a *API) createUserGroup(ctx context.Context, in *sdk.CreateUserGroupInput) (*sdk.CreateUserGroupOutput, error) {
	group, err := a.Users.CreateUserGroup(ctx, users.CreateUserGroupInput{
		ID:      aws.ToString(in.UserGroupId),
		Engine:  aws.ToString(in.Engine),
		UserIDs: in.UserIds,
		Tags:    tagsOf(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	g := showGroup(group)
	return &sdk.CreateUserGroupOutput{
		ARN: g.ARN, Engine: g.Engine, MinimumEngineVersion: g.MinimumEngineVersion, PendingChanges: g.PendingChanges,
		ReplicationGroups: g.ReplicationGroups, ServerlessCaches: g.ServerlessCaches, Status: g.Status,
		UserGroupId: g.UserGroupId, UserIds: g.UserIds,
	}, nil
}

func (a *API) modifyUserGroup(ctx context.Context, in *sdk.ModifyUserGroupInput) (*sdk.ModifyUserGroupOutput, error) {
	group, err := a.Users.ModifyUserGroup(ctx, users.ModifyUserGroupInput{
		ID: aws.ToString(in.UserGroupId), Engine: in.Engine, Add: in.UserIdsToAdd, Remove: in.UserIdsToRemove,
	})
	if err != nil {
		return nil, err
	}
	g := showGroup(group)
	return &sdk.ModifyUserGroupOutput{
		ARN: g.ARN, Engine: g.Engine, MinimumEngineVersion: g.MinimumEngineVersion, PendingChanges: g.PendingChanges,
		ReplicationGroups: g.ReplicationGroups, ServerlessCaches: g.ServerlessCaches, Status: g.Status,
		UserGroupId: g.UserGroupId, UserIds: g.UserIds,
	}, nil
}

func (a *API) deleteUserGroup(ctx context.Context, in *sdk.DeleteUserGroupInput) (*sdk.DeleteUserGroupOutput, error) {
	group, err := a.Users.DeleteUserGroup(ctx, aws.ToString(in.UserGroupId))
	if err != nil {
		return nil, err
	}
	g := showGroup(group)
	return &sdk.DeleteUserGroupOutput{
		ARN: g.ARN, Engine: g.Engine, MinimumEngineVersion: g.MinimumEngineVersion, PendingChanges: g.PendingChanges,
		ReplicationGroups: g.ReplicationGroups, ServerlessCaches: g.ServerlessCaches, Status: g.Status,
		UserGroupId: g.UserGroupId, UserIds: g.UserIds,
	}, nil
}

func (a *API) describeUserGroups(_ context.Context, in *sdk.DescribeUserGroupsInput) (*sdk.DescribeUserGroupsOutput, error) {
	found, err := a.Users.DescribeUserGroups(in.UserGroupId)
	if err != nil {
		return nil, err
	}
	shown, next, err := page("user-groups", found, func(g users.GroupDescription) string { return g.ID }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeUserGroupsOutput{Marker: next, UserGroups: []types.UserGroup{}}
	for _, group := range shown {
		out.UserGroups = append(out.UserGroups, showGroup(group))
	}
	return out, nil
}

func showGroup(g users.GroupDescription) types.UserGroup {
	shown := types.UserGroup{
		ARN:                  aws.String(g.ARN),
		Engine:               aws.String(string(g.Engine)),
		MinimumEngineVersion: aws.String(g.MinimumEngineVersion),
		ReplicationGroups:    g.ReplicationGroups,
		ServerlessCaches:     []string{},
		Status:               aws.String(string(g.Status)),
		UserGroupId:          aws.String(g.ID),
		UserIds:              g.UserIDs,
	}
	if g.Pending != nil {
		shown.PendingChanges = &types.UserGroupPendingChanges{UserIdsToAdd: g.Pending.Add, UserIdsToRemove: g.Pending.Remove}
	}
	return shown
}
