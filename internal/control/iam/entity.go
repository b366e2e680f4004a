package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// Kind is a type of resource as it stands in IAM's ARNs.
type Kind string

// The kinds. User, Group and Role carry policies.
const (
	User     Kind = "user"
	Group    Kind = "group"
	Role     Kind = "role"
	Policy   Kind = "policy"
	Provider Kind = "oidc-provider"
)

// title is the kind in the names of quotas.
func (k Kind) title() string { return strings.ToUpper(string(k[:1])) + string(k[1:]) }

// inlineQuota is how many characters all inline policies may have together.
func (k Kind) inlineQuota() int {
	switch k {
	case User:
		return maxUserInline
	case Group:
		return maxGroupInline
	default:
		return maxRoleInline
	}
}

// entityOf finds the common part of a user, group or role in a view.
func entityOf(view *state.View, kind Kind, name string) (noun any, e *identity.IAMEntity) {
	name = strings.ToLower(name)
	switch kind {
	case User:
		if u := view.IAM.Users[name]; u != nil {
			return u, &u.IAMEntity
		}
	case Group:
		if g := view.IAM.Groups[name]; g != nil {
			return g, &g.IAMEntity
		}
	case Role:
		if r := view.IAM.Roles[name]; r != nil {
			return r, &r.IAMEntity
		}
	}
	return nil, nil
}

func notFound(kind Kind, name string) error {
	return noSuch("The %s with name %s cannot be found.", kind, naming.Shorten(name))
}

// Entity returns the common part of a user, group or role.
func (s *Service) Entity(kind Kind, name string) (*identity.IAMEntity, error) {
	_, e := entityOf(s.State.View(), kind, name)
	if e == nil {
		return nil, notFound(kind, name)
	}
	return e, nil
}

// ARN is the ARN of a user, group or role.
func (s *Service) ARN(kind Kind, e *identity.IAMEntity) string { return s.arn(kind, e.Path, e.Name) }

// copyOf returns a copy of a noun that may be changed, and its common part.
func copyOf(view *state.View, kind Kind, name string) (any, *identity.IAMEntity, error) {
	noun, _ := entityOf(view, kind, name)
	var e *identity.IAMEntity
	switch n := noun.(type) {
	case *identity.IAMUser:
		next := *n
		next.Groups = slices.Clone(n.Groups)
		noun, e = &next, &next.IAMEntity
	case *identity.IAMGroup:
		next := *n
		noun, e = &next, &next.IAMEntity
	case *identity.IAMRole:
		next := *n
		noun, e = &next, &next.IAMEntity
	default:
		return nil, nil, notFound(kind, name)
	}
	e.Inline, e.Attached, e.Tags = maps.Clone(e.Inline), slices.Clone(e.Attached), maps.Clone(e.Tags)
	return noun, e, nil
}

// change changes the common part of a user, group or role.
func (s *Service) change(ctx context.Context, kind Kind, name string, f func(view *state.View, e *identity.IAMEntity) error) error {
	return s.update(ctx, func(tx *state.Tx) error {
		noun, e, err := copyOf(tx.View(), kind, name)
		if err != nil {
			return err
		}
		if err := f(tx.View(), e); err != nil {
			return err
		}
		tx.Put(noun)
		return nil
	})
}

// PutInline writes an inline policy of a user, group or role. The document is
// checked first; its errors are of the kinds Malformed, NoSuchEntity and LimitExceeded.
func (s *Service) PutInline(ctx context.Context, kind Kind, name, policyName, document string) error {
	if _, err := policy.Parse(policy.Identity, document); err != nil {
		return err
	}
	return s.change(ctx, kind, name, func(_ *state.View, e *identity.IAMEntity) error {
		if e.Inline == nil {
			e.Inline = map[string]string{}
		}
		e.Inline[policyName] = document
		size := 0
		for _, text := range e.Inline {
			size += policy.Characters(text)
		}
		if most := kind.inlineQuota(); size > most {
			return identity.Errorf(identity.LimitExceeded, "Maximum policy size of %d bytes exceeded for %s %s", most, kind, e.Name)
		}
		return nil
	})
}

// Inline returns an inline policy's document.
func (s *Service) Inline(kind Kind, name, policyName string) (string, error) {
	e, err := s.Entity(kind, name)
	if err != nil {
		return "", err
	}
	document, ok := e.Inline[policyName]
	if !ok {
		return "", noInline(kind, policyName)
	}
	return document, nil
}

