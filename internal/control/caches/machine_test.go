package caches

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	tokenA = "First-token-of-the-test-1"
	tokenB = "Second-one-entirely-2"
	tokenC = "Quite-another-thing-3"
)

// in brings a new cache into a state by requests alone and returns its id.
func (h *house) in(from identity.AuthState) string {
	h.t.Helper()
	const id = "cache"
	rotate := func(secret string) ModifyReplicationGroupInput {
		return ModifyReplicationGroupInput{ID: id, AuthToken: token(secret), AuthTokenUpdateStrategy: new("ROTATE")}
	}
	switch from {
	case identity.AuthNone:
		h.create(basic(id))
	case identity.OptionalOne:
		h.create(basic(id))
		h.modify(rotate(tokenA))
	case identity.RequiredOne:
		h.create(basic(id, withToken(tokenA)))
	case identity.RequiredTwo:
		h.create(basic(id, withToken(tokenB)))
		h.modify(rotate(tokenA))
	case identity.RBAC:
		h.create(basic(id, withGroup("g1")))
	}
	if got := h.shown(id).Access.State; got != from {
		h.t.Fatalf("the cache is in %s, not in %s", got, from)
	}
	return id
}

func newMachineHouse(t tester, change ...func(*Config)) *house {
	h := newHouse(t, change...)
	h.group("g1", identity.Redis, identity.AuthPassword)
	h.group("g2", identity.Redis, identity.AuthPassword)
	return h
}

// accepts returns which of the credentials get in: "-" is none at all.
func (h *house) accepts(access identity.Access) string {
	var in []string
	if access.State == identity.AuthNone || access.State == identity.OptionalOne {
		in = append(in, "-")
	}
	for _, digest := range access.Tokens {
		for name, secret := range map[string]string{"A": tokenA, "B": tokenB, "C": tokenC} {
			if h.key.Matches(&digest, []byte(secret)) {
				in = append(in, name)
			}
		}
	}
	if access.GroupID != "" {
		in = append(in, access.GroupID)
	}
	return strings.Join(in, " ")
}

// Refusals of the machine.
const (
	sayRemoveGroups = "Auth tokens can't be enabled with a user group already associated. Pass RemoveUserGroups to proceed."
	sayDelete       = "User group can't be associated with auth token enabled. Pass AuthStrategy delete to proceed."
	sayNoDelete     = "Auth token update strategy delete is not supported currently"
	sayNothing      = "No modifications were requested"
	sayNotAttached  = "User group %s is not associated with replication group cache."
	sayOneGroup     = "Only one user group can be associated with replication group cache. Pass UserGroupIdsToRemove with g1 to replace it."
	sayRotateNone   = "Auth token update strategy set is not supported currently: the replication group must have two AUTH tokens or an optional one, and it has no AUTH token. Pass this AuthToken with strategy ROTATE first, then with SET."
	sayRotateOne    = "Auth token update strategy set is not supported currently: the replication group must have two AUTH tokens or an optional one, and it has one AUTH token, and it is not this one. Pass this AuthToken with strategy ROTATE first, then with SET."
)

// answer is what a request gets: the credentials afterwards, or an error.
type answer struct {
	accepts string
	kind    identity.Kind
	message string
}

func gets(accepts string) answer { return answer{accepts: accepts} }

func value(message string, args ...any) answer {
	return answer{kind: identity.InvalidParameterValue, message: fmt.Sprintf(message, args...)}
}

func combination(message string) answer {
	return answer{kind: identity.InvalidParameterCombination, message: message}
}

