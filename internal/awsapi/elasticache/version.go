package elasticache

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/caches"
)

func (a *API) describeEngineVersions(_ context.Context, in *sdk.DescribeCacheEngineVersionsInput) (*sdk.DescribeCacheEngineVersionsOutput, error) {
	found, err := a.Caches.DescribeEngineVersions(caches.DescribeEngineVersionsInput{
		Engine: in.Engine, Version: in.EngineVersion, Family: in.CacheParameterGroupFamily, DefaultOnly: in.DefaultOnly,
	})
	if err != nil {
		return nil, err
	}
	type placed struct {
		caches.EngineVersion
		key string
	}
	list := make([]placed, 0, len(found))
	for i, v := range found { // the list is fixed, and so is a version's place in it
		list = append(list, placed{v, fmt.Sprintf("%04d", i)})
	}
	shown, next, err := page("engine-versions", list, func(v placed) string { return v.key }, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheEngineVersionsOutput{Marker: next, CacheEngineVersions: []types.CacheEngineVersion{}}
	for _, v := range shown {
		out.CacheEngineVersions = append(out.CacheEngineVersions, types.CacheEngineVersion{
			CacheEngineDescription:        aws.String(string(v.Engine)),
			CacheEngineVersionDescription: aws.String(fmt.Sprintf("%s version %s", v.Engine, v.Version)),
			CacheParameterGroupFamily:     aws.String(v.Family),
			Engine:                        aws.String(string(v.Engine)),
			EngineVersion:                 aws.String(v.Version),
		})
	}
	return out, nil
}