func noInline(kind Kind, policyName string) error {
	return noSuch("The %s policy with name %s cannot be found.", kind, naming.Shorten(policyName))
}

// DeleteInline removes an inline policy.
func (s *Service) DeleteInline(ctx context.Context, kind Kind, name, policyName string) error {
	return s.change(ctx, kind, name, func(_ *state.View, e *identity.IAMEntity) error {
		if _, ok := e.Inline[policyName]; !ok {
			return noInline(kind, policyName)
		}
		delete(e.Inline, policyName)
		return nil
	})
}

// Attach attaches a managed policy; one that is attached already stays so.
func (s *Service) Attach(ctx context.Context, kind Kind, name, arn string) error {
	return s.change(ctx, kind, name, func(view *state.View, e *identity.IAMEntity) error {
		if s.managed(&view.IAM, arn) == nil {
			return noSuch("Policy %s does not exist or is not attachable.", naming.Shorten(arn))
		}
		if slices.Contains(e.Attached, arn) {
			return nil
		}
		if len(e.Attached) >= maxAttached {
			return limit("PoliciesPer%s: %d", kind.title(), maxAttached)
		}
		e.Attached = append(e.Attached, arn)
		return nil
	})
}

// Detach takes a managed policy off a user, group or role.
func (s *Service) Detach(ctx context.Context, kind Kind, name, arn string) error {
	return s.change(ctx, kind, name, func(_ *state.View, e *identity.IAMEntity) error {
		i := slices.Index(e.Attached, arn)
		if i < 0 {
			return noSuch("Policy %s was not found.", naming.Shorten(arn))
		}
		e.Attached = slices.Delete(e.Attached, i, i+1)
		return nil
	})
}

// SetBoundary gives a user or role a permissions boundary; "" takes it away.
func (s *Service) SetBoundary(ctx context.Context, kind Kind, name, arn string) error {
	return s.change(ctx, kind, name, func(view *state.View, e *identity.IAMEntity) error {
		if arn == "" && e.Boundary == "" {
			return noSuch("The %s with name %s has no permissions boundary.", kind, e.Name)
		}
		e.Boundary = arn
		return s.checkBoundary(view, arn)
	})
}

func (s *Service) checkBoundary(view *state.View, arn string) error {
	if arn != "" && s.managed(&view.IAM, arn) == nil {
		return noSuch("Scope ARN: %s does not exist or is not attachable.", naming.Shorten(arn))
	}
	return nil
}

// Tag puts tags on a user or role, all or none.
func (s *Service) Tag(ctx context.Context, kind Kind, name string, tags []naming.Tag) error {
	return s.change(ctx, kind, name, func(_ *state.View, e *identity.IAMEntity) (err error) {
		e.Tags, err = addTags(e.Tags, tags)
		return err
	})
}

// Untag takes tags off; keys that are not there are no error, as in IAM.
func (s *Service) Untag(ctx context.Context, kind Kind, name string, keys []string) error {
	return s.change(ctx, kind, name, func(_ *state.View, e *identity.IAMEntity) error {
		e.Tags = removeTags(e.Tags, keys)
		return nil
	})
}

// addTags returns have with add, or the refusal. Tag keys of IAM are compared
// without case and kept as first written ("Rules for tagging in IAM and AWS STS").
func addTags(have map[string]string, add []naming.Tag) (map[string]string, error) {
	next := map[string]string{}
	maps.Copy(next, have)
	seen := map[string]bool{}
	for _, tag := range add {
		lower := strings.ToLower(tag.Key)
		if strings.HasPrefix(lower, "aws:") {
			return nil, identity.Errorf(identity.InvalidInput, "Tag keys must not begin with aws:, which is reserved.")
		}
		if seen[lower] {
			return nil, identity.Errorf(identity.InvalidInput, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[lower] = true
		key := tag.Key
		for old := range next {
			if strings.EqualFold(old, key) {
				key = old
			}
		}
		next[key] = tag.Value
	}
	if len(next) > maxTags {
		return nil, identity.Errorf(identity.LimitExceeded, "The number of tags has reached the maximum limit of %d.", maxTags)
	}
	return next, nil
}

func removeTags(have map[string]string, keys []string) map[string]string {
	next := maps.Clone(have)
	for key := range have {
		if slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
			delete(next, key)
		}
	}
	return next
}

// removable says what must be taken off an entity before it can be deleted.
func removable(e *identity.IAMEntity) error {
	switch {
	case len(e.Attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
