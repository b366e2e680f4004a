package iam

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/policy"
)

// provided are policies that every account has, a small part of those that AWS
// manages, with AWS's names (AWS Managed Policy Reference).
var provided = func() map[string]*identity.IAMPolicy {
	made := time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
	all := map[string]*identity.IAMPolicy{}
	for name, statement := range map[string]string{
		"AdministratorAccess":             `{"Effect":"Allow","Action":"*","Resource":"*"}`,
		"AmazonElastiCacheFullAccess":     `{"Effect":"Allow","Action":"elasticache:*","Resource":"*"}`,
		"AmazonElastiCacheReadOnlyAccess": `{"Effect":"Allow","Action":["elasticache:Describe*","elasticache:List*"],"Resource":"*"}`,
		"IAMFullAccess":                   `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`,
		"IAMReadOnlyAccess":               `{"Effect":"Allow","Action":["iam:Get*","iam:List*","iam:Simulate*"],"Resource":"*"}`,
	} {
		all[name] = &identity.IAMPolicy{
			Name: name, Path: "/", ID: "ANPA" + strings.ToUpper((name + "PROVIDEDTOALL")[:17]), Default: 1, Last: 1, Created: made, Updated: made,
			Versions: []identity.PolicyVersion{{Number: 1, Created: made, Document: `{"Version":"2012-10-17","Statement":[` + statement + `]}`}},
		}
	}
	return all
}()

func (s *Service) providedPrefix() string {
	return "arn:" + naming.Partition(s.Account.Region) + ":iam::aws:policy/"
}

// PolicyARN is the ARN of a managed policy.
func (s *Service) PolicyARN(p *identity.IAMPolicy) string {
	if provided[p.Name] == p {
		return s.providedPrefix() + p.Name
	}
	return s.arn(Policy, p.Path, p.Name)
}

// managed finds a managed policy by its ARN, nil if there is none.
func (s *Service) managed(iam *state.IAM, arn string) *identity.IAMPolicy {
	if name, ok := strings.CutPrefix(arn, s.providedPrefix()); ok {
		return provided[name]
	}
	p := iam.Policies[strings.ToLower(arn[strings.LastIndexByte(arn, '/')+1:])]
	if p == nil || s.PolicyARN(p) != arn {
		return nil
	}
	return p
}

func noPolicy(arn string) error { return noSuch("Policy %s was not found.", naming.Shorten(arn)) }

// Document is the text of the version in force.
func Document(p *identity.IAMPolicy) string {
	for _, v := range p.Versions {
		if v.Number == p.Default {
			return v.Document
		}
	}
	return "" // the default version is always there
}

func checkManaged(document string) error {
	parsed, err := policy.Parse(policy.Identity, document)
	if err != nil {
		return err
	}
	if policy.Characters(document) > maxManagedDocument {
		return limit("PolicySize: %d", maxManagedDocument)
	}
	return parsed.CheckManaged()
}

// CreatePolicy makes a managed policy whose first version is in force.
func (s *Service) CreatePolicy(ctx context.Context, in NewEntity, description, document string) (*identity.IAMPolicy, error) {
	if err := checkManaged(document); err != nil {
		return nil, err
	}
	tags, err := addTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now().UTC()
	made := &identity.IAMPolicy{
		Name: in.Name, Path: pathOr(in.Path), ID: uniqueID("ANPA", entityIDLength), Description: description,
		Versions: []identity.PolicyVersion{{Number: 1, Document: document, Created: now}}, Default: 1, Last: 1,
		Tags: tags, Created: now, Updated: now,
	}
	err = s.update(ctx, func(tx *state.Tx) error {
		if tx.View().IAM.Policies[strings.ToLower(in.Name)] != nil {
			return identity.Errorf(identity.EntityExists, "A policy called %s already exists. Duplicate names are not allowed.", in.Name)
		}
		if len(tx.View().IAM.Policies) >= maxPolicies {
			return limit("PoliciesPerAccount: %d", maxPolicies)
		}
		tx.Put(made)
		return nil
	})
	return made, err
}

// Policy returns a managed policy by its ARN.
func (s *Service) Policy(arn string) (*identity.IAMPolicy, error) {
	p := s.managed(&s.State.View().IAM, arn)
	if p == nil {
		return nil, noPolicy(arn)
	}
	return p, nil
}

// Policies lists the account's own policies by name and, when asked for, those
// that every account has.
func (s *Service) Policies(own, everyones bool) []*identity.IAMPolicy {
	var list []*identity.IAMPolicy
	if own {
		list = state.Sorted(s.State.View().IAM.Policies)
	}
	if everyones {
		list = append(list, state.Sorted(provided)...)
	}
	return list
}

