package template

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// maxSteps bounds the evaluation of one resource in one world: an expression of
// a real template takes tens of steps.
const maxSteps = 1 << 14

// get evaluates one key of an object. A key that is not there is absent, unless
// the object holds something that may add keys.
func (v value) get(key string, w *world) value {
	switch v.shape {
	case unknown, opaque:
		return unknownValue(v.reason, v.needs)
	case reference:
		return unknownValue("it refers to "+v.refersTo(), "the deployed value of "+v.refersTo())
	case object:
	default:
		return value{shape: absent, node: v.node}
	}
	if v.node.Twice(key) {
		return unknownValue("the key "+key+" is written twice", "one of the two")
	}
	child := v.node.Get(key)
	if child == nil {
		if macro := adds(v.node); macro != "" {
			return unknownValue(macro+" may add "+key, "the processed template")
		}
		return value{shape: absent, node: v.node}
	}
	return v.home.eval(child, w)
}

// at follows keys.
func (v value) at(w *world, keys ...string) value {
	for _, key := range keys {
		v = v.get(key, w)
	}
	return v
}

// adds names what may add keys to a block beside those that are written.
func adds(block *tree.Node) string {
	found := ""
	block.Each(func(key tree.Key, _ *tree.Node) {
		if key.Name == "Fn::Transform" || strings.HasPrefix(key.Name, "Fn::ForEach") {
			found = key.Name
		}
	})
	return found
}

// eval evaluates an expression in a world.
func (t *Template) eval(node *tree.Node, w *world) value {
	if w.steps++; w.steps > maxSteps {
		return unknownValue("the expression is too large to evaluate", "a simpler template")
	}
	if node.IsNull() {
		return value{shape: absent, node: node}
	}
	switch node.Kind {
	case tree.List:
		return t.evalList(node, w)
	case tree.Map:
		if len(node.Keys) == 1 {
			if name := node.Keys[0].Name; IsIntrinsic(name) {
				return t.call(name, node, node.Items[0], w)
			}
		}
		return value{shape: object, node: node, home: t}
	}
	if dynamic, ok := dynamicReference(node.Text); ok {
		dynamic.node = node
		return dynamic
	}
	return known(node.Text, node)
}

func (t *Template) evalList(node *tree.Node, w *world) value {
	out := value{shape: list, node: node}
	for _, child := range node.Items {
		item := t.eval(child, w)
		if item.shape != absent {
			out.items = append(out.items, item)
		}
	}
	return out
}

// IsIntrinsic reports whether a map with this one key is a function call.
func IsIntrinsic(key string) bool {
	return key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::")
}

// afterApply is a function of Gatehouse's own: package plan writes it for values
// that Terraform knows only after apply.
const afterApply = "Fn::Gatehouse::AfterApply"

// AfterApply is an expression for a value that is known only after apply.
func AfterApply(attribute string) *tree.Node {
	place := &tree.Node{Line: 1}
	return tree.MapOf(afterApply, tree.StringAt(attribute, place), place)
}

// call evaluates an intrinsic function. One that is not known here is unknown.
func (t *Template) call(name string, node, arg *tree.Node, w *world) value {
	var out value
	switch name {
	case "Ref":
		out = t.ref(arg.Str(), w)
	case "Fn::If":
		out = t.evalIf(arg, w)
	case "Fn::GetAtt":
		out = t.getAtt(arg, w)
	case "Fn::FindInMap":
		out = t.findInMap(arg, w)
	case "Fn::Sub":
		out = t.sub(arg, w)
	case "Fn::Join":
		out = t.join(arg, w)
	case "Fn::Select":
		out = t.selectItem(arg, w)
	case "Fn::Split":
		out = t.split(arg, w)
	case "Fn::ImportValue":
		out = opaqueValue("it is imported from another stack", "the export's value")
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition":
		out = t.truth(node, w)
	case "Fn::Base64", "Fn::GetAZs", "Fn::Cidr", "Fn::Length", "Fn::ToJsonString", "Fn::GetStackOutput":
		out = opaqueValue("it is computed by "+name, "the deployed value")
	case afterApply:
		out = unknownValue(arg.Str()+" is known only after apply", "a plan in which "+arg.Str()+" is known")
	default:
		out = unknownValue("it is computed by "+name+", which cannot be expanded here", "the processed template")
	}
	if out.node == nil {
		out.node = node
	}
	return out
}

func (t *Template) truth(node *tree.Node, w *world) value {
	decided, ok := t.condition(node, w, "", 0)
	if !ok {
		return unknownValue("it depends on a condition", "the condition's value")
	}
	return known(fmt.Sprint(decided), node)
}

