package query

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// ContentType of responses and errors.
const ContentType = "text/xml"

// timeFormat is ISO 8601 with milliseconds, as AWS writes times.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Response writes the answer to an operation; out points to the SDK's output
// structure and is not looked at when the operation has no output.
func Response(service *model.Service, operation string, out any, requestID string) ([]byte, error) {
	op := service.Operations[operation]
	if op == nil {
		return nil, fmt.Errorf("query: the model has no operation %s", operation)
	}
	e := encoder{service: service}
	e.buf.WriteString("<" + operation + `Response xmlns="` + service.Namespace + `">`)
	if op.Output != "" {
		wrapper := op.Wrapper
		if err := e.element(wrapper, service.Shapes[op.Output], reflect.ValueOf(out)); err != nil {
			return nil, err
		}
	}
	e.buf.WriteString("<ResponseMetadata>")
	e.text("RequestId", requestID)
	e.buf.WriteString("</ResponseMetadata></" + operation + "Response>\n")
	return e.buf.Bytes(), nil
}

// Fault writes an error. namespace may be "", for a request whose service is
// not known.
func Fault(namespace, code, message string, sender bool, requestID string) []byte {
	e := encoder{}
	e.buf.WriteString("<ErrorResponse")
	if namespace != "" {
		e.buf.WriteString(` xmlns="` + namespace + `"`)
	}
	e.buf.WriteString("><Error>")
	who := "Receiver"
	if sender {
		who = "Sender"
	}
	e.text("Type", who)
	e.text("Code", code)
	e.text("Message", message)
	e.buf.WriteString("</Error>")
	e.text("RequestId", requestID)
	e.buf.WriteString("</ErrorResponse>\n")
	return e.buf.Bytes()
}

type encoder struct {
	service *model.Service
	buf     bytes.Buffer
}

func (e *encoder) text(name, value string) {
	e.buf.WriteString("<" + name + ">")
	_ = xml.EscapeText(&e.buf, []byte(value)) // a bytes.Buffer takes all
	e.buf.WriteString("</" + name + ">")
}

func (e *encoder) element(name string, shape *model.Shape, v reflect.Value) error {
	v = model.Indirect(v)
	if !v.IsValid() {
		return fmt.Errorf("query: no value for %s", name)
	}
	switch shape.Type {
	case model.Structure:
		e.buf.WriteString("<" + name + ">")
		if err := e.members(shape, v); err != nil {
			return err
		}
	case model.List:
		e.buf.WriteString("<" + name + ">")
		for i := range v.Len() {
			if err := e.element(shape.ItemWire(), e.service.Shapes[shape.Item], v.Index(i)); err != nil {
				return err
			}
		}
	case model.Map:
		e.buf.WriteString("<" + name + ">")
		if err := e.entries(shape, v); err != nil {
			return err
		}
	default:
		e.text(name, scalarText(shape.Type, v))
		return nil
	}
	e.buf.WriteString("</" + name + ">")
	return nil
}

func (e *encoder) members(shape *model.Shape, v reflect.Value) error {
	for i := range shape.Members {
		m := &shape.Members[i]
		field := model.Field(v, m)
		if !field.IsValid() {
			return fmt.Errorf("query: %s has no field for %s", v.Type(), m.Name)
		}
		if model.Absent(field) {
			continue
		}
		if err := e.element(m.Wire(), e.service.Shapes[m.Shape], field); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) entries(shape *model.Shape, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		return bytes.Compare([]byte(a.String()), []byte(b.String()))
	})
	for _, key := range keys {
		e.buf.WriteString("<entry>")
		if err := e.element("key", e.service.Shapes[shape.Key], key); err != nil {
			return err
		}
		if err := e.element("value", e.service.Shapes[shape.Value], v.MapIndex(key)); err != nil {
			return err
		}
		e.buf.WriteString("</entry>")
	}
	return nil
}

func scalarText(typ model.Type, v reflect.Value) string {
	switch typ {
	case model.Boolean:
		return strconv.FormatBool(v.Bool())
	case model.Integer, model.Long:
		return strconv.FormatInt(v.Int(), 10)
	case model.Float, model.Double:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case model.Timestamp:
		return v.Interface().(time.Time).UTC().Format(timeFormat)
	default:
		return v.String()
	}
}
