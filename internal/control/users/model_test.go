package users

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// model is the rules of users and groups in their shortest form: sets of names.
// For every request it lists all reasons to refuse it, in no order; a request
// without a reason must be accepted, one with reasons refused for one of them.
type model struct {
	users  map[string]*modelUser
	groups map[string]*modelGroup
	caches map[string]modelCache
	quotas Quotas
}

type modelUser struct {
	name   string
	engine identity.Engine
	auth   identity.AuthType
	status identity.Status
}

type modelGroup struct {
	engine     identity.Engine
	status     identity.Status
	old, wants map[string]bool
}

type modelCache struct {
	engine identity.Engine
	group  string
}

type reasons map[identity.Kind]bool

func (r reasons) when(bad bool, kind identity.Kind) {
	if bad {
		r[kind] = true
	}
}

func (m *model) createUser(id, name string, engine identity.Engine, auth identity.AuthType) reasons {
	r := reasons{}
	r.when(m.users[id] != nil, identity.UserExists)
	r.when(len(m.users) > m.quotas.Users, identity.UserQuota)
	r.when(auth == identity.AuthIAM && id != name, identity.InvalidParameterCombination)
	r.when(auth == identity.AuthNoPassword && engine == identity.Valkey, identity.InvalidParameterCombination)
	return r
}

func (m *model) modifyUser(id string, engine identity.Engine, auth identity.AuthType) reasons {
	r := reasons{}
	user := m.users[id]
	if user == nil {
		return reasons{identity.UserNotFound: true}
	}
	r.when(id == "default", identity.InvalidParameterValue)
	r.when(user.status != identity.Active, identity.UserState)
	r.when(auth == identity.AuthIAM && id != user.name, identity.InvalidParameterCombination)
	r.when(auth == identity.AuthNoPassword && engine == identity.Valkey, identity.InvalidParameterCombination)
	for _, group := range m.groups {
		if group.wants[id] && group.status != identity.Deleting {
			r.when(group.engine == identity.Redis && engine == identity.Valkey, identity.InvalidParameterCombination)
			r.when(group.engine == identity.Valkey && auth == identity.AuthNoPassword, identity.InvalidParameterCombination)
		}
	}
	return r
}

func (m *model) deleteUser(id string) reasons {
	r := reasons{}
	user := m.users[id]
	if user == nil {
		return reasons{identity.UserNotFound: true}
	}
	r.when(id == "default", identity.InvalidParameterValue)
	r.when(user.status != identity.Active, identity.UserState)
	for _, group := range m.groups {
		r.when(group.wants[id] && group.status != identity.Deleting && group.engine == identity.Redis && user.name == "default", identity.DefaultUserAssociated)
	}
	return r
}

// fits lists what is wrong with a group of that engine that has those users.
func (m *model) fits(r reasons, engine identity.Engine, members map[string]bool) {
	names := map[string]int{}
	for id := range members {
		user := m.users[id]
		if user == nil {
			continue
		}
		names[user.name]++
		r.when(engine == identity.Redis && user.engine == identity.Valkey, identity.InvalidParameterValue)
		r.when(engine == identity.Valkey && user.auth == identity.AuthNoPassword, identity.InvalidParameterValue)
		r.when(names[user.name] > 1, identity.DuplicateUserName)
	}
	r.when(engine == identity.Redis && names["default"] == 0, identity.DefaultUserRequired)
	r.when(len(members) > m.quotas.UsersPerGroup, identity.UserGroupQuota)
}

func (m *model) createGroup(id string, engine identity.Engine, members []string) reasons {
	r := reasons{}
	r.when(m.groups[id] != nil, identity.UserGroupExists)
	r.when(len(m.groups) >= m.quotas.Groups, identity.UserGroupQuota)
	m.joins(r, members, nil)
	m.fits(r, engine, setOf(members))
	return r
}

func (m *model) joins(r reasons, add []string, have map[string]bool) {
	r.when(len(setOf(add)) < len(add), identity.InvalidParameterValue)
	for _, id := range add {
		r.when(m.users[id] == nil || m.users[id].status == identity.Deleting, identity.UserNotFound)
		r.when(have[id], identity.InvalidParameterValue)
	}
}

