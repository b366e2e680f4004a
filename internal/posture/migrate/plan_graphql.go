package migrate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/appsync"
	"github.com/aws/aws-sdk-go-v2/service/appsync/types"

	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

const keyMode = "API_KEY"

// planGraphQL takes an AppSync API from its key to another mode.
func planGraphQL(b *builder) error {
	b.plan.Control = "AppSync.5"
	modes := words(b.conf.Fields["Modes"])
	b.plan.From = strings.Join(modes, "+")
	if !slices.Contains(modes, keyMode) {
		b.plan.Why = "no mode of the API takes a key; delete left-over keys with aws appsync delete-api-key"
		return nil
	}
	method, why := b.callers(false)
	switch {
	case slices.Contains(modes, string(types.AuthenticationTypeAmazonCognitoUserPools)):
		method, why = "cognito", "the API already knows its people by a Cognito user pool"
	case slices.Contains(modes, string(types.AuthenticationTypeOpenidConnect)):
		method, why = "oidc", "the API already knows its people by an OpenID provider"
	}
	if err := b.choose(method, why, "iam", "cognito", "oidc", "jwt", "lambda"); err != nil {
		return err
	}
	out, err := appsync.NewFromConfig(b.req.Config).GetGraphqlApi(b.ctx, &appsync.GetGraphqlApiInput{ApiId: ptr(lastPart(b.req.Resource, "/"))})
	if err != nil {
		return fmt.Errorf("reading the API: %w", err)
	}
	strong, err := b.strongMode(modes)
	if err != nil {
		return err
	}
	return b.graphQLSteps(*out.GraphqlApi, strong, modes)
}

func ptr[T any](v T) *T { return &v }

// strongMode is the provider that takes the key's place. One that the API has
// already needs no settings: graphQLSteps takes it as it is.
func (b *builder) strongMode(modes []string) (types.AdditionalAuthenticationProvider, error) {
	p := types.AdditionalAuthenticationProvider{AuthenticationType: map[string]types.AuthenticationType{
		"iam": types.AuthenticationTypeAwsIam, "cognito": types.AuthenticationTypeAmazonCognitoUserPools, "oidc": types.AuthenticationTypeOpenidConnect,
		"jwt": types.AuthenticationTypeOpenidConnect, "lambda": types.AuthenticationTypeAwsLambda,
	}[b.req.To]}
	if slices.Contains(modes, string(p.AuthenticationType)) {
		return p, nil
	}
	switch b.req.To {
	case "cognito":
		pool, err := b.need("user-pool", "the Cognito user pool")
		if err != nil {
			return p, err
		}
		p.UserPoolConfig = &types.CognitoUserPoolConfig{UserPoolId: &pool, AwsRegion: ptr(b.set("user-pool-region", b.plan.Region))}
	case "oidc", "jwt":
		issuer, err := b.need("issuer", "the issuer of the tokens")
		if err != nil {
			return p, err
		}
		p.OpenIDConnectConfig = &types.OpenIDConnectConfig{Issuer: &issuer}
		if client := b.req.Set["audience"]; client != "" {
			p.OpenIDConnectConfig.ClientId = &client
		}
	case "lambda":
		uri, err := b.need("lambda-arn", "the authorizer function")
		if err != nil {
			return p, err
		}
		p.LambdaAuthorizerConfig = &types.LambdaAuthorizerConfig{AuthorizerUri: &uri}
	}
	return p, nil
}

