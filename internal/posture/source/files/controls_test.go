package files_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

// TestControls judges one resource per case, written from AWS's texts of the
// controls, in both forms. An empty form is one that cannot express the case.
func TestControls(t *testing.T) {
	const (
		route = "AWS::ApiGatewayV2::Route"
		msk   = "AWS::MSK::Cluster"
		group = "AWS::ElastiCache::ReplicationGroup"
		dms   = "AWS::DMS::Endpoint"
		api   = "AWS::AppSync::GraphQLApi"
	)
	type form struct{ kind, text string }
	cases := []struct {
		name      string
		cfn       form
		terraform form
		control   string
		want      posture.Verdict
	}{
		{"route without a type", form{route, "RouteKey: GET /a"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a"}`}, "APIGateway.8", posture.Fail},
		{"route NONE", form{route, "RouteKey: GET /a\nAuthorizationType: NONE"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":"NONE"}`}, "APIGateway.8", posture.Fail},
		{"route with a null type", form{route, "RouteKey: GET /a\nAuthorizationType: !Ref AWS::NoValue"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":null}`}, "APIGateway.8", posture.Fail},
		{"route IAM", form{route, "RouteKey: GET /a\nAuthorizationType: AWS_IAM"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":"AWS_IAM"}`}, "APIGateway.8", posture.Pass},
		{"route JWT", form{route, "RouteKey: GET /a\nAuthorizationType: JWT\nAuthorizerId: abc"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":"JWT","authorizer_id":"abc"}`}, "APIGateway.8", posture.Pass},
		{"route CUSTOM", form{route, "RouteKey: GET /a\nAuthorizationType: CUSTOM\nAuthorizerId: abc"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":"CUSTOM","authorizer_id":"abc"}`}, "APIGateway.8", posture.Pass},
		{"route with a type that does not exist", form{route, "RouteKey: GET /a\nAuthorizationType: BASIC"}, form{"aws_apigatewayv2_route", `{"route_key":"GET /a","authorization_type":"BASIC"}`}, "APIGateway.8", posture.Undecided},
		{"$default open", form{route, "RouteKey: $default"}, form{"aws_apigatewayv2_route", `{"route_key":"$default"}`}, "Gatehouse.7", posture.FailEffective},
		{"$default asks", form{route, "RouteKey: $default\nAuthorizationType: AWS_IAM"}, form{"aws_apigatewayv2_route", `{"route_key":"$default","authorization_type":"AWS_IAM"}`}, "Gatehouse.7", posture.Pass},

		{"REST method open", form{"AWS::ApiGateway::Method", "HttpMethod: GET\nAuthorizationType: NONE"}, form{"aws_api_gateway_method", `{"http_method":"GET","authorization":"NONE"}`}, "Gatehouse.8", posture.FailEffective},
		{"REST method with a key only", form{"AWS::ApiGateway::Method", "HttpMethod: GET\nApiKeyRequired: true"}, form{"aws_api_gateway_method", `{"http_method":"GET","authorization":"NONE","api_key_required":true}`}, "Gatehouse.8", posture.FailEffective},
		{"REST method IAM", form{"AWS::ApiGateway::Method", "HttpMethod: GET\nAuthorizationType: AWS_IAM"}, form{"aws_api_gateway_method", `{"http_method":"GET","authorization":"AWS_IAM"}`}, "Gatehouse.8", posture.Pass},
		{"REST preflight", form{"AWS::ApiGateway::Method", "HttpMethod: OPTIONS\nAuthorizationType: NONE"}, form{"aws_api_gateway_method", `{"http_method":"OPTIONS","authorization":"NONE"}`}, "Gatehouse.8", posture.Pass},

		{"AppSync key primary", form{api, "Name: a\nAuthenticationType: API_KEY"}, form{"aws_appsync_graphql_api", `{"name":"a","authentication_type":"API_KEY"}`}, "AppSync.5", posture.Fail},
		{"AppSync IAM", form{api, "Name: a\nAuthenticationType: AWS_IAM"}, form{"aws_appsync_graphql_api", `{"name":"a","authentication_type":"AWS_IAM"}`}, "AppSync.5", posture.Pass},
		{"AppSync without a type", form{api, "Name: a"}, form{"aws_appsync_graphql_api", `{"name":"a"}`}, "AppSync.5", posture.Undecided},
		{"AppSync two strong modes", form{api, "Name: a\nAuthenticationType: AWS_IAM\nAdditionalAuthenticationProviders: [{AuthenticationType: AWS_LAMBDA}]"}, form{"aws_appsync_graphql_api", `{"name":"a","authentication_type":"AWS_IAM","additional_authentication_provider":[{"authentication_type":"AWS_LAMBDA"}]}`}, "AppSync.5", posture.Pass},
		{"Event API with a key", form{"AWS::AppSync::Api", "Name: a\nEventConfig:\n  AuthProviders: [{AuthType: API_KEY}]\n  ConnectionAuthModes: [{AuthType: API_KEY}]"}, form{"aws_appsync_api", `{"name":"a","event_config":[{"auth_provider":[{"auth_type":"API_KEY"}],"connection_auth_mode":[{"auth_type":"API_KEY"}]}]}`}, "Gatehouse.6", posture.FailEffective},
		{"Event API with Cognito", form{"AWS::AppSync::Api", "Name: a\nEventConfig:\n  AuthProviders: [{AuthType: AMAZON_COGNITO_USER_POOLS}]\n  ConnectionAuthModes: [{AuthType: AMAZON_COGNITO_USER_POOLS}]"}, form{"aws_appsync_api", `{"name":"a","event_config":[{"auth_provider":[{"auth_type":"AMAZON_COGNITO_USER_POOLS"}]}]}`}, "Gatehouse.6", posture.Pass},

		{"DMS no", form{dms, "EngineName: mongodb\nMongoDbSettings: {AuthType: no}"}, form{"aws_dms_endpoint", `{"engine_name":"mongodb","mongodb_settings":[{"auth_type":"no"}]}`}, "DMS.11", posture.Fail},
		{"DMS unset in a block", form{dms, "EngineName: mongodb\nMongoDbSettings: {DatabaseName: d}"}, form{"aws_dms_endpoint", `{"engine_name":"mongodb","mongodb_settings":[{"auth_type":null}]}`}, "DMS.11", posture.Fail},
		{"DMS password", form{dms, "EngineName: mongodb\nMongoDbSettings: {AuthType: password}"}, form{"aws_dms_endpoint", `{"engine_name":"mongodb","mongodb_settings":[{"auth_type":"password"}]}`}, "DMS.11", posture.Pass},
		{"DMS without settings", form{dms, "EngineName: mongodb"}, form{"aws_dms_endpoint", `{"engine_name":"mongodb","mongodb_settings":[]}`}, "DMS.11", posture.Undecided},
		{"DMS attribute overrides", form{dms, "EngineName: mongodb\nExtraConnectionAttributes: retries=1;authType=NO\nMongoDbSettings: {AuthType: password}"}, form{"aws_dms_endpoint", `{"engine_name":"mongodb","extra_connection_attributes":"retries=1;authType=NO","mongodb_settings":[{"auth_type":"password"}]}`}, "DMS.11", posture.Fail},
		{"DMS docdb", form{dms, "EngineName: docdb"}, form{"aws_dms_endpoint", `{"engine_name":"docdb"}`}, "DMS.11", posture.NotApplicable},

		{"MSK anonymous", form{msk, "ClientAuthentication: {Unauthenticated: {Enabled: true}}"}, form{"aws_msk_cluster", `{"client_authentication":[{"unauthenticated":true}]}`}, "MSK.6", posture.Fail},
		{"MSK anonymous beside IAM", form{msk, "ClientAuthentication: {Sasl: {Iam: {Enabled: true}}, Unauthenticated: {Enabled: true}}"}, form{"aws_msk_cluster", `{"client_authentication":[{"unauthenticated":true,"sasl":[{"iam":true}]}]}`}, "MSK.6", posture.Fail},
		{"MSK IAM", form{msk, "ClientAuthentication: {Sasl: {Iam: {Enabled: true}}}"}, form{"aws_msk_cluster", `{"client_authentication":[{"sasl":[{"iam":true}]}]}`}, "MSK.6", posture.Pass},
		{"MSK all off", form{msk, "ClientAuthentication: {Sasl: {Iam: {Enabled: false}}, Unauthenticated: {Enabled: false}}"}, form{"aws_msk_cluster", `{"client_authentication":[{"unauthenticated":false,"sasl":[{"iam":false}]}]}`}, "MSK.6", posture.Fail},
		{"MSK TLS with plaintext", form{msk, "ClientAuthentication: {Tls: {CertificateAuthorityArnList: [arn:x]}, Unauthenticated: {Enabled: false}}\nEncryptionInfo: {EncryptionInTransit: {ClientBroker: TLS_PLAINTEXT}}"}, form{"aws_msk_cluster", `{"client_authentication":[{"unauthenticated":false,"tls":[{"certificate_authority_arns":["arn:x"]}]}],"encryption_info":[{"encryption_in_transit":[{"client_broker":"TLS_PLAINTEXT"}]}]}`}, "Gatehouse.4", posture.FailEffective},
		{"MSK TLS only", form{msk, "ClientAuthentication: {Tls: {Enabled: true}}\nEncryptionInfo: {EncryptionInTransit: {ClientBroker: TLS}}"}, form{"aws_msk_cluster", `{"client_authentication":[{"tls":[{"certificate_authority_arns":["arn:x"]}]}],"encryption_info":[{"encryption_in_transit":[{"client_broker":"TLS"}]}]}`}, "Gatehouse.4", posture.Pass},

		{"backups off", form{group, "Engine: redis"}, form{"aws_elasticache_replication_group", `{"engine":"redis"}`}, "ElastiCache.1", posture.Fail},
		{"backups of a day", form{group, "Engine: redis\nSnapshotRetentionLimit: 1"}, form{"aws_elasticache_replication_group", `{"engine":"redis","snapshot_retention_limit":1}`}, "ElastiCache.1", posture.Pass},
		{"memcached has no backups", form{"AWS::ElastiCache::CacheCluster", "Engine: memcached"}, form{"aws_elasticache_cluster", `{"engine":"memcached"}`}, "ElastiCache.1", posture.NotApplicable},
		{"upgrades off", form{group, "Engine: redis\nAutoMinorVersionUpgrade: false"}, form{"aws_elasticache_replication_group", `{"engine":"redis","auto_minor_version_upgrade":"false"}`}, "ElastiCache.2", posture.Fail},
		{"upgrades by default", form{group, "Engine: redis"}, form{"aws_elasticache_replication_group", `{"engine":"redis"}`}, "ElastiCache.2", posture.Pass},
		{"memcached is exempt", form{"AWS::ElastiCache::CacheCluster", "Engine: memcached\nAutoMinorVersionUpgrade: false"}, form{"aws_elasticache_cluster", `{"engine":"memcached","auto_minor_version_upgrade":"false"}`}, "ElastiCache.2", posture.NotApplicable},
		{"failover off", form{group, "Engine: redis"}, form{"aws_elasticache_replication_group", `{"engine":"redis","automatic_failover_enabled":false}`}, "ElastiCache.3", posture.Fail},
		{"failover on", form{group, "Engine: redis\nAutomaticFailoverEnabled: 'true'"}, form{"aws_elasticache_replication_group", `{"engine":"redis","automatic_failover_enabled":true}`}, "ElastiCache.3", posture.Pass},
		{"at rest off", form{group, "Engine: redis"}, form{"aws_elasticache_replication_group", `{"engine":"redis"}`}, "ElastiCache.4", posture.Fail},
		{"at rest by Valkey's default", form{group, "Engine: valkey"}, form{"aws_elasticache_replication_group", `{"engine":"valkey"}`}, "ElastiCache.4", posture.Pass},
		{"a secondary takes its encryption from the primary", form{group, "GlobalReplicationGroupId: g"}, form{"aws_elasticache_replication_group", `{"global_replication_group_id":"g"}`}, "ElastiCache.5", posture.Undecided},
		{"at rest on", form{group, "Engine: redis\nAtRestEncryptionEnabled: true"}, form{"aws_elasticache_replication_group", `{"engine":"redis","at_rest_encryption_enabled":"true"}`}, "ElastiCache.4", posture.Pass},
		{"in transit off", form{group, "Engine: redis\nTransitEncryptionEnabled: false"}, form{"aws_elasticache_replication_group", `{"engine":"redis","transit_encryption_enabled":false}`}, "ElastiCache.5", posture.Fail},
		{"in transit on", form{group, "Engine: redis\nTransitEncryptionEnabled: true"}, form{"aws_elasticache_replication_group", `{"engine":"redis","transit_encryption_enabled":true}`}, "ElastiCache.5", posture.Pass},
		{"preferred", form{group, "Engine: redis\nTransitEncryptionEnabled: true\nTransitEncryptionMode: preferred"}, form{"aws_elasticache_replication_group", `{"engine":"redis","transit_encryption_enabled":true,"transit_encryption_mode":"preferred"}`}, "Gatehouse.3", posture.FailEffective},
		{"required", form{group, "Engine: redis\nTransitEncryptionEnabled: true\nTransitEncryptionMode: required"}, form{"aws_elasticache_replication_group", `{"engine":"redis","transit_encryption_enabled":true,"transit_encryption_mode":"required"}`}, "Gatehouse.3", posture.Pass},
		{"old Redis open", form{group, "Engine: Redis\nEngineVersion: 5.0.6"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"5.0.6"}`}, "ElastiCache.6", posture.Fail},
		{"old Redis with a token", form{group, "Engine: redis\nEngineVersion: 5.0.6\nAuthToken: '{{resolve:secretsmanager:a}}'"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"5.0.6","auth_token":"abcdefghijklmnop"}`}, "ElastiCache.6", posture.Pass},
		{"Redis 6.x", form{group, "Engine: redis\nEngineVersion: 6.x"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"6.x"}`}, "ElastiCache.6", posture.NotApplicable},
		{"Redis 10.0 is not below 6.0", form{group, "Engine: redis\nEngineVersion: '10.0'"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"10.0"}`}, "ElastiCache.6", posture.NotApplicable},
		{"Valkey", form{group, "Engine: valkey\nEngineVersion: '7.2'"}, form{"aws_elasticache_replication_group", `{"engine":"valkey","engine_version":"7.2"}`}, "ElastiCache.6", posture.NotApplicable},
		{"no version is the newest", form{group, "Engine: redis"}, form{"aws_elasticache_replication_group", `{"engine":"redis"}`}, "ElastiCache.6", posture.NotApplicable},
		{"a version that is none", form{group, "Engine: redis\nEngineVersion: latest"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"latest"}`}, "ElastiCache.6", posture.Undecided},
		{"new Redis open", form{group, "Engine: redis\nEngineVersion: '7.1'"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"7.1"}`}, "Gatehouse.2", posture.FailEffective},
		{"new Redis with a token", form{group, "Engine: redis\nEngineVersion: '7.1'\nAuthToken: '{{resolve:ssm:a}}'"}, form{"aws_elasticache_replication_group", `{"engine":"redis","engine_version":"7.1","auth_token":"abcdefghijklmnop"}`}, "Gatehouse.2", posture.Pass},
		{"serverless without a group", form{"AWS::ElastiCache::ServerlessCache", "Engine: valkey"}, form{"aws_elasticache_serverless_cache", `{"engine":"valkey"}`}, "Gatehouse.2", posture.FailEffective},
		{"serverless with a group elsewhere", form{"AWS::ElastiCache::ServerlessCache", "Engine: valkey\nUserGroupId: g"}, form{"aws_elasticache_serverless_cache", `{"engine":"valkey","user_group_id":"g"}`}, "Gatehouse.2", posture.Undecided},
		{"standalone Redis", form{"AWS::ElastiCache::CacheCluster", "Engine: redis"}, form{"aws_elasticache_cluster", `{"engine":"redis"}`}, "Gatehouse.2", posture.FailEffective},
		{"default subnets by omission", form{"AWS::ElastiCache::CacheCluster", "Engine: redis"}, form{"aws_elasticache_cluster", `{"engine":"redis"}`}, "ElastiCache.7", posture.Fail},
		{"own subnets", form{"AWS::ElastiCache::CacheCluster", "Engine: redis\nCacheSubnetGroupName: mine"}, form{"aws_elasticache_cluster", `{"engine":"redis","subnet_group_name":"mine"}`}, "ElastiCache.7", posture.Pass},
		{"a member is judged by its group", form{}, form{"aws_elasticache_cluster", `{"engine":"redis","replication_group_id":"g"}`}, "ElastiCache.7", posture.NotApplicable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.cfn.kind != "" {
				findings := audit(t, "t.yaml", map[string]string{"t.yaml": resource(c.cfn.kind, c.cfn.text)}, files.Options{})
				expect(t, findings, judgement{c.control, "R", c.want})
				if f := find(t, findings, c.control, "R"); f.Source.Line != 4 || f.Source.File == "" {
					t.Errorf("the finding is at %s:%d, want line 4", f.Source.File, f.Source.Line)
				}
			}
			findings := audit(t, "plan.json", map[string]string{"plan.json": planned(c.terraform.kind, c.terraform.text, "")}, files.Options{})
			expect(t, findings, judgement{c.control, c.terraform.kind + ".x", c.want})
			if f := find(t, findings, c.control, c.terraform.kind+".x"); f.Source.Address != c.terraform.kind+".x" || f.Source.Origin != posture.OriginTerraform {
				t.Errorf("the finding's source is %+v, want the address", f.Source)
			}
		})
	}
}
