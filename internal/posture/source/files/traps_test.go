package files_test

import (
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

// TestIntrinsics sets AuthorizationType of a route R to an expression, beside
// what else the template has.
func TestIntrinsics(t *testing.T) {
	cases := []struct {
		name, expression, rest string
		parameters             map[string]string
		want                   posture.Verdict
		needs                  string
	}{
		{"a parameter's default", "!Ref P", "Parameters: {P: {Type: String, Default: NONE}}", nil, posture.Fail, ""},
		{"a given value before the default", "!Ref P", "Parameters: {P: {Type: String, Default: NONE}}", map[string]string{"P": "JWT"}, posture.Pass, ""},
		{"every allowed value is right", "!Ref P", "Parameters: {P: {Type: String, AllowedValues: [JWT, AWS_IAM]}}", nil, posture.Pass, ""},
		{"one allowed value is wrong", "!Ref P", "Parameters: {P: {Type: String, AllowedValues: [JWT, NONE]}}", nil, posture.Undecided, "P"},
		{"a parameter without a value", "!Ref P", "Parameters: {P: {Type: String}}", nil, posture.Undecided, "a value for parameter P"},
		{"a parameter of Parameter Store", "!Ref P", "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /auth}}", nil, posture.Undecided, "stored value"},
		{"a condition that is decided", "!If [C, NONE, JWT]", "Conditions: {C: !Equals [a, a]}", nil, posture.Fail, ""},
		{"both branches are wrong", "!If [C, NONE, !Ref 'AWS::NoValue']", "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, a]}", nil, posture.Fail, ""},
		{"the branches differ", "!If [C, NONE, JWT]", "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, a]}", nil, posture.Undecided, "P"},
		{"a condition on the region", "!If [C, NONE, JWT]", "Conditions: {C: !Equals [!Ref 'AWS::Region', eu-west-1]}", nil, posture.Undecided, "AWS::Region"},
		{"correlated conditions", "!If [Dev, JWT, !If [NotDev, JWT, NONE]]", "Parameters: {P: {Type: String}}\nConditions: {Dev: !Equals [!Ref P, dev], NotDev: !Not [!Condition Dev]}", nil, posture.Pass, ""},
		{"two constants cannot both hold", "!If [A, !If [B, NONE, JWT], JWT]", "Parameters: {P: {Type: String}}\nConditions: {A: !Equals [!Ref P, a], B: !Equals [!Ref P, b]}", nil, posture.Pass, ""},
		{"and, or", "!If [C, NONE, JWT]", "Conditions: {C: !And [!Equals [a, a], !Or [!Equals [a, b], !Equals [b, b]]]}", nil, posture.Fail, ""},
		{"a condition that refers to itself", "!If [C, NONE, JWT]", "Conditions: {C: !Not [!Condition C]}", nil, posture.Undecided, ""},
		{"a condition that is not there", "!If [C, NONE, JWT]", "", nil, posture.Undecided, ""},
		{"a mapping", "!FindInMap [M, prod, auth]", "Mappings: {M: {prod: {auth: AWS_IAM}}}", nil, posture.Pass, ""},
		{"a mapping by a parameter", "!FindInMap [M, !Ref P, auth]", "Parameters: {P: {Type: String, AllowedValues: [a, b]}}\nMappings: {M: {a: {auth: AWS_IAM}, b: {auth: NONE}}}", nil, posture.Undecided, "P"},
		{"a mapping without the key", "!FindInMap [M, dev, auth]", "Mappings: {M: {prod: {auth: AWS_IAM}}}", nil, posture.Undecided, ""},
		{"a join", "!Join ['_', [AWS, IAM]]", "", nil, posture.Pass, ""},
		{"a substitution", "!Sub 'AWS_${P}'", "Parameters: {P: {Type: String, Default: IAM}}", nil, posture.Pass, ""},
		{"a selection", "!Select [1, !Split [',', 'JWT,NONE']]", "", nil, posture.Fail, ""},
		{"an imported value", "!ImportValue auth", "", nil, posture.Undecided, "export"},
		{"a dynamic reference", "'{{resolve:ssm:auth}}'", "", nil, posture.Undecided, ""},
		{"a function that does not exist", "!Frobnicate x", "", nil, posture.Undecided, "processed template"},
		{"a list where text belongs", "[JWT]", "", nil, posture.Undecided, ""},
		{"a block where text belongs", "{a: b, c: d}", "", nil, posture.Undecided, ""},
		{"an anchor", "*mode", "Metadata: {Mode: &mode NONE}", nil, posture.Fail, ""},
		{"a key that is written twice", "JWT\nAuthorizationType: NONE", "", nil, posture.Undecided, ""},
		{"a macro within the properties", "JWT\nFn::Transform: {Name: M}", "", nil, posture.Pass, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := resource("AWS::ApiGatewayV2::Route", "RouteKey: GET /a\nAuthorizationType: "+c.expression, c.rest)
			findings := audit(t, "t.yaml", map[string]string{"t.yaml": text}, files.Options{Parameters: c.parameters})
			expect(t, findings, judgement{"APIGateway.8", "R", c.want})
			if f := find(t, findings, "APIGateway.8", "R"); f.Verdict == posture.Undecided && !strings.Contains(f.Needs, c.needs) {
				t.Errorf("it needs %q, want %q in it", f.Needs, c.needs)
			}
		})
	}
}