// changePolicy changes one of the account's own policies.
func (s *Service) changePolicy(ctx context.Context, arn string, f func(view *state.View, p *identity.IAMPolicy) error) error {
	return s.update(ctx, func(tx *state.Tx) error {
		p := s.managed(&tx.View().IAM, arn)
		switch {
		case p == nil:
			return noPolicy(arn)
		case provided[p.Name] == p:
			return identity.Errorf(identity.AccessDenied, "Policy %s is not this account's and cannot be changed.", arn)
		}
		next := *p
		next.Versions = slices.Clone(p.Versions)
		next.Updated = s.Clock.Now().UTC()
		if err := f(tx.View(), &next); err != nil {
			return err
		}
		tx.Put(&next)
		return nil
	})
}

// DeletePolicy deletes a policy that nothing refers to and that has one version.
func (s *Service) DeletePolicy(ctx context.Context, arn string) error {
	return s.update(ctx, func(tx *state.Tx) error {
		p := s.managed(&tx.View().IAM, arn)
		switch {
		case p == nil:
			return noPolicy(arn)
		case provided[p.Name] == p:
			return identity.Errorf(identity.AccessDenied, "Policy %s is not this account's and cannot be changed.", arn)
		case len(Uses(tx.View(), arn)) > 0:
			return conflict("Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		tx.Delete(p)
		return nil
	})
}

// AddVersion adds a version to a policy and returns it; byDefault puts it in force.
func (s *Service) AddVersion(ctx context.Context, arn, document string, byDefault bool) (*identity.PolicyVersion, error) {
	if err := checkManaged(document); err != nil {
		return nil, err
	}
	made := &identity.PolicyVersion{Document: document, Created: s.Clock.Now().UTC()}
	err := s.changePolicy(ctx, arn, func(_ *state.View, p *identity.IAMPolicy) error {
		if len(p.Versions) >= maxVersions {
			return identity.Errorf(identity.LimitExceeded, "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.Last++
		made.Number = p.Last
		p.Versions = append(p.Versions, *made)
		if byDefault {
			p.Default = made.Number
		}
		return nil
	})
	return made, err
}

// SetDefaultVersion puts a version in force.
func (s *Service) SetDefaultVersion(ctx context.Context, arn, version string) error {
	return s.changePolicy(ctx, arn, func(_ *state.View, p *identity.IAMPolicy) error {
		i, err := versionAt(p, arn, version)
		if err == nil {
			p.Default = p.Versions[i].Number
		}
		return err
	})
}

// DeleteVersion deletes a version that is not in force.
func (s *Service) DeleteVersion(ctx context.Context, arn, version string) error {
	return s.changePolicy(ctx, arn, func(_ *state.View, p *identity.IAMPolicy) error {
		i, err := versionAt(p, arn, version)
		if err != nil {
			return err
		}
		if p.Versions[i].Number == p.Default {
			return conflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.Delete(p.Versions, i, i+1)
		return nil
	})
}

// Version returns a version of a policy, such as v3.
func (s *Service) Version(arn, version string) (*identity.IAMPolicy, *identity.PolicyVersion, error) {
	p, err := s.Policy(arn)
	if err != nil {
		return nil, nil, err
	}
	i, err := versionAt(p, arn, version)
	if err != nil {
		return nil, nil, err
	}
	return p, &p.Versions[i], nil
}

func versionAt(p *identity.IAMPolicy, arn, version string) (int, error) {
	for i, v := range p.Versions {
		if "v"+strconv.Itoa(v.Number) == version {
			return i, nil
		}
	}
	return 0, noSuch("Policy %s version %s does not exist or is not attachable.", naming.Shorten(arn), naming.Shorten(version))
}

// TagPolicy puts tags on a policy, UntagPolicy takes them off.
func (s *Service) TagPolicy(ctx context.Context, arn string, tags []naming.Tag) error {
	return s.changePolicy(ctx, arn, func(_ *state.View, p *identity.IAMPolicy) (err error) {
		p.Tags, err = addTags(p.Tags, tags)
		return err
	})
}

// UntagPolicy takes tags off a policy.
func (s *Service) UntagPolicy(ctx context.Context, arn string, keys []string) error {
	return s.changePolicy(ctx, arn, func(_ *state.View, p *identity.IAMPolicy) error {
		p.Tags = removeTags(p.Tags, keys)
		return nil
	})
}

// Use is one attachment of a managed policy.
type Use struct {
	Kind     Kind
	Entity   *identity.IAMEntity
	Boundary bool // it is the permissions boundary
}

// Uses lists the attachments of a managed policy: users, groups, roles, by name.
func Uses(view *state.View, arn string) []Use {
	var found []Use
	look := func(kind Kind, e *identity.IAMEntity) {
		if slices.Contains(e.Attached, arn) {
			found = append(found, Use{kind, e, false})
		}
		if e.Boundary == arn {
			found = append(found, Use{kind, e, true})
		}
	}
	for _, u := range state.Sorted(view.IAM.Users) {
		look(User, &u.IAMEntity)
	}
	for _, g := range state.Sorted(view.IAM.Groups) {
		look(Group, &g.IAMEntity)
	}
	for _, r := range state.Sorted(view.IAM.Roles) {
		look(Role, &r.IAMEntity)
	}
	return found
}

// Uses lists the attachments of a managed policy as things are now.
func (s *Service) Uses(arn string) []Use { return Uses(s.State.View(), arn) }
