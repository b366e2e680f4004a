package query

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// Decode fills the SDK's input structure that in points to with the form's
// parameters. An *Error names the parameter that is wrong; any other error says
// that the SDK's type and the model do not fit together.
func (f *Form) Decode(service *model.Service, operation string, in any) error {
	d := decoder{service: service}
	op := service.Operations[operation]
	if op == nil {
		return fmt.Errorf("query: the model has no operation %s", operation)
	}
	root, err := f.tree()
	if err != nil {
		return err
	}
	if op.Input == "" {
		return d.unknown("", root, nil)
	}
	return d.structure("", service.Shapes[op.Input], root, reflect.ValueOf(in).Elem())
}

type decoder struct{ service *model.Service }

func (d *decoder) value(path string, shape *model.Shape, n *node, to reflect.Value) error {
	if to.Kind() == reflect.Pointer {
		fresh := reflect.New(to.Type().Elem())
		if err := d.value(path, shape, n, fresh.Elem()); err != nil {
			return err
		}
		to.Set(fresh)
		return nil
	}
	switch shape.Type {
	case model.Structure:
		if n.value != nil {
			return invalid("The parameter %s is a structure; give its members instead of a value.", path)
		}
		return d.structure(path+".", shape, n, to)
	case model.List:
		return d.list(path, shape, n, to)
	case model.Map:
		return d.mapping(path, shape, n, to)
	}
	if n.value == nil || len(n.children) > 0 {
		return invalid("The parameter %s is a single value and has no members.", path)
	}
	return scalar(path, shape.Type, *n.value, to)
}

// structure decodes into to the members of a structure whose name, with a dot
// after it, is prefix.
func (d *decoder) structure(prefix string, shape *model.Shape, n *node, to reflect.Value) error {
	known := map[string]bool{}
	for i := range shape.Members {
		m := &shape.Members[i]
		known[m.Wire()] = true
		child := n.child(m.Wire())
		if child == nil {
			continue
		}
		field := model.Field(to, m)
		if !field.IsValid() {
			return fmt.Errorf("query: %s has no field for %s", to.Type(), m.Name)
		}
		if err := d.value(prefix+m.Wire(), d.service.Shapes[m.Shape], child, field); err != nil {
			return err
		}
	}
	return d.unknown(prefix, n, known)
}

func (d *decoder) unknown(prefix string, n *node, known map[string]bool) error {
	for _, c := range n.children {
		if !known[c.name] {
			return invalid("The parameter %s is not one of this operation's parameters.", shorten(prefix+c.name))
		}
	}
	return nil
}

func (d *decoder) list(path string, shape *model.Shape, n *node, to reflect.Value) error {
	items, err := listItems(path, shape, n)
	if err != nil {
		return err
	}
	to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
	for i, it := range items {
		itemPath := path + "." + shape.ItemWire() + "." + strconv.Itoa(it.number)
		if err := d.value(itemPath, d.service.Shapes[shape.Item], it.node, to.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// listItems returns a list's items in the order of their numbers. "Name=" is the
// empty list.
func listItems(path string, shape *model.Shape, n *node) ([]item, error) {
	if n.value != nil {
		if *n.value != "" || len(n.children) > 0 {
			return nil, invalid("The parameter %s is a list; give its items as %s.%s.1 and so on.", path, path, shape.ItemWire())
		}
		return nil, nil
	}
	var items []item
	for _, c := range n.children {
		if c.name != shape.ItemWire() && c.name != model.DefaultItem {
			return nil, invalid("The parameter %s is a list; give its items as %s.%s.1 and so on.", path, path, shape.ItemWire())
		}
		if c.value != nil {
			return nil, invalid("The parameter %s.%s has no item number.", path, c.name)
		}
		for _, entry := range c.children {
			i, ok := number(entry.name)
			if !ok {
				return nil, invalid("The parameter %s.%s.%s has no item number from 1 to %d.", path, c.name, shorten(entry.name), maxIndex)
			}
			items = append(items, item{i, entry.node})
		}
	}
	if len(items) > maxItems {
		return nil, invalid("The parameter %s has more than %d items.", path, maxItems)
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(items); i++ {
		if items[i].number == items[i-1].number {
			return nil, invalid("The parameter %s has two items with the number %d.", path, items[i].number)
		}
	}
	return items, nil
}

// mapping decodes "Name.entry.1.key=a&Name.entry.1.value=b".
func (d *decoder) mapping(path string, shape *model.Shape, n *node, to reflect.Value) error {
	entries, err := listItems(path, &model.Shape{ItemName: "entry"}, n)
	if err != nil {
		return err
	}
	to.Set(reflect.MakeMapWithSize(to.Type(), len(entries)))
	for _, entry := range entries {
		entryPath := path + ".entry." + strconv.Itoa(entry.number)
		if err := d.unknown(entryPath+".", entry.node, map[string]bool{"key": true, "value": true}); err != nil {
			return err
		}
		key, value := reflect.New(to.Type().Key()).Elem(), reflect.New(to.Type().Elem()).Elem()
		for name, part := range map[string]struct {
			shape string
			to    reflect.Value
		}{"key": {shape.Key, key}, "value": {shape.Value, value}} {
			child := entry.node.child(name)
			if child == nil {
				return invalid("The parameter %s has no %s.", entryPath, name)
			}
			if err := d.value(entryPath+"."+name, d.service.Shapes[part.shape], child, part.to); err != nil {
				return err
			}
		}
		if to.MapIndex(key).IsValid() {
			return invalid("The parameter %s has the same key more than once.", path)
		}
		to.SetMapIndex(key, value)
	}
	return nil
}

func scalar(path string, typ model.Type, text string, to reflect.Value) error {
	wrong := func(what string) error {
		return invalid("Invalid value for parameter %s: '%s' is not %s.", path, shorten(text), what)
	}
	switch typ {
	case model.String:
		to.SetString(text)
	case model.Boolean:
		if text != "true" && text != "false" {
			return wrong("true or false")
		}
		to.SetBool(text == "true")
	case model.Integer, model.Long:
		i, err := strconv.ParseInt(text, 10, to.Type().Bits())
		if err != nil {
			return wrong("an integer")
		}
		to.SetInt(i)
	case model.Float, model.Double:
		x, err := strconv.ParseFloat(text, to.Type().Bits())
		if err != nil {
			return wrong("a number")
		}
		to.SetFloat(x)
	case model.Timestamp:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return wrong("a time in ISO 8601 form, such as 2026-01-31T12:00:00Z")
		}
		to.Set(reflect.ValueOf(at.UTC()))
	}
	return nil
}