func (m *model) modifyGroup(id string, engine identity.Engine, add, remove []string) (reasons, map[string]bool) {
	group := m.groups[id]
	if group == nil {
		return reasons{identity.UserGroupNotFound: true}, nil
	}
	r := reasons{}
	r.when(group.status != identity.Active, identity.UserGroupState)
	for _, cache := range m.caches {
		r.when(cache.group == id && cache.engine == identity.Redis && engine == identity.Valkey, identity.InvalidParameterCombination)
	}
	next := maps.Clone(group.old)
	for _, id := range remove {
		r.when(m.users[id] == nil, identity.UserNotFound)
		r.when(!next[id], identity.InvalidParameterValue)
		r.when(slices.Contains(add, id), identity.InvalidParameterCombination)
		delete(next, id)
	}
	m.joins(r, add, next)
	for _, id := range add {
		next[id] = true
	}
	m.fits(r, engine, next)
	return r, next
}

func (m *model) deleteGroup(id string) reasons {
	group := m.groups[id]
	if group == nil {
		return reasons{identity.UserGroupNotFound: true}
	}
	r := reasons{}
	r.when(group.status != identity.Active, identity.UserGroupState)
	for _, cache := range m.caches {
		r.when(cache.group == id, identity.UserGroupState)
	}
	return r
}

// finish ends what is settled: groups first, then users that no group has.
func (m *model) finish(settled func(id string) bool) {
	for id, group := range m.groups {
		if group.status == identity.Active || !settled("group "+id) {
			continue
		}
		if group.status == identity.Deleting {
			delete(m.groups, id)
			continue
		}
		group.status, group.old = identity.Active, group.wants
	}
	for id, user := range m.users {
		if user.status == identity.Active || !settled("user "+id) {
			continue
		}
		if user.status == identity.Modifying {
			user.status = identity.Active
			continue
		}
		wanted := false
		for _, group := range m.groups {
			wanted = wanted || group.old[id] || group.wants[id]
		}
		if !wanted {
			delete(m.users, id)
		}
	}
}

func setOf(ids []string) map[string]bool {
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// run is one random history: the same requests to the service and the model.
type run struct {
	*model
	*testAccount
	t *rapid.T
}

func TestRequestsFollowTheRulesInEveryOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quotas := Quotas{Users: 6, Groups: 3, UsersPerGroup: 4}
		r := &run{
			model: &model{
				users: map[string]*modelUser{
					"default": {"default", identity.Redis, identity.AuthNoPassword, identity.Active},
				},
				groups: map[string]*modelGroup{}, caches: map[string]modelCache{}, quotas: quotas,
			},
			testAccount: newAccount(t, quotas),
			t:           t,
		}
		t.Repeat(map[string]func(*rapid.T){
			"":             func(*rapid.T) { r.check() },
			"create user":  func(*rapid.T) { r.opCreateUser() },
			"modify user":  func(*rapid.T) { r.opModifyUser() },
			"delete user":  func(*rapid.T) { r.opDeleteUser() },
			"create group": func(*rapid.T) { r.opCreateGroup() },
			"modify group": func(*rapid.T) { r.opModifyGroup() },
			"delete group": func(*rapid.T) { r.opDeleteGroup() },
			"cache":        func(*rapid.T) { r.opCache() },
			"restart":      func(*rapid.T) { r.restart() },
			"finish some":  func(*rapid.T) { r.opFinish(rapid.Bool()) },
			"finish all":   func(*rapid.T) { r.opFinish(rapid.Just(true)) },
		})
		r.opFinish(rapid.Just(true))
		r.check()
		for id, user := range r.state.View().Users {
			if user.Status != identity.Active {
				t.Fatalf("user %s stays %s", id, user.Status)
			}
		}
		for id, group := range r.state.View().UserGroups {
			if group.Status != identity.Active {
				t.Fatalf("group %s stays %s", id, group.Status)
			}
		}
	})
}

var (
	anyUser   = rapid.SampledFrom([]string{"default", "u1", "u2", "u3", "u4", "u5", "u6", "u7"})
	anyGroup  = rapid.SampledFrom([]string{"g1", "g2", "g3", "g4"})
	anyEngine = rapid.SampledFrom([]identity.Engine{identity.Redis, identity.Valkey})
	anyAuth   = rapid.SampledFrom([]identity.AuthType{identity.AuthPassword, identity.AuthPassword, identity.AuthNoPassword, identity.AuthIAM})
	someUsers = rapid.SliceOfN(anyUser, 0, 4)
)

