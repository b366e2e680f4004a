package template

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// The APIs that SAM makes for events which name none.
const (
	implicitHTTP = "ServerlessHttpApi"
	implicitREST = "ServerlessRestApi"
)

// implied reports whether SAM makes a resource of this name.
func (t *Template) implied(name string) bool {
	return t.origin == posture.OriginSAM && (name == implicitHTTP || name == implicitREST)
}

// event is one API event of a function.
type event struct {
	function string
	node     *tree.Node // the function
	name     string
	line     int32
	api      string // logical id of the API
	rest     bool
	key      string // "GET /orders", "$default"
}

// settings is the event's Properties in a world.
func (e event) settings(t *Template, w *world) value {
	return t.properties(e.node).at(w, "Events", e.name, "Properties")
}

// events lists the API events of a function. One whose block cannot be read
// comes as an event without a key.
func (t *Template) events(id string, function *tree.Node) []event {
	w := &world{chosen: map[string]string{}, frozen: true}
	all := t.properties(function).get("Events", w)
	var found []event
	if all.shape == unknown || all.shape == opaque || all.shape == object && adds(all.node) != "" {
		found = append(found, event{function: id, node: function, name: "(events)", line: function.Line, api: implicitHTTP})
	}
	if all.shape != object {
		return found
	}
	all.node.Each(func(key tree.Key, _ *tree.Node) {
		block := all.get(key.Name, w)
		kind := block.get("Type", w).text
		if kind != "HttpApi" && kind != "Api" {
			return
		}
		e := event{function: id, node: function, name: key.Name, line: key.Line, rest: kind == "Api"}
		properties := block.get("Properties", w)
		e.api, e.key = t.eventAPIOf(e.rest, properties, w), eventKey(e.rest, properties, w)
		found = append(found, e)
	})
	return found
}

func (t *Template) eventAPIOf(rest bool, properties value, w *world) string {
	name, fallback := "ApiId", implicitHTTP
	if rest {
		name, fallback = "RestApiId", implicitREST
	}
	api := properties.get(name, w)
	switch api.shape {
	case absent:
		return fallback
	case scalar, reference:
		return api.text
	}
	return "(" + name + ")"
}

// eventKey is the route key of an event. An HttpApi event without path and
// method is the $default route.
func eventKey(rest bool, properties value, w *world) string {
	path, method := properties.get("Path", w), properties.get("Method", w)
	if path.shape == absent && method.shape == absent && !rest {
		return "$default"
	}
	if path.shape != scalar || method.shape != scalar && method.shape != absent {
		return "ANY (a path that is not known)"
	}
	verb := strings.ToUpper(method.text)
	if verb == "" || verb == "X-AMAZON-APIGATEWAY-ANY-METHOD" || verb == "*" {
		verb = "ANY"
	}
	if path.text == "$default" {
		return path.text
	}
	return verb + " " + path.text
}

// samFunction declares a route for each of a function's API events that the
// API's own definition does not hold.
func (t *Template) samFunction(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	for _, e := range t.events(id, node) {
		if t.definedInBody(e) {
			continue
		}
		place := at
		place.Line, place.Column = int(e.line), 0
		kind := posture.KindRoute
		if e.rest {
			kind = posture.KindRESTMethod
		}
		t.declare(inv, kind, e.api+"/"+e.key, node, place, func(b *builder) {
			b.implied(e.api, e.key)
			b.fronts = []string{id}
			t.eventAuthorization(e, b.w).fill(b)
			if e.key == "" {
				b.attrs[posture.AuthorizationType] = posture.Unknown("the function's events cannot be read", "the processed template")
			}
			if e.rest {
				b.exposure = endpointExposure(t.setting(e.api, "Api", b.w, "EndpointConfiguration"), b.w)
			}
		})
	}
}

// definedInBody reports whether the API's OpenAPI document has the event's route.
func (t *Template) definedInBody(e event) bool {
	w := &world{chosen: map[string]string{}, frozen: true}
	body, _ := t.definition(t.resource(e.api), w)
	found, _ := operations(body, w)
	for _, op := range found {
		if op.key() == e.key {
			return true
		}
	}
	return false
}

// setting reads a property of a SAM API, or of Globals when the API is silent.
func (t *Template) setting(api, section string, w *world, path ...string) value {
	if resource := t.resource(api); resource != nil {
		if v := t.properties(resource).at(w, path...); v.shape != absent {
			return v
		}
	}
	globals := t.root.At("Globals", section)
	if globals.IsNull() {
		return value{shape: absent, node: t.root}
	}
	return value{shape: object, node: globals, home: t}.at(w, path...)
}

// eventAuthorization is the event's own authorizer or the API's default.
func (t *Template) eventAuthorization(e event, w *world) authorization {
	if strings.HasPrefix(e.api, "(") || t.resource(e.api) == nil && !t.implied(e.api) {
		return unknownAuthorization(unknownValue("the event's API is not in the template", "the API's Auth settings"))
	}
	settings := e.settings(t, w)
	own := settings.at(w, "Auth", "Authorizer")
	a := t.authorizer(e.api, e.rest, own, w)
	if scopes := settings.at(w, "Auth", "AuthorizationScopes"); scopes.shape != absent {
		a.scopes = scopes.attribute()
	}
	a.apiKey = settings.at(w, "Auth", "ApiKeyRequired").attribute().True() ||
		t.setting(e.api, section(e.rest), w, "Auth", "ApiKeyRequired").attribute().True()
	return a
}

