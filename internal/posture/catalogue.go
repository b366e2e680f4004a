package posture

const (
	accessManagement = "Protect > Secure access management"
	passwordless     = "Protect > Secure access management > Passwordless authentication"

	nist     = "NIST SP 800-53 Rev. 5"
	pci      = "PCI DSS v4.0.1"
	hubGuide = "AWS Security Hub user guide, page of the control"

	guide = "https://docs.aws.amazon.com/securityhub/latest/userguide/"
)

// securityHub are the controls of AWS Security Hub, with AWS's own data. The
// facts are those of the Security Hub user guide and of the AWS Config rule
// pages.
var securityHub = []Control{
	{
		ID: "APIGateway.8", Title: "API Gateway routes should specify an authorization type",
		Severity: SeverityMedium, Category: accessManagement, Kinds: []Kind{KindRoute},
		ConfigRule: "api-gwv2-authorization-type-configured", Schedule: Periodic,
		Parameters: []Parameter{{Name: "authorizationType", Allowed: []string{"AWS_IAM", "CUSTOM", "JWT"}}},
		Mappings:   []Mapping{{nist, []string{"AC-3", "CM-2", "CM-2(2)"}, hubGuide}},
		Usage:      usageOfAPI, Page: guide + "apigateway-controls.html#apigateway-8", Rule: routeAuthorization,
	},
	{
		ID: "AppSync.5", Title: "AWS AppSync GraphQL APIs should not be authenticated with API keys",
		Severity: SeverityHigh, Category: passwordless, Kinds: []Kind{KindGraphQLAPI},
		ConfigRule: "appsync-authorization-check", Schedule: ChangeTriggered,
		Parameters: []Parameter{{
			Name: "AllowedAuthorizationTypes", Fixed: true,
			Default: "AWS_LAMBDA, AWS_IAM, OPENID_CONNECT, AMAZON_COGNITO_USER_POOLS",
		}},
		Mappings: []Mapping{{nist, []string{"AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-6"}, hubGuide}},
		Usage:    usageOfAppSync, Page: guide + "appsync-controls.html#appsync-5", Rule: graphQLKeys,
	},
	{
		ID: "DMS.11", Title: "DMS endpoints for MongoDB should have an authentication mechanism enabled",
		Severity: SeverityMedium, Category: passwordless, Kinds: []Kind{KindDMSEndpoint},
		ConfigRule: "dms-mongo-db-authentication-enabled", Schedule: ChangeTriggered,
		Mappings: []Mapping{
			{nist, []string{"AC-3", "AC-6", "IA-2", "IA-5"}, hubGuide},
			{pci, []string{"7.3.1"}, hubGuide},
		},
		Usage: usageOfDMS, Page: guide + "dms-controls.html#dms-11", Rule: mongoAuthentication,
	},
	{
		ID: "MSK.6", Title: "MSK clusters should disable unauthenticated access",
		Severity: SeverityMedium, Category: passwordless, Kinds: []Kind{KindMSKCluster, KindMSKServerless},
		ConfigRule: "msk-unrestricted-access-check", Schedule: ChangeTriggered,
		Usage: usageOfMSK, Page: guide + "msk-controls.html#msk-6", Rule: mskUnauthenticated,
	},
	{
		ID: "ElastiCache.1", Title: "ElastiCache (Redis OSS) clusters should have automatic backups enabled",
		Severity: SeverityHigh, Category: "Recover > Resilience > Backups enabled",
		Kinds:      []Kind{KindCacheCluster, KindReplicationGroup},
		ConfigRule: "elasticache-redis-cluster-automatic-backup-check", Schedule: Periodic,
		Parameters: []Parameter{{Name: "snapshotRetentionPeriod", Allowed: []string{"1–35"}, Default: "1"}},
		Mappings: []Mapping{{nist, []string{
			"CP-10", "CP-6", "CP-6(1)", "CP-6(2)", "CP-9", "SC-5(2)", "SI-12", "SI-13(5)",
		}, hubGuide}},
		Page: guide + "elasticache-controls.html#elasticache-1", Rule: cacheBackups,
	},
	{
		ID: "ElastiCache.2", Title: "ElastiCache clusters should have automatic minor version upgrades enabled",
		Severity: SeverityHigh, Category: "Identify > Vulnerability, patch, and version management",
		Kinds:      []Kind{KindCacheCluster, KindReplicationGroup},
		ConfigRule: "elasticache-auto-minor-version-upgrade-check", Schedule: Periodic,
		Mappings: []Mapping{
			{nist, []string{"SI-2", "SI-2(2)", "SI-2(4)", "SI-2(5)"}, hubGuide},
			{pci, []string{"6.3.3"}, hubGuide},
		},
		Page: guide + "elasticache-controls.html#elasticache-2", Rule: cacheUpgrades,
	},
	{
		ID: "ElastiCache.3", Title: "ElastiCache replication groups should have automatic failover enabled",
		Severity: SeverityMedium, Category: "Recover > Resilience > High availability",
		Kinds:      []Kind{KindReplicationGroup},
		ConfigRule: "elasticache-repl-grp-auto-failover-enabled", Schedule: Periodic,
		Mappings: []Mapping{{nist, []string{"CP-10", "SC-36", "SC-5(2)", "SI-13(5)"}, hubGuide}},
		Page:     guide + "elasticache-controls.html#elasticache-3", Rule: cacheFailover,
	},
	{
		ID: "ElastiCache.4", Title: "ElastiCache replication groups should be encrypted at rest",
		Severity: SeverityMedium, Category: "Protect > Data protection > Encryption of data-at-rest",
		Kinds:      []Kind{KindReplicationGroup},
		ConfigRule: "elasticache-repl-grp-encrypted-at-rest", Schedule: Periodic,
		Mappings: []Mapping{{nist, []string{
			"CA-9(1)", "CM-3(6)", "SC-13", "SC-28", "SC-28(1)", "SC-7(10)", "SI-7(6)",
		}, hubGuide}},
		Page: guide + "elasticache-controls.html#elasticache-4", Rule: cacheAtRest,
	},
	{
		ID: "ElastiCache.5", Title: "ElastiCache replication groups should be encrypted in transit",
		Severity: SeverityMedium, Category: "Protect > Data protection > Encryption of data-in-transit",
		Kinds:      []Kind{KindReplicationGroup},
		ConfigRule: "elasticache-repl-grp-encrypted-in-transit", Schedule: Periodic,
		Mappings: []Mapping{
			{nist, []string{
				"AC-17(2)", "AC-4", "IA-5(1)", "SC-12(3)", "SC-13", "SC-23", "SC-23(3)",
				"SC-7(4)", "SC-8", "SC-8(1)", "SC-8(2)", "SI-7(6)",
			}, hubGuide},
			{pci, []string{"4.2.1"}, hubGuide},
		},
		Page: guide + "elasticache-controls.html#elasticache-5", Rule: cacheInTransit,
	},
	{
		ID: "ElastiCache.6", Title: "ElastiCache (Redis OSS) replication groups of earlier versions should have Redis OSS AUTH enabled",
		Severity: SeverityMedium, Category: accessManagement, Kinds: []Kind{KindReplicationGroup},
		ConfigRule: "elasticache-repl-grp-redis-auth-enabled", Schedule: Periodic,
		Mappings: []Mapping{
			{nist, []string{"AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-6"}, hubGuide},
			{pci, []string{"8.3.1"}, hubGuide},
		},
		Usage: usageOfOldRedis, Page: guide + "elasticache-controls.html#elasticache-6", Rule: cacheToken,
	},
	{
		ID: "ElastiCache.7", Title: "ElastiCache clusters should not use the default subnet group",
		Severity: SeverityHigh, Category: "Protect > Secure network configuration",
		Kinds:      []Kind{KindCacheCluster, KindReplicationGroup},
		ConfigRule: "elasticache-subnet-group-check", Schedule: Periodic,
		Mappings: []Mapping{{nist, []string{
			"AC-4", "AC-4(21)", "SC-7", "SC-7(11)", "SC-7(16)", "SC-7(21)", "SC-7(4)", "SC-7(5)",
		}, hubGuide}},
		Page: guide + "elasticache-controls.html#elasticache-7", Rule: cacheSubnetGroup,
	},
}

