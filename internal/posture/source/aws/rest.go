package aws

import (
	"context"
	"maps"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// restPage is the most that API Gateway's first API puts on a page.
const restPage = 500

// readREST reads the methods of REST APIs, which APIGateway.8 does not look at.
func (s *scope) readREST(ctx context.Context) {
	client := apigateway.NewFromConfig(s.cfg)
	apis, err := listing(func(next *string) ([]types.RestApi, *string, error) {
		out, err := client.GetRestApis(ctx, &apigateway.GetRestApisInput{Limit: awssdk.Int32(restPage), Position: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.Position, nil
	})
	if err != nil {
		s.failed("apigateway:GetRestApis", "", err, posture.KindRESTMethod)
		return
	}
	each(ctx, apis, func(ctx context.Context, api types.RestApi) { s.readMethods(ctx, client, api) })
}

func (s *scope) readMethods(ctx context.Context, client *apigateway.Client, api types.RestApi) {
	id := awssdk.ToString(api.Id)
	resources, err := listing(func(next *string) ([]types.Resource, *string, error) {
		out, err := client.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: api.Id, Embed: []string{"methods"}, Limit: awssdk.Int32(restPage), Position: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Items, out.Position, nil
	})
	if err != nil {
		s.failed("apigateway:GetResources", "REST API "+id, err, posture.KindRESTMethod)
		return
	}
	for _, resource := range resources {
		for _, verb := range slices.Sorted(maps.Keys(resource.ResourceMethods)) {
			s.add(s.method(api, resource, verb))
		}
	}
}

func (s *scope) method(api types.RestApi, resource types.Resource, verb string) *posture.Resource {
	id, method := awssdk.ToString(api.Id), resource.ResourceMethods[verb]
	key := verb + " " + awssdk.ToString(resource.Path)
	arn := "arn:" + s.partition + ":apigateway:" + s.region + "::/restapis/" + id + "/resources/" + awssdk.ToString(resource.Id) + "/methods/" + verb
	r := s.resource(posture.KindRESTMethod, arn, awssdk.ToString(api.Name)+" "+key)
	r.Tags, r.Exposure = api.Tags, restExposure(api)
	if method.MethodIntegration != nil && awssdk.ToString(method.MethodIntegration.Uri) != "" {
		r.Fronts = []string{awssdk.ToString(method.MethodIntegration.Uri)}
	}
	if awssdk.ToString(api.Policy) != "" {
		r.Notes = append(r.Notes, "the API has a resource policy, which is not evaluated here: it may admit fewer callers than the method does")
	}
	r.Set(posture.APIID, posture.Text(id)).Set(posture.RouteKey, posture.Text(key)).
		Set(posture.AuthorizationType, posture.TextOrAbsent(method.AuthorizationType)).
		Set(posture.AuthorizerID, posture.TextOrAbsent(method.AuthorizerId)).
		Set(posture.AuthorizationScopes, posture.List(method.AuthorizationScopes)).
		Set(posture.APIKeyRequired, posture.FlagOrAbsent(method.ApiKeyRequired))
	return r
}

// restExposure is unknown for an API whose own address is off: a custom domain
// may lead to it.
func restExposure(api types.RestApi) posture.Exposure {
	switch {
	case api.EndpointConfiguration != nil && slices.Contains(api.EndpointConfiguration.Types, types.EndpointTypePrivate):
		return posture.ExposureVPC
	case api.DisableExecuteApiEndpoint:
		return ""
	}
	return posture.ExposurePublic
}
