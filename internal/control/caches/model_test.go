package caches

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
	"pgregory.net/rapid"
)

// anonymous stands in a model for letting clients in without a credential.
const anonymous = "-"

// model is the machine told another way: what gets in, oldest first, is one or
// two of anonymous and tokens; or it is a group.
type model struct {
	credentials []string
	group       string
	direct      bool
}

// ask is a request in the model's words.
type ask struct {
	strategy, token string
	add, remove     string
	removeAll       bool
}

// answer changes the model and reports whether the request is granted.
func (m *model) answer(a ask) bool {
	if a.remove != "" && a.remove != m.group {
		return false
	}
	group := m.group
	if a.remove != "" || a.removeAll {
		group = ""
	}
	hasTokens := m.group == "" && !slices.Equal(m.credentials, []string{anonymous})
	switch {
	case a.strategy == "DELETE":
		if a.token != "" || a.add == "" || !hasTokens {
			return false
		}
		m.credentials, m.group = nil, a.add
	case (a.strategy == "ROTATE" || a.strategy == "SET") && a.token == "":
		return false
	case a.token != "":
		return a.add == "" && group == "" && m.answerToken(a)
	case a.add != "":
		if hasTokens || group != "" && group != a.add || m.group == a.add {
			return false
		}
		m.credentials, m.group = nil, a.add
	default:
		if group == m.group {
			return false
		}
		m.credentials, m.group = []string{anonymous}, ""
	}
	return true
}

func (m *model) answerToken(a ask) bool {
	have := m.credentials
	if m.group != "" {
		have = []string{anonymous}
	}
	if a.strategy == "SET" {
		if len(have) < 2 && have[0] != a.token && !m.direct {
			return false
		}
		have = []string{a.token}
	} else if have[len(have)-1] != a.token {
		have = slices.DeleteFunc(slices.Clone(have), func(c string) bool { return c == a.token })
		have = append(have, a.token)
		have = have[max(0, len(have)-2):]
	}
	m.credentials, m.group = have, ""
	return true
}

func (m *model) String() string {
	if m.group != "" {
		return m.group
	}
	return strings.Join(m.credentials, " ")
}

// TestMachineFollowsTheModel sends random requests to one cache, settles them
// or not, and compares what gets in with the model after each step.
func TestMachineFollowsTheModel(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{"A": tokenA, "B": tokenB, "C": tokenC}
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{credentials: []string{anonymous}, direct: rapid.Bool().Draw(rt, "direct")}
		h := newMachineHouse(rt, func(c *Config) { c.DirectSet = m.direct })
		const id = "cache"
		h.create(basic(id))
		for range rapid.IntRange(1, 25).Draw(rt, "requests") {
			a := drawAsk(rt)
			in := ModifyReplicationGroupInput{ID: id}
			if a.token != "" {
				in.AuthToken = token(secrets[a.token])
			}
			if a.strategy != "" {
				in.AuthTokenUpdateStrategy = &a.strategy
			}
			if a.add != "" {
				in.UserGroupIDsToAdd = []string{a.add}
			}
			if a.remove != "" {
				in.UserGroupIDsToRemove = []string{a.remove}
			}
			if a.removeAll {
				in.RemoveUserGroups = new(true)
			}
			h.compare(rt, m, a, in)
		}
	})
}

func drawAsk(rt *rapid.T) ask {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, label) }
	return ask{
		strategy: pick("strategy", "", "ROTATE", "ROTATE", "SET", "SET", "DELETE"), token: pick("token", "", "A", "B", "C"),
		add: pick("add", "", "", "", "g1", "g2"), remove: pick("remove", "", "", "", "g1", "g2"),
		removeAll: rapid.Float64().Draw(rt, "remove all") > 0.7,
	}
}

// compare sends one request and holds its outcome against the model's.
func (h *house) compare(rt *rapid.T, m *model, a ask, in ModifyReplicationGroupInput) {
	before, view := h.shown(in.ID).Access, h.state.View()
	inForce := m.String()
	granted := m.answer(a)
	_, err := h.ModifyReplicationGroup(h.ctx, in)
	if (err == nil) != granted {
		rt.Fatalf("%+v on %q: granted %v, refused with %v", a, inForce, granted, err)
	}
	if err != nil && (identity.KindOf(err) == "" || h.state.View() != view) {
		rt.Fatalf("%+v on %q: the refusal %v is no refusal or wrote something", a, inForce, err)
	}
	if rapid.Bool().Draw(rt, "look before it settles") {
		h.checkBusy(rt, in, inForce)
	}
	h.settle()
	settled := h.state.View()
	h.settle()
	if h.state.View() != settled {
		rt.Fatalf("Finish wrote again although nothing was pending")
	}
	after := h.shown(in.ID)
	if got := h.accepts(after.Access); got != m.String() || after.Status != identity.Available {
		rt.Fatalf("%+v on %q: %q get in, want %q; status %s", a, inForce, got, m, after.Status)
	}
	if want := stateOf(m); after.Access.State != want {
		rt.Fatalf("%+v on %q: state %s, want %s", a, inForce, after.Access.State, want)
	}
	if same := before.GroupID == after.Access.GroupID; same != (before.Attached == after.Access.Attached) {
		rt.Fatalf("%+v on %q: group stays is %v, Attached disagrees", a, inForce, same)
	}
}

// checkBusy checks that nothing new is in force, and that nothing more is
// taken, while a change is pending and gateways have not followed.
func (h *house) checkBusy(rt *rapid.T, in ModifyReplicationGroupInput, inForce string) {
	_, err := h.state.Update(h.ctx, func(tx *state.Tx) error {
		Finish(tx, h.clock.Now(), func(*identity.ReplicationGroup) bool { return false })
		return nil
	})
	h.must(err)
	rg := h.shown(in.ID)
	if got := h.accepts(rg.Access); rg.Status == identity.Modifying && got != inForce {
		rt.Fatalf("%q get in although the change to %q is not settled", got, inForce)
	}
	if rg.Status == identity.Modifying {
		_, err := h.ModifyReplicationGroup(h.ctx, ModifyReplicationGroupInput{ID: in.ID, Description: new("busy")})
		h.refused(err, identity.ReplicationGroupState, "Replication group must be in available state to modify.")
	}
}

func stateOf(m *model) identity.AuthState {
	switch open := slices.Contains(m.credentials, anonymous); {
	case m.group != "":
		return identity.RBAC
	case open && len(m.credentials) == 1:
		return identity.AuthNone
	case open:
		return identity.OptionalOne
	case len(m.credentials) == 1:
		return identity.RequiredOne
	default:
		return identity.RequiredTwo
	}
}

// TestFinishIsLevelTriggered checks that Finish takes caches as they are, a
// batch at a time, and leaves those that have not settled.
func TestFinishIsLevelTriggered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *Config) { c.LastPort = 16479 })
	for i := range finishBatch + 3 {
		_, err := h.CreateReplicationGroup(h.ctx, basic(fmt.Sprintf("cache-%d", i)))
		h.must(err)
	}
	status := func(want identity.Status) int {
		n := 0
		for _, rg := range h.state.View().ReplicationGroups {
			if rg.Status == want {
				n++
			}
		}
		return n
	}
	if n := status(identity.Creating); n != finishBatch+3 {
		t.Fatalf("%d caches are creating", n)
	}
	h.settle()
	if n := status(identity.Available); n != finishBatch {
		t.Errorf("one call finished %d caches", n)
	}
	h.settle()
	if n := status(identity.Available); n != finishBatch+3 {
		t.Errorf("two calls finished %d caches", n)
	}
}
