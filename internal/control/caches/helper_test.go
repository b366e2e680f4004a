package caches

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

// tester is what these tests need of *testing.T and *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

var firstDay = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// house is a Service with its state, fresh from the first start.
type house struct {
	*Service
	t     tester
	ctx   context.Context
	state *state.State
	clock *clock.Fake
	users *users.Service
}

func testConfig() Config {
	return Config{
		Account: naming.Account{ID: "000000000000", Region: "us-east-1"},
		Host:    "127.0.0.1", FirstPort: 16379, LastPort: 16382,
	}
}

func newHouse(t tester, change ...func(*Config)) *house {
	t.Helper()
	config := testConfig()
	for _, f := range change {
		f(&config)
	}
	h := &house{t: t, ctx: context.Background(), clock: clock.NewFake(firstDay)}
	var err error
	if h.state, err = state.Open(h.ctx, memory.New(), h.clock); err != nil {
		t.Fatalf("opening the state: %v", err)
	}
	key := credential.NewKey([32]byte{1})
	h.users = users.New(h.state, config.Account, key, h.clock, users.DefaultQuotas())
	if h.Service, err = New(h.state, key, h.clock, config); err != nil {
		t.Fatalf("making the service: %v", err)
	}
	h.must(h.Init(h.ctx))
	h.must(h.users.Init(h.ctx))
	return h
}

func direct(config *Config) { config.DirectSet = true }

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("refused: %v", err)
	}
}

// refused checks that err is a refusal of that kind and text, the whole text.
func (h *house) refused(err error, kind identity.Kind, message string) {
	h.t.Helper()
	if identity.KindOf(err) != kind || err == nil || err.Error() != message {
		h.t.Errorf("got %q (%q), want %q (%q)", err, identity.KindOf(err), message, kind)
	}
}

// basic is a request that nothing is wrong with: TLS and no access control.
func basic(id string, change ...func(*CreateReplicationGroupInput)) CreateReplicationGroupInput {
	in := CreateReplicationGroupInput{ID: id, Description: "a test", NodeType: new("cache.t4g.micro"), TransitEncryptionEnabled: new(true)}
	for _, f := range change {
		f(&in)
	}
	return in
}

func token(text string) *identity.Secret { return new(identity.NewSecret(text)) }

func withToken(text string) func(*CreateReplicationGroupInput) {
	return func(in *CreateReplicationGroupInput) { in.AuthToken = token(text) }
}

func withGroup(id string) func(*CreateReplicationGroupInput) {
	return func(in *CreateReplicationGroupInput) { in.UserGroupIDs = []string{id} }
}

func withEngine(engine, version string) func(*CreateReplicationGroupInput) {
	return func(in *CreateReplicationGroupInput) { in.Engine, in.EngineVersion = &engine, &version }
}

func plain(in *CreateReplicationGroupInput) { in.TransitEncryptionEnabled = nil }

// create makes a cache and brings it to available.
func (h *house) create(in CreateReplicationGroupInput) ReplicationGroup {
	h.t.Helper()
	if _, err := h.CreateReplicationGroup(h.ctx, in); err != nil {
		h.t.Fatalf("creating %s: %v", in.ID, err)
	}
	h.settle()
	return h.shown(in.ID)
}

func (h *house) modify(in ModifyReplicationGroupInput) {
	h.t.Helper()
	if _, err := h.ModifyReplicationGroup(h.ctx, in); err != nil {
		h.t.Fatalf("modifying %s: %v", in.ID, err)
	}
	h.settle()
}

// settle is converge with engines and gateways that have followed.
func (h *house) settle() {
	h.t.Helper()
	_, err := h.state.Update(h.ctx, func(tx *state.Tx) error {
		Finish(tx, h.clock.Now(), func(*identity.ReplicationGroup) bool { return true })
		users.Finish(tx, func(any) bool { return true })
		return nil
	})
	h.must(err)
}

func (h *house) shown(id string) ReplicationGroup {
	h.t.Helper()
	found, err := h.DescribeReplicationGroups(DescribeReplicationGroupsInput{ID: &id})
	h.must(err)
	return found[0]
}

// group makes a user group whose one user is called default.
func (h *house) group(id string, engine identity.Engine, auth identity.AuthType) {
	h.t.Helper()
	user := &identity.User{
		ID: id + "-user", Name: identity.DefaultUser, Engine: engine, Status: identity.Active,
		AccessString: "on ~* +@all", Auth: auth, Created: firstDay, Incarnation: id,
	}
	members := []identity.Member{{UserID: user.ID, Joined: "1"}}
	_, err := h.state.Update(h.ctx, func(tx *state.Tx) error {
		tx.Put(user)
		tx.Put(&identity.UserGroup{ID: id, Engine: engine, Status: identity.Active, Members: members})
		return nil
	})
	h.must(err)
}

// told returns the messages of all events of a source, oldest first.
func (h *house) told(id string) []string {
	h.t.Helper()
	events, err := h.state.Events(h.ctx)
	h.must(err)
	var messages []string
	for _, e := range events {
		if e.SourceID == id {
			messages = append(messages, e.Message)
		}
	}
	return messages
}

// tells checks whether one of the events of a source has that text.
func (h *house) tells(id, text string, want bool) {
	h.t.Helper()
	messages := h.told(id)
	if got := slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, text) }); got != want {
		h.t.Errorf("events of %s with %q: %v, want %v; all are:\n%s", id, text, got, want, strings.Join(messages, "\n"))
	}
}

func TestConfigTellsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := New(nil, nil, nil, Config{Host: "not a host", FirstPort: 20, LastPort: 10})
	want := "caches: an account and a region are needed\ngateway host \"not a host\" is neither an address nor a name\nports 20-10 are not a range within 1-65535"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, host := range []string{"127.0.0.1", "::1", "cache.example.com", "localhost"} {
		if _, err := New(nil, nil, nil, Config{Account: testConfig().Account, Host: host, FirstPort: 1, LastPort: 1}); err != nil {
			t.Errorf("host %s: %v", host, err)
		}
	}
}

// manyPorts is room for replicas.
func manyPorts(config *Config) { config.LastPort = config.FirstPort + 99 }
