package gateway

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// hideInternal handles the ACL commands that speak of users. What the engine
// knows beside the customer's rules is left out: Gatehouse's own users, the
// hashes of the secrets by which sessions are connected, and the rules that
// take restricted commands away.
func (s *session) hideInternal(act action, words [][]byte) error {
	if act != actUsers {
		if strings.HasPrefix(string(words[2]), identity.InternalPrefix) {
			return s.unknownUser(words)
		}
		if act == actDryRun {
			return s.passThrough(words)
		}
		name := string(words[2])
		return s.rewrite(words, func(v resp.Value) resp.Value { return s.rewriteUser(v, name) })
	}
	return s.rewrite(words, s.rewriteUsers)
}

// unknownUser asks for a user that does not exist in place of an internal one.
func (s *session) unknownUser(words [][]byte) error {
	asked, stand := string(words[2]), backend.NewMarker().Name()
	words = slices.Clone(words)
	words[2] = []byte(stand)
	values, err := s.be.Exchange(resp.AppendCommand(nil, words...))
	if err != nil {
		return errEngineGone
	}
	for _, v := range values {
		v.Text = []byte(strings.ReplaceAll(string(v.Text), stand, oneLine([]byte(asked))))
		s.sayValue(v)
	}
	return nil
}

// rewriteUsers changes a reply to ACL LIST or ACL USERS.
func (s *session) rewriteUsers(v resp.Value) resp.Value {
	v.Elems = slices.DeleteFunc(slices.Clone(v.Elems), func(e resp.Value) bool {
		return strings.HasPrefix(strings.TrimPrefix(string(e.Text), "user "), identity.InternalPrefix)
	})
	for i := range v.Elems {
		if line, isLine := strings.CutPrefix(string(v.Elems[i].Text), "user "); isLine {
			v.Elems[i].Text = []byte("user " + s.rewriteRules(line))
		}
	}
	return v
}

// rewriteRules changes one line of ACL LIST, behind the word "user".
func (s *session) rewriteRules(line string) string {
	words := strings.Split(line, " ")
	kept := words[:1]
	for _, word := range words[1:] {
		switch {
		case !strings.HasPrefix(word, "#"):
			kept = append(kept, word)
		case s.isOpen(words[0]):
			kept = append(kept, "nopass")
		}
	}
	return acl.HideRestriction(s.kind(), strings.Join(kept, " "))
}

// isOpen reports whether customers know a user as one without a password.
func (s *session) isOpen(name string) bool {
	u := s.directoryUser(name)
	return u != nil && needsNoPassword(u)
}

func (s *session) directoryUser(name string) *directory.User {
	c, _ := s.g.view.Load().node(s.key)
	if c == nil {
		return nil
	}
	return c.User(name)
}

// kind is the engine's kind.
func (s *session) kind() identity.Engine {
	_, n := s.g.view.Load().node(s.key)
	if n == nil {
		return identity.Valkey
	}
	return n.Kind
}

// rewriteUser changes a reply to ACL GETUSER.
func (s *session) rewriteUser(v resp.Value, name string) resp.Value {
	if passwords := v.Field("passwords"); passwords != nil {
		passwords.Elems = nil
	}
	if flags := v.Field("flags"); flags != nil && s.isOpen(name) {
		flags.Elems = append(flags.Elems, resp.Bulk("nopass"))
	}
	s.hideIn(&v)
	if selectors := v.Field("selectors"); selectors != nil {
		for i := range selectors.Elems {
			s.hideIn(&selectors.Elems[i])
		}
	}
	return v
}

func (s *session) hideIn(selector *resp.Value) {
	if commands := selector.Field("commands"); commands != nil {
		commands.Text = []byte(acl.HideRestriction(s.kind(), string(commands.Text)))
	}
}
