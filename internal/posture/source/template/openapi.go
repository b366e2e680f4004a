package template

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// authorization is who may call a route, as far as it can be told.
type authorization struct {
	kind       posture.Value // NONE, AWS_IAM, CUSTOM, JWT, COGNITO_USER_POOLS
	authorizer posture.Value // set when one is named
	scopes     posture.Value
	apiKey     bool
}

func noAuthorization() authorization {
	return authorization{kind: posture.Text("NONE"), authorizer: posture.Absent(), scopes: posture.Absent()}
}

func unknownAuthorization(v value) authorization {
	a := noAuthorization()
	a.kind = posture.Unknown(v.why(), v.needs)
	return a
}

// operation is one route of an OpenAPI body.
type operation struct {
	method, path string
	line         int32
	node         value
	again        func(w *world) value // evaluates it in another world
}

// key is the route key: "GET /path", "ANY /path" or "$default".
func (o operation) key() string {
	if o.path == "$default" {
		return o.path
	}
	return o.method + " " + o.path
}

var openAPIMethods = map[string]string{
	"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "options": "OPTIONS",
	"head": "HEAD", "patch": "PATCH", "trace": "TRACE", "x-amazon-apigateway-any-method": "ANY",
}

// operations lists the routes of an OpenAPI document. It reports false, with the
// value that is in the way, when the paths cannot be listed.
func operations(body value, w *world) (found []operation, obstacle *value) {
	paths := body.get("paths", w)
	if paths.shape == absent {
		return nil, nil
	}
	if paths.shape != object {
		return nil, &paths
	}
	if macro := adds(paths.node); macro != "" {
		blocked := unknownValue(macro+" may add paths", "the processed template")
		return nil, &blocked
	}
	paths.node.Each(func(path tree.Key, node *tree.Node) {
		if paths.node.Twice(path.Name) {
			found = append(found, blockedPath(path, "the path is written twice", "one of the two"))
			return
		}
		found = append(found, pathOperations(paths.home, path, node, w)...)
	})
	return found, nil
}

// pathOperations lists the methods of one path.
func pathOperations(home *Template, path tree.Key, node *tree.Node, w *world) (found []operation) {
	item := home.eval(node, w)
	switch {
	case item.shape == absent:
		return nil
	case item.shape != object:
		return []operation{blockedPath(path, item.why(), item.needs)}
	case item.node.Get("$ref") != nil:
		found = append(found, blockedPath(path, "the path is kept elsewhere ($ref)", "the document that $ref names"))
	case adds(item.node) != "":
		found = append(found, blockedPath(path, adds(item.node)+" may add methods", "the processed template"))
	}
	item.node.Each(func(key tree.Key, _ *tree.Node) {
		method, ok := openAPIMethods[strings.ToLower(key.Name)]
		if !ok {
			return
		}
		op := operation{method: method, path: path.Name, line: key.Line, node: item.get(key.Name, w)}
		op.again = func(w *world) value { return home.eval(node, w).get(key.Name, w) }
		if isDefault := op.node.get("isDefaultRoute", w); isDefault.text == "true" || path.Name == "/$default" {
			op.path = "$default"
		}
		found = append(found, op)
	})
	return found
}

func blockedPath(path tree.Key, reason, needs string) operation {
	blocked := unknownValue(reason, needs)
	return operation{
		method: "ANY", path: path.Name, line: path.Line, node: blocked,
		again: func(*world) value { return blocked },
	}
}

// secured is the effective security of an operation: its own, or the document's.
// fallback applies when neither says anything (SAM's default authorizer).
func secured(body value, op operation, fallback authorization, w *world) authorization {
	if op.node.shape == unknown || op.node.shape == opaque {
		return unknownAuthorization(op.node)
	}
	if kind := op.node.at(w, "x-amazon-apigateway-auth", "type"); kind.shape == scalar {
		a := noAuthorization()
		a.kind = posture.Text(strings.ToUpper(kind.text))
		return a
	}
	security := op.node.get("security", w)
	if security.shape == absent {
		security = body.get("security", w)
	}
	switch security.shape {
	case absent:
		return fallback
	case list:
		return requirement(body, security, w)
	}
	return unknownAuthorization(security)
}

