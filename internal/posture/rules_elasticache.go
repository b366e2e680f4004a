package posture

import (
	"fmt"
	"strings"
)

// cacheBackups is ElastiCache.1.
func cacheBackups(r *Reader) Judgement {
	if judgement, done := memberOfGroup(r); done {
		return judgement
	}
	engine := r.Read(Engine)
	if engine.IsUnknown() {
		return undecided(Named{Engine, engine})
	}
	if isMemcached(engine) {
		return notApplicable("Memcached keeps no snapshots")
	}
	wanted, _ := Text(r.Param("snapshotRetentionPeriod")).Int()
	value := r.Read(SnapshotRetentionLimit)
	days, ok := value.Int()
	switch {
	case value.IsAbsent():
		days = 0
	case !ok:
		return undecided(Named{SnapshotRetentionLimit, asUnknown(value, "a number of days")})
	}
	if days < wanted {
		return fail(fmt.Sprintf("snapshots are kept for %d days and the control asks for at least %d", days, wanted),
			nextModify(r, fmt.Sprintf("--snapshot-retention-limit %d", wanted), fmt.Sprintf("set SnapshotRetentionLimit to %d or more", wanted)))
	}
	return pass(fmt.Sprintf("snapshots are kept for %d days", days))
}

// cacheUpgrades is ElastiCache.2.
func cacheUpgrades(r *Reader) Judgement {
	if judgement, done := groupOfMembers(r); done {
		return judgement
	}
	engine := r.Read(Engine)
	if isMemcached(engine) {
		return notApplicable("the control exempts Memcached")
	}
	value := r.Read(AutoMinorVersionUpgrade)
	on, ok := value.bool()
	switch {
	case value.IsAbsent(), on:
		judgement := pass("minor versions are applied automatically")
		if value.IsAbsent() {
			judgement.Notes = append(judgement.Notes, "AutoMinorVersionUpgrade is not set; AWS's default is true")
		}
		return judgement
	case !ok:
		return undecided(Named{AutoMinorVersionUpgrade, asUnknown(value, "true or false")})
	case engine.IsUnknown():
		return undecided(Named{Engine, engine})
	}
	judgement := fail("automatic minor version upgrades are off",
		nextModify(r, "--auto-minor-version-upgrade", "set AutoMinorVersionUpgrade to true"))
	if before6, known := redisBefore6(r); known && before6 {
		judgement.Notes = append(judgement.Notes, "below Redis OSS 6.0 the flag has no effect: upgrade the engine, together with RBAC")
	}
	return judgement
}

// cacheFailover is ElastiCache.3.
func cacheFailover(r *Reader) Judgement {
	value := r.Read(AutomaticFailover)
	if value.IsUnknown() {
		return undecided(Named{AutomaticFailover, value})
	}
	state := strings.ToLower(value.Text())
	if state == "enabled" {
		return pass("automatic failover is enabled")
	}
	if value.IsAbsent() || state == "" {
		state = "not set, which means disabled"
	}
	return fail("automatic failover is "+state, nextModify(r, "--automatic-failover-enabled", "set AutomaticFailoverEnabled to true")).
		requires("every shard has at least one replica")
}

// cacheAtRest is ElastiCache.4.
func cacheAtRest(r *Reader) Judgement {
	if value := r.Read(AtRestEncryptionEnabled); value.IsAbsent() && !r.Resource().Location.Origin.Live() {
		switch engine := r.Read(Engine); { // CreateReplicationGroup: true for Valkey, false for Redis OSS
		case engine.IsUnknown():
			return undecided(Named{Engine, engine})
		case strings.EqualFold(engine.Text(), "valkey"):
			return pass("AtRestEncryptionEnabled is not set, and AWS's default for Valkey is true")
		}
	}
	return encrypted(r, AtRestEncryptionEnabled, "at rest",
		"it can only be turned on at creation: restore a snapshot into a new, encrypted group")
}

// cacheInTransit is ElastiCache.5.
func cacheInTransit(r *Reader) Judgement {
	prerequisite := "from Redis OSS 7.0.5 and Valkey in place (mode preferred, move the clients, mode required); older groups must be rebuilt"
	return encrypted(r, TransitEncryptionEnabled, "in transit", prerequisite)
}

func encrypted(r *Reader, name Attribute, where, prerequisite string) Judgement {
	value := r.Read(name)
	on, ok := value.bool()
	switch {
	case on:
		return pass("encryption " + where + " is on")
	case value.IsUnknown(), value.IsKnown() && !ok:
		return undecided(Named{name, asUnknown(value, "true or false")})
	}
	return fail("encryption "+where+" is off", r.Next(migrate(r, ""), "set "+string(name)+" to true")).requires(prerequisite)
}

// cacheSubnetGroup is ElastiCache.7.
func cacheSubnetGroup(r *Reader) Judgement {
	if judgement, done := groupOfMembers(r); done {
		return judgement
	}
	value := r.Read(CacheSubnetGroupName)
	name := value.Text()
	switch {
	case value.IsUnknown():
		return undecided(Named{CacheSubnetGroupName, value})
	case value.IsAbsent() || name == "":
		if !r.Resource().Location.Origin.Live() && r.Read(ReplicationGroupID).Set() {
			return notApplicable("a member takes its group's subnets; the group is judged")
		}
		return fail("no subnet group is named, so the cluster goes into the default one", r.Next(migrate(r, ""), "set CacheSubnetGroupName to a subnet group of your own"))
	case name == "default":
		return fail("the cluster is in the subnet group \"default\"", r.Next(migrate(r, ""), "set CacheSubnetGroupName to a subnet group of your own")).
			requires("the subnet group of a cluster cannot be changed: rebuild it from a snapshot in a group of your own")
	}
	return pass("the subnet group is " + name)
}

// memberOfGroup settles rules that are about the group for a member cluster.
func memberOfGroup(r *Reader) (Judgement, bool) {
	if r.Resource().Kind == KindCacheCluster && r.Read(ReplicationGroupID).Set() {
		return notApplicable("a member of replication group " + r.Read(ReplicationGroupID).Text() + ", which is judged"), true
	}
	return Judgement{}, false
}

// groupOfMembers settles rules that are about clusters for a group whose
// members the source returns too, and for members declared beside their group.
func groupOfMembers(r *Reader) (Judgement, bool) {
	switch r.Resource().Kind {
	case KindReplicationGroup:
		if r.Resource().Location.Origin.Live() && r.Read(MembersJudged).True() {
			return notApplicable("judged on each member cluster"), true
		}
	case KindCacheCluster:
		if !r.Resource().Location.Origin.Live() {
			return memberOfGroup(r)
		}
	}
	return Judgement{}, false
}

func isMemcached(engine Value) bool { return strings.EqualFold(engine.Text(), "memcached") }

// migrate is the command that plans the whole change for a live cache.
func migrate(r *Reader, to string) string {
	command := "gatehouse migrate plan " + r.Resource().ID
	if to != "" {
		command += " --to " + to
	}
	return command
}

func nextModify(r *Reader, option, declared string) string {
	resource := r.Resource()
	if resource.Kind == KindCacheCluster {
		return r.Next(fmt.Sprintf("aws elasticache modify-cache-cluster --cache-cluster-id %s %s --apply-immediately", resource.Name, option), declared)
	}
	return r.Next(migrate(r, ""), declared)
}
