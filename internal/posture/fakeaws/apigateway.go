package fakeaws

import (
	"maps"
	"strings"
)

// pageLimit is the most items API Gateway puts on a page.
const pageLimit = 500

var gatewayHandlers = map[string]handler{
	"GetApis":         func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "apis", "") },
	"GetApi":          func(r *Region, q *request) (Doc, error) { return r.need("apis", q.path[2], "NotFoundException") },
	"GetRoutes":       func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "routes", q.path[2]) },
	"GetAuthorizers":  func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "authorizers", q.path[2]) },
	"GetIntegrations": func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "integrations", q.path[2]) },
	"GetStages":       func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "stages", q.path[2]) },
	"GetDeployments":  func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "deployments", q.path[2]) },
	"GetDomainNames":  func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "domains", "") },
	"GetApiMappings":  func(r *Region, q *request) (Doc, error) { return r.gatewayPage(q, "mappings", q.path[2]) },
	"GetRoute": func(r *Region, q *request) (Doc, error) {
		return r.need(q.under("routes"), q.path[4], "NotFoundException")
	},
	"GetStage": func(r *Region, q *request) (Doc, error) {
		return r.need(q.under("stages"), q.path[4], "NotFoundException")
	},
	"GetDeployment": func(r *Region, q *request) (Doc, error) {
		return r.need(q.under("deployments"), q.path[4], "NotFoundException")
	},
	"GetRestApis":      func(r *Region, q *request) (Doc, error) { return r.restPage(q, "restapis") },
	"GetResources":     getRESTResources,
	"CreateRoute":      createRoute,
	"UpdateRoute":      updateRoute,
	"DeleteRoute":      deleteRoute,
	"CreateAuthorizer": createAuthorizer,
	"DeleteAuthorizer": deleteAuthorizer,
	"UpdateStage":      updateStage,
	"CreateDeployment": createDeployment,
}

// under is the table of a kind that belongs to the API that the path names.
func (q *request) under(kind string) string { return kind + "/" + q.path[2] }

func (r *Region) need(tableName, id, code string) (Doc, error) {
	d := r.table(tableName).byID[id]
	if d == nil {
		return nil, refuse(code, "%s %s does not exist", tableName, id)
	}
	return d, nil
}

