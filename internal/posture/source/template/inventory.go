package template

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// languageExtensions and what else AWS itself offers as a template-wide
// transform; all other names are macros of the account.
const languageExtensions = "AWS::LanguageExtensions"

// readers turn resources into posture's model, by type.
var readers map[string]func(t *Template, inv *posture.Inventory, id string, node *tree.Node, at posture.Location)

func init() {
	readers = map[string]func(t *Template, inv *posture.Inventory, id string, node *tree.Node, at posture.Location){
		"AWS::ApiGatewayV2::Route":           (*Template).route,
		"AWS::ApiGatewayV2::Api":             (*Template).api,
		"AWS::ApiGateway::Method":            (*Template).restMethod,
		"AWS::ApiGateway::RestApi":           (*Template).restAPI,
		"AWS::AppSync::GraphQLApi":           (*Template).graphQL,
		"AWS::AppSync::Api":                  (*Template).eventAPI,
		"AWS::DMS::Endpoint":                 (*Template).dmsEndpoint,
		"AWS::MSK::Cluster":                  (*Template).mskCluster,
		"AWS::MSK::ServerlessCluster":        (*Template).mskServerless,
		"AWS::ElastiCache::ReplicationGroup": (*Template).replicationGroup,
		"AWS::ElastiCache::CacheCluster":     (*Template).cacheCluster,
		"AWS::ElastiCache::ServerlessCache":  (*Template).serverlessCache,
		"AWS::CloudFormation::Stack":         (*Template).nestedStack,
		"AWS::Serverless::Application":       (*Template).nestedStack,
		"AWS::Serverless::HttpApi":           (*Template).samHTTPAPI,
		"AWS::Serverless::Api":               (*Template).samRESTAPI,
		"AWS::Serverless::Function":          (*Template).samFunction,
		"AWS::Serverless::StateMachine":      (*Template).samFunction,
		"AWS::Serverless::GraphQLApi":        (*Template).samGraphQL,
	}
}

// samInert are SAM's types that answer no requests.
var samInert = []string{
	"AWS::Serverless::SimpleTable", "AWS::Serverless::LayerVersion", "AWS::Serverless::Connector",
	"AWS::Serverless::CapacityProvider",
}

func (t *Template) inventory() posture.Inventory {
	var inv posture.Inventory
	inv.Files = []string{t.file}
	t.macros(&inv)
	t.resources.Each(func(key tree.Key, node *tree.Node) {
		at := t.location(nil, node)
		at.Line = int(key.Line)
		kind := node.Get("Type").Str()
		if reader, ok := readers[kind]; ok {
			reader(t, &inv, key.Name, node, at)
			return
		}
		t.opaqueResource(&inv, key.Name, kind, node, at)
	})
	if t.resources != nil && t.resources.Kind != tree.Map && t.resources.Kind != tree.Null {
		inv.Problems = append(inv.Problems, posture.Problem{
			Scope: t.file, Location: t.location(t.resources, nil), Reason: "Resources is not a map of resources", Next: "correct the template",
		})
	}
	return inv
}

// macros notes transforms that this package cannot run: whatever they add or
// change is unknown.
func (t *Template) macros(inv *posture.Inventory) {
	for _, name := range t.transforms() {
		if name == "" || name == samTransform || name == languageExtensions {
			continue
		}
		reason := "the macro " + name + " may add resources and change those that are written"
		t.doubt = posture.Doubt{Reason: reason, Needs: "the processed template (aws cloudformation get-template --template-stage Processed)"}
		inv.Gaps = append(inv.Gaps, t.gap("Transform "+name, reason, t.location(t.root.Get("Transform"), nil)))
	}
	if parent := t.parent; parent != nil && t.doubt.Reason == "" {
		t.doubt = parent.doubt
	}
}

func (t *Template) gap(resource, reason string, at posture.Location) posture.Gap {
	return posture.Gap{
		Resource: resource, Account: t.options.Account, Region: t.options.Region, Location: at, Reason: reason,
		Needs: "the processed template (aws cloudformation get-template --template-stage Processed)",
	}
}

// opaqueResource notes resources that stand for others which cannot be seen.
func (t *Template) opaqueResource(inv *posture.Inventory, id, kind string, node *tree.Node, at posture.Location) {
	switch {
	case id == "Fn::Transform", strings.HasPrefix(id, "Fn::ForEach"):
		inv.Gaps = append(inv.Gaps, t.gap(id, id+" produces resources that cannot be seen here", at))
	case strings.HasSuffix(kind, "::MODULE"):
		inv.Gaps = append(inv.Gaps, t.gap(id, "the module "+kind+" holds resources that cannot be seen here", at))
	case strings.HasPrefix(kind, "AWS::Serverless::") && !slices.Contains(samInert, kind):
		inv.Gaps = append(inv.Gaps, t.gap(id, kind+" is not known here and may answer requests", at))
	case node.Get("Type") != nil && node.Get("Type").Kind == tree.Map:
		inv.Gaps = append(inv.Gaps, t.gap(id, "the resource's type is computed", at))
	}
}

// nestedStack reads a nested stack from a local file, or says that it cannot.
func (t *Template) nestedStack(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	w := &world{chosen: map[string]string{}, frozen: true}
	if name := node.Get("Condition").Str(); name != "" {
		if exists, ok := t.conditionNamed(name, w, 0); ok && !exists {
			return
		}
	}
	child := t.nested(id, w)
	if child == nil {
		gap := t.gap(id, "the nested stack's template is not a local file that could be read", at)
		gap.Needs = "the nested template beside this one, or an audit of its own"
		inv.Gaps = append(inv.Gaps, gap)
		return
	}
	child.doubt = t.doubt
	inv.Add(child.inventory())
}
