package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"github.com/gatehouse/gatehouse/internal/posture/source/usage"
)

// routePlan is what the steps of a route's plan share.
type routePlan struct {
	*builder
	api, id, key string
	kind         string // JWT, CUSTOM, AWS_IAM
	authorizer   string // its id, or a placeholder for it; "" for IAM
	parallel     string // route key of the protected twin, or ""
	stages       []string
}

// planRoute takes an open route to JWT, Lambda or IAM. A route has no mode in
// which a credential is optional, so the second path is a twin of the route that
// asks, under another key.
func planRoute(b *builder) error {
	b.plan.Control = "APIGateway.8"
	b.plan.From = b.conf.field("Route.AuthorizationType")
	if b.plan.From != "NONE" && b.plan.From != "" {
		b.plan.Why = "the route already asks for " + b.plan.From
		return nil
	}
	p := &routePlan{builder: b, key: b.conf.field("Route.RouteKey")}
	p.api, p.id = routeOf(b.req.Resource)
	webSocket := b.conf.field("Protocol") == "WEBSOCKET"
	allowed := []string{"jwt", "lambda", "iam"}
	if webSocket {
		allowed = []string{"lambda", "iam"}
		if p.key != "$connect" {
			b.plan.Why = "a WebSocket API asks for authorization at $connect only: migrate that route, the others inherit it"
			return nil
		}
	}
	browsers, _ := b.conf.at("CORS").(bool)
	method, why := b.callers(browsers && !webSocket)
	if method == "jwt" && webSocket {
		method = "lambda"
	}
	if err := b.choose(method, why, allowed...); err != nil {
		return err
	}
	p.kind = map[string]string{"jwt": "JWT", "lambda": "CUSTOM", "iam": "AWS_IAM"}[b.req.To]
	stages, _ := b.conf.Fields["Stages"].(map[string]any)
	p.stages = slices.Sorted(maps.Keys(stages))
	if yes, _ := b.conf.at("Route.ApiGatewayManaged").(bool); yes {
		b.warn("API Gateway manages this route (quick create): a template changes it through AWS::ApiGatewayV2::ApiGatewayManagedOverrides")
	}
	b.warn("a re-import of the API from OpenAPI, or the next deployment of its template, undoes this: change the source as well")
	if err := p.chooseTwin(webSocket); err != nil {
		return err
	}
	return p.steps()
}

func (p *routePlan) chooseTwin(webSocket bool) error {
	method, path, found := strings.Cut(p.key, " ")
	switch {
	case webSocket:
		p.warn("a WebSocket API has one $connect route: the second path is a second API or stage, made by hand")
		return nil
	case !found:
		method, path = "ANY", "/{proxy+}"
	}
	p.parallel = p.set("parallel-route", method+" /authenticated"+path)
	if p.parallel == p.key {
		return fmt.Errorf("the parallel route needs another key than %q", p.key)
	}
	p.plan.Watch.Routes = []string{p.parallel}
	return nil
}

func (p *routePlan) steps() error {
	if p.parallel != "" {
		p.countCalls()
	}
	if err := p.addAuthorizer(); err != nil {
		return err
	}
	if p.parallel != "" {
		p.addTwin()
	} else {
		p.manual("second-path", "make a second API or stage whose $connect asks for "+p.kind+", and move the clients to it", "none until they move")
	}
	if p.parallel != "" {
		p.manual("move-clients", "move the callers of "+p.key+" to "+p.parallel+", with a credential", "each caller moves when it is ready; both answer")
		p.drain(usage.Spec{Meter: usage.RouteCount, Params: map[string]string{"api": p.api, "route_key": p.key}})
	} else {
		p.drain(usage.Spec{Meter: usage.Nothing, Params: map[string]string{"reason": "metrics of a WebSocket API do not tell a caller with a credential from one without"}})
	}
	p.closeRoute()
	return nil
}

// countCalls turns on the metric that the evidence reads, where it is off.
func (p *routePlan) countCalls() {
	for _, stage := range p.stages {
		if on, _ := p.conf.at("Stages." + stage + ".DetailedMetrics").(bool); on {
			continue
		}
		name := unsegment(stage)
		settings, before := p.routeSettings(name)
		p.add(Step{
			ID: "count-calls-" + stage, Kind: KindCall, Title: "count the calls of each route on stage " + name, Effect: "none; CloudWatch charges for the extra series",
			Call:     call("apigatewayv2", "UpdateStage", map[string]any{"ApiId": p.api, "StageName": name, "RouteSettings": settings}),
			Until:    []Check{is("Stages."+stage+".DetailedMetrics", true)},
			Rollback: undo(call("apigatewayv2", "UpdateStage", map[string]any{"ApiId": p.api, "StageName": name, "RouteSettings": before}), is("Stages."+stage+".DetailedMetrics", false)),
		})
	}
}

