package serve

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/cloudwatch"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/meter"
	"github.com/gatehouse/gatehouse/internal/meter/alarm"
	"github.com/gatehouse/gatehouse/internal/remote"
	"github.com/gatehouse/gatehouse/internal/trail"
)

const (
	// cacheMetrics is ElastiCache's namespace (ElastiCache User Guide, "Metrics for
	// Valkey and Redis OSS").
	cacheMetrics = "AWS/ElastiCache"
	// ownMetrics is the namespace of what ElastiCache does not count.
	ownMetrics = "Gatehouse"
	// onlyNode is the id of a node within its cache cluster, which has one.
	onlyNode = "0001"
)

// denials are ElastiCache's names for what engines count in INFO stats.
var denials = map[string]string{
	"acl_access_denied_cmd":     "CommandAuthorizationFailures",
	"acl_access_denied_key":     "KeyAuthorizationFailures",
	"acl_access_denied_channel": "ChannelAuthorizationFailures",
}

// makeMeter makes what counts, and the alarms that watch it.
func (s *server) makeMeter(context.Context) error {
	dir, err := s.dir.Sub("metrics")
	if err != nil {
		return err
	}
	s.meter, err = meter.Open(meter.Config{
		Dir: dir, Clock: clock.Real, Collect: s.readings, Log: s.log,
		Collected: func() { s.alarms.Evaluate() },
	})
	if err != nil {
		return err
	}
	s.alarms, err = alarm.Open(alarm.Config{
		Path: filepath.Join(dir, "alarms.json"), Source: s.meter, Clock: clock.Real, Changed: s.alarmChanged, Log: s.log,
	})
	return err
}

// alarmChanged tells the operator; nothing else is done.
func (s *server) alarmChanged(c alarm.Change) {
	log := s.log.Info
	if c.To == alarm.Alarm {
		log = s.log.Warn
	}
	log("an alarm has changed its state", "alarm", c.Name, "from", c.From, "to", c.To, "reason", c.Reason)
	s.trail.Append(trail.Record{Time: c.At, Event: "alarm.state", Outcome: string(c.To), Reason: c.Name + ": " + c.Reason})
}

func (s *server) cloudWatch() awsapi.Service {
	arn := strings.Join([]string{"arn", naming.Partition(s.account.Region), "cloudwatch", s.account.Region, s.account.ID, "alarm", ""}, ":")
	return (&cloudwatch.API{Meter: s.meter, Alarms: s.alarms, Clock: clock.Real, AlarmARN: arn}).Service()
}

// readings are what gateways and engines have counted on the nodes that there are.
func (s *server) readings(ctx context.Context) []meter.Reading {
	var r readings
	nodes := map[string]bool{}
	for _, rg := range s.state.View().ReplicationGroups {
		for _, node := range rg.Nodes {
			nodes[node.ClusterID] = true
			r.engine(ctx, s, &node)
		}
	}
	for id, counters := range s.countersOfAll() {
		r.gateway(id, counters, nodes)
	}
	return r
}

// readings collects them.
type readings []meter.Reading

// ofNode adds a reading under both sets of dimensions that ElastiCache has for a
// node.
func (r *readings) ofNode(node, name string, reading meter.Reading) {
	reading.Series = meter.Make(cacheMetrics, name, "CacheClusterId", node)
	*r = append(*r, reading)
	reading.Series = meter.Make(cacheMetrics, name, "CacheClusterId", node, "CacheNodeId", onlyNode)
	*r = append(*r, reading)
}

func (r *readings) gateway(id string, counters remote.Counters, nodes map[string]bool) {
	source := meter.Reading{Source: "gateway/" + id, Fresh: id == localGateway}
	logins := map[[3]string]int64{}
	for _, n := range counters.Nodes {
		if !nodes[n.Node] {
			continue // deleted; the gateway remembers it for as long as it runs
		}
		for name, value := range map[string]int64{
			"AuthenticationFailures": n.Refused, "NewConnections": n.Received, "IamAuthenticationExpirations": n.Expired,
		} {
			counted := source
			counted.Value = float64(value)
			r.ofNode(n.Node, name, counted)
		}
		r.ofNode(n.Node, "CurrConnections", meter.Reading{Source: source.Source, Gauge: true, Value: float64(n.Current)})
		for _, l := range n.Logins {
			logins[[3]string{n.Cache, l.User, string(l.Method)}] += l.Count
		}
	}
	for of, n := range logins {
		counted := source
		counted.Value = float64(n)
		counted.Series = meter.Make(ownMetrics, "Logins", "CacheName", of[0], "UserName", of[1], "Method", of[2])
		*r = append(*r, counted)
	}
}

// engine adds what an engine refused. One that is down has nothing to say.
func (r *readings) engine(ctx context.Context, s *server, node *identity.CacheNode) {
	e := s.engines.Engine(node.ClusterID)
	if e == nil {
		return
	}
	running, err := e.Node("")
	if err != nil {
		return
	}
	stats, err := e.Info(ctx, "stats")
	if err != nil {
		return
	}
	for field, name := range denials {
		value, err := strconv.ParseInt(stats[field], 10, 64)
		if err != nil {
			continue // an engine that does not count this
		}
		r.ofNode(node.ClusterID, name, meter.Reading{Source: "engine/" + node.ClusterID + "/" + running.Start, Fresh: true, Value: float64(value)})
	}
}
