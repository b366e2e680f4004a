package caches

import (
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// maxNodes is the quota of nodes (ElastiCache user guide, "Quotas": nodes per
// Region, 300).
const maxNodes = 300

// ports chooses need ports for as many new nodes, and for endpoints, as a cache
// gets at once. The first is the one that was wanted, if any. The nodes of
// caches that are being deleted keep theirs until they are gone.
func (s *Service) ports(view *state.View, wanted *int32, nodes, need int) ([]int, error) {
	taken, all := portsTaken(view)
	if all+nodes > maxNodes {
		return nil, identity.Errorf(identity.NodeQuota, "The request would exceed the quota of %d nodes.", maxNodes)
	}
	var chosen []int
	first, last := s.config.FirstPort, s.config.LastPort
	if wanted != nil && int(*wanted) >= first && int(*wanted) <= last {
		if by, ok := taken[int(*wanted)]; ok {
			return nil, invalid("Port", "%d is in use by replication group %s. Leave Port out to be given a free one.", *wanted, by)
		}
		chosen, taken[int(*wanted)] = append(chosen, int(*wanted)), ""
	}
	for port := first; port <= last && len(chosen) < need; port++ {
		if _, ok := taken[port]; !ok {
			chosen = append(chosen, port)
		}
	}
	if len(chosen) < need {
		return nil, identity.Errorf(identity.InsufficientCapacity,
			"All ports of this server (%d-%d) are in use. Delete a cache, or start the server with a larger range of ports.", first, last)
	}
	return chosen, nil
}

// portsTaken returns who has which port, and the number of all nodes.
func portsTaken(view *state.View) (taken map[int]string, nodes int) {
	taken = map[int]string{}
	for _, rg := range view.ReplicationGroups {
		taken[rg.PrimaryPort], taken[rg.ReaderPort] = rg.ID, rg.ID // 0 is nobody's
		for _, node := range rg.Nodes {
			taken[node.Port] = rg.ID
			nodes++
		}
	}
	return taken, nodes
}

func checkPort(port *int32) error {
	if port != nil && (*port < 1 || *port > maxPort) {
		return invalid("Port", "it must be between 1 and %d.", maxPort)
	}
	return nil
}
