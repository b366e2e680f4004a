package template

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// Options say what the caller knows beyond the template.
type Options struct {
	Parameters map[string]string // given values, by parameter name
	Region     string            // AWS::Region, when the caller names one
	Account    string            // AWS::AccountId, when the caller names one
	// ReadFile returns the tree of a file that a template names, given the
	// template's own path and the reference. It reports false for anything that
	// is not a local file it may read.
	ReadFile func(from, reference string) (root *tree.Node, path string, ok bool)
}

// Template is one parsed template in its place: a root stack or a nested one.
type Template struct {
	file      string
	root      *tree.Node
	options   Options
	given     map[string]value // parameters, by name
	parent    *Template
	stack     []string // logical ids of the nested stacks above
	origin    posture.Origin
	resources *tree.Node
	doubt     posture.Doubt // set when a macro may change every resource
	consts    map[string][]string
	children  map[string]*Template // nested stacks by logical id; nil value: not readable
}

// maxStacks bounds how deep nested stacks are followed.
const maxStacks = 8

// Is reports whether a tree is a CloudFormation or SAM template.
func Is(root *tree.Node) bool {
	if root == nil || root.Kind != tree.Map {
		return false
	}
	if root.Get("AWSTemplateFormatVersion") != nil {
		return true
	}
	found := false
	root.Get("Resources").Each(func(key tree.Key, resource *tree.Node) {
		found = found || strings.HasPrefix(key.Name, "Fn::")
		kind := resource.Get("Type").Str()
		found = found || strings.HasPrefix(kind, "AWS::") || strings.HasPrefix(kind, "Custom::") || strings.HasSuffix(kind, "::MODULE")
	})
	return found
}

// Parse reads a template's text. Of resources that no control is about only the
// type is kept.
func Parse(src []byte) (*tree.Node, error) {
	return tree.ParseSection(src, "Resources", slim)
}

// related are the types that readers look at beside their own.
var related = map[string]bool{
	"AWS::ApiGatewayV2::Integration": true, "AWS::ApiGatewayV2::Authorizer": true,
	"AWS::ApiGatewayV2::ApiGatewayManagedOverrides": true, "AWS::ApiGateway::Resource": true,
	"AWS::AppSync::ApiKey": true, "AWS::AppSync::ChannelNamespace": true,
	"AWS::ElastiCache::User": true, "AWS::ElastiCache::UserGroup": true,
}

// slim takes the properties off a resource of AWS's that nobody will ask for.
// Whether it is CDK's is all that its metadata tell.
func slim(resource *tree.Node) {
	kind := resource.Get("Type").Str()
	if !strings.HasPrefix(kind, "AWS::") || strings.HasPrefix(kind, "AWS::Serverless::") || related[kind] || readers[kind] != nil {
		return
	}
	place := resource.At("Metadata", "aws:cdk:path")
	kept := tree.MapOf("Type", resource.Get("Type"), resource)
	if place != nil {
		kept.Put("Metadata", tree.MapOf("aws:cdk:path", place, place))
	}
	*resource = *kept
}

// Read turns a template into posture's model.
func Read(file string, root *tree.Node, options Options) posture.Inventory {
	t := newTemplate(file, root, options)
	for name, text := range options.Parameters {
		t.given[name] = known(text, root)
	}
	return t.inventory()
}

func newTemplate(file string, root *tree.Node, options Options) *Template {
	t := &Template{
		file: file, root: root, options: options, given: map[string]value{},
		resources: root.Get("Resources"), children: map[string]*Template{},
		origin: posture.OriginCloudFormation,
	}
	if t.hasTransform(samTransform) {
		t.origin = posture.OriginSAM
	} else if isCDK(root) {
		t.origin = posture.OriginCDK
	}
	return t
}

const samTransform = "AWS::Serverless-2016-10-31"

func isCDK(root *tree.Node) bool {
	if root.At("Parameters", "BootstrapVersion") != nil || root.At("Rules", "CheckBootstrapVersion") != nil {
		return true
	}
	found := false
	root.Get("Resources").Each(func(_ tree.Key, resource *tree.Node) {
		found = found || resource.At("Metadata", "aws:cdk:path") != nil || resource.Get("Type").Str() == "AWS::CDK::Metadata"
	})
	return found
}

// transforms lists the macros of the whole template.
func (t *Template) transforms() []string {
	node := t.root.Get("Transform")
	var names []string
	if name, ok := node.Scalar(); ok {
		names = append(names, name)
	}
	if node != nil && node.Kind == tree.List {
		for _, item := range node.Items {
			if name, ok := item.Scalar(); ok {
				names = append(names, name)
			} else {
				names = append(names, item.Get("Name").Str())
			}
		}
	}
	if node != nil && node.Kind == tree.Map {
		names = append(names, node.Get("Name").Str())
	}
	return names
}

func (t *Template) hasTransform(name string) bool { return slices.Contains(t.transforms(), name) }

// resource returns a resource by logical id.
func (t *Template) resource(id string) *tree.Node {
	node := t.resources.Get(id)
	if node == nil || node.Kind != tree.Map {
		return nil
	}
	return node
}

// location is the place of a node of this template.
func (t *Template) location(node *tree.Node, resource *tree.Node) posture.Location {
	at := posture.Location{Origin: t.origin, File: t.file, Stack: strings.Join(t.stack, "/"), Line: 1}
	if node != nil {
		at.Line, at.Column = int(node.Line), int(node.Column)
	}
	at.Path = resource.At("Metadata", "aws:cdk:path").Str()
	return at
}

// properties returns a resource's Properties as a value.
func (t *Template) properties(resource *tree.Node) value {
	node := resource.Get("Properties")
	if node.IsNull() {
		return value{shape: absent, node: resource}
	}
	if node.Kind != tree.Map {
		return unknownValue("Properties is not a block of properties", "a valid template")
	}
	return value{shape: object, node: node, home: t}
}

// nested returns the template of a nested stack, or nil when it is not a file
// that can be read here.
func (t *Template) nested(id string, w *world) *Template {
	if child, ok := t.children[id]; ok {
		return child
	}
	t.children[id] = nil
	resource := t.resource(id)
	reference := t.childReference(resource, w)
	if reference == "" || t.options.ReadFile == nil || len(t.stack) >= maxStacks {
		return nil
	}
	root, path, ok := t.options.ReadFile(t.file, reference)
	if !ok || !Is(root) {
		return nil
	}
	child := newTemplate(path, root, t.options)
	child.parent, child.stack = t, append(slices.Clone(t.stack), id)
	resource.At("Properties", "Parameters").Each(func(key tree.Key, node *tree.Node) {
		child.given[key.Name] = value{shape: object, node: node, home: t} // evaluated when it is asked for
	})
	t.children[id] = child
	return child
}

// childReference names the file of a nested stack: CDK writes the asset's file
// into the metadata, `aws cloudformation package` has not run yet for the rest.
func (t *Template) childReference(resource *tree.Node, w *world) string {
	if path := resource.At("Metadata", "aws:asset:path").Str(); path != "" {
		return path
	}
	properties := t.properties(resource)
	for _, name := range []string{"TemplateURL", "Location"} {
		if url := properties.get(name, w); url.shape == scalar {
			return url.text
		}
	}
	return ""
}
