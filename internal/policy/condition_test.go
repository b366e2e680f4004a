package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// absent marks a request without the key.
var absent []string

func has(values ...string) []string { return values }

// TestConditionOperators follows the tables and sentences of the IAM User Guide,
// "IAM JSON policy elements: Condition operators" and "Single-valued vs.
// multivalued context keys". The key is elasticache:K throughout.
func TestConditionOperators(t *testing.T) {
	tests := []struct {
		operator string
		operands any // a string or several
		request  []string
		want     bool
	}{
		// String
		{"StringEquals", "iamuser-admin", has("iamuser-admin"), true},
		{"StringEquals", "iamuser-admin", has("dev-ops"), false},
		{"StringEquals", "iamuser-admin", absent, false},
		{"StringEquals", "Admin", has("admin"), false},
		{"StringEquals", "a*", has("a*"), true},
		{"StringEquals", "a*", has("ab"), false},
		{"StringEquals", "a?", has("ab"), false},
		{"StringEquals", []string{"a", "b"}, has("b"), true},
		{"StringEquals", []string{"a", "b"}, has("c"), false},
		{"StringEquals", "", has(""), true},
		{"StringEquals", "ü", has("ü"), true},
		{"StringNotEquals", "a", has("a"), false},
		{"StringNotEquals", "a", has("b"), true},
		{"StringNotEquals", "a", absent, true},
		{"StringNotEquals", []string{"a", "b"}, has("b"), false},
		{"StringNotEquals", []string{"a", "b"}, has("c"), true},
		{"StringEqualsIgnoreCase", "Admin", has("aDMIN"), true},
		{"StringEqualsIgnoreCase", "Admin", has("admins"), false},
		{"StringEqualsIgnoreCase", "Admin", absent, false},
		{"StringEqualsIgnoreCase", "a*", has("A*"), true},
		{"StringEqualsIgnoreCase", "a*", has("Ab"), false},
		{"StringNotEqualsIgnoreCase", "Admin", has("aDMIN"), false},
		{"StringNotEqualsIgnoreCase", "Admin", has("x"), true},
		{"StringNotEqualsIgnoreCase", "Admin", absent, true},
		{"StringLike", "home/*", has("home/x/y"), true},
		{"StringLike", "home/*", has("home/"), true},
		{"StringLike", "home/*", has("Home/x"), false},
		{"StringLike", "home/*", has("home"), false},
		{"StringLike", "h?me", has("home"), true},
		{"StringLike", "h?me", has("hme"), false},
		{"StringLike", "h?me", has("hooome"), false},
		{"StringLike", "h?me", has("hüme"), true},
		{"StringLike", "*", has(""), true},
		{"StringLike", "*", absent, false},
		{"StringLike", "?", has(""), false},
		{"StringLike", "*a*b*", has("xxaxxbxx"), true},
		{"StringLike", "*a*b*", has("xxbxxaxx"), false},
		{"StringLike", "a**b", has("ab"), true},
		{"StringLike", []string{"", "home/", "home/x/"}, has(""), true},
		{"StringLike", []string{"", "home/", "home/x/"}, has("home/y/"), false},
		{"StringNotLike", "home/*", has("home/x"), false},
		{"StringNotLike", "home/*", has("etc"), true},
		{"StringNotLike", "home/*", absent, true},
		{"StringNotLike", []string{"a*", "b*"}, has("bx"), false},

		// Numeric
		{"NumericEquals", "10", has("10"), true},
		{"NumericEquals", "10", has("10.0"), true},
		{"NumericEquals", "10", has("11"), false},
		{"NumericEquals", "10", has("ten"), false},
		{"NumericEquals", "10", has("0xA"), false},
		{"NumericEquals", "10", absent, false},
		{"NumericEquals", []string{"1", "2"}, has("2"), true},
		{"NumericNotEquals", "10", has("10"), false},
		{"NumericNotEquals", "10", has("9"), true},
		{"NumericNotEquals", "10", absent, true},
		{"NumericNotEquals", []string{"1", "2"}, has("2"), false},
		{"NumericLessThan", "10", has("9.5"), true},
		{"NumericLessThan", "10", has("10"), false},
		{"NumericLessThan", "10", has("-Inf"), false},
		{"NumericLessThan", "10", absent, false},
		{"NumericLessThanEquals", "10", has("10"), true},
		{"NumericLessThanEquals", "10", has("100"), false},
		{"NumericLessThanEquals", "10", has("9"), true},
		{"NumericGreaterThan", "10", has("10"), false},
		{"NumericGreaterThan", "10", has("11"), true},
		{"NumericGreaterThan", "10", has("Inf"), false},
		{"NumericGreaterThanEquals", "10", has("10"), true},
		{"NumericGreaterThanEquals", "-1.5", has("-1.4"), true},
		{"NumericGreaterThanEquals", "1e3", has("999"), false},

		// Date
		{"DateEquals", "2020-01-01T00:00:00Z", has("2020-01-01T00:00:00Z"), true},
		{"DateEquals", "2020-01-01T00:00:00Z", has("2020-01-01T01:00:00+01:00"), true},
		{"DateEquals", "2020-01-01T00:00:00Z", has("1577836800"), true},
		{"DateEquals", "1577836800", has("2020-01-01T00:00:00Z"), true},
		{"DateEquals", "2020-01-01", has("2020-01-01T00:00Z"), true},
		{"DateEquals", "2020-01", has("2020-01-01T00:00:00Z"), true},
		{"DateEquals", "2020", has("2020-01-01T00:00:00Z"), true},
		{"DateEquals", "2020-01-01T00:00:00Z", has("yesterday"), false},
		{"DateEquals", "2020-01-01T00:00:00Z", absent, false},
		{"DateNotEquals", "2020-01-01T00:00:00Z", has("2020-01-01T00:00:00Z"), false},
		{"DateNotEquals", "2020-01-01T00:00:00Z", has("2020-01-01T00:00:01Z"), true},
		{"DateNotEquals", "2020-01-01T00:00:00Z", absent, true},
		{"DateLessThan", "2020-06-30T00:00:00Z", has("2020-04-01T00:00:00Z"), true},
		{"DateLessThan", "2020-06-30T00:00:00Z", has("2020-06-30T00:00:00Z"), false},
		{"DateLessThan", "2020-06-30T00:00:00Z", absent, false},
		{"DateLessThanEquals", "2020-06-30T00:00:00Z", has("2020-06-30T00:00:00Z"), true},
		{"DateLessThanEquals", "2020-06-30T00:00:00Z", has("2020-06-30T00:00:00.5Z"), false},
		{"DateGreaterThan", "2020-04-01T00:00:00Z", has("2020-04-01T00:00:00Z"), false},
		{"DateGreaterThan", "2020-04-01T00:00:00Z", has("2021-04-01T00:00:00Z"), true},
		{"DateGreaterThanEquals", "2020-04-01T00:00:00Z", has("2020-04-01T00:00:00Z"), true},
		{"DateGreaterThanEquals", "2020-04-01T00:00:00Z", has("2019-12-31T23:59:59Z"), false},

		// Boolean
		{"Bool", "true", has("true"), true},
		{"Bool", "true", has("True"), true},
		{"Bool", "true", has("false"), false},
		{"Bool", "true", has("1"), false},
		{"Bool", "true", absent, false},
		{"Bool", "false", has("false"), true},
		{"Bool", "false", absent, false},
		{"Bool", []string{"true", "false"}, has("false"), true},

		// Binary
		{"BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", has("QmluYXJ5VmFsdWVJbkJhc2U2NA=="), true},
		{"BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", has("ASIAIOSFODNN7EXAMPLE"), false},
		{"BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", absent, false},

		// IP address
		{"IpAddress", "203.0.113.0/24", has("203.0.113.1"), true},
		{"IpAddress", "203.0.113.0/24", has("198.51.100.1"), false},
		{"IpAddress", "203.0.113.0/24", absent, false},
		{"IpAddress", "203.0.113.0/24", has("not an address"), false},
		{"IpAddress", "203.0.113.77/24", has("203.0.113.1"), true},
		{"IpAddress", "203.0.113.7", has("203.0.113.7"), true},
		{"IpAddress", "203.0.113.7", has("203.0.113.8"), false},
		{"IpAddress", "203.0.113.0/24", has("::ffff:203.0.113.9"), true},
		{"IpAddress", []string{"203.0.113.0/24", "2001:DB8:1234:5678::/64"}, has("2001:db8:1234:5678::1"), true},
		{"IpAddress", []string{"203.0.113.0/24", "2001:DB8:1234:5678::/64"}, has("2001:db8:1234:5679::1"), false},
		{"IpAddress", "0.0.0.0/0", has("2001:db8::1"), false},
		{"IpAddress", "2001:db8::1", has("2001:db8::2"), false},
		{"NotIpAddress", "203.0.113.0/24", has("203.0.113.1"), false},
		{"NotIpAddress", "203.0.113.0/24", has("198.51.100.1"), true},
		{"NotIpAddress", "203.0.113.0/24", absent, true},
		{"NotIpAddress", []string{"10.0.0.0/8", "192.168.0.0/16"}, has("192.168.1.1"), false},
		{"NotIpAddress", []string{"10.0.0.0/8", "192.168.0.0/16"}, has("172.16.0.1"), true},

		// ARN
		{"ArnEquals", "arn:aws:sns:us-west-2:123456789012:TOPIC-ID", has("arn:aws:sns:us-west-2:123456789012:TOPIC-ID"), true},
		{"ArnEquals", "arn:aws:sns:us-west-2:123456789012:TOPIC-ID", has("arn:aws:sns:us-west-2:777788889999:TOPIC-ID"), false},
		{"ArnEquals", "arn:aws:sns:us-west-2:123456789012:TOPIC-ID", absent, false},
		{"ArnEquals", "arn:aws:sns:*:123456789012:*", has("arn:aws:sns:us-west-2:123456789012:TOPIC-ID"), true},
		{"ArnLike", "arn:aws:sns:*:123456789012:T?PIC", has("arn:aws:sns:eu-west-1:123456789012:TOPIC"), true},
		{"ArnLike", "arn:aws:dynamodb:*:table/prod-*", has("arn:aws:dynamodb:us-east-1:111122223333:table/prod-x"), false},
		{"ArnLike", "arn:aws:iam::111122223333:role/*", has("arn:aws:iam::111122223333:role/path/to/x"), true},
		{"ArnLike", "arn:aws:iam::111122223333:role/*", has("arn:aws:iam::111122223334:role/x"), false},
		{"ArnLike", "arn:*:iam::111122223333:role/x", has("arn:aws:iam::111122223333:role/x"), true},
		{"ArnLike", "arn:aws:rds:*:*:db:*", has("arn:aws:rds:us-east-1:111122223333:db:one:two"), true},
		{"ArnLike", "*", has("arn:aws:sns:us-west-2:123456789012:x"), true},
		{"ArnLike", "*", has("no ARN"), false},
		{"ArnLike", "arn:aws:sns:*:*:x", has("no ARN"), false},
		{"ArnLike", "ARN:aws:sns:*:*:x", has("ARN:aws:sns:r:a:x"), false},
		{"ArnNotEquals", "arn:aws:sns:*:*:x", has("arn:aws:sns:r:a:x"), false},
		{"ArnNotLike", "arn:aws:sns:*:*:x", has("arn:aws:sns:r:a:y"), true},
		{"ArnNotLike", "arn:aws:sns:*:*:x", absent, true},

		// IfExists
		{"StringEqualsIfExists", "a", has("a"), true},
		{"StringEqualsIfExists", "a", has("b"), false},
		{"StringEqualsIfExists", "a", absent, true},
		{"StringNotEqualsIfExists", "a", has("a"), false},
		{"StringNotEqualsIfExists", "a", absent, true},
		{"StringLikeIfExists", "a*", absent, true},
		{"NumericLessThanIfExists", "10", absent, true},
		{"NumericLessThanIfExists", "10", has("11"), false},
		{"DateGreaterThanIfExists", "2020-01-01", absent, true},
		{"BoolIfExists", "true", absent, true},
		{"BoolIfExists", "true", has("false"), false},
		{"IpAddressIfExists", "10.0.0.0/8", absent, true},
		{"NotIpAddressIfExists", "10.0.0.0/8", has("10.1.1.1"), false},
		{"ArnLikeIfExists", "arn:aws:sns:*:*:x", absent, true},
		{"BinaryEqualsIfExists", "YQ==", absent, true},

		// Null
		{"Null", "true", absent, true},
		{"Null", "true", has("x"), false},
		{"Null", "true", has(""), true},
		{"Null", "false", has("x"), true},
		{"Null", "false", absent, false},
		{"Null", "false", has(""), false},
		{"Null", []string{"true", "false"}, absent, true},

		// ForAllValues
		{"ForAllValues:StringEquals", []string{"a", "b", "c"}, has("a", "b"), true},
		{"ForAllValues:StringEquals", []string{"a", "b", "c"}, has("a", "d"), false},
		{"ForAllValues:StringEquals", []string{"a", "b"}, absent, true},
		{"ForAllValues:StringEquals", []string{"a", "b"}, has(""), true},
		{"ForAllValues:StringLike", []string{"env-*"}, has("env-a", "env-b"), true},
		{"ForAllValues:StringLike", []string{"env-*"}, has("env-a", "x"), false},
		{"ForAllValues:StringNotEquals", []string{"a", "b"}, has("c", "d"), true},
		{"ForAllValues:StringNotEquals", []string{"a", "b"}, has("c", "a"), false},
		{"ForAllValues:StringNotEquals", []string{"a", "b"}, absent, true},
		{"ForAllValues:StringNotLike", []string{"env-*"}, has("x", "env-a"), false},
		{"ForAllValues:ArnLike", []string{"arn:aws:cloudfront::123456789012:distribution/*"}, has("arn:aws:cloudfront::123456789012:distribution/costcenter"), true},
		{"ForAllValues:ArnLike", []string{"arn:aws:cloudfront::123456789012:distribution/*"}, has("arn:aws:cloudfront::123456789012:distribution/a", "arn:aws:cloudfront::777788889999:distribution/a"), false},
		{"ForAllValues:NumericLessThan", []string{"5"}, has("1", "4"), true},
		{"ForAllValues:NumericLessThan", []string{"5"}, has("1", "6"), false},
		{"ForAllValues:Bool", []string{"true"}, has("true", "false"), false},
		{"ForAllValues:IpAddress", []string{"10.0.0.0/8"}, has("10.0.0.1", "10.2.0.1"), true},

		// ForAnyValue
		{"ForAnyValue:StringEquals", []string{"a", "b"}, has("x", "b"), true},
		{"ForAnyValue:StringEquals", []string{"a", "b"}, has("x", "y"), false},
		{"ForAnyValue:StringEquals", []string{"a", "b"}, absent, false},
		{"ForAnyValue:StringEquals", []string{""}, has(""), false},
		{"ForAnyValue:StringLike", []string{"env-*"}, has("x", "env-a"), true},
		{"ForAnyValue:StringNotEquals", []string{"a", "b"}, has("a", "c"), true},
		{"ForAnyValue:StringNotEquals", []string{"a", "b"}, has("a", "b"), false},
		{"ForAnyValue:StringNotEquals", []string{"a", "b"}, absent, false},
		{"ForAnyValue:StringLikeIfExists", []string{"a*"}, absent, true},
		{"ForAnyValue:StringLikeIfExists", []string{"*"}, has(""), false},
		{"ForAllValues:StringLikeIfExists", []string{"a*"}, has("b"), false},
		{"ForAnyValue:NumericGreaterThan", []string{"5"}, has("1", "6"), true},
		{"ForAnyValue:ArnLike", []string{"arn:aws:sns:*:*:x"}, has("arn:aws:sns:r:a:y", "arn:aws:sns:r:a:x"), true},
	}
	for _, test := range tests {
		name := fmt.Sprintf("%s %v against %q", test.operator, test.operands, test.request)
		operands, err := json.Marshal(test.operands)
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, Identity, fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
			"Condition":{%q:{"elasticache:K":%s}}}}`, test.operator, operands))
		ctx := Context{}
		ctx.Set("ElastiCache:k", test.request...)
		r := Request{Principal: alice, Action: "elasticache:Connect", Resource: "*", Context: ctx}
		if got := Evaluate(&r, &Policies{Identity: []Named{{"p", doc}}}).Allowed; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestConditionsCombine: operators and keys are joined by AND, values by OR, or
// by NOR under a negated operator (IAM User Guide, "Conditions with multiple
// context keys or values").
func TestConditionsCombine(t *testing.T) {
	const condition = `{
		"StringEquals":    {"aws:PrincipalTag/team": ["red", "blue"], "aws:RequestedRegion": "us-east-1"},
		"StringNotEquals": {"aws:PrincipalTag/level": ["intern", "guest"]},
		"IpAddress":       {"aws:SourceIp": "10.0.0.0/8"},
		"Bool":            {"aws:SecureTransport": true},
		"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}`
	good := func() Context {
		ctx := Context{}
		ctx.Set("aws:PrincipalTag/Team", "blue")
		ctx.Set("aws:RequestedRegion", "us-east-1")
		ctx.Set("aws:PrincipalTag/level", "senior")
		ctx.Set("aws:SourceIp", "10.9.8.7")
		ctx.Set("aws:SecureTransport", "true")
		ctx.Set("aws:MultiFactorAuthAge", "60")
		return ctx
	}
	doc := parse(t, Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition))
	if !allowed(doc, "a:B", "*", good()) {
		t.Error("all conditions hold, and the request is denied")
	}
	for key, value := range map[string]string{
		"aws:PrincipalTag/team": "green", "aws:RequestedRegion": "eu-west-1", "aws:PrincipalTag/level": "guest",
		"aws:SourceIp": "11.0.0.1", "aws:SecureTransport": "false", "aws:MultiFactorAuthAge": "3600",
	} {
		ctx := good()
		ctx.Set(key, value)
		if allowed(doc, "a:B", "*", ctx) {
			t.Errorf("allowed although %s is %s", key, value)
		}
	}
}

