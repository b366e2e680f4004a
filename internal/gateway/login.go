package gateway

import (
	"errors"
	"net/netip"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// verdict is the judgement of one login under one view.
type verdict struct {
	view     *view
	node     *nodeView
	identity who
	ticket   *directory.Ticket
	reason   string // why it is refused; "" if it is accepted
	known    bool   // a user of that name exists
}

func accept(v *view, n *nodeView, user *directory.User, method Method) *verdict {
	return &verdict{view: v, node: n, known: true, identity: who{
		user: user.Name, method: method, incarnation: user.Incarnation, engine: n.engine,
	}}
}

// nobody is judged in place of a user that does not exist, so that this takes
// as long as a wrong password of one that does.
var nobody = &directory.User{Auth: identity.AuthPassword, Enabled: true, Passwords: make([]identity.Digest, 1)}

// judge decides who user and secret prove a client to be.
func (g *Gateway) judge(key nodeKey, name string, secret []byte, peer netip.AddrPort) *verdict {
	v := g.view.Load()
	c, n := v.node(key)
	if c == nil {
		return &verdict{view: v, reason: "the cache or its node is gone"}
	}
	user := c.User(name)
	known := user != nil
	if !known {
		user = nobody
	}
	result := accept(v, n, user, "")
	result.known = known
	result.ticket = g.ticket(c, name, secret)
	result.identity.method, result.reason = g.prove(c, user, secret, peer, &result.identity)
	switch {
	case !known:
		result.reason = "there is no such user at this cache"
	case !user.Enabled:
		result.reason = "the user is disabled (its access string says off)"
	case result.ticket != nil:
		result.identity.method, result.reason = OneUse, ""
	}
	return result
}

// prove checks a secret against what a user's authentication type asks for.
func (g *Gateway) prove(c *cacheView, user *directory.User, secret []byte, peer netip.AddrPort, id *who) (Method, string) {
	switch user.Auth {
	case identity.AuthNoPassword:
		if user.Name == identity.DefaultUser && c.Anonymous {
			return Anonymous, ""
		}
		return NoPassword, ""
	case identity.AuthIAM:
		if g.cfg.IAM == nil {
			return IAM, "IAM logins are not configured"
		}
		principal, deadline, err := g.cfg.IAM.Verify(c.Cache, user, secret, peer)
		if err != nil {
			return IAM, err.Error()
		}
		id.principal, id.deadline = principal, deadline
		return IAM, ""
	}
	matched := false
	for i := range user.Passwords { // all of them, so that time does not tell which
		matched = g.cfg.Key.Matches(&user.Passwords[i], secret) || matched
	}
	switch {
	case !matched && user.Token:
		return Token, "the AUTH token is wrong"
	case !matched:
		return Password, "the password is wrong"
	case user.Token:
		return Token, ""
	}
	return Password, ""
}

// ticket returns the one-use ticket of this gateway that secret is, if any.
func (g *Gateway) ticket(c *cacheView, user string, secret []byte) *directory.Ticket {
	now := g.cfg.Clock.Now().Unix()
	for i := range c.Tickets {
		t := &c.Tickets[i]
		if t.Gateway == g.cfg.ID && t.User == user && t.Expires >= now && g.cfg.Key.Matches(&t.Digest, secret) {
			return t
		}
	}
	return nil
}

// logIn judges a first login and answers it: with answer, or with the engine's
// reply to HELLO if that is empty.
func (s *session) logIn(object, user string, secret []byte, login backend.Login, answer string) error {
	attempt := s.g.throttle.enter(s.g.ctx, s.addr)
	for {
		v := s.g.judge(s.key, user, secret, s.remote)
		if v.reason != "" {
			s.refuse(attempt, object, user, v)
			s.say(wrongPass)
			return nil
		}
		if v.identity.method == Anonymous && answer != "" && s.isAnonymous() {
			attempt.accept(Anonymous) // an engine is needed at the first command
			s.say(answer)
			return nil
		}
		err := s.enter(v, login, answer)
		switch {
		case errors.Is(err, errStale):
			continue
		case errors.Is(err, errTicketUsed):
			v.reason = err.Error()
			s.refuse(attempt, object, user, v)
			s.say(wrongPass)
			return nil
		}
		attempt.accept(v.identity.method)
		return err
	}
}

// refuse delays a refusal and writes it down.
func (s *session) refuse(attempt *attempt, object, user string, v *verdict) {
	_ = s.flush() // earlier answers need not wait for this one's delay
	attempt.refuse(s.g.ctx)
	s.stats.refused.Add(1)
	if v.node != nil {
		v.node.engine.log.add(s, object, user)
	}
	s.g.observe(LoginEvent{
		Cache: s.at.cache, Node: s.at.node, User: shownUser(s.g.cfg.Key, user, v.known), Peer: s.peer,
		Outcome: Refused, Reason: v.reason,
	})
}

// enter connects to the engine as whom a verdict names and starts relaying.
func (s *session) enter(v *verdict, login backend.Login, answer string) error {
	login.User = v.identity.user
	be, err := s.dial(v, login)
	if err != nil {
		return err
	}
	link := &socket{Conn: be.Conn}
	be.Conn = link
	s.killable.Store(be)
	if err := s.g.bind(s, v, be.ID); err != nil {
		s.killable.Store(nil)
		_ = be.Close()
		return err
	}
	if s.ending.Load() != nil { // killed before the engine's side could be told
		_ = be.Close()
		return errDone
	}
	s.clearLoginDeadline()
	if login.Greet {
		answer = string(be.Greeting)
	}
	s.say(answer)
	if err := s.flush(); err != nil {
		_ = be.Close()
		return err
	}
	s.be, s.link = be, link
	s.welcome(v, Accepted)
	return nil
}

// welcome counts and reports an accepted login.
func (s *session) welcome(v *verdict, outcome Outcome) {
	s.stats.loggedIn(v.identity.user, v.identity.method)
	s.g.observe(s.event(&v.identity, outcome, reasonAccepted[v.identity.method]))
}

var reasonAccepted = map[Method]string{
	Anonymous:  "the cache lets anonymous clients in",
	NoPassword: "the user needs no password",
	Token:      "the AUTH token is right",
	Password:   "the password is right",
	OneUse:     "a one-use ticket was presented",
	IAM:        "the IAM token is valid",
}

// dial reaches the engine, and waits a while for one that is restarting.
func (s *session) dial(v *verdict, login backend.Login) (*backend.Conn, error) {
	until := time.Now().Add(engineWait)
	for {
		be, err := backend.Dial(s.g.ctx, v.node.Node, login)
		if err == nil {
			return be, nil
		}
		wait := engineRetry
		if errors.As(err, new(backend.Refusal)) {
			wait = engineWait // the directory's secret is another start's: await the news
		}
		select {
		case <-v.view.replaced:
			return nil, errStale
		case <-s.g.ctx.Done():
			return nil, errDone
		case <-time.After(wait):
		}
		if time.Now().After(until) {
			s.g.cfg.Log.Warn("the engine cannot be reached", "cache", s.key.cache, "node", s.key.node, "error", err)
			s.say(stillLoading)
			return nil, errDone
		}
	}
}
