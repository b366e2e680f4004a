package iamtoken

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

// MaxGrants is how many access keys a Keyring remembers. A grant has a few
// kilobytes; with more principals than this the least recently used is asked
// for again.
const MaxGrants = 10000

// maxAsking is how many grants are asked for at once. Whoever comes later
// waits; that bounds what logins with invented access keys cost the control plane.
const maxAsking = 16

// Reasons for having no grant; a Source returns them, alone or wrapped.
var (
	ErrUnknownKey  = errors.New("the access key does not exist")
	ErrInactiveKey = errors.New("the access key is inactive")
	ErrSession     = errors.New("the session token is not valid")
	ErrUnavailable = errors.New("the control plane cannot be asked")
)

// Source is where grants come from: the control plane.
type Source interface {
	// Grant returns the grant of an access key with signing keys for region:
	// today's and those of the next days, or of all days until the session ends.
	// The error is one of the reasons above, or wraps one.
	Grant(ctx context.Context, accessKeyID, sessionToken, region string) (*Grant, error)
}

// Keyring remembers grants. An access key gets a place only when the source
// knows it, so that nobody fills the ring with inventions; and it goes on
// answering for known keys while the source is away.
type Keyring struct {
	source Source
	clock  clock.Clock
	asking chan struct{}

	mu     sync.RWMutex
	grants map[string]*held
	// changes counts Put and Forget, so that an answer which was under way
	// meanwhile, and may be older, is used once but not remembered.
	changes uint64
}

// held is a remembered grant.
type held struct {
	grant *Grant
	used  atomic.Int64 // Unix seconds
}

// NewKeyring makes an empty ring.
func NewKeyring(source Source, c clock.Clock) *Keyring {
	return &Keyring{source: source, clock: c, asking: make(chan struct{}, maxAsking), grants: map[string]*held{}}
}

// Find implements Keys.
func (k *Keyring) Find(ctx context.Context, q Query) (*Grant, *SigningKey, error) {
	if grant, key := k.recall(q); key != nil {
		return grant, key, nil
	}
	grant, err := k.ask(ctx, string(q.AccessKeyID), q.DecodedSession(), q.Region)
	if err != nil {
		return nil, nil, fmt.Errorf("access key %s: %w", q.AccessKeyID, err)
	}
	key := grant.key(q.Day, q.Region)
	if key == nil {
		return nil, nil, fmt.Errorf("access key %s: %w for the signing key of %d", q.AccessKeyID, ErrUnavailable, q.Day)
	}
	return grant, key, nil
}

// recall finds a key that is already known.
func (k *Keyring) recall(q Query) (*Grant, *SigningKey) {
	k.mu.RLock()
	h := k.grants[string(q.AccessKeyID)]
	k.mu.RUnlock()
	if h == nil {
		return nil, nil
	}
	if now := k.clock.Now().Unix(); h.used.Load() != now {
		h.used.Store(now)
	}
	return h.grant, h.grant.key(q.Day, q.Region)
}

// ask gets a grant from the source and remembers it.
func (k *Keyring) ask(ctx context.Context, id, sessionToken, region string) (*Grant, error) {
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	k.mu.RLock()
	before := k.changes
	k.mu.RUnlock()
	grant, err := k.source.Grant(ctx, id, sessionToken, region)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changes == before {
		k.remember(grant)
	}
	return grant, nil
}

// remember makes room and takes a grant in; k.mu is held.
func (k *Keyring) remember(grant *Grant) {
	if _, known := k.grants[grant.AccessKeyID]; !known && len(k.grants) >= MaxGrants {
		k.evict()
	}
	h := &held{grant: grant}
	h.used.Store(k.clock.Now().Unix())
	k.grants[grant.AccessKeyID] = h
}

// evict removes the expired sessions or, if there are none, the least recently
// used grant.
func (k *Keyring) evict() {
	now := k.clock.Now()
	oldest, found := "", int64(0)
	expired := false
	for id, h := range k.grants {
		if !h.grant.Expires.IsZero() && !now.Before(h.grant.Expires) {
			delete(k.grants, id)
			expired = true
			continue
		}
		if used := h.used.Load(); oldest == "" || used < found {
			oldest, found = id, used
		}
	}
	if !expired {
		delete(k.grants, oldest)
	}
}

// Put replaces a grant that is remembered, because the principal, its policies
// or its keys changed; a grant that nobody used here is left out.
func (k *Keyring) Put(grant *Grant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	if h, known := k.grants[grant.AccessKeyID]; known {
		fresh := &held{grant: grant}
		fresh.used.Store(h.used.Load())
		k.grants[grant.AccessKeyID] = fresh
	}
}

// Forget drops what is known of an access key: it was deleted, deactivated, or
// its principal changed. The next login asks the source.
func (k *Keyring) Forget(accessKeyID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	delete(k.grants, accessKeyID)
}

// Known lists the access keys that are remembered, in no order.
func (k *Keyring) Known() []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	ids := make([]string, 0, len(k.grants))
	for id := range k.grants {
		ids = append(ids, id)
	}
	return ids
}

// Renew asks anew for the grants of long-term keys that have no signing key
// for the day after tomorrow, and drops those whose access key is gone. While
// the source is away everything stays. The gateway calls it about once an hour.
func (k *Keyring) Renew(ctx context.Context) error {
	needed := DayAt(k.clock.Now().Add(48 * time.Hour))
	var failed error
	for _, grant := range k.ending(needed) {
		_, err := k.ask(ctx, grant.AccessKeyID, "", grant.Keys[0].Region)
		switch {
		case errors.Is(err, ErrUnknownKey), errors.Is(err, ErrInactiveKey):
			k.Forget(grant.AccessKeyID)
		case err != nil && failed == nil:
			failed = fmt.Errorf("renewing the signing keys of %s: %w", grant.AccessKeyID, err)
		}
	}
	return failed
}

// ending lists the long-term grants without a key for day.
func (k *Keyring) ending(day Day) []*Grant {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var ending []*Grant
	for _, h := range k.grants {
		g := h.grant
		if g.Expires.IsZero() && len(g.Keys) > 0 && g.key(day, g.Keys[0].Region) == nil {
			ending = append(ending, g)
		}
	}
	return ending
}
