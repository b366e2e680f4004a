package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func (a *API) createUser(ctx context.Context, in *sdk.CreateUserInput) (*sdk.CreateUserOutput, error) {
	user, err := a.Users.CreateUser(ctx, users.CreateUserInput{
		ID:             aws.ToString(in.UserId),
		Name:           aws.ToString(in.UserName),
		Engine:         aws.ToString(in.Engine),
		AccessString:   aws.ToString(in.AccessString),
		Authentication: authentication(in.Passwords, in.NoPasswordRequired, in.AuthenticationMode),
		Tags:           tagsOf(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	u := showUser(user)
	return &sdk.CreateUserOutput{
		ARN: u.ARN, AccessString: u.AccessString, Authentication: u.Authentication, Engine: u.Engine,
		MinimumEngineVersion: u.MinimumEngineVersion, Status: u.Status, UserGroupIds: u.UserGroupIds,
		UserId: u.UserId, UserName: u.UserName,
	}, nil
}

func (a *API) modifyUser(ctx context.Context, in *sdk.ModifyUserInput) (*sdk.ModifyUserOutput, error) {
	user, err := a.Users.ModifyUser(ctx, users.ModifyUserInput{
		ID:                 aws.ToString(in.UserId),
		Engine:             in.Engine,
		AccessString:       in.AccessString,
		AppendAccessString: in.AppendAccessString,
		Authentication:     authentication(in.Passwords, in.NoPasswordRequired, in.AuthenticationMode),
	})
	if err != nil {
		return nil, err
	}
	u := showUser(user)
	return &sdk.ModifyUserOutput{
		ARN: u.ARN, AccessString: u.AccessString, Authentication: u.Authentication, Engine: u.Engine,
		MinimumEngineVersion: u.MinimumEngineVersion, Status: u.Status, UserGroupIds: u.UserGroupIds,
		UserId: u.UserId, UserName: u.UserName,
	}, nil
}

func (a *API) deleteUser(ctx context.Context, in *sdk.DeleteUserInput) (*sdk.DeleteUserOutput, error) {
	user, err := a.Users.DeleteUser(ctx, aws.ToString(in.UserId))
	if err != nil {
		return nil, err
	}
	u := showUser(user)
	return &sdk.DeleteUserOutput{
		ARN: u.ARN, AccessString: u.AccessString, Authentication: u.Authentication, Engine: u.Engine,
		MinimumEngineVersion: u.MinimumEngineVersion, Status: u.Status, UserGroupIds: u.UserGroupIds,
		UserId: u.UserId, UserName: u.UserName,
	}, nil
}

func (a *API) describeUsers(_ context.Context, in *sdk.DescribeUsersInput) (*sdk.DescribeUsersOutput, error) {
	request := users.DescribeUsersInput{ID: in.UserId, Engine: in.Engine}
	for _, filter := range in.Filters {
		request.Filters = append(request.Filters, users.Filter{Name: aws.ToString(filter.Name), Values: filter.Values})
	}
	found, err := a.Users.DescribeUsers(request)
	if err != nil {
		return nil, err
	}
	shown, next, err := page("users", found, func(u users.UserDescription) string { return u.ID }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeUsersOutput{Marker: next, Users: []types.User{}}
	for _, user := range shown {
		out.Users = append(out.Users, showUser(user))
	}
	return out, nil
}

func authentication(passwords []string, none *bool, mode *types.AuthenticationMode) users.Authentication {
	auth := users.Authentication{Passwords: secrets(passwords), NoPasswordRequired: none}
	if mode != nil {
		auth.Mode = &users.AuthenticationMode{Type: optional(mode.Type), Passwords: secrets(mode.Passwords)}
	}
	return auth
}

// secrets keeps the difference between an empty list and none.
func secrets(texts []string) []identity.Secret {
	if texts == nil {
		return nil
	}
	list := make([]identity.Secret, 0, len(texts))
	for _, text := range texts {
		list = append(list, identity.NewSecret(text))
	}
	return list
}

func showUser(u users.UserDescription) types.User {
	return types.User{
		ARN:                  aws.String(u.ARN),
		AccessString:         aws.String(u.AccessString),
		Authentication:       showAuthentication(u),
		Engine:               aws.String(string(u.Engine)),
		MinimumEngineVersion: aws.String(u.MinimumEngineVersion),
		Status:               aws.String(string(u.Status)),
		UserGroupIds:         u.GroupIDs,
		UserId:               aws.String(u.ID),
		UserName:             aws.String(u.Name),
	}
}

// showAuthentication spells the type as answers do: "no-password" for what
// requests call "no-password-required".
func showAuthentication(u users.UserDescription) *types.Authentication {
	switch u.Auth {
	case identity.AuthPassword:
		return &types.Authentication{Type: types.AuthenticationTypePassword, PasswordCount: aws.Int32(int32(u.PasswordCount))}
	case identity.AuthIAM:
		return &types.Authentication{Type: types.AuthenticationTypeIam}
	default:
		return &types.Authentication{Type: types.AuthenticationTypeNoPassword}
	}
}

func tagsOf(tags []types.Tag) []naming.Tag {
	var list []naming.Tag
	for _, tag := range tags {
		list = append(list, naming.Tag{Key: aws.ToString(tag.Key), Value: aws.ToString(tag.Value)})
	}
	return list
}
