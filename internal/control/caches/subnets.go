package caches

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	defaultSubnetGroup = "default"

	// maxSubnetGroups and maxSubnets are quotas (ElastiCache user guide,
	// "Quotas": subnet groups per Region, subnets per subnet group).
	maxSubnetGroups = 150
	maxSubnets      = 20
)

// CreateSubnetGroup records a subnet group. There is no network behind it: it
// exists for the clients that name one.
func (s *Service) CreateSubnetGroup(ctx context.Context, in CreateSubnetGroupInput) (SubnetGroup, error) {
	name, err := naming.ID("CacheSubnetGroupName", in.Name, naming.MaxGroupName)
	if err != nil {
		return SubnetGroup{}, err
	}
	if err := checkDescription("CacheSubnetGroupDescription", in.Description); err != nil {
		return SubnetGroup{}, err
	}
	if err := checkSubnets(in.SubnetIDs); err != nil {
		return SubnetGroup{}, err
	}
	tags, err := naming.AddTags(nil, in.Tags)
	if err != nil {
		return SubnetGroup{}, err
	}
	group := &identity.SubnetGroup{Name: name, Description: in.Description, SubnetIDs: in.SubnetIDs, Tags: tags}
	_, err = s.state.Update(ctx, func(tx *state.Tx) error {
		if tx.View().SubnetGroups[name] != nil {
			return identity.Errorf(identity.SubnetGroupExists, "Cache subnet group %s already exists.", name)
		}
		if len(tx.View().SubnetGroups) >= maxSubnetGroups {
			return identity.Errorf(identity.SubnetGroupQuota, "The request would exceed the quota of %d cache subnet groups.", maxSubnetGroups)
		}
		tx.Put(group)
		tx.Event(subnetSource, name, "Cache subnet group %s created", name)
		return nil
	})
	if err != nil {
		return SubnetGroup{}, err
	}
	return s.showSubnetGroup(group), nil
}

// ModifySubnetGroup changes the description, the subnets or both.
func (s *Service) ModifySubnetGroup(ctx context.Context, in ModifySubnetGroupInput) (SubnetGroup, error) {
	if err := text("CacheSubnetGroupDescription", in.Description); err != nil {
		return SubnetGroup{}, err
	}
	if in.SubnetIDs != nil {
		if err := checkSubnets(in.SubnetIDs); err != nil {
			return SubnetGroup{}, err
		}
	}
	var changed identity.SubnetGroup
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		old, err := findSubnetGroup(tx.View(), in.Name)
		if err != nil {
			return err
		}
		changed = *old
		changed.Description = or(in.Description, old.Description)
		if in.SubnetIDs != nil {
			changed.SubnetIDs = in.SubnetIDs
		}
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return SubnetGroup{}, err
	}
	return s.showSubnetGroup(&changed), nil
}

// DeleteSubnetGroup removes a subnet group that no cache uses.
func (s *Service) DeleteSubnetGroup(ctx context.Context, name string) error {
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		group, err := findSubnetGroup(tx.View(), name)
		if err != nil {
			return err
		}
		if group.Name == defaultSubnetGroup {
			return invalid("CacheSubnetGroupName", "the default subnet group can't be deleted.")
		}
		for _, rg := range tx.View().ReplicationGroups {
			if rg.Settings.SubnetGroup == group.Name {
				return identity.Errorf(identity.SubnetGroupInUse, "Cache subnet group %s is currently in use by a cache cluster.", group.Name)
			}
		}
		tx.Delete(group)
		tx.Event(subnetSource, group.Name, "Cache subnet group %s deleted", group.Name)
		return nil
	})
	return err
}

// DescribeSubnetGroups returns the group with that name, or all groups by name.
func (s *Service) DescribeSubnetGroups(in DescribeSubnetGroupsInput) ([]SubnetGroup, error) {
	view := s.state.View()
	found := state.Sorted(view.SubnetGroups)
	if in.Name != nil {
		group, err := findSubnetGroup(view, *in.Name)
		if err != nil {
			return nil, err
		}
		found = []*identity.SubnetGroup{group}
	}
	shown := make([]SubnetGroup, 0, len(found))
	for _, group := range found {
		shown = append(shown, s.showSubnetGroup(group))
	}
	return shown, nil
}

func (s *Service) showSubnetGroup(group *identity.SubnetGroup) SubnetGroup {
	return SubnetGroup{SubnetGroup: group, ARN: s.config.Account.ARN(naming.SubnetGroup, group.Name)}
}

func findSubnetGroup(view *state.View, name string) (*identity.SubnetGroup, error) {
	if strings.TrimSpace(name) == "" {
		return nil, naming.Missing("CacheSubnetGroupName")
	}
	if group := view.SubnetGroups[strings.ToLower(name)]; group != nil {
		return group, nil
	}
	return nil, identity.Errorf(identity.SubnetGroupNotFound, "Cache Subnet Group %s does not exist.", naming.Shorten(name))
}

func checkDescription(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return naming.Missing(field)
	}
	return text(field, &value)
}

func checkSubnets(ids []string) error {
	if len(ids) == 0 {
		return naming.Missing("SubnetIds")
	}
	if len(ids) > maxSubnets {
		return invalid("SubnetIds", "a subnet group has at most %d subnets.", maxSubnets)
	}
	wrong := slices.DeleteFunc(slices.Clone(ids), subnetID.MatchString)
	if len(wrong) > 0 {
		return identity.Errorf(identity.InvalidParameterValue, "Some input subnets in :[%s] are invalid.", naming.Shorten(strings.Join(wrong, ", ")))
	}
	return nil
}
