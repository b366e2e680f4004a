package gateway

import (
	"bytes"
	"errors"

	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Answers of the engines (server.c, acl.c, networking.c of valkey 8.0 and
// redis 7.0), word for word.
const (
	ok           = "+OK\r\n"
	noAuth       = "-NOAUTH Authentication required.\r\n"
	wrongPass    = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
	noPassword   = "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n"
	syntaxError  = "-ERR syntax error\r\n"
	inMulti      = "-ERR Command not allowed inside a transaction\r\n"
	authArity    = "-ERR wrong number of arguments for 'auth' command\r\n"
	helloNoAuth  = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	stillLoading = "-LOADING The engine of this cache is starting. Try again in a moment.\r\n"
	tooLong      = "-ERR the command is too long\r\n"
)

// front answers a command while no engine is involved: before the first login,
// and after RESET.
func (s *session) front(act action, words [][]byte) error {
	switch act {
	case actAuth:
		return s.firstAuth(words)
	case actHello:
		return s.firstHello(words)
	case actReset:
		s.say("+RESET\r\n")
		return nil
	case actQuit:
		s.say(ok)
		return errDone
	case actRestricted:
		s.say("-" + backend.UnknownCommand(words) + "\r\n")
		return nil
	}
	if s.isAnonymous() {
		return s.enterAnonymously(words)
	}
	return s.turnAway(words)
}

// turnAway refuses a command that needs a login. Like the engines it looks
// first whether there is such a command.
func (s *session) turnAway(words [][]byte) error {
	if bytes.EqualFold(words[0], []byte("host:")) || bytes.EqualFold(words[0], []byte("post")) {
		return errDone // a browser was made to send this; the engines hang up
	}
	if table := s.table(); table != nil {
		if fault := table.Fault(words); fault != "" {
			s.say("-" + fault + "\r\n")
			return nil
		}
	}
	s.say(noAuth)
	return nil
}

// table is the engine's command table, nil if the engine is away.
func (s *session) table() *backend.Table {
	_, n := s.g.view.Load().node(s.key)
	if n == nil {
		return nil
	}
	table, err := n.engine.admin.Table(s.g.ctx)
	if err != nil {
		s.g.cfg.Log.Warn("cannot read the engine's commands", "cache", s.key.cache, "node", s.key.node, "error", err)
		return nil
	}
	return table
}

// isAnonymous reports whether the client may act as "default" without a login.
func (s *session) isAnonymous() bool {
	c, _ := s.g.view.Load().node(s.key)
	return c != nil && c.mayBeAnonymous()
}

// enterAnonymously connects a client that has not logged in as "default" and
// passes its command on, if one is given.
func (s *session) enterAnonymously(words [][]byte) error {
	if err := s.connectAnonymously(); err != nil || words == nil {
		return err
	}
	if s.be == nil { // the cache asks for a login since a moment ago
		return s.turnAway(words)
	}
	s.commands.Add(1)
	_, err := s.be.Write(resp.AppendCommand(nil, words...))
	return s.engineFault(err)
}

// connectAnonymously makes the session of a client that need not log in. The
// session has no engine afterwards if it may not any more.
func (s *session) connectAnonymously() error {
	for {
		v := s.anonymousVerdict()
		if v == nil {
			return nil
		}
		err := s.enter(v, backend.Login{Protocol: 2}, "")
		if !errors.Is(err, errStale) {
			return err
		}
	}
}

func (s *session) anonymousVerdict() *verdict {
	view := s.g.view.Load()
	c, n := view.node(s.key)
	if c == nil || !c.mayBeAnonymous() {
		return nil
	}
	return accept(view, n, c.User(identity.DefaultUser), Anonymous)
}

// firstAuth handles AUTH while no engine is involved.
func (s *session) firstAuth(words [][]byte) error {
	user, secret, answer := s.readAuth(words)
	if answer != "" {
		s.say(answer)
		return nil
	}
	return s.logIn(string(words[0]), user, secret, backend.Login{Protocol: 2}, ok)
}

// readAuth reads the arguments of AUTH. The answer, if any, is the error.
func (s *session) readAuth(words [][]byte) (user string, secret []byte, answer string) {
	switch len(words) {
	case 1:
		return "", nil, authArity
	case 2:
		c, _ := s.g.view.Load().node(s.key)
		if c == nil {
			return "", nil, wrongPass
		}
		if u := c.User(identity.DefaultUser); u != nil && needsNoPassword(u) {
			return "", nil, noPassword
		}
		return identity.DefaultUser, words[1], ""
	case 3:
		return string(words[1]), words[2], ""
	default:
		return "", nil, syntaxError
	}
}
