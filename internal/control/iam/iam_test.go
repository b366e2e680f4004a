package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// harness is a service over a store for tests.
type harness struct {
	*Service
	t       *testing.T
	store   store.Store
	clock   *clock.Fake
	changes int
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{t: t, store: memory.New(), clock: clock.NewFake(noon)}
	h.Service = h.open([32]byte{1})
	return h
}

// open makes a service over the same store, as a restart does.
func (h *harness) open(secrets [32]byte) *Service {
	h.t.Helper()
	st, err := state.Open(h.t.Context(), h.store, h.clock)
	h.must(err)
	account := naming.Account{ID: "000000000000", Region: "us-east-1"}
	s, err := New(Config{
		State: st, Account: account, Clock: h.clock, Tags: tagging.New(st, account),
		Root:       RootKey{ID: "AKIAROOTROOTROOTROOT", Secret: identity.NewSecret("root")},
		SecretsKey: secrets, SessionsKey: [32]byte{2}, Changed: func() { h.changes++ },
	})
	h.must(err)
	return s
}

func (h *harness) must(errs ...error) {
	h.t.Helper()
	if err := errors.Join(errs...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) refused(err error, kind identity.Kind, text string) {
	h.t.Helper()
	if identity.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		h.t.Errorf("got %q: %v\nwant %q: %s", identity.KindOf(err), err, kind, text)
	}
}

func second[T any](_ T, err error) error { return err }

