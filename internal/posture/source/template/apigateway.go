package template

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// route reads AWS::ApiGatewayV2::Route.
func (t *Template) route(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindRoute, id, node, at, func(b *builder) {
		key := b.text(posture.RouteKey, "RouteKey")
		b.text(posture.AuthorizationType, "AuthorizationType")
		b.present(posture.AuthorizerID, "AuthorizerId")
		b.attrs[posture.AuthorizationScopes] = b.get("AuthorizationScopes").attribute()
		b.text(posture.APIKeyRequired, "ApiKeyRequired")
		b.attrs[posture.JWTAudience] = t.audience(b)
		api := b.get("ApiId")
		t.describeAPI(b, api)
		if key.shape == scalar {
			b.name = strings.TrimSpace(b.name + " " + key.text)
		}
		b.fronts = t.targets(b.props.node.Get("Target"))
	})
}

// describeAPI fills in what a route takes from its API.
func (t *Template) describeAPI(b *builder, api value) {
	b.attrs[posture.ProtocolType] = posture.Unknown("the route's API is not in the template", "the API's protocol")
	if api.shape != reference {
		return
	}
	resource := api.home.resource(api.text)
	if resource == nil {
		b.attrs[posture.ProtocolType] = posture.Text("HTTP") // implied by SAM
		return
	}
	properties := api.home.properties(resource)
	b.name = api.text
	protocol := properties.get("ProtocolType", b.w)
	b.attrs[posture.ProtocolType] = protocol.attribute()
	if protocol.shape == absent { // an API from an OpenAPI body is an HTTP API
		b.attrs[posture.ProtocolType] = posture.Text("HTTP")
	}
	if cors := properties.get("CorsConfiguration", b.w); cors.shape != unknown {
		b.attrs[posture.CORSConfigured] = posture.Flag(cors.shape != absent)
	}
	if protocol.text == "WEBSOCKET" {
		b.attrs[posture.ConnectAuthorized] = posture.Flag(api.home.connectAsks(api.text, b.w))
	}
}

// connectAsks reports whether a WebSocket API's $connect route authorises.
func (t *Template) connectAsks(api string, w *world) bool {
	asks := false
	t.resources.Each(func(_ tree.Key, node *tree.Node) {
		if node.Get("Type").Str() != "AWS::ApiGatewayV2::Route" {
			return
		}
		properties := t.properties(node)
		if properties.get("RouteKey", w).text != "$connect" || properties.get("ApiId", w).text != api {
			return
		}
		kind := properties.get("AuthorizationType", w)
		asks = asks || kind.shape == scalar && kind.text != "NONE"
	})
	return asks
}

func (t *Template) audience(b *builder) posture.Value {
	authorizer := b.get("AuthorizerId")
	if authorizer.shape != reference {
		return posture.Unknown("the authorizer is not in the template", "the authorizer")
	}
	return authorizer.home.properties(authorizer.home.resource(authorizer.text)).at(b.w, "JwtConfiguration", "Audience").attribute()
}

// api reads AWS::ApiGatewayV2::Api: an OpenAPI body and a quick-create target
// both make routes that the template does not list.
func (t *Template) api(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	body := t.properties(node)
	w := &world{chosen: map[string]string{}, frozen: true}
	if root := body.get("Body", w); root.shape != absent {
		t.openAPIRoutes(inv, id, node, root, at)
	} else if body.get("BodyS3Location", w).shape != absent {
		t.unseenRoutes(inv, posture.KindRoute, id, node, at, "the OpenAPI body is in S3", "the body, inline or as a local file")
	}
	target := body.get("Target", w)
	if target.shape == absent {
		return
	}
	t.declare(inv, posture.KindRoute, id+"/"+t.quickKey(body, w), node, at, func(b *builder) {
		key := b.get("RouteKey")
		b.attrs[posture.RouteKey] = key.attribute()
		if key.shape == absent {
			b.attrs[posture.RouteKey] = posture.Text("$default")
		}
		b.attrs[posture.ProtocolType] = posture.Text("HTTP")
		b.name, b.fronts = id, mentioned(b.props.node.Get("Target"))
		b.attrs[posture.AuthorizationType], b.attrs[posture.AuthorizerID] = t.managedOverride(id, b.w)
	})
}

