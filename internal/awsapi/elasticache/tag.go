package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/gatehouse/gatehouse/internal/control/naming"
)

func (a *API) addTags(ctx context.Context, in *sdk.AddTagsToResourceInput) (*sdk.AddTagsToResourceOutput, error) {
	tags, err := a.Tags.Add(ctx, aws.ToString(in.ResourceName), tagsOf(in.Tags))
	return &sdk.AddTagsToResourceOutput{TagList: showTags(tags)}, err
}

func (a *API) removeTags(ctx context.Context, in *sdk.RemoveTagsFromResourceInput) (*sdk.RemoveTagsFromResourceOutput, error) {
	tags, err := a.Tags.Remove(ctx, aws.ToString(in.ResourceName), in.TagKeys)
	return &sdk.RemoveTagsFromResourceOutput{TagList: showTags(tags)}, err
}

func (a *API) listTags(_ context.Context, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	tags, err := a.Tags.List(aws.ToString(in.ResourceName))
	return &sdk.ListTagsForResourceOutput{TagList: showTags(tags)}, err
}

func showTags(tags []naming.Tag) []types.Tag {
	list := []types.Tag{}
	for _, tag := range tags {
		list = append(list, types.Tag{Key: aws.String(tag.Key), Value: aws.String(tag.Value)})
	}
	return list
}
