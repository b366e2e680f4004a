package caches

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// maxParameterGroups is a quota (ElastiCache user guide, "Quotas").
	maxParameterGroups = 150

	// maxValues is how many parameters one request may change
	// (ElastiCache API, ModifyCacheParameterGroup).
	maxValues = 20

	defaultPrefix = "default."
)

func defaultParameterGroup(family string) string { return defaultPrefix + family }

// CreateParameterGroup makes a group that is like the family's default one.
func (s *Service) CreateParameterGroup(ctx context.Context, in CreateParameterGroupInput) (ParameterGroup, error) {
	name, err := naming.ID("CacheParameterGroupName", in.Name, naming.MaxGroupName)
	if err != nil {
		return ParameterGroup{}, err
	}
	if err := checkDescription("Description", in.Description); err != nil {
		return ParameterGroup{}, err
	}
	if err := checkFamily(in.Family); err != nil {
		return ParameterGroup{}, err
	}
	tags, err := naming.AddTags(nil, in.Tags)
	if err != nil {
		return ParameterGroup{}, err
	}
	group := &identity.ParameterGroup{Name: name, Family: strings.ToLower(in.Family), Description: in.Description, Tags: tags}
	_, err = s.state.Update(ctx, func(tx *state.Tx) error {
		if tx.View().ParameterGroups[name] != nil {
			return identity.Errorf(identity.ParameterGroupExists, "Parameter group %s already exists", name)
		}
		if len(tx.View().ParameterGroups) >= maxParameterGroups {
			return identity.Errorf(identity.ParameterGroupQuota, "The request would exceed the quota of %d cache parameter groups.", maxParameterGroups)
		}
		tx.Put(group)
		tx.Event(parameterSource, name, "Cache parameter group %s created", name)
		return nil
	})
	if err != nil {
		return ParameterGroup{}, err
	}
	return s.showParameterGroup(group), nil
}

// ModifyParameterGroup changes values, all or none. The engines of the caches
// that use the group follow while these stay available, as on AWS.
func (s *Service) ModifyParameterGroup(ctx context.Context, in ModifyParameterGroupInput) error {
	if len(in.Values) == 0 {
		return naming.Missing("ParameterNameValues")
	}
	if len(in.Values) > maxValues {
		return invalid("ParameterNameValues", "at most %d parameters can be changed at once.", maxValues)
	}
	return s.changeValues(ctx, in.Name, func(group *identity.ParameterGroup) error {
		for _, v := range in.Values {
			p, err := changeable(group.Family, v.Name)
			if err != nil {
				return err
			}
			if !p.accepts(v.Value) {
				return wrongValue(p, v.Value)
			}
			if group.Values[v.Name] = v.Value; v.Value == p.standard {
				delete(group.Values, v.Name)
			}
		}
		return nil
	})
}

// ResetParameterGroup gives the named parameters, or all, their default values.
func (s *Service) ResetParameterGroup(ctx context.Context, in ResetParameterGroupInput) error {
	if isTrue(in.All) == (len(in.Names) > 0) {
		return identity.Errorf(identity.InvalidParameterCombination,
			"Pass either ResetAllParameters or ParameterNameValues with the parameters to reset.")
	}
	if len(in.Names) > maxValues {
		return invalid("ParameterNameValues", "at most %d parameters can be reset at once.", maxValues)
	}
	return s.changeValues(ctx, in.Name, func(group *identity.ParameterGroup) error {
		if isTrue(in.All) {
			clear(group.Values)
		}
		for _, name := range in.Names {
			if _, err := changeable(group.Family, name); err != nil {
				return err
			}
			delete(group.Values, name)
		}
		return nil
	})
}

// changeValues applies change to a copy of a group whose Values is not nil.
func (s *Service) changeValues(ctx context.Context, name string, change func(*identity.ParameterGroup) error) error {
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		old, err := findParameterGroup(tx.View(), name)
		if err != nil {
			return err
		}
		if isDefaultGroup(old) {
			return identity.Errorf(identity.ParameterGroupState,
				"Cache parameter group %s is a default group and can't be changed. Create a group of family %s and change that.", old.Name, old.Family)
		}
		group := *old
		if group.Values = maps.Clone(old.Values); group.Values == nil {
			group.Values = map[string]string{}
		}
		if err := change(&group); err != nil {
			return err
		}
		if !maps.Equal(group.Values, old.Values) {
			tx.Put(&group)
			tx.Event(parameterSource, group.Name, "Cache parameter group %s modified", group.Name)
		}
		return nil
	})
	return err
}

// changeable returns a parameter that a group of that family may change.
func changeable(family, name string) (*parameter, error) {
	for _, p := range parametersOf(family) {
		switch {
		case p.name != name:
			continue
		case p.fixed:
			return nil, identity.Errorf(identity.InvalidParameterValue, "Parameter %s can't be modified.", name)
		}
		return &p, nil
	}
	return nil, identity.Errorf(identity.InvalidParameterValue,
		"Parameter %s is not one that Gatehouse sets for family %s. DescribeCacheParameters lists those that it does.", naming.Shorten(name), family)
}

