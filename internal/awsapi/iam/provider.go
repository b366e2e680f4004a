package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
)

func (a *API) providerOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("CreateOpenIDConnectProvider", func(ctx context.Context, in *sdk.CreateOpenIDConnectProviderInput) (*sdk.CreateOpenIDConnectProviderOutput, error) {
			p, err := a.IAM.CreateProvider(ctx, *in.Url, in.ClientIDList, in.ThumbprintList, tagsOf(in.Tags))
			if err != nil {
				return nil, err
			}
			return &sdk.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: aws.String(a.IAM.ProviderARN(p)), Tags: showTags(p.Tags)}, nil
		}),
		awsapi.Serve("GetOpenIDConnectProvider", func(_ context.Context, in *sdk.GetOpenIDConnectProviderInput) (*sdk.GetOpenIDConnectProviderOutput, error) {
			p, err := a.IAM.Provider(*in.OpenIDConnectProviderArn)
			if err != nil {
				return nil, err
			}
			return &sdk.GetOpenIDConnectProviderOutput{
				Url: aws.String(p.URL), ClientIDList: filled(p.ClientIDs), ThumbprintList: filled(p.Thumbprints),
				CreateDate: aws.Time(p.Created), Tags: showTags(p.Tags),
			}, nil
		}),
		awsapi.Serve("ListOpenIDConnectProviders", func(context.Context, *sdk.ListOpenIDConnectProvidersInput) (*sdk.ListOpenIDConnectProvidersOutput, error) {
			out := &sdk.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []types.OpenIDConnectProviderListEntry{}}
			for _, p := range a.IAM.Providers() {
				out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, types.OpenIDConnectProviderListEntry{Arn: aws.String(a.IAM.ProviderARN(p))})
			}
			return out, nil
		}),
		awsapi.Serve("DeleteOpenIDConnectProvider", func(ctx context.Context, in *sdk.DeleteOpenIDConnectProviderInput) (*sdk.DeleteOpenIDConnectProviderOutput, error) {
			return &sdk.DeleteOpenIDConnectProviderOutput{}, a.IAM.DeleteProvider(ctx, *in.OpenIDConnectProviderArn)
		}),
		awsapi.Serve("UpdateOpenIDConnectProviderThumbprint", func(ctx context.Context, in *sdk.UpdateOpenIDConnectProviderThumbprintInput) (*sdk.UpdateOpenIDConnectProviderThumbprintOutput, error) {
			return &sdk.UpdateOpenIDConnectProviderThumbprintOutput{}, a.IAM.SetThumbprints(ctx, *in.OpenIDConnectProviderArn, in.ThumbprintList)
		}),
		awsapi.Serve("AddClientIDToOpenIDConnectProvider", func(ctx context.Context, in *sdk.AddClientIDToOpenIDConnectProviderInput) (*sdk.AddClientIDToOpenIDConnectProviderOutput, error) {
			return &sdk.AddClientIDToOpenIDConnectProviderOutput{}, a.IAM.AddClientID(ctx, *in.OpenIDConnectProviderArn, *in.ClientID)
		}),
		awsapi.Serve("RemoveClientIDFromOpenIDConnectProvider", func(ctx context.Context, in *sdk.RemoveClientIDFromOpenIDConnectProviderInput) (*sdk.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
			return &sdk.RemoveClientIDFromOpenIDConnectProviderOutput{}, a.IAM.RemoveClientID(ctx, *in.OpenIDConnectProviderArn, *in.ClientID)
		}),
		awsapi.Serve("TagOpenIDConnectProvider", func(ctx context.Context, in *sdk.TagOpenIDConnectProviderInput) (*sdk.TagOpenIDConnectProviderOutput, error) {
			return &sdk.TagOpenIDConnectProviderOutput{}, a.IAM.TagProvider(ctx, *in.OpenIDConnectProviderArn, tagsOf(in.Tags))
		}),
		awsapi.Serve("UntagOpenIDConnectProvider", func(ctx context.Context, in *sdk.UntagOpenIDConnectProviderInput) (*sdk.UntagOpenIDConnectProviderOutput, error) {
			return &sdk.UntagOpenIDConnectProviderOutput{}, a.IAM.UntagProvider(ctx, *in.OpenIDConnectProviderArn, in.TagKeys)
		}),
		awsapi.Serve("ListOpenIDConnectProviderTags", func(_ context.Context, in *sdk.ListOpenIDConnectProviderTagsInput) (*sdk.ListOpenIDConnectProviderTagsOutput, error) {
			found, err := a.IAM.Provider(*in.OpenIDConnectProviderArn)
			if err != nil {
				return nil, err
			}
			tags, p, err := pageOfTags(found.Tags, in.Marker, in.MaxItems)
			return &sdk.ListOpenIDConnectProviderTagsOutput{Tags: tags, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
	}
}
