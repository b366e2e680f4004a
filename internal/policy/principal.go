package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PrincipalType is the aws:PrincipalType of who makes a request.
type PrincipalType string

// The types of principal.
const (
	Root        PrincipalType = "Account" // the account's root user
	User        PrincipalType = "User"
	AssumedRole PrincipalType = "AssumedRole"
	Federated   PrincipalType = "FederatedUser" // a web identity before it has a role
	Service     PrincipalType = "Service"
	Anonymous   PrincipalType = "Anonymous"
)

// Principal is who makes a request.
type Principal struct {
	Type    PrincipalType
	Account string
	// ARN is the user's or the session's ARN, arn:aws:iam::A:root for root; for
	// a web identity the provider's ARN, for a service its name.
	ARN    string
	Role   string // the role's ARN; only of an assumed role
	ID     string // aws:userid: AIDA…, AROA…:session
	Name   string // the user's name; only of a user
	Tags   map[string]string
	Issued time.Time // when temporary credentials were issued; else zero
}

// Describe sets the condition keys that follow from who the principal is (IAM
// User Guide, "AWS global condition context keys", properties of the principal).
func (p *Principal) Describe(ctx Context) {
	ctx.Set("aws:PrincipalIsAWSService", strconv.FormatBool(p.Type == Service))
	switch p.Type {
	case Anonymous:
		ctx.Set("aws:PrincipalType", string(Anonymous))
		ctx.Set("aws:userid", "anonymous")
		return
	case Service:
		ctx.Set("aws:PrincipalServiceName", p.ARN)
		return
	case Federated:
		ctx.Set("aws:FederatedProvider", p.ARN)
	case AssumedRole:
		ctx.Set("aws:PrincipalArn", p.Role) // the role's, not the session's
	case User:
		ctx.Set("aws:PrincipalArn", p.ARN)
		ctx.Set("aws:username", p.Name)
	case Root:
		ctx.Set("aws:PrincipalArn", p.ARN)
	}
	ctx.Set("aws:PrincipalType", string(p.Type))
	ctx.Set("aws:userid", p.ID)
	if p.hasAccount() {
		ctx.Set("aws:PrincipalAccount", p.Account)
	}
	ctx.SetTags("aws:PrincipalTag", p.Tags)
	if !p.Issued.IsZero() {
		ctx.Set("aws:TokenIssueTime", p.Issued.UTC().Format(time.RFC3339))
	}
}

// level is how far a resource policy's Allow carries, ascending.
type level uint8

const (
	notNamed  level = iota
	delegated       // to the account: the principal's own policies must allow it too
	bounded         // to the role or to everyone: a boundary and session policies still limit it
	direct          // to this user or this session: nothing implicit limits it
)

// principals is a Principal or NotPrincipal element.
type principals struct {
	not      bool
	everyone bool // "*"
	anyAWS   bool // {"AWS": "*"}
	accounts []string
	arns     []string // users, roles, sessions, and the names of providers and services
}

// names reports whether, and how, the element names who.
func (ps *principals) names(who *Principal) level {
	best := notNamed
	switch {
	case slices.Contains(ps.arns, who.ARN):
		best = direct
	case who.Role != "" && slices.Contains(ps.arns, who.Role), ps.everyone && who.Type == AssumedRole:
		best = bounded
	case ps.everyone:
		best = direct
	case slices.Contains(ps.accounts, who.Account) && who.hasAccount():
		best = delegated
		if who.Type == Root {
			best = direct
		}
	}
	return best
}

func (p *Principal) hasAccount() bool {
	return p.Type == Root || p.Type == User || p.Type == AssumedRole
}

// allows is the level of an Allow for who. {"AWS": "*"} is everyone whom AWS
// knows as a principal and the anonymous, but no web identity and no service.
func (ps *principals) allows(who *Principal) level {
	if ps.anyAWS && (who.hasAccount() || who.Type == Anonymous) {
		all := principals{everyone: true}
		return max(ps.names(who), all.names(who))
	}
	return ps.names(who)
}

// denies reports whether a Deny is about who. With NotPrincipal it spares only
// a principal all of whose forms are listed: the account, and for a session the
// role as well (IAM User Guide, "AWS JSON policy elements: NotPrincipal").
func (ps *principals) denies(who *Principal) bool {
	if !ps.not {
		return ps.anyAWS || ps.names(who) != notNamed
	}
	if ps.everyone || ps.anyAWS {
		return false
	}
	spared := slices.Contains(ps.arns, who.ARN) || who.Type == Root
	if who.Type == AssumedRole {
		spared = spared && slices.Contains(ps.arns, who.Role)
	}
	if who.hasAccount() {
		spared = spared && slices.Contains(ps.accounts, who.Account)
	}
	return !spared
}

func (p *parser) principals(n *node, not bool) (*principals, error) {
	ps := &principals{not: not}
	if n.is(stringNode) {
		if n.text != "*" {
			return nil, p.fail(n, "Invalid principal in policy.", `%q; a principal is "*" or an object such as {"AWS": "arn:…"}`, n.text)
		}
		ps.everyone = true
		return ps, nil
	}
	if !n.is(objectNode) || len(n.names) == 0 {
		return nil, p.fail(n, sayingSyntax, `a principal is "*" or an object such as {"AWS": "arn:…"}`)
	}
	for i, name := range n.names {
		list, err := p.texts(&n.items[i])
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, p.fail(&n.items[i], sayingSyntax, "the list of principals is empty")
		}
		for j := range list {
			if !ps.add(name, list[j].text) {
				return nil, p.fail(&list[j], fmt.Sprintf("Invalid principal in policy: %q:%q", name, list[j].text), "it is no principal of that type")
			}
		}
	}
	return ps, nil
}

// add takes in one principal, if it is one.
func (ps *principals) add(kind, text string) bool {
	wild := strings.ContainsAny(text, "*?")
	switch kind {
	case "AWS":
		return ps.addAWS(text)
	case "Service":
		ps.arns = append(ps.arns, text)
		return !wild && strings.Contains(text, ".amazonaws.com")
	case "Federated":
		ps.arns = append(ps.arns, text)
		return !wild && text != ""
	default:
		return false
	}
}

func (ps *principals) addAWS(text string) bool {
	switch {
	case text == "*":
		ps.anyAWS = true
		return true
	case isAccount(text):
		ps.accounts = append(ps.accounts, text)
		return true
	case strings.ContainsAny(text, "*?"):
		return false
	}
	parts, ok := splitARN(text)
	if !ok || parts[0] != "arn" || !isAccount(parts[4]) || parts[3] != "" {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch {
	case parts[2] == "iam" && parts[5] == "root":
		ps.accounts = append(ps.accounts, parts[4])
		return true
	case name == "", parts[2] == "iam" && kind != "user" && kind != "role",
		parts[2] == "sts" && kind != "assumed-role" && kind != "federated-user",
		parts[2] != "iam" && parts[2] != "sts":
		return false
	}
	ps.arns = append(ps.arns, text)
	return true
}

// isAccount reports whether text is a 12-digit account id.
func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}