func TestUnseenIsUnknown(t *testing.T) {
	cases := []struct{ name, text string }{
		{"a macro of the account", "Transform: CompanyMacro\nResources: {R: {Type: AWS::ApiGatewayV2::Route, Properties: {AuthorizationType: JWT}}}"},
		{"a macro beside SAM", "Transform: [AWS::Serverless-2016-10-31, CompanyMacro]\nResources: {R: {Type: AWS::ApiGatewayV2::Route, Properties: {AuthorizationType: JWT}}}"},
		{"a module", "Resources: {R: {Type: Company::Web::Api::MODULE}}"},
		{"a loop", "Transform: AWS::LanguageExtensions\nResources: {'Fn::ForEach::Routes': [K, [a, b], {'Route${K}': {Type: AWS::ApiGatewayV2::Route}}]}"},
		{"an include", "AWSTemplateFormatVersion: '2010-09-09'\nResources: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: s3://b/k}}}"},
		{"a nested stack in S3", "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://b.s3.amazonaws.com/t.yaml'}}}"},
		{"a body in S3", "Resources: {A: {Type: AWS::ApiGatewayV2::Api, Properties: {BodyS3Location: {Bucket: b, Key: k}}}}"},
		{"a path kept elsewhere", "Resources: {A: {Type: AWS::ApiGatewayV2::Api, Properties: {Body: {paths: {/a: {$ref: other.yaml}}}}}}"},
		{"properties that are no block", "Resources: {R: {Type: AWS::ApiGatewayV2::Route, Properties: [1]}}"},
		{"a SAM type of the future", "Transform: AWS::Serverless-2016-10-31\nResources: {R: {Type: AWS::Serverless::WebSocketApi}}"},
		{"an authorizer declared nowhere", "Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {Path: /a, Method: get, Auth: {Authorizer: Gone}}}}}}}"},
		{"a document in S3", "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: s3://b/k}}}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			findings := audit(t, "t.yaml", map[string]string{"t.yaml": c.text}, files.Options{})
			unknown := 0
			for _, f := range findings {
				if f.Verdict == posture.Undecided {
					unknown++
				}
				if f.Verdict == posture.Pass {
					t.Errorf("%s %s is a PASS", f.Control, f.Resource)
				}
			}
			if unknown == 0 {
				t.Errorf("nothing is UNKNOWN among %d findings", len(findings))
			}
		})
	}
}

