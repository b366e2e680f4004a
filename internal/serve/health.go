package serve

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// startPatience is how long /healthz waits for the caches of the last run.
	// One that cannot come up must not keep the API from being used.
	startPatience = 10 * time.Second
	// watchEvery is how often what an operator must not overlook is looked at.
	watchEvery = time.Minute
)

// handler serves health and metrics, and everything else through the door.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.scraped(s.metricsHandler()))
	mux.Handle("/", s.door)
	return mux
}

// healthz answers 200 when the API can be used and the caches that the last run
// left are up again.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	if waiting := s.waiting(); len(waiting) > 0 && !s.up.Load() && time.Since(s.started) < startPatience {
		http.Error(w, "starting: "+strings.Join(waiting, "; "), http.StatusServiceUnavailable)
		return
	}
	s.up.Store(true) // what is created later is not part of the start
	_, _ = w.Write([]byte("ok\n"))
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready   bool     `json:"ready"`
	Waiting []string `json:"waiting"`
}

// readyz says what is not as it should be.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	waiting := append(s.waiting(), s.fleetWarnings()...)
	for _, node := range s.gateway.Missing() {
		waiting = append(waiting, fmt.Sprintf("node %s: its port cannot be opened; is another program using it?", node))
	}
	if _, _, err := s.store.List(r.Context(), "/gatehouse/v1/guard"); err != nil {
		waiting = append(waiting, fmt.Sprintf("the store: %v", err))
	}
	if err := s.trail.Err(); err != nil {
		waiting = append(waiting, err.Error())
	}
	status := http.StatusOK
	if len(waiting) > 0 {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(readiness{Ready: len(waiting) == 0, Waiting: waiting})
}

// waiting lists what caches wait for, live gateways among it.
func (s *server) waiting() []string {
	waiting := []string{}
	for id, what := range s.converger.Pending() {
		waiting = append(waiting, fmt.Sprintf("cache %s: %s", id, what))
	}
	slices.Sort(waiting)
	return waiting
}

// scraped lets a request in that carries the scrape token. Metrics name users
// and caches, so they are not for strangers either.
func (s *server) scraped(next http.Handler) http.Handler {
	want := []byte("Bearer " + s.scrape.Reveal())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the bearer token in the data directory's file scrape-token is needed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// watch reminds the log of caches that let anonymous clients in on the way to a
// token: AWS has no visible signal for it.
func (s *server) watch(ctx context.Context) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	told := map[string]bool{}
	for {
		standing := map[string]bool{}
		for _, warning := range s.warnings() {
			if !told[warning] {
				s.log.Warn(warning)
			}
			standing[warning] = true
		}
		told = standing
		_, changed := s.state.Changed()
		select {
		case <-changed:
		case <-ticker.C:
			clear(told) // once a minute it is worth saying again
		case <-ctx.Done():
			return nil
		}
	}
}

// optional reports whether the cache's token is optional.
func optional(rg *identity.ReplicationGroup) bool { return rg.Access.State == identity.OptionalOne }
