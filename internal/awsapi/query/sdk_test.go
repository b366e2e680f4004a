package query_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/awsapi/query"
)

// exchange stands in for the network: it keeps what the SDK sent and answers
// with what it was given.
type exchange struct {
	sent   string
	status int
	answer []byte
}

func (e *exchange) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	e.sent = string(body)
	return &http.Response{
		StatusCode: e.status,
		Header:     http.Header{"Content-Type": {query.ContentType}},
		Body:       io.NopCloser(bytes.NewReader(e.answer)),
		Request:    r,
	}, nil
}

func config(e *exchange) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://api.example"),
		HTTPClient:   e,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func testModel(t testing.TB, name string) *model.Service {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := model.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// For every operation: what the SDK serialises we decode to an equal value, and
// what we encode the SDK decodes to an equal value. IAM and CloudFormation stand
// for the services that are added later (maps, long lists, other names).
func TestTheSDKAndTheCodecUnderstandEachOther(t *testing.T) {
	e := &exchange{}
	cfg := config(e)
	for _, service := range []struct {
		model  *model.Service
		client any
	}{
		{model.ElastiCache, elasticache.NewFromConfig(cfg)},
		{model.STS, sts.NewFromConfig(cfg)},
		{testModel(t, "iam.json"), iam.NewFromConfig(cfg)},
		{testModel(t, "cloudformation.json"), cloudformation.NewFromConfig(cfg)},
	} {
		for _, operation := range slices.Sorted(maps.Keys(service.model.Operations)) {
			t.Run(service.model.SigningName+" "+operation, func(t *testing.T) {
				rapid.Check(t, func(rt *rapid.T) {
					roundTrip(rt, service.model, service.client, operation, e)
				})
			})
		}
	}
}

func roundTrip(t *rapid.T, m *model.Service, client any, operation string, e *exchange) {
	method := reflect.ValueOf(client).MethodByName(operation)
	op := m.Operations[operation]
	in := reflect.New(method.Type().In(1).Elem())
	if op.Input != "" {
		g := generator{t: t, model: m, text: rapid.String()}
		g.structure(op.Input, in.Elem(), 0)
	}
	out := reflect.New(method.Type().Out(0).Elem())
	if op.Output != "" {
		g := generator{t: t, model: m, text: xmlText, output: true}
		g.structure(op.Output, out.Elem(), 0)
	}
	var err error
	e.status = http.StatusOK
	if e.answer, err = query.Response(m, operation, out.Interface(), "id"); err != nil {
		t.Fatal(err)
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
	if err, _ := results[1].Interface().(error); err != nil {
		t.Fatalf("the SDK says: %v\n%s", err, e.answer)
	}
	form, err := query.ParseForm("", e.sent)
	if err != nil {
		t.Fatal(err)
	}
	if form.Action != operation || form.Version != m.Version {
		t.Fatalf("read Action %q, Version %q", form.Action, form.Version)
	}
	got := reflect.New(in.Type().Elem())
	if err := form.Decode(m, operation, got.Interface()); err != nil {
		t.Fatalf("%v\n%s", err, e.sent)
	}
	if diff := cmp.Diff(in.Interface(), got.Interface(), sdkTypes); diff != "" {
		t.Fatalf("input (-sent +decoded):\n%s\n%s", diff, e.sent)
	}
	if diff := cmp.Diff(out.Interface(), results[0].Interface(), sdkTypes); diff != "" {
		t.Fatalf("output (-encoded +read by the SDK):\n%s\n%s", diff, e.answer)
	}
}

// sdkTypes compares the SDK's structures by their exported fields.
var sdkTypes = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		field, ok := p.Last().(cmp.StructField)
		return ok && (field.Name() == "ResultMetadata" || field.Name() == "noSmithyDocumentSerde")
	}, cmp.Ignore()),
	cmpopts.IgnoreTypes(middleware.Metadata{}),
}

// xmlText is text that XML 1.0 can carry.
var xmlText = rapid.StringOf(rapid.Rune().Filter(func(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r < 0xd800 || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
}))

// generator fills SDK structures with random values, led by the model.
type generator struct {
	t      *rapid.T
	model  *model.Service
	text   *rapid.Generator[string]
	output bool
}

func (g *generator) structure(name string, to reflect.Value, depth int) {
	for i := range g.model.Shapes[name].Members {
		m := &g.model.Shapes[name].Members[i]
		field := model.Field(to, m)
		if !field.IsValid() {
			g.t.Fatalf("%s has no field %s", to.Type(), m.Name)
		}
		// The first member is always there, because an empty structure has no form
		// on the wire.
		if i > 0 && !m.Required && !rapid.Bool().Draw(g.t, m.Name) {
			continue
		}
		if depth < 8 {
			g.value(m.Shape, field, depth+1)
		}
	}
}

func (g *generator) value(name string, to reflect.Value, depth int) {
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
	}
	shape := g.model.Shapes[name]
	switch shape.Type {
	case model.Structure:
		g.structure(name, to, depth)
	case model.List:
		n := rapid.IntRange(0, 3).Draw(g.t, "items")
		to.Set(reflect.MakeSlice(to.Type(), n, n))
		for i := range n {
			g.value(shape.Item, to.Index(i), depth)
		}
	case model.Map:
		to.Set(reflect.MakeMap(to.Type()))
		for range rapid.IntRange(0, 3).Draw(g.t, "entries") {
			key, value := reflect.New(to.Type().Key()).Elem(), reflect.New(to.Type().Elem()).Elem()
			g.value(shape.Key, key, depth)
			g.value(shape.Value, value, depth)
			to.SetMapIndex(key, value)
		}
	case model.String:
		text := g.text.Draw(g.t, name)
		if text == "" && to.Type().PkgPath() != "" {
			text = "x" // an empty enumeration value is an absent one
		}
		to.SetString(text)
	case model.Boolean:
		to.SetBool(rapid.Bool().Draw(g.t, name))
	case model.Integer:
		to.SetInt(int64(rapid.Int32().Draw(g.t, name)))
	case model.Long:
		to.SetInt(rapid.Int64().Draw(g.t, name))
	case model.Float, model.Double:
		to.SetFloat(rapid.Float64Range(-1e9, 1e9).Draw(g.t, name))
	case model.Timestamp:
		ms := rapid.Int64Range(0, 4e12).Draw(g.t, name)
		to.Set(reflect.ValueOf(time.UnixMilli(ms).UTC()))
	default:
		panic(fmt.Sprintf("no values for type %s", shape.Type))
	}
}

func TestTheSDKReadsOurErrors(t *testing.T) {
	e := &exchange{status: http.StatusNotFound, answer: query.Fault(model.ElastiCache.Namespace, "UserNotFound", "User <a&b> not found.", true, "id-1")}
	_, err := elasticache.NewFromConfig(config(e)).DescribeUsers(context.Background(), &elasticache.DescribeUsersInput{})
	var fault *types.UserNotFoundFault
	if !errors.As(err, &fault) || fault.ErrorMessage() != "User <a&b> not found." || !strings.Contains(err.Error(), "RequestID: id-1") {
		t.Fatalf("the SDK reads %v", err)
	}
}