// own are Gatehouse's own checks: what answers strangers while the AWS control
// is green or says nothing.
var own = []Control{
	{
		ID: "Gatehouse.1", Own: true, Title: "A cache that was given a token with ROTATE should require it with SET",
		Severity: SeverityHigh, Category: accessManagement, Kinds: []Kind{KindReplicationGroup},
		Usage: usageOfCache, Rule: tokenOptional,
	},
	{
		ID: "Gatehouse.2", Own: true, Title: "Caches beyond ElastiCache.6 should not admit a default user without a password",
		Severity: SeverityHigh, Category: accessManagement,
		Kinds: []Kind{KindReplicationGroup, KindCacheCluster, KindServerlessCache},
		Usage: usageOfCache, Rule: defaultUserOpen,
	},
	{
		ID: "Gatehouse.3", Own: true, Title: "Caches should refuse cleartext connections (transit encryption mode required)",
		Severity: SeverityMedium, Category: "Protect > Data protection > Encryption of data-in-transit",
		Kinds: []Kind{KindReplicationGroup}, Rule: transitPreferred,
	},
	{
		ID: "Gatehouse.4", Own: true, Title: "MSK clusters should have no plaintext listener, which asks nobody",
		Severity: SeverityHigh, Category: passwordless, Kinds: []Kind{KindMSKCluster},
		Usage: usageOfMSK, Rule: mskPlaintext,
	},
	{
		ID: "Gatehouse.5", Own: true, Title: "AppSync GraphQL APIs should not keep an API key as an additional mode",
		Severity: SeverityHigh, Category: passwordless, Kinds: []Kind{KindGraphQLAPI},
		Usage: usageOfAppSync, Rule: graphQLAdditionalKey,
	},
	{
		ID: "Gatehouse.6", Own: true, Title: "AppSync Event APIs should not accept API keys",
		Severity: SeverityHigh, Category: passwordless, Kinds: []Kind{KindEventAPI},
		Usage: usageOfAppSync, Rule: eventAPIKeys,
	},
	{
		ID: "Gatehouse.7", Own: true, Title: "API Gateway $default routes should not answer whatever no other route matches, unasked",
		Severity: SeverityHigh, Category: accessManagement, Kinds: []Kind{KindRoute},
		Usage: usageOfAPI, Rule: defaultRoute,
	},
	{
		ID: "Gatehouse.8", Own: true, Title: "REST API methods should specify an authorization type",
		Severity: SeverityMedium, Category: accessManagement, Kinds: []Kind{KindRESTMethod},
		Usage: usageOfAPI, Rule: restMethod,
	},
	{
		ID: "Gatehouse.9", Own: true, Title: "AWS Config should record and evaluate each control in each region",
		Severity: SeverityLow, Category: "Detect > Detection services", Kinds: []Kind{KindConfigRule},
		Rule: configEvaluates,
	},
}

