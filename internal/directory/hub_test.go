package directory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/directory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = 5 * time.Second

func next(t *testing.T, f *directory.Follower) directory.Update {
	t.Helper()
	select {
	case u := <-f.Updates():
		return u
	case <-time.After(soon):
		t.Fatal("no update came")
		panic("unreachable")
	}
}

func ids(u directory.Update) string {
	var names []string
	for _, c := range u.Caches {
		names = append(names, c.ID)
	}
	return strings.Join(names, ",") + "-" + strings.Join(u.Gone, ",")
}

func cache(id string) *directory.Cache { return &directory.Cache{ID: id} }

func TestFullThenChanges(t *testing.T) {
	hub := directory.NewHub(clock.Real, directory.Options{})
	hub.Publish([]*directory.Cache{cache("a"), cache("b")})
	f := hub.Follow("g", true)
	defer f.Leave()
	if u := next(t, f); !u.Full || ids(u) != "a,b-" || u.Revision != 1 {
		t.Fatalf("first update: %+v", u)
	}
	hub.Publish([]*directory.Cache{cache("b")}, "a")
	if u := next(t, f); u.Full || ids(u) != "b-a" || u.Revision != 2 {
		t.Fatalf("second update: %+v", u)
	}
}

func TestASlowFollowerGetsTheSumOfChanges(t *testing.T) {
	hub := directory.NewHub(clock.Real, directory.Options{})
	f := hub.Follow("g", true)
	defer f.Leave()
	next(t, f)
	// The deliverer may hold the first of these; the rest is merged.
	hub.Publish([]*directory.Cache{cache("a")})
	hub.Publish([]*directory.Cache{cache("b")})
	hub.Publish(nil, "a")
	hub.Publish([]*directory.Cache{cache("a"), cache("c")}, "b")
	have := map[string]bool{}
	for u := next(t, f); ; u = next(t, f) {
		for _, c := range u.Caches {
			have[c.ID] = true
		}
		for _, id := range u.Gone {
			delete(have, id)
		}
		if u.Revision == 4 {
			break
		}
	}
	if len(have) != 2 || !have["a"] || !have["c"] {
		t.Errorf("the follower ends with %v, want a and c", have)
	}
}

func TestWaitForEveryLiveGateway(t *testing.T) {
	now := clock.NewFake(time.Unix(1e9, 0))
	hub := directory.NewHub(now, directory.Options{})
	one, two := hub.Follow("one", true), hub.Follow("two", false)
	defer one.Leave()
	defer two.Leave()
	rev := hub.Publish([]*directory.Cache{cache("a")})

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hub.Wait(ended, rev); err == nil || !strings.Contains(err.Error(), "one, two") {
		t.Fatalf("Wait with nobody's acknowledgement: %v", err)
	}
	one.Acknowledge(rev)
	if err := hub.Wait(ended, rev); err == nil || strings.Contains(err.Error(), "one") {
		t.Fatalf("Wait without two's acknowledgement: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- hub.Wait(t.Context(), rev) }()
	two.Acknowledge(rev)
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(soon):
		t.Fatal("Wait does not return after the last acknowledgement")
	}
}

func TestALostGatewayHoldsChangesForItsLeaseOnly(t *testing.T) {
	for _, test := range []struct {
		name   string
		strict bool
		holds  time.Duration
	}{
		{"by default its lease", false, directory.LeaseTime},
		{"strictly, until it admits nobody", true, directory.DefaultMaxStale},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := clock.NewFake(time.Unix(1e9, 0))
			hub := directory.NewHub(now, directory.Options{StrictRevocation: test.strict})
			lost := hub.Follow("lost", false)
			defer lost.Leave()
			rev := hub.Publish([]*directory.Cache{cache("a")})
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			now.Advance(test.holds - time.Millisecond)
			if hub.Wait(ended, rev) == nil {
				t.Error("a change is through before the gateway stopped counting")
			}
			now.Advance(time.Millisecond)
			if err := hub.Wait(ended, rev); err != nil {
				t.Errorf("after %v: %v", test.holds, err)
			}
			gateways, _ := hub.Gateways()
			if len(gateways) != 1 || gateways[0].Live || !gateways[0].Behind {
				t.Errorf("the lost gateway is shown as %+v", gateways)
			}
		})
	}
}

func TestAGatewayThatComesBackReplacesItself(t *testing.T) {
	hub := directory.NewHub(clock.Real, directory.Options{})
	old := hub.Follow("g", false)
	again := hub.Follow("g", false)
	defer again.Leave()
	for range old.Updates() { // ends because it was replaced
	}
	old.Leave() // must not take the new one out
	if gateways, _ := hub.Gateways(); len(gateways) != 1 {
		t.Errorf("%d gateways, want the one that came back", len(gateways))
	}
}
