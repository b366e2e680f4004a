package migrate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/usage"

	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// The versions from which ElastiCache can do things.
const (
	tokenInPlace = "5.0.6" // change a token of a Redis OSS group
	rbacFrom     = "6.0"   // user groups
	iamFrom      = "7.0"   // IAM authentication
	tlsInPlace   = "7.0.5" // turn encryption in transit on
	upgradeTo    = "7.1"   // the newest Redis OSS, which can do all of it
)

// cachePlan is what the steps of a cache's plan share.
type cachePlan struct {
	*builder
	id, engine, version string
	tls, token, half    bool
	groups              []string
	serverless          bool
}

func (b *builder) cache() *cachePlan {
	p := &cachePlan{builder: b, id: lastPart(b.req.Resource, ":"), engine: b.conf.field("Group.Engine"), version: b.conf.field("Group.EngineVersion")}
	p.tls, _ = b.conf.at("Group.TransitEncryptionEnabled").(bool)
	p.tls = p.tls && b.conf.field("Group.TransitEncryptionMode") != "preferred"
	p.token, _ = b.conf.at("Group.AuthTokenEnabled").(bool)
	p.groups = words(b.conf.at("Group.UserGroupIds"))
	return p
}

// older reports whether the group's Redis OSS is older than a version; Valkey is
// newer than all of them.
func (p *cachePlan) older(version string) bool {
	return p.engine == "redis" && source.Older(p.version, version)
}

func (p *cachePlan) modify(input map[string]any) *Call {
	input["ReplicationGroupId"], input["ApplyImmediately"] = p.id, true
	return call("elasticache", "ModifyReplicationGroup", input)
}

// planGroup plans for a replication group: its authentication, or one of the
// other controls when that was asked for.
func planGroup(b *builder) error {
	switch b.req.Control {
	case "ElastiCache.1", "ElastiCache.2", "ElastiCache.3", "ElastiCache.4", "ElastiCache.5", "ElastiCache.7", "Gatehouse.3":
		return planSetting(b.cache())
	case "":
		b.plan.Control = "ElastiCache.6"
	}
	p := b.cache()
	if p.token && len(p.groups) == 0 {
		p.half = p.answersStrangers()
	}
	b.plan.From = map[bool]string{true: "auth", false: "open"}[p.token]
	if p.half {
		b.plan.From = "auth, half enforced (ROTATE without SET)"
	}
	if len(p.groups) > 0 {
		b.plan.From = "rbac"
	}
	why := "service to service: IAM needs no secret to store or rotate"
	if err := b.choose("iam", why, "auth", "rbac", "iam", "aws_iam"); err != nil {
		return err
	}
	if b.req.To == "auth" {
		return p.planToken()
	}
	return p.planUsers()
}

// answersStrangers finds out whether a token is only optional: Describe does not
// say. The operator's word counts where the cache cannot be reached from here.
func (p *cachePlan) answersStrangers() bool {
	if said := p.req.Set["half-enforced"]; said != "" {
		return said == "true"
	}
	host, port := p.conf.at("Endpoint.Address"), p.conf.at("Endpoint.Port")
	answer, err := Ping(p.ctx, fmt.Sprintf("%v:%v", host, port), p.req.TLS)
	if err != nil {
		p.warn("the cache could not be asked from here whether its token is required (%v): if it is not, plan again with --set half-enforced=true", err)
		return false
	}
	return strings.HasPrefix(answer, "+")
}

// planToken is ROTATE, drain, SET.
func (p *cachePlan) planToken() error {
	switch {
	case len(p.groups) > 0:
		p.plan.Why = "the group uses RBAC, which is stronger than a token"
		return nil
	case p.token && !p.half:
		p.plan.Why = "the token is required already"
		return nil
	case p.older(tokenInPlace):
		return p.rebuild("below Redis OSS 5.0.6 a token can only be given when a group is made; better: --to rbac, which upgrades the engine together with its users")
	case !p.tls && p.older(tlsInPlace):
		return p.rebuild("a token needs encryption in transit, which this version cannot turn on in place; better: --to rbac, which upgrades the engine together with its users")
	}
	p.encrypt("", "")
	token := "${secret.auth-token}"
	if !p.half {
		p.add(Step{
			ID: "rotate", Kind: KindCall, Title: "make the token optional (ROTATE)", Effect: "none: clients without the token are served as before", Reaches: Dual,
			Call: p.modify(map[string]any{"AuthToken": token, "AuthTokenUpdateStrategy": "ROTATE"}), Until: []Check{is("Group.AuthTokenEnabled", true)},
			Rollback: &Undo{Impossible: true, Note: p.noWayBack()},
		})
	}
	p.add(Step{ID: "move-clients", Kind: KindManual, Reaches: Dual, Title: "give the token to every client (AUTH token)", Effect: "each client moves when it is ready; both are served"})
	p.drain(p.evidence("anonymous", "", "with a plain token every client is the user default, and no version tells who skipped AUTH"))
	p.add(Step{
		ID: "close", Kind: KindCall, Title: "require the token (SET)", Effect: "a new connection without the token is refused", Closes: true, Reaches: Closed,
		Call: p.modify(map[string]any{"AuthToken": token, "AuthTokenUpdateStrategy": "SET"}), Made: []Check{p.refused()},
		Rollback: &Undo{Impossible: true, Note: p.noWayBack()},
	})
	p.verifyCache(is("Group.AuthTokenEnabled", true))
	return nil
}