// requests are all kinds of access requests. A is the newest token of every
// state that has one, B the older one of REQ2, C is new; g1 is the group of RBAC.
var requests = map[string]ModifyReplicationGroupInput{
	"ROTATE A":            {AuthToken: token(tokenA), AuthTokenUpdateStrategy: new("ROTATE")},
	"ROTATE B":            {AuthToken: token(tokenB), AuthTokenUpdateStrategy: new("ROTATE")},
	"ROTATE C":            {AuthToken: token(tokenC), AuthTokenUpdateStrategy: new("ROTATE")},
	"token C":             {AuthToken: token(tokenC)},
	"SET A":               {AuthToken: token(tokenA), AuthTokenUpdateStrategy: new("SET")},
	"SET B":               {AuthToken: token(tokenB), AuthTokenUpdateStrategy: new("SET")},
	"SET C":               {AuthToken: token(tokenC), AuthTokenUpdateStrategy: new("set")},
	"DELETE":              {AuthTokenUpdateStrategy: new("DELETE")},
	"DELETE, add g2":      {AuthTokenUpdateStrategy: new("DELETE"), UserGroupIDsToAdd: []string{"G2"}},
	"add g1":              {UserGroupIDsToAdd: []string{"g1"}},
	"add g2":              {UserGroupIDsToAdd: []string{"g2"}},
	"remove g1":           {UserGroupIDsToRemove: []string{"G1"}},
	"remove g2":           {UserGroupIDsToRemove: []string{"g2"}},
	"remove g1, add g2":   {UserGroupIDsToRemove: []string{"g1"}, UserGroupIDsToAdd: []string{"g2"}},
	"remove g1, add g1":   {UserGroupIDsToRemove: []string{"g1"}, UserGroupIDsToAdd: []string{"g1"}},
	"remove all":          {RemoveUserGroups: new(true)},
	"remove all, add g2":  {RemoveUserGroups: new(true), UserGroupIDsToAdd: []string{"g2"}},
	"remove all, ROTATE":  {RemoveUserGroups: new(true), AuthToken: token(tokenC), AuthTokenUpdateStrategy: new("ROTATE")},
	"remove all, SET A":   {RemoveUserGroups: new(true), AuthToken: token(tokenA), AuthTokenUpdateStrategy: new("SET")},
	"remove g1, ROTATE":   {UserGroupIDsToRemove: []string{"g1"}, AuthToken: token(tokenC), AuthTokenUpdateStrategy: new("ROTATE")},
	"nothing":             {},
	"keep groups (false)": {RemoveUserGroups: new(false)},
}

