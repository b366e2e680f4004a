package aws

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// tagPage is the most that the tagging API puts on a page.
const tagPage = 100

// tagTypes are the tagging API's names of the kinds whose own lists leave their
// tags out.
var tagTypes = map[posture.Kind]string{
	posture.KindDMSEndpoint: "dms:endpoint", posture.KindReplicationGroup: "elasticache:replicationgroup",
	posture.KindCacheCluster: "elasticache:cluster", posture.KindServerlessCache: "elasticache:serverlesscache",
}

// readTags adds the tags of DMS endpoints and caches, which help ranking: in
// bulk from AWS, one by one from Gatehouse, which has few.
func (s *scope) readTags(ctx context.Context) {
	var kinds []string
	seen := map[posture.Kind]bool{}
	for i := range s.found.Resources {
		kind := s.found.Resources[i].Kind
		if name := tagTypes[kind]; name != "" && !seen[kind] {
			seen[kind], kinds = true, append(kinds, name)
		}
	}
	switch {
	case len(kinds) == 0:
	case s.origin == posture.OriginGatehouse:
		s.ownTags(ctx)
	default:
		s.bulkTags(ctx, kinds)
	}
}

func (s *scope) bulkTags(ctx context.Context, kinds []string) {
	client := tagging.NewFromConfig(s.cfg)
	tagged, err := listing(func(next *string) ([]types.ResourceTagMapping, *string, error) {
		out, err := client.GetResources(ctx, &tagging.GetResourcesInput{ResourceTypeFilters: kinds, ResourcesPerPage: awssdk.Int32(tagPage), PaginationToken: next})
		if err != nil {
			return nil, nil, err
		}
		if awssdk.ToString(out.PaginationToken) == "" { // the service ends its lists with an empty token
			return out.ResourceTagMappingList, nil, nil
		}
		return out.ResourceTagMappingList, out.PaginationToken, nil
	})
	if err != nil {
		s.lost("tag:GetResources", "", err, "tags of DMS endpoints and caches do not count in the ranking")
		return
	}
	tags := map[string]map[string]string{}
	for _, t := range tagged {
		pairs := map[string]string{}
		for _, tag := range t.Tags {
			pairs[awssdk.ToString(tag.Key)] = awssdk.ToString(tag.Value)
		}
		tags[awssdk.ToString(t.ResourceARN)] = pairs
	}
	for i := range s.found.Resources {
		if r := &s.found.Resources[i]; tagTypes[r.Kind] != "" {
			r.Tags = tags[r.ID]
		}
	}
}

func (s *scope) ownTags(ctx context.Context) {
	client := elasticache.NewFromConfig(s.cfg)
	for i := range s.found.Resources {
		r := &s.found.Resources[i]
		out, err := client.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: awssdk.String(r.ID)})
		if err != nil {
			s.lost("elasticache:ListTagsForResource", r.Name, err, "its tags do not count in the ranking")
			continue
		}
		r.Tags = map[string]string{}
		for _, tag := range out.TagList {
			r.Tags[awssdk.ToString(tag.Key)] = awssdk.ToString(tag.Value)
		}
	}
}
