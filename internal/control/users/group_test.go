package users

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	needsDefault = "User group needs to contain a user with the user name default."
	noValkeyUser = "users with engine valkey cannot be in groups with engine redis"
	noOpenUser   = "users that need no password cannot be in groups with engine valkey"
)

// crowd is an account with users of every sort:
// default (the account's own), own-default, r-alice (redis), r-alice2 (the same
// name), v-bob (valkey), r-open (redis, no password).
func crowd(t *testing.T) *testAccount {
	t.Helper()
	a := newAccount(t, Quotas{Users: 100, Groups: 4, UsersPerGroup: 3})
	a.makeUser("own-default", "default", identity.Redis)
	a.makeUser("r-alice", "alice", identity.Redis)
	a.makeUser("r-alice2", "alice", identity.Redis)
	a.makeUser("v-bob", "bob", identity.Valkey)
	if _, err := a.CreateUser(a.ctx, CreateUserInput{
		ID: "r-open", Name: "open", Engine: "redis", AccessString: "on ~* +@all",
		Authentication: Authentication{NoPasswordRequired: ptr(true)},
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGroupLifeCycle(t *testing.T) {
	a := crowd(t)
	created, err := a.CreateUserGroup(a.ctx, CreateUserGroupInput{ID: "Team", Engine: "REDIS", UserIDs: []string{"R-Alice", "default"}})
	if err != nil {
		t.Fatal(err)
	}
	want := GroupDescription{
		ID: "team", Status: identity.Creating, Engine: identity.Redis, MinimumEngineVersion: "6.0",
		UserIDs: []string{"default", "r-alice"}, ReplicationGroups: []string{},
		ARN: "arn:aws:elasticache:us-east-1:000000000000:usergroup:team",
	}
	if diff := cmp.Diff(want, created); diff != "" {
		t.Error(diff)
	}
	before := a.state.View()
	_, err = a.ModifyUserGroup(a.ctx, ModifyUserGroupInput{ID: "team", Add: []string{"v-bob"}})
	a.refused(before, err, identity.UserGroupState, "User group team has status creating. Only active user groups can be modified.")
	_, err = Attachable(before, "team", identity.Redis)
	a.refused(before, err, identity.UserGroupState, "User group team has status creating. Only active user groups can be attached.")
	a.finish(all)
	a.makeCache("cache", identity.Redis, "team")

	// The default user is swapped and alice replaced, in one request.
	changed, err := a.ModifyUserGroup(a.ctx, ModifyUserGroupInput{ID: "TEAM", Add: []string{"own-default", "r-open"}, Remove: []string{"DEFAULT", "r-alice"}})
	if err != nil {
		t.Fatal(err)
	}
	want.Status, want.ReplicationGroups = identity.Modifying, []string{"cache"}
	want.Pending = &PendingChanges{Add: []string{"own-default", "r-open"}, Remove: []string{"default", "r-alice"}}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Error(diff)
	}
	a.finish(func(noun any) bool { _, isGroup := noun.(*identity.UserGroup); return !isGroup })
	before = a.state.View()
	_, err = a.ModifyUserGroup(a.ctx, ModifyUserGroupInput{ID: "team", Remove: []string{"r-open"}})
	a.refused(before, err, identity.UserGroupState, "User group team has status modifying. Only active user groups can be modified.")
	_, err = a.DeleteUserGroup(a.ctx, "team")
	a.refused(before, err, identity.UserGroupState, "User group team has status modifying. Only active user groups can be deleted.")

	a.finish(all)
	want.Status, want.Pending, want.UserIDs = identity.Active, nil, []string{"own-default", "r-open"}
	described, err := a.DescribeUserGroups(ptr("Team"))
	if err != nil || !cmp.Equal(described, []GroupDescription{want}) {
		t.Errorf("%v: %s", err, cmp.Diff([]GroupDescription{want}, described))
	}
	wantEvents := []string{
		"User group team is being created with engine redis and 2 users.",
		"User group team is active with 2 users.",
		"User group team is being modified: added own-default, r-open; removed default, r-alice, whose connections end.",
		"User group team is active with 2 users; added own-default, r-open; removed default, r-alice, and ended the connections.",
	}
	if diff := cmp.Diff(wantEvents, a.events("user-group", "team")); diff != "" {
		t.Error(diff)
	}
}

func TestDeleteUserGroup(t *testing.T) {
	a := crowd(t)
	a.makeGroup("team", identity.Redis, "default")
	a.makeCache("cache", identity.Redis, "team")
	before := a.state.View()
	_, err := a.DeleteUserGroup(a.ctx, "team")
	const attached = "User group team is attached to replication group cache. Detach it from all caches before deleting it."
	a.refused(before, err, identity.UserGroupState, attached)

	detaching := *a.state.View().ReplicationGroups["cache"]
	detaching.Target = &identity.Access{State: identity.AuthNone}
	a.put(&detaching) // in force until the gateways have followed
	before = a.state.View()
	_, err = a.DeleteUserGroup(a.ctx, "team")
	a.refused(before, err, identity.UserGroupState, attached)

	attaching := detaching
	attaching.Access, attaching.Target = *detaching.Target, &detaching.Access
	a.put(&attaching)
	before = a.state.View()
	_, err = a.DeleteUserGroup(a.ctx, "team")
	a.refused(before, err, identity.UserGroupState, attached)
	if described, _ := a.DescribeUserGroups(nil); len(described) != 1 || len(described[0].ReplicationGroups) != 0 {
		t.Errorf("a cache that does not have the group yet is shown: %+v", described)
	}

	detached := attaching
	detached.Target = nil
	a.put(&detached)
	deleted, err := a.DeleteUserGroup(a.ctx, "Team")
	if err != nil || deleted.Status != identity.Deleting {
		t.Fatalf("%+v, %v", deleted, err)
	}
	before = a.state.View()
	_, err = a.DeleteUserGroup(a.ctx, "team")
	a.refused(before, err, identity.UserGroupState, "User group team has status deleting. Only active user groups can be deleted.")
	a.finish(all)
	before = a.state.View()
	_, err = a.DescribeUserGroups(ptr("team"))
	a.refused(before, err, identity.UserGroupNotFound, "User group team not found.")
	_, err = a.DeleteUserGroup(a.ctx, "team")
	a.refused(before, err, identity.UserGroupNotFound, "User group team not found.")
	if a.user("default").Status != identity.Active {
		t.Error("the users of a deleted group stay")
	}
}

func TestCreateUserGroupRefusals(t *testing.T) {
	tests := map[string]struct {
		in      CreateUserGroupInput
		kind    identity.Kind
		message string
	}{
		"no id":               {CreateUserGroupInput{Engine: "redis"}, identity.MissingParameter, "The parameter UserGroupId must be provided and must not be blank."},
		"bad id":              {CreateUserGroupInput{ID: "a_b", Engine: "redis"}, identity.InvalidParameterValue, "The parameter UserGroupId is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."},
		"no engine":           {CreateUserGroupInput{ID: "g"}, identity.MissingParameter, "The parameter Engine must be provided and must not be blank."},
		"bad engine":          {CreateUserGroupInput{ID: "g", Engine: "x"}, identity.InvalidParameterValue, "Invalid value for parameter Engine: x. Valid values are: redis, valkey."},
		"exists":              {CreateUserGroupInput{ID: "TAKEN", Engine: "redis", UserIDs: []string{"default"}}, identity.UserGroupExists, "User group taken already exists."},
		"redis without users": {CreateUserGroupInput{ID: "g", Engine: "redis"}, identity.DefaultUserRequired, needsDefault},
		"redis, no default":   {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"r-alice"}}, identity.DefaultUserRequired, needsDefault},
		"two defaults":        {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"default", "own-default"}}, identity.DuplicateUserName, "User group g cannot have two users with the user name default: default and own-default."},
		"two of a name":       {CreateUserGroupInput{ID: "g", Engine: "valkey", UserIDs: []string{"r-alice", "r-alice2"}}, identity.DuplicateUserName, "User group g cannot have two users with the user name alice: r-alice and r-alice2."},
		"the same twice":      {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"default", "Default"}}, identity.InvalidParameterValue, "User default is given more than once."},
		"unknown user":        {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"default", "nobody"}}, identity.UserNotFound, "User nobody not found."},
		"blank user":          {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{""}}, identity.MissingParameter, "The parameter UserId must be provided and must not be blank."},
		"leaving user":        {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"default", "leaving"}}, identity.UserNotFound, "User leaving is being deleted and cannot be added to a user group."},
		"valkey in redis":     {CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"default", "v-bob"}}, identity.InvalidParameterValue, "User v-bob cannot be in user group g: " + noValkeyUser + "."},
		"open in valkey":      {CreateUserGroupInput{ID: "g", Engine: "valkey", UserIDs: []string{"r-open"}}, identity.InvalidParameterValue, "User r-open cannot be in user group g: " + noOpenUser + "."},
		"default in valkey":   {CreateUserGroupInput{ID: "g", Engine: "valkey", UserIDs: []string{"default"}}, identity.InvalidParameterValue, "User default cannot be in user group g: " + noOpenUser + "."},
		"too many users":      {CreateUserGroupInput{ID: "g", Engine: "valkey", UserIDs: []string{"own-default", "r-alice", "r-alice2", "v-bob"}}, identity.UserGroupQuota, "The number of users exceeds the user group limit: user group g would have 4 users and may have 3."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := crowd(t)
			a.makeGroup("taken", identity.Redis, "default")
			a.makeUser("leaving", "leaving", identity.Redis)
			if _, err := a.DeleteUser(a.ctx, "leaving"); err != nil {
				t.Fatal(err)
			}
			before := a.state.View()
			_, err := a.CreateUserGroup(a.ctx, test.in)
			a.refused(before, err, test.kind, test.message)
		})
	}
}

