package serve

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gatehouse/gatehouse/internal/gateway"
)

// metricsHandler serves what is counted in Prometheus's form.
func (s *server) metricsHandler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&metrics{s},
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// metrics reads the gateway's and the directory's counts at each scrape.
type metrics struct{ s *server }

var (
	nodeLabels = []string{"gateway", "cache", "node"}

	received  = prometheus.NewDesc("gatehouse_connections_received_total", "Connections accepted.", nodeLabels, nil)
	rejected  = prometheus.NewDesc("gatehouse_connections_rejected_total", "Connections refused because of a limit.", nodeLabels, nil)
	current   = prometheus.NewDesc("gatehouse_connections", "Connections now, logged in or not.", nodeLabels, nil)
	commandsD = prometheus.NewDesc("gatehouse_commands_total", "Commands relayed.", nodeLabels, nil)
	refused   = prometheus.NewDesc("gatehouse_authentication_failures_total", "Logins refused.", nodeLabels, nil)
	logins    = prometheus.NewDesc("gatehouse_logins_total", "Logins accepted, by user and method.", append(nodeLabels, "user", "method"), nil)
	sessions  = prometheus.NewDesc("gatehouse_sessions", "Sessions now, by method.", append(nodeLabels, "method"), nil)
	open      = prometheus.NewDesc("gatehouse_anonymous_allowed", "1 while the cache lets clients in that do not log in; token tells whether it has a token that is optional.", []string{"cache", "token"}, nil)
	behind    = prometheus.NewDesc("gatehouse_gateway_behind", "1 while the gateway has not acknowledged the newest revision.", []string{"gateway"}, nil)
	live      = prometheus.NewDesc("gatehouse_gateway_live", "1 while the gateway has its lease.", []string{"gateway"}, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{received, rejected, current, commandsD, refused, logins, sessions, open, behind, live} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, value int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for id, counters := range m.s.countersOfAll() {
		for _, n := range counters.Nodes {
			counter(received, n.Received, id, n.Cache, n.Node)
			counter(rejected, n.Rejected, id, n.Cache, n.Node)
			counter(commandsD, n.Commands, id, n.Cache, n.Node)
			counter(refused, n.Refused, id, n.Cache, n.Node)
			gauge(current, float64(n.Current), id, n.Cache, n.Node)
			for _, l := range n.Logins {
				counter(logins, l.Count, id, n.Cache, n.Node, l.User, string(l.Method))
			}
		}
	}
	for key, n := range m.s.sessionCounts() {
		gauge(sessions, float64(n), key.gateway, key.cache, key.node, string(key.method))
	}
	for id, rg := range m.s.state.View().ReplicationGroups {
		if published := m.s.hub.Cache(id); published != nil {
			gauge(open, truth(published.Anonymous), id, text(optional(rg)))
		}
	}
	gateways, _ := m.s.hub.Gateways()
	for _, g := range gateways {
		if g.Replaced {
			continue // its name is another process's now
		}
		gauge(behind, truth(g.Behind), g.ID)
		gauge(live, truth(g.Live), g.ID)
	}
}

type sessionKey struct {
	gateway, cache, node string
	method               gateway.Method
}

func (s *server) sessionCounts() map[sessionKey]int {
	counts := map[sessionKey]int{}
	for id, counters := range s.countersOfAll() {
		for _, c := range counters.Sessions {
			counts[sessionKey{id, c.Cache, c.Node, c.Method}] += c.Count
		}
	}
	return counts
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func text(optionalToken bool) string {
	if optionalToken {
		return "optional"
	}
	return "none"
}
