package remote

import (
	"time"

	"github.com/gatehouse/gatehouse/internal/gateway"
)

// version is of this protocol. Both programs are built from one tree; another
// version is refused with a text that says so.
const version = 1

// toGateway is what the control plane sends. Exactly one field is set.
type toGateway struct {
	Welcome     *welcome     `json:"welcome,omitempty"`
	Refused     *refused     `json:"refused,omitempty"`
	Cache       *wireCache   `json:"cache,omitempty"`
	Commit      *commit      `json:"commit,omitempty"`
	Renewed     *renewed     `json:"renewed,omitempty"`
	Received    *received    `json:"received,omitempty"`
	Certificate *certificate `json:"certificate,omitempty"`
	Ask         *ask         `json:"ask,omitempty"`
}

func (m *toGateway) valid() bool {
	return count(m.Welcome != nil, m.Refused != nil, m.Cache != nil, m.Commit != nil,
		m.Renewed != nil, m.Received != nil, m.Certificate != nil, m.Ask != nil) == 1
}

// toControl is what a gateway sends. Exactly one field is set.
type toControl struct {
	Hello    *hello    `json:"hello,omitempty"`
	Ack      *ack      `json:"ack,omitempty"`
	Renew    *renew    `json:"renew,omitempty"`
	Events   *events   `json:"events,omitempty"`
	Certify  *certify  `json:"certify,omitempty"`
	Sessions *sessions `json:"sessions,omitempty"`
	Leave    *leave    `json:"leave,omitempty"`
}

func (m *toControl) valid() bool {
	return count(m.Hello != nil, m.Ack != nil, m.Renew != nil, m.Events != nil,
		m.Certify != nil, m.Sessions != nil, m.Leave != nil) == 1
}

func count(set ...bool) int {
	n := 0
	for _, b := range set {
		if b {
			n++
		}
	}
	return n
}

// hello is the first message of a gateway. Instance names its data directory,
// Process one run of the program: events are numbered anew in each.
type hello struct {
	Version  int    `json:"version"`
	Instance string `json:"instance"`
	Process  string `json:"process"`
}

// welcome answers it. DigestKey is what passwords are judged with.
type welcome struct {
	DigestKey []byte        `json:"digestKey"`
	MaxStale  time.Duration `json:"maxStale"`
}

// refused is the last message to a gateway that may not follow.
type refused struct {
	Reason string `json:"reason"`
}

// commit puts the caches sent since the last commit into force, together.
type commit struct {
	Revision int64    `json:"revision"`
	Full     bool     `json:"full,omitempty"`
	Gone     []string `json:"gone,omitempty"`
}

// ack says that the gateway acts on a revision.
type ack struct {
	Revision int64 `json:"revision"`
}

// renew keeps the lease and carries the counters; renewed answers it.
type renew struct {
	Number   int64    `json:"number"`
	Counters Counters `json:"counters"`
}

type renewed struct {
	Number int64 `json:"number"`
}

// events are login events, numbered from First on. Dropped is how many were
// lost since the start because the buffer was full.
type events struct {
	First   int64                `json:"first"`
	Dropped int64                `json:"dropped"`
	Events  []gateway.LoginEvent `json:"events"`
}

// received confirms the events up to Last; the gateway forgets them then. Those
// that a control plane took but did not confirm before it ended come again to
// the next: an event may be recorded twice, and is not lost.
type received struct {
	Last int64 `json:"last"`
}

// certify asks for a certificate for the gateway's listeners, for a PKIX key.
type certify struct {
	PublicKey []byte `json:"publicKey"`
}

type certificate struct {
	DER []byte `json:"der"`
}

// ask wants the list of sessions; sessions answers it, in parts.
type ask struct {
	Number int64 `json:"number"`
}

type sessions struct {
	Number   int64             `json:"number"`
	Sessions []gateway.Session `json:"sessions"`
	More     bool              `json:"more,omitempty"`
}

// leave is the last message of a gateway that has stopped and admits nobody.
type leave struct{}

// Counters are what a gateway has counted since its start.
type Counters struct {
	Nodes    []gateway.NodeMetrics `json:"nodes"`
	Sessions []SessionCount        `json:"sessions"`
}

// SessionCount is how many sessions of a node logged in one way.
type SessionCount struct {
	Cache  string         `json:"cache"`
	Node   string         `json:"node"`
	Method gateway.Method `json:"method"`
	Count  int            `json:"count"`
}

// CountSessions counts a list of sessions.
func CountSessions(list []gateway.Session) []SessionCount {
	var counts []SessionCount
	index := map[SessionCount]int{}
	for _, s := range list {
		key := SessionCount{Cache: s.Cache, Node: s.Node, Method: s.Method}
		i, known := index[key]
		if !known {
			i = len(counts)
			index[key] = i
			counts = append(counts, key)
		}
		counts[i].Count++
	}
	return counts
}
