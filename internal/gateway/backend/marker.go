package backend

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// Marker is a command that no engine knows, named by 128 random bits. Engines
// answer it in order and in every state, before login, in subscribe mode and
// under MONITOR too, before they look at permissions; so its answer marks a
// place in the stream of replies that nothing a client stores can imitate.
// Inside MULTI it also aborts the transaction.
type Marker struct {
	name string
	line []byte
}

// NewMarker makes a marker.
func NewMarker() *Marker {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	name := hex.EncodeToString(nonce[:])
	return &Marker{name: name, line: []byte("-ERR unknown command '" + name + "', with args beginning with: \r\n")}
}

// Command is what to send.
func (m *Marker) Command() []byte { return resp.AppendCommand(nil, m.name) }

// Len is the length of the answer.
func (m *Marker) Len() int { return len(m.line) }

// Find returns where the answer begins in buf, -1 if it is not there.
func (m *Marker) Find(buf []byte) int { return bytes.Index(buf, m.line) }

// Partial returns how many bytes at the end of buf may be the beginning of the
// answer.
func (m *Marker) Partial(buf []byte) int {
	for n := min(len(buf), len(m.line)-1); n > 0; n-- {
		if buf[len(buf)-n] == '-' && bytes.HasPrefix(m.line, buf[len(buf)-n:]) {
			return n
		}
	}
	return 0
}

// Name is the marker's random name.
func (m *Marker) Name() string { return m.name }
