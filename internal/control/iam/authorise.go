package iam

import (
	"maps"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// Question asks whether an API call may be made.
type Question struct {
	Who       *Identity
	Action    string
	Resources []string // all of them must be allowed
	// Conditions are condition keys of the request, by name.
	Conditions map[string][]string
	SourceIP   string
	UserAgent  string
	Secure     bool // came over TLS
}

// always lists the actions that no policy can deny (STS API: "no permissions
// are required").
var always = map[string]bool{"sts:GetCallerIdentity": true, "sts:GetSessionToken": true}

// trusting lists the actions on a role that its trust policy decides.
var trusting = map[string]bool{"sts:AssumeRole": true, "sts:TagSession": true, "sts:SetSourceIdentity": true}

// Authorize decides by the caller's policies. The error is of kind
// identity.AccessDenied, with AWS's sentence.
func (s *Service) Authorize(q *Question) error {
	if always[q.Action] {
		return nil
	}
	if who := q.Who; who.Session != nil && !who.Session.OfRole && !beyondToken(q.Action) {
		return denied("User: %s is not authorized to perform: %s with credentials of GetSessionToken", who.Principal.ARN, q.Action)
	}
	if trusting[q.Action] && q.Who.Root() {
		return denied("Roles may not be assumed by root accounts.")
	}
	x := s.index()
	policies := s.policies(x, q.Who)
	base := s.context(q)
	for _, resource := range q.Resources {
		r := &policy.Request{Principal: &q.Who.Principal, Action: q.Action, Resource: resource, Context: maps.Clone(base)}
		for key, value := range s.tagsOf(x, resource) {
			r.Context.Set("aws:ResourceTag/"+key, value)
			r.Context.Set(service(q.Action)+":ResourceTag/"+key, value)
		}
		policies.Resource, policies.ResourceDecides = nil, false
		if trusting[q.Action] {
			policies.Resource, policies.ResourceDecides = s.trust(x, resource), true
		}
		if decision := policy.Evaluate(r, &policies); !decision.Allowed {
			return denied("%s", decision.Sentence(r))
		}
	}
	return nil
}

// beyondToken reports whether credentials of GetSessionToken may be used for an
// action: not for IAM, and for two of STS (STS API, GetSessionToken).
func beyondToken(action string) bool {
	switch service(action) {
	case "iam":
		return false
	case "sts":
		return action == "sts:AssumeRole" || action == "sts:TagSession"
	default:
		return true
	}
}

func denied(format string, args ...any) error {
	return identity.Errorf(identity.AccessDenied, format, args...)
}

func service(action string) string {
	name, _, _ := strings.Cut(action, ":")
	return name
}

// trust is a role's trust policy. A role that does not exist trusts nobody, and
// asking for it is a denial like any other.
func (s *Service) trust(x *index, arn string) *policy.Named {
	named := policy.Named{Document: &policy.Document{Kind: policy.Trust}}
	if role := s.roleByARN(x, arn); role != nil {
		named = x.parse(policy.Trust, "the trust policy of "+role.Name, s.trustNow(x, role, s.nobody))
	}
	return &named
}

// context is the condition keys of a call, but for those of a resource (IAM User
// Guide, "AWS global condition context keys").
func (s *Service) context(q *Question) policy.Context {
	ctx := policy.Context{}
	for key, values := range q.Conditions {
		ctx.Set(key, values...)
	}
	q.Who.Principal.Describe(ctx)
	ctx.SetTime(s.Clock.Now())
	ctx.Set("aws:SourceIp", q.SourceIP)
	ctx.Set("aws:UserAgent", q.UserAgent)
	ctx.Set("aws:SecureTransport", strconv.FormatBool(q.Secure))
	ctx.Set("aws:RequestedRegion", s.Account.Region)
	ctx.Set("aws:ViaAWSService", "false")
	if session := q.Who.Session; session != nil {
		ctx.Set("aws:MultiFactorAuthPresent", "false")
		if session.SourceIdentity != "" {
			ctx.Set("aws:SourceIdentity", session.SourceIdentity)
		}
	}
	return ctx
}

// tagsOf returns the tags of a resource; none when there is no such resource.
func (s *Service) tagsOf(x *index, arn string) map[string]string {
	rest, ok := strings.CutPrefix(arn, s.prefix("iam"))
	if !ok {
		return s.ResourceTags(arn)
	}
	kind, name, _ := strings.Cut(rest, "/")
	name = strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])
	switch Kind(kind) {
	case User:
		if u := x.iam.Users[name]; u != nil {
			return u.Tags
		}
	case Role:
		if r := x.iam.Roles[name]; r != nil {
			return r.Tags
		}
	case Policy:
		if p := s.managed(&x.iam, arn); p != nil {
			return p.Tags
		}
	case Provider:
		if p := x.iam.Providers[strings.TrimPrefix(arn, s.arn(Provider, "/", ""))]; p != nil {
			return p.Tags
		}
	}
	return nil
}

// ResourceTags returns the tags of one of ElastiCache's resources.
func (s *Service) ResourceTags(arn string) map[string]string {
	list, err := s.Tags.List(arn)
	if err != nil {
		return nil // not a resource, or not there: it has no tags
	}
	tags := make(map[string]string, len(list))
	for _, tag := range list {
		tags[tag.Key] = tag.Value
	}
	return tags
}