func TestGroupQuota(t *testing.T) {
	a := crowd(t)
	for i := range 4 {
		a.makeGroup(fmt.Sprintf("g%d", i), identity.Valkey)
	}
	before := a.state.View()
	_, err := a.CreateUserGroup(a.ctx, CreateUserGroupInput{ID: "g4", Engine: "valkey"})
	a.refused(before, err, identity.UserGroupQuota, "The quota of user groups has been exceeded: an account has at most 4.")
}

func TestModifyUserGroupRefusals(t *testing.T) {
	tests := map[string]struct {
		in      ModifyUserGroupInput
		kind    identity.Kind
		message string
	}{
		"unknown":                   {ModifyUserGroupInput{ID: "nogroup", Add: []string{"r-alice"}}, identity.UserGroupNotFound, "User group nogroup not found."},
		"no id":                     {ModifyUserGroupInput{}, identity.MissingParameter, "The parameter UserGroupId must be provided and must not be blank."},
		"nothing":                   {ModifyUserGroupInput{ID: "rg", Add: []string{}}, identity.InvalidParameterCombination, "No modifications were requested for user group rg. Give users to add, users to remove or an engine."},
		"not a member, with adds":   {ModifyUserGroupInput{ID: "rg", Add: []string{"r-open"}, Remove: []string{"v-bob"}}, identity.InvalidParameterValue, "User v-bob is not a member of user group rg."},
		"unknown user removed":      {ModifyUserGroupInput{ID: "rg", Remove: []string{"nobody"}}, identity.UserNotFound, "User nobody not found."},
		"removed twice":             {ModifyUserGroupInput{ID: "rg", Remove: []string{"r-alice", "R-ALICE"}}, identity.InvalidParameterValue, "User r-alice is given more than once."},
		"already a member":          {ModifyUserGroupInput{ID: "rg", Add: []string{"r-alice"}}, identity.InvalidParameterValue, "User r-alice is already a member of the user group."},
		"added and removed":         {ModifyUserGroupInput{ID: "rg", Add: []string{"R-Alice"}, Remove: []string{"r-alice"}}, identity.InvalidParameterCombination, "User R-Alice is both to be added and to be removed."},
		"default removed":           {ModifyUserGroupInput{ID: "rg", Remove: []string{"default"}}, identity.DefaultUserRequired, needsDefault},
		"second default":            {ModifyUserGroupInput{ID: "rg", Add: []string{"own-default"}}, identity.DuplicateUserName, "User group rg cannot have two users with the user name default: default and own-default."},
		"second of a name":          {ModifyUserGroupInput{ID: "rg", Add: []string{"r-alice2"}}, identity.DuplicateUserName, "User group rg cannot have two users with the user name alice: r-alice and r-alice2."},
		"valkey user":               {ModifyUserGroupInput{ID: "rg", Add: []string{"v-bob"}}, identity.InvalidParameterValue, "User v-bob cannot be in user group rg: " + noValkeyUser + "."},
		"too many":                  {ModifyUserGroupInput{ID: "rg", Add: []string{"r-open", "r-more"}}, identity.UserGroupQuota, "The number of users exceeds the user group limit: user group rg would have 4 users and may have 3."},
		"bad engine":                {ModifyUserGroupInput{ID: "rg", Engine: ptr("x")}, identity.InvalidParameterValue, "Invalid value for parameter Engine: x. Valid values are: redis, valkey."},
		"valkey with an open user":  {ModifyUserGroupInput{ID: "rg", Engine: ptr("valkey")}, identity.InvalidParameterValue, "User default cannot be in user group rg: " + noOpenUser + "."},
		"valkey for a redis cache":  {ModifyUserGroupInput{ID: "used", Engine: ptr("valkey")}, identity.InvalidParameterCombination, "User group used with engine valkey cannot be used by a cache with engine redis."},
		"redis with a valkey user":  {ModifyUserGroupInput{ID: "vg", Engine: ptr("redis")}, identity.InvalidParameterValue, "User v-bob cannot be in user group vg: " + noValkeyUser + "."},
		"redis without a default":   {ModifyUserGroupInput{ID: "vg", Engine: ptr("redis"), Remove: []string{"v-bob"}}, identity.DefaultUserRequired, needsDefault},
		"open user in valkey group": {ModifyUserGroupInput{ID: "vg", Add: []string{"r-open"}}, identity.InvalidParameterValue, "User r-open cannot be in user group vg: " + noOpenUser + "."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := crowd(t)
			a.makeUser("r-more", "more", identity.Redis)
			a.makeGroup("rg", identity.Redis, "default", "r-alice")
			a.makeGroup("vg", identity.Valkey, "v-bob")
			a.makeGroup("used", identity.Redis, "own-default")
			a.makeCache("cache", identity.Redis, "used")
			before := a.state.View()
			_, err := a.ModifyUserGroup(a.ctx, test.in)
			a.refused(before, err, test.kind, test.message)
		})
	}
}

