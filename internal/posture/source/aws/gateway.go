package aws

import (
	"context"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// gatewayPage is the page size asked of API Gateway.
const gatewayPage = "500"

// listing pulls pages until there are none: next is "" at first and at the end.
func listing[T any](fetch func(next *string) ([]T, *string, error)) ([]T, error) {
	var all []T
	var next *string
	for {
		items, token, err := fetch(next)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if awssdk.ToString(token) == "" {
			return all, nil
		}
		next = token
	}
}

func (s *scope) readGateway(ctx context.Context) {
	client := apigatewayv2.NewFromConfig(s.cfg)
	apis, err := listing(func(next *string) ([]types.Api, *string, error) {
		out, err := client.GetApis(ctx, &apigatewayv2.GetApisInput{MaxResults: awssdk.String(gatewayPage), NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.NextToken, nil
	})
	if err != nil {
		s.failed("apigateway:GetApis", "", err, posture.KindRoute)
		return
	}
	mapped := s.mappedAPIs(ctx, client, apis)
	each(ctx, apis, func(ctx context.Context, api types.Api) {
		s.readRoutes(ctx, client, api, mapped)
	})
}

// mappedAPIs returns the APIs that a custom domain leads to. Only an API whose
// own address is off needs to know, so that nothing is asked without one.
func (s *scope) mappedAPIs(ctx context.Context, client *apigatewayv2.Client, apis []types.Api) map[string]posture.Exposure {
	exposure, asked := map[string]posture.Exposure{}, false
	for _, api := range apis {
		exposure[awssdk.ToString(api.ApiId)] = posture.ExposurePublic
		if awssdk.ToBool(api.DisableExecuteApiEndpoint) {
			exposure[awssdk.ToString(api.ApiId)], asked = posture.ExposurePrivate, true
		}
	}
	if !asked {
		return exposure
	}
	unknown := func(operation string, err error) map[string]posture.Exposure {
		s.lost(operation, "", err, "how far APIs without an address of their own can be reached is not known")
		for _, api := range apis {
			if awssdk.ToBool(api.DisableExecuteApiEndpoint) {
				exposure[awssdk.ToString(api.ApiId)] = ""
			}
		}
		return exposure
	}
	domains, err := listing(func(next *string) ([]types.DomainName, *string, error) {
		out, err := client.GetDomainNames(ctx, &apigatewayv2.GetDomainNamesInput{MaxResults: awssdk.String(gatewayPage), NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.NextToken, nil
	})
	if err != nil {
		return unknown("apigateway:GetDomainNames", err)
	}
	for _, domain := range domains {
		mappings, err := listing(func(next *string) ([]types.ApiMapping, *string, error) {
			out, err := client.GetApiMappings(ctx, &apigatewayv2.GetApiMappingsInput{DomainName: domain.DomainName, MaxResults: awssdk.String(gatewayPage), NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			return out.Items, out.NextToken, nil
		})
		if err != nil {
			return unknown("apigateway:GetApiMappings", err)
		}
		for _, m := range mappings {
			exposure[awssdk.ToString(m.ApiId)] = posture.ExposurePublic
		}
	}
	return exposure
}

func (s *scope) readRoutes(ctx context.Context, client *apigatewayv2.Client, api types.Api, exposure map[string]posture.Exposure) {
	id := awssdk.ToString(api.ApiId)
	routes, err := listing(func(next *string) ([]types.Route, *string, error) {
		out, err := client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: api.ApiId, MaxResults: awssdk.String(gatewayPage), NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.NextToken, nil
	})
	if err != nil {
		s.failed("apigateway:GetRoutes", "API "+id, err, posture.KindRoute)
		return
	}
	audiences := s.audiences(ctx, client, api, routes)
	fronts := s.targets(ctx, client, api, routes)
	connect := posture.Flag(false)
	for _, route := range routes {
		if awssdk.ToString(route.RouteKey) == "$connect" {
			connect = posture.Flag(route.AuthorizationType != "" && route.AuthorizationType != types.AuthorizationTypeNone)
		}
	}
	for _, route := range routes {
		r := s.resource(posture.KindRoute, s.routeARN(id, awssdk.ToString(route.RouteId)), awssdk.ToString(api.Name)+" "+awssdk.ToString(route.RouteKey))
		r.Tags, r.Exposure = api.Tags, exposure[id]
		if target := fronts[awssdk.ToString(route.Target)]; target != "" {
			r.Fronts = []string{target}
		}
		authorization := posture.Text(string(route.AuthorizationType))
		if route.AuthorizationType == "" {
			authorization = posture.Absent()
		}
		r.Set(posture.APIID, posture.Text(id)).Set(posture.ProtocolType, posture.Text(string(api.ProtocolType))).
			Set(posture.RouteKey, posture.TextOrAbsent(route.RouteKey)).Set(posture.AuthorizationType, authorization).
			Set(posture.AuthorizerID, posture.TextOrAbsent(route.AuthorizerId)).Set(posture.AuthorizationScopes, posture.List(route.AuthorizationScopes)).
			Set(posture.JWTAudience, audiences(route)).Set(posture.APIKeyRequired, posture.FlagOrAbsent(route.ApiKeyRequired)).
			Set(posture.CORSConfigured, posture.Flag(api.CorsConfiguration != nil))
		if api.ProtocolType == types.ProtocolTypeWebsocket {
			r.Set(posture.ConnectAuthorized, connect)
		}
		s.add(r)
	}
}

func (s *scope) routeARN(api, route string) string {
	return "arn:" + s.partition + ":apigateway:" + s.region + "::/apis/" + api + "/routes/" + route
}

// audiences looks the authorizers up, only for an API that has a JWT route.
func (s *scope) audiences(ctx context.Context, client *apigatewayv2.Client, api types.Api, routes []types.Route) func(types.Route) posture.Value {
	known, failure := map[string][]string{}, error(nil)
	for _, route := range routes {
		if route.AuthorizationType == types.AuthorizationTypeJwt {
			var authorizers []types.Authorizer
			authorizers, failure = listing(func(next *string) ([]types.Authorizer, *string, error) {
				out, err := client.GetAuthorizers(ctx, &apigatewayv2.GetAuthorizersInput{ApiId: api.ApiId, MaxResults: awssdk.String(gatewayPage), NextToken: next})
				if err != nil {
					return nil, nil, err
				}
				return out.Items, out.NextToken, nil
			})
			if failure != nil {
				s.lost("apigateway:GetAuthorizers", "API "+awssdk.ToString(api.ApiId), failure, "whether its JWT routes check an audience is not known")
			}
			for _, a := range authorizers {
				if a.JwtConfiguration != nil {
					known[awssdk.ToString(a.AuthorizerId)] = a.JwtConfiguration.Audience
				}
			}
			break
		}
	}
	return func(route types.Route) posture.Value {
		switch {
		case route.AuthorizationType != types.AuthorizationTypeJwt:
			return posture.Absent()
		case failure != nil:
			return posture.Unknown("apigateway:GetAuthorizers: "+plain(failure), "the route's authorizer")
		}
		return posture.List(known[awssdk.ToString(route.AuthorizerId)])
	}
}

// targets says what open routes lead to. An API without one is not asked.
func (s *scope) targets(ctx context.Context, client *apigatewayv2.Client, api types.Api, routes []types.Route) map[string]string {
	found := map[string]string{}
	open := false
	for _, route := range routes {
		open = open || ((route.AuthorizationType == "" || route.AuthorizationType == types.AuthorizationTypeNone) && strings.HasPrefix(awssdk.ToString(route.Target), "integrations/"))
	}
	if !open {
		return found
	}
	integrations, err := listing(func(next *string) ([]types.Integration, *string, error) {
		out, err := client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: api.ApiId, MaxResults: awssdk.String(gatewayPage), NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.NextToken, nil
	})
	if err != nil {
		s.lost("apigateway:GetIntegrations", "API "+awssdk.ToString(api.ApiId), err, "what its open routes lead to does not count in the ranking")
		return found
	}
	for _, i := range integrations {
		found["integrations/"+awssdk.ToString(i.IntegrationId)] = awssdk.ToString(i.IntegrationUri)
	}
	return found
}