var catalogue = withFrameworks(append(append([]Control{}, securityHub...), own...))

// What AWS can show of unauthenticated use. The live source replaces these with
// numbers where it measures them.
var (
	usageOfAPI = map[Kind]Usage{
		KindRoute: {
			Quality: QualityProxy, Where: "AWS/ApiGateway Count by ApiId, Stage, Method and Resource, with DetailedMetricsEnabled",
			Caution: "metrics do not tell calls with a token from calls without one; access logs with $context.routeKey can",
		},
		KindRESTMethod: {
			Quality: QualityProxy, Where: "AWS/ApiGateway Count by ApiName, Stage, Method and Resource, with detailed metrics",
			Caution: "metrics do not tell calls with a token from calls without one",
		},
	}
	usageOfAppSync = map[Kind]Usage{
		KindGraphQLAPI: {
			Quality: QualityExact, Where: "CloudTrail data events of AWS::AppSync::GraphQLApi, additionalEventData.authType contains API_KEY",
			Caution: "data events are off by default and cost money",
		},
		KindEventAPI: {Quality: QualityNone, Where: "none exists: AWS measures no use of API keys on Event APIs"},
	}
	usageOfDMS = map[Kind]Usage{
		KindDMSEndpoint: {
			Quality: QualityNone, Where: "none exists: DMS is the client; the MongoDB server's own log shows unauthenticated connections",
		},
	}
	usageOfMSK = map[Kind]Usage{
		KindMSKCluster: {
			Quality: QualityProxy, Where: "VPC flow logs to the brokers on ports 9092 and 9094, or broker logs with principal User:ANONYMOUS",
			Caution: "no CloudWatch metric counts anonymous clients: ClientConnectionCount counts authenticated ones only",
		},
	}
	usageOfOldRedis = map[Kind]Usage{
		KindReplicationGroup: {
			Quality: QualityNone, Where: "none exists below 6.0: neither AWS nor the engine shows who skipped AUTH",
		},
	}
	usageOfCache = map[Kind]Usage{
		KindReplicationGroup: {
			Quality: QualityProxy, Where: "CLIENT LIST (user=) on the nodes, from engine 6.0",
			Caution: "with plain AUTH every client is \"default\"; no CloudWatch metric counts anonymous commands",
		},
		KindCacheCluster:    {Quality: QualityProxy, Where: "CLIENT LIST (user=) on the node, from engine 6.0"},
		KindServerlessCache: {Quality: QualityNone, Where: "none exists: serverless caches have no CLIENT LIST"},
	}
)
