package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/remote"
	"github.com/gatehouse/gatehouse/internal/trail"
)

// Session is a session of one of the gateways.
type Session struct {
	Gateway string `json:"gateway"` // "local" is the one in the server
	gateway.Session
}

// sessionsOfAll lists the sessions of all gateways; silent are those that did
// not say theirs.
func (s *server) sessionsOfAll(ctx context.Context) (all []Session, silent []string) {
	all = []Session{}
	for _, session := range s.gateway.Sessions() {
		all = append(all, Session{localGateway, session})
	}
	if s.remotes == nil {
		return all, nil
	}
	lists, silent := s.remotes.Sessions(ctx)
	gateways, _ := s.hub.Gateways()
	for _, g := range gateways { // in the order of their names
		if g.Replaced {
			continue
		}
		for _, session := range lists[g.ID] {
			all = append(all, Session{g.ID, session})
		}
	}
	return all, silent
}

// countersOfAll returns what all gateways have counted, by their ids.
func (s *server) countersOfAll() map[string]remote.Counters {
	all := map[string]remote.Counters{}
	if s.remotes != nil {
		all = s.remotes.Counters()
	}
	all[localGateway] = remote.Counters{Nodes: s.gateway.Metrics(), Sessions: remote.CountSessions(s.gateway.Sessions())}
	return all
}

// fleetWarnings names the gateways that revocations do not reach, or not yet.
func (s *server) fleetWarnings() []string {
	var warnings []string
	gateways, revision := s.hub.Gateways()
	for _, g := range gateways {
		if text := s.fleetWarning(g, revision); text != "" {
			warnings = append(warnings, text)
		}
	}
	return warnings
}

func (s *server) fleetWarning(g directory.Gateway, revision int64) string {
	until := g.LastSeen.Add(s.cfg.MaxStale)
	admits := "it may admit from what it knows until " + until.Format(time.RFC3339)
	if time.Now().After(until) {
		admits = "it admits nobody new any more"
	}
	switch {
	case g.Replaced:
		return fmt.Sprintf("gateway %s: one that was last heard of at %s lost its credentials, or its place to another process; %s", g.ID, g.LastSeen.Format(time.RFC3339), admits)
	case !g.Live:
		return fmt.Sprintf("gateway %s has lost its lease: it was last heard of at %s; %s", g.ID, g.LastSeen.Format(time.RFC3339), admits)
	case g.Behind:
		return fmt.Sprintf("gateway %s has acknowledged revision %d of %d", g.ID, g.Acknowledged, revision)
	}
	return ""
}

// fleetLook is how often leases are looked at: a lost one is told within this.
const fleetLook = time.Second

// watchFleet tells the trail, the log and the caches' events of gateways that
// lose their lease or their place, and of those that come back.
func (s *server) watchFleet(ctx context.Context) error {
	if s.remotes == nil {
		return nil
	}
	ticker := time.NewTicker(fleetLook)
	defer ticker.Stop()
	type name struct {
		id       string
		replaced bool
	}
	lost := map[name]bool{}
	for {
		gateways, revision := s.hub.Gateways()
		present := map[name]bool{}
		for _, g := range gateways {
			key := name{g.ID, g.Replaced}
			present[key] = true
			switch gone := !g.Live || g.Replaced; {
			case gone && !lost[key]:
				s.tellOfGateway(ctx, trail.GatewayLost, "lost", g.ID, s.fleetWarning(g, revision))
			case !gone && lost[key]:
				s.tellOfGateway(ctx, trail.GatewayConnected, "ok", g.ID, fmt.Sprintf("gateway %s has its lease again", g.ID))
			}
			lost[key] = !g.Live || g.Replaced
		}
		for key := range lost {
			if !present[key] {
				delete(lost, key)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *server) tellOfGateway(ctx context.Context, event, outcome, id, text string) {
	s.log.Warn(text)
	s.trail.Append(trail.Record{Event: event, Outcome: outcome, Gateway: id, Reason: text})
	_, err := s.state.Update(ctx, func(tx *state.Tx) error {
		for cache := range tx.View().ReplicationGroups {
			tx.Event("replication-group", cache, "%s", text)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("recording an event", "gateway", id, "error", err)
	}
}

// gatewayReports puts on the trail what gateways of other processes report.
type gatewayReports struct{ s *server }

var _ remote.Reports = gatewayReports{}

// Login implements remote.Reports.
func (r gatewayReports) Login(id string, event gateway.LoginEvent) {
	loginRecorder{r.s.trail, id}.Login(event)
}

// Dropped implements remote.Reports.
func (r gatewayReports) Dropped(id string, n int64) {
	r.s.log.Warn("a gateway has lost login events", "gateway", id, "events", n)
	r.s.trail.Append(trail.Record{Event: trail.GatewayDropped, Outcome: "lost", Gateway: id, Reason: fmt.Sprintf("%d login events found no room while the gateway was without contact", n)})
}

// Connected implements remote.Reports.
func (r gatewayReports) Connected(id, peer string) {
	r.s.log.Info("a gateway follows", "gateway", id, "peer", peer)
	r.s.trail.Append(trail.Record{Event: trail.GatewayConnected, Outcome: "ok", Gateway: id, Source: peer})
	r.mark(id, true)
}

// Disconnected implements remote.Reports.
func (r gatewayReports) Disconnected(id string, left bool) {
	reason := "the connection ended; it may go on admitting from what it knows"
	if left {
		reason = "it has stopped"
		r.mark(id, false)
	}
	r.s.log.Info("a gateway follows no longer", "gateway", id, "why", reason)
	r.s.trail.Append(trail.Record{Event: trail.GatewayLeft, Outcome: "ok", Gateway: id, Reason: reason})
}

func (r gatewayReports) mark(id string, connected bool) {
	if err := r.s.members.mark(id, connected); err != nil {
		r.s.log.Error("recording a gateway", "gateway", id, "error", err)
	}
}

// Refused implements remote.Reports. Peers that prove nothing are logged only:
// strangers must not fill the trail.
func (r gatewayReports) Refused(id, peer, reason string) {
	r.s.log.Warn("a gateway was refused", "gateway", id, "peer", peer, "reason", reason)
	if id != "" {
		r.s.trail.Append(trail.Record{Event: trail.GatewayRefused, Outcome: "refused", Gateway: id, Source: peer, Reason: reason})
	}
}
