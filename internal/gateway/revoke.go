package gateway

import (
	"errors"
	"slices"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// errStale says that the directory changed while a login was judged.
var errStale = errors.New("the directory changed")

// errTicketUsed says that another login was faster with the same ticket.
var errTicketUsed = errors.New("the ticket has been used already")

// replace puts a view into force and ends the sessions that it forbids.
func (g *Gateway) replace(next *view) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.view.Store(next)
	for s := range g.conns {
		if why := next.objection(s); why != "" {
			s.kill(why)
		}
	}
	now := g.cfg.Clock.Now().Unix()
	for id, expires := range g.used {
		if expires < now {
			delete(g.used, id)
		}
	}
}

// objection says why a connection may not go on under this view, "" if it may.
func (v *view) objection(s *session) string {
	c, n := v.node(s.key)
	switch {
	case c == nil:
		return "the cache or its node is gone"
	// Whether one that has not logged in has finished its handshake is not known here.
	case c.Transit == identity.TransitRequired && s.transit != identity.TransitRequired && (s.who == nil || !s.encrypted):
		return "the cache requires encryption in transit now"
	case s.who == nil:
		return ""
	case s.at.node != n.ClusterID:
		return "the endpoint leads to another node now"
	case s.who.engine != n.engine:
		return "the engine was restarted"
	}
	user := c.User(s.who.user)
	switch {
	case s.who.method == Anonymous && !c.Anonymous:
		return "all clients must log in now"
	case user == nil:
		return "the user may not use this cache any more"
	case user.Incarnation != s.who.incarnation && !slices.Contains(user.Inherits, s.who.incarnation):
		return "another user has taken the name"
	}
	return ""
}

// bind makes s a session of whoever a verdict names, if the verdict still
// holds. The connection must be logged in to the engine as that user.
func (g *Gateway) bind(s *session, v *verdict, clientID int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.stopping:
		return errors.New("the gateway stops")
	case g.view.Load() != v.view:
		return errStale
	}
	if v.ticket != nil {
		if _, used := g.used[v.ticket.ID]; used {
			return errTicketUsed
		}
		g.used[v.ticket.ID] = v.ticket.Expires
	}
	if s.stranger {
		s.stranger = false
		g.addresses[s.addr].strangers--
	}
	s.at.node = v.node.ClusterID
	s.stats = g.countersOf(s.at)
	s.who = &v.identity
	s.who.since = g.cfg.Clock.Now()
	s.clientID = clientID
	s.who.engine.clients[clientID] = s
	return nil
}

// unbind makes s a connection that is not logged in. It returns who it was.
func (g *Gateway) unbind(s *session) *who {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := s.who
	if was != nil {
		delete(was.engine.clients, s.clientID)
		was.engine.left.add(s.clientID, s.ends())
		s.who = nil
	}
	return was
}

// endOverdue ends sessions whose deadline has passed.
func (g *Gateway) endOverdue() {
	now := g.cfg.Clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.conns {
		if s.who != nil && !s.who.deadline.IsZero() && now.After(s.who.deadline) {
			if s.ending.Load() == nil {
				s.stats.expired.Add(1)
			}
			s.kill("the login's time is over; log in again")
		}
	}
}

// mayBeAnonymous reports whether a client may act as "default" without a login.
func (c *cacheView) mayBeAnonymous() bool {
	return c.Anonymous && c.User(identity.DefaultUser) != nil
}

// needsNoPassword reports whether any password is right for the user.
func needsNoPassword(u *directory.User) bool { return u.Auth == identity.AuthNoPassword }