// wholeUpdate copies everything that an update can set: UpdateGraphqlApi resets
// whatever is left out.
func wholeUpdate(api types.GraphqlApi) appsync.UpdateGraphqlApiInput {
	return appsync.UpdateGraphqlApiInput{
		ApiId: api.ApiId, Name: api.Name, AuthenticationType: api.AuthenticationType,
		AdditionalAuthenticationProviders: slices.Clone(api.AdditionalAuthenticationProviders), EnhancedMetricsConfig: api.EnhancedMetricsConfig,
		IntrospectionConfig: api.IntrospectionConfig, LambdaAuthorizerConfig: api.LambdaAuthorizerConfig, LogConfig: api.LogConfig,
		MergedApiExecutionRoleArn: api.MergedApiExecutionRoleArn, OpenIDConnectConfig: api.OpenIDConnectConfig, OwnerContact: api.OwnerContact,
		QueryDepthLimit: api.QueryDepthLimit, ResolverCountLimit: api.ResolverCountLimit, UserPoolConfig: api.UserPoolConfig, XrayEnabled: api.XrayEnabled,
	}
}

// withoutKey drops the key mode. When it was the primary one, the strong mode
// takes its place.
func withoutKey(in appsync.UpdateGraphqlApiInput, strong types.AdditionalAuthenticationProvider) appsync.UpdateGraphqlApiInput {
	in.AdditionalAuthenticationProviders = slices.DeleteFunc(slices.Clone(in.AdditionalAuthenticationProviders), func(p types.AdditionalAuthenticationProvider) bool {
		return p.AuthenticationType == types.AuthenticationTypeApiKey || (in.AuthenticationType == types.AuthenticationTypeApiKey && same(p, strong))
	})
	if in.AuthenticationType == types.AuthenticationTypeApiKey {
		in.AuthenticationType = strong.AuthenticationType
		in.LambdaAuthorizerConfig, in.OpenIDConnectConfig = strong.LambdaAuthorizerConfig, strong.OpenIDConnectConfig
		in.UserPoolConfig = nil
		if c := strong.UserPoolConfig; c != nil {
			in.UserPoolConfig = &types.UserPoolConfig{UserPoolId: c.UserPoolId, AwsRegion: c.AwsRegion, AppIdClientRegex: c.AppIdClientRegex, DefaultAction: types.DefaultActionAllow}
		}
	}
	return in
}

func same(a, b types.AdditionalAuthenticationProvider) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (b *builder) graphQLSteps(api types.GraphqlApi, strong types.AdditionalAuthenticationProvider, modes []string) error {
	before := wholeUpdate(api)
	dual := before
	has := slices.Contains(modes, string(strong.AuthenticationType))
	if !has {
		dual.AdditionalAuthenticationProviders = append(slices.Clone(before.AdditionalAuthenticationProviders), strong)
	} else if i := slices.IndexFunc(before.AdditionalAuthenticationProviders, func(p types.AdditionalAuthenticationProvider) bool {
		return p.AuthenticationType == strong.AuthenticationType
	}); i >= 0 {
		strong = before.AdditionalAuthenticationProviders[i]
	}
	inputs := map[string]map[string]any{}
	for name, in := range map[string]appsync.UpdateGraphqlApiInput{"before": before, "dual": dual, "closed": withoutKey(dual, strong)} {
		plain, err := plainInput(in)
		if err != nil {
			return err
		}
		inputs[name] = plain
	}
	b.warn("the next deployment of the API's template or Amplify app puts the key back: change the source first")
	mode := string(strong.AuthenticationType)
	if !has {
		b.add(Step{
			ID: "add-mode", Kind: KindCall, Title: "add " + mode + " beside the key", Effect: "none: the key stays the way in", Reaches: Dual,
			Call: call("appsync", "UpdateGraphqlApi", inputs["dual"]), Until: []Check{{Path: "Modes", Has: mode}},
			Rollback: undo(call("appsync", "UpdateGraphqlApi", inputs["before"]), Check{Path: "Modes", Lacks: mode}),
		})
	}
	schema := map[string]string{"iam": "@aws_iam", "cognito": "@aws_cognito_user_pools", "oidc": "@aws_oidc", "jwt": "@aws_oidc", "lambda": "@aws_lambda"}[b.req.To]
	b.add(Step{
		ID: "schema", Kind: KindManual, Reaches: Dual, Effect: "none when both directives are there",
		Title: "mark each type and field with both @aws_api_key and " + schema + ": without a directive a field answers the primary mode only",
	})
	b.manual("move-clients", "move the callers from the key to "+mode, "each caller moves when it is ready; both work")
	b.drain(usage.Spec{Meter: usage.AppSyncKey, Params: map[string]string{"api_arn": b.req.Resource}})
	b.brownOut(lastPart(b.req.Resource, "/"))
	b.add(Step{
		ID: "close", Kind: KindCall, Title: "remove the key mode", Effect: "a caller with the key is refused; a field without a directive now answers " + mode, Closes: true, Reaches: Closed,
		Call: call("appsync", "UpdateGraphqlApi", inputs["closed"]), Until: []Check{{Path: "Modes", Lacks: keyMode}},
		Rollback: undo(call("appsync", "UpdateGraphqlApi", inputs["dual"]), Check{Path: "Modes", Has: keyMode}),
	})
	b.verifyGraphQL()
	return nil
}

