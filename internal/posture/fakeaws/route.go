package fakeaws

import (
	"reflect"
	"strings"
)

var mapType = reflect.TypeFor[Doc]()

// handler serves one operation. It runs with the fake locked.
type handler func(*Region, *request) (Doc, error)

// restRoutes maps "service METHOD pattern" to an operation. A star is a segment
// that names something.
var restRoutes = map[string][]struct{ method, pattern, operation string }{
	"apigateway": {
		{"GET", "v2/apis", "GetApis"},
		{"GET", "v2/apis/*", "GetApi"},
		{"GET", "v2/apis/*/routes", "GetRoutes"},
		{"POST", "v2/apis/*/routes", "CreateRoute"},
		{"GET", "v2/apis/*/routes/*", "GetRoute"},
		{"PATCH", "v2/apis/*/routes/*", "UpdateRoute"},
		{"DELETE", "v2/apis/*/routes/*", "DeleteRoute"},
		{"GET", "v2/apis/*/authorizers", "GetAuthorizers"},
		{"POST", "v2/apis/*/authorizers", "CreateAuthorizer"},
		{"DELETE", "v2/apis/*/authorizers/*", "DeleteAuthorizer"},
		{"GET", "v2/apis/*/integrations", "GetIntegrations"},
		{"GET", "v2/apis/*/stages", "GetStages"},
		{"GET", "v2/apis/*/stages/*", "GetStage"},
		{"PATCH", "v2/apis/*/stages/*", "UpdateStage"},
		{"GET", "v2/apis/*/deployments", "GetDeployments"},
		{"POST", "v2/apis/*/deployments", "CreateDeployment"},
		{"GET", "v2/apis/*/deployments/*", "GetDeployment"},
		{"GET", "restapis", "GetRestApis"},
		{"GET", "restapis/*/resources", "GetResources"},
		{"GET", "v2/domainnames", "GetDomainNames"},
		{"GET", "v2/domainnames/*/apimappings", "GetApiMappings"},
	},
	"appsync": {
		{"GET", "v1/apis", "ListGraphqlApis"},
		{"GET", "v1/apis/*", "GetGraphqlApi"},
		{"POST", "v1/apis/*", "UpdateGraphqlApi"},
		{"GET", "v1/apis/*/apikeys", "ListApiKeys"},
		{"POST", "v1/apis/*/apikeys", "CreateApiKey"},
		{"POST", "v1/apis/*/apikeys/*", "UpdateApiKey"},
		{"DELETE", "v1/apis/*/apikeys/*", "DeleteApiKey"},
		{"GET", "v1/apis/*/sourceApiAssociations", "ListSourceApiAssociations"},
		{"GET", "v2/apis", "ListApis"},
		{"GET", "v2/apis/*/channelNamespaces", "ListChannelNamespaces"},
	},
	"kafka": {
		{"GET", "api/v2/clusters", "ListClustersV2"},
		{"GET", "api/v2/clusters/*", "DescribeClusterV2"},
		{"GET", "api/v2/operations/*", "DescribeClusterOperationV2"},
		{"GET", "v1/clusters/*/bootstrap-brokers", "GetBootstrapBrokers"},
		{"GET", "v1/clusters/*/nodes", "ListNodes"},
		{"GET", "v1/clusters/*/scram-secrets", "ListScramSecrets"},
		{"POST", "v1/clusters/*/scram-secrets", "BatchAssociateScramSecret"},
		{"PATCH", "v1/clusters/*/security", "UpdateSecurity"},
	},
	"securityhub": {
		{"POST", "findings/import", "BatchImportFindings"},
		{"PATCH", "findings/batchupdate", "BatchUpdateFindings"},
		{"POST", "findings", "GetFindings"},
	},
	"account": {{"POST", "listRegions", "ListRegions"}},
}

func restOperation(req *request) string {
	for _, route := range restRoutes[req.service] {
		parts := strings.Split(route.pattern, "/")
		if route.method != req.method || len(parts) != len(req.path) {
			continue
		}
		same := true
		for i, part := range parts {
			same = same && (part == "*" || part == req.path[i])
		}
		if same {
			return route.operation
		}
	}
	return ""
}

// handle runs the operation that the request names.
func (r *Region) handle(req *request) (Doc, error) {
	h := handlers[req.service+"."+req.operation]
	if h == nil {
		return nil, refuse("UnknownOperationException", "the fake does not serve %s.%s %s %v", req.service, req.operation, req.method, req.path)
	}
	return h(r, req)
}

var handlers map[string]handler

func init() {
	handlers = map[string]handler{}
	for service, served := range map[string]map[string]handler{
		"apigateway": gatewayHandlers, "appsync": appsyncHandlers, "kafka": kafkaHandlers, "dms": dmsHandlers,
		"elasticache": cacheHandlers, "sts": stsHandlers, "config": configHandlers, "securityhub": hubHandlers,
		"monitoring": metricHandlers, "logs": logHandlers, "cloudtrail": trailHandlers, "account": accountHandlers, "tagging": taggingHandlers,
	} {
		for operation, h := range served {
			handlers[service+"."+operation] = h
		}
	}
}
