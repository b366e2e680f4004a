package iam

import (
	"encoding/json"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// A trust policy that names a user or role means the one that there is when it
// is written, not whoever has the name later (IAM User Guide, "AWS JSON policy
// elements: Principal": the ARN is transformed to the unique id when saved).

// pin checks a trust policy and finds the unique ids of the users and roles of
// this account that it names. One that does not exist is refused.
func (s *Service) pin(view *state.View, document string) (map[string]string, error) {
	if _, err := policy.Parse(policy.Trust, document); err != nil {
		return nil, err
	}
	if len([]rune(document)) > maxTrustDocument {
		return nil, limit("ACLSizePerRole: %d", maxTrustDocument)
	}
	var ids map[string]string
	for _, arn := range namedPrincipals(document) {
		kind, name, own := s.ownPrincipal(arn)
		if !own {
			continue
		}
		_, e := entityOf(view, kind, name)
		if e == nil || s.ARN(kind, e) != arn {
			return nil, identity.Errorf(identity.Malformed, "Invalid principal in policy: %q:%q", "AWS", naming.Shorten(arn))
		}
		if !strings.Contains(document, `"`+arn+`"`) && !strings.Contains(document, `"`+escaped(arn)+`"`) {
			return nil, identity.Errorf(identity.Malformed, "Invalid principal in policy: %q:%q (write it without escapes)", "AWS", naming.Shorten(arn))
		}
		if ids == nil {
			ids = map[string]string{}
		}
		ids[arn] = e.ID
	}
	return ids, nil
}

// escaped is how some JSON encoders write an ARN.
func escaped(arn string) string { return strings.ReplaceAll(arn, "/", `\/`) }

// ownPrincipal reads the ARN of a user or role of this account.
func (s *Service) ownPrincipal(arn string) (kind Kind, name string, own bool) {
	rest, own := strings.CutPrefix(arn, s.prefix("iam"))
	text, path, _ := strings.Cut(rest, "/")
	kind = Kind(text)
	return kind, path[strings.LastIndexByte(path, '/')+1:], own && (kind == User || kind == Role)
}

// namedPrincipals lists the texts of a checked document's AWS principals.
func namedPrincipals(document string) []string {
	type statement struct{ Principal, NotPrincipal json.RawMessage }
	var read struct{ Statement json.RawMessage }
	var statements []statement
	_ = json.Unmarshal([]byte(document), &read) // it was parsed before
	if json.Unmarshal(read.Statement, &statements) != nil {
		statements = make([]statement, 1)
		_ = json.Unmarshal(read.Statement, &statements[0])
	}
	var all []string
	for _, s := range statements {
		for _, raw := range []json.RawMessage{s.Principal, s.NotPrincipal} {
			var by struct{ AWS json.RawMessage }
			_ = json.Unmarshal(raw, &by) // "*" has none
			var one string
			var many []string
			if json.Unmarshal(by.AWS, &one) == nil {
				many = []string{one}
			} else {
				_ = json.Unmarshal(by.AWS, &many)
			}
			all = append(all, many...)
		}
	}
	return all
}

// trustNow is a role's trust policy with its principals as they are now: by
// their present ARN and, of those that are gone, by what gone makes of the id.
func (s *Service) trustNow(x *index, role *identity.IAMRole, gone func(id string) string) string {
	var pairs []string
	for arn, id := range role.Trusted {
		now := gone(id)
		if u := x.users[id]; u != nil {
			now = s.ARN(User, &u.IAMEntity)
		} else if r := x.roles[id]; r != nil {
			now = s.ARN(Role, &r.IAMEntity)
		}
		for _, spelled := range []string{arn, escaped(arn)} {
			pairs = append(pairs, `"`+spelled+`"`, `"`+now+`"`)
		}
	}
	return strings.NewReplacer(pairs...).Replace(role.Trust) // in one pass: names may have been swapped
}

// nobody is an ARN that no principal has: there are no federated users.
func (s *Service) nobody(id string) string { return s.prefix("sts") + "federated-user/" + id }

// Trust is a role's trust policy as it is shown: a principal that is gone is
// shown by its unique id.
func (s *Service) Trust(role *identity.IAMRole) string {
	return s.trustNow(s.index(), role, func(id string) string { return id })
}
