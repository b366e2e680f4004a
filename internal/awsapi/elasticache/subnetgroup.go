package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/caches"
)

func (a *API) createSubnetGroup(ctx context.Context, in *sdk.CreateCacheSubnetGroupInput) (*sdk.CreateCacheSubnetGroupOutput, error) {
	group, err := a.Caches.CreateSubnetGroup(ctx, caches.CreateSubnetGroupInput{
		Name:        aws.ToString(in.CacheSubnetGroupName),
		Description: aws.ToString(in.CacheSubnetGroupDescription),
		SubnetIDs:   in.SubnetIds,
		Tags:        tagsOf(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateCacheSubnetGroupOutput{CacheSubnetGroup: a.showSubnetGroup(group)}, nil
}

func (a *API) modifySubnetGroup(ctx context.Context, in *sdk.ModifyCacheSubnetGroupInput) (*sdk.ModifyCacheSubnetGroupOutput, error) {
	group, err := a.Caches.ModifySubnetGroup(ctx, caches.ModifySubnetGroupInput{
		Name: aws.ToString(in.CacheSubnetGroupName), Description: in.CacheSubnetGroupDescription, SubnetIDs: in.SubnetIds,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ModifyCacheSubnetGroupOutput{CacheSubnetGroup: a.showSubnetGroup(group)}, nil
}

func (a *API) deleteSubnetGroup(ctx context.Context, in *sdk.DeleteCacheSubnetGroupInput) (*sdk.DeleteCacheSubnetGroupOutput, error) {
	return &sdk.DeleteCacheSubnetGroupOutput{}, a.Caches.DeleteSubnetGroup(ctx, aws.ToString(in.CacheSubnetGroupName))
}

func (a *API) describeSubnetGroups(_ context.Context, in *sdk.DescribeCacheSubnetGroupsInput) (*sdk.DescribeCacheSubnetGroupsOutput, error) {
	found, err := a.Caches.DescribeSubnetGroups(caches.DescribeSubnetGroupsInput{Name: in.CacheSubnetGroupName})
	if err != nil {
		return nil, err
	}
	shown, next, err := page("subnet-groups", found, func(g caches.SubnetGroup) string { return g.Name }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheSubnetGroupsOutput{Marker: next, CacheSubnetGroups: []types.CacheSubnetGroup{}}
	for _, group := range shown {
		out.CacheSubnetGroups = append(out.CacheSubnetGroups, *a.showSubnetGroup(group))
	}
	return out, nil
}

// showSubnetGroup has no VpcId: there is no network behind a subnet group.
func (a *API) showSubnetGroup(g caches.SubnetGroup) *types.CacheSubnetGroup {
	shown := &types.CacheSubnetGroup{
		ARN:                         aws.String(g.ARN),
		CacheSubnetGroupDescription: aws.String(g.Description),
		CacheSubnetGroupName:        aws.String(g.Name),
		Subnets:                     []types.Subnet{},
		SupportedNetworkTypes:       []types.NetworkType{types.NetworkTypeIpv4},
	}
	for _, id := range g.SubnetIDs {
		shown.Subnets = append(shown.Subnets, types.Subnet{
			SubnetIdentifier:       aws.String(id),
			SubnetAvailabilityZone: &types.AvailabilityZone{Name: a.zone()},
			SupportedNetworkTypes:  []types.NetworkType{types.NetworkTypeIpv4},
		})
	}
	return shown
}
