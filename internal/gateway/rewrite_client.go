package gateway

import (
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// The engine sees every client at the gateway's socket. What it says of
// connections is corrected here: peers' addresses in place of the socket's, and
// no lines of connections that are not clients'.

// verbatimText begins the content of CLIENT LIST in RESP3.
const verbatimText = "txt:"

// rewriteClients corrects a reply to CLIENT LIST or CLIENT INFO.
func (s *session) rewriteClients(v resp.Value) resp.Value {
	text := string(v.Text)
	if v.Kind == '=' {
		text = strings.TrimPrefix(text, verbatimText)
	}
	var b strings.Builder
	if v.Kind == '=' {
		b.WriteString(verbatimText)
	}
	for line := range strings.Lines(text) {
		if other := s.sessionOf(line); other != nil {
			b.WriteString(other.correct(line))
		}
	}
	v.Text = []byte(b.String())
	return v
}

// sessionOf finds the session that a line of CLIENT LIST is about.
func (s *session) sessionOf(line string) *session {
	id, err := strconv.ParseInt(field(line, "id"), 10, 64)
	if err != nil {
		return nil
	}
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	return s.who.engine.clients[id]
}

// correct puts a client's own addresses into a line about it.
func (s *session) correct(line string) string { return s.ends().correct(line) }

func (s *session) ends() addresses { return addresses{s.peer, s.local} }

func (a addresses) correct(line string) string {
	fields := strings.Split(line, " ")
	for i, f := range fields {
		switch key, value, _ := strings.Cut(f, "="); key {
		case "addr":
			fields[i] = "addr=" + a.peer
		case "laddr":
			fields[i] = "laddr=" + a.local
		case "flags": // U says that the engine sees a unix socket
			if value = strings.ReplaceAll(value, "U", ""); value == "" {
				value = "N"
			}
			fields[i] = "flags=" + value
		}
	}
	return strings.Join(fields, " ")
}

// field returns a field of a line of CLIENT LIST.
func field(line, key string) string {
	for f := range strings.FieldsSeq(line) {
		if value, found := strings.CutPrefix(f, key+"="); found {
			return value
		}
	}
	return ""
}

// clientLines asks the engine for lines about clients, as Gatehouse.
func (s *session) clientLines(words ...string) (string, error) {
	v, err := s.who.engine.admin.Do(s.g.ctx, append([]string{"CLIENT", "LIST"}, words...)...)
	return string(v.Text), err
}

// clientLine is the engine's line about this session.
func (s *session) clientLine() (string, error) {
	return s.clientLines("ID", strconv.FormatInt(s.be.ID, 10))
}

// killFilter is a CLIENT KILL that was understood.
type killFilter struct {
	old                          bool // the form with nothing but an address
	id, maxAge                   int64
	kind, addr, laddr, user      string
	hasID, hasAge, hasAddr       bool
	hasLaddr, hasUser, keepsSelf bool
}

// readKill reads CLIENT KILL by the rules of networking.c, clientCommand. It
// reports false for what the engine must refuse itself.
func readKill(words [][]byte, engine identity.Engine) (killFilter, bool) {
	if len(words) == 3 {
		return killFilter{old: true, hasAddr: true, addr: string(words[2])}, true
	}
	f := killFilter{keepsSelf: true}
	for rest := words[2:]; len(rest) > 0; rest = rest[2:] {
		if len(rest) < 2 || !f.option(strings.ToLower(string(rest[0])), string(rest[1]), engine) {
			return f, false
		}
	}
	return f, true
}

func (f *killFilter) option(name, value string, engine identity.Engine) bool {
	number, isNumber := resp.ParseInt([]byte(value))
	switch name {
	case "id":
		f.id, f.hasID = number, true
		return isNumber && number > 0
	case "maxage":
		f.maxAge, f.hasAge = number, true
		return engine == identity.Valkey && isNumber && number > 0
	case "addr":
		f.addr, f.hasAddr = value, true
	case "laddr":
		f.laddr, f.hasLaddr = value, true
	case "user":
		f.user, f.hasUser = value, true
	case "skipme":
		f.keepsSelf = strings.EqualFold(value, "yes")
		return f.keepsSelf || strings.EqualFold(value, "no")
	case "type":
		f.kind = strings.ToLower(value)
		switch f.kind {
		case "normal", "slave", "replica", "pubsub", "master":
		case "primary":
			return engine == identity.Valkey
		default:
			return false
		}
	default:
		return false
	}
	return true
}

// matches reports whether a session, with the engine's line about it, is meant.
func (f *killFilter) matches(s *session, user, line string) bool {
	age, _ := strconv.ParseInt(field(line, "age"), 10, 64)
	return (!f.hasID || f.id == s.clientID) &&
		(!f.hasAge || age >= f.maxAge) &&
		(!f.hasAddr || f.addr == s.peer) &&
		(!f.hasLaddr || f.laddr == s.local) &&
		(!f.hasUser || f.user == user) &&
		(f.kind == "" || f.kind == kindOf(field(line, "flags")))
}

func kindOf(flags string) string {
	if strings.Contains(flags, "P") {
		return "pubsub"
	}
	return "normal"
}

// noClient is an id that no client has.
const noClient = 1<<63 - 1

// killClients handles CLIENT KILL: the gateway knows which sessions are meant,
// the engine whether the user may kill them.
func (s *session) killClients(words [][]byte) error {
	_, n := s.g.view.Load().node(s.key)
	if n == nil {
		return errEngineGone
	}
	f, understood := readKill(words, s.kind())
	_, hasUser := n.Secrets[f.user]
	if !understood || f.hasUser && !hasUser && !strings.HasPrefix(f.user, identity.InternalPrefix) {
		return s.passThrough(words)
	}
	lines, err := s.clientLines()
	if err != nil {
		return s.passThrough(words)
	}
	killed, self, refused, err := s.killEach(s.meant(&f, lines))
	switch {
	case refused || err != nil:
		return err
	case f.hasUser && !hasUser:
		s.say("-ERR No such user '" + oneLine([]byte(f.user)) + "'\r\n")
	case !f.old:
		s.sayValue(resp.Int(int64(killed)))
	case killed == 0:
		s.say("-ERR No such client\r\n")
	default:
		s.say(ok)
	}
	if self {
		return errDone
	}
	return nil
}

// meant lists the clients that a filter matches; the own one comes last.
func (s *session) meant(f *killFilter, lines string) []int64 {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	var ids []int64
	self := false
	for line := range strings.Lines(lines) {
		id, _ := strconv.ParseInt(field(line, "id"), 10, 64)
		other := s.who.engine.clients[id]
		switch {
		case other == nil || !f.matches(other, other.who.user, line):
		case other != s:
			ids = append(ids, id)
		default:
			self = !f.keepsSelf
		}
	}
	if self {
		ids = append(ids, s.clientID)
	}
	return ids
}

// killEach lets the engine kill clients by id, on behalf of the session's user.
// With nobody to kill it still asks, so that a refusal is the engine's. It
// reports whether the session itself was among them.
func (s *session) killEach(ids []int64) (killed int, self, refused bool, err error) {
	if len(ids) == 0 {
		ids = []int64{noClient}
	}
	for _, id := range ids {
		command := resp.AppendCommand(nil, "CLIENT", "KILL", "ID", strconv.FormatInt(id, 10), "SKIPME", "no")
		var values []resp.Value
		if self = id == s.clientID; self {
			values, err = s.be.ExchangeLast(command)
		} else {
			values, err = s.be.Exchange(command)
		}
		if err != nil {
			return killed, self, false, errEngineGone
		}
		for _, v := range values {
			if v.Kind == ':' {
				killed += int(v.Int())
				continue
			}
			s.sayValue(v)
			refused = refused || v.Kind == '-'
		}
		if refused {
			return killed, false, true, nil
		}
	}
	return killed, self, false, nil
}

// rewriteLine corrects the client line inside an ACL LOG entry.
func (s *session) rewriteLine(v *resp.Value) {
	if v == nil {
		return
	}
	line := string(v.Text)
	if other := s.sessionOf(line); other != nil {
		v.Text = []byte(other.correct(line))
		return
	}
	id, _ := strconv.ParseInt(field(line, "id"), 10, 64)
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	if left, known := s.who.engine.left.addresses[id]; known {
		v.Text = []byte(left.correct(line))
	}
}
