package migrate

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/appsync"
	"github.com/aws/aws-sdk-go-v2/service/appsync/types"
)

// UpdateGraphqlApi resets what is left out: every field that it can set must be
// copied from the API. A field that a later SDK adds fails this test.
func TestWholeUpdateLeavesNothingOut(t *testing.T) {
	var api types.GraphqlApi
	fill(reflect.ValueOf(&api).Elem())
	update := reflect.ValueOf(wholeUpdate(api))
	for i := range update.NumField() {
		field := update.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		if update.Field(i).IsZero() {
			t.Errorf("%s is not written back", field.Name)
		}
	}
	if n := reflect.TypeFor[appsync.UpdateGraphqlApiInput]().NumField(); n != update.NumField() {
		t.Errorf("%d fields, %d seen", n, update.NumField())
	}
}

func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.CanSet() {
			continue
		}
		switch f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
			if f.Type().Elem().Kind() == reflect.String {
				f.Elem().SetString("x")
			}
		case reflect.String:
			f.SetString("x")
		case reflect.Int32:
			f.SetInt(1)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		}
	}
}

func TestKeyGoesAndTheStrongModeStays(t *testing.T) {
	iam := types.AdditionalAuthenticationProvider{AuthenticationType: types.AuthenticationTypeAwsIam}
	key := types.AdditionalAuthenticationProvider{AuthenticationType: types.AuthenticationTypeApiKey}
	oidc := types.AdditionalAuthenticationProvider{AuthenticationType: types.AuthenticationTypeOpenidConnect, OpenIDConnectConfig: &types.OpenIDConnectConfig{Issuer: ptr("i")}}
	for _, test := range []struct {
		primary types.AuthenticationType
		more    []types.AdditionalAuthenticationProvider
		want    types.AuthenticationType
		left    []types.AuthenticationType
	}{
		{types.AuthenticationTypeApiKey, []types.AdditionalAuthenticationProvider{iam}, types.AuthenticationTypeAwsIam, nil},
		{types.AuthenticationTypeApiKey, []types.AdditionalAuthenticationProvider{oidc, iam}, types.AuthenticationTypeAwsIam, []types.AuthenticationType{types.AuthenticationTypeOpenidConnect}},
		{types.AuthenticationTypeAwsIam, []types.AdditionalAuthenticationProvider{key, oidc}, types.AuthenticationTypeAwsIam, []types.AuthenticationType{types.AuthenticationTypeOpenidConnect}},
	} {
		got := withoutKey(appsync.UpdateGraphqlApiInput{AuthenticationType: test.primary, AdditionalAuthenticationProviders: test.more}, iam)
		var left []types.AuthenticationType
		for _, p := range got.AdditionalAuthenticationProviders {
			left = append(left, p.AuthenticationType)
		}
		if got.AuthenticationType != test.want || !slices.Equal(left, test.left) {
			t.Errorf("%v+%v: got %v + %v", test.primary, test.more, got.AuthenticationType, left)
		}
	}
}
