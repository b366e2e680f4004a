package fakeaws

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// maxBody bounds a request: 100 Security Hub findings of 240 KB are the most.
const maxBody = 32 << 20

type protocol int

const (
	restJSON protocol = iota
	jsonRPC
	query
	cborRPC
)

// request is one call, whatever its protocol.
type request struct {
	service   string
	protocol  protocol
	operation string
	method    string
	path      []string // decoded segments, for REST
	in        Doc      // body, or form, with REST's query parameters merged in
	form      url.Values
}

type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refuse(code, format string, args ...any) error {
	status := http.StatusBadRequest
	switch {
	case strings.HasPrefix(code, "NotFound"), strings.HasSuffix(code, "NotFoundFault"), strings.HasSuffix(code, "NotFound"):
		status = http.StatusNotFound
	case strings.HasPrefix(code, "Conflict"):
		status = http.StatusConflict
	}
	return &apiError{code, status, fmt.Sprintf(format, args...)}
}

func decode(r *http.Request, service string) (*request, error) {
	req := &request{service: service, method: r.Method, in: Doc{}}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return req, fmt.Errorf("reading the body: %w", err)
	}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		req.protocol = jsonRPC
		_, req.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		err = json.Unmarshal(body, &req.in)
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		req.protocol = cborRPC
		req.operation = r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		err = cborIn.Unmarshal(body, &req.in)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		req.protocol = query
		req.form, err = url.ParseQuery(string(body))
		req.operation = req.form.Get("Action")
		for k, v := range req.form {
			req.in[k] = v[0]
		}
	default:
		err = req.rest(r, body)
	}
	return req, err
}

// rest reads a REST-JSON call and finds its operation.
func (req *request) rest(r *http.Request, body []byte) error {
	for _, part := range strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return fmt.Errorf("reading the path: %w", err)
		}
		req.path = append(req.path, plain)
	}
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &req.in); err != nil {
			return fmt.Errorf("reading the body: %w", err)
		}
	}
	for k, v := range r.URL.Query() {
		req.in[k] = v[0]
	}
	req.operation = restOperation(req)
	return nil
}

var (
	cborIn = func() cbor.DecMode {
		mode, err := cbor.DecOptions{DefaultMapType: mapType}.DecMode()
		if err != nil {
			panic(err)
		}
		return mode
	}()
	cborOut = func() cbor.EncMode {
		mode, err := cbor.EncOptions{Time: cbor.TimeUnixDynamic, TimeTag: cbor.EncTagRequired}.EncMode()
		if err != nil {
			panic(err)
		}
		return mode
	}()
)

func encode(req *request, out Doc) ([]byte, http.Header, error) {
	head := http.Header{}
	switch req.protocol {
	case query:
		head.Set("Content-Type", "text/xml")
		var b bytes.Buffer
		result := out
		writeElement(&b, req.operation+"Response", Doc{req.operation + "Result": result, "ResponseMetadata": Doc{"RequestId": "fake"}})
		return b.Bytes(), head, nil
	case cborRPC:
		head.Set("Content-Type", "application/cbor")
		head.Set("Smithy-Protocol", "rpc-v2-cbor")
		raw, err := cborOut.Marshal(clean(out))
		return raw, head, err
	default:
		head.Set("Content-Type", "application/x-amz-json-1.1")
		raw, err := json.Marshal(clean(out))
		return raw, head, err
	}
}

func encodeError(w http.ResponseWriter, req *request, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{"InternalFailure", http.StatusInternalServerError, err.Error()}
	}
	switch req.protocol {
	case query:
		var b bytes.Buffer
		writeElement(&b, "ErrorResponse", Doc{"Error": Doc{"Type": "Sender", "Code": e.code, "Message": e.message}, "RequestId": "fake"})
		w.WriteHeader(e.status)
		_, _ = w.Write(b.Bytes())
	case cborRPC:
		raw, _ := cborOut.Marshal(Doc{"__type": e.code, "message": e.message})
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.WriteHeader(e.status)
		_, _ = w.Write(raw)
	default:
		w.Header().Set("X-Amzn-Errortype", e.code)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(e.status)
		_ = json.NewEncoder(w).Encode(Doc{"__type": e.code, "message": e.message})
	}
}

// clean leaves the fake's own keys out.
func clean(v any) any {
	switch x := v.(type) {
	case Doc:
		out := make(Doc, len(x))
		for k, item := range x {
			if !strings.HasPrefix(k, "_") || k == "__type" {
				out[k] = clean(item)
			}
		}
		return out
	case []Doc:
		out := make([]any, len(x))
		for i, item := range x {
			out[i] = clean(item)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, item := range x {
			out[i] = clean(item)
		}
		return out
	}
	return v
}

// members are the names of list items in ElastiCache's XML; the others are "member".
var members = map[string]string{
	"ReplicationGroups": "ReplicationGroup", "MemberClusters": "ClusterId", "NodeGroups": "NodeGroup",
	"NodeGroupMembers": "NodeGroupMember", "CacheClusters": "CacheCluster", "CacheNodes": "CacheNode",
	"CacheSubnetGroups": "CacheSubnetGroup", "Subnets": "Subnet", "Snapshots": "Snapshot",
	"SubnetIds": "SubnetId", "Events": "Event",
}

func writeElement(b *bytes.Buffer, name string, v any) {
	b.WriteString("<" + name + ">")
	switch x := v.(type) {
	case Doc:
		keys := make([]string, 0, len(x))
		for k := range x {
			if !strings.HasPrefix(k, "_") && x[k] != nil {
				keys = append(keys, k)
			}
		}
		sort.Strings(keys)
		for _, k := range keys {
			writeElement(b, k, x[k])
		}
	case []Doc:
		for _, item := range x {
			writeElement(b, member(name), item)
		}
	case []string:
		for _, item := range x {
			writeElement(b, member(name), item)
		}
	case []any:
		for _, item := range x {
			writeElement(b, member(name), item)
		}
	case time.Time:
		b.WriteString(x.UTC().Format("2006-01-02T15:04:05.000Z"))
	default:
		_ = xml.EscapeText(b, []byte(fmt.Sprint(x)))
	}
	b.WriteString("</" + name + ">")
}

func member(list string) string {
	if name, ok := members[list]; ok {
		return name
	}
	return "member"
}

// list reads a Query list parameter, whatever its member's name.
func (req *request) list(name string) []string {
	type item struct {
		order int
		value string
	}
	var items []item
	for k, v := range req.form {
		rest, ok := strings.CutPrefix(k, name+".")
		if !ok {
			continue
		}
		_, index, found := strings.Cut(rest, ".")
		if !found {
			index = rest
		}
		items = append(items, item{integer(index), v[0]})
	}
	sort.Slice(items, func(i, j int) bool { return items[i].order < items[j].order })
	out := make([]string, 0, len(items))
	for _, it := range items {
		out = append(out, it.value)
	}
	return out
}
