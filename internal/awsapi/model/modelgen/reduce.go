package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// source is as much of a service-2.json as matters. Members stay raw because
// their order, which a map would lose, is the order on the wire.
type source struct {
	Metadata struct {
		APIVersion     string   `json:"apiVersion"`
		EndpointPrefix string   `json:"endpointPrefix"`
		SigningName    string   `json:"signingName"`
		Protocols      []string `json:"protocols"`
		TargetPrefix   string   `json:"targetPrefix"`
		// QueryCompatible is there, and empty, when the service once spoke Query.
		QueryCompatible *struct{} `json:"awsQueryCompatible"`
		XMLNamespace    string    `json:"xmlNamespace"`
	} `json:"metadata"`
	Operations map[string]struct {
		Input  struct{ Shape string } `json:"input"`
		Output struct {
			Shape         string `json:"shape"`
			ResultWrapper string `json:"resultWrapper"`
		} `json:"output"`
		Errors []struct{ Shape string } `json:"errors"`
	} `json:"operations"`
	Shapes map[string]sourceShape `json:"shapes"`

	without []string // members that are left out
}

type sourceShape struct {
	Type            string          `json:"type"`
	Members         json.RawMessage `json:"members"`
	Required        []string        `json:"required"`
	Member          sourceMember    `json:"member"`
	Key             sourceMember    `json:"key"`
	Value           sourceMember    `json:"value"`
	Enum            []string        `json:"enum"`
	Min             *float64        `json:"min"`
	Max             *float64        `json:"max"`
	Pattern         string          `json:"pattern"`
	Flattened       bool            `json:"flattened"`
	Sensitive       bool            `json:"sensitive"`
	Exception       bool            `json:"exception"`
	TimestampFormat string          `json:"timestampFormat"`
	Error           *struct {
		Code           string `json:"code"`
		HTTPStatusCode int    `json:"httpStatusCode"`
		SenderFault    bool   `json:"senderFault"`
	} `json:"error"`
}

type sourceMember struct {
	Shape        string `json:"shape"`
	LocationName string `json:"locationName"`
	Location     string `json:"location"`
	XMLAttribute bool   `json:"xmlAttribute"`
	Flattened    bool   `json:"flattened"`
}

// secrets are members that the models do not mark and that must never be recorded.
var secrets = []string{"AuthToken", "Passwords", "SessionToken", "TokenCode"}

// types maps the source's types to ours; a missing one is not supported.
var types = map[string]model.Type{
	"structure": model.Structure, "list": model.List, "map": model.Map, "string": model.String,
	"boolean": model.Boolean, "integer": model.Integer, "long": model.Long,
	"float": model.Float, "double": model.Double, "timestamp": model.Timestamp,
}

func reduce(src *source, without, operations []string) (*model.Service, error) {
	if !slices.Contains(src.Metadata.Protocols, "query") && !slices.Contains(src.Metadata.Protocols, "json") {
		return nil, fmt.Errorf("the service speaks %v, neither query nor json", src.Metadata.Protocols)
	}
	src.without = without
	out := &model.Service{
		SigningName: src.Metadata.SigningName,
		EventSource: src.Metadata.EndpointPrefix + ".amazonaws.com",
		Version:     src.Metadata.APIVersion,
		Target:      src.Metadata.TargetPrefix,
		Namespace:   src.Metadata.XMLNamespace,
		Operations:  map[string]*model.Operation{},
		Shapes:      map[string]*model.Shape{},
		Errors:      map[string]model.Error{},
	}
	out.QueryCompatible = src.Metadata.QueryCompatible != nil
	if out.SigningName == "" {
		out.SigningName = src.Metadata.EndpointPrefix
	}
	for _, name := range operations {
		op, ok := src.Operations[name]
		if !ok {
			return nil, fmt.Errorf("the model has no operation %s", name)
		}
		out.Operations[name] = &model.Operation{Input: op.Input.Shape, Output: op.Output.Shape, Wrapper: op.Output.ResultWrapper}
		if err := addShape(out, src, op.Input.Shape); err != nil {
			return nil, fmt.Errorf("input of %s: %w", name, err)
		}
		for _, e := range op.Errors {
			addError(out, e.Shape, src.Shapes[e.Shape])
		}
	}
	if err := constrain(out, src); err != nil {
		return nil, err
	}
	for name, op := range out.Operations {
		if err := addShape(out, src, op.Output); err != nil {
			return nil, fmt.Errorf("output of %s: %w", name, err)
		}
	}
	return out, nil
}

