package rpc

import (
	"fmt"
	"reflect"
	"time"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// encoder turns the SDK's structures into the tree that a format writes.
type encoder struct {
	service *model.Service
	format  Format
}

func (e encoder) value(name string, v reflect.Value) (any, error) {
	v = model.Indirect(v)
	if !v.IsValid() {
		return nil, fmt.Errorf("rpc: no value for %s", name)
	}
	shape := e.service.Shapes[name]
	switch shape.Type {
	case model.Structure:
		return e.structure(shape, v)
	case model.List:
		items := make([]any, v.Len())
		for i := range items {
			var err error
			if items[i], err = e.value(shape.Item, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return items, nil
	case model.Map:
		entries := make(map[string]any, v.Len())
		for _, key := range v.MapKeys() {
			entry, err := e.value(shape.Value, v.MapIndex(key))
			if err != nil {
				return nil, err
			}
			entries[key.String()] = entry
		}
		return entries, nil
	case model.Timestamp:
		return e.format.time(float64(v.Interface().(time.Time).UnixMilli()) / 1000), nil
	case model.Float, model.Double:
		return e.format.double(v.Float()), nil
	case model.String: // an enumeration is a type of its own
		return v.String(), nil
	}
	return v.Interface(), nil
}

func (e encoder) structure(shape *model.Shape, v reflect.Value) (any, error) {
	members := map[string]any{}
	for i := range shape.Members {
		m := &shape.Members[i]
		field := model.Field(v, m)
		if !field.IsValid() {
			return nil, fmt.Errorf("rpc: %s has no field for %s", v.Type(), m.Name)
		}
		if model.Absent(field) {
			continue
		}
		value, err := e.value(m.Shape, field)
		if err != nil {
			return nil, err
		}
		members[m.Name] = value
	}
	return members, nil
}