func section(rest bool) string {
	if rest {
		return "Api"
	}
	return "HttpApi"
}

// authorizer resolves an authorizer's name, or the API's default when there is
// none. NONE opts out of the default.
func (t *Template) authorizer(api string, rest bool, name value, w *world) authorization {
	if name.shape == absent {
		name = t.setting(api, section(rest), w, "Auth", "DefaultAuthorizer")
	}
	a := noAuthorization()
	switch {
	case name.shape == absent, name.text == "NONE":
		return a
	case name.shape != scalar:
		return unknownAuthorization(name)
	case name.text == "AWS_IAM":
		a.kind = posture.Text("AWS_IAM")
		return a
	}
	definition := t.setting(api, section(rest), w, "Auth", "Authorizers", name.text)
	if definition.shape == absent {
		definition = t.setting("", section(rest), w, "Auth", "Authorizers", name.text)
	}
	a.authorizer = posture.Text(name.text)
	switch {
	case definition.shape == absent:
		return unknownAuthorization(unknownValue("the authorizer "+name.text+" is declared nowhere", "the authorizer's definition"))
	case definition.get("JwtConfiguration", w).shape != absent:
		a.kind = posture.Text("JWT")
	case definition.get("FunctionArn", w).shape != absent:
		a.kind = posture.Text("CUSTOM")
	case definition.get("UserPoolArn", w).shape != absent:
		a.kind = posture.Text("COGNITO_USER_POOLS")
	case definition.get("OpenIdConnectUrl", w).shape != absent:
		a.kind = posture.Text("JWT")
	default:
		return unknownAuthorization(unknownValue("the authorizer "+name.text+" is of no kind that is known here", "the authorizer's definition"))
	}
	return a
}

// definition is a SAM API's OpenAPI document, inline or in a local file. The
// second result says why there is a document that cannot be read.
func (t *Template) definition(resource *tree.Node, w *world) (body value, unread string) {
	properties := t.properties(resource)
	if body := properties.get("DefinitionBody", w); body.shape != absent {
		if location := include(body.node); location != "" {
			return t.documentAt(location)
		}
		return body, ""
	}
	switch uri := properties.get("DefinitionUri", w); uri.shape {
	case absent:
		return value{shape: absent}, ""
	case scalar:
		return t.documentAt(uri.text)
	}
	return value{shape: absent}, "the OpenAPI document is not a local file"
}

// include is the file of {"Fn::Transform": {"Name": "AWS::Include", …}}.
func include(node *tree.Node) string {
	call := node.Get("Fn::Transform")
	if call == nil {
		call = node
	}
	if call.Get("Name").Str() != "AWS::Include" {
		return ""
	}
	return call.At("Parameters", "Location").Str()
}

func (t *Template) documentAt(reference string) (body value, unread string) {
	if t.options.ReadFile != nil && reference != "" {
		if root, path, ok := t.options.ReadFile(t.file, reference); ok {
			document := &Template{file: path, root: root, options: t.options, given: t.given, origin: t.origin, stack: t.stack, children: map[string]*Template{}}
			return value{shape: object, node: root, home: document}, ""
		}
	}
	return value{shape: absent}, "the OpenAPI document " + reference + " is not a local file that could be read"
}

func (t *Template) samHTTPAPI(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.samAPI(inv, posture.KindRoute, id, node, at)
}

func (t *Template) samRESTAPI(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.samAPI(inv, posture.KindRESTMethod, id, node, at)
}

// samAPI declares the routes of a SAM API's own document; those of events come
// with their functions.
func (t *Template) samAPI(inv *posture.Inventory, kind posture.Kind, id string, node *tree.Node, at posture.Location) {
	w := &world{chosen: map[string]string{}, frozen: true}
	body, unread := t.definition(node, w)
	switch {
	case unread != "":
		t.unseenRoutes(inv, kind, id, node, at, unread, "the document, inline or as a local file")
	case body.shape == unknown, body.shape == opaque, body.shape == object:
		rest := kind == posture.KindRESTMethod
		t.openAPI(inv, kind, id, node, body, at, t.authorizer(id, rest, value{shape: absent}, w))
	}
}

// samGraphQL reads AWS::Serverless::GraphQLApi.
func (t *Template) samGraphQL(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindGraphQLAPI, id, node, at, func(b *builder) {
		b.text(posture.AuthenticationType, "Auth", "Type")
		b.attrs[posture.AdditionalAuthenticationTypes] = b.modes(b.get("Auth", "Additional"), "Type")
		b.attrs[posture.LiveAPIKeys] = posture.Number(0)
		if keys := b.get("ApiKeys"); keys.shape == object {
			b.attrs[posture.LiveAPIKeys] = posture.Number(len(keys.node.Keys))
		}
		b.describeAppSync(id)
	})
}
