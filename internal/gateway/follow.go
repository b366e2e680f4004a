package gateway

import (
	"maps"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway/backend"
)

// view is the directory as this gateway acts on it. A published view is never
// changed; replaced is closed when a newer one takes its place.
type view struct {
	caches   map[string]*cacheView
	replaced chan struct{}
}

type cacheView struct {
	*directory.Cache
	nodes map[string]*nodeView // by ListenerName
}

type nodeView struct {
	*directory.Node
	engine *engine
}

// engine is one start of an engine process: what it remembers dies with it.
type engine struct {
	start   string
	admin   *backend.Admin
	log     refusalLog
	clients map[int64]*session // by the engine's client id; guarded by Gateway.mu
	left    departed           // guarded by Gateway.mu
}

// departed remembers where the last clients came from that have left: entries
// of ACL LOG outlive them.
type departed struct {
	addresses map[int64]addresses
	order     []int64
}

// addresses are the two ends of a client's connection.
type addresses struct{ peer, local string }

// maxDeparted is far more than the 128 entries that ACL LOG has.
const maxDeparted = 1024

func (d *departed) add(id int64, a addresses) {
	if d.addresses == nil {
		d.addresses = map[int64]addresses{}
	}
	if len(d.order) == maxDeparted {
		delete(d.addresses, d.order[0])
		d.order = d.order[1:]
	}
	d.addresses[id] = a
	d.order = append(d.order, id)
}

// nodeKey names a listener, or the node that one leads to.
type nodeKey struct{ cache, node string }

// node returns a node of a cache, nil if there is none (any more).
func (v *view) node(key nodeKey) (*cacheView, *nodeView) {
	c := v.caches[key.cache]
	if c == nil {
		return nil, nil
	}
	n := c.nodes[key.node]
	if n == nil {
		return nil, nil
	}
	return c, n
}

// apply puts an update into force: sessions that it forbids are ended before
// it is acknowledged.
func (g *Gateway) apply(update directory.Update) {
	old := g.view.Load()
	next := &view{caches: map[string]*cacheView{}, replaced: make(chan struct{})}
	if !update.Full {
		maps.Copy(next.caches, old.caches)
		for _, id := range update.Gone {
			delete(next.caches, id)
		}
	}
	for _, c := range update.Caches {
		next.caches[c.ID] = newCacheView(c, old.caches[c.ID])
	}
	g.replace(next)
	close(old.replaced)
	g.listen()
	closeAbandoned(old, next)
	g.cfg.Source.Acknowledge(update.Revision)
}

// newCacheView keeps what is known of engines that still run. Several listeners
// may lead to one engine.
func newCacheView(c *directory.Cache, old *cacheView) *cacheView {
	v := &cacheView{Cache: c, nodes: make(map[string]*nodeView, len(c.Nodes))}
	engines := map[string]*engine{}
	if old != nil {
		for _, n := range old.nodes {
			engines[n.engine.start] = n.engine
		}
	}
	for i := range c.Nodes {
		node := &c.Nodes[i]
		e := engines[node.Start]
		if e == nil {
			e = &engine{start: node.Start, admin: backend.NewAdmin(node), clients: map[int64]*session{}}
			engines[node.Start] = e
		}
		v.nodes[node.ListenerName()] = &nodeView{node, e}
	}
	return v
}

func closeAbandoned(old, next *view) {
	for id, c := range old.caches {
		kept := map[*engine]bool{}
		if now := next.caches[id]; now != nil {
			for _, n := range now.nodes {
				kept[n.engine] = true
			}
		}
		for _, n := range c.nodes {
			if !kept[n.engine] {
				n.engine.admin.Close()
			}
		}
	}
}