func (t *Template) quickKey(body value, w *world) string {
	if key := body.get("RouteKey", w); key.shape == scalar {
		return key.text
	}
	return "$default"
}

// managedOverride is what AWS::ApiGatewayV2::ApiGatewayManagedOverrides says
// about the route of a quick-created API: nothing means NONE.
func (t *Template) managedOverride(api string, w *world) (kind, authorizer posture.Value) {
	kind, authorizer = posture.Absent(), posture.Absent()
	t.resources.Each(func(_ tree.Key, node *tree.Node) {
		if node.Get("Type").Str() != "AWS::ApiGatewayV2::ApiGatewayManagedOverrides" {
			return
		}
		properties := t.properties(node)
		if target := properties.get("ApiId", w); target.shape != reference || target.text != api {
			return
		}
		kind = properties.at(w, "Route", "AuthorizationType").attribute()
		authorizer = properties.at(w, "Route", "AuthorizerId").secret()
	})
	return kind, authorizer
}

// unseenRoutes is one finding for routes that exist and cannot be listed.
func (t *Template) unseenRoutes(inv *posture.Inventory, kind posture.Kind, id string, node *tree.Node, at posture.Location, reason, needs string) {
	t.declare(inv, kind, id, node, at, func(b *builder) {
		b.name = id
		b.attrs[posture.AuthorizationType] = posture.Unknown(reason, needs)
		b.attrs[posture.RouteKey] = posture.Text("(all routes)")
	})
}

// restMethod reads AWS::ApiGateway::Method.
func (t *Template) restMethod(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindRESTMethod, id, node, at, func(b *builder) {
		b.text(posture.AuthorizationType, "AuthorizationType")
		b.present(posture.AuthorizerID, "AuthorizerId")
		b.text(posture.APIKeyRequired, "ApiKeyRequired")
		method, path := b.get("HttpMethod"), t.restPath(b.get("ResourceId"), b.w)
		b.attrs[posture.RouteKey] = posture.Text(method.text + " " + path)
		b.name = method.text + " " + path
		b.fronts = mentioned(b.props.node.At("Integration", "Uri"))
		b.exposure = t.restExposure(b.get("RestApiId"), b.w)
	})
}

// restPath follows ParentId upwards; the root resource has no PathPart.
func (t *Template) restPath(resource value, w *world) string {
	const deepest = 32 // API Gateway's paths are far shorter
	path := ""
	for range deepest {
		if resource.shape != reference || resource.attr == "RootResourceId" {
			break
		}
		properties := resource.home.properties(resource.home.resource(resource.text))
		part := properties.get("PathPart", w)
		if part.shape != scalar {
			break
		}
		path = "/" + part.text + path
		resource = properties.get("ParentId", w)
	}
	if path == "" {
		return "/"
	}
	return path
}

func (t *Template) restExposure(api value, w *world) posture.Exposure {
	if api.shape != reference {
		return ""
	}
	properties := api.home.properties(api.home.resource(api.text))
	return endpointExposure(properties.at(w, "EndpointConfiguration"), w)
}

func endpointExposure(configuration value, w *world) posture.Exposure {
	types := configuration
	if configuration.shape == object {
		if types = configuration.get("Types", w); types.shape == absent {
			types = configuration.get("Type", w)
		}
	}
	for _, kind := range append(types.items, types) {
		if kind.shape == scalar && strings.EqualFold(kind.text, "PRIVATE") {
			return posture.ExposureVPC
		}
	}
	return posture.ExposurePublic
}

// restAPI reads the OpenAPI body of AWS::ApiGateway::RestApi.
func (t *Template) restAPI(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	w := &world{chosen: map[string]string{}, frozen: true}
	properties := t.properties(node)
	if body := properties.get("Body", w); body.shape != absent {
		t.openAPIMethods(inv, id, node, body, at)
	} else if properties.get("BodyS3Location", w).shape != absent {
		t.unseenRoutes(inv, posture.KindRESTMethod, id, node, at, "the OpenAPI body is in S3", "the body, inline or as a local file")
	}
}