func wrongValue(p *parameter, value string) error {
	allowed := p.allowed
	if allowed == "" {
		allowed = "flags out of KEg$lshzxeA"
	}
	return identity.Errorf(identity.InvalidParameterValue, "The value %q is invalid for parameter %s. Allowed: %s.", naming.Shorten(value), p.name, allowed)
}

// DeleteParameterGroup removes a group that no cache uses.
func (s *Service) DeleteParameterGroup(ctx context.Context, name string) error {
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		group, err := findParameterGroup(tx.View(), name)
		if err != nil {
			return err
		}
		if isDefaultGroup(group) {
			return identity.Errorf(identity.ParameterGroupState, "Cache parameter group %s is a default group and can't be deleted.", group.Name)
		}
		for _, rg := range tx.View().ReplicationGroups {
			if rg.Settings.ParameterGroup == group.Name {
				return identity.Errorf(identity.ParameterGroupState,
					"One or more cache clusters are still members of this parameter group %s, so the group cannot be deleted.", group.Name)
			}
		}
		tx.Delete(group)
		tx.Event(parameterSource, group.Name, "Cache parameter group %s deleted", group.Name)
		return nil
	})
	return err
}

// DescribeParameterGroups returns the group with that name, or all by name.
func (s *Service) DescribeParameterGroups(in DescribeParameterGroupsInput) ([]ParameterGroup, error) {
	view := s.state.View()
	found := state.Sorted(view.ParameterGroups)
	if in.Name != nil {
		group, err := findParameterGroup(view, *in.Name)
		if err != nil {
			return nil, err
		}
		found = []*identity.ParameterGroup{group}
	}
	shown := make([]ParameterGroup, 0, len(found))
	for _, group := range found {
		shown = append(shown, s.showParameterGroup(group))
	}
	return shown, nil
}

// DescribeParameters returns the parameters of a group, by name.
func (s *Service) DescribeParameters(in DescribeParametersInput) ([]Parameter, error) {
	group, err := findParameterGroup(s.state.View(), in.Name)
	if err != nil {
		return nil, err
	}
	if err := oneOf("Source", in.Source, "user", "system", "engine-default"); err != nil {
		return nil, err
	}
	shown := showParameters(group.Family, group.Values)
	if in.Source == nil {
		return shown, nil
	}
	return slices.DeleteFunc(shown, func(p Parameter) bool { return !strings.EqualFold(p.Source, *in.Source) }), nil
}

// DescribeEngineDefaultParameters returns the parameters of a family, by name.
func (s *Service) DescribeEngineDefaultParameters(in DescribeEngineDefaultParametersInput) ([]Parameter, error) {
	if err := checkFamily(in.Family); err != nil {
		return nil, err
	}
	return showParameters(strings.ToLower(in.Family), nil), nil
}

func showParameters(family string, values map[string]string) []Parameter {
	shown := []Parameter{}
	for _, p := range parametersOf(family) {
		one := Parameter{
			Name: p.name, Value: p.standard, Description: p.description, Source: "system", DataType: p.kind,
			Allowed: p.allowed, Modifiable: !p.fixed, MinimumVersion: firstVersion(p.since),
		}
		if value, ok := values[p.name]; ok {
			one.Value, one.Source = value, "user"
		}
		shown = append(shown, one)
	}
	return shown
}

func (s *Service) showParameterGroup(group *identity.ParameterGroup) ParameterGroup {
	return ParameterGroup{ParameterGroup: group, ARN: s.config.Account.ARN(naming.ParameterGroup, group.Name)}
}

func isDefaultGroup(group *identity.ParameterGroup) bool {
	return strings.HasPrefix(group.Name, defaultPrefix)
}

func findParameterGroup(view *state.View, name string) (*identity.ParameterGroup, error) {
	if strings.TrimSpace(name) == "" {
		return nil, naming.Missing("CacheParameterGroupName")
	}
	if group := view.ParameterGroups[strings.ToLower(name)]; group != nil {
		return group, nil
	}
	return nil, identity.Errorf(identity.ParameterGroupNotFound, "CacheParameterGroup %s not found.", naming.Shorten(name))
}

// checkParameterGroup checks that a cache of that family may use the group.
func checkParameterGroup(view *state.View, name, family string) error {
	group := view.ParameterGroups[name]
	if group == nil {
		return identity.Errorf(identity.ParameterGroupNotFound, "CacheParameterGroup not found: %s", naming.Shorten(name))
	}
	if group.Family != family {
		return identity.Errorf(identity.InvalidParameterCombination,
			"Expected a parameter group of family %s but found one of family %s", family, group.Family)
	}
	return nil
}

func checkFamily(family string) error {
	if strings.TrimSpace(family) == "" {
		return naming.Missing("CacheParameterGroupFamily")
	}
	if !slices.Contains(families(), strings.ToLower(family)) {
		return identity.Errorf(identity.InvalidParameterValue,
			"CacheParameterGroupFamily %s is not a valid parameter group family. Valid values are: %s.", naming.Shorten(family), strings.Join(families(), ", "))
	}
	return nil
}