func TestGroupChangesEngineTogetherWithItsUsers(t *testing.T) {
	a := crowd(t)
	a.makeGroup("g", identity.Redis, "default", "r-alice")
	a.makeCache("cache", identity.Valkey, "g")
	for _, step := range []ModifyUserGroupInput{
		{ID: "g", Engine: ptr("Valkey"), Add: []string{"v-bob"}, Remove: []string{"default"}},
		{ID: "g", Engine: ptr("redis"), Add: []string{"own-default"}, Remove: []string{"v-bob"}},
		{ID: "g", Engine: ptr("valkey")},
		{ID: "g", Remove: []string{"own-default", "r-alice"}}, // a valkey group may be empty
	} {
		if _, err := a.ModifyUserGroup(a.ctx, step); err != nil {
			t.Fatalf("%+v: %v", step, err)
		}
		a.finish(all)
	}
	if g := a.group("g"); g.Engine != identity.Valkey || len(g.Members) != 0 {
		t.Errorf("%+v", g)
	}
}

func TestAttachable(t *testing.T) {
	a := crowd(t)
	a.makeGroup("rg", identity.Redis, "default")
	a.makeGroup("vg", identity.Valkey)
	view := a.state.View()
	for _, pair := range []struct {
		group string
		cache identity.Engine
	}{{"rg", identity.Redis}, {"RG", identity.Valkey}, {"vg", identity.Valkey}} {
		if _, err := Attachable(view, pair.group, pair.cache); err != nil {
			t.Errorf("%s to %s: %v", pair.group, pair.cache, err)
		}
	}
	_, err := Attachable(view, "vg", identity.Redis)
	a.refused(view, err, identity.InvalidParameterCombination, "User group vg with engine valkey cannot be used by a cache with engine redis.")
	_, err = Attachable(view, "nogroup", identity.Redis)
	a.refused(view, err, identity.UserGroupNotFound, "User group nogroup not found.")
}

