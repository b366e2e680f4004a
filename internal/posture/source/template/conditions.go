package template

import (
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// maxConditionDepth bounds conditions that refer to conditions; one that refers
// to itself ends here.
const maxConditionDepth = 32

// conditionNamed evaluates a condition of the Conditions section. It reports
// false when the condition is not decided in this world.
func (t *Template) conditionNamed(name string, w *world, depth int) (decided, ok bool) {
	node := t.root.At("Conditions", name)
	if node == nil || depth > maxConditionDepth {
		return false, false
	}
	return t.condition(node, w, name, depth+1)
}

// condition evaluates a condition's expression. label names it in reports.
func (t *Template) condition(node *tree.Node, w *world, label string, depth int) (decided, ok bool) {
	if node == nil || node.Kind != tree.Map || len(node.Keys) != 1 || depth > maxConditionDepth {
		return false, false
	}
	arg := node.Items[0]
	switch node.Keys[0].Name {
	case "Condition":
		return t.conditionNamed(arg.Str(), w, depth)
	case "Fn::Not":
		if arg.Kind != tree.List || len(arg.Items) != 1 {
			return false, false
		}
		inner, ok := t.condition(arg.Items[0], w, label, depth+1)
		return !inner, ok
	case "Fn::And":
		return t.several(arg, w, label, depth, false)
	case "Fn::Or":
		return t.several(arg, w, label, depth, true)
	case "Fn::Equals":
		return t.equals(arg, w, label)
	}
	return t.guess(node, w, label)
}

// several is Fn::And (until a false) and Fn::Or (until a true).
func (t *Template) several(arg *tree.Node, w *world, label string, depth int, until bool) (decided, ok bool) {
	if arg == nil || arg.Kind != tree.List {
		return false, false
	}
	sure := true
	for _, item := range arg.Items {
		value, ok := t.condition(item, w, "", depth+1)
		if ok && value == until {
			return until, true
		}
		sure = sure && ok
	}
	return !until, sure
}

func (t *Template) equals(arg *tree.Node, w *world, label string) (decided, ok bool) {
	if arg == nil || arg.Kind != tree.List || len(arg.Items) != 2 {
		return false, false
	}
	left, right := t.eval(arg.Items[0], w), t.eval(arg.Items[1], w)
	if left.shape == scalar && right.shape == scalar {
		return left.text == right.text, true
	}
	if arg.Items[0].Canonical() == arg.Items[1].Canonical() {
		return true, true
	}
	if beyond(left, right, arg.Items[0], arg.Items[1], t, w) {
		return false, true
	}
	return t.guess(tree.MapOf("Fn::Equals", arg, arg), w, label)
}

// beyond recognises a parameter that this world has set apart from every value
// that conditions compare it with.
func beyond(left, right value, leftNode, rightNode *tree.Node, t *Template, w *world) bool {
	apart := func(v, against value, node *tree.Node) bool {
		return v.shape == opaque && against.shape == scalar && w.chosen[t.id()+node.Get("Ref").Str()] == other
	}
	return apart(left, right, leftNode) || apart(right, left, rightNode)
}

// guess makes both outcomes of an expression cases.
func (t *Template) guess(node *tree.Node, w *world, label string) (decided, ok bool) {
	key := t.id() + node.Canonical()
	if label == "" {
		label = node.Canonical()
	}
	choice, ok := w.choose(atom{key: key, label: label, choices: []string{"true", "false"}})
	return choice == "true", ok
}