// machine says what every state answers to every request.
var machine = map[identity.AuthState]map[string]answer{
	identity.AuthNone: {
		"ROTATE A": gets("- A"), "ROTATE B": gets("- B"), "ROTATE C": gets("- C"), "token C": gets("- C"),
		"SET A": value(sayRotateNone), "SET B": value(sayRotateNone), "SET C": value(sayRotateNone),
		"DELETE": value(sayNoDelete), "DELETE, add g2": value(sayNoDelete),
		"add g1": gets("g1"), "add g2": gets("g2"),
		"remove g1": value(sayNotAttached, "g1"), "remove g2": value(sayNotAttached, "g2"),
		"remove g1, add g2": value(sayNotAttached, "g1"), "remove g1, add g1": value(sayNotAttached, "g1"),
		"remove all": combination(sayNothing), "remove all, add g2": gets("g2"),
		"remove all, ROTATE": gets("- C"), "remove all, SET A": value(sayRotateNone),
		"remove g1, ROTATE": value(sayNotAttached, "g1"),
		"nothing":           combination(sayNothing), "keep groups (false)": combination(sayNothing),
	},
	identity.OptionalOne: {
		"ROTATE A": gets("- A"), "ROTATE B": gets("A B"), "ROTATE C": gets("A C"), "token C": gets("A C"),
		"SET A": gets("A"), "SET B": gets("B"), "SET C": gets("C"),
		"DELETE": value(sayNoDelete), "DELETE, add g2": gets("g2"),
		"add g1": combination(sayDelete), "add g2": combination(sayDelete),
		"remove g1": value(sayNotAttached, "g1"), "remove g2": value(sayNotAttached, "g2"),
		"remove g1, add g2": value(sayNotAttached, "g1"), "remove g1, add g1": value(sayNotAttached, "g1"),
		"remove all": combination(sayNothing), "remove all, add g2": combination(sayDelete),
		"remove all, ROTATE": gets("A C"), "remove all, SET A": gets("A"),
		"remove g1, ROTATE": value(sayNotAttached, "g1"),
		"nothing":           combination(sayNothing), "keep groups (false)": combination(sayNothing),
	},
	identity.RequiredOne: {
		"ROTATE A": gets("A"), "ROTATE B": gets("A B"), "ROTATE C": gets("A C"), "token C": gets("A C"),
		"SET A": gets("A"), "SET B": value(sayRotateOne), "SET C": value(sayRotateOne),
		"DELETE": value(sayNoDelete), "DELETE, add g2": gets("g2"),
		"add g1": combination(sayDelete), "add g2": combination(sayDelete),
		"remove g1": value(sayNotAttached, "g1"), "remove g2": value(sayNotAttached, "g2"),
		"remove g1, add g2": value(sayNotAttached, "g1"), "remove g1, add g1": value(sayNotAttached, "g1"),
		"remove all": combination(sayNothing), "remove all, add g2": combination(sayDelete),
		"remove all, ROTATE": gets("A C"), "remove all, SET A": gets("A"),
		"remove g1, ROTATE": value(sayNotAttached, "g1"),
		"nothing":           combination(sayNothing), "keep groups (false)": combination(sayNothing),
	},
	identity.RequiredTwo: {
		"ROTATE A": gets("B A"), "ROTATE B": gets("A B"), "ROTATE C": gets("A C"), "token C": gets("A C"),
		"SET A": gets("A"), "SET B": gets("B"), "SET C": gets("C"),
		"DELETE": value(sayNoDelete), "DELETE, add g2": gets("g2"),
		"add g1": combination(sayDelete), "add g2": combination(sayDelete),
		"remove g1": value(sayNotAttached, "g1"), "remove g2": value(sayNotAttached, "g2"),
		"remove g1, add g2": value(sayNotAttached, "g1"), "remove g1, add g1": value(sayNotAttached, "g1"),
		"remove all": combination(sayNothing), "remove all, add g2": combination(sayDelete),
		"remove all, ROTATE": gets("A C"), "remove all, SET A": gets("A"),
		"remove g1, ROTATE": value(sayNotAttached, "g1"),
		"nothing":           combination(sayNothing), "keep groups (false)": combination(sayNothing),
	},
	identity.RBAC: {
		"ROTATE A": combination(sayRemoveGroups), "ROTATE B": combination(sayRemoveGroups), "ROTATE C": combination(sayRemoveGroups), "token C": combination(sayRemoveGroups),
		"SET A": combination(sayRemoveGroups), "SET B": combination(sayRemoveGroups), "SET C": combination(sayRemoveGroups),
		"DELETE": value(sayNoDelete), "DELETE, add g2": value(sayNoDelete),
		"add g1": combination(sayNothing), "add g2": combination(sayOneGroup),
		"remove g1": gets("-"), "remove g2": value(sayNotAttached, "g2"),
		"remove g1, add g2": gets("g2"), "remove g1, add g1": combination(sayNothing),
		"remove all": gets("-"), "remove all, add g2": gets("g2"),
		"remove all, ROTATE": gets("- C"), "remove all, SET A": value(sayRotateNone),
		"remove g1, ROTATE": gets("- C"),
		"nothing":           combination(sayNothing), "keep groups (false)": combination(sayNothing),
	},
}

// machineDirect are the answers that differ with Config.DirectSet.
var machineDirect = map[identity.AuthState]map[string]answer{
	identity.AuthNone:    {"SET A": gets("A"), "SET B": gets("B"), "SET C": gets("C"), "remove all, SET A": gets("A")},
	identity.RequiredOne: {"SET B": gets("B"), "SET C": gets("C")},
	identity.RBAC:        {"remove all, SET A": gets("A")},
}

func TestMachine(t *testing.T) {
	t.Parallel()
	for from, answers := range machine {
		for name, request := range requests {
			want, ok := answers[name]
			if !ok {
				t.Errorf("%s: %s has no decided answer", from, name)
			}
			t.Run(fmt.Sprintf("%s/%s", from, name), func(t *testing.T) {
				t.Parallel()
				checkAnswer(t, newMachineHouse(t), from, request, want)
			})
			wantDirect := want
			if differs, ok := machineDirect[from][name]; ok {
				wantDirect = differs
			}
			t.Run(fmt.Sprintf("%s/%s, direct", from, name), func(t *testing.T) {
				t.Parallel()
				checkAnswer(t, newMachineHouse(t, direct), from, request, wantDirect)
			})
		}
	}
}

