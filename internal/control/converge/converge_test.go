package converge_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/converge"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon bounds what must happen without a reason to wait.
const soon = 10 * time.Second

// plane is a control plane with real engines; the test plays the gateway.
type plane struct {
	t         *testing.T
	store     store.Store
	state     *state.State
	hub       *directory.Hub
	engines   *engine.Supervisor
	converger *converge.Converger
	users     *users.Service
	caches    *caches.Service
	dir       string
	stop      func()
}

func start(t *testing.T, st store.Store, dir string) *plane {
	t.Helper()
	p := &plane{t: t, store: st, dir: dir}
	account := naming.Account{ID: "000000000000", Region: "us-east-1"}
	key := credential.NewKey([32]byte{1})
	var err error
	if p.state, err = state.Open(t.Context(), st, clock.Real); err != nil {
		t.Fatal(err)
	}
	p.users = users.New(p.state, account, key, clock.Real, users.DefaultQuotas())
	if p.caches, err = caches.New(p.state, key, clock.Real, caches.Config{Account: account, Host: "127.0.0.1", FirstPort: 20000, LastPort: 20100}); err != nil {
		t.Fatal(err)
	}
	p.must(p.users.Init(t.Context()))
	p.must(p.caches.Init(t.Context()))
	p.hub = directory.NewHub(clock.Real, directory.Options{})
	p.engines = engine.NewSupervisor(engine.Options{Observe: func(e engine.Event) {
		if e.Happening == engine.Started {
			go p.converger.Poke()
		}
	}})
	p.converger = converge.New(converge.Config{
		State: p.state, Hub: p.hub, Engines: p.engines, Account: account, Key: key,
		Host: "127.0.0.1", EnginesDir: filepath.Join(dir, "engines"), Clock: clock.Real, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = p.converger.Run(ctx) })
	p.stop = sync.OnceFunc(func() {
		cancel()
		group.Wait()
		p.engines.StopAll(context.Background())
	})
	t.Cleanup(p.stop)
	return p
}

func (p *plane) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// until waits for the state to satisfy done.
func (p *plane) until(what string, done func(*state.View) bool) {
	p.t.Helper()
	timeout := time.After(soon)
	for {
		view, changed := p.state.Changed()
		if done(view) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			p.t.Fatalf("after %v still not: %s; waiting for %v", soon, what, p.converger.Pending())
		}
	}
}

func status(id string, want identity.Status) func(*state.View) bool {
	return func(v *state.View) bool {
		rg := v.ReplicationGroups[id]
		return rg != nil && rg.Status == want
	}
}

// gateway acknowledges what it receives as long as obey says so.
type gateway struct {
	follower *directory.Follower
	mu       sync.Mutex
	newest   map[string]*directory.Cache
	last     int64
	mute     bool
}

func (p *plane) gateway(id string) *gateway {
	g := &gateway{follower: p.hub.Follow(id, true), newest: map[string]*directory.Cache{}}
	var group sync.WaitGroup
	group.Go(func() {
		for u := range g.follower.Updates() {
			g.take(u)
		}
	})
	p.t.Cleanup(func() { g.follower.Leave(); group.Wait() })
	return g
}

func (g *gateway) take(u directory.Update) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range u.Caches {
		g.newest[c.ID] = c
	}
	for _, id := range u.Gone {
		delete(g.newest, id)
	}
	g.last = u.Revision
	if !g.mute {
		g.follower.Acknowledge(u.Revision)
	}
}

func (g *gateway) setMute(mute bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mute = mute
	if !mute {
		g.follower.Acknowledge(g.last)
	}
}

func (g *gateway) cache(id string) *directory.Cache {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.newest[id]
}

func (p *plane) createCache(id string) {
	p.t.Helper()
	tls, node := true, "cache.t4g.micro"
	valkey := "valkey"
	_, err := p.caches.CreateReplicationGroup(p.t.Context(), caches.CreateReplicationGroupInput{
		ID: id, Description: "test", Engine: &valkey, NodeType: &node, TransitEncryptionEnabled: &tls,
	})
	p.must(err)
}

func (p *plane) rotate(id, token, strategy string) {
	p.t.Helper()
	secret := identity.NewSecret(token)
	_, err := p.caches.ModifyReplicationGroup(p.t.Context(), caches.ModifyReplicationGroupInput{ID: id, AuthToken: &secret, AuthTokenUpdateStrategy: &strategy})
	p.must(err)
}

func TestAChangeWaitsForEveryLiveGateway(t *testing.T) {
	p := start(t, memory.New(), t.TempDir())
	one, two := p.gateway("one"), p.gateway("two")
	p.createCache("orders")
	p.until("the cache is available", status("orders", identity.Available))
	if c := one.cache("orders"); c == nil || !c.Anonymous || c.State != identity.AuthNone || len(c.Nodes) != 1 || c.Nodes[0].Secrets["default"].IsZero() {
		t.Fatalf("gateways were told %+v", c)
	}
	two.setMute(true)
	p.rotate("orders", "a-token-of-sixteen", "ROTATE")
	p.until("the cache is modifying", status("orders", identity.Modifying))
	p.until("an event names the gateway that is waited for", func(*state.View) bool {
		events, err := p.state.Events(t.Context())
		p.must(err)
		return slices.ContainsFunc(events, func(e identity.Event) bool { return strings.Contains(e.Message, "two") })
	})
	if !status("orders", identity.Modifying)(p.state.View()) {
		t.Error("the change ended without the second gateway")
	}
	two.setMute(false)
	p.until("the change is through", status("orders", identity.Available))
	if c := two.cache("orders"); c.State != identity.OptionalOne || !c.Anonymous || !c.User("default").Token {
		t.Errorf("after ROTATE gateways were told %+v", c)
	}
}

