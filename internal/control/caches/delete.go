package caches

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// DeleteReplicationGroup begins to delete a cache; it is deleting at once, and
// gone when converge has stopped and removed its engine. AWS wants the cache to
// be available for that. Here one that is creating or modifying can be deleted
// too: where an engine cannot start, nothing else would get rid of it.
func (s *Service) DeleteReplicationGroup(ctx context.Context, in DeleteReplicationGroupInput) (ReplicationGroup, error) {
	if err := refuseAtDelete(&in); err != nil {
		return ReplicationGroup{}, err
	}
	gone, err := s.remove(ctx, in.ID, findCache)
	if err != nil {
		return ReplicationGroup{}, err
	}
	return s.show(gone), nil
}

// remove begins to delete what find finds.
func (s *Service) remove(ctx context.Context, id string, find finder) (*identity.ReplicationGroup, error) {
	var gone *identity.ReplicationGroup
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		old, err := find(tx.View(), id)
		if err != nil {
			return err
		}
		if old.Status == identity.Deleting {
			return identity.Errorf(identity.ReplicationGroupState,
				"Replication group %s has status deleting which is not valid for deletion.", old.ID)
		}
		rg := *old
		rg.Status, rg.Target = identity.Deleting, nil
		tx.Put(&rg)
		gone = &rg
		return nil
	})
	return gone, err
}
