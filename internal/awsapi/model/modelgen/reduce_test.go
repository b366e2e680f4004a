package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// service is a small service model with one shape to be varied.
func service(t *testing.T, members, shapes string) *source {
	t.Helper()
	src := new(source)
	text := fmt.Sprintf(`{
		"metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "things", "protocols": ["query"], "xmlNamespace": "http://x/"},
		"operations": {"Do": {"input": {"shape": "In"}, "output": {"shape": "Out", "resultWrapper": "DoResult"}, "errors": [{"shape": "Gone"}]}},
		"shapes": {
			"In": {"type": "structure", "required": ["Zeta"], "members": {%s}},
			"Out": {"type": "structure", "members": {"Name": {"shape": "OutText"}}},
			"OutText": {"type": "string", "pattern": "(?!x).*"},
			"Text": {"type": "string", "pattern": "[\\u0041-\\u005A]+", "min": 1},
			"Gone": {"type": "structure", "members": {}, "error": {"code": "GoneFault", "httpStatusCode": 404, "senderFault": true}}
			%s
		}}`, members, shapes)
	if err := json.Unmarshal([]byte(text), src); err != nil {
		t.Fatal(err)
	}
	return src
}

func TestReduce(t *testing.T) {
	src := service(t, `"Zeta": {"shape": "Text"}, "AuthToken": {"shape": "Text", "locationName": "Token"}, "Alpha": {"shape": "List"}`,
		`, "List": {"type": "list", "member": {"shape": "Text", "locationName": "Item"}}`)
	reduced, err := reduce(src, nil, []string{"Do"})
	if err != nil {
		t.Fatal(err)
	}
	written, err := model.Read(render(reduced)) // what is written must be readable
	if err != nil {
		t.Fatal(err)
	}
	in := written.Shapes["In"].Members
	if len(in) != 3 || in[0].Name != "Zeta" || !in[0].Required || in[0].Secret || in[1].Wire() != "Token" || !in[1].Secret || in[2].Name != "Alpha" {
		t.Errorf("members: %+v", in)
	}
	if item := written.Shapes["List"].ItemWire(); item != "Item" {
		t.Errorf("items are called %s", item)
	}
	if text := written.Shapes["Text"]; text.Pattern != `[\x{0041}-\x{005A}]+` || *text.Min != 1 {
		t.Errorf("constraints: %+v", text)
	}
	if pattern := written.Shapes["OutText"].Pattern; pattern != "" {
		t.Errorf("an answer has the constraint %s", pattern)
	}
	if fault := written.Errors["GoneFault"]; fault.Status != 404 || !fault.Sender {
		t.Errorf("error: %+v", fault)
	}
}

func TestWhatTheCodecsDoNotKnowIsRefused(t *testing.T) {
	for want, c := range map[string]struct{ members, shapes string }{
		`type "blob" is not supported`:            {`"Zeta": {"shape": "Blob"}`, `, "Blob": {"type": "blob"}`},
		"flattened lists are not supported":       {`"Zeta": {"shape": "L"}`, `, "L": {"type": "list", "flattened": true, "member": {"shape": "Text"}}`},
		`"unixTimestamp" is not supported`:        {`"Zeta": {"shape": "T"}`, `, "T": {"type": "timestamp", "timestampFormat": "unixTimestamp"}`},
		"member Zeta has a location, attribute":   {`"Zeta": {"shape": "Text", "location": "header"}`, ""},
		"error parsing regexp":                    {`"Zeta": {"shape": "P"}`, `, "P": {"type": "string", "pattern": "(?!x).*"}`},
		`shape Nowhere: type "" is not supported`: {`"Zeta": {"shape": "Nowhere"}`, ""},
	} {
		_, err := reduce(service(t, c.members, c.shapes), nil, []string{"Do"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := reduce(service(t, `"Zeta": {"shape": "Text"}`, ""), nil, []string{"Other"}); err == nil {
		t.Error("an operation that the model does not have")
	}
}
