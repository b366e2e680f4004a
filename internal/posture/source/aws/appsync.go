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
	apis, err := s.graphQLAPIs(ctx, client)
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
		if api.ApiType == types.GraphQLApiTypeMerged {
			r.Fronts = s.mergedSources(ctx, client, api.ApiId)
		}
		s.add(r)
	})
}

// graphQLAPIs lists both types of API by name, because the API's reference does
// not say what a list without a type holds; each API counts once.
func (s *scope) graphQLAPIs(ctx context.Context, client *appsync.Client) ([]types.GraphqlApi, error) {
	var all []types.GraphqlApi
	seen := map[string]bool{}
	for _, kind := range types.GraphQLApiType("").Values() {
		apis, err := listing(func(next *string) ([]types.GraphqlApi, *string, error) {
			out, err := client.ListGraphqlApis(ctx, &appsync.ListGraphqlApisInput{ApiType: kind, MaxResults: appsyncPage, NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			return out.GraphqlApis, out.NextToken, nil
		})
		if err != nil {
			return nil, err
		}
		for _, api := range apis {
			if id := awssdk.ToString(api.ApiId); !seen[id] {
				seen[id], all = true, append(all, api)
			}
		}
	}
	return all, nil
}

// mergedSources names the APIs that a merged API answers for: a caller of its
// endpoint reaches their data by the merged API's own authentication modes.
func (s *scope) mergedSources(ctx context.Context, client *appsync.Client, api *string) []string {
	sources, err := listing(func(next *string) ([]types.SourceApiAssociationSummary, *string, error) {
		out, err := client.ListSourceApiAssociations(ctx, &appsync.ListSourceApiAssociationsInput{ApiId: api, MaxResults: appsyncPage, NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.SourceApiAssociationSummaries, out.NextToken, nil
	})
	if err != nil {
		s.lost("appsync:ListSourceApiAssociations", "merged API "+awssdk.ToString(api), err, "the APIs that it answers for do not count in the ranking")
	}
	var names []string
	for _, source := range sources {
		names = append(names, awssdk.ToString(source.SourceApiArn))
	}
	return names
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
		s.lost("appsync:ListApiKeys", "API "+awssdk.ToString(api), err, "whether it has live keys is not known")
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
		s.failed("appsync:ListChannelNamespaces", "API "+awssdk.ToString(api), err, posture.KindEventAPI)
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