func TestVariables(t *testing.T) {
	ctx := Context{}
	ctx.Set("aws:username", "alice")
	ctx.Set("aws:PrincipalTag/team", "red")
	ctx.Set("aws:PrincipalTag/star", "*")
	ctx.Set("aws:PrincipalTag/empty", "")
	ctx.Set("aws:PrincipalTag/mark", "\x00") // what a compiled * looks like
	ctx.Set("aws:TagKeys", "a", "b")
	ctx.Set("aws:PrincipalArn", "arn:aws:iam::111122223333:role/app")
	ctx.Set("elasticache:K", "alice")
	ctx.Set("elasticache:Arn", "arn:aws:iam::111122223333:role/app")
	const users = "arn:aws:elasticache:us-east-1:111122223333:user:"
	tests := []struct {
		resource, condition string // one of them
		asked               string
		want                bool
	}{
		{users + "${aws:username}", "", users + "alice", true},
		{users + "${AWS:UserName}", "", users + "alice", true},
		{users + "${ aws:username }", "", users + "alice", true},
		{users + "${aws:username}", "", users + "bob", false},
		{users + "${aws:username}-*", "", users + "alice-app", true},
		{users + "${aws:PrincipalTag/team}-${aws:username}", "", users + "red-alice", true},
		{users + "${aws:PrincipalTag/none}", "", users + "", false},
		{users + "${aws:PrincipalTag/none}*", "", users + "alice", false},
		{users + "${aws:PrincipalTag/empty}*", "", users + "alice", false},
		{users + "${aws:PrincipalTag/none, 'company-wide'}", "", users + "company-wide", true},
		{users + "${aws:PrincipalTag/team, 'company-wide'}", "", users + "red", true},
		{users + "${aws:PrincipalTag/team, 'company-wide'}", "", users + "company-wide", false},
		{users + "${aws:PrincipalTag/none, '*'}", "", users + "alice", false},
		{users + "${aws:PrincipalTag/star}", "", users + "alice", false}, // a value's * is a literal
		{users + "${aws:PrincipalTag/star}", "", users + "*", true},
		{users + "${aws:PrincipalTag/mark}", "", users + "alice", false},
		{users + "${aws:PrincipalTag/mark, 'x'}", "", users + "x", false},
		{users + "${*}", "", users + "alice", false},
		{users + "${*}", "", users + "*", true},
		{users + "${?}", "", users + "a", false},
		{users + "${$}{x}", "", users + "${x}", true},
		{users + "${aws:TagKeys}", "", users + "a", false}, // not single-valued
		{"", `"StringEquals":{"elasticache:K":"${aws:username}"}`, "", true},
		{"", `"StringLike":{"elasticache:K":"${aws:username}*"}`, "", true},
		{"", `"StringEqualsIgnoreCase":{"elasticache:K":"${aws:username}"}`, "", true},
		{"", `"StringEquals":{"elasticache:K":"${aws:PrincipalTag/none}"}`, "", false},
		{"", `"StringNotEquals":{"elasticache:K":"${aws:PrincipalTag/none}"}`, "", true}, // nothing equals no value
		{"", `"StringNotLike":{"elasticache:K":"${aws:PrincipalTag/none}*"}`, "", true},
		{"", `"StringNotEquals":{"elasticache:K":"${aws:username}"}`, "", false},
		{"", `"StringEquals":{"elasticache:K":["x","${aws:username}"]}`, "", true},
		{"", `"StringEquals":{"elasticache:K":"${aws:PrincipalTag/none, 'alice'}"}`, "", true},
		{"", `"ArnLike":{"elasticache:Arn":"${aws:PrincipalArn}"}`, "", true},
		{"", `"ArnEquals":{"elasticache:Arn":"arn:aws:iam::*:role/${aws:PrincipalTag/none, 'app'}"}`, "", true},
		{"", `"ArnLike":{"elasticache:Arn":"arn:aws:iam::111122223333:role/${aws:username}"}`, "", false},
		{"", `"ArnNotLike":{"elasticache:Arn":"arn:aws:iam::111122223333:role/${aws:username}"}`, "", true},
	}
	for _, test := range tests {
		resource, condition := test.resource, test.condition
		if resource == "" {
			resource = "*"
		}
		doc := parse(t, Identity, statement(fmt.Sprintf(`"Effect":"Allow","Action":"*","Resource":%q,"Condition":{%s}`, resource, condition)))
		if got := allowed(doc, "elasticache:Connect", test.asked, ctx); got != test.want {
			t.Errorf("%s%s for %q: %v, want %v", test.resource, test.condition, test.asked, got, test.want)
		}
	}
}

// In the first version of the language a variable is only text.
func TestVariablesNeedTheNewVersion(t *testing.T) {
	doc := parse(t, Resource, strings.Replace(statement(
		`"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::${aws:username}"`), "2012-10-17", "2008-10-17", 1))
	ctx := Context{}
	ctx.Set("aws:username", "alice")
	for resource, want := range map[string]bool{"arn:aws:s3:::alice": false, "arn:aws:s3:::${aws:username}": true} {
		r := Request{Principal: alice, Action: "s3:GetObject", Resource: resource, Context: ctx}
		if got := Evaluate(&r, &Policies{Resource: &Named{"p", doc}}).Allowed; got != want {
			t.Errorf("%s: %v, want %v", resource, got, want)
		}
	}
}

func TestLongExpansion(t *testing.T) {
	ctx := Context{}
	ctx.Set("aws:username", strings.Repeat("x", 2*stackText))
	doc := parse(t, Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}/*"`))
	if !allowed(doc, "s3:GetObject", "arn:aws:s3:::"+strings.Repeat("x", 2*stackText)+"/a", ctx) {
		t.Error("a variable with a long value does not match")
	}
}
