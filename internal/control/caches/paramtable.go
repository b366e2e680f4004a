package caches

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// parameter is an engine parameter that a parameter group shows.
type parameter struct {
	name        string
	description string
	kind        string // string, integer
	allowed     string // as the API shows it: "yes,no", "0-", "1-64"
	standard    string // its value when a group says nothing else
	since       string // the first family that has it
	fixed       bool   // shown, but not to be changed
	// valid judges a value where allowed can't say it.
	valid func(value string) bool
	// newer has the values that differ in later families.
	newer map[string]string
}

// aclPubsubDefault gives new users their channels; converge reads it too.
const aclPubsubDefault = "acl-pubsub-default"

const (
	yesNo     = "yes,no"
	policies3 = "volatile-lru,allkeys-lru,volatile-random,allkeys-random,volatile-ttl,noeviction"
	policies4 = policies3 + ",volatile-lfu,allkeys-lfu"
)

// parameters are those that Gatehouse sets on the engine, and cluster-enabled,
// which clients look for. Names, values and defaults are those of the
// ElastiCache user guide, "Engine specific parameters"; a parameter of AWS that
// is missing here is refused, because nothing would act on it.
var parameters = []parameter{
	{name: aclPubsubDefault, kind: "string", allowed: "allchannels,resetchannels", standard: "allchannels", since: "redis6.x", description: "Pub/sub channels of users whose access string says nothing about channels."},
	{name: "activerehashing", kind: "string", allowed: yesNo, standard: "yes", since: "redis3.2", description: "Rehash the main table a little at a time in the background."},
	{name: "cluster-enabled", kind: "string", allowed: yesNo, standard: "no", since: "redis3.2", fixed: true, description: "Whether the cache is in cluster mode."},
	{name: "lazyfree-lazy-eviction", kind: "string", allowed: yesNo, standard: "no", since: "redis4.0", newer: map[string]string{"valkey8": "yes"}, description: "Free evicted values in the background."},
	{name: "lazyfree-lazy-expire", kind: "string", allowed: yesNo, standard: "no", since: "redis4.0", newer: map[string]string{"valkey8": "yes"}, description: "Free expired values in the background."},
	{name: "lazyfree-lazy-server-del", kind: "string", allowed: yesNo, standard: "no", since: "redis4.0", newer: map[string]string{"valkey8": "yes"}, description: "Free overwritten values in the background."},
	{name: "lazyfree-lazy-user-del", kind: "string", allowed: yesNo, standard: "no", since: "redis6.x", newer: map[string]string{"valkey8": "yes"}, description: "Let DEL free values in the background, as UNLINK does."},
	{name: "lfu-decay-time", kind: "integer", allowed: "0-", standard: "1", since: "redis4.0", description: "Minutes after which the counter of a key's uses is halved or decremented."},
	{name: "lfu-log-factor", kind: "integer", allowed: "1-", standard: "10", since: "redis4.0", description: "How slowly the counter of a key's uses saturates."},
	{name: "maxmemory-policy", kind: "string", allowed: policies3, standard: "volatile-lru", since: "redis3.2", description: "Which keys are evicted when memory is full."},
	{name: "maxmemory-samples", kind: "integer", allowed: "1-64", standard: "3", since: "redis3.2", description: "How many keys are looked at to find one to evict."},
	{name: "notify-keyspace-events", kind: "string", standard: "", since: "redis3.2", valid: isKeyspaceEvents, description: "Classes of keyspace events that are published; empty for none."},
	{name: "slowlog-log-slower-than", kind: "integer", allowed: "-1-", standard: "10000", since: "redis3.2", description: "Microseconds from which a command is logged as slow; -1 for none."},
	{name: "slowlog-max-len", kind: "integer", allowed: "0-", standard: "128", since: "redis3.2", description: "How many slow commands are kept."},
	{name: "timeout", kind: "integer", allowed: "0,20-", standard: "0", since: "redis3.2", description: "Seconds after which an idle connection is closed; 0 for never."},
}

// isKeyspaceEvents knows the classes that all engines in use share
// (valkey.conf, notify-keyspace-events).
func isKeyspaceEvents(value string) bool {
	return strings.Trim(value, "KEg$lshzxeA") == ""
}

// parametersOf returns the parameters that a family has.
func parametersOf(family string) []parameter {
	all := families()
	at := slices.Index(all, family)
	var have []parameter
	for _, p := range parameters {
		if slices.Index(all, p.since) > at {
			continue
		}
		if value, ok := p.newer[family]; ok {
			p.standard = value
		}
		if p.name == "maxmemory-policy" && family != "redis3.2" {
			p.allowed = policies4
		}
		have = append(have, p)
	}
	return have
}

// firstVersion is the oldest version of a family.
func firstVersion(family string) string {
	i := slices.IndexFunc(versions, func(v EngineVersion) bool { return v.Family == family })
	return versions[i].Version
}

// accepts reports whether the parameter may have that value.
func (p *parameter) accepts(value string) bool {
	switch {
	case p.valid != nil:
		return p.valid(value)
	case p.kind == "integer":
		n, err := strconv.ParseInt(value, 10, 32)
		return err == nil && strconv.FormatInt(n, 10) == value && slices.ContainsFunc(strings.Split(p.allowed, ","), func(r string) bool { return inRange(n, r) })
	default:
		return slices.Contains(strings.Split(p.allowed, ","), value)
	}
}

// inRange understands "5", "1-64", "0-" and "-1-".
func inRange(n int64, allowed string) bool {
	sign := ""
	if rest, ok := strings.CutPrefix(allowed, "-"); ok {
		sign, allowed = "-", rest
	}
	from, to, isRange := strings.Cut(allowed, "-")
	least, _ := strconv.ParseInt(sign+from, 10, 64) // the table has numbers here
	if !isRange {
		return n == least
	}
	most, err := strconv.ParseInt(to, 10, 64)
	return n >= least && (err != nil || n <= most)
}

// EngineParameters returns what the engine of a cache is to be configured with:
// every parameter that a group may change, with the value that holds for rg.
// acl-pubsub-default is among them for every family, because engines whose
// family is older than channel permissions must let users use all channels.
func EngineParameters(view *state.View, rg *identity.ReplicationGroup) map[string]string {
	values := map[string]string{aclPubsubDefault: "allchannels"}
	for _, p := range parametersOf(versionOf(rg).Family) {
		if !p.fixed {
			values[p.name] = p.standard
		}
	}
	if group := view.ParameterGroups[rg.Settings.ParameterGroup]; group != nil {
		maps.Copy(values, group.Values)
	}
	return values
}
