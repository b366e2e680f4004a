package template

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// builder collects one resource's attributes in one world.
type builder struct {
	t        *Template
	w        *world
	props    value
	attrs    posture.Attributes
	gone     bool
	name     string
	fronts   []string
	tags     map[string]string
	exposure posture.Exposure
}

// declare builds a resource of the given kind in every world and appends it.
func (t *Template) declare(inv *posture.Inventory, kind posture.Kind, id string, node *tree.Node, at posture.Location, fill func(b *builder)) {
	outcomes := explore(func(w *world) *builder {
		b := &builder{t: t, w: w, attrs: posture.Attributes{}, exposure: posture.ExposurePublic}
		b.props = t.properties(node)
		if name := node.Get("Condition").Str(); name != "" {
			if exists, ok := t.conditionNamed(name, w, 0); ok && !exists {
				b.gone = true
				return b
			}
		}
		fill(b)
		return b
	})
	resource := posture.Resource{
		Kind: kind, ID: id, Account: t.options.Account, Region: t.options.Region,
		Location: at, Otherwise: posture.Absent(), Doubt: t.doubt,
	}
	first := outcomes[0].built
	for _, each := range outcomes {
		if !each.built.gone {
			first = each.built
			break
		}
	}
	resource.Name, resource.Fronts, resource.Tags, resource.Exposure = first.name, first.fronts, first.tags, first.exposure
	if len(outcomes) == 1 {
		resource.Attributes, resource.Gone = first.attrs, first.gone
	} else {
		for _, each := range outcomes {
			resource.Variants = append(resource.Variants, posture.Variant{
				When: each.world.name(), Gone: each.built.gone, Attributes: each.built.attrs,
			})
		}
	}
	inv.Resources = append(inv.Resources, resource)
}

// get evaluates a property by its path.
func (b *builder) get(path ...string) value { return b.props.at(b.w, path...) }

// text stores a property that is one word or number. A list in its place is
// unknown: what the service would make of it is not for a reader to guess.
func (b *builder) text(name posture.Attribute, path ...string) value {
	v := b.get(path...)
	b.attrs[name] = v.attribute()
	if v.shape == list {
		b.attrs[name] = posture.Unknown("it is a list where a plain value belongs", "a plain value")
	}
	return v
}

// set stores what is known about a property that must only be there.
func (b *builder) present(name posture.Attribute, path ...string) {
	v := b.get(path...)
	switch set, certain := v.isSet(); {
	case !certain:
		b.attrs[name] = posture.Unknown(v.reason, v.needs)
	case !set:
		b.attrs[name] = posture.Absent()
	case v.shape == scalar:
		b.attrs[name] = posture.Text(v.text)
	case v.shape == reference:
		b.attrs[name] = posture.Text(v.refersTo())
	default:
		b.attrs[name] = posture.Text("(set)")
	}
}

// block stores whether a block of properties is there.
func (b *builder) block(name posture.Attribute, path ...string) {
	v := b.get(path...)
	switch v.shape {
	case absent:
		b.attrs[name] = posture.Absent()
	case object:
		b.attrs[name] = posture.Flag(true)
	default:
		b.attrs[name] = posture.Unknown(v.why(), v.needs)
	}
}

// readTags reads tags in both of CloudFormation's forms.
func (b *builder) readTags(path ...string) {
	v := b.get(path...)
	b.tags = map[string]string{}
	switch v.shape {
	case list:
		for _, item := range v.items {
			key, text := item.get("Key", b.w), item.get("Value", b.w)
			if key.shape == scalar && text.shape == scalar {
				b.tags[key.text] = text.text
			}
		}
	case object:
		v.node.Each(func(key tree.Key, node *tree.Node) {
			if text := v.home.eval(node, b.w); text.shape == scalar {
				b.tags[key.Name] = text.text
			}
		})
	}
}

// mentioned lists the resources that an expression refers to, for ranking: what
// a route fronts is the function that its integration names.
func mentioned(node *tree.Node) []string {
	var found []string
	var visit func(node *tree.Node, depth int)
	visit = func(node *tree.Node, depth int) {
		const deep = 12 // far deeper than any integration URI
		if node == nil || depth > deep {
			return
		}
		if name := node.Get("Ref").Str(); name != "" && !strings.HasPrefix(name, "AWS::") {
			found = append(found, name)
		}
		if att := node.Get("Fn::GetAtt"); att != nil {
			name := att.Str()
			if att.Kind == tree.List && len(att.Items) > 0 {
				name = att.Items[0].Str()
			}
			name, _, _ = strings.Cut(name, ".")
			found = append(found, name)
			return
		}
		if text := node.Get("Fn::Sub").Str(); text != "" {
			found = append(found, inSub(text)...)
		}
		for _, child := range node.Items {
			visit(child, depth+1)
		}
	}
	visit(node, 0)
	return found
}

func inSub(text string) []string {
	var found []string
	for _, part := range strings.Split(text, "${")[1:] {
		name, _, closed := strings.Cut(part, "}")
		name, _, _ = strings.Cut(name, ".")
		if closed && name != "" && !strings.HasPrefix(name, "AWS::") && !strings.HasPrefix(name, "!") {
			found = append(found, name)
		}
	}
	return found
}

// targets follows the integration that a target names to what it calls.
func (t *Template) targets(target *tree.Node) []string {
	var found []string
	for _, name := range mentioned(target) {
		resource := t.resource(name)
		if resource.Get("Type").Str() == "AWS::ApiGatewayV2::Integration" {
			found = append(found, mentioned(resource.At("Properties", "IntegrationUri"))...)
			continue
		}
		if resource != nil {
			found = append(found, name)
		}
	}
	return found
}
