package tagging

import (
	"context"
	"maps"
	"slices"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Service reads and changes the tags of resources.
type Service struct {
	state   *state.State
	account naming.Account
}

// New returns the tag operations over st.
func New(st *state.State, account naming.Account) *Service {
	return &Service{state: st, account: account}
}

// List returns the tags of the resource, by key. A malformed ARN is
// identity.InvalidARN; a resource that does not exist is the kind of its type.
func (s *Service) List(arn string) ([]naming.Tag, error) {
	resource, err := s.account.Parse(arn)
	if err != nil {
		return nil, err
	}
	carrier, err := find(s.state.View(), resource)
	if err != nil {
		return nil, err
	}
	return sorted(carrier.tags), nil
}

// Add puts tags on the resource, all or none, and returns the tags it then has.
func (s *Service) Add(ctx context.Context, arn string, tags []naming.Tag) ([]naming.Tag, error) {
	return s.change(ctx, arn, func(have map[string]string) (map[string]string, error) {
		return naming.AddTags(have, tags)
	})
}

// Remove takes tags off the resource, all or none, and returns the tags it then has.
func (s *Service) Remove(ctx context.Context, arn string, keys []string) ([]naming.Tag, error) {
	return s.change(ctx, arn, func(have map[string]string) (map[string]string, error) {
		return naming.RemoveTags(have, keys)
	})
}

func (s *Service) change(ctx context.Context, arn string, to func(have map[string]string) (map[string]string, error)) ([]naming.Tag, error) {
	resource, err := s.account.Parse(arn)
	if err != nil {
		return nil, err
	}
	var result map[string]string
	_, err = s.state.Update(ctx, func(tx *state.Tx) error {
		carrier, err := find(tx.View(), resource)
		if err != nil {
			return err
		}
		if result, err = to(carrier.tags); err != nil {
			return err
		}
		if !maps.Equal(result, carrier.tags) {
			tx.Put(carrier.with(result))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sorted(result), nil
}

// carrier is a noun that has tags, and how to make a copy of it with others.
type carrier struct {
	tags map[string]string
	with func(tags map[string]string) any
}

func find(view *state.View, resource naming.Resource) (carrier, error) {
	switch resource.Kind {
	case naming.User:
		return carried(view.Users[resource.ID], func(u *identity.User) *map[string]string { return &u.Tags },
			identity.UserNotFound, "User %s not found.", resource.ID)
	case naming.UserGroup:
		return carried(view.UserGroups[resource.ID], func(g *identity.UserGroup) *map[string]string { return &g.Tags },
			identity.UserGroupNotFound, "User group %s not found.", resource.ID)
	case naming.ReplicationGroup:
		return carried(view.ReplicationGroups[resource.ID], replicationGroupTags,
			identity.ReplicationGroupNotFound, "Replication group %s not found.", resource.ID)
	case naming.Cluster:
		return carried(ownerOf(view, resource.ID), replicationGroupTags,
			identity.CacheClusterNotFound, "Cache cluster %s not found.", resource.ID)
	case naming.SubnetGroup:
		return carried(view.SubnetGroups[resource.ID], func(g *identity.SubnetGroup) *map[string]string { return &g.Tags },
			identity.SubnetGroupNotFound, "Cache subnet group %s not found.", resource.ID)
	case naming.ParameterGroup:
		return carried(view.ParameterGroups[resource.ID], func(g *identity.ParameterGroup) *map[string]string { return &g.Tags },
			identity.ParameterGroupNotFound, "Cache parameter group %s not found.", resource.ID)
	default:
		return carrier{}, identity.Errorf(identity.InvalidARN, "Resources of type %s have no tags.", resource.Kind)
	}
}

func replicationGroupTags(rg *identity.ReplicationGroup) *map[string]string { return &rg.Tags }

func carried[N any](noun *N, tags func(*N) *map[string]string, kind identity.Kind, notFound, id string) (carrier, error) {
	if noun == nil {
		return carrier{}, identity.Errorf(kind, notFound, id)
	}
	return carrier{
		tags: *tags(noun),
		with: func(next map[string]string) any {
			changed := *noun
			*tags(&changed) = next
			return &changed
		},
	}, nil
}

// ownerOf returns the replication group that has the member cluster, or nil.
func ownerOf(view *state.View, clusterID string) *identity.ReplicationGroup {
	for _, rg := range view.ReplicationGroups {
		for _, node := range rg.Nodes {
			if node.ClusterID == clusterID {
				return rg
			}
		}
	}
	return nil
}

func sorted(tags map[string]string) []naming.Tag {
	list := make([]naming.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, naming.Tag{Key: key, Value: tags[key]})
	}
	return list
}
