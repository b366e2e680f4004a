package gateway

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Rules of the engines' ACL LOG (acl.c, addACLLogEntry): entries that differ
// only in time are one for a minute, looked for among the last ten.
const (
	logLength   = 128 // acllog-max-len
	logGrouping = time.Minute
	logLookback = 10
	logDefault  = 10 // entries that ACL LOG shows when no number is given
	// logFirstID keeps the ids of the gateway's entries apart from the engine's,
	// which count from 0.
	logFirstID = 1 << 40
)

// refusalLog is the gateway's part of ACL LOG: refused logins never reach the
// engine. Newest first.
type refusalLog struct {
	mu      sync.Mutex
	next    int64
	entries []refusal
}

type refusal struct {
	id               int64
	count            int64
	object, user     string
	info             string
	created, updated time.Time
}

func (l *refusalLog) add(s *session, object, user string) {
	now := s.g.cfg.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := refusal{id: logFirstID + l.next, object: object, user: user, created: now}
	at := slices.IndexFunc(l.entries[:min(logLookback, len(l.entries))], func(e refusal) bool {
		return e.object == object && e.user == user && now.Sub(e.updated) <= logGrouping
	})
	if at >= 0 {
		entry = l.entries[at]
		l.entries = slices.Delete(l.entries, at, at+1)
	} else {
		l.next++
	}
	entry.count++
	entry.updated = now
	entry.info = s.infoLine(object)
	l.entries = slices.Insert(l.entries, 0, entry)
	l.entries = l.entries[:min(logLength, len(l.entries))]
}

func (l *refusalLog) newest(n int) []refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries[:min(n, len(l.entries))])
}

func (l *refusalLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// infoLine describes a client that the engine has not seen, in the form that
// the engine has for clients.
func (s *session) infoLine(object string) string {
	user := identity.DefaultUser
	if s.who != nil {
		user = s.who.user
	}
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=-1 name= age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 "+
		"qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=%s user=%s redir=-1 resp=2",
		s.clientID, s.peer, s.local, strings.ToLower(object), user)
}

// aclLog handles ACL LOG. The relay is halted.
func (s *session) aclLog(words [][]byte) error {
	log := &s.who.engine.log
	count := int64(logDefault)
	switch {
	case len(words) == 3 && isWord(words[2], "reset"):
		return s.rewrite(words, func(v resp.Value) resp.Value {
			log.reset()
			return v
		})
	case len(words) == 3:
		number, isNumber := resp.ParseInt(words[2])
		if !isNumber {
			return s.passThrough(words)
		}
		count = min(max(number, 0), logLength)
	case len(words) > 3:
		return s.passThrough(words)
	}
	own := log.newest(int(count))
	protocol := 2
	if len(own) > 0 {
		line, err := s.clientLine()
		if err != nil {
			return s.passThrough(words)
		}
		protocol, _ = strconv.Atoi(field(line, "resp"))
	}
	return s.rewrite(words, func(v resp.Value) resp.Value { return s.mergeLog(v, own, int(count), protocol) })
}

// mergeLog puts the gateway's entries among the engine's, newest first.
func (s *session) mergeLog(v resp.Value, own []refusal, count, protocol int) resp.Value {
	if v.Kind != '*' {
		return v
	}
	now := s.g.cfg.Clock.Now()
	var merged []resp.Value
	for i := range v.Elems {
		entry := &v.Elems[i]
		s.rewriteLine(entry.Field("client-info"))
		age, _ := strconv.ParseFloat(string(textOf(entry.Field("age-seconds"))), 64)
		for len(own) > 0 && now.Sub(own[0].updated).Seconds() < age {
			merged = append(merged, s.logEntry(&own[0], now, protocol))
			own = own[1:]
		}
		merged = append(merged, *entry)
	}
	for i := range own {
		merged = append(merged, s.logEntry(&own[i], now, protocol))
	}
	v.Elems = merged[:min(count, len(merged))]
	return v
}

func textOf(v *resp.Value) []byte {
	if v == nil {
		return nil
	}
	return v.Text
}

// logEntry is an entry in the form of the engine and the protocol.
func (s *session) logEntry(e *refusal, now time.Time, protocol int) resp.Value {
	isValkey := s.kind() == identity.Valkey
	seconds := float64(now.Sub(e.updated).Milliseconds()) / 1000
	digits := 17 // redis 7.0 prints doubles with all digits
	if isValkey {
		digits = -1
	}
	entry, age := resp.Value{Kind: '*'}, resp.Bulk(strconv.FormatFloat(seconds, 'g', digits, 64))
	if protocol == 3 {
		entry.Kind, age.Kind = '%', ','
	}
	add := func(key string, value resp.Value) { entry.Elems = append(entry.Elems, resp.Bulk(key), value) }
	add("count", resp.Int(e.count))
	add("reason", resp.Bulk("auth"))
	add("context", resp.Bulk("toplevel"))
	add("object", resp.Bulk(e.object))
	add("username", resp.Bulk(e.user))
	add("age-seconds", age)
	add("client-info", resp.Bulk(e.info))
	if isValkey {
		add("entry-id", resp.Int(e.id))
		add("timestamp-created", resp.Int(e.created.UnixMilli()))
		add("timestamp-last-updated", resp.Int(e.updated.UnixMilli()))
	}
	return entry
}