// brownOut lets every key expire before the mode goes: a switch that can be
// turned back in a minute.
func (b *builder) brownOut(api string) {
	for _, name := range b.keys() {
		path := "Keys." + name + ".Expires"
		expires, _ := b.conf.at(path).(int64)
		if expires <= b.req.Now().Unix() {
			continue
		}
		b.add(Step{
			ID: "brown-out-" + name, Kind: KindCall, Title: "let key " + name + " expire in a day, the least that AppSync allows",
			Effect: "a caller that still has the key is refused from then on, and can be let back in at once", Closes: true,
			Call:  call("appsync", "UpdateApiKey", map[string]any{"apiId": api, "id": "${hidden." + name + "}", "expires": "${time.+25h}"}),
			Until: []Check{{Path: path, Differs: "${steps.brown-out-" + name + ".Before}"}}, Remember: map[string]string{"Before": path},
			Rollback: &Undo{Note: "the key lives for another week; one that was deleted stays deleted", Calls: []UndoCall{{
				Call: *call("appsync", "UpdateApiKey", map[string]any{"apiId": api, "id": "${hidden." + name + "}", "expires": "${time.+169h}"}),
				Made: []Check{{Path: "Keys." + name, Absent: true}},
			}}},
		})
		b.add(Step{ID: "expired-" + name, Kind: KindWait, Title: "key " + name + " has expired, and nobody complains", Until: []Check{{Path: path, Past: true}}})
	}
}

func (b *builder) keys() []string {
	keys, _ := b.conf.Fields["Keys"].(map[string]any)
	return slices.Sorted(maps.Keys(keys))
}

// verifyGraphQL asks with each old key, then deletes it, then asks without one.
func (b *builder) verifyGraphQL() {
	api, endpoint := lastPart(b.req.Resource, "/"), b.conf.field("Endpoint")
	for _, name := range b.keys() {
		b.add(Step{
			ID: "refused-" + name, Kind: KindVerify, Title: "a call with the old key is refused",
			Verify: []Check{{Probe: probeGraphQL, Params: map[string]string{"target": endpoint, "key": name}}},
		})
		b.add(Step{
			ID: "delete-" + name, Kind: KindCall, Title: "delete key " + name, Effect: "none: no mode takes it",
			Call: call("appsync", "DeleteApiKey", map[string]any{"apiId": api, "id": "${hidden." + name + "}"}), Until: []Check{{Path: "Keys." + name, Absent: true}},
			Rollback: withNote(undo(call("appsync", "CreateApiKey", map[string]any{"apiId": api, "description": "made by gatehouse migrate rollback"})), "a deleted key cannot be brought back: this makes a new one, with another value, that callers must be given"),
		})
	}
	b.add(Step{
		ID: "verify", Kind: KindVerify, Title: "a call without a credential is refused", Reaches: Verified,
		Verify: []Check{{Path: "Modes", Lacks: keyMode}, {Probe: probeGraphQL, Params: map[string]string{"target": endpoint}}},
	})
}
