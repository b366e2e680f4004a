package awsapi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Codes that ElastiCache's model has for no served operation: they come from
// "Common Errors" of the API Reference.
var commonCodes = map[string]bool{
	"MissingParameter": true, "AccessDenied": true, "Throttling": true, "ServiceUnavailable": true,
	"CacheClusterAlreadyExists": true, // of CreateCacheCluster
	"ValidationError":           true,
}

func TestKindsHaveTheModelsCodeAndStatus(t *testing.T) {
	for kind, want := range kinds {
		var fault model.Error
		known := false
		for _, service := range []*model.Service{model.ElastiCache, model.IAM, model.STS} {
			if f, ok := service.Errors[want.code]; ok && !known {
				fault, known = f, true
			}
		}
		switch {
		case !known && !commonCodes[want.code]:
			t.Errorf("%s: the model has no error %s", kind, want.code)
		case known && fault.Status != want.status:
			t.Errorf("%s: %s has status %d, the model says %d", kind, want.code, want.status, fault.Status)
		}
	}
}

// A kind without a code would reach the caller as an internal failure.
func TestEveryKindIsTranslated(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../identity/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Kind" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if _, ok := kinds[identity.Kind(text)]; !ok {
			t.Errorf("the kind %q has no AWS code", text)
		}
		return true
	})
	if found != len(kinds) {
		t.Errorf("identity has %d kinds, the table %d", found, len(kinds))
	}
}

func TestTranslate(t *testing.T) {
	refusal := identity.Errorf(identity.UserNotFound, "User u not found.")
	fault, meant := translate(fmt.Errorf("describing: %w", refusal))
	if !meant || fault.Code != "UserNotFound" || fault.Status != 404 || fault.Message != "User u not found." || !fault.sender() {
		t.Errorf("a refusal: %+v", fault)
	}
	for _, err := range []error{errors.New("dial /secret/path: refused"), identity.Errorf("a kind from nowhere", "x")} {
		fault, meant = translate(err)
		if meant || fault.Code != "InternalFailure" || fault.Status != 500 || fault.sender() || fault.Message != "The request processing has failed because of an unknown error, exception or failure." {
			t.Errorf("%v: %+v", err, fault)
		}
	}
}
