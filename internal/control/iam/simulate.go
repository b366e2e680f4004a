package iam

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// SimulateInput is a SimulateCustomPolicy or SimulatePrincipalPolicy request.
type SimulateInput struct {
	Source         string // ARN of a user, group or role; "" for a custom simulation
	Policies       []string
	Boundaries     []string // none, or one
	ResourcePolicy string
	Owner          string // account that owns the resources
	Caller         string // ARN of the user in whose name to simulate
	Actions        []string
	Resources      []string // none: "*"
	Context        map[string][]string
}

// Simulated is the outcome for one action on one resource.
type Simulated struct {
	Action, Resource string
	Decision         policy.Decision
	Matches          []policy.Match
	Missing          []string // condition keys that policies refer to and nobody gave
	Boundary         *bool    // what the permissions boundary says; nil: there is none
}

// Simulate decides as Authorize would, without anything being done.
func (s *Service) Simulate(in *SimulateInput) ([]Simulated, error) {
	x := s.index()
	who, policies, err := s.simulated(x, in)
	if err != nil {
		return nil, err
	}
	resources := in.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	ctx := policy.Context{}
	who.Describe(ctx)
	ctx.SetTime(s.Clock.Now())
	for key, values := range in.Context {
		ctx.Set(key, values...)
	}
	var results []Simulated
	for _, action := range in.Actions {
		if _, name, ok := strings.Cut(action, ":"); !ok || name == "" {
			return nil, identity.Errorf(identity.InvalidInput, "Invalid Entity: %s is not of the form service:action.", naming.Shorten(action))
		}
		for _, resource := range resources {
			r := &policy.Request{Principal: &who, Action: action, Resource: resource, Owner: in.Owner, Context: ctx}
			results = append(results, simulate(r, policies))
		}
	}
	return results, nil
}

func simulate(r *policy.Request, policies *policy.Policies) Simulated {
	result := Simulated{Action: r.Action, Resource: r.Resource, Missing: missing(r.Context, policies)}
	result.Decision, result.Matches = policy.Explain(r, policies)
	if policies.Boundary != nil {
		alone := policy.Evaluate(r, &policy.Policies{Identity: []policy.Named{*policies.Boundary}})
		result.Boundary = &alone.Allowed
	}
	return result
}

// missing lists the keys that the policies refer to and the request has not.
func missing(ctx policy.Context, p *policy.Policies) []string {
	all := slices.Concat(p.Identity, p.Session)
	for _, one := range []*policy.Named{p.Boundary, p.Resource} {
		if one != nil {
			all = append(all, *one)
		}
	}
	absent := map[string]bool{}
	for _, named := range all {
		for _, key := range named.Document.Keys() {
			if _, there := ctx[key]; !there {
				absent[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(absent))
}

// simulated collects whom and what to simulate.
func (s *Service) simulated(x *index, in *SimulateInput) (policy.Principal, *policy.Policies, error) {
	who := policy.Principal{Type: policy.User, Account: s.Account.ID, ARN: s.arn(User, "/", "simulated"), Name: "simulated"}
	var policies policy.Policies
	if in.Source != "" {
		var err error
		if who, policies, err = s.sourceOf(x, in.Source); err != nil {
			return who, nil, err
		}
	}
	if in.Caller != "" {
		name, ok := strings.CutPrefix(in.Caller, s.prefix("iam")+"user/")
		u := x.iam.Users[strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])]
		if !ok || u == nil {
			return who, nil, identity.Errorf(identity.InvalidInput, "CallerArn %s is not the ARN of a user of this account.", naming.Shorten(in.Caller))
		}
		who = s.userPrincipal(u)
	}
	for i, text := range in.Policies {
		d, err := policy.Parse(policy.Identity, text)
		if err != nil {
			return who, nil, inputFault(err)
		}
		policies.Identity = append(policies.Identity, policy.Named{Name: "PolicyInputList." + strconv.Itoa(i+1), Document: d})
	}
	return who, &policies, in.limits(&policies)
}

// limits adds the boundary and the resource's policy.
func (in *SimulateInput) limits(policies *policy.Policies) error {
	if len(in.Boundaries) > 1 {
		return identity.Errorf(identity.InvalidInput, "At most one permissions boundary can be simulated.")
	}
	for _, text := range in.Boundaries {
		d, err := policy.Parse(policy.Boundary, text)
		if err != nil {
			return inputFault(err)
		}
		policies.Boundary = &policy.Named{Name: "PermissionsBoundaryPolicyInputList.1", Document: d}
	}
	if in.ResourcePolicy != "" {
		d, err := policy.Parse(policy.Resource, in.ResourcePolicy)
		if err != nil {
			return inputFault(err)
		}
		policies.Resource = &policy.Named{Name: "ResourcePolicy", Document: d}
	}
	return nil
}

// inputFault is what the simulator calls a document that cannot be read.
func inputFault(err error) error { return identity.Errorf(identity.InvalidInput, "%s", err) }

// sourceOf finds the principal, and its policies, of an ARN.
func (s *Service) sourceOf(x *index, arn string) (policy.Principal, policy.Policies, error) {
	rest := strings.TrimPrefix(arn, s.prefix("iam"))
	kind, path, _ := strings.Cut(rest, "/")
	name := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	switch Kind(kind) {
	case User:
		if u := x.iam.Users[name]; u != nil && s.ARN(User, &u.IAMEntity) == arn {
			return s.userPrincipal(u), s.policiesOfUser(x, u), nil
		}
	case Group:
		if g := x.iam.Groups[name]; g != nil && s.ARN(Group, &g.IAMEntity) == arn {
			who := policy.Principal{Type: policy.User, Account: s.Account.ID, ARN: arn}
			return who, policy.Policies{Identity: s.identityPolicies(x, Group, &g.IAMEntity)}, nil
		}
	case Role:
		if r := x.iam.Roles[name]; r != nil && s.ARN(Role, &r.IAMEntity) == arn {
			who := policy.Principal{Type: policy.AssumedRole, Account: s.Account.ID, ARN: s.sessionARN(r, "simulated"), Role: arn, ID: r.ID + ":simulated", Tags: r.Tags}
			return who, s.policiesOfRole(x, r), nil
		}
	}
	return policy.Principal{}, policy.Policies{}, noSuch("The entity %s cannot be found.", naming.Shorten(arn))
}
