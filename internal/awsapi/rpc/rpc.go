package rpc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// Format is how a body is written.
type Format struct {
	// ContentType of requests and answers.
	ContentType string

	parse func(body []byte) (any, error)
	write func(tree any) ([]byte, error)
	// time and double are a moment and a floating-point number in the form that
	// write takes.
	time, double func(x float64) any
}

// The formats. JSON 1.0 and 1.1 differ in the content type alone.
var (
	JSON10 = Format{ContentType: "application/x-amz-json-1.0", parse: parseJSON, write: json.Marshal, time: jsonTime, double: jsonDouble}
	JSON11 = Format{ContentType: "application/x-amz-json-1.1", parse: parseJSON, write: json.Marshal, time: jsonTime, double: jsonDouble}
	CBOR   = Format{ContentType: "application/cbor", parse: parseCBOR, write: cborEncoder.Marshal, time: cborTime, double: func(x float64) any { return x }}
)

// Error is a body that cannot be read. Code is AWS's.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }

func malformed(format string, args ...any) error {
	return &Error{Code: "SerializationException", Message: fmt.Sprintf(format, args...)}
}

// Decode fills the SDK's input structure that in points to. An *Error names what
// is wrong with the body; any other error says that the SDK's type and the model
// do not fit together. An empty body is a request without members.
func (f Format) Decode(service *model.Service, operation string, body []byte, in any) error {
	op := service.Operations[operation]
	if op == nil {
		return fmt.Errorf("rpc: the model has no operation %s", operation)
	}
	var tree any
	if len(body) > 0 {
		var err error
		if tree, err = f.parse(body); err != nil {
			return err
		}
	}
	if tree == nil {
		tree = map[string]any{}
	}
	d := decoder{service}
	if op.Input == "" {
		return d.unknown("", tree, nil)
	}
	return d.structure("", service.Shapes[op.Input], tree, reflect.ValueOf(in).Elem())
}

// Encode writes the answer to an operation; out points to the SDK's output
// structure and is not looked at when the operation has no output.
func (f Format) Encode(service *model.Service, operation string, out any) ([]byte, error) {
	op := service.Operations[operation]
	if op == nil {
		return nil, fmt.Errorf("rpc: the model has no operation %s", operation)
	}
	var tree any = map[string]any{}
	if op.Output != "" {
		var err error
		e := encoder{service: service, format: f}
		if tree, err = e.value(op.Output, reflect.ValueOf(out)); err != nil {
			return nil, err
		}
	}
	return f.write(tree)
}

// Fault writes an error; kind is the name of the error's shape. Clients read the
// message under either spelling.
func (f Format) Fault(kind, message string) []byte {
	body, err := f.write(map[string]any{"__type": kind, "message": message, "Message": message})
	if err != nil {
		return nil // texts always encode; a client then has the status
	}
	return body
}

// cborEncoder writes what Smithy asks for: definite lengths, floats in full.
var cborEncoder = func() cbor.EncMode {
	mode, err := cbor.EncOptions{Sort: cbor.SortBytewiseLexical}.EncMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}()

// cborTime is a moment as tag 1, seconds since 1970.
func cborTime(seconds float64) any { return cbor.Tag{Number: 1, Content: seconds} }

// jsonTime is a moment as a number with milliseconds, never in the exponential
// form, which some clients do not read.
func jsonTime(seconds float64) any { return json.Number(fmt.Sprintf("%.3f", seconds)) }

// jsonDouble keeps the decimal of a whole number, by which clients in languages
// with one type for numbers tell it from an integer.
func jsonDouble(x float64) any {
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.Number(text)
}
