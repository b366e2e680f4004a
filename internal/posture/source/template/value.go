package template

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// shape is what an expression comes to.
type shape uint8

const (
	absent    shape = iota // not there, or AWS::NoValue
	unknown                // cannot be known from the template
	opaque                 // there is a value, and the template does not say which
	scalar                 // text
	list                   // items
	object                 // a map that is evaluated key by key
	reference              // a resource of this template
)

// value is an evaluated expression.
type value struct {
	shape  shape
	text   string     // scalar; reference: the logical id
	attr   string     // reference: the attribute of GetAtt, empty for Ref
	items  []value    // list
	node   *tree.Node // object, and the place of everything else
	home   *Template  // object and reference: the template it belongs to
	reason string     // unknown and opaque
	needs  string
}

func known(text string, at *tree.Node) value { return value{shape: scalar, text: text, node: at} }

func unknownValue(reason, needs string) value {
	return value{shape: unknown, reason: reason, needs: needs}
}

func opaqueValue(reason, needs string) value {
	return value{shape: opaque, reason: reason, needs: needs}
}

// isSet reports whether there certainly is a value, and whether that is certain.
func (v value) isSet() (set, certain bool) {
	switch v.shape {
	case absent:
		return false, true
	case unknown:
		return false, false
	case scalar:
		return v.text != "", true
	case list:
		return len(v.items) > 0, true
	}
	return true, true
}

// attribute turns a value into what rules read.
func (v value) attribute() posture.Value {
	switch v.shape {
	case absent:
		return posture.Absent()
	case scalar:
		return posture.Text(v.text)
	case reference:
		return posture.Unknown("it refers to "+v.refersTo(), "the deployed value of "+v.refersTo())
	case object:
		return posture.Unknown("it is a block where a plain value belongs", "a plain value")
	case list:
		return listAttribute(v)
	}
	return posture.Unknown(v.reason, v.needs)
}

func (v value) refersTo() string {
	if v.attr != "" {
		return v.text + "." + v.attr
	}
	return v.text
}

// listAttribute is a list of texts; one item that is not known makes the list
// unknown, unless the rest already tells (callers look at Items themselves).
func listAttribute(v value) posture.Value {
	items := make([]string, 0, len(v.items))
	for _, item := range v.items {
		switch item.shape {
		case scalar:
			items = append(items, item.text)
		case reference:
			items = append(items, item.refersTo())
		case absent:
		default:
			return item.attribute()
		}
	}
	return posture.List(items)
}

// secret says whether a secret is set, and never what it is.
func (v value) secret() posture.Value {
	set, certain := v.isSet()
	switch {
	case !certain:
		return posture.Unknown(v.reason, v.needs)
	case set:
		return posture.Secret()
	}
	return posture.Absent()
}

// dynamicReference tells {{resolve:…}} apart; its value is AWS's to know.
func dynamicReference(text string) (value, bool) {
	if !strings.Contains(text, "{{resolve:") {
		return value{}, false
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(text[strings.Index(text, "{{resolve:"):], "{{resolve:"), ":")
	return opaqueValue(fmt.Sprintf("it is a dynamic reference to %s", service), "the value that the reference resolves to"), true
}
