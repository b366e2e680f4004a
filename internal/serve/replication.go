package serve

import (
	"crypto/tls"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

// certifyReplica issues what an engine proves with to be a node of a cache when
// it follows another.
func (s *server) certifyReplica(node string) (engine.Certificate, error) {
	files, err := s.authority.IssueClientFiles(directory.ReplicaName(node))
	return engine.Certificate(files), err
}

// replication lets replicas through to the engines they follow. They trust
// nobody but the authority, whatever certificate clients are shown.
func (s *server) replication() *gateway.Replication {
	keeper, err := certs.Issued(s.authority, []string{s.cfg.GatewayHost})
	shown := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if err != nil {
			return nil, err
		}
		return keeper.Get(hello)
	}
	return &gateway.Replication{Authority: s.authority.Pool(), Certificate: shown}
}