// A session belongs to one membership: whoever was removed and added again has
// another one, whoever stayed has the same.
func TestMembershipIsNewOnlyForWhoJoins(t *testing.T) {
	a := crowd(t)
	a.makeGroup("g", identity.Valkey, "r-alice", "v-bob")
	first := a.group("g").Members
	for _, step := range []ModifyUserGroupInput{{ID: "g", Remove: []string{"v-bob"}}, {ID: "g", Add: []string{"v-bob"}}} {
		if _, err := a.ModifyUserGroup(a.ctx, step); err != nil {
			t.Fatal(err)
		}
		a.finish(all)
	}
	second := a.group("g").Members
	if len(second) != 2 || second[0] != first[0] || second[1].UserID != "v-bob" || second[1].Joined == first[1].Joined || second[1].Joined == "" {
		t.Errorf("%+v became %+v", first, second)
	}
}

func TestDeleteUserLeavesEveryGroup(t *testing.T) {
	a := crowd(t)
	a.makeGroup("one", identity.Redis, "default", "r-alice")
	a.makeGroup("two", identity.Valkey, "r-alice", "v-bob")
	if _, err := a.ModifyUserGroup(a.ctx, ModifyUserGroupInput{ID: "two", Remove: []string{"v-bob"}}); err != nil {
		t.Fatal(err)
	}
	incarnation := a.user("r-alice").Incarnation
	deleted, err := a.DeleteUser(a.ctx, "R-Alice")
	if err != nil || deleted.Status != identity.Deleting || !slices.Equal(deleted.GroupIDs, []string{"one", "two"}) {
		t.Fatalf("%+v, %v", deleted, err)
	}
	described, err := a.DescribeUserGroups(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{{"r-alice"}, {"r-alice", "v-bob"}} {
		if g := described[i]; g.Status != identity.Modifying || g.Pending == nil || !slices.Equal(g.Pending.Remove, want) || len(g.Pending.Add) != 0 {
			t.Errorf("%+v, pending %+v", g, g.Pending)
		}
	}
	if events := a.events("user", "r-alice"); !slices.Contains(events, "User r-alice is being deleted and removed from user groups one, two.") {
		t.Errorf("events: %q", events)
	}
	before := a.state.View()
	_, err = a.DeleteUser(a.ctx, "r-alice")
	a.refused(before, err, identity.UserState, "User r-alice has status deleting. Only active users can be deleted.")

	// One group's caches have followed, the other's have not.
	a.finish(func(noun any) bool { g, isGroup := noun.(*identity.UserGroup); return !isGroup || g.ID == "one" })
	if a.group("one").Status != identity.Active || a.user("r-alice").Status != identity.Deleting {
		t.Errorf("%+v, %+v", a.group("one"), a.user("r-alice"))
	}
	a.finish(all)
	before = a.state.View()
	_, err = a.DeleteUser(a.ctx, "r-alice")
	a.refused(before, err, identity.UserNotFound, "User r-alice not found.")
	a.makeUser("r-alice", "alice", identity.Redis)
	if a.user("r-alice").Incarnation == incarnation {
		t.Error("a new user of an old id is taken for the old one")
	}
}

func TestDeletingTheDefaultUserOfAGroup(t *testing.T) {
	a := crowd(t)
	a.makeGroup("rg", identity.Redis, "own-default")
	before := a.state.View()
	_, err := a.DeleteUser(a.ctx, "own-default")
	a.refused(before, err, identity.DefaultUserAssociated,
		"User own-default is the default user of user group rg. Replace it there by another user with the user name default before deleting it.")

	if _, err := a.ModifyUserGroup(a.ctx, ModifyUserGroupInput{ID: "rg", Add: []string{"default"}, Remove: []string{"own-default"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteUser(a.ctx, "own-default"); err != nil {
		t.Errorf("a default user that is being replaced: %v", err)
	}
	a.finish(all)
	if a.state.View().Users["own-default"] != nil || a.group("rg").Members[0].UserID != "default" {
		t.Errorf("%+v", a.group("rg"))
	}

	a.makeUser("own-default", "default", identity.Redis)
	a.makeGroup("vg", identity.Valkey, "own-default")
	if _, err := a.DeleteUser(a.ctx, "own-default"); err != nil {
		t.Errorf("a valkey group needs no default user: %v", err)
	}
}

// An external etcd refuses a transaction of more than 128 operations by
// default; Finish leaves most of them to others.
func TestNoTransactionIsTooBigForTheStore(t *testing.T) {
	const most, mostOfFinish = 128, 41
	a := newAccount(t, DefaultQuotas())
	a.makeUser("busy", "busy", identity.Valkey)
	for i := range DefaultQuotas().Groups {
		a.makeGroup(fmt.Sprintf("g%d", i), identity.Valkey, "busy")
	}
	records := func() int {
		events, err := a.state.Events(a.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return len(events)
	}
	step := func(what string, most int, do func() error) int {
		t.Helper()
		before, events := a.state.View(), records()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		written := 1 + records() - events // the guard
		after := a.state.View()
		for id, group := range after.UserGroups {
			if before.UserGroups[id] != group {
				written++
			}
		}
		if before.Users["busy"] != after.Users["busy"] {
			written++
		}
		if written > most {
			t.Errorf("%s writes %d records", what, written)
		}
		return written - 1
	}
	step("DeleteUser", most, func() error { _, err := a.DeleteUser(a.ctx, "busy"); return err })
	for {
		n := step("Finish", mostOfFinish, func() error {
			_, err := a.state.Update(a.ctx, func(tx *state.Tx) error { Finish(tx, all); return nil })
			return err
		})
		if n == 0 {
			break
		}
	}
	if a.state.View().Users["busy"] != nil {
		t.Error("the user is still there")
	}
}

func TestGroupThatIsBeingDeletedHoldsNobodyUp(t *testing.T) {
	a := crowd(t)
	a.makeGroup("g", identity.Redis, "own-default", "r-alice")
	if _, err := a.DeleteUserGroup(a.ctx, "g"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteUser(a.ctx, "own-default"); err != nil {
		t.Errorf("its default user cannot be deleted: %v", err)
	}
	if _, err := a.ModifyUser(a.ctx, ModifyUserInput{ID: "r-alice", Engine: ptr("valkey")}); err != nil {
		t.Errorf("its user cannot be modified: %v", err)
	}
	if g := a.group("g"); g.Status != identity.Deleting || g.Target != nil {
		t.Errorf("%+v", g)
	}
	a.finish(func(noun any) bool { _, isUser := noun.(*identity.User); return isUser })
	if a.user("own-default").Status != identity.Deleting || a.user("r-alice").Status != identity.Active {
		t.Error("a user is gone before the group that has it")
	}
	a.makeCache("cache", identity.Redis, "g") // against the rules: no cache may be left without its group
	a.finish(all)
	a.group("g")
	a.put(&identity.ReplicationGroup{ID: "cache"})
	a.finish(all)
	if view := a.state.View(); view.UserGroups["g"] != nil || view.Users["own-default"] != nil {
		t.Error("group or user is still there")
	}
}

func TestUserDeletedWhileItsGroupIsBeingCreated(t *testing.T) {
	a := crowd(t)
	if _, err := a.CreateUserGroup(a.ctx, CreateUserGroupInput{ID: "g", Engine: "redis", UserIDs: []string{"default", "r-alice"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteUser(a.ctx, "r-alice"); err != nil {
		t.Fatal(err)
	}
	described, err := a.DescribeUserGroups(ptr("g"))
	if err != nil {
		t.Fatal(err)
	}
	if g := described[0]; g.Status != identity.Creating || !cmp.Equal(g.Pending, &PendingChanges{Remove: []string{"r-alice"}}) {
		t.Errorf("%+v, pending %+v", g, g.Pending)
	}
	a.finish(all)
	if g := a.group("g"); g.Status != identity.Active || len(g.Members) != 1 || a.state.View().Users["r-alice"] != nil {
		t.Errorf("%+v", g)
	}
}

func TestRestartInTheMiddleOfAChange(t *testing.T) {
	a := crowd(t)
	a.makeGroup("g", identity.Valkey, "r-alice", "v-bob")
	if _, err := a.ModifyUserGroup(a.ctx, ModifyUserGroupInput{ID: "g", Remove: []string{"r-alice", "v-bob"}}); err != nil {
		t.Fatal(err)
	}
	a.restart()
	if g := a.group("g"); len(g.Members) != 2 || len(Membership(g)) != 0 {
		t.Errorf("%+v: an empty membership is a membership too", g)
	}
	a.finish(all)
	if g := a.group("g"); g.Status != identity.Active || len(g.Members) != 0 {
		t.Errorf("%+v", g)
	}
}
