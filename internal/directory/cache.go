package directory

import "github.com/gatehouse/gatehouse/internal/identity"

// Cache is all that a gateway needs to judge logins to one cache and to reach
// its engines. A published Cache is never changed; a newer one replaces it.
type Cache struct {
	ID      string // the cache's lower-case id
	ARN     string
	State   identity.AuthState // for display and warnings; judging uses the fields below
	Transit identity.TransitMode
	// Anonymous lets a client that has not logged in act as user "default".
	Anonymous bool
	Users     []User
	Nodes     []Node
	Tickets   []Ticket
}

// User returns the user with that name, or nil.
func (c *Cache) User(name string) *User {
	for i := range c.Users {
		if c.Users[i].Name == name {
			return &c.Users[i]
		}
	}
	return nil
}

// User is one name that may log in to a cache.
type User struct {
	Name string
	ID   string // the RBAC user's id; "" for the AUTH token's user "default"
	// Incarnation changes when this is no longer the same user under the same
	// name. A session whose incarnation is neither this nor among Inherits ends.
	Incarnation string
	Inherits    []string
	Enabled     bool // "on" in the access string; a disabled user cannot log in
	Auth        identity.AuthType
	Passwords   []identity.Digest
	// Token says that Passwords are the cache's AUTH tokens.
	Token bool
}

// Node is one engine and the listener in front of it.
type Node struct {
	ClusterID string // name-001, the CacheClusterId of metrics and of sessions
	// Endpoint is "" for the listener of the node itself, else one of the
	// constants below: a listener that leads to this node as long as it has a role.
	Endpoint string
	Listen   string // host:port that clients connect to
	Kind     identity.Engine
	Network  string // "unix" or "tcp"
	Address  string
	// Start names one start of the engine process; the secrets below belong to it.
	Start string
	// Admin is the secret of the internal user AdminUser.
	Admin identity.Secret
	// Secrets holds, for every user of the engine, the secret that only
	// Gatehouse knows. A user without an entry cannot be connected.
	Secrets map[string]identity.Secret
}

// Endpoints of a cache beside those of its nodes.
const (
	PrimaryEndpoint = "primary" // leads to the node that may be written to
	ReaderEndpoint  = "reader"  // leads to a replica that is up to date
)

// ListenerName tells the node's listener from others of the cache.
func (n *Node) ListenerName() string {
	if n.Endpoint != "" {
		return n.Endpoint
	}
	return n.ClusterID
}

// AdminUser is the engine user that Gatehouse itself uses.
const AdminUser = identity.InternalPrefix + "gatehouse"

// ReplicaUser is the engine user that a replica logs in as to the engine that
// it follows.
const ReplicaUser = identity.InternalPrefix + "replica"

// ReplicaName is the name in the certificate that a node's engine shows when it
// follows another. No gateway and no host has a name of this form.
func ReplicaName(clusterID string) string { return "replica/" + clusterID }

// ReplicaCipherSuites is what replicas offer in TLS, in OpenSSL's names. By this
// list, which no other client is known to offer, a gateway tells that a client
// may be a replica and asks for its certificate.
const ReplicaCipherSuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

// Ticket is a one-use password for one user at one gateway.
type Ticket struct {
	ID      string
	Gateway string // the only gateway that accepts it
	User    string
	Digest  identity.Digest
	Expires int64 // Unix seconds
}

// Update is what a follower receives: all caches (Full), or those that changed.
type Update struct {
	Revision int64
	Full     bool
	Caches   []*Cache
	Gone     []string // ids; only when not Full
}

// Source is a gateway's view of the directory.
type Source interface {
	// Updates sends a full update first and then changes, in order, until the
	// source is closed.
	Updates() <-chan Update
	// Acknowledge tells the control plane that this gateway acts on revision:
	// what it forbids is refused and the sessions it ends have been ended.
	Acknowledge(revision int64)
}
