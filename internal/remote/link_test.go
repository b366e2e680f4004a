package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
)

func TestAGatewayFollowsAndAcknowledges(t *testing.T) {
	p := newPlane(t)
	p.hub.Publish([]*directory.Cache{published("a"), published("b")})
	p.start()
	f := p.follow(p.credentials("far"), t.TempDir(), nil)
	f.await("the full directory", has("a", "b"))
	f.mu.Lock()
	listen := f.caches["a"].Nodes[0].Listen
	release := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(release) })
	t.Cleanup(letGo)
	f.hold = release
	f.mu.Unlock()
	if listen != "127.0.0.9:16379" {
		t.Errorf("the gateway listens at %s, want its own host", listen)
	}
	revision := p.hub.Publish([]*directory.Cache{published("c")}, "a")
	f.await("the change", has("b", "c"))
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if p.hub.Wait(short, revision) == nil {
		t.Error("the change counts as acknowledged although the gateway does not act on it yet")
	}
	letGo()
	if err := p.wait(revision); err != nil {
		t.Error(err)
	}
	if _, err := f.link.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if cert, err := f.link.Certificate(nil); err != nil || cert.Leaf.VerifyHostname("127.0.0.9") != nil {
		t.Errorf("the certificate for clients: %v", err)
	}
	if err := f.stop(); err != nil {
		t.Error(err)
	}
	p.await("its leave", func() bool { return slices.Contains(p.told, "far left") })
	if gateways, _ := p.hub.Gateways(); len(gateways) != 0 {
		t.Errorf("a gateway that has left is waited for: %+v", gateways)
	}
}

func TestNobodyAcknowledgesWhatWasNotSent(t *testing.T) {
	p := newPlane(t)
	p.start()
	conn, err := p.dial(&p.credentials("far").Pair)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := converse(conn); err != nil || m.Welcome == nil {
		t.Fatalf("%+v, %v", m, err)
	}
	if err := writeFrame(conn, toControl{Ack: &ack{1 << 60}}, maxToControl); err != nil {
		t.Fatal(err)
	}
	// A renewal that is answered was taken after the acknowledgement.
	if err := writeFrame(conn, toControl{Renew: &renew{Number: 1}}, maxToControl); err != nil {
		t.Fatal(err)
	}
	for m := (toGateway{}); m.Renewed == nil; {
		m = toGateway{}
		if err := readFrame(conn, maxToGateway, &m); err != nil {
			t.Fatal(err)
		}
	}
	if gateways, _ := p.hub.Gateways(); gateways[0].Acknowledged != 0 {
		t.Errorf("revision %d counts as acknowledged", gateways[0].Acknowledged)
	}
}

type reporter struct{ list []gateway.Session }

func (r reporter) Sessions() []gateway.Session { return r.list }
func (r reporter) Metrics() []gateway.NodeMetrics {
	return []gateway.NodeMetrics{{Cache: "a", Node: "a-001", Commands: 7}}
}

func TestSessionsEventsAndCountersArrive(t *testing.T) {
	p := newPlane(t)
	p.start()
	f := p.follow(p.credentials("far"), t.TempDir(), nil)
	var list []gateway.Session
	for i := range 2*maxBatch + 1 {
		list = append(list, gateway.Session{Cache: "a", Node: "a-001", Method: gateway.Password, User: fmt.Sprint(i)})
	}
	f.link.Report(reporter{list})
	p.await("the connection", func() bool { return slices.Contains(p.told, "far connected") })
	got, silent := p.server.Sessions(t.Context())
	if len(silent) != 0 || len(got["far"]) != len(list) || got["far"][len(list)-1].User != fmt.Sprint(len(list)-1) {
		t.Errorf("%d sessions of %d, silent %v", len(got["far"]), len(list), silent)
	}
	for i := range maxBatch + 1 {
		f.link.Login(gateway.LoginEvent{Outcome: gateway.Accepted, Reason: fmt.Sprint(i)})
	}
	p.await("the events", func() bool { return len(p.logins) == maxBatch+1 })
	p.stop()
	f.link.Login(gateway.LoginEvent{Outcome: gateway.Accepted, Reason: "while away"})
	p.start()
	p.await("the event of the time without contact", func() bool {
		return p.logins[len(p.logins)-1] == "far: while away"
	})
	// What an earlier run of the control plane took and did not confirm comes again.
	if once := slices.Compact(slices.Clone(p.logins)); len(once) != maxBatch+2 {
		t.Errorf("%d events came, want %d", len(once), maxBatch+2)
	}
	// A connection begins with a renewal, so that who has answered has sent its counters.
	p.server.Sessions(t.Context())
	counters := p.server.Counters()["far"]
	if len(counters.Nodes) != 1 || counters.Nodes[0].Commands != 7 || len(counters.Sessions) != 1 || counters.Sessions[0].Count != len(list) {
		t.Errorf("the counters are %+v", counters)
	}
	f.link.Login(gateway.LoginEvent{Reason: "the last"})
	_ = f.stop()
	p.await("the event before the end", func() bool { return p.logins[len(p.logins)-1] == "far: the last" })
}

func TestEventsThatComeTwiceAreReportedOnce(t *testing.T) {
	p := newPlane(t)
	s := NewServer(p.cfg)
	one := &peer{s: s, member: Member{ID: "far"}, process: "1"}
	batch := &events{First: 5, Dropped: 2, Events: []gateway.LoginEvent{{Reason: "5"}, {Reason: "6"}}}
	s.takeEvents(one, batch)
	s.takeEvents(one, batch)
	s.takeEvents(one, &events{First: 6, Dropped: 2, Events: []gateway.LoginEvent{{Reason: "6"}, {Reason: "7"}}})
	s.takeEvents(&peer{s: s, member: one.member, process: "2"}, &events{First: 1, Events: []gateway.LoginEvent{{Reason: "1"}}})
	if got := strings.Join(p.logins, " "); got != "far: 5 far: 6 far: 7 far: 1" {
		t.Errorf("reported %q", got)
	}
	if got := strings.Join(p.told, " "); got != "far dropped" {
		t.Errorf("told %q", got)
	}
}

