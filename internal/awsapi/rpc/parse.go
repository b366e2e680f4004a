package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/fxamacker/cbor/v2"
)

// cborDecoder reads untrusted bytes: bounded, and without a second value for a
// key, which two readers could take differently.
var cborDecoder = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: maxItems,
		MaxMapPairs:      maxPairs,
		DefaultMapType:   mapType,
		IntDec:           cbor.IntDecConvertSignedOrFail,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}()

func parseCBOR(body []byte) (any, error) {
	var tree any
	if err := cborDecoder.Unmarshal(body, &tree); err != nil {
		return nil, malformed("The request's body is not the CBOR that this operation takes.")
	}
	return tree, nil
}

// parseJSON reads one JSON value. encoding/json's own reading into maps takes
// the last of two values for a name and has no bounds.
func parseJSON(body []byte) (any, error) {
	r := json.NewDecoder(bytes.NewReader(body))
	r.UseNumber()
	tree, err := jsonValue(r, 0)
	if err != nil {
		var told *Error
		if errors.As(err, &told) {
			return nil, err
		}
		return nil, malformed("The request's body is not valid JSON.")
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("The request's body has something after its JSON value.")
	}
	return tree, nil
}

func jsonValue(r *json.Decoder, depth int) (any, error) {
	token, err := r.Token()
	if err != nil {
		return nil, err
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == maxDepth {
		return nil, malformed("The request's body is nested more than %d deep.", maxDepth)
	}
	if opening == '{' {
		return jsonObject(r, depth+1)
	}
	return jsonList(r, depth+1)
}

func jsonObject(r *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for r.More() {
		name, err := r.Token()
		if err != nil {
			return nil, err
		}
		key := name.(string) // the decoder takes nothing else here
		if _, twice := object[key]; twice {
			return nil, malformed("The member %s is given more than once.", shorten(key))
		}
		if len(object) == maxPairs {
			return nil, malformed("A structure has more than %d members.", maxPairs)
		}
		if object[key], err = jsonValue(r, depth); err != nil {
			return nil, err
		}
	}
	_, err := r.Token()
	return object, err
}

func jsonList(r *json.Decoder, depth int) (any, error) {
	list := []any{}
	for r.More() {
		if len(list) == maxItems {
			return nil, malformed("A list has more than %d items.", maxItems)
		}
		item, err := jsonValue(r, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	_, err := r.Token()
	return list, err
}
