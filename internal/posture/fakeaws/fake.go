package fakeaws

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"time"
)

// DefaultAccount owns every access key that does not name an account.
const DefaultAccount = "111122223333"

// Doc is a resource or a message as it looks on the wire. Keys that begin with
// an underscore are the fake's own and are never sent.
type Doc = map[string]any

// Fake is one server that plays AWS.
type Fake struct {
	// URL is the endpoint for every service (BaseEndpoint of the SDK's clients).
	URL string
	// Now tells the time of records and metrics.
	Now func() time.Time
	// PageCap limits every page below what the caller asked for, as a service
	// may; 0 leaves the service's own limit.
	PageCap int
	// Settle is how many times a changed resource is still described in its
	// transitional state.
	Settle int

	server *httptest.Server
	mu     sync.Mutex
	made   map[string]*Region
	faults []*Fault
	calls  map[string]int
	log    []Call
	serial int
	caches []*cacheServer
}

// Call is one request that reached the API.
type Call struct {
	Account, Region, Service, Operation string
	Input                               Doc
}

// Fault makes matching calls fail. Empty fields match everything.
type Fault struct {
	Account, Region, Service, Operation string
	// Writes limits the fault to calls that change something.
	Writes bool
	// Skip lets that many matching calls through first.
	Skip int
	// Times is how many calls fail; 0 means all of them.
	Times int
	// Code is the AWS error code and Status its HTTP status. Without a code the
	// connection is cut, as when a region is not reachable.
	Code    string
	Status  int
	Message string
	// After applies the call first and then loses the answer.
	After bool
	// Then runs, unlocked, when the fault strikes.
	Then func()
}

// New starts a fake; Close stops it.
func New() *Fake {
	f := &Fake{Now: time.Now, Settle: 1, made: map[string]*Region{}, calls: map[string]int{}}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	f.URL = f.server.URL
	return f
}

// Close stops the server and its caches.
func (f *Fake) Close() {
	f.server.CloseClientConnections()
	f.server.Close()
	for _, c := range f.caches {
		c.close()
	}
}

// Region returns the estate of one region of one account, made when new.
func (f *Fake) Region(account, name string) *Region {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.region(account, name)
}

func (f *Fake) region(account, name string) *Region {
	key := account + "/" + name
	r := f.made[key]
	if r == nil {
		r = &Region{fake: f, Account: account, Name: name, tables: map[string]*table{}}
		f.made[key] = r
	}
	return r
}

// Inject adds a fault.
func (f *Fake) Inject(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault)
}

// Heal removes every fault.
func (f *Fake) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Deny makes an operation answer AccessDenied for ever.
func (f *Fake) Deny(service, operation string) {
	f.Inject(Fault{
		Service: service, Operation: operation, Code: "AccessDeniedException", Status: 403,
		Message: "User is not authorized to perform: " + service + ":" + operation,
	})
}

// Throttle makes the next calls of an operation answer that there were too many.
func (f *Fake) Throttle(service, operation string, times int) {
	f.Inject(Fault{
		Service: service, Operation: operation, Times: times,
		Code: "ThrottlingException", Status: 429, Message: "Rate exceeded",
	})
}

// Calls returns how often each "service.Operation" was called.
func (f *Fake) Calls() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.calls)
}

// Writes returns the calls that change something, in their order.
func (f *Fake) Writes() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.log...)
}

// Forget clears the counters.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.log = map[string]int{}, nil
}

// strike returns the fault that this call runs into.
func (f *Fake) strike(c Call) *Fault {
	for _, fault := range f.faults {
		if !fault.matches(c) {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Times < 0 {
			continue
		}
		if fault.Times > 0 {
			fault.Times--
			if fault.Times == 0 {
				fault.Times = -1
			}
		}
		return fault
	}
	return nil
}

func (f *Fault) matches(c Call) bool {
	return (f.Account == "" || f.Account == c.Account) && (f.Region == "" || f.Region == c.Region) &&
		(f.Service == "" || f.Service == c.Service) && (f.Operation == "" || f.Operation == c.Operation) &&
		(!f.Writes || !reads(c.Operation))
}

func (f *Fake) id(prefix string) string {
	f.serial++
	return fmt.Sprintf("%s%08x", prefix, f.serial)
}

var (
	scopePattern   = regexp.MustCompile(`Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request`)
	accountPattern = regexp.MustCompile(`^A[KS]IA(\d{12})`)
)

// scope says whose call it is: account, region and service of the signature.
func scope(r *http.Request) (account, region, service string, ok bool) {
	m := scopePattern.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return "", "", "", false
	}
	account = DefaultAccount
	if a := accountPattern.FindStringSubmatch(m[1]); a != nil {
		account = a[1]
	}
	return account, m[2], m[3], true
}

func (f *Fake) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, dataPrefix) {
		f.serveData(w, r)
		return
	}
	account, region, service, ok := scope(r)
	if !ok {
		http.Error(w, `{"message":"Missing Authentication Token"}`, http.StatusForbidden)
		return
	}
	req, err := decode(r, service)
	if err != nil {
		encodeError(w, req, &apiError{"SerializationException", http.StatusBadRequest, err.Error()})
		return
	}
	f.answer(w, req, Call{Account: account, Region: region, Service: service, Operation: req.operation, Input: req.in})
}

func (f *Fake) answer(w http.ResponseWriter, req *request, call Call) {
	f.mu.Lock()
	f.calls[call.Service+"."+call.Operation]++
	fault := f.strike(call)
	var out Doc
	var err error
	if fault == nil || fault.After {
		out, err = f.region(call.Account, call.Region).handle(req)
		if err == nil && !reads(call.Operation) {
			f.log = append(f.log, call)
			f.region(call.Account, call.Region).record(call)
		}
	}
	var body []byte
	var head http.Header
	if err == nil && fault == nil {
		body, head, err = encode(req, out)
	}
	f.mu.Unlock()
	if fault != nil && fault.Then != nil {
		fault.Then()
	}
	switch {
	case fault != nil && fault.Code == "":
		cut(w)
	case fault != nil:
		encodeError(w, req, &apiError{fault.Code, fault.Status, fault.Message})
	case err != nil:
		encodeError(w, req, err)
	default:
		maps.Copy(w.Header(), head)
		_, _ = w.Write(body)
	}
}

// reads tells the operations that change nothing.
func reads(operation string) bool {
	for _, prefix := range []string{"Get", "List", "Describe", "Lookup", "Filter", "AssumeRole", "Batch"} {
		if strings.HasPrefix(operation, prefix) && operation != "BatchAssociateScramSecret" {
			return true
		}
	}
	return false
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}