func TestCachesAreKeptUntilAStartHasSettled(t *testing.T) {
	p := newPlane(t)
	p.hub.Publish([]*directory.Cache{published("a"), published("b")})
	p.start()
	f := p.follow(p.credentials("far"), t.TempDir(), nil)
	f.await("the directory", has("a", "b"))
	p.stop()
	// The next run of the control plane knows only one of the caches at first.
	settled := make(chan struct{})
	p.hub = directory.NewHub(clock.Real, directory.Options{})
	p.cfg.Hub, p.cfg.Settled = p.hub, settled
	p.start()
	p.await("the second connection", func() bool { return times(p.told, "far connected") == 2 })
	if err := p.wait(p.hub.Publish([]*directory.Cache{published("a"), published("c")})); err != nil {
		t.Fatal(err)
	}
	f.await("both runs' caches", has("a", "b", "c"))
	close(settled)
	f.await("the caches of the new run alone", has("a", "c"))
}

func times(list []string, text string) int {
	n := 0
	for _, s := range list {
		if s == text {
			n++
		}
	}
	return n
}

func TestWithoutContactNobodyNewAfterMaxStale(t *testing.T) {
	p := newPlane(t)
	now := clock.NewFake(time.Now())
	p.hub.Publish([]*directory.Cache{published("a")})
	p.start()
	f := p.follow(p.credentials("far"), t.TempDir(), func(c *LinkConfig) { c.Clock, c.MaxStale = now, 10*time.Minute })
	f.await("the directory", admits(true))
	p.stop()
	now.Advance(10*time.Minute - time.Second)
	f.link.shutIfStale()
	f.await("logins a second before", admits(true))
	now.Advance(time.Second)
	f.await("refusals", admits(false))
	f.link.Login(gateway.LoginEvent{Outcome: gateway.Refused, Reason: "the user is disabled"})
	p.start()
	f.await("logins after contact", admits(true))
	p.await("the reason", func() bool { return len(p.logins) == 1 && strings.Contains(p.logins[0], "without contact") })
}

func TestTheControlPlanesMaxStaleIsTheMost(t *testing.T) {
	p := newPlane(t)
	p.cfg.MaxStale = time.Minute
	p.hub.Publish([]*directory.Cache{published("a")})
	p.start()
	f := p.follow(p.credentials("far"), t.TempDir(), nil)
	f.await("the directory", has("a"))
	if got := f.link.staleAfter(); got != time.Minute {
		t.Errorf("the gateway admits for %v without contact", got)
	}
}

func TestTheSealedCopy(t *testing.T) {
	p := newPlane(t)
	p.hub.Publish([]*directory.Cache{published("a")})
	p.start()
	c, dir := p.credentials("far"), t.TempDir()
	f := p.follow(c, dir, nil)
	f.await("the directory", has("a"))
	if _, err := f.link.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	p.stop()
	sealed, err := os.ReadFile(sealedIn(dir))
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(sealedIn(dir)); info.Mode().Perm() != 0o600 || strings.Contains(string(sealed), "alice") {
		t.Errorf("the copy has mode %v", info.Mode())
	}

	t.Run("serves a start without the control plane", func(t *testing.T) {
		f := p.follow(c, dir, nil)
		f.await("the caches", admits(true))
		if _, err := f.link.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		_ = f.stop()
	})
	t.Run("admits nobody when it is too old", func(t *testing.T) {
		later := clock.NewFake(time.Now().Add(directory.DefaultMaxStale))
		f := p.follow(c, dir, func(l *LinkConfig) { l.Clock = later })
		f.await("the caches, shut", admits(false))
		_ = f.stop()
	})
	t.Run("does not open for others", func(t *testing.T) {
		h, err := openHome(dir, p.credentials("far"))
		if err != nil {
			t.Fatal(err)
		}
		defer h.close()
		if s, err := h.load(); s != nil || err == nil {
			t.Error("it opens with another seal")
		}
	})
	t.Run("does not open when it was changed", func(t *testing.T) {
		h, err := openHome(dir, c)
		if err != nil {
			t.Fatal(err)
		}
		defer h.close()
		for _, at := range []int{0, len(sealed) / 2, len(sealed) - 1} {
			changed := slices.Clone(sealed)
			changed[at] ^= 1
			if err := os.WriteFile(sealedIn(dir), changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := h.load(); s != nil || err == nil {
				t.Errorf("it opens with byte %d changed", at)
			}
		}
		if _, err := openHome(dir, c); err == nil {
			t.Error("two gateways share a data directory")
		}
	})
}

func TestAnotherDigestKeyEndsTheGateway(t *testing.T) {
	p := newPlane(t)
	p.hub.Publish([]*directory.Cache{published("a")})
	p.start()
	dir := t.TempDir()
	f := p.follow(p.credentials("far"), dir, nil)
	f.await("the directory", has("a"))
	p.stop()
	p.cfg.DigestKey = [32]byte{2}
	p.start()
	p.await("the second connection", func() bool { return times(p.told, "far connected") == 2 })
	p.await("its end", func() bool { return times(p.told, "far lost") == 2 })
	if err := f.stop(); !errors.Is(err, ErrKeyChanged) {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(sealedIn(dir)); err == nil {
		t.Error("the copy with the old key is left for the next start")
	}
}
