package posture

// Attributes of routes (KindRoute) and REST methods (KindRESTMethod).
const (
	APIID               Attribute = "ApiId"               // text
	ProtocolType        Attribute = "ProtocolType"        // text: HTTP or WEBSOCKET
	RouteKey            Attribute = "RouteKey"            // text: "GET /orders", "$default", "$connect"; for REST "GET /path"
	AuthorizationType   Attribute = "AuthorizationType"   // text: NONE, AWS_IAM, CUSTOM, JWT; REST also COGNITO_USER_POOLS
	AuthorizerID        Attribute = "AuthorizerId"        // text
	AuthorizationScopes Attribute = "AuthorizationScopes" // list
	JWTAudience         Attribute = "JwtAudience"         // list: the authorizer's audiences
	APIKeyRequired      Attribute = "ApiKeyRequired"      // flag
	ConnectAuthorized   Attribute = "ConnectAuthorized"   // flag: the WebSocket API's $connect route has an authorization type
	CORSConfigured      Attribute = "CorsConfigured"      // flag
)

// Attributes of AppSync APIs (KindGraphQLAPI, KindEventAPI).
const (
	AuthenticationType            Attribute = "AuthenticationType"                // text
	AdditionalAuthenticationTypes Attribute = "AdditionalAuthenticationProviders" // list of authentication types
	APIType                       Attribute = "ApiType"                           // text: GRAPHQL or MERGED
	LiveAPIKeys                   Attribute = "LiveApiKeys"                       // number of keys that have not expired
	AuthProviders                 Attribute = "EventConfig.AuthProviders"         // list
	ConnectionAuthModes           Attribute = "EventConfig.ConnectionAuthModes"   // list
	DefaultPublishAuthModes       Attribute = "EventConfig.DefaultPublishAuthModes"
	DefaultSubscribeAuthModes     Attribute = "EventConfig.DefaultSubscribeAuthModes"
	NamespaceAuthModes            Attribute = "ChannelNamespace.AuthModes" // list: overrides of every channel namespace together
)

// Attributes of DMS endpoints (KindDMSEndpoint).
const (
	EngineName                Attribute = "EngineName"                         // text
	EndpointType              Attribute = "EndpointType"                       // text: source or target
	MongoDBSettings           Attribute = "MongoDbSettings"                    // flag: the block is there
	AuthType                  Attribute = "MongoDbSettings.AuthType"           // text: no or password
	AuthMechanism             Attribute = "MongoDbSettings.AuthMechanism"      // text
	ExtraConnectionAttributes Attribute = "ExtraConnectionAttributes.authType" // text: only the value of authType in it
	RunningTasks              Attribute = "RunningTasks"                       // number of tasks that use the endpoint
)

// Attributes of MSK clusters (KindMSKCluster).
const (
	ClientAuthentication Attribute = "ClientAuthentication"                            // flag: the block is there
	Unauthenticated      Attribute = "ClientAuthentication.Unauthenticated.Enabled"    // flag
	SASLIAM              Attribute = "ClientAuthentication.Sasl.Iam.Enabled"           // flag
	SASLSCRAM            Attribute = "ClientAuthentication.Sasl.Scram.Enabled"         // flag
	MutualTLS            Attribute = "ClientAuthentication.Tls.Enabled"                // flag; CertificateAuthorityArnList alone counts as true
	ClientBroker         Attribute = "EncryptionInfo.EncryptionInTransit.ClientBroker" // text: TLS, TLS_PLAINTEXT, PLAINTEXT
	InCluster            Attribute = "EncryptionInfo.EncryptionInTransit.InCluster"    // flag
	PlaintextBootstrap   Attribute = "BootstrapBrokerString"                           // text; live only: a plaintext listener exists when it is not empty
)

// Attributes of ElastiCache resources (KindReplicationGroup, KindCacheCluster,
// KindServerlessCache).
const (
	Engine                   Attribute = "Engine"                   // text: redis, valkey, memcached
	EngineVersion            Attribute = "EngineVersion"            // text: the lowest version among the members
	AuthToken                Attribute = "AuthToken"                // Secret() or Absent()
	AuthTokenUpdateStrategy  Attribute = "AuthTokenUpdateStrategy"  // text: the strategy of the last change of the token, when it is known
	AuthTokenIntroduced      Attribute = "AuthTokenIntroduced"      // flag: that change gave the group its first token
	AnonymousAccepted        Attribute = "AnonymousAccepted"        // flag: a probe, or a Gatehouse cache's own mode, says so
	UserGroupIDs             Attribute = "UserGroupIds"             // list; a serverless cache has at most one
	DefaultUserOpen          Attribute = "DefaultUserOpen"          // flag: a user named default in those groups is on and needs no password
	TransitEncryptionEnabled Attribute = "TransitEncryptionEnabled" // flag
	TransitEncryptionMode    Attribute = "TransitEncryptionMode"    // text: preferred or required
	AtRestEncryptionEnabled  Attribute = "AtRestEncryptionEnabled"  // flag
	AutomaticFailover        Attribute = "AutomaticFailover"        // text: enabled, disabled, enabling, disabling
	SnapshotRetentionLimit   Attribute = "SnapshotRetentionLimit"   // number of days
	AutoMinorVersionUpgrade  Attribute = "AutoMinorVersionUpgrade"  // flag
	CacheSubnetGroupName     Attribute = "CacheSubnetGroupName"     // text
	ReplicationGroupID       Attribute = "ReplicationGroupId"       // text: the cluster is a member of this group
	MembersJudged            Attribute = "MembersJudged"            // flag: the source also returns the group's member clusters
)

// Attributes of KindConfigRule: whether AWS Config evaluates a control in a
// region. The resource's Name is the control's id.
const (
	RecorderRunning Attribute = "RecorderRunning" // flag
	TypeRecorded    Attribute = "TypeRecorded"    // flag: the recorder covers the control's resource type
	RulePresent     Attribute = "RulePresent"     // flag: a rule with the control's identifier exists and is active
	RuleOffered     Attribute = "RuleOffered"     // flag: AWS offers the rule in this region
	SecurityHubIsOn Attribute = "SecurityHubIsOn" // flag
)
