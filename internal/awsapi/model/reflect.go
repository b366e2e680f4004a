package model

import (
	"reflect"
	"strings"
)

// Field returns the field of an SDK structure that a member is decoded into. The
// SDK names it like the member, with its first letter upper case.
func Field(v reflect.Value, m *Member) reflect.Value {
	return v.FieldByName(strings.ToUpper(m.Name[:1]) + m.Name[1:])
}

// Indirect follows pointers; the result of a nil one is invalid.
func Indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

// Absent reports whether a field of an SDK structure has no value: a nil
// pointer, list or map, or the empty enumeration. Plain numbers and booleans
// are always there.
func Absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}
