package awsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// ServiceGatehouse is the signing name of Gatehouse's own calls and the prefix
// of their actions.
const ServiceGatehouse = "gatehouse"

const jsonType = "application/json"

// Endpoint is one of Gatehouse's own calls, for operators: signed like an AWS
// call, answered in JSON.
type Endpoint struct {
	Method string
	Path   string // exact, under /gatehouse/v1/
	Action Action // gatehouse:…, to be listed in Config.Permissions
	// Serve returns what is sent as JSON. Errors are as for Serve of operations.
	Serve func(ctx context.Context, request *EndpointRequest) (any, error)
}

// EndpointRequest is the input of an Endpoint, and of its Resources in the
// authorisation table. Query has one value per name; the whole of it is put on
// record, so that no secret belongs in it.
type EndpointRequest struct {
	Query url.Values
	Body  []byte
}

func (d *Door) serveEndpoint(w http.ResponseWriter, r *http.Request, call *Call) (answer, error) {
	call.Service, call.Operation = ServiceGatehouse, claim(r.Method+" "+r.URL.Path)
	body, err := readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	signature, err := sigv4.Parse(r.Header)
	if err != nil {
		return answer{}, err
	}
	call.AccessKeyID = claim(signature.AccessKeyID)
	ctx, err := d.verify(r, call, signature, body, ServiceGatehouse, "")
	if err != nil {
		return answer{}, err
	}
	endpoint, ok := d.endpoints[r.Method+" "+r.URL.Path]
	if !ok {
		return answer{}, &Fault{Code: "InvalidAction", Status: http.StatusNotFound, Message: fmt.Sprintf("There is no %s %s.", r.Method, claim(r.URL.Path))}
	}
	call.Operation = strings.TrimPrefix(string(endpoint.Action), ServiceGatehouse+":")
	call.ReadOnly = readOnly(call.Operation)
	request, err := readEndpoint(r, body)
	if err != nil {
		return answer{}, err
	}
	call.Parameters = recordQuery(request.Query)
	ctx, err = d.authorise(ctx, call, endpoint.Action, request, nil)
	if err != nil {
		return answer{}, err
	}
	out, err := endpoint.Serve(ctx, request)
	if err != nil {
		return answer{}, err
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return answer{}, fmt.Errorf("encoding the answer: %w", err)
	}
	return answer{status: http.StatusOK, contentType: jsonType, body: append(encoded, '\n')}, nil
}

func readEndpoint(r *http.Request, body []byte) (*EndpointRequest, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("MalformedQueryString", "The query string contains a syntax error.")
	}
	for name, values := range query {
		if len(values) > 1 {
			return nil, badRequest("InvalidQueryParameter", "The parameter %s is given more than once.", claim(name))
		}
	}
	return &EndpointRequest{Query: query, Body: body}, nil
}

func recordQuery(query url.Values) map[string]any {
	record := map[string]any{}
	for name := range query {
		record[claim(name)] = claim(query.Get(name))
	}
	return record
}

// endpointFault is an error of a call that is answered in JSON.
func endpointFault(call *Call, fault *Fault) answer {
	body, _ := json.Marshal(map[string]string{ // strings always encode
		"code": fault.Code, "message": fault.Message, "requestId": call.RequestID,
	})
	return answer{status: fault.Status, contentType: jsonType, body: append(body, '\n')}
}
