package awsapi

import (
	"mime"
	"net/http"
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi/rpc"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// target names an operation outside the body: "GraniteServiceVersion20100801"
// and "GetMetricData".
type target struct{ service, operation string }

// rpcRequest tells a request of AWS JSON, which has X-Amz-Target, and of RPC v2
// CBOR, which says so and has its target in the path.
func rpcRequest(r *http.Request) (rpc.Format, target, bool) {
	if r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		path, _ := strings.CutPrefix(r.URL.Path, "/service/")
		service, operation, _ := strings.Cut(path, "/operation/")
		return rpc.CBOR, target{service, operation}, true
	}
	name := r.Header.Get("X-Amz-Target")
	if name == "" {
		return rpc.Format{}, target{}, false
	}
	format := rpc.JSON11
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == rpc.JSON10.ContentType {
		format = rpc.JSON10
	}
	service, operation := name, ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		service, operation = name[:dot], name[dot+1:]
	}
	return format, target{service, operation}, true
}

// rpc serves one request to a target in a format.
func (d *Door) rpc(format rpc.Format, to target) (serveFunc, refuseFunc) {
	serve := func(w http.ResponseWriter, r *http.Request, call *Call) (answer, error) {
		return d.serveRPC(w, r, call, format, to)
	}
	refuse := func(call *Call, fault *Fault) answer { return d.rpcFault(call, fault, format) }
	return serve, refuse
}

func (d *Door) serveRPC(w http.ResponseWriter, r *http.Request, call *Call, format rpc.Format, to target) (answer, error) {
	body, err := readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	signature, err := sigv4.Parse(r.Header)
	if err != nil {
		return answer{}, err
	}
	call.AccessKeyID = claim(signature.AccessKeyID)
	service := d.targeted(to)
	if service == nil {
		return answer{}, &Fault{Code: unknownOperation, Status: http.StatusBadRequest, Message: "No service is served under the name " + claim(to.service) + "."}
	}
	call.Service, call.EventSource = service.Model.SigningName, service.Model.EventSource
	call.Operation, call.ReadOnly = claim(to.operation), readOnly(to.operation)
	ctx, err := d.verify(r, call, signature, body, call.Service, service.Home)
	if err != nil {
		return answer{}, err
	}
	if err := wellFormed(r, format); err != nil {
		return answer{}, err
	}
	op, ok := service.operations[to.operation]
	if !ok {
		return answer{}, &Fault{Code: unknownOperation, Status: http.StatusBadRequest, Message: "Could not find operation " + claim(to.operation) + "."}
	}
	return d.perform(ctx, call, service, op, wire{
		decode: func(in any) error { return format.Decode(service.Model, op.Name, body, in) },
		encode: func(out any) (answer, error) {
			encoded, err := format.Encode(service.Model, op.Name, out)
			return rpcAnswer(http.StatusOK, format, encoded), err
		},
	})
}

// targeted finds the service; some clients leave out what stands before the last
// dot of its name.
func (d *Door) targeted(to target) *served {
	for _, s := range d.services {
		name := s.Model.Target
		if name != "" && (to.service == name || to.service == name[strings.LastIndexByte(name, '.')+1:]) {
			return s
		}
	}
	return nil
}

// wellFormed checks what the protocol says of a request beside its body. The
// content type must be the format's, so that no page of a browser can send it
// without asking first.
func wellFormed(r *http.Request, format rpc.Format) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return &Fault{Code: unknownOperation, Status: http.StatusMethodNotAllowed, Message: "The method must be POST."}
	case format.ContentType != rpc.CBOR.ContentType && r.URL.Path != "/":
		return &Fault{Code: unknownOperation, Status: http.StatusNotFound, Message: "Nothing is served under this path."}
	case r.ContentLength == 0: // an operation without input may be sent without a body
		return nil
	case err != nil || kind != format.ContentType:
		return badRequest("SerializationException", "The request's body must be of type %s.", format.ContentType)
	}
	return nil
}

func rpcAnswer(status int, format rpc.Format, body []byte) answer {
	a := answer{status: status, contentType: format.ContentType, body: body}
	if format.ContentType == rpc.CBOR.ContentType {
		a.header = map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}
	}
	return a
}

const unknownOperation = "UnknownOperationException"

// rpcCodes are the common errors as services name them that do not speak Query
// (AWS KMS API Reference, "Common errors"); all of them are answered with 400
// but for failures of the server.
var rpcCodes = map[string]string{
	"AccessDenied":               "AccessDeniedException",
	"ExpiredToken":               "ExpiredTokenException",
	"IncompleteSignature":        "IncompleteSignatureException",
	"InvalidClientTokenId":       "UnrecognizedClientException",
	"MissingAuthenticationToken": "MissingAuthenticationTokenException",
	"MissingParameter":           "ValidationException",
	"ServiceUnavailable":         "ServiceUnavailableException",
	"SignatureDoesNotMatch":      "InvalidSignatureException",
	"Throttling":                 "ThrottlingException",
	"ValidationError":            "ValidationException",
}

// rpcFault names an error as the service's model does, or as services that speak
// this protocol do; clients of a service that once spoke Query find its code in
// a header (Smithy, "AWS Query compatible").
func (d *Door) rpcFault(call *Call, fault *Fault, format rpc.Format) answer {
	kind, status, compatible := fault.Code, fault.Status, false
	if renamed, common := rpcCodes[kind]; common {
		kind = renamed
		if fault.sender() {
			status = http.StatusBadRequest
		}
	}
	for _, s := range d.services {
		if s.Model.SigningName != call.Service {
			continue
		}
		compatible = s.Model.QueryCompatible
		if known, listed := s.Model.Errors[fault.Code]; listed {
			status = known.Status
			if kind = known.Shape; kind == "" {
				kind = fault.Code
			}
		}
	}
	a := rpcAnswer(status, format, format.Fault(kind, fault.Message))
	if compatible {
		who := "Receiver"
		if fault.sender() {
			who = "Sender"
		}
		if a.header == nil {
			a.header = map[string]string{}
		}
		a.header["X-Amzn-Query-Error"] = fault.Code + ";" + who
	}
	return a
}
