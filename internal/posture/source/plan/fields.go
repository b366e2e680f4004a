package plan

import "strings"

// field maps a Terraform attribute to a CloudFormation property. Paths are
// dotted; a block that Terraform holds as a list of one is stepped into.
type field struct {
	to, from string
	how      how
}

type how uint8

const (
	plain  how = iota
	secret     // only whether it is set
	block      // the block itself, so that an empty one is there
	each       // a list of blocks: "list.key"
	extra      // DMS's extra connection attributes
	body       // an OpenAPI document in a string
	api        // the id of an API, followed through references
)

// resourceType is what a Terraform type makes.
type resourceType struct {
	kind   string
	fields []field
}

var httpRoute = []field{
	{"ApiId", "api_id", api},
	{"RouteKey", "route_key", plain},
	{"AuthorizationType", "authorization_type", plain},
	{"AuthorizerId", "authorizer_id", secret},
	{"AuthorizationScopes", "authorization_scopes", plain},
	{"ApiKeyRequired", "api_key_required", plain},
}

var cacheFields = []field{
	{"Engine", "engine", plain},
	{"EngineVersion", "engine_version", plain},
	{"SnapshotRetentionLimit", "snapshot_retention_limit", plain},
	{"AutoMinorVersionUpgrade", "auto_minor_version_upgrade", plain},
	{"CacheSubnetGroupName", "subnet_group_name", plain},
	{"Tags", "tags", plain},
}

// types are the resources of the aws provider that a control may be about.
var types = map[string]resourceType{
	"aws_apigatewayv2_route": {"AWS::ApiGatewayV2::Route", httpRoute},
	"aws_apigatewayv2_api": {"AWS::ApiGatewayV2::Api", []field{
		{"Name", "name", plain},
		{"ProtocolType", "protocol_type", plain},
		{"Target", "target", plain},
		{"RouteKey", "route_key", plain},
		{"Body", "body", body},
		{"CorsConfiguration", "cors_configuration", block},
	}},
	"aws_api_gateway_method": {"AWS::ApiGateway::Method", []field{
		{"HttpMethod", "http_method", plain},
		{"AuthorizationType", "authorization", plain},
		{"AuthorizerId", "authorizer_id", secret},
		{"ApiKeyRequired", "api_key_required", plain},
	}},
	"aws_api_gateway_rest_api": {"AWS::ApiGateway::RestApi", []field{{"Body", "body", body}}},
	"aws_appsync_graphql_api": {"AWS::AppSync::GraphQLApi", []field{
		{"Name", "name", plain},
		{"AuthenticationType", "authentication_type", plain},
		{"ApiType", "api_type", plain},
		{"AdditionalAuthenticationProviders.AuthenticationType", "additional_authentication_provider.authentication_type", each},
		{"Visibility", "visibility", plain},
		{"Tags", "tags", plain},
	}},
	"aws_appsync_api_key": {"AWS::AppSync::ApiKey", []field{{"ApiId", "api_id", api}}},
	"aws_appsync_api": {"AWS::AppSync::Api", []field{
		{"Name", "name", plain},
		{"EventConfig.AuthProviders.AuthType", "event_config.auth_provider.auth_type", each},
		{"EventConfig.ConnectionAuthModes.AuthType", "event_config.connection_auth_mode.auth_type", each},
		{"EventConfig.DefaultPublishAuthModes.AuthType", "event_config.default_publish_auth_mode.auth_type", each},
		{"EventConfig.DefaultSubscribeAuthModes.AuthType", "event_config.default_subscribe_auth_mode.auth_type", each},
	}},
	"aws_appsync_channel_namespace": {"AWS::AppSync::ChannelNamespace", []field{
		{"ApiId", "api_id", api},
		{"PublishAuthModes.AuthType", "publish_auth_mode.auth_type", each},
		{"SubscribeAuthModes.AuthType", "subscribe_auth_mode.auth_type", each},
	}},
	"aws_dms_endpoint": {"AWS::DMS::Endpoint", []field{
		{"EndpointIdentifier", "endpoint_id", plain},
		{"EngineName", "engine_name", plain},
		{"EndpointType", "endpoint_type", plain},
		{"ServerName", "server_name", plain},
		{"MongoDbSettings", "mongodb_settings", block},
		{"MongoDbSettings.AuthType", "mongodb_settings.auth_type", plain},
		{"MongoDbSettings.AuthMechanism", "mongodb_settings.auth_mechanism", plain},
		{"ExtraConnectionAttributes", "extra_connection_attributes", extra},
		{"Tags", "tags", plain},
	}},
	"aws_msk_cluster": {"AWS::MSK::Cluster", []field{
		{"ClusterName", "cluster_name", plain},
		{"ClientAuthentication", "client_authentication", block},
		{"ClientAuthentication.Unauthenticated.Enabled", "client_authentication.unauthenticated", plain},
		{"ClientAuthentication.Sasl.Iam.Enabled", "client_authentication.sasl.iam", plain},
		{"ClientAuthentication.Sasl.Scram.Enabled", "client_authentication.sasl.scram", plain},
		{"ClientAuthentication.Tls.CertificateAuthorityArnList", "client_authentication.tls.certificate_authority_arns", plain},
		{"EncryptionInfo.EncryptionInTransit.ClientBroker", "encryption_info.encryption_in_transit.client_broker", plain},
		{"EncryptionInfo.EncryptionInTransit.InCluster", "encryption_info.encryption_in_transit.in_cluster", plain},
		{"BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type", "broker_node_group_info.connectivity_info.public_access.type", plain},
		{"Tags", "tags", plain},
	}},
	"aws_msk_serverless_cluster": {"AWS::MSK::ServerlessCluster", nil},
	"aws_elasticache_replication_group": {"AWS::ElastiCache::ReplicationGroup", append([]field{
		{"ReplicationGroupId", "replication_group_id", plain},
		{"AuthToken", "auth_token", secret},
		{"UserGroupIds", "user_group_ids", plain},
		{"TransitEncryptionEnabled", "transit_encryption_enabled", plain},
		{"TransitEncryptionMode", "transit_encryption_mode", plain},
		{"AtRestEncryptionEnabled", "at_rest_encryption_enabled", plain},
		{"AutomaticFailoverEnabled", "automatic_failover_enabled", plain},
		{"GlobalReplicationGroupId", "global_replication_group_id", plain},
	}, cacheFields...)},
	"aws_elasticache_cluster": {"AWS::ElastiCache::CacheCluster", append([]field{
		{"ClusterName", "cluster_id", plain}, {"ReplicationGroupId", "replication_group_id", plain},
	}, cacheFields...)},
	"aws_elasticache_serverless_cache": {"AWS::ElastiCache::ServerlessCache", []field{
		{"Engine", "engine", plain}, {"UserGroupId", "user_group_id", plain}, {"Tags", "tags", plain},
	}},
	"aws_elasticache_user_group": {"AWS::ElastiCache::UserGroup", []field{
		{"UserGroupId", "user_group_id", plain}, {"UserIds", "user_ids", plain},
	}},
	"aws_elasticache_user": {"AWS::ElastiCache::User", []field{
		{"UserId", "user_id", plain},
		{"UserName", "user_name", plain},
		{"AccessString", "access_string", plain},
		{"NoPasswordRequired", "no_password_required", plain},
		{"Passwords", "passwords", secret},
		{"AuthenticationMode.Type", "authentication_mode.type", plain},
	}},
}

