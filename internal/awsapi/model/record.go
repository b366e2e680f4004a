package model

import (
	"reflect"
	"strings"
	"time"
)

// Hidden stands for a secret in a record, as in CloudTrail's.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// RecordInput returns an operation's input in the form that an audit record has
// it: names beginning with a small letter, absent members left out, secrets
// hidden.
func (s *Service) RecordInput(operation string, in any) map[string]any {
	return s.record(s.Operations[operation].Input, in)
}

// RecordOutput is RecordInput for the output.
func (s *Service) RecordOutput(operation string, out any) map[string]any {
	return s.record(s.Operations[operation].Output, out)
}

func (s *Service) record(shape string, v any) map[string]any {
	if shape == "" || v == nil {
		return nil
	}
	fields, _ := s.recordValue(shape, reflect.ValueOf(v)).(map[string]any)
	return fields
}

func (s *Service) recordValue(name string, v reflect.Value) any {
	v = Indirect(v)
	if !v.IsValid() {
		return nil
	}
	shape := s.Shapes[name]
	switch shape.Type {
	case Structure:
		fields := map[string]any{}
		for i := range shape.Members {
			m := &shape.Members[i]
			switch field := Field(v, m); {
			case Absent(field):
			case m.Secret:
				fields[lowerFirst(m.Name)] = Hidden
			default:
				fields[lowerFirst(m.Name)] = s.recordValue(m.Shape, field)
			}
		}
		return fields
	case List:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = s.recordValue(shape.Item, v.Index(i))
		}
		return items
	case Timestamp:
		return v.Interface().(time.Time).UTC().Format(time.RFC3339)
	default:
		return v.Interface()
	}
}

// lowerFirst spells a member as CloudTrail does: a leading run of capitals
// (ARN) is lowered as a whole.
func lowerFirst(name string) string {
	if name == strings.ToUpper(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(name[:1]) + name[1:]
}