func TestSAM(t *testing.T) {
	const head = "Transform: AWS::Serverless-2016-10-31\n"
	cases := []struct {
		name, text string
		want       []judgement
	}{
		{
			"the API's default authorizer", `
Resources:
  A: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {DefaultAuthorizer: J, Authorizers: {J: {JwtConfiguration: {issuer: i}}}}}}
  F: {Type: AWS::Serverless::Function, Properties: {Events: {
    E: {Type: HttpApi, Properties: {ApiId: !Ref A, Path: /a, Method: get}},
    O: {Type: HttpApi, Properties: {ApiId: !Ref A, Path: /b, Method: get, Auth: {Authorizer: NONE}}},
    D: {Type: HttpApi, Properties: {ApiId: !Ref A}}}}}`,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Pass}, {"APIGateway.8", "A/GET /b", posture.Fail}, {"Gatehouse.7", "A/$default", posture.Pass}},
		},
		{
			"Globals reach the implied API", `
Globals: {HttpApi: {Auth: {EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}}}
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {Path: /a, Method: any}}}}}`,
			[]judgement{{"APIGateway.8", "ServerlessHttpApi/ANY /a", posture.Pass}},
		},
		{
			"a Lambda authorizer is CUSTOM", `
Resources:
  A: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {DefaultAuthorizer: L, Authorizers: {L: {FunctionArn: !GetAtt G.Arn}}}}}
  F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref A, Path: /a, Method: get}}}}}`,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Pass}},
		},
		{
			"a catch-all event", `
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi}}}}`,
			[]judgement{{"APIGateway.8", "ServerlessHttpApi/$default", posture.Fail}, {"Gatehouse.7", "ServerlessHttpApi/$default", posture.FailEffective}},
		},
		{
			"REST events", `
Resources:
  A: {Type: AWS::Serverless::Api, Properties: {StageName: s, Auth: {DefaultAuthorizer: C, Authorizers: {C: {UserPoolArn: arn}}}}}
  F: {Type: AWS::Serverless::Function, Properties: {Events: {
    E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /a, Method: get}},
    I: {Type: Api, Properties: {Path: /b, Method: get}}}}}`,
			[]judgement{{"Gatehouse.8", "A/GET /a", posture.Pass}, {"Gatehouse.8", "ServerlessRestApi/GET /b", posture.FailEffective}},
		},
		{
			"a definition body beside events", `
Resources:
  A:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: {DefaultAuthorizer: J, Authorizers: {J: {JwtConfiguration: {issuer: i}}}}
      DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {}}, /b: {get: {security: []}}}}
  F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref A, Path: /a, Method: get}}}}}`,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Pass}, {"APIGateway.8", "A/GET /b", posture.Fail}},
		},
		{
			"GraphQL", `
Resources:
  G: {Type: AWS::Serverless::GraphQLApi, Properties: {Auth: {Type: AWS_IAM, Additional: [{Type: API_KEY}]}, ApiKeys: {K: {}}}}`,
			[]judgement{{"AppSync.5", "G", posture.Fail}},
		},
		{
			"a function that is not created", `
Conditions: {Never: !Equals [a, b]}
Resources:
  F: {Type: AWS::Serverless::Function, Condition: Never, Properties: {Events: {E: {Type: HttpApi, Properties: {Path: /a, Method: get}}}}}`,
			[]judgement{{"APIGateway.8", "ServerlessHttpApi/GET /a", posture.NotApplicable}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expect(t, audit(t, "t.yaml", map[string]string{"t.yaml": head + c.text}, files.Options{}), c.want...)
		})
	}
}