func (p *cachePlan) noWayBack() string {
	if p.older(rbacFrom) {
		return "ElastiCache has no way back from a token below 6.0: give the token to the client that lacks it"
	}
	return "ElastiCache takes a token away only together with adding a user group (AuthTokenUpdateStrategy DELETE): give the token to the client that lacks it, or plan --to rbac"
}

func (p *cachePlan) refused() Check {
	return Check{Probe: probeCache, Params: map[string]string{"target": "Endpoint"}}
}

func (p *cachePlan) verifyCache(more ...Check) {
	p.add(Step{ID: "verify", Kind: KindVerify, Title: "a PING over TLS without a login is refused", Reaches: Verified, Verify: append(more, p.refused())})
}

// evidence is exact for Gatehouse's own caches; AWS has none.
func (p *cachePlan) evidence(methods, users, reason string) usage.Spec {
	if p.req.Gatehouse {
		return usage.Spec{Meter: usage.GatehouseUse, Params: map[string]string{"cache": p.id, "methods": methods, "users": users}}
	}
	return usage.Spec{Meter: usage.Nothing, Params: map[string]string{"reason": reason + "; use the clients' roll-out, or CLIENT LIST and ACL LOG on node-based caches from 6.0"}}
}

// encrypt turns encryption in transit on in its two steps, where it is off. The
// states are those that the steps reach, when TLS is what the plan is about.
func (p *cachePlan) encrypt(dual, closed State) {
	if p.tls {
		return
	}
	on, _ := p.conf.at("Group.TransitEncryptionEnabled").(bool)
	if !on {
		p.add(Step{
			ID: "tls-preferred", Kind: KindCall, Title: "accept TLS beside cleartext", Effect: "none: both are served on the same port", Reaches: dual,
			Call:  p.modify(map[string]any{"TransitEncryptionEnabled": true, "TransitEncryptionMode": "preferred"}),
			Until: []Check{is("Group.TransitEncryptionMode", "preferred")}, Rollback: undo(p.modify(map[string]any{"TransitEncryptionEnabled": false}), is("Group.TransitEncryptionEnabled", false)),
		})
	}
	p.manual("move-to-tls", "let every client connect with TLS", "each client moves when it is ready; both are served")
	p.add(Step{
		ID: "drain-cleartext", Kind: KindEvidence, Title: "nobody connects in the clear any more: AWS cannot show it, so the operator says how they know",
		Evidence: &usage.Spec{Meter: usage.Nothing, Params: map[string]string{"reason": "no metric of ElastiCache tells a cleartext connection from a TLS one"}},
	})
	p.add(Step{
		ID: "tls-required", Kind: KindCall, Title: "require TLS", Effect: "a cleartext connection is refused", Closes: true, Reaches: closed,
		Call:     p.modify(map[string]any{"TransitEncryptionEnabled": true, "TransitEncryptionMode": "required"}),
		Until:    []Check{is("Group.TransitEncryptionMode", "required")},
		Rollback: undo(p.modify(map[string]any{"TransitEncryptionEnabled": true, "TransitEncryptionMode": "preferred"}), is("Group.TransitEncryptionMode", "preferred")),
	})
}

// rebuild is the plan where AWS changes nothing in place: a new group from a
// snapshot.
func (p *cachePlan) rebuild(why string) error {
	p.plan.Why = why
	snapshot := "gatehouse-" + p.id
	p.add(Step{
		ID: "snapshot", Kind: KindCall, Title: "take a snapshot of the group", Effect: "a little load on the node that makes it",
		Call: call("elasticache", "CreateSnapshot", map[string]any{"ReplicationGroupId": p.id, "SnapshotName": snapshot}),
	})
	for i, title := range []string{
		"aws elasticache create-replication-group --replication-group-id " + p.id + "-new --snapshot-name " + snapshot +
			" --engine " + p.engine + " --engine-version " + upgradeTo + " --transit-encryption-enabled --at-rest-encryption-enabled --automatic-failover-enabled --snapshot-retention-limit 7 --cache-subnet-group-name YOURS --user-group-ids YOURS",
		"let the applications write to both groups, or stop writers, and take the snapshot again if they cannot",
		"move the clients to the new group's endpoint, with TLS and a login",
		"check that CurrConnections of the old group is zero for " + p.plan.Window,
		"delete the old group with a final snapshot",
	} {
		p.manual(fmt.Sprintf("rebuild-%d", i+1), title, "see the step")
	}
	return nil
}