func (t *Template) evalIf(arg *tree.Node, w *world) value {
	if arg == nil || arg.Kind != tree.List || len(arg.Items) != 3 {
		return unknownValue("Fn::If needs a condition and two values", "a valid template")
	}
	name := arg.Items[0].Str()
	decided, ok := t.conditionNamed(name, w, 0)
	if !ok {
		return unknownValue("it depends on condition "+name, "the value of condition "+name)
	}
	if decided {
		return t.eval(arg.Items[1], w)
	}
	return t.eval(arg.Items[2], w)
}

func (t *Template) getAtt(arg *tree.Node, w *world) value {
	id, attr, _ := strings.Cut(arg.Str(), ".")
	if arg != nil && arg.Kind == tree.List && len(arg.Items) == 2 {
		id, attr = arg.Items[0].Str(), arg.Items[1].Str()
	}
	resource := t.resource(id)
	if resource == nil {
		return opaqueValue("it is read from "+id+", which the template does not show", "the deployed value of "+id)
	}
	if output, ok := strings.CutPrefix(attr, "Outputs."); ok {
		if child := t.nested(id, w); child != nil {
			if node := child.root.At("Outputs", output, "Value"); node != nil {
				return child.eval(node, w)
			}
		}
	}
	return value{shape: reference, text: id, attr: attr, home: t}
}

func (t *Template) findInMap(arg *tree.Node, w *world) value {
	if arg == nil || arg.Kind != tree.List || len(arg.Items) < 3 {
		return unknownValue("Fn::FindInMap needs a map and two keys", "a valid template")
	}
	node := t.root.Get("Mappings")
	for i := range 3 {
		key := t.eval(arg.Items[i], w)
		if key.shape != scalar {
			return unknownValue("the key of a mapping is not known ("+key.why()+")", key.needs)
		}
		if node = node.Get(key.text); node == nil {
			if len(arg.Items) > 3 {
				return t.eval(arg.Items[3].Get("DefaultValue"), w)
			}
			return unknownValue("the mapping has no key "+key.text, "the mapping")
		}
	}
	return t.eval(node, w)
}

func (v value) why() string {
	switch v.shape {
	case reference:
		return "it refers to " + v.refersTo()
	case unknown, opaque:
		return v.reason
	}
	return "it is not text"
}

func (t *Template) join(arg *tree.Node, w *world) value {
	if arg == nil || arg.Kind != tree.List || len(arg.Items) != 2 {
		return unknownValue("Fn::Join needs a delimiter and a list", "a valid template")
	}
	items := t.eval(arg.Items[1], w)
	if items.shape != list {
		return unknownValue(items.why(), items.needs)
	}
	texts := make([]string, 0, len(items.items))
	for _, item := range items.items {
		if item.shape != scalar {
			return mixed(item, texts)
		}
		texts = append(texts, item.text)
	}
	joined := strings.Join(texts, arg.Items[0].Str())
	if dynamic, ok := dynamicReference(joined); ok {
		return dynamic
	}
	return known(joined, arg)
}

// mixed is text of which a part is not known: it is not empty when any part is
// certainly there.
func mixed(part value, others []string) value {
	if part.shape == unknown && strings.Join(others, "") == "" {
		return unknownValue(part.reason, part.needs)
	}
	return opaqueValue(part.why(), part.needs)
}

func (t *Template) selectItem(arg *tree.Node, w *world) value {
	if arg == nil || arg.Kind != tree.List || len(arg.Items) != 2 {
		return unknownValue("Fn::Select needs an index and a list", "a valid template")
	}
	index, items := t.eval(arg.Items[0], w), t.eval(arg.Items[1], w)
	n, ok := index.attribute().Int()
	if index.shape != scalar || !ok || items.shape != list || n < 0 || n >= len(items.items) {
		return unknownValue("Fn::Select picks from something that is not known", "the deployed value")
	}
	return items.items[n]
}

func (t *Template) split(arg *tree.Node, w *world) value {
	if arg == nil || arg.Kind != tree.List || len(arg.Items) != 2 {
		return unknownValue("Fn::Split needs a delimiter and text", "a valid template")
	}
	text, delimiter := t.eval(arg.Items[1], w), arg.Items[0].Str()
	if text.shape != scalar || delimiter == "" {
		return unknownValue("Fn::Split splits something that is not known", "the deployed value")
	}
	out := value{shape: list, node: arg}
	for part := range strings.SplitSeq(text.text, delimiter) {
		out.items = append(out.items, known(part, arg))
	}
	return out
}
