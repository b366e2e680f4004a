package policy

// Request is what a principal wants to do.
type Request struct {
	Principal *Principal
	Action    string // service:Action, in any case
	Resource  string // an ARN, or "*" for an action without resources
	// Owner is the account that owns the resource; "" means the principal's own.
	Owner   string
	Context Context
}

// Named is a document and what the trail and the API call it: an ARN, or the
// name of an inline policy.
type Named struct {
	Name     string
	Document *Document
}

// Policies are all that apply to a request.
type Policies struct {
	Identity []Named // of the user, its groups, or the role
	Boundary *Named  // nil: none is set
	Session  []Named // none: the session has no session policy
	Resource *Named  // the resource's own policy, or a role's trust policy
	// ResourceDecides says that the resource's policy must allow, whatever
	// identity policies say: roles (trust policies) and KMS keys.
	ResourceDecides bool
}

// Match is a statement that applied to a request.
type Match struct {
	Kind      Kind
	Policy    string
	Statement *Statement
}

// Evaluate decides by the policies given. It follows the IAM User Guide,
// "Policy evaluation logic": an explicit deny anywhere decides; then a
// resource-based policy of the same account that names the user or the session
// itself is enough; one that names the role or everyone stands in for the
// identity policies but not for a boundary or session policies; one that names
// the account leaves it to the identity policies. Between accounts both sides
// must allow. The root user needs no identity policy and has no boundary. It
// allocates nothing.
func Evaluate(r *Request, p *Policies) Decision {
	e := evaluation{request: r}
	return e.decide(p)
}

// Explain decides like Evaluate and also returns all the statements that the
// decision rests on: those that deny, or those that allow; none when the
// request is denied because nothing allows it.
func Explain(r *Request, p *Policies) (Decision, []Match) {
	e := evaluation{request: r, explain: true}
	decision := e.decide(p)
	switch {
	case decision.Explicit:
		return decision, e.denials
	case decision.Allowed:
		return decision, e.allowances
	default:
		return decision, nil
	}
}

// evaluation is the work on one request.
type evaluation struct {
	request    *Request
	explain    bool
	deny       Match // the first; of kind 0 when there is none
	allow      Match // the first of an identity or resource policy
	denials    []Match
	allowances []Match
}

func (e *evaluation) decide(p *Policies) Decision {
	identity := e.scanAll(Identity, p.Identity)
	boundary := p.Boundary == nil
	if p.Boundary != nil {
		boundary = e.scan(Boundary, p.Boundary) != notNamed
	}
	session := len(p.Session) == 0 || e.scanAll(Session, p.Session)
	named := notNamed
	if p.Resource != nil {
		named = e.scan(p.Resource.Document.Kind, p.Resource)
	}
	if e.deny.Kind != 0 {
		return Decision{Explicit: true, Match: e.deny}
	}
	who := e.request.Principal
	if who.Type == Root {
		identity, boundary, session = true, true, true
	}
	return e.combine(p, named, identity, boundary, session)
}

// combine puts the kinds together when nothing denies.
func (e *evaluation) combine(p *Policies, named level, identity, boundary, session bool) Decision {
	foreign := e.request.Owner != "" && e.request.Owner != e.request.Principal.Account
	resourceKind := Resource
	if p.Resource != nil {
		resourceKind = p.Resource.Document.Kind
	}
	if (foreign || p.ResourceDecides) && named == notNamed {
		return Decision{Match: Match{Kind: resourceKind}}
	}
	own := e.request.Principal.hasAccount() // others have no policies of their own
	switch {
	case named == direct && (!foreign || !own):
		return Decision{Allowed: true, Match: e.allow}
	case named == bounded && !foreign:
		identity = true
	}
	switch {
	case !identity:
		return Decision{Match: Match{Kind: Identity}}
	case !boundary:
		return Decision{Match: Match{Kind: Boundary}}
	case !session:
		return Decision{Match: Match{Kind: Session}}
	default:
		return Decision{Allowed: true, Match: e.allow}
	}
}

// scanAll scans several policies of a kind and reports whether one allows.
func (e *evaluation) scanAll(kind Kind, policies []Named) bool {
	allowed := false
	for i := range policies {
		if e.scan(kind, &policies[i]) != notNamed {
			allowed = true
		}
		if e.settled() {
			break
		}
	}
	return allowed
}

// settled reports whether nothing can change the decision any more.
func (e *evaluation) settled() bool { return e.deny.Kind != 0 && !e.explain }

// scan finds the statements of a policy that apply and returns how far its
// Allow carries; for kinds that name no principals that is direct or notNamed.
func (e *evaluation) scan(kind Kind, policy *Named) level {
	best := notNamed
	for i := range policy.Document.Statements {
		if e.settled() {
			return best
		}
		s := &policy.Document.Statements[i]
		carries := s.applies(e.request)
		if carries == notNamed {
			continue
		}
		match := Match{Kind: kind, Policy: policy.Name, Statement: s}
		if s.Effect == Deny {
			e.note(match, &e.deny, &e.denials)
			continue
		}
		best = max(best, carries)
		if kind == Boundary || kind == Session {
			e.note(match, nil, &e.allowances)
			continue
		}
		e.note(match, &e.allow, &e.allowances)
	}
	return best
}

// note remembers a match: the first of its sort, and all when explaining.
func (e *evaluation) note(m Match, first *Match, all *[]Match) {
	if first != nil && first.Kind == 0 {
		*first = m
	}
	if e.explain {
		*all = append(*all, m)
	}
}

// applies reports whether, and how far, the statement is about the request.
// The cheapest question comes first.
func (s *Statement) applies(r *Request) level {
	if s.names(s.actions, r.Action, r.Context, true) == s.notActions {
		return notNamed
	}
	if s.resources != nil && s.names(s.resources, r.Resource, r.Context, false) == s.notResources {
		return notNamed
	}
	carries := direct
	switch {
	case s.principals == nil:
	case s.Effect == Allow:
		carries = s.principals.allows(r.Principal)
	case !s.principals.denies(r.Principal):
		carries = notNamed
	}
	if carries == notNamed {
		return notNamed
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(r.Context) {
			return notNamed
		}
	}
	return carries
}

func (s *Statement) names(patterns []pattern, text string, ctx Context, fold bool) bool {
	for i := range patterns {
		if patterns[i].match(text, ctx, fold) {
			return true
		}
	}
	return false
}
