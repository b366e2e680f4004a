package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
)

// Replication is what a gateway needs to let replicas reach, through the port
// of a node, the engine of that node.
type Replication struct {
	// Authority signs the client certificates of replicas, made out to
	// directory.ReplicaName of their node.
	Authority *x509.CertPool
	// Certificate is shown to replicas, which accept nobody but Authority's.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// replicaDial bounds reaching the engine, which is on the same machine.
const replicaDial = 5 * time.Second

// forReplicas is the TLS configuration for clients that may be replicas. One
// without a certificate is a client like any other.
func (r *Replication) forReplicas() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: r.Certificate,
		ClientAuth:     tls.VerifyClientCertIfGiven,
		ClientCAs:      r.Authority,
	}
}

// replicaSuites are those of directory.ReplicaCipherSuites.
var replicaSuites = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256, tls.TLS_AES_128_GCM_SHA256}

// renegotiationSignal is no cipher suite: some libraries end the list with it (RFC 5746, 3.3).
const renegotiationSignal = 0x00ff

// mayBeReplica reports whether a client offers what replicas do.
func mayBeReplica(hello *tls.ClientHelloInfo) bool {
	offered := slices.DeleteFunc(slices.Clone(hello.CipherSuites), func(id uint16) bool { return id == renegotiationSignal })
	return slices.Equal(offered, replicaSuites)
}

// acceptReplicas makes the gateway ask clients for a certificate that may be replicas.
func (g *Gateway) acceptReplicas() {
	if g.cfg.Replication == nil {
		return
	}
	replicas := g.cfg.Replication.forReplicas()
	g.tls.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if mayBeReplica(hello) {
			return replicas, nil
		}
		return nil, nil // the usual one
	}
}

// hasOther reports whether a replica's name is that of a node other than n.
func (c *cacheView) hasOther(n *nodeView, name string) bool {
	for i := range c.Nodes {
		if id := c.Nodes[i].ClusterID; id != n.ClusterID && directory.ReplicaName(id) == name {
			return true
		}
	}
	return false
}

// hasReplicas reports whether a replica may dial a listener.
func (g *Gateway) hasReplicas(key nodeKey) bool {
	c, n := g.view.Load().node(key)
	return c != nil && slices.ContainsFunc(c.Nodes, func(other directory.Node) bool { return other.ClusterID != n.ClusterID })
}

// proof is the certificate that the client has shown and the authority has
// signed for it, nil if there is none.
func (s *session) proof() *x509.Certificate {
	if conn, is := s.client.(*tls.Conn); is {
		if chain := conn.ConnectionState().PeerCertificates; len(chain) > 0 {
			return chain[0]
		}
	}
	return nil
}

// isReplica reports whether the client has shown the certificate of a replica,
// even one that leads nowhere (any more).
func (s *session) isReplica() bool {
	proof := s.proof()
	return proof != nil && strings.HasPrefix(proof.Subject.CommonName, directory.ReplicaName(""))
}

// serveReplica relays between a replica and the engine until one of them ends
// the connection. The engine asks the replica for its secret.
func (s *session) serveReplica() {
	c, n := s.g.view.Load().node(s.key)
	if c == nil || !c.hasOther(n, s.proof().Subject.CommonName) {
		s.g.cfg.Log.Warn("a replica that is no node of the cache was refused", "cache", s.key.cache, "node", s.key.node, "peer", s.peer)
		return
	}
	dialer := net.Dialer{Timeout: replicaDial}
	engine, err := dialer.DialContext(s.g.ctx, n.Network, n.Address)
	if err != nil {
		s.g.cfg.Log.Warn("a replica cannot reach the engine that it follows", "cache", s.key.cache, "node", s.key.node, "error", err)
		return
	}
	var once sync.Once
	end := func() { once.Do(func() { _ = engine.Close(); _ = s.raw.Close() }) }
	var back sync.WaitGroup
	back.Go(func() {
		defer end()
		_, _ = io.Copy(s.client, engine)
	})
	_, _ = io.Copy(engine, s.client)
	end()
	back.Wait()
}
