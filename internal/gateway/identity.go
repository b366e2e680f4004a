package gateway

import (
	"errors"
	"slices"
	"strconv"

	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// authAgain handles AUTH in a session. The relay is halted.
func (s *session) authAgain(words [][]byte) error {
	if refused, err := s.engineRefuses("AUTH", s.who.user, s.secretOf(s.who.user)); refused || err != nil {
		return err
	}
	user, secret, answer := s.readAuth(words)
	if answer != "" {
		s.say(answer)
		return nil
	}
	return s.changeUser(string(words[0]), user, secret, func(secret string) []byte {
		return resp.AppendCommand(nil, "AUTH", user, secret)
	})
}

// helloAgain handles HELLO with AUTH in a session. The relay is halted.
func (s *session) helloAgain(words [][]byte) error {
	if refused, err := s.engineRefuses("HELLO"); refused || err != nil {
		return err
	}
	h := readHello(words)
	if h.fault != "" {
		s.say("-" + h.fault + "\r\n")
		return nil
	}
	return s.changeUser(string(words[0]), h.user, h.secret, func(secret string) []byte {
		command := []string{"HELLO", strconv.Itoa(h.protocol), "AUTH", h.user, secret}
		if h.name != nil {
			command = append(command, "SETNAME", string(h.name))
		}
		return resp.AppendCommand(nil, command...)
	})
}

// engineRefuses tries a command that changes nothing. In some states, such as
// RESP2 with a subscription, the engine takes no login at all; its error is
// passed on then.
func (s *session) engineRefuses(probe ...string) (bool, error) {
	values, err := s.be.Exchange(resp.AppendCommand(nil, probe...))
	if err != nil {
		return false, errEngineGone
	}
	refused := slices.ContainsFunc(values, func(v resp.Value) bool { return v.Kind == '-' })
	for _, v := range values {
		if refused || isPush(v) {
			s.sayValue(v)
		}
	}
	return refused, nil
}

// isPush reports whether the engine sent a value of its own accord: a push of
// RESP3 or a line of MONITOR, which begins with the time.
func isPush(v resp.Value) bool {
	return v.Kind == '>' || v.Kind == '+' && len(v.Text) > 0 && '0' <= v.Text[0] && v.Text[0] <= '9'
}

func (s *session) sayValue(v resp.Value) { s.out = v.Append(s.out) }

// secretOf is what the engine knows a user by, at this session's engine.
func (s *session) secretOf(user string) string {
	_, n := s.g.view.Load().node(s.key)
	if n == nil {
		return ""
	}
	return n.Secrets[user].Reveal()
}

// changeUser judges a login in a session. A refused one leaves the earlier
// login as it is; an accepted one goes to the engine with Gatehouse's secret.
func (s *session) changeUser(object, user string, secret []byte, command func(secret string) []byte) error {
	attempt := s.g.throttle.enter(s.g.ctx, s.addr)
	for {
		v := s.g.judge(s.key, user, secret, s.remote)
		if v.reason == "" {
			err := s.becomeUser(v, command)
			switch {
			case errors.Is(err, errStale):
				continue
			case !errors.Is(err, errTicketUsed):
				attempt.accept(v.identity.method)
				return err
			}
			v.reason = err.Error()
		}
		s.refuse(attempt, object, user, v)
		s.say(wrongPass)
		return nil
	}
}

// becomeUser makes the engine change the connection's user. The session is
// bound first: if the right is gone meanwhile, nothing has happened.
func (s *session) becomeUser(v *verdict, command func(secret string) []byte) error {
	secret, known := v.node.Secrets[v.identity.user]
	if !known || v.node.engine != s.who.engine {
		return errEngineGone
	}
	if err := s.g.bind(s, v, s.clientID); err != nil {
		return err
	}
	values, err := s.be.Exchange(command(secret.Reveal()))
	if err != nil {
		return errEngineGone
	}
	for _, value := range values {
		if value.Kind == '-' { // the engine lost the user: the update that says so is on its way
			return errEngineGone
		}
		s.sayValue(value)
	}
	s.welcome(v, Reauthenticated)
	return nil
}

// reset is a log-out. On a cache that lets anonymous clients in the client is
// "default" again; on any other it is a stranger without an engine.
func (s *session) reset() error {
	if err := s.halt(resp.AppendCommand(nil, "RESET")); err != nil {
		return err
	}
	s.multi, s.silent, s.skipOne = false, false, false
	was := s.g.unbind(s)
	if was != nil {
		s.g.observe(s.event(was, LoggedOut, "the client said RESET"))
	}
	v := s.anonymousVerdict()
	if v != nil && was != nil && v.node.engine == was.engine {
		values, err := s.be.Exchange(resp.AppendCommand(nil, "AUTH", identity.DefaultUser, v.node.Secrets[identity.DefaultUser].Reveal()))
		if err == nil && len(values) == 1 && values[0].Kind == '+' && s.g.bind(s, v, s.be.ID) == nil {
			return s.resume()
		}
	}
	s.closeEngine()
	s.g.estrange(s)
	s.setLoginDeadline()
	return nil
}

// actSilently carries out a command whose reply the client has turned off. The
// engine answers no marker then, so nothing is awaited.
func (s *session) actSilently(act action, words [][]byte, cut bool) error {
	s.skipOne = false
	if cut {
		return s.sendNothing()
	}
	switch act {
	case actReply:
		return s.replyModeSilently(words)
	case actAuth, actHello:
		return s.logInSilently(act, words)
	case actRestricted, actKill:
		return s.sendNothing()
	}
	_, err := s.be.Write(resp.AppendCommand(nil, words...))
	return s.engineFault(err)
}

// sendNothing sends a command that does nothing, so that an open transaction is
// aborted as it is by any refused command.
func (s *session) sendNothing() error {
	_, err := s.be.Write(backend.NewMarker().Command())
	return s.engineFault(err)
}

func (s *session) logInSilently(act action, words [][]byte) error {
	user, secret, answer := "", []byte(nil), ""
	command := func(secret string) []byte { return resp.AppendCommand(nil, "AUTH", user, secret) }
	if act == actAuth {
		user, secret, answer = s.readAuth(words)
	} else {
		h := readHello(words)
		if !h.auth || h.fault != "" {
			_, err := s.be.Write(resp.AppendCommand(nil, words...))
			return s.engineFault(err)
		}
		user, secret = h.user, h.secret
		command = func(secret string) []byte {
			return resp.AppendCommand(nil, "HELLO", strconv.Itoa(h.protocol), "AUTH", user, secret)
		}
	}
	if answer != "" || s.multi {
		return s.sendNothing()
	}
	attempt := s.g.throttle.enter(s.g.ctx, s.addr)
	v := s.g.judge(s.key, user, secret, s.remote)
	if v.reason != "" || v.node.engine != s.who.engine || s.g.bind(s, v, s.clientID) != nil {
		s.refuse(attempt, string(words[0]), user, v)
		return nil
	}
	attempt.accept(v.identity.method)
	s.welcome(v, Reauthenticated)
	_, err := s.be.Write(command(s.secretOf(user)))
	return s.engineFault(err)
}

// estrange counts a connection that logged out among those without a login.
func (g *Gateway) estrange(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !s.stranger {
		s.stranger = true
		g.addresses[s.addr].strangers++
	}
}
