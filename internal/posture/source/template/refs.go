package template

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// ref evaluates {"Ref": name}.
func (t *Template) ref(name string, w *world) value {
	switch name {
	case "AWS::NoValue":
		return value{shape: absent}
	case "AWS::Region":
		return t.pseudo(name, t.options.Region, w)
	case "AWS::AccountId":
		return t.pseudo(name, t.options.Account, w)
	}
	if strings.HasPrefix(name, "AWS::") {
		return t.pseudo(name, "", w)
	}
	if parameter := t.root.At("Parameters", name); parameter != nil {
		return t.parameter(name, parameter, w)
	}
	if t.resource(name) != nil || t.implied(name) {
		return value{shape: reference, text: name, home: t}
	}
	return opaqueValue("it refers to "+name+", which the template does not declare", "the template that declares "+name)
}

func (t *Template) pseudo(name, given string, w *world) value {
	if given != "" {
		return known(given, nil)
	}
	return t.open(name, w, func() value {
		return opaqueValue("it is "+name, "the value of "+name)
	})
}

// parameter takes the given value, then the default, then every allowed value.
func (t *Template) parameter(name string, declared *tree.Node, w *world) value {
	kind := declared.Get("Type").Str()
	if given, ok := t.given[name]; ok {
		if given.shape == object { // a nested stack's parameter, written in the parent
			given = given.home.eval(given.node, w)
		}
		return asParameter(given, kind)
	}
	fallback := declared.Get("Default")
	if strings.HasPrefix(kind, "AWS::SSM::Parameter::") {
		return opaqueValue("parameter "+name+" is read from Parameter Store", "the stored value")
	}
	if text, ok := fallback.Scalar(); ok {
		if dynamic, isDynamic := dynamicReference(text); isDynamic {
			return dynamic
		}
		return asParameter(known(text, fallback), kind)
	}
	return t.open(name, w, func() value {
		return opaqueValue("parameter "+name+" has no value here", "a value for parameter "+name)
	})
}

// asParameter splits the text of list parameters.
func asParameter(given value, kind string) value {
	isList := kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")
	if !isList || given.shape != scalar {
		return given
	}
	out := value{shape: list, node: given.node}
	if given.text == "" {
		return out
	}
	for item := range strings.SplitSeq(given.text, ",") {
		out.items = append(out.items, known(strings.TrimSpace(item), given.node))
	}
	return out
}

// open is a parameter without a value: its allowed values, or the values that
// conditions compare it with, are the cases; nothing known is left otherwise.
func (t *Template) open(name string, w *world, otherwise func() value) value {
	choices := t.choices(name)
	if len(choices) == 0 {
		return otherwise()
	}
	choice, ok := w.choose(atom{key: t.id() + name, label: name, choices: choices})
	if !ok || choice == other {
		return otherwise()
	}
	return known(choice, nil)
}

// id tells the parameters of nested stacks apart.
func (t *Template) id() string { return strings.Join(t.stack, "/") + ":" }

// maxChoices bounds the allowed values that are tried one by one.
const maxChoices = 24

func (t *Template) choices(name string) []string {
	declared := t.root.At("Parameters", name)
	var choices []string
	if allowed := declared.Get("AllowedValues"); allowed != nil && allowed.Kind == tree.List {
		for _, item := range allowed.Items {
			choices = append(choices, item.Str())
		}
	} else if compared := t.compared()[name]; len(compared) > 0 {
		choices = append(append(choices, compared...), other)
	}
	if len(choices) > maxChoices {
		return nil
	}
	return choices
}

// compared finds the constants that conditions compare each parameter with.
func (t *Template) compared() map[string][]string {
	if t.consts != nil {
		return t.consts
	}
	t.consts = map[string][]string{}
	var visit func(node *tree.Node)
	visit = func(node *tree.Node) {
		if node == nil {
			return
		}
		if sides := node.Get("Fn::Equals"); sides != nil && sides.Kind == tree.List && len(sides.Items) == 2 {
			t.compare(sides.Items[0], sides.Items[1])
			t.compare(sides.Items[1], sides.Items[0])
		}
		for _, child := range node.Items {
			visit(child)
		}
	}
	visit(t.root.Get("Conditions"))
	return t.consts
}

func (t *Template) compare(side, constant *tree.Node) {
	text, ok := constant.Scalar()
	name := side.Get("Ref").Str()
	if !ok || name == "" {
		return
	}
	for _, seen := range t.consts[name] {
		if seen == text {
			return
		}
	}
	t.consts[name] = append(t.consts[name], text)
}

// sub evaluates Fn::Sub, in both of its forms.
func (t *Template) sub(arg *tree.Node, w *world) value {
	text, variables := arg.Str(), (*tree.Node)(nil)
	if arg != nil && arg.Kind == tree.List && len(arg.Items) == 2 {
		text, variables = arg.Items[0].Str(), arg.Items[1]
	}
	var out strings.Builder
	var unsure *value
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return unknownValue("Fn::Sub has a ${ without an end", "a valid template")
		}
		text = after
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			continue
		}
		part := t.variable(strings.TrimSpace(name), variables, w)
		switch {
		case part.shape == scalar:
			out.WriteString(part.text)
		case part.shape == reference && before == "" && after == "" && out.Len() == 0:
			return part // "${Resource}" alone is the reference itself
		case unsure == nil:
			unsure = &part
		}
	}
	if unsure != nil {
		return mixed(*unsure, []string{out.String()})
	}
	if dynamic, ok := dynamicReference(out.String()); ok {
		return dynamic
	}
	return known(out.String(), arg)
}

func (t *Template) variable(name string, variables *tree.Node, w *world) value {
	if node := variables.Get(name); node != nil {
		return t.eval(node, w)
	}
	if strings.Contains(name, ".") {
		return t.getAtt(&tree.Node{Kind: tree.String, Text: name}, w)
	}
	return t.ref(name, w)
}