func doc(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const (
	allowAll     = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	allowCaches  = `{"Effect":"Allow","Action":"elasticache:*","Resource":"*"}`
	denyDelete   = `{"Effect":"Deny","Action":"elasticache:Delete*","Resource":"*"}`
	trustAccount = `{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":["sts:AssumeRole","sts:TagSession"]}`
	account      = "arn:aws:iam::000000000000:"
)

// user makes a user with inline policies, and returns who it is.
func (h *harness) user(name string, statements ...string) *Identity {
	h.t.Helper()
	h.must(second(h.CreateUser(h.t.Context(), NewEntity{Name: name})))
	if len(statements) > 0 {
		h.must(h.PutInline(h.t.Context(), User, name, "own", doc(statements...)))
	}
	key, _, err := h.CreateAccessKey(h.t.Context(), name)
	h.must(err)
	return h.find(key.ID, "")
}

func (h *harness) find(id, token string) *Identity {
	h.t.Helper()
	_, who, err := h.Find(h.t.Context(), id, token)
	h.must(err)
	return who
}

func (h *harness) role(name, trust string, statements ...string) string {
	h.t.Helper()
	role, err := h.CreateRole(h.t.Context(), NewEntity{Name: name}, doc(trust), "", 0)
	h.must(err)
	if len(statements) > 0 {
		h.must(h.PutInline(h.t.Context(), Role, name, "own", doc(statements...)))
	}
	return h.ARN(Role, &role.IAMEntity)
}

// assume asks for and, if it is allowed, assumes a role.
func (h *harness) assume(who *Identity, in *AssumeRoleInput) (*Assumed, error) {
	if in.SessionName == "" {
		in.SessionName = "one"
	}
	q := &Question{Who: who, Action: "sts:AssumeRole", Resources: []string{in.RoleARN}, Conditions: in.Conditions()}
	if err := h.Authorize(q); err != nil {
		return nil, err
	}
	return h.AssumeRole(h.t.Context(), q, in)
}

// may reports whether who may do something, as its denial.
func (h *harness) may(who *Identity, action, resource string) error {
	return h.Authorize(&Question{Who: who, Action: action, Resources: []string{resource}, SourceIP: "10.0.0.1"})
}

func TestEntitiesHaveIAMsNamesAndIDs(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	user, err := h.CreateUser(ctx, NewEntity{Name: "Alice", Path: "/team/a/", Tags: []naming.Tag{{Key: "Team", Value: "red"}}})
	h.must(err)
	if arn := h.ARN(User, &user.IAMEntity); arn != account+"user/team/a/Alice" || !strings.HasPrefix(user.ID, "AIDA") || len(user.ID) != 21 {
		t.Errorf("%s %s", arn, user.ID)
	}
	h.refused(second(h.CreateUser(ctx, NewEntity{Name: "ALICE"})), identity.EntityExists, "User with name ALICE already exists.")
	h.refused(second(h.User("bob")), identity.NoSuchEntity, "The user with name bob cannot be found.")
	if len(h.Users("/team/")) != 1 || len(h.Users("/other/")) != 0 {
		t.Error("listing by path")
	}
	h.must(h.Tag(ctx, User, "alice", []naming.Tag{{Key: "team", Value: "blue"}}))
	if u, _ := h.User("alice"); len(u.Tags) != 1 || u.Tags["Team"] != "blue" {
		t.Errorf("tag keys are compared without case: %v", u.Tags)
	}
	h.must(h.Untag(ctx, User, "alice", []string{"TEAM", "none"}))
	if u, _ := h.User("alice"); len(u.Tags) != 0 {
		t.Errorf("%v", u.Tags)
	}
	if h.changes != 3 {
		t.Errorf("%d changes were told, want 3", h.changes)
	}
}

func TestRenamingKeepsKeysAndMemberships(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	alice := h.user("alice")
	h.must(second(h.CreateGroup(ctx, NewEntity{Name: "readers"})), h.AddUserToGroup(ctx, "alice", "readers"))
	h.must(h.Rename(ctx, User, "alice", "alicia", "/new/"), h.Rename(ctx, Group, "readers", "Readers2", ""))
	if who := h.find(alice.AccessKeyID, ""); who.Principal.ARN != account+"user/new/alicia" {
		t.Errorf("%s", who.Principal.ARN)
	}
	groups, err := h.GroupsOf("alicia")
	h.must(err)
	if len(groups) != 1 || groups[0].Name != "Readers2" {
		t.Errorf("%v", groups)
	}
	h.refused(second(h.User("alice")), identity.NoSuchEntity, "alice")
	h.user("bob")
	h.refused(h.Rename(ctx, User, "bob", "Alicia", ""), identity.EntityExists, "Alicia")
	h.must(h.Rename(ctx, User, "bob", "Bob", "")) // another spelling of its own name
	if u, err := h.User("bob"); err != nil || u.Name != "Bob" {
		t.Errorf("%v %v", u, err)
	}
}

func TestDeletingWhatIsInUse(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	alice := h.user("alice", allowAll)
	managed, err := h.CreatePolicy(ctx, NewEntity{Name: "p"}, "", doc(allowAll))
	h.must(err, second(h.CreateGroup(ctx, NewEntity{Name: "g"})), h.AddUserToGroup(ctx, "alice", "g"))
	arn := h.PolicyARN(managed)
	h.must(h.Attach(ctx, User, "alice", arn), h.Attach(ctx, User, "alice", arn))
	role := func() error { return h.DeleteRole(ctx, "r") }
	h.role("r", trustAccount, allowAll)
	for _, step := range []struct {
		try   func() error
		text  string
		clear func() error
	}{
		{func() error { return h.DeleteUser(ctx, "alice") }, "must delete access keys first", func() error { return h.DeleteAccessKey(ctx, "alice", alice.AccessKeyID) }},
		{func() error { return h.DeleteUser(ctx, "alice") }, "must remove users from group first", func() error { return nil }},
		{func() error { return h.DeleteGroup(ctx, "g") }, "must remove users from group first", func() error { return h.RemoveUserFromGroup(ctx, "alice", "g") }},
		{func() error { return h.DeleteUser(ctx, "alice") }, "must detach all policies first", func() error { return nil }},
		{func() error { return h.DeletePolicy(ctx, arn) }, "attached to entities", func() error { return h.Detach(ctx, User, "alice", arn) }},
		{func() error { return h.DeleteUser(ctx, "alice") }, "must delete policies first", func() error { return h.DeleteInline(ctx, User, "alice", "own") }},
		{role, "must delete policies first", func() error { return h.DeleteInline(ctx, Role, "r", "own") }},
	} {
		h.refused(step.try(), identity.DeleteConflict, step.text)
		h.must(step.clear())
	}
	h.must(h.SetBoundary(ctx, User, "alice", arn))
	h.refused(h.DeletePolicy(ctx, arn), identity.DeleteConflict, "attached to entities")
	h.must(h.SetBoundary(ctx, User, "alice", ""), h.DeleteUser(ctx, "alice"), h.DeleteGroup(ctx, "g"), role(), h.DeletePolicy(ctx, arn))
}

func TestQuotas(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	h.user("alice")
	h.must(second2(h.CreateAccessKey(ctx, "alice")))
	h.refused(second2(h.CreateAccessKey(ctx, "alice")), identity.LimitExceeded, "Cannot exceed quota for AccessKeysPerUser: 2")
	for i := range maxAttached + 1 {
		name := fmt.Sprintf("p%d", i)
		p, err := h.CreatePolicy(ctx, NewEntity{Name: name}, "", doc(allowAll))
		h.must(err, second(h.CreateGroup(ctx, NewEntity{Name: name})))
		attach, join := h.Attach(ctx, User, "alice", h.PolicyARN(p)), h.AddUserToGroup(ctx, "alice", name)
		if i < maxAttached {
			h.must(attach, join)
			continue
		}
		h.refused(attach, identity.LimitExceeded, "PoliciesPerUser: 10")
		h.refused(join, identity.LimitExceeded, "GroupsPerUser: 10")
	}
	long := strings.Repeat(`{"Effect":"Allow","Action":"elasticache:DescribeReplicationGroups","Resource":"arn:aws:elasticache:us-east-1:000000000000:replicationgroup:a"},`, 15) + allowAll
	h.refused(h.PutInline(ctx, User, "alice", "long", doc(long)), identity.LimitExceeded, "Maximum policy size of 2048 bytes exceeded for user alice")
	h.refused(second(h.CreatePolicy(ctx, NewEntity{Name: "long"}, "", doc(long, long, long, long))), identity.LimitExceeded, "PolicySize: 6144")
	h.refused(h.PutInline(ctx, User, "alice", "bad", doc(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Equals":{"a:b":"c"}}}`)), identity.Malformed, "Statement[0].Condition.Equals")
	if e, _ := h.Entity(User, "alice"); len(e.Inline) != 0 {
		t.Errorf("a refused policy is there: %v", e.Inline)
	}
}

func second2[A, B any](_ A, _ B, err error) error { return err }

func TestVersions(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	alice := h.user("alice")
	p, err := h.CreatePolicy(ctx, NewEntity{Name: "p"}, "", doc(allowCaches))
	h.must(err)
	arn := h.PolicyARN(p)
	h.must(h.Attach(ctx, User, "alice", arn), h.may(alice, "elasticache:DeleteUser", "*"))
	h.must(second(h.AddVersion(ctx, arn, doc(denyDelete), true)))
	h.refused(h.may(alice, "elasticache:DeleteUser", "*"), identity.AccessDenied, "with an explicit deny in an identity-based policy")
	for range 3 {
		h.must(second(h.AddVersion(ctx, arn, doc(allowAll), false)))
	}
	h.refused(second(h.AddVersion(ctx, arn, doc(allowAll), false)), identity.LimitExceeded, "up to 5 versions")
	h.refused(h.DeleteVersion(ctx, arn, "v2"), identity.DeleteConflict, "Cannot delete the default version of a policy.")
	h.refused(h.DeleteVersion(ctx, arn, "v9"), identity.NoSuchEntity, "version v9 does not exist")
	h.must(h.SetDefaultVersion(ctx, arn, "v1"), h.may(alice, "elasticache:DeleteUser", "*"), h.DeleteVersion(ctx, arn, "v2"))
	v, err := h.AddVersion(ctx, arn, doc(allowAll), false)
	h.must(err)
	if v.Number != 6 {
		t.Errorf("a number was given again: v%d", v.Number)
	}
	h.refused(second(h.CreatePolicy(ctx, NewEntity{Name: "old"}, "", `{"Statement":`+allowAll+`}`)), identity.Malformed, "2012-10-17")
	h.refused(h.DeletePolicy(ctx, "arn:aws:iam::aws:policy/AdministratorAccess"), identity.AccessDenied, "not this account's")
}

func TestProvidedPoliciesAreReadable(t *testing.T) {
	h := newHarness(t)
	alice := h.user("alice")
	h.must(h.Attach(t.Context(), User, "alice", "arn:aws:iam::aws:policy/AmazonElastiCacheReadOnlyAccess"))
	h.must(h.may(alice, "elasticache:DescribeUsers", "*"))
	h.refused(h.may(alice, "elasticache:CreateUser", "*"), identity.AccessDenied, "no identity-based policy allows")
	for _, p := range h.Policies(false, true) {
		h.must(checkManaged(Document(p)))
		if len(p.ID) != entityIDLength {
			t.Errorf("%s has the id %s", p.Name, p.ID)
		}
	}
}

func TestSecretsSurviveARestartAndNothingElse(t *testing.T) {
	h := newHarness(t)
	h.must(second(h.CreateUser(t.Context(), NewEntity{Name: "alice"})))
	key, secret, err := h.CreateAccessKey(t.Context(), "alice")
	h.must(err)
	found, _, err := h.open([32]byte{1}).Find(t.Context(), key.ID, "")
	if err != nil || !found.Equal(secret) || len(secret.Reveal()) != 40 {
		t.Errorf("after a restart: %v", err)
	}
	if _, _, err := h.open([32]byte{9}).Find(t.Context(), key.ID, ""); err == nil || errors.Is(err, ErrUnknown) {
		t.Errorf("with another master key: %v", err)
	}
	records, _, err := h.store.List(t.Context(), "/")
	h.must(err)
	if slices.ContainsFunc(records, func(r store.Record) bool { return strings.Contains(string(r.Value), secret.Reveal()) }) {
		t.Error("the store holds the secret in clear")
	}
	h.must(h.SetAccessKey(t.Context(), "alice", key.ID, false))
	if _, _, err := h.Find(t.Context(), key.ID, ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("an inactive key: %v", err)
	}
}

func TestUsesAreWritten(t *testing.T) {
	h := newHarness(t)
	alice := h.user("alice")
	before := h.State.View().IAM.Rev
	h.Used(alice.AccessKeyID, "elasticache")
	h.Used("AKIANOBODYHASTHISKEY", "sts")
	h.must(h.flushUses(t.Context()))
	if use := h.open([32]byte{1}).LastUse(alice.AccessKeyID); use == nil || !use.Time.Equal(noon) || use.Service != "elasticache" {
		t.Errorf("%+v", use)
	}
	if view := h.State.View(); view.IAM.Rev != before || len(view.IAM.KeyUses) != 1 || h.uses.last[alice.AccessKeyID].KeyID != "" {
		t.Errorf("a use is a change of an identity, or one of nobody's key is kept: %+v", view.IAM.KeyUses)
	}
	h.must(h.DeleteAccessKey(t.Context(), "alice", alice.AccessKeyID))
	if len(h.State.View().IAM.KeyUses) != 0 {
		t.Error("the use outlives the key")
	}
}