// judge compares what the service said with what the model says, and returns
// whether the request was accepted.
func (r *run) judge(what string, before *state.View, err error, want reasons) bool {
	r.t.Helper()
	r.t.Logf("%s: %v", what, err)
	if err == nil && len(want) > 0 {
		r.t.Fatalf("%s was accepted, against %v", what, want)
	}
	if err != nil && !want[identity.KindOf(err)] {
		r.t.Fatalf("%s was refused with %q (%v), want one of %v", what, identity.KindOf(err), err, want)
	}
	if err != nil && r.state.View() != before {
		r.t.Fatalf("%s was refused and changed the state", what)
	}
	return err == nil
}

func authentication(auth identity.AuthType) Authentication {
	a := Authentication{Mode: &AuthenticationMode{Type: ptr(string(auth))}}
	if auth == identity.AuthPassword {
		a.Passwords = secrets(goodPassword)
	}
	return a
}

func (r *run) opCreateUser() {
	id, engine, auth := anyUser.Draw(r.t, "id"), anyEngine.Draw(r.t, "engine"), anyAuth.Draw(r.t, "auth")
	name := rapid.SampledFrom([]string{"default", "n1", "n2", id}).Draw(r.t, "name")
	before := r.state.View()
	want := r.createUser(id, name, engine, auth)
	_, err := r.CreateUser(r.ctx, CreateUserInput{
		ID: id, Name: name, Engine: string(engine), AccessString: "on ~* +@all", Authentication: authentication(auth),
	})
	if r.judge(fmt.Sprintf("create user %s (%s, %s, %s)", id, name, engine, auth), before, err, want) {
		r.users[id] = &modelUser{name, engine, auth, identity.Active}
	}
}

func (r *run) opModifyUser() {
	id, engine, auth := anyUser.Draw(r.t, "id"), anyEngine.Draw(r.t, "engine"), anyAuth.Draw(r.t, "auth")
	before := r.state.View()
	want := r.modifyUser(id, engine, auth)
	_, err := r.ModifyUser(r.ctx, ModifyUserInput{ID: id, Engine: ptr(string(engine)), Authentication: authentication(auth)})
	if r.judge(fmt.Sprintf("modify user %s (%s, %s)", id, engine, auth), before, err, want) {
		*r.users[id] = modelUser{r.users[id].name, engine, auth, identity.Modifying}
	}
}

func (r *run) opDeleteUser() {
	id := anyUser.Draw(r.t, "id")
	before := r.state.View()
	want := r.deleteUser(id)
	_, err := r.DeleteUser(r.ctx, id)
	if !r.judge("delete user "+id, before, err, want) {
		return
	}
	r.users[id].status = identity.Deleting
	for _, group := range r.groups {
		if !group.wants[id] || group.status == identity.Deleting {
			continue
		}
		group.wants = maps.Clone(group.wants)
		delete(group.wants, id)
		if group.status == identity.Active {
			group.status = identity.Modifying
		}
	}
}

func (r *run) opCreateGroup() {
	id, engine, members := anyGroup.Draw(r.t, "id"), anyEngine.Draw(r.t, "engine"), someUsers.Draw(r.t, "users")
	before := r.state.View()
	want := r.createGroup(id, engine, members)
	_, err := r.CreateUserGroup(r.ctx, CreateUserGroupInput{ID: id, Engine: string(engine), UserIDs: members})
	if r.judge(fmt.Sprintf("create group %s (%s, %v)", id, engine, members), before, err, want) {
		r.groups[id] = &modelGroup{engine, identity.Creating, setOf(members), setOf(members)}
	}
}

func (r *run) opModifyGroup() {
	id, engine := anyGroup.Draw(r.t, "id"), anyEngine.Draw(r.t, "engine")
	add, remove := someUsers.Draw(r.t, "add"), someUsers.Draw(r.t, "remove")
	before := r.state.View()
	want, next := r.modifyGroup(id, engine, add, remove)
	_, err := r.ModifyUserGroup(r.ctx, ModifyUserGroupInput{ID: id, Engine: ptr(string(engine)), Add: add, Remove: remove})
	if r.judge(fmt.Sprintf("modify group %s (%s, +%v, -%v)", id, engine, add, remove), before, err, want) {
		r.groups[id] = &modelGroup{engine, identity.Modifying, r.groups[id].old, next}
	}
}

