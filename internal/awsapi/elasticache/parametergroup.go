package elasticache

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/caches"
)

func (a *API) createParameterGroup(ctx context.Context, in *sdk.CreateCacheParameterGroupInput) (*sdk.CreateCacheParameterGroupOutput, error) {
	group, err := a.Caches.CreateParameterGroup(ctx, caches.CreateParameterGroupInput{
		Name:        aws.ToString(in.CacheParameterGroupName),
		Family:      aws.ToString(in.CacheParameterGroupFamily),
		Description: aws.ToString(in.Description),
		Tags:        tagsOf(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	shown := showParameterGroup(group)
	return &sdk.CreateCacheParameterGroupOutput{CacheParameterGroup: &shown}, nil
}

func (a *API) modifyParameterGroup(ctx context.Context, in *sdk.ModifyCacheParameterGroupInput) (*sdk.ModifyCacheParameterGroupOutput, error) {
	request := caches.ModifyParameterGroupInput{Name: aws.ToString(in.CacheParameterGroupName)}
	for _, v := range in.ParameterNameValues {
		request.Values = append(request.Values, caches.NamedValue{Name: aws.ToString(v.ParameterName), Value: aws.ToString(v.ParameterValue)})
	}
	if err := a.Caches.ModifyParameterGroup(ctx, request); err != nil {
		return nil, err
	}
	return &sdk.ModifyCacheParameterGroupOutput{CacheParameterGroupName: aws.String(strings.ToLower(request.Name))}, nil
}

func (a *API) resetParameterGroup(ctx context.Context, in *sdk.ResetCacheParameterGroupInput) (*sdk.ResetCacheParameterGroupOutput, error) {
	request := caches.ResetParameterGroupInput{Name: aws.ToString(in.CacheParameterGroupName), All: in.ResetAllParameters}
	for _, v := range in.ParameterNameValues {
		request.Names = append(request.Names, aws.ToString(v.ParameterName))
	}
	if err := a.Caches.ResetParameterGroup(ctx, request); err != nil {
		return nil, err
	}
	return &sdk.ResetCacheParameterGroupOutput{CacheParameterGroupName: aws.String(strings.ToLower(request.Name))}, nil
}

func (a *API) deleteParameterGroup(ctx context.Context, in *sdk.DeleteCacheParameterGroupInput) (*sdk.DeleteCacheParameterGroupOutput, error) {
	return &sdk.DeleteCacheParameterGroupOutput{}, a.Caches.DeleteParameterGroup(ctx, aws.ToString(in.CacheParameterGroupName))
}

func (a *API) describeParameterGroups(_ context.Context, in *sdk.DescribeCacheParameterGroupsInput) (*sdk.DescribeCacheParameterGroupsOutput, error) {
	found, err := a.Caches.DescribeParameterGroups(caches.DescribeParameterGroupsInput{Name: in.CacheParameterGroupName})
	if err != nil {
		return nil, err
	}
	shown, next, err := page("parameter-groups", found, func(g caches.ParameterGroup) string { return g.Name }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheParameterGroupsOutput{Marker: next, CacheParameterGroups: []types.CacheParameterGroup{}}
	for _, group := range shown {
		out.CacheParameterGroups = append(out.CacheParameterGroups, showParameterGroup(group))
	}
	return out, nil
}

func (a *API) describeParameters(_ context.Context, in *sdk.DescribeCacheParametersInput) (*sdk.DescribeCacheParametersOutput, error) {
	found, err := a.Caches.DescribeParameters(caches.DescribeParametersInput{Name: aws.ToString(in.CacheParameterGroupName), Source: in.Source})
	if err != nil {
		return nil, err
	}
	shown, next, err := pageOfParameters(found, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeCacheParametersOutput{
		CacheNodeTypeSpecificParameters: []types.CacheNodeTypeSpecificParameter{}, Marker: next, Parameters: shown,
	}, nil
}

func (a *API) describeEngineDefaultParameters(_ context.Context, in *sdk.DescribeEngineDefaultParametersInput) (*sdk.DescribeEngineDefaultParametersOutput, error) {
	family := aws.ToString(in.CacheParameterGroupFamily)
	found, err := a.Caches.DescribeEngineDefaultParameters(caches.DescribeEngineDefaultParametersInput{Family: family})
	if err != nil {
		return nil, err
	}
	shown, next, err := pageOfParameters(found, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeEngineDefaultParametersOutput{EngineDefaults: &types.EngineDefaults{
		CacheNodeTypeSpecificParameters: []types.CacheNodeTypeSpecificParameter{},
		CacheParameterGroupFamily:       aws.String(strings.ToLower(family)), Marker: next, Parameters: shown,
	}}, nil
}

func pageOfParameters(found []caches.Parameter, marker *string, size *int32) ([]types.Parameter, *string, error) {
	items, next, err := page("parameters", found, func(p caches.Parameter) string { return p.Name }, marker, size)
	if err != nil {
		return nil, nil, err
	}
	shown := []types.Parameter{}
	for _, p := range items {
		shown = append(shown, types.Parameter{
			AllowedValues: optional(p.Allowed), ChangeType: types.ChangeTypeImmediate, DataType: aws.String(p.DataType),
			Description: aws.String(p.Description), IsModifiable: aws.Bool(p.Modifiable),
			MinimumEngineVersion: aws.String(p.MinimumVersion), ParameterName: aws.String(p.Name),
			ParameterValue: optional(p.Value), Source: aws.String(p.Source),
		})
	}
	return shown, next, nil
}

func showParameterGroup(g caches.ParameterGroup) types.CacheParameterGroup {
	return types.CacheParameterGroup{
		ARN:                       aws.String(g.ARN),
		CacheParameterGroupFamily: aws.String(g.Family),
		CacheParameterGroupName:   aws.String(g.Name),
		Description:               aws.String(g.Description),
		IsGlobal:                  aws.Bool(false),
	}
}
