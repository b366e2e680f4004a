package iam

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// flushEvery is how often uses of access keys are written down.
	flushEvery = 30 * time.Second
	// useGrain is how much later a use must be to be worth writing again. AWS
	// tells last use with a delay of hours.
	useGrain = time.Minute
	// flushBatch bounds the uses written at once (etcd takes 128 operations).
	flushBatch = 100
)

// uses are the last uses of access keys that are not written yet.
type uses struct {
	mu   *sync.Mutex
	last map[string]identity.AccessKeyUse
}

func newUses() uses { return uses{mu: new(sync.Mutex), last: map[string]identity.AccessKeyUse{}} }

// Used notes that a long-term access key was used for a service.
func (s *Service) Used(keyID, service string) {
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	s.uses.last[keyID] = identity.AccessKeyUse{KeyID: keyID, Time: s.Clock.Now().UTC(), Service: service, Region: s.Account.Region}
}

// LastUse returns when and for what a key was last used; nil: never.
func (s *Service) LastUse(keyID string) *identity.AccessKeyUse {
	s.uses.mu.Lock()
	use, pending := s.uses.last[keyID]
	s.uses.mu.Unlock()
	if pending {
		return &use
	}
	return s.State.View().IAM.KeyUses[keyID]
}

// Run writes uses down until the context ends, and once more then.
func (s *Service) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			return s.flushUses(last)
		case <-s.Clock.After(flushEvery):
			_ = s.flushUses(ctx) // they stay pending and are written the next time
		}
	}
}

func (s *Service) flushUses(ctx context.Context) error {
	s.uses.mu.Lock()
	pending := maps.Clone(s.uses.last)
	s.uses.mu.Unlock()
	written := map[string]identity.AccessKeyUse{}
	_, err := s.State.Update(ctx, func(tx *state.Tx) error {
		clear(written)
		for id, use := range pending {
			if len(written) == flushBatch {
				break
			}
			written[id] = use
			old := tx.View().IAM.KeyUses[id]
			if tx.View().IAM.Keys[id] != nil && (old == nil || use.Time.Sub(old.Time) >= useGrain || use.Service != old.Service) {
				tx.Put(&use)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	for id, use := range written {
		if s.uses.last[id] == use {
			delete(s.uses.last, id)
		}
	}
	return nil
}