func TestOpenAPI(t *testing.T) {
	body := func(text string) string {
		return "Resources:\n  A:\n    Type: AWS::ApiGatewayV2::Api\n    Properties:\n      Body:\n" + indent(text, 8)
	}
	const schemes = `
components:
  securitySchemes:
    jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt}}
    lambda: {type: apiKey, x-amazon-apigateway-authorizer: {type: request}}
    iam: {type: apiKey, x-amazon-apigateway-authtype: awsSigv4}
    plain: {type: http, scheme: bearer}
`
	cases := []struct {
		name, text string
		want       []judgement
	}{
		{
			"the document's security holds for its operations", "security: [{iam: []}]\npaths: {/a: {get: {}, post: {security: []}, put: {security: [{}]}}}" + schemes,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Pass}, {"APIGateway.8", "A/POST /a", posture.Fail}, {"APIGateway.8", "A/PUT /a", posture.Fail}},
		},
		{
			"a scheme without API Gateway's extension asks nobody", "paths: {/a: {get: {security: [{plain: []}]}}}" + schemes,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Fail}},
		},
		{
			"an alternative that asks for nothing", "paths: {/a: {get: {security: [{jwt: []}, {}]}}}" + schemes,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Fail}},
		},
		{
			"any method and the catch-all", "paths: {/a: {x-amazon-apigateway-any-method: {security: [{lambda: []}]}}, $default: {x-amazon-apigateway-any-method: {}}}" + schemes,
			[]judgement{{"APIGateway.8", "A/ANY /a", posture.Pass}, {"Gatehouse.7", "A/$default", posture.FailEffective}},
		},
		{
			"the catch-all as it is exported", "paths: {/$default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}}",
			[]judgement{{"Gatehouse.7", "A/$default", posture.FailEffective}},
		},
		{
			"a branch within the document", "paths: {/a: {get: {security: !If [C, [{iam: []}], []]}}}" + schemes,
			[]judgement{{"APIGateway.8", "A/GET /a", posture.Undecided}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, x]}\n" + body(c.text)
			findings := audit(t, "t.yaml", map[string]string{"t.yaml": text}, files.Options{})
			expect(t, findings, c.want...)
		})
	}
}

func TestQuickCreate(t *testing.T) {
	const open = "Resources:\n  A: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP, Name: a, Target: !GetAtt F.Arn}}\n"
	expect(t, audit(t, "t.yaml", map[string]string{"t.yaml": open}, files.Options{}),
		judgement{"APIGateway.8", "A/$default", posture.Fail}, judgement{"Gatehouse.7", "A/$default", posture.FailEffective})
	const overridden = open + "  O: {Type: AWS::ApiGatewayV2::ApiGatewayManagedOverrides, Properties: {ApiId: !Ref A, Route: {AuthorizationType: AWS_IAM}}}\n"
	expect(t, audit(t, "t.yaml", map[string]string{"t.yaml": overridden}, files.Options{}),
		judgement{"APIGateway.8", "A/$default", posture.Pass})
	expect(t, audit(t, "plan.json", map[string]string{"plan.json": planned("aws_apigatewayv2_api", `{"protocol_type":"HTTP","target":"arn:aws:lambda:x"}`, "")}, files.Options{}),
		judgement{"APIGateway.8", "aws_apigatewayv2_api.x/$default", posture.Fail})
}

func TestWebSocket(t *testing.T) {
	const text = `Resources:
  A: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, Name: a}}
  Connect: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: $connect, AuthorizationType: AWS_IAM}}
  Chat: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: chat}}
  Default: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref A, RouteKey: $default}}
`
	findings := audit(t, "t.yaml", map[string]string{"t.yaml": text}, files.Options{})
	expect(t, findings,
		judgement{"APIGateway.8", "Connect", posture.Pass}, judgement{"APIGateway.8", "Chat", posture.Fail},
		judgement{"Gatehouse.7", "Default", ""})
	if f := find(t, findings, "APIGateway.8", "Chat"); !strings.Contains(strings.Join(f.Notes, " "), "inherited") {
		t.Errorf("the notes %q do not say that $connect asks", f.Notes)
	}
}

func TestNestedStacks(t *testing.T) {
	contents := map[string]string{
		"root.yaml": `Parameters: {Mode: {Type: String, Default: NONE}}
Resources:
  Web:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: nested/web.yaml, Parameters: {Auth: !Ref Mode}}
  Out: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /o, AuthorizationType: !GetAtt Web.Outputs.Auth}}
`,
		"nested/web.yaml": `Parameters: {Auth: {Type: String}}
Resources:
  R: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /a, AuthorizationType: !Ref Auth}}
Outputs: {Auth: {Value: !Ref Auth}}
`,
	}
	findings := audit(t, "", contents, files.Options{})
	expect(t, findings, judgement{"APIGateway.8", "R", posture.Fail}, judgement{"APIGateway.8", "Out", posture.Fail})
	f := find(t, findings, "APIGateway.8", "R")
	if !strings.HasSuffix(f.Source.File, "nested/web.yaml") || f.Source.Line != 3 || f.Source.Stack != "Web" {
		t.Errorf("the source is %+v, want line 3 of nested/web.yaml in stack Web", f.Source)
	}
	t.Run("a stack that nests itself", func(t *testing.T) {
		audit(t, "t.yaml", map[string]string{"t.yaml": "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t.yaml}}}"}, files.Options{})
	})
	t.Run("a file outside", func(t *testing.T) {
		findings := audit(t, "t.yaml", map[string]string{"t.yaml": "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: /etc/hostname}}}"}, files.Options{})
		if len(findings) != 1 || findings[0].Verdict != posture.Undecided {
			t.Errorf("findings are %+v, want one UNKNOWN", findings)
		}
	})
}

