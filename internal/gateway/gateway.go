package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/directory"
)

// Config is what a gateway is made of. Source, TLS and Key are required.
type Config struct {
	// ID names this gateway; tickets are made for one gateway.
	ID     string
	Source directory.Source
	// TLS returns the certificate of a listener.
	TLS func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Key *credential.Key
	// Replication lets replicas through to the engines they follow; nil: none.
	Replication *Replication
	Observer    Observer     // nil: nobody is told
	IAM         IAMVerifier  // nil: IAM logins are refused
	Clock       clock.Clock  // nil: the real one
	Limits      Limits       // zero fields: the defaults
	Log         *slog.Logger // nil: discarded
}

// IAMVerifier judges the logins of users whose authentication type is IAM.
type IAMVerifier interface {
	// Verify says who presents token for user at cache, and until when the
	// session may last. The error is the reason, in plain words, for the trail.
	Verify(cache *directory.Cache, user *directory.User, token []byte, peer netip.AddrPort) (principal string, deadline time.Time, err error)
}

// Gateway serves the clients of all caches of one host.
type Gateway struct {
	cfg      Config
	limits   Limits
	tls      *tls.Config
	throttle *throttle
	portable bool // keeps sessions on goroutines even where there are loops

	ctx    context.Context // ends with Run
	view   atomic.Pointer[view]
	active sync.WaitGroup // connections and listeners
	loops  []*loop        // from Run; none where sessions have goroutines

	mu        sync.Mutex // guards what follows, and replacing view
	stopping  bool
	conns     map[*session]struct{}
	addresses map[netip.Addr]*addressUse
	listeners map[nodeKey]*listener
	counters  map[nodeKey]*counters
	used      map[string]int64 // tickets that were used, by id, until they expire
}

// New returns a gateway that Run starts.
func New(cfg Config) *Gateway {
	if cfg.Clock == nil {
		cfg.Clock = clock.Real
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		cfg: cfg, limits: cfg.Limits.orDefaults(), throttle: newThrottle(cfg.Clock),
		conns: map[*session]struct{}{}, addresses: map[netip.Addr]*addressUse{}, listeners: map[nodeKey]*listener{},
		counters: map[nodeKey]*counters{}, used: map[string]int64{},
		tls: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: cfg.TLS,
			// Replies are small and frequent: growing records only cost time.
			DynamicRecordSizingDisabled: true,
		},
	}
	g.acceptReplicas()
	g.view.Store(&view{replaced: make(chan struct{})})
	return g
}

// housekeeping is how often deadlines are looked at and ports that were taken
// are tried again.
const housekeeping = 250 * time.Millisecond

// Run follows the directory and serves until ctx ends. It returns when every
// connection is closed and every goroutine has ended.
func (g *Gateway) Run(ctx context.Context) error {
	if g.cfg.Source == nil || g.cfg.TLS == nil || g.cfg.Key == nil {
		return errors.New("gateway: Source, TLS and Key are required")
	}
	g.ctx = ctx
	if err := g.startLoops(); err != nil {
		return err
	}
	ticker := time.NewTicker(housekeeping)
	defer ticker.Stop()
	updates := g.cfg.Source.Updates()
	for {
		select {
		case <-ctx.Done():
			g.stop()
			return nil
		case update, open := <-updates:
			if !open {
				updates = nil // serve on with what is known
				continue
			}
			g.apply(update)
		case <-ticker.C:
			g.listen()
			g.endOverdue()
		}
	}
}

func (g *Gateway) startLoops() (err error) {
	if !g.portable {
		g.loops, err = startLoops()
	}
	return err
}

func (g *Gateway) stop() {
	g.mu.Lock()
	g.stopping = true
	for _, l := range g.listeners {
		l.close()
	}
	for s := range g.conns {
		s.kill("the gateway stops")
	}
	g.mu.Unlock()
	g.active.Wait()
	stopLoops(g.loops)
	for _, c := range g.view.Load().caches {
		for _, n := range c.nodes {
			n.engine.admin.Close()
		}
	}
}
