package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// MaxBody bounds a request's body, which is read before its signature can be
// checked. A policy document or template, percent-encoded, is the largest that
// a client has a reason to send.
const MaxBody = 1 << 20

// endpointPrefix begins the paths of Gatehouse's own calls.
const endpointPrefix = "/gatehouse/v1/"

// Config is what a Door is made of.
type Config struct {
	Region      string
	Clock       clock.Clock
	Credentials Credentials
	Authorizer  Authorizer
	Observer    Observer
	Log         *slog.Logger
	Services    []Service
	Endpoints   []Endpoint
	// Permissions lists the actions of the endpoints.
	Permissions Permissions
}

// Door is the handler for everything that needs a signature.
type Door struct {
	config      Config
	services    []*served
	endpoints   map[string]Endpoint // by method and path
	permissions Permissions
}

// served is a service with its operations by name.
type served struct {
	Service
	operations map[string]Operation
}

// New checks the configuration and returns the handler. Every operation must be
// in its service's model, and no action or endpoint may be there twice.
func New(config Config) (*Door, error) {
	d := &Door{config: config, endpoints: map[string]Endpoint{}, permissions: Permissions{}}
	var faults []error
	for _, service := range config.Services {
		s := &served{Service: service, operations: map[string]Operation{}}
		for _, op := range service.Operations {
			if service.Model.Operations[op.Name] == nil {
				faults = append(faults, fmt.Errorf("the model of %s has no operation %s", service.Model.SigningName, op.Name))
			}
			s.operations[op.Name] = op
		}
		d.services = append(d.services, s)
		faults = append(faults, d.permit(service.Permissions))
	}
	if len(d.services) == 0 {
		faults = append(faults, errors.New("no service is served"))
	}
	for _, endpoint := range config.Endpoints {
		if !strings.HasPrefix(endpoint.Path, endpointPrefix) || !strings.HasPrefix(string(endpoint.Action), ServiceGatehouse+":") {
			faults = append(faults, fmt.Errorf("endpoint %s for %s: the path must begin with %s and the action with %q", endpoint.Path, endpoint.Action, endpointPrefix, ServiceGatehouse+":"))
		}
		d.endpoints[endpoint.Method+" "+endpoint.Path] = endpoint
	}
	faults = append(faults, d.permit(config.Permissions))
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("awsapi: %w", err)
	}
	return d, nil
}

func (d *Door) permit(permissions Permissions) error {
	for action, resources := range permissions {
		if d.permissions[action] != nil {
			return fmt.Errorf("the action %s is in the authorisation table twice", action)
		}
		d.permissions[action] = resources
	}
	return nil
}

// answer is a whole response. Nothing is sent before all of it is there, so that
// a failure half way can still be told.
type answer struct {
	status      int
	contentType string
	header      map[string]string // what a protocol has beside them
	body        []byte
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := &Call{
		Time:      d.config.Clock.Now().UTC(),
		RequestID: uuid.NewString(),
		SourceIP:  sourceIP(r),
		UserAgent: claim(r.UserAgent()),
		secure:    r.TLS != nil,
	}
	serve, refuse := d.protocol(r)
	a, err := guarded(func() (answer, error) { return serve(w, r, call) })
	if err != nil {
		a = refuse(call, d.fault(r.Context(), call, err))
	}
	call.Status = a.status
	d.config.Observer.Called(r.Context(), *call)
	w.Header().Set("X-Amzn-Requestid", call.RequestID)
	w.Header().Set("Content-Type", a.contentType)
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller has gone away; the call is on record
}

// serveFunc takes a call from its bytes to its answer, refuseFunc writes what the
// caller sees of an error.
type (
	serveFunc  func(w http.ResponseWriter, r *http.Request, call *Call) (answer, error)
	refuseFunc func(call *Call, fault *Fault) answer
)

// protocol tells the protocol by what is Gatehouse's own path, a path of RPC v2
// CBOR or the target of AWS JSON; everything else is Query.
func (d *Door) protocol(r *http.Request) (serveFunc, refuseFunc) {
	if strings.HasPrefix(r.URL.Path, endpointPrefix) {
		return d.serveEndpoint, endpointFault
	}
	if format, target, is := rpcRequest(r); is {
		return d.rpc(format, target)
	}
	return d.serveQuery, d.queryFault
}

// panicked is a panic that became an error.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func guarded(serve func() (answer, error)) (a answer, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value: value, stack: debug.Stack()}
		}
	}()
	return serve()
}

// fault translates err and logs it when it is the server's own.
func (d *Door) fault(ctx context.Context, call *Call, err error) *Fault {
	fault, meant := translate(err)
	call.ErrorCode, call.ErrorText = fault.Code, fault.Message
	if meant {
		return fault
	}
	attributes := []any{"request", call.RequestID, "service", call.Service, "operation", call.Operation, "error", err}
	if p := (*panicked)(nil); errors.As(err, &p) {
		attributes = append(attributes, "stack", string(p.stack))
	}
	d.config.Log.ErrorContext(ctx, "an API call failed inside", attributes...)
	return fault
}

// readBody reads a request's body up to MaxBody.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &Fault{
			Code: "RequestEntityTooLarge", Status: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("The request's body is larger than %d bytes.", MaxBody),
		}
	case err != nil:
		return nil, badRequest("IncompleteBody", "The request's body ended early.")
	}
	return body, nil
}

// verify checks the signature for service, in the server's region or, if it has
// one, the service's home, and puts the caller on record.
func (d *Door) verify(r *http.Request, call *Call, a *sigv4.Authorization, body []byte, service, home string) (context.Context, error) {
	ctx := r.Context()
	var owner Caller
	verifier := sigv4.Verifier{Clock: d.config.Clock, Region: d.config.Region, Lookup: d.lookup(&owner)}
	if home != "" && a.Region == home {
		verifier.Region = home
	}
	if err := verifier.Verify(ctx, a, r, body, service); err != nil {
		return nil, err
	}
	call.Caller = owner
	return withCaller(ctx, owner), nil
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