func checkAnswer(t *testing.T, h *house, from identity.AuthState, in ModifyReplicationGroupInput, want answer) {
	t.Helper()
	in.ID = h.in(from)
	before, rev := h.shown(in.ID), h.state.View().Rev
	_, err := h.ModifyReplicationGroup(h.ctx, in)
	if want.message != "" {
		h.refused(err, want.kind, want.message)
		if h.state.View().Rev != rev {
			t.Error("a refused request wrote something")
		}
		return
	}
	h.must(err)
	if got, old := h.accepts(h.shown(in.ID).Access), h.accepts(before.Access); got != old {
		t.Errorf("before the change has settled %q are in force, not %q", got, old)
	}
	h.settle()
	after := h.shown(in.ID)
	if got := h.accepts(after.Access); got != want.accepts {
		t.Errorf("accepts %q, want %q", got, want.accepts)
	}
	if after.Status != identity.Available || after.Target != nil {
		t.Errorf("after the change the cache is %s with target %v", after.Status, after.Target)
	}
	checkSessions(t, before.Access, after.Access)
}

// checkSessions checks that sessions survive exactly while the kind of access
// stays.
func checkSessions(t *testing.T, before, after identity.Access) {
	t.Helper()
	same := before.GroupID == after.GroupID
	if got := before.Attached == after.Attached; got != same {
		t.Errorf("group %q to %q: Attached stays is %v", before.GroupID, after.GroupID, got)
	}
	if !same && after.From != before.Attached {
		t.Error("From is not the Attached before")
	}
	if same && after.From != before.From {
		t.Error("From changed although the kind of access did not")
	}
	if after.Attached == "" {
		t.Error("Attached is empty")
	}
}

// TestEveryStepIsDecided checks that the program's own table has a row for each
// pair that can occur, and no other.
func TestEveryStepIsDecided(t *testing.T) {
	t.Parallel()
	possible := map[identity.AuthState][]match{
		identity.AuthNone: {other}, identity.RBAC: {other},
		identity.OptionalOne: {newest, other}, identity.RequiredOne: {newest, other},
		identity.RequiredTwo: {newest, older, other},
	}
	rows := 0
	for from, tokens := range possible {
		for _, strategy := range []string{strategyRotate, strategySet} {
			for _, is := range tokens {
				rows++
				if steps[step{from, strategy, is}] == "" {
					t.Errorf("%s, %s, %s token: not decided", from, strategy, is)
				}
			}
		}
	}
	if len(steps) != rows {
		t.Errorf("%d rows, but %d pairs can occur", len(steps), rows)
	}
}

func TestPendingValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from    identity.AuthState
		request string
		want    Pending
		now     string // UserGroupIds while pending
	}{
		{identity.AuthNone, "ROTATE A", Pending{TokenStatus: "ROTATING"}, ""},
		{identity.RequiredTwo, "SET A", Pending{TokenStatus: "SETTING"}, ""},
		{identity.AuthNone, "add g1", Pending{UserGroupsToAdd: []string{"g1"}, UserGroupsToRemove: []string{}}, ""},
		{identity.RequiredOne, "DELETE, add g2", Pending{UserGroupsToAdd: []string{"g2"}, UserGroupsToRemove: []string{}}, ""},
		{identity.RBAC, "remove all", Pending{UserGroupsToAdd: []string{}, UserGroupsToRemove: []string{"g1"}}, "g1"},
		{identity.RBAC, "remove g1, add g2", Pending{UserGroupsToAdd: []string{"g2"}, UserGroupsToRemove: []string{"g1"}}, "g1"},
		{identity.RBAC, "remove all, ROTATE", Pending{TokenStatus: "ROTATING", UserGroupsToAdd: []string{}, UserGroupsToRemove: []string{"g1"}}, "g1"},
	} {
		t.Run(fmt.Sprintf("%s/%s", c.from, c.request), func(t *testing.T) {
			t.Parallel()
			h := newMachineHouse(t)
			in := requests[c.request]
			in.ID = h.in(c.from)
			enabled := h.shown(in.ID).TokenEnabled
			got, err := h.ModifyReplicationGroup(h.ctx, in)
			h.must(err)
			if fmt.Sprint(got.Pending) != fmt.Sprint(c.want) || got.Status != identity.Modifying {
				t.Errorf("pending %+v in status %s", got.Pending, got.Status)
			}
			if strings.Join(got.UserGroupIDs, " ") != c.now || got.TokenEnabled != enabled {
				t.Errorf("groups %v and token enabled %v are shown before they are in force", got.UserGroupIDs, got.TokenEnabled)
			}
			h.settle()
			if got := h.shown(in.ID).Pending; got.TokenStatus != "" || got.UserGroupsToAdd != nil || got.UserGroupsToRemove != nil {
				t.Errorf("afterwards %+v is pending", got)
			}
		})
	}
}

