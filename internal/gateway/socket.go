package gateway

import (
	"net"
	"sync"
)

// socket is one side of a session: the client's bytes under TLS, or the
// engine's. It is an ordinary connection that waits, or, while an event loop
// serves the session, a file descriptor that never does: reading finds nothing
// then and says errNothing, and what cannot be written yet is kept.
type socket struct {
	net.Conn // nil while a loop has the socket

	sending sync.Mutex // one writer at a time while an earlier write is finished
	pending []byte     // written, and not sent yet
	fd      int
	ready   bool // reading may find something
	budget  int  // bytes that may still be read in this turn
}

// errNothing says that there is nothing to read now. crypto/tls goes on after
// errors that say they are temporary.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read now" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

func (k *socket) Read(p []byte) (int, error) {
	if k.Conn == nil {
		return k.readNow(p)
	}
	return k.Conn.Read(p)
}

func (k *socket) Write(p []byte) (int, error) {
	if k.Conn == nil {
		return k.writeNow(p)
	}
	k.sending.Lock()
	defer k.sending.Unlock()
	if err := k.sendPending(); err != nil {
		return 0, err
	}
	return k.Conn.Write(p)
}

// Flush sends what a loop could not, and waits for it.
func (k *socket) Flush() error {
	k.sending.Lock()
	defer k.sending.Unlock()
	return k.sendPending()
}

func (k *socket) sendPending() error {
	if len(k.pending) == 0 {
		return nil
	}
	_, err := k.Conn.Write(k.pending)
	k.pending = nil
	return err
}

// CloseWrite ends what is sent.
func (k *socket) CloseWrite() error {
	if half, ok := k.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return k.Conn.Close()
}
