package caches

import (
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// maxNodes is the quota of nodes (ElastiCache user guide, "Quotas": nodes per
// Region, 300).
const maxNodes = 300

// port chooses the port of a new node. The nodes of caches that are being
// deleted keep theirs until they are gone.
func (s *Service) port(view *state.View, wanted *int32) (int, error) {
	taken := map[int]string{}
	for _, rg := range view.ReplicationGroups {
		for _, node := range rg.Nodes {
			taken[node.Port] = rg.ID
		}
	}
	if len(taken) >= maxNodes {
		return 0, identity.Errorf(identity.NodeQuota, "The request would exceed the quota of %d nodes.", maxNodes)
	}
	first, last := s.config.FirstPort, s.config.LastPort
	if wanted != nil && int(*wanted) >= first && int(*wanted) <= last {
		if by, ok := taken[int(*wanted)]; ok {
			return 0, invalid("Port", "%d is in use by replication group %s. Leave Port out to be given a free one.", *wanted, by)
		}
		return int(*wanted), nil
	}
	for port := first; port <= last; port++ {
		if _, ok := taken[port]; !ok {
			return port, nil
		}
	}
	return 0, identity.Errorf(identity.InsufficientCapacity,
		"All ports of this server (%d-%d) are in use. Delete a cache, or start the server with a larger range of ports.", first, last)
}

func checkPort(port *int32) error {
	if port != nil && (*port < 1 || *port > maxPort) {
		return invalid("Port", "it must be between 1 and %d.", maxPort)
	}
	return nil
}
