package gateway

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"

	"github.com/gatehouse/gatehouse/internal/credential"
)

var guesserAddr = netip.MustParseAddr("192.0.2.1")

// refuseAfter starts a refusal and returns how far the clock had to go.
func refuseAfter(t *testing.T, th *throttle, fake *clock.Fake, addr netip.Addr) time.Duration {
	t.Helper()
	a := th.enter(context.Background(), addr)
	done := make(chan struct{})
	go func() { a.refuse(context.Background()); close(done) }()
	for waited := time.Duration(0); ; waited += 10 * time.Millisecond {
		select {
		case <-done:
			return waited
		case <-time.After(2 * time.Millisecond): // lets the refusal reach the clock
		}
		if waited > 2*maxDelay {
			t.Fatal("the refusal never comes")
		}
		fake.Advance(10 * time.Millisecond)
	}
}

func TestRefusalsGrowSlower(t *testing.T) {
	fake := clock.NewFake(time.Unix(1e9, 0))
	th := newThrottle(fake)
	first := refuseAfter(t, th, fake, guesserAddr)
	second := refuseAfter(t, th, fake, guesserAddr)
	third := refuseAfter(t, th, fake, guesserAddr)
	if first < firstDelay || second < 2*firstDelay || third < 4*firstDelay || third > maxDelay {
		t.Errorf("refusals take %s, %s, %s", first, second, third)
	}
	if other := refuseAfter(t, th, fake, netip.MustParseAddr("192.0.2.2")); other >= third {
		t.Errorf("another address waits %s", other)
	}
	th.enter(context.Background(), guesserAddr).accept(Password)
	if again := refuseAfter(t, th, fake, guesserAddr); again >= second+firstDelay {
		t.Errorf("after a success a refusal takes %s", again)
	}
	for range 8 {
		refuseAfter(t, th, fake, guesserAddr)
	}
	if late := refuseAfter(t, th, fake, guesserAddr); late < maxDelay || late > maxDelay+50*time.Millisecond {
		t.Errorf("the longest delay is %s", late)
	}
	fake.Advance(forgetAfter + time.Second)
	if fresh := refuseAfter(t, th, fake, guesserAddr); fresh > 2*firstDelay {
		t.Errorf("after a quiet minute a refusal takes %s", fresh)
	}
}

// TestCorrectLoginsAreNotShutOut: with every place of its address taken, a
// login waits at most maxDelay.
func TestCorrectLoginsAreNotShutOut(t *testing.T) {
	fake := clock.NewFake(time.Unix(1e9, 0))
	th := newThrottle(fake)
	for range places {
		th.enter(context.Background(), guesserAddr)
	}
	th.enter(context.Background(), netip.MustParseAddr("192.0.2.2")).accept(Password) // at once
	entered := make(chan *attempt, 1)
	go func() { entered <- th.enter(context.Background(), guesserAddr) }()
	select {
	case <-entered:
		t.Fatal("there was no place")
	case <-time.After(10 * time.Millisecond):
	}
	for waited := time.Duration(0); waited <= maxDelay; waited += maxDelay / 10 {
		fake.Advance(maxDelay / 10)
	}
	select {
	case a := <-entered:
		a.accept(Password)
	case <-time.After(5 * time.Second):
		t.Fatal("a login is kept out")
	}
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	fake := clock.NewFake(time.Unix(1e9, 0))
	th := newThrottle(fake)
	for i := range maxAddresses + 1000 {
		th.enter(context.Background(), netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})).accept(Password)
	}
	if n := len(th.seen); n > maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestThrottleKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := throttleKey(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestShownUser(t *testing.T) {
	for _, tc := range []struct {
		name  string
		known bool
		want  string
	}{
		{"alice", true, "alice"},
		{"a\x1b[31m\n", true, `a\x1b[31m\n`},
		{"hunter2-is-my-password", false, "hun…#"},
		{"\r\n", false, `\r\n…#`},
		{"", false, "…#"},
	} {
		got := shownUser(credential.NewKey([32]byte{1}), tc.name, tc.known)
		if other := shownUser(credential.NewKey([32]byte{2}), tc.name, tc.known); (other == got) != tc.known {
			t.Errorf("%q is shown as %q and, under another key, as %q", tc.name, got, other)
		}
		if !tc.known {
			got = got[:len(got)-8] // the fingerprint
		}
		if got != tc.want {
			t.Errorf("%q is shown as %q", tc.name, got)
		}
	}
}
