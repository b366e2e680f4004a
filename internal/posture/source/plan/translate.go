package plan

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/template"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// translation is a plan as a template, with the way back.
type translation struct {
	root    *tree.Node
	changes map[string]*change // by address
}

func translate(doc document) translation {
	out := translation{changes: map[string]*change{}}
	links := newReferences(doc)
	resources := &tree.Node{Kind: tree.Map, Line: 1}
	for i := range doc.changes {
		one := &doc.changes[i]
		if !one.stays() || out.changes[one.address] != nil {
			continue
		}
		out.changes[one.address] = one
		t := &translator{change: one, links: links, properties: mapping(one.after)}
		entry := mapping(one.after)
		put(entry, "Type", text(t.run()))
		put(entry, "Properties", t.properties)
		entry.Line = int32(one.line)
		resources.Put(one.address, entry)
	}
	out.root = &tree.Node{Kind: tree.Map, Line: 1}
	put(out.root, "AWSTemplateFormatVersion", text("2010-09-09"))
	put(out.root, "Resources", resources)
	return out
}

// translator turns one resource into properties.
type translator struct {
	*change
	links      *references
	properties *tree.Node
}

// run fills in the properties and returns the CloudFormation type.
func (t *translator) run() string {
	if kind, ok := cloudControl[t.kind]; ok {
		t.properties = t.cloudControl(t.after, t.unknown, "")
		return kind
	}
	made := types[t.kind]
	for _, f := range made.fields {
		t.field(f)
	}
	return made.kind
}

func (t *translator) field(f field) {
	value, unknown := find(t.after, t.unknown, f.from)
	if f.how == each {
		t.each(f)
		return
	}
	if f.how == api {
		if target := t.links.api(t.change, f.from, value); target != "" {
			t.set(f.to, tree.MapOf("Ref", text(target), t.after))
			return
		}
	}
	if unknown {
		t.later(f)
		return
	}
	if value.IsNull() || value.Kind == tree.List && len(value.Items) == 0 {
		return
	}
	switch f.how {
	case secret:
		if value.Str() != "" || value.Kind == tree.List {
			t.set(f.to, text(hidden))
		}
	case block:
		t.set(f.to, mapping(value))
	case extra:
		if kind := posture.ExtraAuthType(value.Str()); kind.IsKnown() {
			t.set(f.to, text("authType="+kind.Text()))
		}
	case body:
		t.body(f.to, value)
	default:
		t.set(f.to, literal(value))
	}
}

// hidden stands for a secret: package template takes it for a dynamic reference,
// a value that is there and is not shown.
const hidden = "{{resolve:terraform:sensitive}}"

// later is a value that is known only after apply. When the configuration has no
// expression for it, the provider computes AWS's default, as if it were absent.
func (t *translator) later(f field) {
	expression, hasConfig := t.links.expression(t.change, f.from)
	switch {
	case hasConfig && expression == nil:
	case f.how == secret && expression != nil:
		t.set(f.to, text(hidden))
	default:
		t.set(f.to, template.AfterApply(f.from))
	}
}

// each translates a list of blocks of which one key matters.
func (t *translator) each(f field) {
	listPath, key := cutLast(f.from)
	blocks, unknown := find(t.after, t.unknown, listPath)
	toList, toKey := cutLast(f.to)
	if unknown {
		t.later(field{toList, listPath, plain})
		return
	}
	if blocks == nil || blocks.Kind != tree.List {
		return
	}
	out := &tree.Node{Kind: tree.List, Line: t.after.Line}
	_, unknowns := descend(t.unknown, listPath)
	for i, one := range blocks.Items {
		value := one.Get(key)
		if unknowns != nil && unknowns.Kind == tree.List && i < len(unknowns.Items) && isTrue(unknowns.Items[i].Get(key)) {
			value = template.AfterApply(f.from)
		} else {
			value = literal(value)
		}
		out.Items = append(out.Items, tree.MapOf(toKey, value, t.after))
	}
	t.set(toList, out)
}

func (t *translator) body(to string, value *tree.Node) {
	document, err := tree.Parse([]byte(value.Str()))
	if err != nil || document.Kind != tree.Map {
		t.set(to, template.AfterApply("body"))
		return
	}
	t.set(to, document)
}

// set stores a property at a dotted path.
func (t *translator) set(path string, value *tree.Node) {
	at := t.properties
	for {
		first, rest, more := strings.Cut(path, ".")
		if !more {
			put(at, first, value)
			return
		}
		next := at.Get(first)
		if next == nil || next.Kind != tree.Map {
			next = mapping(value)
			put(at, first, next)
		}
		at, path = next, rest
	}
}

