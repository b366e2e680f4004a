package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// listener is one port of a cache.
type listener struct {
	key     nodeKey
	address string
	net     net.Listener
}

func (l *listener) close() { _ = l.net.Close() }

// addressUse counts the connections of one address.
type addressUse struct{ all, strangers int }

// listen makes the ports that are open agree with the directory.
func (g *Gateway) listen() {
	wanted := map[nodeKey]string{}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping {
		return
	}
	for id, c := range g.view.Load().caches {
		for name, n := range c.nodes {
			wanted[nodeKey{id, name}] = n.Listen
			g.countersOf(nodeKey{id, n.ClusterID})
		}
	}
	for key, l := range g.listeners {
		if wanted[key] != l.address {
			l.close()
			delete(g.listeners, key)
		}
	}
	for key, address := range wanted {
		if g.listeners[key] == nil {
			g.open(key, address)
		}
	}
}

// open starts one port; g.mu is held. What fails is tried again.
func (g *Gateway) open(key nodeKey, address string) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		g.cfg.Log.Warn("cannot listen for a cache; trying again", "cache", key.cache, "node", key.node, "error", err)
		return
	}
	opened := &listener{key: key, address: address, net: l}
	g.listeners[key] = opened
	g.active.Go(func() { g.accept(opened) })
}

// Missing lists the nodes whose ports could not be opened so far.
func (g *Gateway) Missing() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var missing []string
	for id, c := range g.view.Load().caches {
		for name, n := range c.nodes {
			if g.listeners[nodeKey{id, name}] == nil {
				missing = append(missing, name+" ("+n.Listen+")")
			}
		}
	}
	return missing
}

// acceptPause is the wait after a failed accept: file descriptors may be short.
const acceptPause = 10 * time.Millisecond

func (g *Gateway) accept(l *listener) {
	for {
		conn, err := l.net.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) { // out of file descriptors, for instance: it passes
				time.Sleep(acceptPause)
				continue
			}
			return
		}
		s, ok := g.admit(l, conn)
		if !ok {
			continue
		}
		g.active.Add(1)
		go func() {
			ended := true
			switch {
			case !g.handshake(s):
			case s.isReplica():
				s.serveReplica()
			default:
				ended = s.serve()
			}
			if ended {
				g.forget(s)
			}
		}()
	}
}

// admit registers a connection, or refuses it for the limits' sake.
func (g *Gateway) admit(l *listener, conn net.Conn) (*session, bool) {
	s := newSession(g, l, conn)
	g.mu.Lock()
	s.transit, s.stranger = identity.TransitRequired, true
	if c, n := g.view.Load().node(l.key); c != nil {
		s.transit, s.stranger = c.Transit, !c.mayBeAnonymous()
		s.at.node = n.ClusterID
	}
	s.stats = g.countersOf(s.at)
	use := g.addresses[s.addr]
	if use == nil {
		use = &addressUse{}
		g.addresses[s.addr] = use
	}
	full := g.stopping || len(g.conns) >= g.limits.Clients || use.all >= g.limits.ClientsPerAddress || s.stranger && use.strangers >= g.limits.Strangers
	if !full {
		use.all++
		if s.stranger {
			use.strangers++
		}
		g.conns[s] = struct{}{}
	} else if use.all == 0 {
		delete(g.addresses, s.addr)
	}
	g.mu.Unlock()
	if full {
		s.stats.rejected.Add(1)
		if s.transit == identity.TransitPlain { // there is nobody to talk to before a handshake
			_ = conn.SetWriteDeadline(time.Now().Add(acceptPause))
			_, _ = conn.Write([]byte("-ERR max number of clients reached\r\n"))
		}
		_ = conn.Close()
		return nil, false
	}
	s.stats.received.Add(1)
	return s, true
}

// forget is the last that is done for a connection.
func (g *Gateway) forget(s *session) {
	defer g.active.Done()
	_ = s.raw.Close()
	g.unbind(s)
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, s)
	use := g.addresses[s.addr]
	if s.stranger {
		use.strangers--
	}
	if use.all--; use.all == 0 {
		delete(g.addresses, s.addr)
	}
}

// handshake brings the connection to the point where RESP begins.
func (g *Gateway) handshake(s *session) bool {
	if s.transit == identity.TransitPlain && !g.hasReplicas(s.key) {
		return true
	}
	var under net.Conn = s.raw
	if s.transit != identity.TransitRequired {
		var deadline time.Time // a plaintext client may be silent for as long as it likes
		if s.transit == identity.TransitPreferred {
			deadline = time.Now().Add(g.limits.Login)
		}
		peeked, isTLS := peek(s.raw, deadline)
		if peeked == nil {
			return false
		}
		if under = peeked; !isTLS {
			s.client = under
			return true
		}
	}
	_ = s.raw.SetDeadline(time.Now().Add(g.limits.Handshake))
	conn := tls.Server(under, g.tls)
	if err := conn.HandshakeContext(context.Background()); err != nil { // Gateway.stop closes s.raw
		g.cfg.Log.Debug("TLS handshake failed", "peer", s.peer, "cache", s.key.cache, "error", err)
		return false
	}
	_ = s.raw.SetDeadline(time.Time{})
	s.client, s.encrypted = conn, true
	// Without encryption in transit nobody else than replicas gets it.
	return s.transit != identity.TransitPlain || s.isReplica()
}

// peek looks at a connection's first byte: 22 begins a TLS handshake and no
// command (RFC 8446, 5.1).
func peek(conn net.Conn, deadline time.Time) (net.Conn, bool) {
	const handshakeRecord = 22
	first := make([]byte, 1)
	if err := conn.SetReadDeadline(deadline); err != nil {
		return nil, false
	}
	if _, err := conn.Read(first); err != nil {
		return nil, false
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, false
	}
	return &prefixed{Conn: conn, first: bytes.NewReader(first)}, first[0] == handshakeRecord
}

// prefixed is a connection some of whose bytes were read already.
type prefixed struct {
	net.Conn
	first *bytes.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if p.first.Len() > 0 {
		return p.first.Read(b)
	}
	return p.Conn.Read(b)
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
