package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

const (
	// handshakeTime bounds TLS and hello together.
	handshakeTime = 10 * time.Second
	// writeTime bounds sending one frame: a peer that does not read is not live.
	writeTime = directory.LeaseTime
	// maxConnections bounds connections of gateways and of who tries to be one;
	// there is a gateway per engine host.
	maxConnections = 512
	// askTime bounds how long a list of sessions waits for gateways.
	askTime = 3 * time.Second
)

// Member is a gateway that may follow.
type Member struct {
	ID string
	// Host is where it listens for clients, in place of the published host.
	Host string
}

// Reports is told what gateways report and what becomes of them. Calls come from
// the connections' goroutines and must not block for long.
type Reports interface {
	Login(gatewayID string, event gateway.LoginEvent)
	// Dropped says how many more login events a gateway has lost.
	Dropped(gatewayID string, n int64)
	Connected(gatewayID, peer string)
	// Disconnected says whether the gateway has left: stopped in good order.
	Disconnected(gatewayID string, left bool)
	// Refused is a peer that may not follow; the id is "" if it proved none.
	Refused(gatewayID, peer, reason string)
}

// ServerConfig is what a Server is made of; all of it is required.
type ServerConfig struct {
	Hub  *directory.Hub
	Cert *tls.Certificate // for certs.ControlName
	CAs  *x509.CertPool   // of client certificates
	// Admit says whose a verified client certificate is; its error is the refusal.
	Admit func(*x509.Certificate) (Member, error)
	// Certify signs a server certificate for a gateway's host and PKIX key.
	Certify   func(host string, publicKey []byte) ([]byte, error)
	DigestKey [32]byte
	MaxStale  time.Duration
	// Settled is closed when the hub holds every cache again after a start. Until
	// then gateways keep caches that have not been published yet.
	Settled <-chan struct{}
	Reports Reports
	Log     *slog.Logger
}

// Server lets gateways of other processes follow the hub.
type Server struct {
	cfg   ServerConfig
	tls   *tls.Config
	conns sync.WaitGroup

	mu       sync.Mutex
	open     map[net.Conn]struct{}
	peers    map[string]*peer    // connected now, by id
	counters map[string]Counters // newest of each, by id
	progress map[string]progress // of event delivery, by id
}

// progress tells repeated events from new ones.
type progress struct {
	process       string
	last, dropped int64
}

// NewServer returns a server; Serve runs it.
func NewServer(cfg ServerConfig) *Server {
	return &Server{
		cfg: cfg,
		tls: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{*cfg.Cert},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: cfg.CAs,
			SessionTicketsDisabled: true, // every connection proves itself
		},
		open: map[net.Conn]struct{}{}, peers: map[string]*peer{}, counters: map[string]Counters{}, progress: map[string]progress{},
	}
}

// Serve accepts gateways until ctx ends, closes the listener and returns when
// every connection has ended.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		_ = listener.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for conn := range s.open {
			_ = conn.Close()
		}
	})
	defer s.conns.Wait()
	defer stop()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil:
			var temporary interface{ Temporary() bool }
			if !errors.As(err, &temporary) || !temporary.Temporary() {
				return fmt.Errorf("remote: accepting gateways: %w", err)
			}
			time.Sleep(acceptPause)
		case !s.enter(ctx, conn):
			_ = conn.Close()
		}
	}
}

// acceptPause is the wait after a failed accept: file descriptors may be short.
const acceptPause = 20 * time.Millisecond

func (s *Server) enter(ctx context.Context, conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || len(s.open) >= maxConnections {
		return false
	}
	s.open[conn] = struct{}{}
	s.conns.Go(func() {
		s.serve(ctx, conn)
		_ = conn.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, conn)
	})
	return true
}

// serve is one connection from its first byte to its last.
func (s *Server) serve(ctx context.Context, raw net.Conn) {
	peerName := raw.RemoteAddr().String()
	conn := tls.Server(raw, s.tls)
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		if ctx.Err() == nil {
			s.cfg.Reports.Refused("", peerName, "the TLS handshake failed: "+err.Error())
		}
		return
	}
	member, err := s.cfg.Admit(conn.ConnectionState().PeerCertificates[0])
	if err != nil {
		s.refuse(conn, member.ID, peerName, err)
		return
	}
	var first toControl
	if err := readFrame(conn, maxToControl, &first); err != nil || first.Hello == nil || first.Hello.Instance == "" {
		s.cfg.Reports.Refused(member.ID, peerName, "it did not say hello")
		return
	}
	if first.Hello.Version != version {
		s.refuse(conn, member.ID, peerName, fmt.Errorf("the gateway speaks version %d of the protocol, the control plane version %d: run the same release on both", first.Hello.Version, version))
		return
	}
	p, err := s.join(member, first.Hello, conn)
	if err != nil {
		s.refuse(conn, member.ID, peerName, err)
		return
	}
	s.cfg.Reports.Connected(member.ID, peerName)
	left := p.run(ctx)
	s.part(p)
	s.cfg.Reports.Disconnected(member.ID, left)
}

func (s *Server) refuse(conn net.Conn, id, peerName string, reason error) {
	s.cfg.Reports.Refused(id, peerName, reason.Error())
	_ = writeFrame(conn, toGateway{Refused: &refused{reason.Error()}}, maxToGateway)
}

// join makes the peer of a gateway; an earlier connection of the same one ends.
func (s *Server) join(member Member, greeting *hello, conn net.Conn) (*peer, error) {
	settled := false
	select {
	case <-s.cfg.Settled:
		settled = true
	default:
	}
	follower, err := s.cfg.Hub.Join(member.ID, greeting.Instance)
	if err != nil {
		return nil, err
	}
	p := newPeer(s, member, greeting.Process, conn, follower, settled)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.peers[member.ID]; old != nil {
		_ = old.conn.Close()
	}
	s.peers[member.ID] = p
	return p, nil
}

func (s *Server) part(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[p.member.ID] == p {
		delete(s.peers, p.member.ID)
		delete(s.counters, p.member.ID)
	}
}

// Disconnect ends the connection of a gateway whose right has been withdrawn,
// and forgets it. It may admit from what it knows until its MaxStale.
func (s *Server) Disconnect(id string) {
	s.mu.Lock()
	p := s.peers[id]
	s.mu.Unlock()
	if p != nil {
		_ = p.conn.Close()
	}
	s.cfg.Hub.Forget(id)
}

// Counters returns the newest counters of every connected gateway, by id.
func (s *Server) Counters() map[string]Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counters)
}

// Sessions asks every connected gateway for its sessions. Silent are those that
// did not answer in time.
func (s *Server) Sessions(ctx context.Context) (lists map[string][]gateway.Session, silent []string) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	s.mu.Lock()
	peers := slices.Collect(maps.Values(s.peers))
	s.mu.Unlock()
	type answer struct {
		id   string
		list []gateway.Session
		err  error
	}
	answers := make(chan answer, len(peers))
	for _, p := range peers {
		go func() { // ends with ctx
			list, err := p.sessions(ctx)
			answers <- answer{p.member.ID, list, err}
		}()
	}
	lists = map[string][]gateway.Session{}
	for range peers {
		if a := <-answers; a.err != nil {
			silent = append(silent, a.id)
		} else {
			lists[a.id] = a.list
		}
	}
	slices.Sort(silent)
	return lists, silent
}