// routeSettings writes a stage's route settings back whole, with the counting of
// one route switched on, and off for the way back.
func (p *routePlan) routeSettings(stage string) (on, off map[string]any) {
	on, off = map[string]any{}, map[string]any{}
	out, err := apigatewayv2.NewFromConfig(p.req.Config).GetStage(p.ctx, &apigatewayv2.GetStageInput{ApiId: &p.api, StageName: &stage})
	if err == nil {
		for key, s := range out.RouteSettings {
			if plain, err := plainInput(s); err == nil {
				on[key], off[key] = maps.Clone(plain), maps.Clone(plain)
			}
		}
	}
	for side, value := range map[*map[string]any]bool{&on: true, &off: false} {
		own, _ := (*side)[p.key].(map[string]any)
		if own == nil {
			own = map[string]any{}
		}
		own["DetailedMetricsEnabled"] = value
		(*side)[p.key] = own
	}
	return on, off
}

// addAuthorizer makes the authorizer, or takes the one that the operator names.
func (p *routePlan) addAuthorizer() error {
	if p.kind == "AWS_IAM" {
		p.warn("callers need execute-api:Invoke on the route and sign their requests with SigV4")
		return nil
	}
	if id := p.req.Set["authorizer"]; id != "" {
		p.authorizer = id
		return nil
	}
	name := p.set("authorizer-name", "gatehouse-"+strings.ToLower(p.kind))
	input := map[string]any{"ApiId": p.api, "Name": name}
	if p.kind == "JWT" {
		issuer, err := p.need("issuer", "the issuer of the tokens")
		if err != nil {
			return err
		}
		audience, err := p.need("audience", "the audience that tokens must name, or every token of the issuer is let in")
		if err != nil {
			return err
		}
		input["AuthorizerType"], input["IdentitySource"] = "JWT", []any{p.set("identity-source", "$request.header.Authorization")}
		input["JwtConfiguration"] = map[string]any{"Issuer": issuer, "Audience": list(strings.Split(audience, ","))}
	} else {
		uri, err := p.need("lambda-uri", "the invocation URI of the authorizer function")
		if err != nil {
			return err
		}
		input["AuthorizerType"], input["AuthorizerUri"] = "REQUEST", uri
		input["IdentitySource"] = list(strings.Split(p.set("identity-source", "$request.header.Authorization"), ","))
		if p.conf.field("Protocol") == "HTTP" {
			input["AuthorizerPayloadFormatVersion"], input["EnableSimpleResponses"] = "2.0", true
		}
		p.manual("allow-invoke", "let API Gateway call the authorizer: aws lambda add-permission --statement-id gatehouse --action lambda:InvokeFunction --principal apigateway.amazonaws.com --function-name …", "none")
	}
	path := "Authorizers." + segment(name)
	p.add(Step{
		ID: "create-authorizer", Kind: KindCall, Title: "make the authorizer " + name, Effect: "none: no route uses it yet",
		Call: call("apigatewayv2", "CreateAuthorizer", input), Until: []Check{{Path: path, Exists: true}}, Outputs: map[string]string{"AuthorizerId": path + ".AuthorizerId"},
		Rollback: undo(call("apigatewayv2", "DeleteAuthorizer", map[string]any{"ApiId": p.api, "AuthorizerId": "${steps.create-authorizer.AuthorizerId}"}), Check{Path: path, Absent: true}),
	})
	p.authorizer = "${steps.create-authorizer.AuthorizerId}"
	return nil
}

// authorization is the part of a route's input that says who may call it.
func (p *routePlan) authorization(input map[string]any) map[string]any {
	input["AuthorizationType"] = p.kind
	if p.authorizer != "" {
		input["AuthorizerId"] = p.authorizer
	}
	if scopes := p.req.Set["scopes"]; scopes != "" && p.kind == "JWT" {
		input["AuthorizationScopes"] = list(strings.Split(scopes, ","))
	}
	return input
}