// addError adds an error by its code. Models of services that never spoke Query
// give neither code nor status: the name is the code, and the status 400.
func addError(out *model.Service, name string, shape sourceShape) {
	fault := shape.Error
	switch {
	case fault == nil && shape.Exception:
		out.Errors[name] = model.Error{Status: 400, Sender: true}
	case fault == nil:
	case fault.Code == "" || fault.Code == name:
		out.Errors[name] = model.Error{Status: fault.HTTPStatusCode, Sender: fault.SenderFault}
	default:
		e := model.Error{Status: fault.HTTPStatusCode, Sender: fault.SenderFault}
		if out.Target != "" {
			e.Shape = name
		}
		out.Errors[fault.Code] = e
	}
}

// escapedRune is how Java's regular expressions, which the models are written
// in, name a character by its code.
var escapedRune = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// constrain gives the shapes so far, those of requests, their constraints; what
// we answer with needs none.
func constrain(out *model.Service, src *source) error {
	for name, to := range out.Shapes {
		from := src.Shapes[name]
		to.Enum, to.Min, to.Max = from.Enum, from.Min, from.Max
		to.Pattern = escapedRune.ReplaceAllString(from.Pattern, `\x{$1}`)
		if _, err := regexp.Compile(to.Pattern); err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
	}
	return nil
}

func addShape(out *model.Service, src *source, name string) error {
	if name == "" || out.Shapes[name] != nil {
		return nil
	}
	from := src.Shapes[name]
	typ, ok := types[from.Type]
	switch {
	case !ok:
		return fmt.Errorf("shape %s: type %q is not supported", name, from.Type)
	case from.Flattened:
		return fmt.Errorf("shape %s: flattened lists are not supported", name)
	case from.TimestampFormat != "" && from.TimestampFormat != "iso8601":
		return fmt.Errorf("shape %s: timestamp format %q is not supported", name, from.TimestampFormat)
	}
	to := &model.Shape{
		Type: typ, Item: from.Member.Shape, ItemName: from.Member.LocationName,
		Key: from.Key.Shape, Value: from.Value.Shape,
	}
	out.Shapes[name] = to
	for _, shape := range []string{to.Item, to.Key, to.Value} {
		if err := addShape(out, src, shape); err != nil {
			return err
		}
	}
	return addMembers(out, src, name, to)
}

func addMembers(out *model.Service, src *source, name string, to *model.Shape) error {
	from := src.Shapes[name]
	names, members, err := inOrder(from.Members)
	if err != nil {
		return fmt.Errorf("shape %s: %w", name, err)
	}
	for _, member := range names {
		m := members[member]
		if slices.Contains(src.without, member) {
			continue
		}
		if m.Location != "" || m.XMLAttribute || m.Flattened {
			return fmt.Errorf("shape %s: member %s has a location, attribute or flattening, which is not supported", name, member)
		}
		if err := addShape(out, src, m.Shape); err != nil {
			return err
		}
		to.Members = append(to.Members, model.Member{
			Name: member, Shape: m.Shape, WireName: m.LocationName,
			Required: slices.Contains(from.Required, member),
			Secret:   src.Shapes[m.Shape].Sensitive || slices.Contains(secrets, member),
		})
	}
	return nil
}

// inOrder reads a JSON object and keeps the order of its names.
func inOrder(raw json.RawMessage) ([]string, map[string]sourceMember, error) {
	if len(raw) == 0 {
		return nil, nil, nil
	}
	members := map[string]sourceMember{}
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, nil, err
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	var names []string
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return nil, nil, err
		}
		names = append(names, name.(string))
	}
	return names, members, nil
}
