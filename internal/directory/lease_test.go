package directory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/directory"
)

func join(t *testing.T, hub *directory.Hub, id, instance string) *directory.Follower {
	t.Helper()
	f, err := hub.Join(id, instance)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Leave)
	return f
}

func TestAnIDBelongsToOneInstanceWhileItsLeaseLasts(t *testing.T) {
	now := clock.NewFake(time.Unix(1e9, 0))
	hub := directory.NewHub(now, directory.Options{})
	join(t, hub, "g", "one").Disconnect()
	join(t, hub, "g", "one") // the same one comes back at once
	if _, err := hub.Join("g", "two"); err == nil || !strings.Contains(err.Error(), "another process is the gateway g") {
		t.Fatalf("a second instance within the lease: %v", err)
	}
	now.Advance(directory.LeaseTime)
	join(t, hub, "g", "two")
	gateways, _ := hub.Gateways()
	if len(gateways) != 2 || gateways[0].Replaced == gateways[1].Replaced {
		t.Fatalf("after the replacement: %+v, want the new one and the one replaced", gateways)
	}
	now.Advance(directory.DefaultMaxStale)
	if gateways, _ := hub.Gateways(); len(gateways) != 1 || gateways[0].Replaced {
		t.Errorf("a replaced gateway that admits nobody any more is still listed: %+v", gateways)
	}
}

func TestStrictRevocationWaitsForAReplacedGateway(t *testing.T) {
	now := clock.NewFake(time.Unix(1e9, 0))
	hub := directory.NewHub(now, directory.Options{StrictRevocation: true})
	join(t, hub, "g", "one").Disconnect()
	now.Advance(directory.LeaseTime)
	again := join(t, hub, "g", "two")
	rev := hub.Publish([]*directory.Cache{cache("a")})
	again.Acknowledge(rev)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if hub.Wait(ended, rev) == nil {
		t.Error("the change is through although the replaced process may still admit")
	}
	now.Advance(directory.DefaultMaxStale - directory.LeaseTime)
	if err := hub.Wait(ended, rev); err != nil {
		t.Errorf("after max-stale: %v", err)
	}
}

func TestAnExpectedGatewayCountsForOneLease(t *testing.T) {
	now := clock.NewFake(time.Unix(1e9, 0))
	hub := directory.NewHub(now, directory.Options{})
	hub.Expect("g")
	rev := hub.Publish([]*directory.Cache{cache("a")})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if hub.Wait(ended, rev) == nil {
		t.Error("the change does not wait for the gateway of the last run")
	}
	back := join(t, hub, "g", "any")
	back.Acknowledge(rev)
	if err := hub.Wait(ended, rev); err != nil {
		t.Errorf("after it came back and acknowledged: %v", err)
	}
	back.Disconnect()
	rev = hub.Publish(nil, "a")
	now.Advance(directory.LeaseTime)
	if err := hub.Wait(ended, rev); err != nil {
		t.Errorf("after its lease: %v", err)
	}
}

func TestAGatewayWithoutItsRightIsNamedWhileItMayAdmit(t *testing.T) {
	now := clock.NewFake(time.Unix(1e9, 0))
	hub := directory.NewHub(now, directory.Options{})
	join(t, hub, "g", "one")
	hub.Forget("g")
	if gateways, _ := hub.Gateways(); len(gateways) != 1 || !gateways[0].Replaced {
		t.Errorf("after its right was withdrawn: %+v", gateways)
	}
	now.Advance(directory.DefaultMaxStale)
	if gateways, _ := hub.Gateways(); len(gateways) != 0 {
		t.Errorf("after max-stale: %+v", gateways)
	}
}

func TestWaitForOneGateway(t *testing.T) {
	hub := directory.NewHub(clock.Real, directory.Options{})
	one := hub.Follow("one", true)
	defer one.Leave()
	join(t, hub, "two", "i")
	rev := hub.Publish([]*directory.Cache{cache("a")})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if hub.WaitFor(ended, "one", rev) == nil {
		t.Error("one has not acknowledged")
	}
	one.Acknowledge(rev)
	if err := hub.WaitFor(ended, "one", rev); err != nil {
		t.Errorf("two is waited for: %v", err)
	}
}

func TestRefreshSendsEverythingAgain(t *testing.T) {
	hub := directory.NewHub(clock.Real, directory.Options{})
	hub.Publish([]*directory.Cache{cache("a")})
	f := join(t, hub, "g", "one")
	next(t, f)
	rev := f.Refresh()
	if u := next(t, f); !u.Full || u.Revision != rev || ids(u) != "a-" {
		t.Errorf("after Refresh: %+v", u)
	}
}
