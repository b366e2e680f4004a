package caches

import (
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestUpgrades(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		engine, from     string
		in               modifyInput
		version, group   string
		wantEngine       identity.Engine
		wantStillOpen    bool
		change           createChange
		wantModification bool
	}{
		{"within redis", "redis", "6.2", modifyInput{EngineVersion: new("7.1")}, "7.1.0", "default.redis7", identity.Redis, false, plain, true},
		{"redis to valkey", "redis", "7.1", modifyInput{Engine: new("valkey"), EngineVersion: new("8.0")}, "8.0.1", "default.valkey8", identity.Valkey, false, plain, true},
		{"redis to valkey, version left out", "redis", "7.1", modifyInput{Engine: new("Valkey")}, "8.0.1", "default.valkey8", identity.Valkey, false, plain, true},
		{"open past 6.0", "redis", "5.0.6", modifyInput{EngineVersion: new("6.2")}, "6.2.6", "default.redis6.x", identity.Redis, true, plain, true},
		{"with a token past 6.0", "redis", "5.0.6", modifyInput{EngineVersion: new("6.2")}, "6.2.6", "default.redis6.x", identity.Redis, false, withToken(tokenA), true},
		{"the same version", "redis", "7.1", modifyInput{EngineVersion: new("7.1.0"), Description: new("other")}, "7.1.0", "default.redis7", identity.Redis, false, plain, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.create(basic("cache", withEngine(c.engine, c.from), c.change))
			c.in.ID = "cache"
			h.must(second(h.ModifyReplicationGroup(h.ctx, c.in)))
			if got := h.shown("cache").Status == identity.Modifying; got != c.wantModification {
				t.Errorf("modifying: %v, want %v", got, c.wantModification)
			}
			h.settle()
			rg := h.shown("cache")
			if rg.Engine != c.wantEngine || rg.EngineVersion != c.version || rg.Settings.ParameterGroup != c.group {
				t.Errorf("it is %s %s with %s, want %s %s with %s", rg.Engine, rg.EngineVersion, rg.Settings.ParameterGroup, c.wantEngine, c.version, c.group)
			}
			events, err := h.DescribeEvents(h.ctx, DescribeEventsInput{})
			h.must(err)
			told := false
			for _, e := range events {
				told = told || strings.Contains(e.Message, "is still open after its upgrade")
			}
			if told != c.wantStillOpen {
				t.Errorf("an event says that it is still open: %v, want %v", told, c.wantStillOpen)
			}
		})
	}
}

// TestTransitSteps tries every change of the mode, by itself and with a token.
func TestTransitSteps(t *testing.T) {
	t.Parallel()
	modes := []identity.TransitMode{identity.TransitPlain, identity.TransitPreferred, identity.TransitRequired}
	for _, from := range modes {
		for _, to := range modes {
			h := newHouse(t)
			h.create(basic("cache", func(in *CreateReplicationGroupInput) {
				in.TransitEncryptionEnabled = new(from != identity.TransitPlain)
				if from != identity.TransitPlain {
					in.TransitEncryptionMode = new(string(from))
				}
			}))
			in := modifyInput{ID: "cache", TransitEncryptionEnabled: new(to != identity.TransitPlain)}
			if to != identity.TransitPlain {
				in.TransitEncryptionMode = new(string(to))
			}
			_, err := h.ModifyReplicationGroup(h.ctx, in)
			h.settle()
			want := from
			if near := from == identity.TransitPreferred || to == identity.TransitPreferred; near {
				want = to
			}
			if got := h.shown("cache").Transit; got != want {
				t.Errorf("%s to %s: it is %s (%v), want %s", from, to, got, err, want)
			}
		}
	}
}