func TestCDK(t *testing.T) {
	contents := map[string]string{
		"cdk.out/manifest.json": `{"version":"36.0.0","artifacts":{"App":{"type":"aws:cloudformation:stack","environment":"aws://111122223333/eu-west-1","properties":{"templateFile":"App.template.json"}}}}`,
		"cdk.out/App.template.json": `{"Resources":{
  "RouteF": {"Type":"AWS::ApiGatewayV2::Route","Properties":{"RouteKey":"GET /a","AuthorizationType":"NONE"},"Metadata":{"aws:cdk:path":"App/Api/Route"}},
  "Nested": {"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":{"Fn::Sub":"https://s3.${AWS::URLSuffix}/x"}},"Metadata":{"aws:asset:path":"Nested.template.json"}},
  "CDKMetadata": {"Type":"AWS::CDK::Metadata"}}}`,
		"cdk.out/Nested.template.json": `{"Resources":{"Stream":{"Type":"AWS::MSK::Cluster","Properties":{}}}}`,
	}
	for _, path := range []string{"cdk.out", "cdk.out/manifest.json"} {
		findings := audit(t, path, contents, files.Options{})
		expect(t, findings, judgement{"APIGateway.8", "RouteF", posture.Fail}, judgement{"MSK.6", "Stream", posture.Fail})
		f := find(t, findings, "APIGateway.8", "RouteF")
		if f.Source.Path != "App/Api/Route" || f.Source.Line != 2 || f.Account != "111122223333" || f.Region != "eu-west-1" {
			t.Errorf("%s: the source is %+v in %s %s", path, f.Source, f.Account, f.Region)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	cases := []struct{ name, file, text string }{
		{"a template that does not parse", "t.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources: [\n"},
		{"JSON that ends early", "t.json", `{"AWSTemplateFormatVersion":"2010-09-09","Resources":{`},
		{"a file of another kind, named", "t.yaml", "hello: world\n"},
		{"an alias bomb", "t.yaml", "AWSTemplateFormatVersion: '2010-09-09'\n" + bomb()},
		{"an alias of itself", "t.yaml", "AWSTemplateFormatVersion: &a [*a]\n"},
		{"nesting without end", "t.json", `{"Resources":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}"},
		{"resources that are a list", "t.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources: [a]\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			findings := audit(t, c.file, map[string]string{c.file: c.text}, files.Options{})
			if len(findings) != 1 || findings[0].Verdict != posture.Error {
				t.Errorf("findings are %+v, want one ERROR", findings)
			}
		})
	}
	t.Run("a path that is not there", func(t *testing.T) {
		findings := audit(t, "gone.yaml", nil, files.Options{})
		if len(findings) != 1 || findings[0].Verdict != posture.Error {
			t.Errorf("findings are %+v, want one ERROR", findings)
		}
	})
	t.Run("other files of a folder are skipped", func(t *testing.T) {
		if findings := audit(t, "", map[string]string{"a.yaml": "hello: world", "b.json": "[1]", "c.txt": "x"}, files.Options{}); len(findings) != 0 {
			t.Errorf("findings are %+v, want none", findings)
		}
	})
}

// bomb is a billion laughs of nine levels.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for _, level := range "123456789" {
		before := string(level - 1)
		b.WriteString("a" + string(level) + ": &a" + string(level) + " [" + strings.TrimSuffix(strings.Repeat("*a"+before+",", 10), ",") + "]\n")
	}
	return b.String()
}
