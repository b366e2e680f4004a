package gateway

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Session is a client that is logged in, or that acts as the user "default" of
// a cache which lets anonymous clients in.
type Session struct {
	Cache     string    `json:"cache"`
	Node      string    `json:"node"`
	User      string    `json:"user"`
	Method    Method    `json:"method"`
	Principal string    `json:"principal,omitempty"`
	Peer      string    `json:"peer"`
	TLS       bool      `json:"tls"`
	Since     time.Time `json:"since"` // of the last login
	Deadline  time.Time `json:"deadline,omitzero"`
	Commands  int64     `json:"commands"`
}

// Sessions lists the sessions, by cache, node and time.
func (g *Gateway) Sessions() []Session {
	g.mu.Lock()
	var list []Session
	for s := range g.conns {
		if s.who == nil {
			continue
		}
		list = append(list, Session{
			Cache: s.at.cache, Node: s.at.node, User: s.who.user, Method: s.who.method, Principal: s.who.principal,
			Peer: s.peer, TLS: s.encrypted, Since: s.who.since, Deadline: s.who.deadline, Commands: s.commands.Load(),
		})
	}
	g.mu.Unlock()
	slices.SortFunc(list, func(a, b Session) int {
		return cmp.Or(cmp.Compare(a.Cache, b.Cache), cmp.Compare(a.Node, b.Node), a.Since.Compare(b.Since), cmp.Compare(a.Peer, b.Peer))
	})
	return list
}

// LoginCount says how often a user has logged in one way.
type LoginCount struct {
	User   string
	Method Method
	Count  int64
}

// NodeMetrics are the counts of one node since the gateway started.
type NodeMetrics struct {
	Cache, Node string
	Received    int64 // connections accepted
	Rejected    int64 // connections refused because of a limit
	Current     int64 // connections now, logged in or not
	Refused     int64 // failed logins
	Expired     int64 // IAM sessions that ended because nobody logged in again
	Commands    int64 // of ended and of current sessions
	Logins      []LoginCount
}

// counters belong to a node for as long as the gateway runs.
type counters struct {
	received, rejected, refused, expired, commands atomic.Int64

	mu     sync.Mutex
	logins map[loginKey]int64
}

type loginKey struct {
	user   string
	method Method
}

// countersOf returns a node's counters; g.mu is held.
func (g *Gateway) countersOf(at nodeKey) *counters {
	c := g.counters[at]
	if c == nil {
		c = newCounters()
		g.counters[at] = c
	}
	return c
}

func newCounters() *counters { return &counters{logins: map[loginKey]int64{}} }

func (c *counters) loggedIn(user string, method Method) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins[loginKey{user, method}]++
}

// Metrics returns the counts of every node that was ever served.
func (g *Gateway) Metrics() []NodeMetrics {
	g.mu.Lock()
	defer g.mu.Unlock()
	current, commands := map[nodeKey]int64{}, map[nodeKey]int64{}
	for s := range g.conns {
		current[s.at]++
		commands[s.at] += s.commands.Load()
	}
	var all []NodeMetrics
	for key, c := range g.counters {
		all = append(all, NodeMetrics{
			Cache: key.cache, Node: key.node, Current: current[key],
			Received: c.received.Load(), Rejected: c.rejected.Load(), Refused: c.refused.Load(), Expired: c.expired.Load(),
			Commands: c.commands.Load() + commands[key], Logins: c.loginCounts(),
		})
	}
	slices.SortFunc(all, func(a, b NodeMetrics) int {
		return cmp.Or(cmp.Compare(a.Cache, b.Cache), cmp.Compare(a.Node, b.Node))
	})
	return all
}

func (c *counters) loginCounts() []LoginCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []LoginCount
	for key, n := range c.logins {
		list = append(list, LoginCount{key.user, key.method, n})
	}
	slices.SortFunc(list, func(a, b LoginCount) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Method, b.Method))
	})
	return list
}
