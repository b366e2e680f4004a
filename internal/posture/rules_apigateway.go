package posture

import (
	"fmt"
	"slices"
	"strings"
)

const (
	routeMigrate   = "gatehouse migrate plan %s   # service to service: --to iam; people's apps: --to jwt"
	routeDeclared  = "set AuthorizationType to JWT, AWS_IAM or CUSTOM (with AuthorizerId where it needs one); write NONE only with a reviewed exception"
	methodDeclared = "set AuthorizationType to AWS_IAM, COGNITO_USER_POOLS or CUSTOM on the method"
)

// routeTypes are the authorization types of API Gateway v2 (botocore,
// apigatewayv2 AuthorizationType).
var routeTypes = []string{"NONE", "AWS_IAM", "CUSTOM", "JWT"}

// routeAuthorization is APIGateway.8: judged per route, never per API.
func routeAuthorization(r *Reader) Judgement {
	auth, key := r.Read(AuthorizationType), r.Read(RouteKey)
	if auth.IsUnknown() {
		return undecided(Named{AuthorizationType, auth})
	}
	kind := strings.ToUpper(strings.TrimSpace(auth.Text()))
	if auth.IsAbsent() || kind == "" || kind == "NONE" {
		return openRoute(r, key)
	}
	if !slices.Contains(routeTypes, kind) {
		return undecided(Named{AuthorizationType, Unknown(fmt.Sprintf("%q is not an authorization type of API Gateway", auth.Text()), "one of "+strings.Join(routeTypes, ", "))})
	}
	if wanted := r.Param("authorizationType"); wanted != "" && wanted != kind {
		return fail(fmt.Sprintf("the route's authorization type is %s, and the control was told to require %s", kind, wanted), nextRoute(r))
	}
	return pass("the route's authorization type is "+kind, routeNotes(r, kind)...)
}

func openRoute(r *Reader, key Value) Judgement {
	reason := "the route has no authorization type (NONE): it answers any request that reaches it"
	notes := keyNote(r)
	switch {
	case r.Read(ProtocolType).Text() == "WEBSOCKET" && key.Text() != "$connect":
		notes = append(notes, websocketNote(r))
	case strings.HasPrefix(key.Text(), "OPTIONS "):
		notes = append(notes, "a CORS preflight must stay open: write a reviewed exception for it, or let the API's CORS configuration answer preflights")
	case key.Text() == "$default":
		reason = "the $default route has no authorization type (NONE): it answers every request that no other route matches"
	}
	return fail(reason, nextRoute(r), notes...)
}

func websocketNote(r *Reader) string {
	if r.Read(ConnectAuthorized).True() {
		return "inherited: API Gateway authorises WebSocket clients on $connect alone, and this API's $connect asks; Security Hub fails the route all the same"
	}
	return "API Gateway authorises WebSocket clients on $connect alone: protect that route"
}

func routeNotes(r *Reader, kind string) []string {
	var notes []string
	switch kind {
	case "CUSTOM":
		notes = append(notes, "a Lambda authorizer can allow everyone: what it decides was not read")
	case "JWT":
		if r.Read(AuthorizationScopes).IsAbsent() && r.Read(JWTAudience).IsAbsent() {
			notes = append(notes, "the route asks for no scope and its authorizer names no audience: any token of the issuer passes")
		}
	}
	if kind != "AWS_IAM" && r.Read(AuthorizerID).IsAbsent() {
		notes = append(notes, "the type is "+kind+" but no authorizer is named: API Gateway refuses that")
	}
	return append(notes, keyNote(r)...)
}

func keyNote(r *Reader) []string {
	if r.Read(APIKeyRequired).True() {
		return []string{"an API key meters callers; it does not authenticate them"}
	}
	return nil
}

func nextRoute(r *Reader) string {
	return r.Next(fmt.Sprintf(routeMigrate, r.Resource().ID), routeDeclared)
}

// defaultRoute is Gatehouse.7.
func defaultRoute(r *Reader) Judgement {
	key := r.Read(RouteKey)
	switch {
	case key.IsUnknown():
		return undecided(Named{RouteKey, key})
	case key.Text() != "$default":
		return silent()
	case r.Read(ProtocolType).Text() == "WEBSOCKET":
		return silent()
	}
	auth := r.Read(AuthorizationType)
	kind := strings.ToUpper(auth.Text())
	switch {
	case auth.IsUnknown():
		return undecided(Named{AuthorizationType, auth})
	case auth.IsAbsent(), kind == "", kind == "NONE":
		return failEffective("the catch-all route asks nobody: a path that is misspelt, or removed from the API, still reaches the integration", nextRoute(r))
	}
	return pass("the catch-all route's authorization type is " + kind)
}

// restMethod is Gatehouse.8. APIGateway.8 does not look at REST APIs.
func restMethod(r *Reader) Judgement {
	auth := r.Read(AuthorizationType)
	kind := strings.ToUpper(strings.TrimSpace(auth.Text()))
	switch {
	case auth.IsUnknown():
		return undecided(Named{AuthorizationType, auth})
	case kind != "" && kind != "NONE":
		return pass("the method's authorization type is "+kind, keyNote(r)...)
	case strings.HasPrefix(r.Read(RouteKey).Text(), "OPTIONS "):
		return pass("OPTIONS without authorization: a CORS preflight carries no credentials", keyNote(r)...)
	}
	next := r.Next("aws apigateway update-method … --patch-operations op=replace,path=/authorizationType,value=AWS_IAM   # then create-deployment", methodDeclared)
	return failEffective("the REST method has no authorization type (NONE), and no Security Hub control reads REST methods", next, keyNote(r)...)
}
