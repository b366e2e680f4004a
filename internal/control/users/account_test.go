package users

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

// tester is what these tests need of *testing.T and *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// testAccount is a Service with its state, fresh from the first start.
type testAccount struct {
	*Service
	t     tester
	ctx   context.Context
	store store.Store
}

func newAccount(t tester, quotas Quotas) *testAccount {
	t.Helper()
	c := clock.NewFake(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	ctx := context.Background()
	records := memory.New()
	st, err := state.Open(ctx, records, c)
	if err != nil {
		t.Fatalf("opening the state: %v", err)
	}
	a := &testAccount{
		Service: New(st, naming.Account{ID: "000000000000", Region: "us-east-1"}, credential.NewKey([32]byte{1}), c, quotas),
		t:       t,
		ctx:     ctx,
		store:   records,
	}
	if err := a.Init(ctx); err != nil {
		t.Fatalf("init: %v", err)
	}
	return a
}

// finish runs Finish until nothing is left to do for nouns that are settled.
func (a *testAccount) finish(settled func(noun any) bool) {
	a.t.Helper()
	for range 100 {
		before := a.state.View()
		after, err := a.state.Update(a.ctx, func(tx *state.Tx) error {
			Finish(tx, settled)
			return nil
		})
		if err != nil {
			a.t.Fatalf("finish: %v", err)
		}
		if before == after {
			return
		}
	}
	a.t.Fatalf("Finish does not come to an end")
}

// restart reads everything from the store again, as the next start does.
func (a *testAccount) restart() {
	a.t.Helper()
	st, err := state.Open(a.ctx, a.store, a.clock)
	if err != nil {
		a.t.Fatalf("opening the state again: %v", err)
	}
	a.Service = New(st, a.account, a.key, a.clock, a.quotas)
	if err := a.Init(a.ctx); err != nil {
		a.t.Fatalf("init again: %v", err)
	}
}

func all(any) bool { return true }

func (a *testAccount) user(id string) *identity.User {
	a.t.Helper()
	user := a.state.View().Users[id]
	if user == nil {
		a.t.Fatalf("there is no user %s", id)
	}
	return user
}

func (a *testAccount) group(id string) *identity.UserGroup {
	a.t.Helper()
	group := a.state.View().UserGroups[id]
	if group == nil {
		a.t.Fatalf("there is no user group %s", id)
	}
	return group
}

// makeUser makes a user with one password.
func (a *testAccount) makeUser(id, name string, engine identity.Engine) {
	a.t.Helper()
	_, err := a.CreateUser(a.ctx, CreateUserInput{
		ID: id, Name: name, Engine: string(engine), AccessString: "on ~* +@all",
		Authentication: Authentication{Passwords: secrets("first-password-" + id)},
	})
	if err != nil {
		a.t.Fatalf("making user %s: %v", id, err)
	}
}

// makeGroup makes an active group.
func (a *testAccount) makeGroup(id string, engine identity.Engine, users ...string) {
	a.t.Helper()
	if _, err := a.CreateUserGroup(a.ctx, CreateUserGroupInput{ID: id, Engine: string(engine), UserIDs: users}); err != nil {
		a.t.Fatalf("making user group %s: %v", id, err)
	}
	a.finish(all)
}

// makeCache puts a replication group that has the user group.
func (a *testAccount) makeCache(id string, engine identity.Engine, groupID string) {
	a.t.Helper()
	a.put(&identity.ReplicationGroup{
		ID: id, Engine: engine, Status: identity.Available,
		Access: identity.Access{State: identity.RBAC, GroupID: groupID},
	})
}

func (a *testAccount) put(noun any) {
	a.t.Helper()
	_, err := a.state.Update(a.ctx, func(tx *state.Tx) error {
		tx.Put(noun)
		return nil
	})
	if err != nil {
		a.t.Fatalf("writing: %v", err)
	}
}

// events returns the messages recorded for a source, oldest first.
func (a *testAccount) events(sourceType, id string) []string {
	a.t.Helper()
	events, err := a.state.Events(a.ctx)
	if err != nil {
		a.t.Fatalf("events: %v", err)
	}
	var messages []string
	for _, event := range events {
		if event.SourceType == sourceType && event.SourceID == id {
			messages = append(messages, event.Message)
		}
	}
	return messages
}

// refused checks an error's kind and message, and that nothing was written.
func (a *testAccount) refused(before *state.View, err error, kind identity.Kind, message string) {
	a.t.Helper()
	if err == nil {
		a.t.Fatalf("the request was accepted, want %s", kind)
	}
	if identity.KindOf(err) != kind || err.Error() != message {
		a.t.Errorf("refused with %q: %s\nwant         %q: %s", identity.KindOf(err), err, kind, message)
	}
	if a.state.View() != before {
		a.t.Errorf("a refused request changed the state")
	}
}

func secrets(texts ...string) []identity.Secret {
	list := make([]identity.Secret, 0, len(texts))
	for _, text := range texts {
		list = append(list, identity.NewSecret(text))
	}
	return list
}

func ptr[T any](v T) *T { return &v }

// long returns n times the letter a.
func long(n int) string { return strings.Repeat("a", n) }

var _ tester = (*testing.T)(nil)
