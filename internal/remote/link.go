package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

const (
	// firstPause and lastPause bound the wait before the next try to connect; it
	// doubles in between. The last is short, because a control plane that starts
	// again waits for its gateways.
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
	// copyPatience is how long a start waits for the control plane before it
	// judges from the sealed copy: what was revoked while the gateway was down
	// must not be admitted for the moment until the first update.
	copyPatience = 5 * time.Second
	// renewals is how often the lease is renewed within its time.
	renewals = 3
)

// ErrKeyChanged ends a Link whose control plane judges by another digest key:
// it was set up anew. The gateway must be started again.
var ErrKeyChanged = errors.New("the control plane has another digest key than before: it was set up anew; start this gateway again")

// LinkConfig is what a Link is made of. Credentials and Dir are required.
type LinkConfig struct {
	Credentials *Credentials
	Dir         string        // data directory, made if missing
	MaxStale    time.Duration // directory.DefaultMaxStale if zero; the control plane's own is the most
	Clock       clock.Clock   // nil: the real one
	Log         *slog.Logger  // nil: discarded
}

// Reporter is the gateway whose state is reported.
type Reporter interface {
	Sessions() []gateway.Session
	Metrics() []gateway.NodeMetrics
}

// Link is a gateway's connection to its control plane, made anew whenever it
// breaks. It is the gateway's Source and Observer and has its certificate.
type Link struct {
	cfg      LinkConfig
	home     *home
	hub      *directory.Hub // of this process: what was received, or its shut form
	follower *directory.Follower
	backlog  *backlog
	process  string
	key      *ecdsa.PrivateKey // of the listeners' certificate
	public   []byte

	ready   chan struct{} // closed when the gateway can start
	touched chan struct{} // holds a value after contact
	changed chan struct{} // holds a value when the copy on disk is behind

	held
}

// NewLink opens the data directory; Run connects.
func NewLink(cfg LinkConfig) (*Link, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.Real
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxStale == 0 {
		cfg.MaxStale = directory.DefaultMaxStale
	}
	home, err := openHome(cfg.Dir, cfg.Credentials)
	if err != nil {
		return nil, err
	}
	key, public, err := NewKey()
	if err != nil {
		home.close()
		return nil, err
	}
	l := &Link{
		cfg: cfg, home: home, hub: directory.NewHub(cfg.Clock, directory.Options{}), backlog: newBacklog(),
		process: rand.Text(), key: key, public: public,
		ready: make(chan struct{}), touched: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	l.maxStale = cfg.MaxStale
	l.caches = map[string]*directory.Cache{}
	l.follower = l.hub.Follow(cfg.Credentials.ID, true)
	return l, nil
}

// Updates implements directory.Source.
func (l *Link) Updates() <-chan directory.Update { return l.follower.Updates() }

// Acknowledge implements directory.Source; revisions are this process's own.
func (l *Link) Acknowledge(revision int64) { l.follower.Acknowledge(revision) }

// Login implements gateway.Observer. The reason of a refusal for want of contact
// is put right here, because to the gateway such users merely look disabled.
func (l *Link) Login(event gateway.LoginEvent) {
	if event.Outcome == gateway.Refused && l.isShut() {
		event.Reason = "the gateway has been without contact to the control plane for longer than --max-stale and admits nobody"
	}
	l.backlog.add(event)
}

// Ready returns the key that passwords are judged with, once there is all that a
// gateway needs to start: from the control plane, or from the sealed copy if it
// cannot be reached.
func (l *Link) Ready(ctx context.Context) (*credential.Key, error) {
	select {
	case <-l.ready:
		l.mu.Lock()
		defer l.mu.Unlock()
		return credential.NewKey([32]byte(l.digestKey)), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the control plane at %s: %w", l.cfg.Credentials.Address, ctx.Err())
	}
}

// Run keeps the connection until ctx ends, which must not be before the gateway
// has stopped: then the last events are sent and the control plane is told that
// this gateway admits nobody any more. Run is called once.
func (l *Link) Run(ctx context.Context) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	tried := make(chan struct{})
	var parts sync.WaitGroup
	parts.Go(func() { l.fallBack(inner, tried) })
	parts.Go(func() { l.watchContact(inner) })
	parts.Go(func() { l.keepCopy(inner) })
	err := l.stayConnected(ctx, tried)
	cancel()
	parts.Wait()
	l.follower.Leave()
	if errors.Is(err, ErrKeyChanged) {
		err = errors.Join(err, l.home.forget())
	}
	l.home.close()
	return err
}

// stayConnected connects again and again; tried is closed after the first try.
func (l *Link) stayConnected(ctx context.Context, tried chan struct{}) error {
	pause, told := firstPause, ""
	for {
		began := time.Now()
		err := l.connect(ctx)
		if tried != nil {
			close(tried)
			tried = nil
		}
		switch {
		case errors.Is(err, ErrKeyChanged):
			return err
		case ctx.Err() != nil:
			return nil
		}
		if time.Since(began) > directory.LeaseTime {
			pause, told = firstPause, ""
		}
		if text := err.Error(); text != told {
			l.cfg.Log.Warn("no contact with the control plane; trying again", "address", l.cfg.Credentials.Address, "error", err)
			told = text
		}
		select {
		case <-time.After(pause/2 + mathrand.N(pause/2)): // not all gateways at once
		case <-ctx.Done():
			return nil
		}
		pause = min(2*pause, lastPause)
	}
}

// fallBack starts from the sealed copy when the control plane is not there.
func (l *Link) fallBack(ctx context.Context, tried <-chan struct{}) {
	select {
	case <-tried:
	case <-time.After(copyPatience):
	case <-l.ready:
		return
	case <-ctx.Done():
		return
	}
	switch restored, err := l.restore(); {
	case err != nil:
		l.cfg.Log.Error("the sealed copy is of no use; waiting for the control plane", "error", err)
	case restored:
		l.cfg.Log.Warn("judging from the sealed copy until the control plane is there", "contact", l.lastContact())
	}
}

// watchContact shuts the caches when contact was too long ago.
func (l *Link) watchContact(ctx context.Context) {
	for {
		wait := l.shutIfStale()
		select {
		case <-l.cfg.Clock.After(wait):
		case <-l.touched:
		case <-ctx.Done():
			return
		}
	}
}

// keepCopy keeps the copy on disk up to date, and lets it know of contact often
// enough that a start from it loses little of MaxStale.
func (l *Link) keepCopy(ctx context.Context) {
	const refreshes = 10
	for {
		select {
		case <-l.changed:
		case <-l.cfg.Clock.After(l.staleAfter() / refreshes):
		case <-ctx.Done():
			if err := l.save(); err != nil {
				l.cfg.Log.Error("the copy of the directory was not written", "error", err)
			}
			return
		}
		if err := l.save(); err != nil {
			l.cfg.Log.Error("the copy of the directory was not written; a start without the control plane would not find it", "error", err)
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