func TestTokenEnabledAndItsDate(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.AuthNone)
	check := func(name string, enabled bool, since time.Time) {
		t.Helper()
		rg := h.shown(id)
		if rg.TokenEnabled != enabled || !rg.TokenChanged.Equal(since) {
			t.Errorf("after %s: enabled %v since %v", name, rg.TokenEnabled, rg.TokenChanged)
		}
		members, err := h.DescribeCacheClusters(DescribeCacheClustersInput{})
		h.must(err)
		if members[0].Group.TokenEnabled != enabled {
			t.Errorf("after %s: the member shows another token state", name)
		}
	}
	at := func(hours int) time.Time { return firstDay.Add(time.Duration(hours) * time.Hour) }
	next := func(request string) {
		t.Helper()
		h.clock.Advance(time.Hour)
		in := requests[request]
		in.ID = id
		h.modify(in)
	}
	check("create", false, time.Time{})
	next("ROTATE A")
	check("ROTATE A", true, at(1))
	next("ROTATE A")
	check("ROTATE A again, which changes nothing", true, at(1))
	next("SET A")
	check("SET A, which makes the token required", true, at(3))
	next("ROTATE B")
	check("ROTATE B", true, at(4))
	next("DELETE, add g2")
	check("DELETE", false, at(4))
}

func TestMalformedAccessRequests(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.RequiredOne)
	for name, c := range map[string]struct {
		in   ModifyReplicationGroupInput
		kind identity.Kind
		want string
	}{
		"DELETE with a token":   {ModifyReplicationGroupInput{AuthToken: token(tokenA), AuthTokenUpdateStrategy: new("DELETE")}, identity.InvalidParameterCombination, "AuthToken can't be passed with AuthTokenUpdateStrategy DELETE, which removes all tokens."},
		"ROTATE without one":    {ModifyReplicationGroupInput{AuthTokenUpdateStrategy: new("ROTATE")}, identity.InvalidParameterCombination, "AuthTokenUpdateStrategy ROTATE requires AuthToken."},
		"SET without one":       {ModifyReplicationGroupInput{AuthTokenUpdateStrategy: new("SET")}, identity.InvalidParameterCombination, "AuthTokenUpdateStrategy SET requires AuthToken."},
		"unknown strategy":      {ModifyReplicationGroupInput{AuthToken: token(tokenA), AuthTokenUpdateStrategy: new("ADD")}, identity.InvalidParameterValue, "Invalid value for parameter AuthTokenUpdateStrategy: valid values are ROTATE, SET, DELETE."},
		"empty strategy":        {ModifyReplicationGroupInput{AuthToken: token(tokenA), AuthTokenUpdateStrategy: new("")}, identity.InvalidParameterValue, "Invalid value for parameter AuthTokenUpdateStrategy: valid values are ROTATE, SET, DELETE."},
		"token and group":       {ModifyReplicationGroupInput{AuthToken: token(tokenC), UserGroupIDsToAdd: []string{"g1"}}, identity.InvalidParameterCombination, "AuthToken and UserGroupIdsToAdd can't be passed together: a replication group is accessed with AUTH tokens or with a user group."},
		"two groups":            {ModifyReplicationGroupInput{UserGroupIDsToAdd: []string{"g1", "g2"}}, identity.InvalidParameterCombination, "Only one user group can be associated with a replication group; UserGroupIdsToAdd has 2."},
		"group without an id":   {ModifyReplicationGroupInput{UserGroupIDsToAdd: []string{""}}, identity.InvalidParameterValue, "Invalid value for parameter UserGroupIdsToAdd: a user group id must not be empty."},
		"group that is missing": {ModifyReplicationGroupInput{AuthTokenUpdateStrategy: new("DELETE"), UserGroupIDsToAdd: []string{"nobody"}}, identity.UserGroupNotFound, "User group nobody not found."},
		"empty token":           {ModifyReplicationGroupInput{AuthToken: token("")}, identity.InvalidParameterValue, "Invalid AuthToken provided."},
	} {
		c.in.ID = id
		rev := h.state.View().Rev
		_, err := h.ModifyReplicationGroup(h.ctx, c.in)
		h.refused(err, c.kind, c.want)
		if h.state.View().Rev != rev {
			t.Errorf("%s: a refused request wrote something", name)
		}
	}
}

func TestTokenRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, token string
		valid, weak bool
	}{
		{"15 characters", "Abcdefghij12345", false, false},
		{"16 characters", "Abcdefghij123456", true, false},
		{"128 characters", strings.Repeat("Ab1!", 32), true, false},
		{"129 characters", strings.Repeat("Ab1!", 32) + "x", false, false},
		{"all punctuation that is allowed", "Abcdefgh1!&#$^<>-", true, false},
		{"two classes", "abcdefghij-klmnop", true, true},
		{"one class", "abcdefghijklmnopqr", true, true},
		{"a space", "Abcdefghij 123456", false, false},
		{"an at sign", "Abcdefghij@123456", false, false},
		{"a slash", "Abcdefghij/123456", false, false},
		{"a percent sign", "Abcdefghij%123456", false, false},
		{"a letter that is not ASCII", "Abcdefghijé123456", false, false},
		{"a control character", "Abcdefghij\x00123456", false, false},
		{"the guide's own", "This-is-a-sample-token", true, false},
	} {
		err := checkToken(identity.NewSecret(c.token))
		if (err == nil) != c.valid || err != nil && err.Error() != "Invalid AuthToken provided." {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.valid && isWeak(identity.NewSecret(c.token)) != c.weak {
			t.Errorf("%s: weak is not %v", c.name, c.weak)
		}
	}
}

func TestTokensAreRememberedAndJudged(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.RequiredOne)
	rotate := func(secret string) {
		h.modify(ModifyReplicationGroupInput{ID: id, AuthToken: token(secret), AuthTokenUpdateStrategy: new("ROTATE")})
	}
	const same, similar, weak = "is the same as one of the last 5", "is similar to one of the last 5", "token is weak"
	rotate(tokenB)
	h.modify(ModifyReplicationGroupInput{ID: id, AuthToken: token(tokenB), AuthTokenUpdateStrategy: new("SET")})
	for _, text := range []string{same, similar, weak} {
		h.tells(id, text, false)
	}
	rotate(strings.ToLower(tokenA) + "9999")
	h.tells(id, similar, true)
	h.tells(id, same, false)
	rotate(tokenA)
	h.tells(id, same, true)
	rotate("aaaaaaaaaaaaaaaaaaaa")
	h.tells(id, weak, true)
	rotate(tokenA)
	past := h.shown(id).Past
	if len(past) != 4 || !h.key.Matches(&past[0].Exact, []byte(tokenA)) {
		t.Errorf("%d tokens are remembered, each should be once and the last one first", len(past))
	}
	for i := range 9 {
		rotate(fmt.Sprintf("Yet-another-token-%d", i))
	}
	if n := len(h.shown(id).Past); n != identity.PastSecretsKept {
		t.Errorf("%d tokens are remembered", n)
	}
}

func TestOpenCachesAreLoud(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.OptionalOne)
	const open = "WARNING: the AUTH token of replication group cache is optional: clients are still let in without it until it is set with AuthTokenUpdateStrategy SET."
	h.tells(id, "WARNING: replication group cache has no access control", true)
	h.tells(id, open, true)
	h.tells(id, "no longer let in", false)
	in := requests["SET B"]
	in.ID = id
	h.modify(in)
	h.tells(id, "Clients are no longer let in to replication group cache without a credential", true)
	h.tells(id, "is not the one most recently rotated in", true)
	if n := count(h.told(id), open); n != 1 {
		t.Errorf("the warning was given %d times", n)
	}
}

func count(all []string, one string) int {
	return len(slices.DeleteFunc(all, func(s string) bool { return s != one }))
}