func (r *run) opDeleteGroup() {
	id := anyGroup.Draw(r.t, "id")
	before := r.state.View()
	want := r.deleteGroup(id)
	_, err := r.DeleteUserGroup(r.ctx, id)
	if r.judge("delete group "+id, before, err, want) {
		r.groups[id].status = identity.Deleting
	}
}

// opCache attaches a group to a cache where that is allowed, or detaches it.
func (r *run) opCache() {
	id, engine, group := rapid.SampledFrom([]string{"c1", "c2"}).Draw(r.t, "cache"), anyEngine.Draw(r.t, "engine"), anyGroup.Draw(r.t, "group")
	if _, attached := r.caches[id]; attached {
		r.put(&identity.ReplicationGroup{ID: id, Status: identity.Available, Engine: r.caches[id].engine})
		delete(r.caches, id)
		return
	}
	g := r.groups[group]
	_, err := Attachable(r.state.View(), group, engine)
	allowed := g != nil && g.status == identity.Active && (g.engine == identity.Redis || engine == identity.Valkey)
	if allowed != (err == nil) {
		r.t.Fatalf("attaching %s (%+v) to a %s cache: %v", group, g, engine, err)
	}
	if allowed {
		r.makeCache(id, engine, group)
		r.caches[id] = modelCache{engine, group}
	}
}

func (r *run) opFinish(choice *rapid.Generator[bool]) {
	chosen := map[string]bool{}
	settled := func(id string) bool {
		if _, drawn := chosen[id]; !drawn {
			chosen[id] = choice.Draw(r.t, id+" settled")
		}
		return chosen[id]
	}
	r.testAccount.finish(func(noun any) bool {
		switch n := noun.(type) {
		case *identity.User:
			return settled("user " + n.ID)
		case *identity.UserGroup:
			return settled("group " + n.ID)
		default:
			r.t.Fatalf("Finish asks about a %T", noun)
			return false
		}
	})
	r.model.finish(settled)
}

// check compares the state with the model and holds the invariants.
func (r *run) check() {
	view := r.state.View()
	if len(view.Users) != len(r.users) || len(view.UserGroups) != len(r.groups) {
		r.t.Fatalf("%d users and %d groups, want %d and %d", len(view.Users), len(view.UserGroups), len(r.users), len(r.groups))
	}
	for id, user := range view.Users {
		if want := r.users[id]; want == nil || *want != (modelUser{user.Name, user.Engine, user.Auth, user.Status}) {
			r.t.Fatalf("user %s is %+v, want %+v", id, user, want)
		}
	}
	for id, group := range view.UserGroups {
		want := r.groups[id]
		if want == nil || want.engine != group.Engine || want.status != group.Status ||
			!maps.Equal(want.old, ids(group.Members)) || !maps.Equal(want.wants, ids(Membership(group))) {
			r.t.Fatalf("group %s is %+v, want %+v", id, group, want)
		}
		r.checkGroup(view, group)
	}
}

func (r *run) checkGroup(view *state.View, group *identity.UserGroup) {
	defaults := 0
	for _, member := range append(slices.Clone(group.Members), group.Target...) {
		if view.Users[member.UserID] == nil || member.Joined == "" {
			r.t.Fatalf("group %s has the dangling member %+v", group.ID, member)
		}
	}
	for _, member := range Membership(group) {
		if view.Users[member.UserID].Name == identity.DefaultUser {
			defaults++
		}
	}
	if group.Engine == identity.Redis && defaults != 1 || defaults > 1 {
		r.t.Fatalf("%s group %s has %d default users", group.Engine, group.ID, defaults)
	}
	if len(Membership(group)) > r.quotas.UsersPerGroup || group.Status == identity.Active && group.Target != nil {
		r.t.Fatalf("group %+v", group)
	}
}

func ids(members []identity.Member) map[string]bool {
	set := map[string]bool{}
	for _, member := range members {
		set[member.UserID] = true
	}
	return set
}
