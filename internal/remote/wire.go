package remote

import (
	"net"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// wireCache is a directory.Cache with its secrets in clear, which a Secret
// refuses to be anywhere else. It exists on the connection and, sealed, in the
// copy on disk.
type wireCache struct {
	ID        string               `json:"id"`
	ARN       string               `json:"arn"`
	State     identity.AuthState   `json:"state"`
	Transit   identity.TransitMode `json:"transit"`
	Anonymous bool                 `json:"anonymous,omitempty"`
	Users     []directory.User     `json:"users"`
	Nodes     []wireNode           `json:"nodes"`
	Tickets   []directory.Ticket   `json:"tickets,omitempty"`
}

type wireNode struct {
	ClusterID string            `json:"clusterId"`
	Endpoint  string            `json:"endpoint,omitempty"`
	Listen    string            `json:"listen"`
	Kind      identity.Engine   `json:"kind"`
	Network   string            `json:"network"`
	Address   string            `json:"address"`
	Start     string            `json:"start"`
	Admin     string            `json:"admin"`
	Secrets   map[string]string `json:"secrets"`
}

func toWire(c *directory.Cache) *wireCache {
	w := &wireCache{
		ID: c.ID, ARN: c.ARN, State: c.State, Transit: c.Transit, Anonymous: c.Anonymous,
		Users: c.Users, Tickets: c.Tickets,
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		node := wireNode{
			ClusterID: n.ClusterID, Endpoint: n.Endpoint, Listen: n.Listen, Kind: n.Kind, Network: n.Network, Address: n.Address,
			Start: n.Start, Admin: n.Admin.Reveal(), Secrets: make(map[string]string, len(n.Secrets)),
		}
		for user, secret := range n.Secrets {
			node.Secrets[user] = secret.Reveal()
		}
		w.Nodes = append(w.Nodes, node)
	}
	return w
}

func (w *wireCache) cache() *directory.Cache {
	c := &directory.Cache{
		ID: w.ID, ARN: w.ARN, State: w.State, Transit: w.Transit, Anonymous: w.Anonymous,
		Users: w.Users, Tickets: w.Tickets,
	}
	for _, n := range w.Nodes {
		node := directory.Node{
			ClusterID: n.ClusterID, Endpoint: n.Endpoint, Listen: n.Listen, Kind: n.Kind, Network: n.Network, Address: n.Address,
			Start: n.Start, Admin: identity.NewSecret(n.Admin), Secrets: make(map[string]identity.Secret, len(n.Secrets)),
		}
		for user, secret := range n.Secrets {
			node.Secrets[user] = identity.NewSecret(secret)
		}
		c.Nodes = append(c.Nodes, node)
	}
	return c
}

// listenAt puts a gateway's own host in place of the published one.
func (w *wireCache) listenAt(host string) *wireCache {
	for i := range w.Nodes {
		if _, port, err := net.SplitHostPort(w.Nodes[i].Listen); err == nil {
			w.Nodes[i].Listen = net.JoinHostPort(host, port)
		}
	}
	return w
}

// shut is a cache that admits nobody new while its sessions go on. Users stay
// the same (incarnations, and Anonymous, are what sessions live by) but are
// disabled; acting as "default" without a login fails for want of its secret.
func shut(c *directory.Cache) *directory.Cache {
	closed := *c
	closed.Tickets = nil
	closed.Users = make([]directory.User, len(c.Users))
	for i, user := range c.Users {
		user.Enabled = false
		closed.Users[i] = user
	}
	if !c.Anonymous {
		return &closed
	}
	closed.Nodes = make([]directory.Node, len(c.Nodes))
	for i, node := range c.Nodes {
		secrets := make(map[string]identity.Secret, len(node.Secrets))
		for name, secret := range node.Secrets {
			if name != identity.DefaultUser {
				secrets[name] = secret
			}
		}
		node.Secrets = secrets
		closed.Nodes[i] = node
	}
	return &closed
}
