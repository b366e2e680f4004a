package rpc

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// mapType is what structures and maps are parsed into. CBOR whose keys are not
// texts does not fit and is refused.
var mapType = reflect.TypeFor[map[string]any]()

type decoder struct{ service *model.Service }

// structure decodes into to the members of a structure whose name, with a dot
// after it, is prefix. A member that is null is absent.
func (d decoder) structure(prefix string, shape *model.Shape, tree any, to reflect.Value) error {
	members, ok := tree.(map[string]any)
	if !ok {
		return wrong(prefix, "a structure")
	}
	for i := range shape.Members {
		m := &shape.Members[i]
		value := members[m.Name]
		if value == nil {
			continue
		}
		field := model.Field(to, m)
		if !field.IsValid() {
			return fmt.Errorf("rpc: %s has no field for %s", to.Type(), m.Name)
		}
		if err := d.value(prefix+m.Name, d.service.Shapes[m.Shape], value, field); err != nil {
			return err
		}
	}
	return d.unknown(prefix, tree, shape.Members)
}

func (d decoder) unknown(prefix string, tree any, known []model.Member) error {
	members, ok := tree.(map[string]any)
	if !ok {
		return wrong(prefix, "a structure")
	}
	for name := range members {
		if !slices.ContainsFunc(known, func(m model.Member) bool { return m.Name == name }) {
			return malformed("The member %s%s is not one of this operation's members.", prefix, shorten(name))
		}
	}
	return nil
}

func (d decoder) value(path string, shape *model.Shape, tree any, to reflect.Value) error {
	if to.Kind() == reflect.Pointer {
		fresh := reflect.New(to.Type().Elem())
		if err := d.value(path, shape, tree, fresh.Elem()); err != nil {
			return err
		}
		to.Set(fresh)
		return nil
	}
	switch shape.Type {
	case model.Structure:
		return d.structure(path+".", shape, tree, to)
	case model.List:
		return d.list(path, shape, tree, to)
	case model.Map:
		return d.mapping(path, shape, tree, to)
	case model.Timestamp:
		at, ok := moment(tree)
		if !ok {
			return wrong(path, "a time in seconds since 1970")
		}
		to.Set(reflect.ValueOf(at))
		return nil
	}
	return scalar(path, shape.Type, tree, to)
}

func (d decoder) list(path string, shape *model.Shape, tree any, to reflect.Value) error {
	items, ok := tree.([]any)
	if !ok {
		return wrong(path, "a list")
	}
	to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
	for i, item := range items {
		if item == nil {
			return wrong(path+"."+strconv.Itoa(i+1), "a value")
		}
		if err := d.value(path+"."+strconv.Itoa(i+1), d.service.Shapes[shape.Item], item, to.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (d decoder) mapping(path string, shape *model.Shape, tree any, to reflect.Value) error {
	entries, ok := tree.(map[string]any)
	if !ok {
		return wrong(path, "a map")
	}
	to.Set(reflect.MakeMapWithSize(to.Type(), len(entries)))
	for name, entry := range entries {
		if entry == nil {
			return wrong(path+"."+shorten(name), "a value")
		}
		key, value := reflect.New(to.Type().Key()).Elem(), reflect.New(to.Type().Elem()).Elem()
		key.SetString(name)
		if err := d.value(path+"."+shorten(name), d.service.Shapes[shape.Value], entry, value); err != nil {
			return err
		}
		to.SetMapIndex(key, value)
	}
	return nil
}

func scalar(path string, typ model.Type, tree any, to reflect.Value) error {
	switch typ {
	case model.String:
		text, ok := tree.(string)
		if !ok {
			return wrong(path, "a text")
		}
		to.SetString(text)
	case model.Boolean:
		truth, ok := tree.(bool)
		if !ok {
			return wrong(path, "true or false")
		}
		to.SetBool(truth)
	case model.Integer, model.Long:
		i, ok := integer(tree)
		if !ok || to.OverflowInt(i) {
			return wrong(path, "an integer in the range of its type")
		}
		to.SetInt(i)
	case model.Float, model.Double:
		x, ok := number(tree)
		if !ok {
			return wrong(path, "a number")
		}
		to.SetFloat(x)
	default:
		return fmt.Errorf("rpc: %s is of the type %s, which is not supported", path, typ)
	}
	return nil
}

func integer(tree any) (int64, bool) {
	switch n := tree.(type) {
	case int64:
		return n, true
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	}
	return 0, false
}

// number reads a finite number.
func number(tree any) (float64, bool) {
	var x float64
	switch n := tree.(type) {
	case int64:
		x = float64(n)
	case float64:
		x = n
	case json.Number:
		var err error
		if x, err = n.Float64(); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return x, !math.IsNaN(x) && !math.IsInf(x, 0)
}

// lastSecond is the end of the year 9999, the last that ISO 8601 can write.
const lastSecond = 253402300799

// moment reads seconds since 1970, to the millisecond. The CBOR decoder has made
// a time of what is under tag 1 already, and the zero time of a NaN.
func moment(tree any) (time.Time, bool) {
	if at, tagged := tree.(time.Time); tagged {
		inRange := !at.IsZero() && at.Unix() >= -lastSecond && at.Unix() <= lastSecond
		return at.UTC().Round(time.Millisecond), inRange
	}
	seconds, ok := number(tree)
	if !ok || math.Abs(seconds) > lastSecond {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), true
}

func wrong(path, what string) error {
	if path = strings.TrimSuffix(path, "."); path == "" {
		path = "The request's body"
	} else {
		path = "The member " + path
	}
	return malformed("%s is not %s.", path, what)
}

// shorten is a client's text as an error may show it.
func shorten(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "…"
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "?")
	}
	return text
}