// cloudControl renames the attributes of an awscc resource. Strings that look
// like secrets by name are hidden.
func (t *translator) cloudControl(value, unknown *tree.Node, name string) *tree.Node {
	if isTrue(unknown) {
		if expression, ok := t.links.expression(t.change, name); ok && expression == nil && !strings.Contains(name, ".") {
			return &tree.Node{Kind: tree.Null, Line: t.after.Line}
		}
		return template.AfterApply(name)
	}
	if value == nil && unknown != nil && unknown.Kind == tree.Map {
		value = mapping(t.after) // only keys that are known after apply
	}
	if value == nil {
		return &tree.Node{Kind: tree.Null, Line: t.after.Line}
	}
	switch value.Kind {
	case tree.Map:
		out := mapping(value)
		value.Each(func(key tree.Key, child *tree.Node) {
			path := strings.TrimPrefix(name+"."+key.Name, ".")
			put(out, pascal(key.Name), t.cloudAttribute(child, unknown.Get(key.Name), path))
		})
		unknown.Each(func(key tree.Key, later *tree.Node) { // a plan leaves out what it does not know
			if value.Get(key.Name) == nil {
				path := strings.TrimPrefix(name+"."+key.Name, ".")
				put(out, pascal(key.Name), t.cloudAttribute(nil, later, path))
			}
		})
		return out
	case tree.List:
		out := &tree.Node{Kind: tree.List, Line: value.Line}
		for i, child := range value.Items {
			var one *tree.Node
			if unknown != nil && unknown.Kind == tree.List && i < len(unknown.Items) {
				one = unknown.Items[i]
			}
			out.Items = append(out.Items, t.cloudControl(child, one, name))
		}
		return out
	}
	return literal(value)
}

func (t *translator) cloudAttribute(child, unknown *tree.Node, path string) *tree.Node {
	switch path {
	case "auth_token", "passwords":
		if child.IsNull() && !isTrue(unknown) {
			return child
		}
		return text(hidden)
	case "api_id":
		if target := t.links.api(t.change, path, child); target != "" {
			return tree.MapOf("Ref", text(target), t.after)
		}
	case "extra_connection_attributes":
		if kind := posture.ExtraAuthType(child.Str()); kind.IsKnown() {
			return text("authType=" + kind.Text())
		}
	}
	return t.cloudControl(child, unknown, path)
}

// find follows a dotted path through blocks. It reports whether the value, or
// something above it, is known only after apply.
func find(value, unknown *tree.Node, path string) (*tree.Node, bool) {
	for {
		if isTrue(unknown) {
			return nil, true
		}
		first, rest, more := strings.Cut(path, ".")
		value, unknown = only(value).Get(first), only(unknown).Get(first)
		if !more {
			return value, isTrue(unknown)
		}
		path = rest
	}
}

func descend(node *tree.Node, path string) (string, *tree.Node) {
	for {
		first, rest, more := strings.Cut(path, ".")
		node = only(node).Get(first)
		if !more {
			return first, node
		}
		path = rest
	}
}

// only steps into a list of one block.
func only(node *tree.Node) *tree.Node {
	if node != nil && node.Kind == tree.List {
		if len(node.Items) == 0 {
			return nil
		}
		return node.Items[0]
	}
	return node
}

func isTrue(node *tree.Node) bool {
	return node != nil && node.Kind == tree.Bool && node.Text == "true"
}

func cutLast(path string) (head, last string) {
	i := strings.LastIndex(path, ".")
	return path[:i], path[i+1:]
}

func text(s string) *tree.Node { return &tree.Node{Kind: tree.String, Text: s} }

func mapping(place *tree.Node) *tree.Node {
	node := &tree.Node{Kind: tree.Map}
	if place != nil {
		node.Line = place.Line
	}
	return node
}

func put(node *tree.Node, key string, value *tree.Node) {
	if existing := node.Get(key); existing != nil && existing.Kind == tree.Map && value.Kind == tree.Map {
		return // a block whose inner fields came first
	}
	node.Put(key, value)
}

// literal keeps a value from being read as an intrinsic: what stands in a plan
// is a value already.
func literal(value *tree.Node) *tree.Node {
	if value == nil {
		return &tree.Node{Kind: tree.Null}
	}
	if value.Kind == tree.Map && len(value.Keys) == 1 && template.IsIntrinsic(value.Keys[0].Name) {
		return mapping(value)
	}
	return value
}
