package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/config"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/converge"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/datadir"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/meter"
	"github.com/gatehouse/gatehouse/internal/meter/alarm"
	"github.com/gatehouse/gatehouse/internal/remote"
	"github.com/gatehouse/gatehouse/internal/store"
	"github.com/gatehouse/gatehouse/internal/store/etcd"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// localGateway is the id of the gateway in this process.
const localGateway = "local"

// server is all parts, in the order in which they are made.
type server struct {
	cfg    config.Server
	dir    *datadir.Dir
	log    *slog.Logger
	root   datadir.Credentials
	scrape identity.Secret

	trail           *trail.Trail
	authority       *certs.Authority
	keeper          *certs.Keeper
	key             *credential.Key
	store           store.Store
	state           *state.State
	account         naming.Account
	users           *users.Service
	caches          *caches.Service
	tags            *tagging.Service
	iam             *iam.Service
	keyring         *iamtoken.Keyring
	hub             *directory.Hub
	engines         *engine.Supervisor
	converger       *converge.Converger
	follower        *directory.Follower
	gateway         *gateway.Gateway
	digestKey       [32]byte
	members         *members       // nil, like the next two, without --gateway-listen
	remotes         *remote.Server // gateways of other processes
	gatewayListener net.Listener
	settled         chan struct{} // closed when the caches of the last run are published
	meter           *meter.Meter
	alarms          *alarm.Alarms
	door            *awsapi.Door

	started time.Time
	up      atomic.Bool // /healthz has answered 200
	parts   sync.WaitGroup
	closers []func() error // in the order of opening
}

// build makes the parts. After an error what was made is in closers.
func build(ctx context.Context, cfg config.Server, dir *datadir.Dir, log *slog.Logger) (*server, error) {
	s := &server{cfg: cfg, dir: dir, log: log, account: naming.Account{ID: cfg.AccountID, Region: cfg.Region}, started: time.Now(), settled: make(chan struct{})}
	for _, step := range []func(context.Context) error{
		s.openSecrets, s.openTrail, s.openCertificates, s.openState, s.makeControl, s.makeIdentities, s.makeData, s.openGateways, s.makeMeter, s.makeAPI,
	} {
		if err := step(ctx); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *server) openSecrets(context.Context) error {
	var err error
	if s.root, err = s.dir.RootCredentials(); err != nil {
		return err
	}
	if s.scrape, err = s.dir.ScrapeToken(); err != nil {
		return err
	}
	s.digestKey, err = s.dir.Key("digests")
	s.key = credential.NewKey(s.digestKey)
	return err
}

func (s *server) openTrail(context.Context) error {
	path, err := s.dir.Sub("trail")
	if err != nil {
		return err
	}
	key, err := s.dir.Key(TrailKey)
	if err != nil {
		return err
	}
	if s.trail, err = trail.Open(path, clock.Real, trail.Options{Key: key, Keep: s.cfg.TrailKeep}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.trail.Close)
	return nil
}

func (s *server) openCertificates(context.Context) error {
	path, err := s.dir.Sub("tls")
	if err != nil {
		return err
	}
	if s.authority, err = certs.OpenAuthority(path, clock.Real); err != nil {
		return err
	}
	if s.cfg.TLSCert != "" {
		s.keeper, err = certs.Files(s.cfg.TLSCert, s.cfg.TLSKey, clock.Real)
		return err
	}
	hosts := []string{s.cfg.GatewayHost}
	for _, local := range []string{"localhost", "127.0.0.1", "::1"} {
		if !slices.Contains(hosts, local) {
			hosts = append(hosts, local)
		}
	}
	s.keeper, err = certs.Issued(s.authority, hosts)
	return err
}

func (s *server) tlsConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.keeper.Get}
}

func (s *server) openState(ctx context.Context) error {
	var err error
	if len(s.cfg.EtcdEndpoints) > 0 {
		s.store, err = etcd.Open(ctx, s.cfg.EtcdEndpoints)
	} else {
		s.store, err = etcd.OpenEmbedded(ctx, filepath.Join(s.dir.Path, "etcd"))
	}
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.store.Close)
	s.state, err = state.Open(ctx, s.store, clock.Real)
	return err
}

func (s *server) makeControl(ctx context.Context) error {
	s.engines = engine.NewSupervisor(engine.Options{Clock: clock.Real, Log: s.log, Observe: s.engineHappening, Certify: s.certifyReplica})
	first, last, err := s.cfg.PortRange()
	if err != nil {
		return err
	}
	excused, err := s.excused()
	if err != nil {
		return err
	}
	s.users = users.New(s.state, s.account, s.key, clock.Real, users.DefaultQuotas())
	s.tags = tagging.New(s.state, s.account)
	s.caches, err = caches.New(s.state, s.key, clock.Real, caches.Config{
		Account: s.account, Host: s.cfg.GatewayHost, FirstPort: first, LastPort: last,
		DirectSet: s.cfg.DirectSet, Installed: s.engines.Installed, MayAdmitAnyone: excused,
	})
	if err != nil {
		return err
	}
	if err := s.users.Init(ctx); err != nil {
		return fmt.Errorf("preparing users: %w", err)
	}
	if err := s.caches.Init(ctx); err != nil {
		return fmt.Errorf("preparing caches: %w", err)
	}
	return nil
}

func (s *server) makeData(context.Context) error {
	engines, err := s.dir.Sub("engines")
	if err != nil {
		return err
	}
	s.hub = directory.NewHub(clock.Real, directory.Options{MaxStale: s.cfg.MaxStale, StrictRevocation: s.cfg.StrictRevocation})
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		s.engines.StopAll(ctx)
		return nil
	})
	s.converger = converge.New(converge.Config{
		State: s.state, Hub: s.hub, Engines: s.engines, Account: s.account, Key: s.key,
		Host: s.cfg.GatewayHost, EnginesDir: engines, Clock: clock.Real, Log: s.log,
	})
	s.follower = s.hub.Follow(localGateway, true)
	s.closers = append(s.closers, func() error { s.follower.Leave(); return nil })
	s.gateway = gateway.New(gateway.Config{
		ID: localGateway, Source: s.follower, TLS: s.keeper.Get, Key: s.key, Observer: loginRecorder{s.trail, localGateway},
		Replication: s.replication(),
		IAM:         s.iamLogins(), Clock: clock.Real, Log: s.log,
	})
	return nil
}

// engineHappening is told what befalls an engine. Whoever started has new
// secrets, so its cache must converge anew.
func (s *server) engineHappening(e engine.Event) {
	switch e.Happening {
	case engine.Crashed, engine.Unresponsive:
		s.log.Warn("an engine is in trouble", "node", e.Name, "what", e.Happening, "error", e.Err)
	default:
		s.log.Debug("engine", "node", e.Name, "what", e.Happening)
	}
	s.parts.Go(s.converger.Poke)
}

// close takes apart what build made, the last first.
func (s *server) close() error {
	var failures []error
	for _, closer := range slices.Backward(s.closers) {
		failures = append(failures, closer())
	}
	return errors.Join(failures...)
}
