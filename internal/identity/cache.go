package identity

import (
	"slices"
	"time"
)

// ReplicationGroup is a node-based cache.
type ReplicationGroup struct {
	ID          string `json:"id"` // lower case; the name that IAM tokens are signed for
	Description string `json:"description"`
	Status      Status `json:"status"`
	Engine      Engine `json:"engine"`
	// EngineVersion is AWS's full version for the label that was asked for; the
	// program that really runs tells its own in INFO.
	EngineVersion string      `json:"engineVersion"`
	NodeType      string      `json:"nodeType"`
	Transit       TransitMode `json:"transit"`
	// Access is in force; Target, when set, is being brought about.
	Access Access  `json:"access"`
	Target *Access `json:"target,omitempty"`
	// Past remembers the last AUTH tokens, newest first.
	Past         []PastSecret `json:"past,omitempty"`
	TokenChanged time.Time    `json:"tokenChanged,omitzero"`
	Nodes        []CacheNode  `json:"nodes"`
	// Primary is the ClusterID of the node that may be written to; "" is the first.
	Primary string `json:"primary,omitempty"`
	// PrimaryPort leads to the primary, whichever node it is, ReaderPort to a
	// replica. Both are 0 as long as there was never more than one node, whose
	// own port is all three.
	PrimaryPort int `json:"primaryPort,omitempty"`
	ReaderPort  int `json:"readerPort,omitempty"`
	// Failover asks for another primary. It is cleared when one has been chosen.
	Failover bool `json:"failover,omitempty"`
	// AwaitSync holds the change under way up until all replicas are in sync.
	AwaitSync bool `json:"awaitSync,omitempty"`
	// Standalone is a single-node cluster, which is in no replication group.
	Standalone bool              `json:"standalone,omitempty"`
	Settings   CacheSettings     `json:"settings"`
	Tags       map[string]string `json:"tags,omitempty"`
	Created    time.Time         `json:"created"`
}

// Access is one way of deciding who may use a cache.
type Access struct {
	State   AuthState `json:"state"`
	Tokens  []Digest  `json:"tokens,omitempty"`  // oldest first
	GroupID string    `json:"groupId,omitempty"` // RBAC only
	// Strategy is the AuthTokenUpdateStrategy that led here: ROTATE, SET, DELETE or "".
	Strategy string `json:"strategy,omitempty"`
	// Attached changes whenever the kind of access changes (tokens to group,
	// group to group, group to tokens), not when a token does: sessions belong
	// to one Attached. From is the one before.
	Attached string `json:"attached"`
	From     string `json:"from,omitempty"`
}

// Effective is the access to bring about: the target if there is one.
func (rg *ReplicationGroup) Effective() Access {
	if rg.Target != nil {
		return *rg.Target
	}
	return rg.Access
}

// PrimaryNode returns the node that may be written to.
func (rg *ReplicationGroup) PrimaryNode() *CacheNode {
	for i := range rg.Nodes {
		if rg.Nodes[i].ClusterID == rg.Primary {
			return &rg.Nodes[i]
		}
	}
	return &rg.Nodes[0]
}

// Staying returns the nodes that are not about to be removed.
func (rg *ReplicationGroup) Staying() []CacheNode {
	return slices.DeleteFunc(slices.Clone(rg.Nodes), func(n CacheNode) bool { return n.Removing })
}

// CacheNode is one engine of a cache and the address that clients use for it.
type CacheNode struct {
	ClusterID string    `json:"clusterId"` // name-001
	Port      int       `json:"port"`      // the gateway's port for this node
	Created   time.Time `json:"created"`
	// Incarnation names the node's directory; a node that is made anew under
	// the same id does not find its predecessor's data.
	Incarnation string `json:"incarnation"`
	// A node is Joining until it is in sync for the first time after it was
	// added to an existing cache, and Removing until its engine is gone.
	Joining  bool `json:"joining,omitempty"`
	Removing bool `json:"removing,omitempty"`
	// Recovering is a former primary until it is in sync with the new one.
	Recovering bool `json:"recovering,omitempty"`
}

// CacheSettings are stored and echoed; what Gatehouse does not act on is listed
// in the documentation.
type CacheSettings struct {
	SubnetGroup             string   `json:"subnetGroup,omitempty"`
	ParameterGroup          string   `json:"parameterGroup,omitempty"`
	SecurityGroupIDs        []string `json:"securityGroupIds,omitempty"`
	AtRestEncryption        bool     `json:"atRestEncryption,omitempty"`
	KMSKeyID                string   `json:"kmsKeyId,omitempty"`
	AutomaticFailover       bool     `json:"automaticFailover,omitempty"`
	MultiAZ                 bool     `json:"multiAZ,omitempty"`
	AutoMinorVersionUpgrade bool     `json:"autoMinorVersionUpgrade,omitempty"`
	SnapshotRetentionLimit  int      `json:"snapshotRetentionLimit,omitempty"`
	SnapshotWindow          string   `json:"snapshotWindow,omitempty"`
	MaintenanceWindow       string   `json:"maintenanceWindow,omitempty"`
	NotificationTopicARN    string   `json:"notificationTopicArn,omitempty"`
	NetworkType             string   `json:"networkType,omitempty"`
	IPDiscovery             string   `json:"ipDiscovery,omitempty"`
}

// SubnetGroup is recorded for clients that need one; there is no network behind it.
type SubnetGroup struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	SubnetIDs   []string          `json:"subnetIds"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// ParameterGroup holds the engine parameters that a customer may set.
type ParameterGroup struct {
	Name        string            `json:"name"`
	Family      string            `json:"family"` // redis7, valkey8, …
	Description string            `json:"description"`
	Values      map[string]string `json:"values,omitempty"` // only what differs from the family's defaults
	Tags        map[string]string `json:"tags,omitempty"`
}

// Event is an entry of DescribeEvents.
type Event struct {
	Time       time.Time `json:"time"`
	SourceType string    `json:"sourceType"` // replication-group, cache-cluster, user, user-group, …
	SourceID   string    `json:"sourceId"`
	Message    string    `json:"message"`
}