func TestGrantedFirstOnTheEngineTakenAwayFirstAtTheGateway(t *testing.T) {
	p := start(t, memory.New(), t.TempDir())
	g := p.gateway("g")
	for _, name := range []string{"alice", "bob"} {
		_, err := p.users.CreateUser(t.Context(), users.CreateUserInput{
			ID: name, Name: name, Engine: "valkey", AccessString: "on ~* +@all",
			Authentication: users.Authentication{Passwords: []identity.Secret{identity.NewSecret("password-of-" + name + "-1")}},
		})
		p.must(err)
	}
	_, err := p.users.CreateUserGroup(t.Context(), users.CreateUserGroupInput{ID: "team", Engine: "valkey", UserIDs: []string{"alice", "bob"}})
	p.must(err)
	p.createCache("orders")
	p.until("the group is active", func(v *state.View) bool { return v.UserGroups["team"].Status == identity.Active })
	p.until("the cache is available", status("orders", identity.Available))
	_, err = p.caches.ModifyReplicationGroup(t.Context(), caches.ModifyReplicationGroupInput{ID: "orders", UserGroupIDsToAdd: []string{"team"}})
	p.must(err)
	p.until("the group is attached", status("orders", identity.Available))
	if c := g.cache("orders"); c.State != identity.RBAC || c.Anonymous || c.User("alice") == nil || c.User("default") != nil || c.Nodes[0].Secrets["bob"].IsZero() {
		t.Fatalf("after attaching gateways were told %+v", c)
	}

	g.setMute(true) // the gateway has the news and has not acted on them yet
	_, err = p.users.ModifyUserGroup(t.Context(), users.ModifyUserGroupInput{ID: "team", Remove: []string{"bob"}})
	p.must(err)
	p.until("the gateway knows", func(*state.View) bool { return g.cache("orders").User("bob") == nil })
	if users := p.engines.Engine("orders-001").Users(); !slices.Contains(users, "bob") {
		t.Error("the engine lost the user before the gateway ended its sessions")
	}
	if v := p.state.View(); v.UserGroups["team"].Status != identity.Modifying {
		t.Error("the group is active before the gateway acted")
	}
	g.setMute(false)
	p.until("the group is active again", func(v *state.View) bool { return v.UserGroups["team"].Status == identity.Active })
	if users := p.engines.Engine("orders-001").Users(); slices.Contains(users, "bob") {
		t.Error("the engine still has the user that was removed")
	}
}

func TestEverythingIsFoundAgainAndFinished(t *testing.T) {
	st, dir := memory.New(), t.TempDir()
	first := start(t, st, dir)
	g := first.gateway("g")
	first.createCache("orders")
	first.until("the cache is available", status("orders", identity.Available))
	g.setMute(true)
	first.rotate("orders", "a-token-of-sixteen", "ROTATE")
	first.stop() // in the middle of the change

	second := start(t, st, dir)
	if !status("orders", identity.Modifying)(second.state.View()) {
		t.Fatal("the change was lost")
	}
	again := second.gateway("g")
	second.until("the change is through", status("orders", identity.Available))
	if c := again.cache("orders"); c == nil || c.State != identity.OptionalOne {
		t.Errorf("gateways were told %+v", c)
	}
}

func TestDeletingEndsSessionsThenTheEngineThenTheData(t *testing.T) {
	p := start(t, memory.New(), t.TempDir())
	g := p.gateway("g")
	p.createCache("orders")
	p.until("the cache is available", status("orders", identity.Available))
	g.setMute(true)
	_, err := p.caches.DeleteReplicationGroup(t.Context(), caches.DeleteReplicationGroupInput{ID: "orders"})
	p.must(err)
	p.until("the gateway knows", func(*state.View) bool { return g.cache("orders") == nil })
	if p.engines.Engine("orders-001") == nil {
		t.Error("the engine is gone before the gateway ended its sessions")
	}
	g.setMute(false)
	p.until("the cache is gone", func(v *state.View) bool { return v.ReplicationGroups["orders"] == nil })
	if left, _ := filepath.Glob(filepath.Join(p.dir, "engines", "*")); len(left) > 0 || p.engines.Engine("orders-001") != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestTicketsAreAnnouncedAndEnd(t *testing.T) {
	p := start(t, memory.New(), t.TempDir())
	g := p.gateway("g")
	p.createCache("orders")
	p.until("the cache is available", status("orders", identity.Available))
	secret, err := p.converger.Ticket(t.Context(), "orders", "default")
	p.must(err)
	tickets := g.cache("orders").Tickets
	if len(tickets) != 1 || tickets[0].Gateway != "g" || tickets[0].User != "default" || secret.IsZero() {
		t.Fatalf("the gateway was told of tickets %+v", tickets)
	}
	if left := time.Until(time.Unix(tickets[0].Expires, 0)); left > converge.TicketLife || left < converge.TicketLife-5*time.Second {
		t.Errorf("the ticket lasts %v", left)
	}
	for cache, user := range map[string]string{"nowhere": "default", "orders": "nobody"} {
		if _, err := p.converger.Ticket(t.Context(), cache, user); identity.KindOf(err) == "" {
			t.Errorf("a ticket for %s on %s: %v", user, cache, err)
		}
	}
}
