package converge

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// TicketLife is how long a ticket can be used.
const TicketLife = 30 * time.Second

// ticketWait bounds how long the gateway may take to learn of a ticket.
const ticketWait = 5 * time.Second

// tickets are the one-use passwords that have not expired, by cache. They live
// in memory only: a restart makes all of them invalid.
type tickets struct {
	mu  sync.Mutex
	all map[string][]directory.Ticket
}

func (t *tickets) of(cacheID string, now time.Time) []directory.Ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	live := slices.DeleteFunc(slices.Clone(t.all[cacheID]), func(ticket directory.Ticket) bool {
		return ticket.Expires <= now.Unix()
	})
	if len(live) == 0 {
		delete(t.all, cacheID)
		return nil
	}
	t.all[cacheID] = live
	return live
}

func (t *tickets) add(cacheID string, ticket directory.Ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[string][]directory.Ticket{}
	}
	t.all[cacheID] = append(t.all[cacheID], ticket)
}

func (t *tickets) drop(cacheID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, cacheID)
}

// Ticket makes a password that one gateway accepts once within TicketLife for
// user on the cache. It returns when that gateway knows it.
func (c *Converger) Ticket(ctx context.Context, cacheID, user string) (identity.Secret, error) {
	published := c.Hub.Cache(cacheID)
	if published == nil {
		return identity.Secret{}, identity.Errorf(identity.ReplicationGroupNotFound, "Replication group %s not found.", cacheID)
	}
	if u := published.User(user); u == nil || !u.Enabled {
		return identity.Secret{}, identity.Errorf(identity.UserNotFound, "User %s cannot log in to %s: it is not among the cache's users, or its access string says off.", user, cacheID)
	}
	gateway, err := c.liveGateway()
	if err != nil {
		return identity.Secret{}, err
	}
	secret := identity.NewSecret(rand.Text())
	c.tickets.add(cacheID, directory.Ticket{
		ID: rand.Text(), Gateway: gateway, User: user, Digest: c.Key.Digest(secret),
		Expires: c.Clock.Now().Add(TicketLife).Unix(),
	})
	return secret, c.announce(ctx, cacheID, gateway)
}

// liveGateway is the gateway that serves the addresses which the API returns.
func (c *Converger) liveGateway() (string, error) {
	gateways, _ := c.Hub.Gateways()
	for _, g := range gateways {
		if g.InProcess && g.Live {
			return g.ID, nil
		}
	}
	return "", identity.Errorf(identity.Unavailable, "No gateway is live that could accept a ticket.")
}

// announce republishes a cache with its tickets and waits for the gateway that
// a new one is for.
func (c *Converger) announce(ctx context.Context, cacheID, gateway string) error {
	ctx, cancel := context.WithTimeout(ctx, ticketWait)
	defer cancel()
	revision := c.Hub.Amend(cacheID, func(cache *directory.Cache) {
		cache.Tickets = c.tickets.of(cacheID, c.Clock.Now())
	})
	if err := c.Hub.WaitFor(ctx, gateway, revision); err != nil {
		return fmt.Errorf("announcing a ticket: %w", err)
	}
	return nil
}
