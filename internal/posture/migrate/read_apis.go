package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/appsync"
)

// apiPage is the page size asked of API Gateway.
const apiPage = "500"

// readRoute reads a route, the routes that the plan adds, its API's authorizers
// and the stages that serve it.
func readRoute(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	api, id := routeOf(t.arn)
	client := apigatewayv2.NewFromConfig(cfg)
	head, err := client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &api})
	if err != nil {
		return Configuration{}, err
	}
	fields := map[string]any{"Protocol": string(head.ProtocolType), "CORS": head.CorsConfiguration != nil}
	passing := map[string]any{"Endpoint": awssdk.ToString(head.ApiEndpoint)}
	route, err := client.GetRoute(ctx, &apigatewayv2.GetRouteInput{ApiId: &api, RouteId: &id})
	if err != nil {
		return Configuration{}, err
	}
	fields["Route"] = map[string]any{
		"RouteKey": awssdk.ToString(route.RouteKey), "AuthorizationType": string(route.AuthorizationType),
		"AuthorizerId": awssdk.ToString(route.AuthorizerId), "Target": awssdk.ToString(route.Target), "ApiGatewayManaged": awssdk.ToBool(route.ApiGatewayManaged),
	}
	if err := watchRoutes(ctx, client, api, t.watch.Routes, fields); err != nil {
		return Configuration{}, err
	}
	authorizers := map[string]any{}
	in := &apigatewayv2.GetAuthorizersInput{ApiId: &api, MaxResults: awssdk.String(apiPage)}
	for {
		page, err := client.GetAuthorizers(ctx, in)
		if err != nil {
			return Configuration{}, err
		}
		for _, a := range page.Items {
			authorizers[segment(awssdk.ToString(a.Name))] = map[string]any{"AuthorizerId": awssdk.ToString(a.AuthorizerId), "AuthorizerType": string(a.AuthorizerType)}
		}
		if awssdk.ToString(page.NextToken) == "" {
			break
		}
		in.NextToken = page.NextToken
	}
	fields["Authorizers"] = authorizers
	return Configuration{Fields: fields, Passing: passing}, readStages(ctx, client, api, awssdk.ToString(route.RouteKey), fields, passing)
}

func watchRoutes(ctx context.Context, client *apigatewayv2.Client, api string, keys []string, fields map[string]any) error {
	watched := map[string]any{}
	in := &apigatewayv2.GetRoutesInput{ApiId: &api, MaxResults: awssdk.String(apiPage)}
	for len(keys) > 0 {
		page, err := client.GetRoutes(ctx, in)
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			if key := awssdk.ToString(r.RouteKey); slices.Contains(keys, key) {
				watched[segment(key)] = map[string]any{"RouteId": awssdk.ToString(r.RouteId), "AuthorizationType": string(r.AuthorizationType)}
			}
		}
		if awssdk.ToString(page.NextToken) == "" {
			break
		}
		in.NextToken = page.NextToken
	}
	fields["Watched"] = watched
	return nil
}

func readStages(ctx context.Context, client *apigatewayv2.Client, api, key string, fields, passing map[string]any) error {
	stages, deployments := map[string]any{}, map[string]any{}
	in := &apigatewayv2.GetStagesInput{ApiId: &api, MaxResults: awssdk.String(apiPage)}
	for {
		page, err := client.GetStages(ctx, in)
		if err != nil {
			return err
		}
		for _, s := range page.Items {
			name := segment(awssdk.ToString(s.StageName))
			stages[name] = map[string]any{"AutoDeploy": awssdk.ToBool(s.AutoDeploy), "DetailedMetrics": detailed(s, key)}
			deployments[name] = awssdk.ToString(s.DeploymentId)
		}
		if awssdk.ToString(page.NextToken) == "" {
			break
		}
		in.NextToken = page.NextToken
	}
	fields["Stages"], passing["Deployments"] = stages, deployments
	return nil
}

// detailed reports whether a stage counts the calls of a route by itself.
func detailed(s gwtypes.Stage, key string) bool {
	if own, ok := s.RouteSettings[key]; ok && own.DetailedMetricsEnabled != nil {
		return *own.DetailedMetricsEnabled
	}
	return s.DefaultRouteSettings != nil && awssdk.ToBool(s.DefaultRouteSettings.DetailedMetricsEnabled)
}

// readGraphQL reads an AppSync API whole, because an update replaces it whole,
// and its keys. A key's id is the key: it is known by its fingerprint only.
func readGraphQL(ctx context.Context, cfg awssdk.Config, t target) (Configuration, error) {
	id := lastPart(t.arn, "/")
	client := appsync.NewFromConfig(cfg)
	out, err := client.GetGraphqlApi(ctx, &appsync.GetGraphqlApiInput{ApiId: &id})
	if err != nil {
		return Configuration{}, err
	}
	api, err := fieldsOf(out.GraphqlApi)
	if err != nil {
		return Configuration{}, err
	}
	modes := []any{string(out.GraphqlApi.AuthenticationType)}
	for _, p := range out.GraphqlApi.AdditionalAuthenticationProviders {
		modes = append(modes, string(p.AuthenticationType))
	}
	keys, hidden := map[string]any{}, map[string]string{}
	in := &appsync.ListApiKeysInput{ApiId: &id}
	for {
		page, err := client.ListApiKeys(ctx, in)
		if err != nil {
			return Configuration{}, err
		}
		for _, k := range page.ApiKeys {
			name := fingerprint(awssdk.ToString(k.Id))
			keys[name] = map[string]any{"Expires": k.Expires, "Description": awssdk.ToString(k.Description)}
			hidden[name] = awssdk.ToString(k.Id)
		}
		if awssdk.ToString(page.NextToken) == "" {
			break
		}
		in.NextToken = page.NextToken
	}
	return Configuration{
		Fields: map[string]any{"Api": api, "Modes": modes, "Keys": keys}, Hidden: hidden,
		Passing: map[string]any{"Endpoint": out.GraphqlApi.Uris["GRAPHQL"]},
	}, nil
}

// fingerprint names a secret without giving it away.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte("gatehouse key name\x00" + secret))
	const enough = 5 // bytes: no estate has keys enough to collide
	return "k" + hex.EncodeToString(sum[:enough])
}

// stageURL is where a stage serves.
func stageURL(endpoint, stage, path string) string {
	if stage == "$default" {
		return endpoint + path
	}
	return endpoint + "/" + stage + path
}

// sampleRequest makes a request that a route key would serve.
func sampleRequest(key string) (method, path string) {
	method, path, found := strings.Cut(key, " ")
	if !found || method == "ANY" {
		method = "GET"
	}
	if !found {
		path = "/gatehouse-probe"
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			part = "gatehouse-probe"
		}
		parts = append(parts, part)
	}
	return method, strings.Join(parts, "/")
}

// field is the text of one configuration field.
func (c Configuration) field(path string) string {
	if v := c.at(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}
