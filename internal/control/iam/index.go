package iam

import (
	"fmt"
	"sync"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// index is the identities as they were at one revision, by unique id, with
// their documents as they are parsed. Every API call needs both.
type index struct {
	iam   state.IAM
	users map[string]*identity.IAMUser
	roles map[string]*identity.IAMRole

	mu        sync.Mutex
	documents map[document]*policy.Document
}

type document struct {
	kind policy.Kind
	text string
}

// index returns the newest one.
func (s *Service) index() *index {
	iam := s.State.View().IAM
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idx == nil || s.idx.iam.Rev != iam.Rev {
		s.idx = newIndex(iam)
	}
	return s.idx
}

func newIndex(iam state.IAM) *index {
	x := &index{
		iam: iam, users: map[string]*identity.IAMUser{}, roles: map[string]*identity.IAMRole{},
		documents: map[document]*policy.Document{},
	}
	for _, u := range iam.Users {
		x.users[u.ID] = u
	}
	for _, r := range iam.Roles {
		x.roles[r.ID] = r
	}
	return x
}

// denyAll stands in for a document that cannot be read. That cannot come about
// through the API; a store that somebody else wrote to must not open anything.
var denyAll = func() *policy.Document {
	d, err := policy.Parse(policy.Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)
	if err != nil {
		panic(err)
	}
	return d
}()

// parse reads a stored document, once.
func (x *index) parse(kind policy.Kind, name, text string) policy.Named {
	x.mu.Lock()
	defer x.mu.Unlock()
	d := x.documents[document{kind, text}]
	if d == nil {
		var err error
		if d, err = policy.Parse(kind, text); err != nil {
			return policy.Named{Name: fmt.Sprintf("%s, which cannot be read: %v", name, err), Document: denyAll}
		}
		x.documents[document{kind, text}] = d
	}
	return policy.Named{Name: name, Document: d}
}

// managedAs reads a managed policy as one of a kind. One that is gone denies.
func (s *Service) managedAs(x *index, kind policy.Kind, arn string) policy.Named {
	p := s.managed(&x.iam, arn)
	if p == nil {
		return policy.Named{Name: arn + ", which does not exist", Document: denyAll}
	}
	return x.parse(kind, arn, Document(p))
}

// identityPolicies are the policies of a user, group or role itself: inline ones
// named kind/entity/policy, managed ones by ARN.
func (s *Service) identityPolicies(x *index, kind Kind, e *identity.IAMEntity) []policy.Named {
	var all []policy.Named
	for _, name := range sortedKeys(e.Inline) {
		all = append(all, x.parse(policy.Identity, string(kind)+"/"+e.Name+"/"+name, e.Inline[name]))
	}
	for _, arn := range e.Attached {
		all = append(all, s.managedAs(x, policy.Identity, arn))
	}
	return all
}

// policiesOfUser are all that apply to a user, its groups' included.
func (s *Service) policiesOfUser(x *index, u *identity.IAMUser) policy.Policies {
	p := policy.Policies{Identity: s.identityPolicies(x, User, &u.IAMEntity), Boundary: s.boundary(x, &u.IAMEntity)}
	for _, g := range state.Sorted(x.iam.Groups) {
		for _, id := range u.Groups {
			if id == g.ID {
				p.Identity = append(p.Identity, s.identityPolicies(x, Group, &g.IAMEntity)...)
			}
		}
	}
	return p
}

func (s *Service) policiesOfRole(x *index, r *identity.IAMRole) policy.Policies {
	return policy.Policies{Identity: s.identityPolicies(x, Role, &r.IAMEntity), Boundary: s.boundary(x, &r.IAMEntity)}
}

func (s *Service) boundary(x *index, e *identity.IAMEntity) *policy.Named {
	if e.Boundary == "" {
		return nil
	}
	b := s.managedAs(x, policy.Boundary, e.Boundary)
	return &b
}
