package caches

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// TestTokensAreNowhere looks for the tokens in all that is stored, told and
// returned while a cache goes through the whole machine.
func TestTokensAreNowhere(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	h.create(basic("cache", withToken(tokenA)))
	var seen strings.Builder
	look := func(what any) {
		t.Helper()
		text, err := json.Marshal(what)
		h.must(err)
		fmt.Fprintf(&seen, "%s\n%+v\n%#v\n", text, what, what)
	}
	for _, request := range []string{"ROTATE C", "SET B", "ROTATE A", "SET C", "SET A", "DELETE, add g2", "SET A"} {
		in := requests[request]
		in.ID = "cache"
		rg, err := h.ModifyReplicationGroup(h.ctx, in)
		look(in)
		if err != nil {
			look(err.Error())
		} else {
			look(rg)
		}
		h.settle()
	}
	look(h.state.View().ReplicationGroups["cache"])
	look(h.told("cache"))
	for _, secret := range []string{tokenA, tokenB, tokenC} {
		if strings.Contains(seen.String(), secret) {
			t.Errorf("%s is in\n%s", secret, seen.String())
		}
	}
	if !strings.Contains(seen.String(), "User group g2 was associated") || !strings.Contains(seen.String(), "Pass RemoveUserGroups") {
		t.Error("the test did not look at what it should")
	}
}

// FuzzText holds the checks of text that ends up in records and answers to
// what they promise.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"sun:23:00-mon:01:30", "23:30-00:30", "05:00-09:00", "Sat:24:00-sat:25:00", "a\x00b", "\xff", "cache.t4g.micro", tokenA, ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if checkWindows(&s, nil) == nil && (len(s) != len("05:00-09:00") || span(s, minutesPerDay) < minWindow) {
			t.Errorf("%q is no snapshot window", s)
		}
		if checkWindows(nil, &s) == nil && (len(s) != len("sun:23:00-mon:01:30") || span(strings.ToLower(s), minutesPerWeek) < minWindow) {
			t.Errorf("%q is no maintenance window", s)
		}
		if text("X", &s) == nil && strings.ContainsAny(s, "\x00\r\n\x1b\x7f") {
			t.Errorf("%q is no text", s)
		}
		if checkToken(identity.NewSecret(s)) == nil && (len(s) < 16 || len(s) > 128 || strings.ContainsAny(s, "\" /@%\r\n")) {
			t.Errorf("%q is no token", s)
		}
		for _, p := range parameters {
			if p.accepts(s) && strings.ContainsAny(s, "\r\n \"") {
				t.Errorf("%s accepts %q", p.name, s)
			}
		}
	})
}