func (r *Region) gatewayPage(q *request, kind, parent string) (Doc, error) {
	name := kind
	if parent != "" {
		name += "/" + parent
		if kind != "mappings" {
			if _, err := r.need("apis", parent, "NotFoundException"); err != nil {
				return nil, err
			}
		}
	}
	items, next, err := r.page(name, r.table(name).list(), text(q.in, "nextToken"), limit(q.in["maxResults"], 100, pageLimit))
	if err != nil {
		return nil, err
	}
	out := Doc{"items": items}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

// AddHTTPAPI seeds an API with the stage $default, deployed automatically.
func (r *Region) AddHTTPAPI(id string, d Doc) Doc {
	api := r.seed("apis", id, Doc{
		"apiId": id, "name": id, "protocolType": "HTTP", "apiGatewayManaged": false, "disableExecuteApiEndpoint": false,
		"apiEndpoint": r.fake.URL + dataPrefix + r.Account + "/" + r.Name + "/http/" + id, "createdDate": r.fake.Now(),
	}, d)
	r.AddStage(id, "$default", Doc{"autoDeploy": true})
	return api
}

// AddWebSocketAPI seeds a WebSocket API with an open $connect route on a stage
// that is deployed by hand.
func (r *Region) AddWebSocketAPI(id string) {
	address := "ws" + strings.TrimPrefix(r.fake.URL, "http") + dataPrefix + r.Account + "/" + r.Name + "/http/" + id
	r.AddHTTPAPI(id, Doc{"protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action", "apiEndpoint": address})
	r.Drop("stages/"+id, "$default")
	r.AddRoute(id, "connect", Doc{"routeKey": "$connect"})
	r.AddRoute(id, "message", Doc{"routeKey": "message"})
	r.AddStage(id, "live", nil)
	r.Deploy(id, "live")
}

// AddStage seeds a stage. One without autoDeploy serves nothing until the first
// deployment.
func (r *Region) AddStage(api, name string, d Doc) Doc {
	return r.seed("stages/"+api, name, Doc{
		"stageName": name, "autoDeploy": false, "createdDate": r.fake.Now(),
		"lastUpdatedDate": r.fake.Now(), "defaultRouteSettings": Doc{"detailedMetricsEnabled": false},
	}, d)
}

// AddRoute seeds an open route unless d says otherwise.
func (r *Region) AddRoute(api, id string, d Doc) Doc {
	return r.seed("routes/"+api, id, Doc{
		"routeId": id, "routeKey": "GET /" + id, "authorizationType": "NONE",
		"apiKeyRequired": false, "apiGatewayManaged": false, "target": "integrations/i-" + id,
	}, d)
}

// Deploy makes a stage serve the routes as they are now.
func (r *Region) Deploy(api, stage string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.deploy(api, stage, r.fake.id("dep"))
}

func (r *Region) deploy(api, stage, id string) Doc {
	routes := Doc{}
	for _, route := range r.table("routes/" + api).list() {
		routes[text(route, "routeKey")] = text(route, "authorizationType")
	}
	d := r.table("deployments/"+api).put(id, Doc{
		"deploymentId": id, "deploymentStatus": "DEPLOYED", "autoDeployed": false,
		"createdDate": r.fake.Now(), "_routes": routes,
	})
	if s := r.table("stages/" + api).byID[stage]; s != nil {
		s["deploymentId"], s["lastUpdatedDate"] = id, r.fake.Now()
	}
	return d
}

func createRoute(r *Region, q *request) (Doc, error) {
	if _, err := r.need("apis", q.path[2], "NotFoundException"); err != nil {
		return nil, err
	}
	for _, have := range r.table(q.under("routes")).list() {
		if have["routeKey"] == q.in["routeKey"] {
			return nil, refuse("ConflictException", "Route with key %v already exists for this API", q.in["routeKey"])
		}
	}
	id := r.fake.id("rt")
	d := Doc{"routeId": id, "authorizationType": "NONE", "apiKeyRequired": false, "apiGatewayManaged": false}
	maps.Copy(d, q.in)
	if err := r.checkRoute(q, d); err != nil {
		return nil, err
	}
	return r.table(q.under("routes")).put(id, d), nil
}

func updateRoute(r *Region, q *request) (Doc, error) {
	have, err := r.need(q.under("routes"), q.path[4], "NotFoundException")
	if err != nil {
		return nil, err
	}
	next := maps.Clone(have)
	maps.Copy(next, q.in)
	if t := text(next, "authorizationType"); t == "NONE" || t == "AWS_IAM" {
		delete(next, "authorizerId")
		delete(next, "authorizationScopes")
	}
	if err := r.checkRoute(q, next); err != nil {
		return nil, err
	}
	return r.table(q.under("routes")).put(q.path[4], next), nil
}

func (r *Region) checkRoute(q *request, route Doc) error {
	kind := text(route, "authorizationType")
	if kind != "JWT" && kind != "CUSTOM" {
		return nil
	}
	authorizer := r.table(q.under("authorizers")).byID[text(route, "authorizerId")]
	if authorizer == nil {
		return refuse("BadRequestException", "Invalid authorizer ID for the route")
	}
	if (text(authorizer, "authorizerType") == "JWT") != (kind == "JWT") {
		return refuse("BadRequestException", "AuthorizationType %s does not match the authorizer's type", kind)
	}
	return nil
}

func deleteRoute(r *Region, q *request) (Doc, error) {
	if _, err := r.need(q.under("routes"), q.path[4], "NotFoundException"); err != nil {
		return nil, err
	}
	r.table(q.under("routes")).drop(q.path[4])
	return Doc{}, nil
}

func createAuthorizer(r *Region, q *request) (Doc, error) {
	if text(q.in, "authorizerType") == "JWT" && q.in["jwtConfiguration"] == nil {
		return nil, refuse("BadRequestException", "JwtConfiguration is required for a JWT authorizer")
	}
	for _, have := range r.table(q.under("authorizers")).list() {
		if have["name"] == q.in["name"] {
			return nil, refuse("BadRequestException", "Authorizer name must be unique. Authorizer %v already exists in this API", q.in["name"])
		}
	}
	id := r.fake.id("auth")
	d := maps.Clone(q.in)
	d["authorizerId"] = id
	return r.table(q.under("authorizers")).put(id, d), nil
}

func deleteAuthorizer(r *Region, q *request) (Doc, error) {
	if _, err := r.need(q.under("authorizers"), q.path[4], "NotFoundException"); err != nil {
		return nil, err
	}
	for _, route := range r.table(q.under("routes")).list() {
		if route["authorizerId"] == q.path[4] {
			return nil, refuse("ConflictException", "Cannot delete authorizer %s, it is referenced by a route", q.path[4])
		}
	}
	r.table(q.under("authorizers")).drop(q.path[4])
	return Doc{}, nil
}

func updateStage(r *Region, q *request) (Doc, error) {
	stage, err := r.need(q.under("stages"), q.path[4], "NotFoundException")
	if err != nil {
		return nil, err
	}
	if id := text(q.in, "deploymentId"); id != "" {
		if truth(stage, "autoDeploy") {
			return nil, refuse("BadRequestException", "Deployment ID cannot be set on a stage with AutoDeploy enabled")
		}
		if _, err := r.need(q.under("deployments"), id, "NotFoundException"); err != nil {
			return nil, err
		}
	}
	maps.Copy(stage, q.in)
	stage["lastUpdatedDate"] = r.fake.Now()
	return stage, nil
}

func createDeployment(r *Region, q *request) (Doc, error) {
	if _, err := r.need("apis", q.path[2], "NotFoundException"); err != nil {
		return nil, err
	}
	name := text(q.in, "stageName")
	if name != "" {
		stage, err := r.need(q.under("stages"), name, "NotFoundException")
		if err != nil {
			return nil, err
		}
		if truth(stage, "autoDeploy") {
			return nil, refuse("BadRequestException", "Cannot create a deployment for a stage with AutoDeploy enabled")
		}
	}
	return r.deploy(q.path[2], name, r.fake.id("dep")), nil
}

// served returns what a stage answers with: the routes of the moment when it
// deploys automatically, else those of its deployment.
func (r *Region) served(api, stage string) Doc {
	s := r.table("stages/" + api).byID[stage]
	if s == nil {
		return nil
	}
	if truth(s, "autoDeploy") {
		routes := Doc{}
		for _, route := range r.table("routes/" + api).list() {
			routes[text(route, "routeKey")] = text(route, "authorizationType")
		}
		return routes
	}
	d := r.table("deployments/" + api).byID[text(s, "deploymentId")]
	routes, _ := d["_routes"].(Doc)
	return routes
}

// match finds the route key that serves a request: exact, then with parameters,
// then ANY, then $default.
func match(routes Doc, method, path string) string {
	for _, m := range []string{method, "ANY"} {
		if _, ok := routes[m+" "+path]; ok {
			return m + " " + path
		}
		for key := range routes {
			keyMethod, pattern, _ := strings.Cut(key, " ")
			if keyMethod == m && fits(pattern, path) {
				return key
			}
		}
	}
	if _, ok := routes["$default"]; ok {
		return "$default"
	}
	return ""
}

func fits(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, part := range want {
		if strings.HasSuffix(part, "+}") {
			return i < len(have)
		}
		if i >= len(have) || (part != have[i] && !strings.HasPrefix(part, "{")) {
			return false
		}
	}
	return len(want) == len(have)
}
