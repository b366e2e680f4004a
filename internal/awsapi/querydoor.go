package awsapi

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/awsapi/query"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// lookup adapts Credentials to a verifier and keeps the key's owner.
func (d *Door) lookup(owner *Caller) sigv4.Lookup {
	return func(ctx context.Context, accessKeyID, sessionToken string) (identity.Secret, error) {
		secret, caller, err := d.config.Credentials.Find(ctx, accessKeyID, sessionToken)
		*owner = caller
		return secret, err
	}
}

// serveQuery takes a call in the Query protocol from its bytes to its answer.
func (d *Door) serveQuery(w http.ResponseWriter, r *http.Request, call *Call) (answer, error) {
	if r.URL.Path != "/" {
		return answer{}, &Fault{Code: "InvalidAction", Status: http.StatusNotFound, Message: "Nothing is served under this path."}
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return answer{}, &Fault{Code: "InvalidAction", Status: http.StatusMethodNotAllowed, Message: "The Query protocol knows POST and GET."}
	}
	body, err := readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	signature, err := sigv4.Parse(r.Header)
	if err != nil {
		return answer{}, err
	}
	call.AccessKeyID = claim(signature.AccessKeyID)
	form, formErr := readForm(r, body)
	service := d.route(call, signature.Service, form)
	ctx, err := d.verify(r, call, signature, body, call.Service, service.Home)
	if err != nil {
		return answer{}, err
	}
	if formErr != nil {
		return answer{}, formErr
	}
	op, err := find(service, form)
	if err != nil {
		return answer{}, err
	}
	return d.perform(ctx, call, service, op, wire{
		decode: func(in any) error { return form.Decode(service.Model, op.Name, in) },
		encode: func(out any) (answer, error) {
			body, err := query.Response(service.Model, op.Name, out, call.RequestID)
			return answer{status: http.StatusOK, contentType: query.ContentType, body: body}, err
		},
	})
}

// readForm returns the parameters, also an empty form beside an error.
func readForm(r *http.Request, body []byte) (*query.Form, error) {
	if r.Method == http.MethodGet {
		body = nil
	}
	if len(body) > 0 {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			return &query.Form{}, badRequest("InvalidQueryParameter", "The request's body must be of type application/x-www-form-urlencoded.")
		}
	}
	form, err := query.ParseForm(r.URL.RawQuery, string(body))
	if err != nil {
		return &query.Form{}, err
	}
	return form, nil
}

// route finds the service that a call is for: the one that has the action in this
// version (AWS gives no two services the same). A scope that names another is
// then refused by the verifier. For a call that no service knows it is the
// scope's, or the first.
func (d *Door) route(call *Call, scope string, form *query.Form) *served {
	var inScope, able *served
	for _, s := range d.services {
		_, knows := s.operations[form.Action]
		if s.Model.SigningName == scope {
			inScope = s
		}
		if knows && s.Model.Version == form.Version && able == nil {
			able = s
		}
	}
	s := cmp.Or(able, inScope, d.services[0])
	call.Service, call.EventSource = s.Model.SigningName, s.Model.EventSource
	call.Operation, call.ReadOnly = claim(form.Action), readOnly(form.Action)
	return s
}

// wire reads one request and writes its answer in the request's protocol.
type wire struct {
	decode func(in any) error
	encode func(out any) (answer, error)
}

// perform runs an operation for a caller that is known.
func (d *Door) perform(ctx context.Context, call *Call, service *served, op Operation, w wire) (answer, error) {
	in := op.input()
	if err := w.decode(in); err != nil {
		return answer{}, err
	}
	if service.Complete != nil {
		service.Complete(call.Caller, in)
	}
	call.Parameters = service.Model.RecordInput(op.Name, in)
	ctx, err := d.authorise(ctx, call, service.action(op.Name), in, service.conditions(in))
	if err != nil {
		return answer{}, err
	}
	if err := d.authoriseTagging(ctx, service, in); err != nil {
		return answer{}, err
	}
	if violations := service.Model.Check(op.Name, in, service.Judged); len(violations) > 0 {
		return answer{}, violated(violations)
	}
	out, err := op.serve(ctx, in)
	if err != nil {
		return answer{}, err
	}
	a, err := w.encode(out)
	if err != nil {
		return answer{}, err
	}
	if !call.ReadOnly {
		call.Response = service.Model.RecordOutput(op.Name, out)
	}
	return a, nil
}

func find(service *served, form *query.Form) (Operation, error) {
	if form.Action == "" {
		return Operation{}, badRequest("MissingAction", "The request is missing an action or a required parameter.")
	}
	op, ok := service.operations[form.Action]
	if !ok || form.Version != service.Model.Version {
		version := form.Version
		if version == "" {
			version = "NO_VERSION_SPECIFIED"
		}
		return Operation{}, badRequest("InvalidAction", "Could not find operation %s for version %s", claim(form.Action), claim(version))
	}
	return op, nil
}

// violated puts violations of the model into AWS's words: the first parameter
// that is missing, or all constraints that are broken.
func violated(violations []model.Violation) error {
	var rules []string
	for _, v := range violations {
		if v.Missing {
			return identity.Errorf(identity.MissingParameter, "The request must contain the parameter %s.", v.Path)
		}
		subject := "Value"
		if v.Value != "" {
			subject = "Value '" + claim(v.Value) + "'"
		}
		rules = append(rules, fmt.Sprintf("%s at '%s' failed to satisfy constraint: %s", subject, lowerCamel(v.Path), v.Rule))
	}
	plural := "s"
	if len(rules) == 1 {
		plural = ""
	}
	return badRequest("ValidationError", "%d validation error%s detected: %s", len(rules), plural, strings.Join(rules, "; "))
}

// lowerCamel spells a parameter as AWS's validation messages do.
func lowerCamel(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		parts[i] = strings.ToLower(part[:1]) + part[1:]
	}
	return strings.Join(parts, ".")
}

func (d *Door) queryFault(call *Call, fault *Fault) answer {
	namespace := ""
	for _, s := range d.services {
		if s.Model.SigningName == call.Service {
			namespace = s.Model.Namespace
		}
	}
	return answer{
		status: fault.Status, contentType: query.ContentType,
		body: query.Fault(namespace, fault.Code, fault.Message, fault.sender(), call.RequestID),
	}
}