// requirement reads a list of alternatives: one alternative that asks for
// nothing opens the operation.
func requirement(body, security value, w *world) authorization {
	result := noAuthorization()
	for _, alternative := range security.items {
		if alternative.shape != object {
			return unknownAuthorization(alternative)
		}
		strongest := noAuthorization()
		alternative.node.Each(func(key tree.Key, scopes *tree.Node) {
			a := scheme(body, key.Name, w)
			if a.kind.Text() != "NONE" {
				a.apiKey = a.apiKey || strongest.apiKey
				strongest = a
				if scopes != nil && len(scopes.Items) > 0 {
					strongest.scopes = alternative.home.eval(scopes, w).attribute()
				}
			}
			strongest.apiKey = strongest.apiKey || a.apiKey
		})
		if strongest.kind.Text() == "NONE" {
			return strongest
		}
		result = strongest
	}
	return result
}

// scheme reads a security scheme. Only API Gateway's own extensions make it ask:
// a plain OpenAPI scheme is documentation.
func scheme(body value, name string, w *world) authorization {
	definition := body.at(w, "components", "securitySchemes", name)
	if definition.shape == absent {
		definition = body.at(w, "securityDefinitions", name)
	}
	if definition.shape == unknown || definition.shape == opaque {
		return unknownAuthorization(definition)
	}
	a := noAuthorization()
	authtype, authorizer := definition.get("x-amazon-apigateway-authtype", w), definition.get("x-amazon-apigateway-authorizer", w)
	switch {
	case strings.EqualFold(authtype.text, "awsSigv4"):
		a.kind = posture.Text("AWS_IAM")
	case authorizer.shape == object:
		a.authorizer = posture.Text(name)
		a.kind = authorizerKind(authorizer.get("type", w))
	case authorizer.shape == unknown, authorizer.shape == opaque, authorizer.shape == reference:
		return unknownAuthorization(authorizer)
	case definition.get("type", w).text == "apiKey" && strings.EqualFold(definition.get("name", w).text, "x-api-key"):
		a.apiKey = true
	}
	return a
}

func authorizerKind(kind value) posture.Value {
	switch kind.shape {
	case scalar:
	case absent:
		return posture.Unknown("the authorizer has no type", "the authorizer's type")
	default:
		return kind.attribute()
	}
	switch strings.ToLower(kind.text) {
	case "jwt":
		return posture.Text("JWT")
	case "request", "token":
		return posture.Text("CUSTOM")
	case "cognito_user_pools":
		return posture.Text("COGNITO_USER_POOLS")
	}
	return posture.Unknown("the authorizer's type "+kind.text+" is not known here", "the deployed route")
}

func (a authorization) fill(b *builder) {
	b.attrs[posture.AuthorizationType] = a.kind
	b.attrs[posture.AuthorizerID] = a.authorizer
	b.attrs[posture.AuthorizationScopes] = a.scopes
	b.attrs[posture.JWTAudience] = posture.Unknown("it stands in the OpenAPI document", "")
	b.attrs[posture.APIKeyRequired] = posture.Flag(a.apiKey)
}

// openAPIRoutes declares the routes of an HTTP API's body.
func (t *Template) openAPIRoutes(inv *posture.Inventory, id string, node *tree.Node, body value, at posture.Location) {
	t.openAPI(inv, posture.KindRoute, id, node, body, at, noAuthorization())
}

// openAPIMethods declares the methods of a REST API's body.
func (t *Template) openAPIMethods(inv *posture.Inventory, id string, node *tree.Node, body value, at posture.Location) {
	t.openAPI(inv, posture.KindRESTMethod, id, node, body, at, noAuthorization())
}

func (t *Template) openAPI(inv *posture.Inventory, kind posture.Kind, id string, node *tree.Node, body value, at posture.Location, fallback authorization) {
	if body.shape != object {
		t.unseenRoutes(inv, kind, id, node, at, "the OpenAPI body cannot be read ("+body.why()+")", body.needs)
		return
	}
	w := &world{chosen: map[string]string{}, frozen: true}
	found, obstacle := operations(body, w)
	if obstacle != nil || len(found) == 0 && adds(body.node) != "" {
		t.unseenRoutes(inv, kind, id, node, at, "the OpenAPI body's paths cannot be listed", "the document with its paths")
		return
	}
	for _, op := range found {
		place := at
		place.File, place.Line, place.Column = body.home.file, int(op.line), 0
		t.declare(inv, kind, id+"/"+op.key(), node, place, func(b *builder) {
			b.implied(id, op.key())
			here := op
			here.node = op.again(b.w)
			secured(body, here, fallback, b.w).fill(b)
			b.fronts = mentioned(op.node.node)
		})
	}
}

// implied fills in what every route that a template implies has.
func (b *builder) implied(api, key string) {
	b.name = api + " " + key
	b.attrs[posture.RouteKey] = posture.Text(key)
	b.attrs[posture.ProtocolType] = posture.Text("HTTP")
}
