package posture

import (
	"slices"
	"strconv"
	"strings"
)

// state is what is known about an attribute. The zero state is unknown.
type state uint8

const (
	stateUnknown state = iota
	stateAbsent
	stateKnown
)

// Value is an attribute of a resource in three states: known, absent (the
// owner left it out, so the service's default holds) or unknown. The zero Value
// is unknown.
type Value struct {
	state  state
	data   any // string, bool, int or []string; nil for a secret that is set
	secret bool
	reason string
	needs  string
}

// Text is a known string.
func Text(s string) Value { return Value{state: stateKnown, data: s} }

// Flag is a known boolean.
func Flag(b bool) Value { return Value{state: stateKnown, data: b} }

// Number is a known integer.
func Number(n int) Value { return Value{state: stateKnown, data: n} }

// List is a known list of strings; nil is a known empty list.
func List(items []string) Value { return Value{state: stateKnown, data: slices.Clone(items)} }

// Secret says that a secret is present. The secret itself is never kept.
func Secret() Value { return Value{state: stateKnown, secret: true} }

// Absent says that the attribute is not there and the service's default holds.
func Absent() Value { return Value{state: stateAbsent} }

// Unknown says why a value could not be read and what would settle it.
func Unknown(reason, needs string) Value {
	return Value{state: stateUnknown, reason: reason, needs: needs}
}

// TextOrAbsent is Text for a pointer as the AWS SDK returns it; nil is absent.
func TextOrAbsent(s *string) Value {
	if s == nil {
		return Absent()
	}
	return Text(*s)
}

// FlagOrAbsent is Flag for a pointer; nil is absent.
func FlagOrAbsent(b *bool) Value {
	if b == nil {
		return Absent()
	}
	return Flag(*b)
}

// IsKnown reports whether the value was read.
func (v Value) IsKnown() bool { return v.state == stateKnown }

// IsAbsent reports whether the attribute is known not to be there.
func (v Value) IsAbsent() bool { return v.state == stateAbsent }

// IsUnknown reports whether the value could not be read.
func (v Value) IsUnknown() bool { return v.state == stateUnknown }

// Reason says why an unknown value is unknown.
func (v Value) Reason() string {
	if v.reason == "" && v.IsUnknown() {
		return "the source did not read it"
	}
	return v.reason
}

// Needs says what would make an unknown value known.
func (v Value) Needs() string { return v.needs }

// String returns the value as evidence shows it; a secret shows as "(set)".
func (v Value) String() string {
	switch {
	case v.IsUnknown():
		return "(unknown: " + v.Reason() + ")"
	case v.IsAbsent():
		return "(absent)"
	case v.secret:
		return "(set)"
	}
	switch data := v.data.(type) {
	case []string:
		return "[" + strings.Join(data, ", ") + "]"
	case bool:
		return strconv.FormatBool(data)
	case int:
		return strconv.Itoa(data)
	}
	text, _ := v.data.(string)
	return text
}

// Text returns a known string, or "" in every other case.
func (v Value) Text() string {
	text, _ := v.data.(string)
	return text
}

// Set reports whether the attribute is known and not empty: a secret, a
// non-empty string or list, or any number or boolean.
func (v Value) Set() bool {
	if !v.IsKnown() {
		return false
	}
	switch data := v.data.(type) {
	case string:
		return data != ""
	case []string:
		return len(data) > 0
	}
	return v.secret || v.data != nil
}

// True reports whether the value is known to be true. Templates and providers
// write booleans as strings too.
func (v Value) True() bool {
	b, ok := v.bool()
	return ok && b
}

// False reports whether the value is known to be false. Absent is not false.
func (v Value) False() bool {
	b, ok := v.bool()
	return ok && !b
}

func (v Value) bool() (value, ok bool) {
	switch data := v.data.(type) {
	case bool:
		return data, true
	case string:
		switch strings.ToLower(strings.TrimSpace(data)) {
		case "true", "yes", "on", "1":
			return true, true
		case "false", "no", "off", "0":
			return false, true
		}
	}
	return false, false
}

// Int returns a known number; templates write numbers as strings too.
func (v Value) Int() (int, bool) {
	switch data := v.data.(type) {
	case int:
		return data, true
	case string:
		n, err := strconv.Atoi(strings.TrimSpace(data))
		return n, err == nil
	}
	return 0, false
}

// Items returns a known list; a known non-empty string is a list of one.
func (v Value) Items() []string {
	switch data := v.data.(type) {
	case []string:
		return data
	case string:
		if data != "" {
			return []string{data}
		}
	}
	return nil
}
