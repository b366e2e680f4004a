package model

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Violation says which member of a request breaks which rule of the model.
type Violation struct {
	Path    string // as in the request: Filters.member.1.Name
	Missing bool   // a required member is absent
	Value   string // "" for a list
	Rule    string // AWS's words: "Member must satisfy enum value set: [a, b]"
}

// Check returns what breaks the model in the input of an operation, in the order
// of the model. judged names the shapes whose values somebody else judges with
// better words; their constraints are not looked at.
func (s *Service) Check(operation string, in any, judged map[string]bool) []Violation {
	c := checker{service: s, judged: judged}
	if op := s.Operations[operation]; op != nil && op.Input != "" {
		c.shape("", op.Input, reflect.ValueOf(in))
	}
	return c.found
}

type checker struct {
	service *Service
	judged  map[string]bool
	found   []Violation
	secret  bool // the value at hand is not to be told
}

func (c *checker) shape(path, name string, v reflect.Value) {
	v = Indirect(v)
	if !v.IsValid() {
		return
	}
	shape := c.service.Shapes[name]
	if !c.judged[name] {
		c.constraints(path, shape, v)
	}
	switch shape.Type {
	case Structure:
		for i := range shape.Members {
			c.member(path, &shape.Members[i], v)
		}
	case List:
		for i := range v.Len() {
			c.shape(join(path, shape.ItemWire()+"."+strconv.Itoa(i+1)), shape.Item, v.Index(i))
		}
	}
}

func (c *checker) member(path string, m *Member, v reflect.Value) {
	path = join(path, m.Wire())
	field := Field(v, m)
	if Absent(field) {
		if m.Required {
			c.found = append(c.found, Violation{Path: path, Missing: true})
		}
		return
	}
	secret := c.secret
	c.secret = secret || m.Secret
	c.shape(path, m.Shape, field)
	c.secret = secret
}

func (c *checker) constraints(path string, shape *Shape, v reflect.Value) {
	add := func(rule string, args ...any) {
		c.found = append(c.found, Violation{Path: path, Value: c.told(shape, v), Rule: fmt.Sprintf(rule, args...)})
	}
	size, what := measure(shape, v)
	if shape.Min != nil && size < *shape.Min {
		add("Member must have %s greater than or equal to %v", what, *shape.Min)
	}
	if shape.Max != nil && size > *shape.Max {
		add("Member must have %s less than or equal to %v", what, *shape.Max)
	}
	if len(shape.Enum) > 0 && !slices.Contains(shape.Enum, v.String()) {
		add("Member must satisfy enum value set: [%s]", strings.Join(shape.Enum, ", "))
	}
	if shape.pattern != nil && !shape.pattern.MatchString(v.String()) {
		add("Member must satisfy regular expression pattern: %s", shape.Pattern)
	}
}

// told is the value as a violation shows it.
func (c *checker) told(shape *Shape, v reflect.Value) string {
	switch {
	case c.secret:
		return Hidden
	case shape.Type == List || shape.Type == Map:
		return ""
	default:
		return fmt.Sprint(v.Interface())
	}
}

// measure is what Min and Max speak of.
func measure(shape *Shape, v reflect.Value) (size float64, what string) {
	switch shape.Type {
	case String:
		return float64(utf8.RuneCountInString(v.String())), "length"
	case List, Map:
		return float64(v.Len()), "length"
	case Integer, Long:
		return float64(v.Int()), "value"
	case Float, Double:
		return v.Float(), "value"
	default:
		return 0, "value"
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