// cloudControl are the awscc provider's types; their attributes are the
// CloudFormation properties in snake case.
var cloudControl = map[string]string{
	"awscc_apigatewayv2_route":            "AWS::ApiGatewayV2::Route",
	"awscc_apigatewayv2_api":              "AWS::ApiGatewayV2::Api",
	"awscc_apigateway_method":             "AWS::ApiGateway::Method",
	"awscc_apigateway_rest_api":           "AWS::ApiGateway::RestApi",
	"awscc_appsync_graph_ql_api":          "AWS::AppSync::GraphQLApi",
	"awscc_appsync_graphql_api":           "AWS::AppSync::GraphQLApi",
	"awscc_appsync_api":                   "AWS::AppSync::Api",
	"awscc_appsync_channel_namespace":     "AWS::AppSync::ChannelNamespace",
	"awscc_dms_endpoint":                  "AWS::DMS::Endpoint",
	"awscc_msk_cluster":                   "AWS::MSK::Cluster",
	"awscc_msk_serverless_cluster":        "AWS::MSK::ServerlessCluster",
	"awscc_elasticache_replication_group": "AWS::ElastiCache::ReplicationGroup",
	"awscc_elasticache_cache_cluster":     "AWS::ElastiCache::CacheCluster",
	"awscc_elasticache_serverless_cache":  "AWS::ElastiCache::ServerlessCache",
	"awscc_elasticache_user_group":        "AWS::ElastiCache::UserGroup",
	"awscc_elasticache_user":              "AWS::ElastiCache::User",
}

func translatable(kind string) bool {
	_, classic := types[kind]
	_, cloud := cloudControl[kind]
	return classic || cloud
}

// pascal turns an awscc attribute into the property's name.
func pascal(snake string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(snake, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
