package query_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/awsapi/query"
)

func decode(body string, operation string, in any) error {
	form, err := query.ParseForm("", body)
	if err != nil {
		return err
	}
	return form.Decode(model.ElastiCache, operation, in)
}

// The forms that AWS accepts beside the one that the SDKs send.
func TestFormsThatAreAccepted(t *testing.T) {
	tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b")}}
	cases := map[string]struct {
		body string
		want elasticache.CreateUserInput
	}{
		"as the SDK":          {"Tags.Tag.1.Key=a&Tags.Tag.1.Value=1&Tags.Tag.2.Key=b", elasticache.CreateUserInput{Tags: tags}},
		"items called member": {"Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=b", elasticache.CreateUserInput{Tags: tags}},
		"gaps and any order":  {"Tags.Tag.70.Key=b&Tags.Tag.7.Value=1&Tags.Tag.7.Key=a", elasticache.CreateUserInput{Tags: tags}},
		"an empty list":       {"Passwords=", elasticache.CreateUserInput{Passwords: []string{}}},
		"empty parts":         {"&&UserId=u&", elasticache.CreateUserInput{UserId: aws.String("u")}},
		"an empty value":      {"UserId=", elasticache.CreateUserInput{UserId: aws.String("")}},
		"plus and percent":    {"UserName=a+b%2Bc", elasticache.CreateUserInput{UserName: aws.String("a b+c")}},
		"a nested structure":  {"AuthenticationMode.Type=iam", elasticache.CreateUserInput{AuthenticationMode: &types.AuthenticationMode{Type: types.InputAuthenticationTypeIam}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got elasticache.CreateUserInput
			if err := decode(c.body, "CreateUser", &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, sdkTypes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i+1)
		}
		return b.String()
	}
	cases := map[string]struct {
		body    string
		code    string
		message string // a part of it
	}{
		"twice":                  {"UserId=a&UserId=b", "InvalidQueryParameter", "The parameter UserId is given more than once."},
		"Action twice":           {"Action=CreateUser&Action=DeleteUser", "InvalidQueryParameter", "Action is given more than once"},
		"Action empty, then not": {"Action=&Action=DeleteUser", "InvalidQueryParameter", "The parameter Action is empty."},
		"twice by spelling":      {"UserId=a&%55serId=b", "InvalidQueryParameter", "UserId is given more than once"},
		"unknown":                {"UserID=a", "InvalidParameterValue", "The parameter UserID is not one of this operation's parameters."},
		"unknown, nested":        {"AuthenticationMode.Kind=iam", "InvalidParameterValue", "AuthenticationMode.Kind is not one"},
		"bad escape":             {"UserId=%zz", "InvalidQueryParameter", "The value of the parameter UserId is not correctly escaped."},
		"bad escape in a name":   {"%zz=a", "InvalidQueryParameter", "name is not correctly escaped"},
		"boolean":                {"NoPasswordRequired=yes", "InvalidParameterValue", "Invalid value for parameter NoPasswordRequired: 'yes' is not true or false."},
		"value for a list":       {"Passwords=secret", "InvalidParameterValue", "give its items as Passwords.member.1"},
		"list without number":    {"Passwords.member=a", "InvalidParameterValue", "Passwords.member has no item number"},
		"list item's name":       {"Passwords.Password.1=a", "InvalidParameterValue", "give its items as Passwords.member.1"},
		"number 0":               {"Passwords.member.0=a", "InvalidParameterValue", "Passwords.member.0 has no item number from 1"},
		"number 01":              {"Passwords.member.01=a", "InvalidParameterValue", "no item number"},
		"number too big":         {"Passwords.member.999999999=a", "InvalidParameterValue", "no item number"},
		"one number, two ways":   {"Tags.Tag.1.Key=a&Tags.member.1.Key=b", "InvalidParameterValue", "two items with the number 1"},
		"value for structure":    {"AuthenticationMode=iam", "InvalidParameterValue", "AuthenticationMode is a structure"},
		"members of a value":     {"UserId.x=a", "InvalidParameterValue", "UserId is a single value"},
		"value and members":      {"UserId=a&UserId.x=a", "InvalidParameterValue", "UserId is a single value"},
		"many parameters":        {many(10_001, "p%d=&"), "InvalidQueryParameter", "more than 10000 parameters"},
		"many items":             {many(1_001, "Passwords.member.%d=a&"), "InvalidParameterValue", "more than 1000 items"},
		"deep":                   {strings.Repeat("a.", 12) + "a=b", "InvalidQueryParameter", "more than 12 parts"},
		"long name":              {strings.Repeat("a", 513) + "=b", "InvalidQueryParameter", "longer than 512 bytes"},
		"long value":             {"UserId=" + strings.Repeat("a", 512<<10+1), "InvalidQueryParameter", "longer than 524288 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := decode(c.body, "CreateUser", new(elasticache.CreateUserInput))
			var refusal *query.Error
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v", err)
			}
			if refusal.Code != c.code || !strings.Contains(refusal.Message, c.message) {
				t.Errorf("got %s %q", refusal.Code, refusal.Message)
			}
		})
	}
	for name, body := range map[string]string{"integer": "MaxRecords=1e3", "integer too big": "MaxRecords=99999999999", "time": "StartTime=yesterday"} {
		err := decode(body, "DescribeEvents", new(elasticache.DescribeEventsInput))
		if err == nil || !strings.Contains(err.Error(), "Invalid value for parameter "+strings.Split(body, "=")[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResponseBytes(t *testing.T) {
	got, err := query.Response(model.ElastiCache, "DeleteUser", &elasticache.DeleteUserOutput{
		UserId:         aws.String("u"),
		AccessString:   aws.String("on ~<*> +@all"),
		UserGroupIds:   []string{},
		Authentication: &types.Authentication{Type: types.AuthenticationTypePassword, PasswordCount: aws.Int32(2)},
	}, "id-1")
	if err != nil {
		t.Fatal(err)
	}
	want := `<DeleteUserResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/"><DeleteUserResult>` +
		`<UserId>u</UserId><AccessString>on ~&lt;*&gt; +@all</AccessString><UserGroupIds></UserGroupIds>` +
		`<Authentication><Type>password</Type><PasswordCount>2</PasswordCount></Authentication>` +
		`</DeleteUserResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DeleteUserResponse>` + "\n"
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got, err = query.Response(model.ElastiCache, "DeleteCacheSubnetGroup", nil, "id-2")
	want = `<DeleteCacheSubnetGroupResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/"><ResponseMetadata><RequestId>id-2</RequestId></ResponseMetadata></DeleteCacheSubnetGroupResponse>` + "\n"
	if err != nil || string(got) != want {
		t.Errorf("got  %s %v\nwant %s", got, err, want)
	}
}

// What a request costs before its signature is known to be good must not be a
// multiple of its size.
func TestAFormIsCheapUntilItIsDecoded(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "%d.a.b.c.d.e.f.g.h.i.j.k=&", i)
	}
	body := b.String()
	allocations := testing.AllocsPerRun(5, func() {
		if _, err := query.ParseForm("", body); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 100 {
		t.Errorf("a form of 10 000 parameters takes %v allocations", allocations)
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"", "Action=CreateUser&Version=2015-02-02&UserId=a", "Tags.Tag.1.Key=a&Tags.member.2.Key=b", "Passwords=",
		"UserId=%zz", "a.b.c.d.1=2", "...=", "Passwords.member.1.x=2", "NoPasswordRequired=true", "AuthenticationMode.Passwords.member.1=p",
		"UserId=a&UserId=b", "Filters.member.1.Values.member.3=a&MaxRecords=20", "=&==&&", "StartTime=2026-01-01T00:00:00Z&Duration=5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := query.ParseForm("", body)
		var refusal *query.Error
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		for operation, in := range map[string]any{
			"CreateUser":             new(elasticache.CreateUserInput),
			"DescribeUsers":          new(elasticache.DescribeUsersInput),
			"DescribeEvents":         new(elasticache.DescribeEventsInput),
			"CreateReplicationGroup": new(elasticache.CreateReplicationGroupInput),
		} {
			if err := form.Decode(model.ElastiCache, operation, in); err != nil && !errors.As(err, &refusal) {
				t.Fatalf("%s %q: %v", operation, body, err)
			}
			model.ElastiCache.Check(operation, in, nil)
			model.ElastiCache.RecordInput(operation, in)
		}
	})
}