// planSetting fixes the controls that are one setting.
func planSetting(p *cachePlan) error {
	p.plan.Why = "one setting, in place"
	p.plan.From, p.plan.To = "as read", "changed in place"
	switch p.req.Control {
	case "ElastiCache.1":
		return p.backups()
	case "ElastiCache.2":
		before, _ := p.conf.at("Group.AutoMinorVersionUpgrade").(bool)
		if p.older(rbacFrom) {
			p.warn("AWS upgrades by itself from Redis OSS 6.0 and Valkey 7.2 on: on %s this only clears the finding; upgrade the engine", p.version)
		}
		p.setting("minor-upgrades", "take minor versions by itself", "none; nodes are patched in the maintenance window", map[string]any{"AutoMinorVersionUpgrade": true},
			map[string]any{"AutoMinorVersionUpgrade": before}, is("Group.AutoMinorVersionUpgrade", true))
	case "ElastiCache.3":
		return p.failover()
	case "ElastiCache.4":
		return p.rebuild("encryption at rest can only be chosen when a group is made")
	case "ElastiCache.5", "Gatehouse.3":
		if on, _ := p.conf.at("Group.TransitEncryptionEnabled").(bool); !on && p.older(tlsInPlace) {
			return p.rebuild("encryption in transit can be turned on from Redis OSS 7.0.5 on")
		}
		p.plan.From, p.plan.To = "cleartext", "TLS required"
		p.encrypt(Dual, Closed)
		p.add(Step{ID: "verify", Kind: KindVerify, Title: "TLS is required", Reaches: Verified, Verify: []Check{is("Group.TransitEncryptionMode", "required")}})
	case "ElastiCache.7":
		return p.rebuild("the subnet group can only be chosen when a group is made")
	}
	return nil
}

// setting is a plan of one call and one question.
func (p *cachePlan) setting(id, title, effect string, input, before map[string]any, until ...Check) {
	make := p.modify
	if p.plan.Type == posture.KindCacheCluster {
		make = func(input map[string]any) *Call {
			input["CacheClusterId"], input["ApplyImmediately"] = p.id, true
			return call("elasticache", "ModifyCacheCluster", input)
		}
	}
	p.add(Step{ID: id, Kind: KindCall, Title: title, Effect: effect, Reaches: Closed, Call: make(input), Until: until, Rollback: undo(make(before))})
	p.add(Step{ID: "verify", Kind: KindVerify, Title: title + ": ElastiCache says so", Reaches: Verified, Verify: until})
}

func (p *cachePlan) backups() error {
	days, err := strconv.Atoi(p.set("retention", "1"))
	if err != nil || days < 1 {
		return fmt.Errorf("--set retention: give a number of days from 1 to 35")
	}
	input := map[string]any{"SnapshotRetentionLimit": days}
	before := map[string]any{"SnapshotRetentionLimit": p.conf.at("Group.SnapshotRetentionLimit")}
	if clustered, _ := p.conf.at("Group.ClusterEnabled").(bool); !clustered && p.plan.Type == posture.KindReplicationGroup {
		members := words(p.conf.at("Members"))
		if len(members) > 0 {
			input["SnapshottingClusterId"] = members[len(members)-1] // a replica where there is one
		}
	}
	p.setting("backups", fmt.Sprintf("keep daily backups for %d day(s)", days), "load on the node that makes the backup, in its window", input, before, is("Group.SnapshotRetentionLimit", days))
	return nil
}

func (p *cachePlan) failover() error {
	if n, _ := p.conf.at("Group.Members").(int); n < 2 {
		p.add(Step{
			ID: "add-replica", Kind: KindCall, Title: "add a replica to each shard: failover needs one", Effect: "none; one more node is billed",
			Call:  call("elasticache", "IncreaseReplicaCount", map[string]any{"ReplicationGroupId": p.id, "NewReplicaCount": 1, "ApplyImmediately": true}),
			Until: []Check{is("Group.Members", 2)}, Rollback: &Undo{Note: "the replica stays; aws elasticache decrease-replica-count takes it away"},
		})
	}
	p.setting("failover", "fail over by itself", "none until a primary fails", map[string]any{"AutomaticFailoverEnabled": true}, map[string]any{"AutomaticFailoverEnabled": false},
		is("Group.AutomaticFailover", "enabled"))
	return nil
}

// planNode plans for a cluster that stands alone.
func planNode(b *builder) error {
	p := b.cache()
	if group := b.conf.field("Group.ReplicationGroupId"); group != "" {
		b.plan.Why = "the node belongs to replication group " + group + ": migrate that"
		return nil
	}
	switch b.req.Control {
	case "ElastiCache.1", "ElastiCache.2":
		return planSetting(p)
	}
	b.plan.Control = b.req.Control
	return p.rebuild("a cluster that stands alone has neither a token nor user groups to turn on, and its subnet group cannot be changed: move it to a replication group")
}
