package files_test

import (
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

// TestPeersMistakes has a case for each mistake that other auditors make with
// these controls, numbered as in the project's reference. Both forms are judged
// where both can express the mistake.
func TestPeersMistakes(t *testing.T) {
	yaml := func(text string) map[string]string { return map[string]string{"in": "Resources:\n" + indent(text, 2)} }
	plan := func(kind, after string) map[string]string { return map[string]string{"in": planned(kind, after, "")} }
	cases := []struct {
		name  string
		files map[string]string
		want  []judgement
	}{
		{
			"P1 an authorizer on the API does not protect its routes", yaml(`
Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP, Name: a}}
Authorizer: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Api, AuthorizerType: JWT}}
Open: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /a}}`),
			[]judgement{{"APIGateway.8", "Open", posture.Fail}},
		},
		{
			"P1 routes with IAM need no authorizer", yaml(`
Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP, Name: a}}
Closed: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /a, AuthorizationType: AWS_IAM}}`),
			[]judgement{{"APIGateway.8", "Closed", posture.Pass}},
		},
		{
			"P2 the string NONE is open", yaml(`
R: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: a, RouteKey: GET /a, AuthorizationType: NONE}}`),
			[]judgement{{"APIGateway.8", "R", posture.Fail}},
		},
		{
			"P2 in a plan", plan("aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":"NONE"}`),
			[]judgement{{"APIGateway.8", "aws_apigatewayv2_route.x", posture.Fail}},
		},
		{
			"P3 a key as additional provider", yaml(`
R: {Type: AWS::AppSync::GraphQLApi, Properties: {Name: a, AuthenticationType: AWS_IAM, AdditionalAuthenticationProviders: [{AuthenticationType: API_KEY}]}}`),
			[]judgement{{"AppSync.5", "R", posture.Fail}, {"Gatehouse.5", "R", posture.FailEffective}},
		},
		{
			"P3 in a plan, on a merged API", plan("aws_appsync_graphql_api", `{"name":"a","api_type":"MERGED","authentication_type":"AWS_IAM","additional_authentication_provider":[{"authentication_type":"API_KEY"}]}`),
			[]judgement{{"AppSync.5", "aws_appsync_graphql_api.x", posture.Fail}},
		},
		{
			"P4 an absent flag without any mechanism", yaml(`
R: {Type: AWS::MSK::Cluster, Properties: {ClusterName: c}}`),
			[]judgement{{"MSK.6", "R", posture.Fail}},
		},
		{
			"P4 the plaintext listener beside mutual TLS", yaml(`
R: {Type: AWS::MSK::Cluster, Properties: {ClientAuthentication: {Tls: {Enabled: true}, Unauthenticated: {Enabled: false}}, EncryptionInfo: {EncryptionInTransit: {ClientBroker: TLS_PLAINTEXT}}}}`),
			[]judgement{{"MSK.6", "R", posture.Pass}, {"Gatehouse.4", "R", posture.FailEffective}},
		},
		{
			"P4 in a plan", plan("aws_msk_cluster", `{"client_authentication":[]}`),
			[]judgement{{"MSK.6", "aws_msk_cluster.x", posture.Fail}},
		},
		{
			"P5 serverless clusters admit IAM only", yaml(`
R: {Type: AWS::MSK::ServerlessCluster, Properties: {ClusterName: c}}`),
			[]judgement{{"MSK.6", "R", posture.NotApplicable}},
		},
		{
			"P5 in a plan", plan("aws_msk_serverless_cluster", `{"cluster_name":"c"}`),
			[]judgement{{"MSK.6", "aws_msk_serverless_cluster.x", posture.NotApplicable}},
		},
		{
			"P6 password with the default mechanism is right", yaml(`
R: {Type: AWS::DMS::Endpoint, Properties: {EngineName: mongodb, MongoDbSettings: {AuthType: password, AuthMechanism: default}}}`),
			[]judgement{{"DMS.11", "R", posture.Pass}},
		},
		{
			"P6 no with a mechanism is wrong", yaml(`
R: {Type: AWS::DMS::Endpoint, Properties: {EngineName: mongodb, EndpointType: target, MongoDbSettings: {AuthType: no, AuthMechanism: scram_sha_1}}}`),
			[]judgement{{"DMS.11", "R", posture.Fail}},
		},
		{
			"P6 in a plan", plan("aws_dms_endpoint", `{"engine_name":"mongodb","mongodb_settings":[{"auth_type":"no","auth_mechanism":"scram_sha_1"}]}`),
			[]judgement{{"DMS.11", "aws_dms_endpoint.x", posture.Fail}},
		},
		{
			"P8 the subnet group default", yaml(`
R: {Type: AWS::ElastiCache::CacheCluster, Properties: {Engine: redis, CacheSubnetGroupName: default}}`),
			[]judgement{{"ElastiCache.7", "R", posture.Fail}},
		},
		{
			"P8 in a plan", plan("aws_elasticache_cluster", `{"engine":"redis","subnet_group_name":"default"}`),
			[]judgement{{"ElastiCache.7", "aws_elasticache_cluster.x", posture.Fail}},
		},
		{
			"P9 a token that is null", plan("aws_elasticache_replication_group", `{"engine":"redis","engine_version":"5.0.6","transit_encryption_enabled":true,"auth_token":null}`),
			[]judgement{{"ElastiCache.6", "aws_elasticache_replication_group.x", posture.Fail}},
		},
		{
			"P9 a token that is NoValue", yaml(`
R: {Type: AWS::ElastiCache::ReplicationGroup, Properties: {Engine: redis, EngineVersion: 5.0.6, TransitEncryptionEnabled: true, AuthToken: !Ref AWS::NoValue}}`),
			[]judgement{{"ElastiCache.6", "R", posture.Fail}},
		},
		{
			"P9 a user group whose default user is open", yaml(`
User: {Type: AWS::ElastiCache::User, Properties: {UserId: u, UserName: default, Engine: redis, NoPasswordRequired: true, AccessString: 'on ~* +@all'}}
Group: {Type: AWS::ElastiCache::UserGroup, Properties: {UserGroupId: g, Engine: redis, UserIds: [!Ref User]}}
R: {Type: AWS::ElastiCache::ReplicationGroup, Properties: {Engine: redis, EngineVersion: '7.1', TransitEncryptionEnabled: true, UserGroupIds: [!Ref Group]}}`),
			[]judgement{{"Gatehouse.2", "R", posture.FailEffective}},
		},
		{
			"P9 a user group with AWS's own default user", yaml(`
Group: {Type: AWS::ElastiCache::UserGroup, Properties: {UserGroupId: g, Engine: redis, UserIds: [default]}}
R: {Type: AWS::ElastiCache::ReplicationGroup, Properties: {Engine: redis, EngineVersion: '7.1', TransitEncryptionEnabled: true, UserGroupIds: [g]}}`),
			[]judgement{{"Gatehouse.2", "R", posture.FailEffective}},
		},
		{
			"P9 a placeholder that is off", yaml(`
User: {Type: AWS::ElastiCache::User, Properties: {UserId: u, UserName: default, Engine: redis, NoPasswordRequired: true, AccessString: 'off ~* -@all'}}
Group: {Type: AWS::ElastiCache::UserGroup, Properties: {UserGroupId: g, Engine: redis, UserIds: [u]}}
R: {Type: AWS::ElastiCache::ReplicationGroup, Properties: {Engine: redis, EngineVersion: '7.1', TransitEncryptionEnabled: true, UserGroupIds: [g]}}`),
			[]judgement{{"Gatehouse.2", "R", posture.Pass}},
		},
		{
			"P10 a group without TLS is judged", yaml(`
R: {Type: AWS::ElastiCache::ReplicationGroup, Properties: {Engine: redis, EngineVersion: 5.0.6}}`),
			[]judgement{{"ElastiCache.6", "R", posture.Fail}, {"ElastiCache.5", "R", posture.Fail}},
		},
		{
			"P10 an old group with a token passes", plan("aws_elasticache_replication_group", `{"engine":"redis","engine_version":"4.0.10","transit_encryption_enabled":true,"auth_token":"abcdefghijklmnop"}`),
			[]judgement{{"ElastiCache.6", "aws_elasticache_replication_group.x", posture.Pass}},
		},
		{
			"P11 OPTIONS is the preflight, OPTION is nothing", yaml(`
Preflight: {Type: AWS::ApiGateway::Method, Properties: {HttpMethod: OPTIONS, AuthorizationType: NONE}}
Get: {Type: AWS::ApiGateway::Method, Properties: {HttpMethod: GET, AuthorizationType: NONE}}`),
			[]judgement{{"Gatehouse.8", "Preflight", posture.Pass}, {"Gatehouse.8", "Get", posture.FailEffective}},
		},
		{
			"P12 an OpenAPI body", yaml(`
Api:
  Type: AWS::ApiGatewayV2::Api
  Properties:
    Body:
      openapi: 3.0.1
      paths:
        /open: {get: {}}
        /closed: {get: {security: [{jwt: []}]}}
      components:
        securitySchemes:
          jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt}}`),
			[]judgement{{"APIGateway.8", "Api/GET /open", posture.Fail}, {"APIGateway.8", "Api/GET /closed", posture.Pass}},
		},
		{
			"P12 an OpenAPI body in a plan", plan("aws_apigatewayv2_api", `{"protocol_type":"HTTP","body":"{\"openapi\":\"3.0.1\",\"paths\":{\"/open\":{\"get\":{}}}}"}`),
			[]judgement{{"APIGateway.8", "aws_apigatewayv2_api.x/GET /open", posture.Fail}},
		},
		{
			"P12 SAM events",
			map[string]string{"in": `
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        E: {Type: HttpApi, Properties: {Path: /a, Method: post}}`},
			[]judgement{{"APIGateway.8", "ServerlessHttpApi/POST /a", posture.Fail}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expect(t, audit(t, "in", c.files, files.Options{}), c.want...)
		})
	}
}

// P7 is about a live estate (groups whose members come on a later page): the live
// audit of command gatehouse has its case.

// TestTerraformTraps is about what only a plan can say.
func TestTerraformTraps(t *testing.T) {
	const group = "aws_elasticache_replication_group"
	read := func(t *testing.T, text string) []posture.Finding {
		return audit(t, "plan.json", map[string]string{"plan.json": text}, files.Options{})
	}
	t.Run("a type known only after apply", func(t *testing.T) {
		findings := read(t, planned("aws_apigatewayv2_route", `{"route_key":"GET /a"}`, `{"authorization_type":true}`, "authorization_type"))
		expect(t, findings, judgement{"APIGateway.8", "aws_apigatewayv2_route.x", posture.Undecided})
	})
	t.Run("the whole block known only after apply", func(t *testing.T) {
		findings := read(t, planned("aws_msk_cluster", `{}`, `{"client_authentication":true}`, "client_authentication"))
		expect(t, findings, judgement{"MSK.6", "aws_msk_cluster.x", posture.Undecided})
	})
	t.Run("a token with an expression counts as set", func(t *testing.T) {
		findings := read(t, planned(group, `{"engine":"redis","engine_version":"5.0.6"}`, `{"auth_token":true}`, "auth_token"))
		expect(t, findings, judgement{"ElastiCache.6", group + ".x", posture.Pass})
	})
	t.Run("a computed version without an expression is not a pass", func(t *testing.T) {
		findings := read(t, planned(group, `{"engine":"redis"}`, `{"engine_version":true}`))
		expect(t, findings, judgement{"ElastiCache.6", group + ".x", posture.NotApplicable})
	})
	t.Run("a computed version with an expression is unknown", func(t *testing.T) {
		findings := read(t, planned(group, `{"engine":"redis"}`, `{"engine_version":true}`, "engine_version"))
		expect(t, findings, judgement{"ElastiCache.6", group + ".x", posture.Undecided})
	})
	t.Run("ROTATE that introduces a token leaves the cache open", func(t *testing.T) {
		text := strings.Replace(planned(group, `{"engine":"redis","engine_version":"5.0.6","auth_token":"s3cr3t-s3cr3t-s3cr3t","auth_token_update_strategy":"ROTATE"}`, "", "auth_token"),
			`"actions":["create"],"before":null`, `"actions":["update"],"before":{"auth_token":null}`, 1)
		findings := read(t, text)
		expect(t, findings, judgement{"ElastiCache.6", group + ".x", posture.Pass}, judgement{"Gatehouse.1", group + ".x", posture.FailEffective})
	})
	t.Run("SET is the end of it", func(t *testing.T) {
		text := strings.Replace(planned(group, `{"engine":"redis","engine_version":"5.0.6","auth_token":"s3cr3t-s3cr3t-s3cr3t","auth_token_update_strategy":"SET"}`, "", "auth_token"),
			`"actions":["create"],"before":null`, `"actions":["update"],"before":{"auth_token":null}`, 1)
		expect(t, read(t, text), judgement{"Gatehouse.1", group + ".x", posture.Pass})
	})
	t.Run("deleted resources are not judged", func(t *testing.T) {
		text := strings.Replace(planned("aws_msk_cluster", `null`, ""), `"actions":["create"],"before":null`, `"actions":["delete"],"before":{"cluster_name":"c"}`, 1)
		expect(t, read(t, text), judgement{"MSK.6", "aws_msk_cluster.x", ""})
	})
	t.Run("replacing a cluster is an outage", func(t *testing.T) {
		text := strings.Replace(planned("aws_msk_cluster", `{}`, ""), `["create"]`, `["delete","create"]`, 1)
		f := find(t, read(t, text), "MSK.6", "aws_msk_cluster.x")
		if !strings.Contains(strings.Join(f.Notes, " "), "destroys and creates") {
			t.Errorf("the notes %q do not warn of the replacement", f.Notes)
		}
	})
	t.Run("secrets of a plan stay in it", func(t *testing.T) {
		for _, text := range []string{
			planned(group, `{"engine":"redis","engine_version":"5.0.6","auth_token":"s3cr3t-s3cr3t-s3cr3t"}`, ""),
			planned("aws_dms_endpoint", `{"engine_name":"mongodb","password":"s3cr3t","extra_connection_attributes":"authType=NO;password=s3cr3t","mongodb_settings":[{"auth_type":"password"}]}`, ""),
			planned("awscc_elasticache_replication_group", `{"engine":"redis","auth_token":"s3cr3t-s3cr3t-s3cr3t"}`, ""),
		} {
			for _, f := range read(t, text) {
				for _, e := range f.Evidence {
					if strings.Contains(e.Value, "s3cr3t") {
						t.Errorf("%s shows a secret as %s", f.Control, e.Attribute)
					}
				}
				if strings.Contains(f.Reason+f.Next+strings.Join(f.Notes, " "), "s3cr3t") {
					t.Errorf("%s shows a secret", f.Control)
				}
			}
		}
	})
	t.Run("awscc mirrors CloudFormation", func(t *testing.T) {
		expect(t, read(t, planned("awscc_msk_cluster", `{"client_authentication":{"sasl":{"iam":{"enabled":true}},"unauthenticated":{"enabled":true}}}`, "")),
			judgement{"MSK.6", "awscc_msk_cluster.x", posture.Fail})
		expect(t, read(t, planned("awscc_dms_endpoint", `{"engine_name":"mongodb","mongo_db_settings":{"auth_type":"password"}}`, "")),
			judgement{"DMS.11", "awscc_dms_endpoint.x", posture.Pass})
		expect(t, read(t, planned("awscc_apigatewayv2_route", `{"route_key":"GET /a"}`, `{"authorization_type":true}`, "authorization_type")),
			judgement{"APIGateway.8", "awscc_apigatewayv2_route.x", posture.Undecided})
	})
	t.Run("modules, count and for_each", func(t *testing.T) {
		findings := read(t, modules)
		expect(t, findings,
			judgement{"APIGateway.8", `module.api["eu"].aws_apigatewayv2_route.r["GET /a"]`, posture.Fail},
			judgement{"APIGateway.8", `module.api["eu"].aws_apigatewayv2_route.r["GET /b"]`, posture.Pass},
			judgement{"Gatehouse.7", "aws_apigatewayv2_route.default[0]", posture.Undecided},
		)
		f := find(t, findings, "APIGateway.8", `module.api["eu"].aws_apigatewayv2_route.r["chat"]`)
		if !strings.Contains(strings.Join(f.Notes, " "), "WebSocket") {
			t.Errorf("the route's API was not found through the module: notes %q", f.Notes)
		}
	})
	t.Run("a plan of values only", func(t *testing.T) {
		findings := read(t, `{"format_version":"1.0","planned_values":{"root_module":{"child_modules":[{"address":"module.m","resources":[
			{"address":"module.m.aws_msk_cluster.c","mode":"managed","type":"aws_msk_cluster","name":"c","values":{"client_authentication":[{"unauthenticated":true}]}}]}]}}}`)
		expect(t, findings, judgement{"MSK.6", "module.m.aws_msk_cluster.c", posture.Fail})
	})
	t.Run("an errored plan is not the whole truth", func(t *testing.T) {
		findings := read(t, `{"format_version":"1.2","errored":true,"resource_changes":[]}`)
		if len(findings) != 1 || findings[0].Verdict != posture.Undecided {
			t.Errorf("findings are %+v, want one UNKNOWN", findings)
		}
	})
	t.Run("a format of the future", func(t *testing.T) {
		findings := read(t, `{"format_version":"2.0","terraform_version":"9","resource_changes":[]}`)
		if len(findings) != 1 || findings[0].Verdict != posture.Error {
			t.Errorf("findings are %+v, want one ERROR", findings)
		}
	})
}

// modules has a module with for_each whose routes get their API by a variable,
// and a counted route in the root.
const modules = `{"format_version":"1.2","terraform_version":"1.9.0","resource_changes":[
{"address":"aws_apigatewayv2_api.ws","mode":"managed","type":"aws_apigatewayv2_api","name":"ws","change":{"actions":["create"],"before":null,"after":{"name":"ws","protocol_type":"WEBSOCKET"},"after_unknown":{"id":true}}},
{"address":"module.api[\"eu\"].aws_apigatewayv2_route.r[\"GET /a\"]","module_address":"module.api[\"eu\"]","mode":"managed","type":"aws_apigatewayv2_route","name":"r","index":"GET /a","change":{"actions":["create"],"before":null,"after":{"route_key":"GET /a","authorization_type":"NONE"},"after_unknown":{"api_id":true}}},
{"address":"module.api[\"eu\"].aws_apigatewayv2_route.r[\"GET /b\"]","module_address":"module.api[\"eu\"]","mode":"managed","type":"aws_apigatewayv2_route","name":"r","index":"GET /b","change":{"actions":["create"],"before":null,"after":{"route_key":"GET /b","authorization_type":"JWT"},"after_unknown":{"api_id":true,"authorizer_id":true}}},
{"address":"module.api[\"eu\"].aws_apigatewayv2_route.r[\"chat\"]","module_address":"module.api[\"eu\"]","mode":"managed","type":"aws_apigatewayv2_route","name":"r","index":"chat","change":{"actions":["create"],"before":null,"after":{"route_key":"chat","authorization_type":"NONE"},"after_unknown":{"api_id":true}}},
{"address":"aws_apigatewayv2_route.default[0]","mode":"managed","type":"aws_apigatewayv2_route","name":"default","index":0,"change":{"actions":["create"],"before":null,"after":{"route_key":"$default"},"after_unknown":{"authorization_type":true}}}],
"configuration":{"root_module":{"module_calls":{"api":{"expressions":{"api_id":{"references":["aws_apigatewayv2_api.ws.id","aws_apigatewayv2_api.ws"]}},"module":{
"resources":[{"address":"aws_apigatewayv2_route.r","mode":"managed","type":"aws_apigatewayv2_route","name":"r","expressions":{"api_id":{"references":["var.api_id"]},"authorization_type":{"references":["each.value"]},"authorizer_id":{"references":["var.auth"]}}}]}}},
"resources":[{"address":"aws_apigatewayv2_route.default","mode":"managed","type":"aws_apigatewayv2_route","name":"default","expressions":{"authorization_type":{"references":["var.t"]}}}]}}}`

// TestPriorIsTheBaseOfAPlan: the gate compares a plan with what exists, which
// stands in the plan itself.
func TestPriorIsTheBaseOfAPlan(t *testing.T) {
	text := strings.Replace(planned("aws_msk_cluster", `{"client_authentication":[{"unauthenticated":true}]}`, ""),
		`"actions":["create"],"before":null`, `"actions":["update"],"before":{"client_authentication":[{"sasl":[{"iam":true}]}]}`, 1)
	contents := map[string]string{"plan.json": text, "t.yaml": resource("AWS::MSK::Cluster", "ClusterName: c")}
	expect(t, audit(t, "plan.json", contents, files.Options{}), judgement{"MSK.6", "aws_msk_cluster.x", posture.Fail})
	before := audit(t, "", contents, files.Options{Prior: true})
	expect(t, before, judgement{"MSK.6", "aws_msk_cluster.x", posture.Pass}, judgement{"MSK.6", "R", ""})
}
