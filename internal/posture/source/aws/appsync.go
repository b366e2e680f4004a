package aws

import (
	"context"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appsync"
	"github.com/aws/aws-sdk-go-v2/service/appsync/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// appsyncPage is the most that AppSync puts on a page.
const appsyncPage = 25

func (s *scope) readAppSync(ctx context.Context) {
	client := appsync.NewFromConfig(s.cfg)
	s.readGraphQL(ctx, client)
	s.readEventAPIs(ctx, client)
}

func (s *scope) readGraphQL(ctx context.Context, client *appsync.Client) {
	apis, err := listing(func(next *string) ([]types.GraphqlApi, *string, error) {
		out, err := client.ListGraphqlApis(ctx, &appsync.ListGraphqlApisInput{MaxResults: appsyncPage, NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.GraphqlApis, out.NextToken, nil
	})
	if err != nil {
		s.failed("appsync:ListGraphqlApis", "", err, posture.KindGraphQLAPI)
		return
	}
	each(ctx, apis, func(ctx context.Context, api types.GraphqlApi) {
		r := s.resource(posture.KindGraphQLAPI, awssdk.ToString(api.Arn), awssdk.ToString(api.Name))
		r.Tags, r.Exposure = api.Tags, posture.ExposurePublic
		if api.Visibility == types.GraphQLApiVisibilityPrivate {
			r.Exposure = posture.ExposureVPC
		}
		more := make([]string, 0, len(api.AdditionalAuthenticationProviders))
		for _, p := range api.AdditionalAuthenticationProviders {
			more = append(more, string(p.AuthenticationType))
		}
		r.Set(posture.AuthenticationType, posture.Text(string(api.AuthenticationType))).
			Set(posture.AdditionalAuthenticationTypes, posture.List(more)).
			Set(posture.APIType, posture.Text(string(api.ApiType))).
			Set(posture.LiveAPIKeys, s.liveKeys(ctx, client, api.ApiId))
		s.add(r)
	})
}

// liveKeys counts the keys that have not expired. A refusal makes the number
// unknown, which no verdict turns green.
func (s *scope) liveKeys(ctx context.Context, client *appsync.Client, api *string) posture.Value {
	keys, err := listing(func(next *string) ([]types.ApiKey, *string, error) {
		out, err := client.ListApiKeys(ctx, &appsync.ListApiKeysInput{ApiId: api, MaxResults: appsyncPage, NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.ApiKeys, out.NextToken, nil
	})
	if err != nil {
		return posture.Unknown("appsync:ListApiKeys: "+plain(err), "the API's keys")
	}
	now := s.now().Unix()
	live := 0
	for _, k := range keys {
		if k.Expires > now {
			live++
		}
	}
	return posture.Number(live)
}

func (s *scope) readEventAPIs(ctx context.Context, client *appsync.Client) {
	apis, err := listing(func(next *string) ([]types.Api, *string, error) {
		out, err := client.ListApis(ctx, &appsync.ListApisInput{MaxResults: appsyncPage, NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Apis, out.NextToken, nil
	})
	if err != nil {
		s.failed("appsync:ListApis", "", err, posture.KindEventAPI)
		return
	}
	each(ctx, apis, func(ctx context.Context, api types.Api) {
		r := s.resource(posture.KindEventAPI, awssdk.ToString(api.ApiArn), awssdk.ToString(api.Name))
		r.Tags, r.Exposure = api.Tags, posture.ExposurePublic
		if api.EventConfig != nil {
			providers := make([]string, 0, len(api.EventConfig.AuthProviders))
			for _, p := range api.EventConfig.AuthProviders {
				providers = append(providers, string(p.AuthType))
			}
			r.Set(posture.AuthProviders, posture.List(providers)).
				Set(posture.ConnectionAuthModes, modes(api.EventConfig.ConnectionAuthModes)).
				Set(posture.DefaultPublishAuthModes, modes(api.EventConfig.DefaultPublishAuthModes)).
				Set(posture.DefaultSubscribeAuthModes, modes(api.EventConfig.DefaultSubscribeAuthModes))
		}
		r.Set(posture.NamespaceAuthModes, s.namespaceModes(ctx, client, api.ApiId))
		s.add(r)
	})
}

func modes(list []types.AuthMode) posture.Value {
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, string(m.AuthType))
	}
	return posture.List(names)
}

// namespaceModes gathers what channel namespaces override.
func (s *scope) namespaceModes(ctx context.Context, client *appsync.Client, api *string) posture.Value {
	spaces, err := listing(func(next *string) ([]types.ChannelNamespace, *string, error) {
		out, err := client.ListChannelNamespaces(ctx, &appsync.ListChannelNamespacesInput{ApiId: api, MaxResults: appsyncPage, NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.ChannelNamespaces, out.NextToken, nil
	})
	if err != nil {
		return posture.Unknown("appsync:ListChannelNamespaces: "+plain(err), "the API's channel namespaces")
	}
	var names []string
	for _, space := range spaces {
		for _, m := range append(slices.Clone(space.PublishAuthModes), space.SubscribeAuthModes...) {
			if !slices.Contains(names, string(m.AuthType)) {
				names = append(names, string(m.AuthType))
			}
		}
	}
	return posture.List(names)
}