func (p *routePlan) addTwin() {
	path := "Watched." + segment(p.parallel)
	input := p.authorization(map[string]any{"ApiId": p.api, "RouteKey": p.parallel, "Target": p.conf.field("Route.Target")})
	p.add(Step{
		ID: "add-path", Kind: KindCall, Title: "add the protected route " + p.parallel + " to the same target", Effect: "none: callers of " + p.key + " go on as before", Reaches: p.dualWithout(),
		Call: call("apigatewayv2", "CreateRoute", input), Until: []Check{is(path+".AuthorizationType", p.kind)}, Outputs: map[string]string{"RouteId": path + ".RouteId"},
		Rollback: undo(call("apigatewayv2", "DeleteRoute", map[string]any{"ApiId": p.api, "RouteId": "${steps.add-path.RouteId}"}), Check{Path: path, Absent: true}),
	})
	p.deploy("deploy-path", "deploy the protected route", "none", Dual, false)
	p.add(Step{ID: "check-path", Kind: KindVerify, Title: "the protected route refuses strangers", Verify: p.probes(p.parallel), Reaches: Dual})
}

// dualWithout is the state that adding the route reaches: nothing yet when a
// stage has to be deployed first.
func (p *routePlan) dualWithout() State {
	for _, stage := range p.stages {
		if auto, _ := p.conf.at("Stages." + stage + ".AutoDeploy").(bool); !auto {
			return ""
		}
	}
	return Dual
}

// deploy adds a deployment for each stage that does not deploy by itself;
// CreateDeployment is refused on the others. The way back is the deployment that
// the stage served before.
func (p *routePlan) deploy(id, title, effect string, reaches State, closes bool) {
	for _, stage := range p.stages {
		if auto, _ := p.conf.at("Stages." + stage + ".AutoDeploy").(bool); auto {
			continue
		}
		step, name, path := id+"-"+stage, unsegment(stage), "Deployments."+stage
		s := Step{
			ID: step, Kind: KindCall, Title: title + " on stage " + name, Effect: effect, Reaches: reaches, Closes: closes,
			Call:     call("apigatewayv2", "CreateDeployment", map[string]any{"ApiId": p.api, "StageName": name, "Description": "gatehouse migrate: " + title}),
			Remember: map[string]string{"Before": path}, Until: []Check{{Path: path, Differs: "${steps." + step + ".Before}"}},
		}
		if p.conf.field(path) != "" {
			s.Rollback = undo(call("apigatewayv2", "UpdateStage", map[string]any{"ApiId": p.api, "StageName": name, "DeploymentId": "${steps." + step + ".Before}"}))
		}
		p.add(s)
	}
}

func (p *routePlan) closeRoute() {
	manualStages := p.dualWithout() == ""
	reaches := Closed
	if manualStages {
		reaches = ""
	}
	effect := "a caller of " + p.key + " without a credential is refused from now on"
	p.add(Step{
		ID: "close", Kind: KindCall, Title: "let " + p.key + " ask for " + p.kind, Effect: effect, Closes: true, Reaches: reaches,
		Call:     call("apigatewayv2", "UpdateRoute", p.authorization(map[string]any{"ApiId": p.api, "RouteId": p.id})),
		Until:    []Check{is("Route.AuthorizationType", p.kind)},
		Rollback: withNote(undo(call("apigatewayv2", "UpdateRoute", map[string]any{"ApiId": p.api, "RouteId": p.id, "AuthorizationType": "NONE"}), is("Route.AuthorizationType", "NONE")), "NONE must be written out: leaving the type away keeps the authorizer"),
	})
	p.deploy("deploy-close", "deploy the closed route", effect, Closed, true)
	p.add(Step{
		ID: "verify", Kind: KindVerify, Title: "an unsigned request is refused on every stage", Reaches: Verified,
		Verify: append([]Check{is("Route.AuthorizationType", p.kind)}, p.probes(p.key)...),
	})
}

// probes asks for a route on every stage, as a stranger would.
func (p *routePlan) probes(key string) []Check {
	method, path := sampleRequest(key)
	endpoint := strings.TrimRight(p.set("endpoint", p.conf.field("Endpoint")), "/")
	socket := p.conf.field("Protocol") == "WEBSOCKET"
	if rest, ok := strings.CutPrefix(endpoint, "ws"); ok {
		endpoint = "http" + rest // wss is https, ws is http
	}
	var checks []Check
	for _, stage := range p.stages {
		if socket {
			checks = append(checks, Check{Probe: probeSocket, Params: map[string]string{"target": endpoint + "/" + unsegment(stage)}})
			continue
		}
		checks = append(checks, Check{Probe: probeHTTP, Params: map[string]string{"method": method, "target": stageURL(endpoint, unsegment(stage), path)}})
	}
	return checks
}
