package posture

import (
	"fmt"
	"strings"
)

// redisBefore6 says whether the engine is Redis OSS below 6.0. known is false
// when engine or version is unknown. No version at all means the newest.
func redisBefore6(r *Reader) (before, known bool) {
	engine := r.Read(Engine)
	if engine.IsUnknown() {
		return false, false
	}
	if engine.IsKnown() && !strings.EqualFold(engine.Text(), "redis") {
		return false, true
	}
	version := r.Read(EngineVersion)
	if version.IsAbsent() {
		return false, true
	}
	c, ok := CompareVersions(version.Text(), "6.0")
	return c < 0, ok
}

// cacheToken is ElastiCache.6.
func cacheToken(r *Reader) Judgement {
	engine, version, token := r.Read(Engine), r.Read(EngineVersion), r.Read(AuthToken)
	before6, known := redisBefore6(r)
	switch {
	case known && !before6:
		return notApplicable(whyNotBefore6(engine, version))
	case token.Set() && !known:
		return pass("a token is set, which is right for every version that the control reads")
	case !known:
		return undecided(Named{Engine, engine}, Named{EngineVersion, asUnknown(version, "the version of the group's nodes")})
	case token.Set():
		judgement := pass("the group has an AUTH token")
		if token.IsKnown() && !r.Read(TransitEncryptionEnabled).True() {
			judgement.Notes = append(judgement.Notes, "a token without encryption in transit travels in the clear")
		}
		return judgement
	case token.IsUnknown():
		return undecided(Named{AuthToken, token})
	}
	judgement := fail(fmt.Sprintf("the nodes run Redis OSS %s, below 6.0, and the group has no AUTH token: whoever reaches it is let in", version.Text()),
		r.Next(migrate(r, "auth"), "set AuthToken by dynamic reference, with TransitEncryptionEnabled: true; better, upgrade the engine together with RBAC (UserGroupIds)"),
		"upgrading the engine alone turns this finding green and leaves the cache open")
	if !r.Read(TransitEncryptionEnabled).True() {
		judgement = judgement.requires("encryption in transit first: AUTH needs it, and below 7.0.5 it cannot be added in place")
	}
	return judgement
}

func whyNotBefore6(engine, version Value) string {
	switch {
	case engine.IsKnown() && !strings.EqualFold(engine.Text(), "redis"):
		return "the engine is " + engine.Text() + "; the control reads Redis OSS below 6.0 only"
	case version.IsAbsent():
		return "no engine version is set, so AWS takes its newest; the control reads Redis OSS below 6.0 only"
	}
	return "Redis OSS " + version.Text() + " is 6.0 or newer; the control reads older versions only"
}

// tokenOptional is Gatehouse.1: after ROTATE on a group that had no token,
// AuthTokenEnabled is true and clients without a token are still served.
func tokenOptional(r *Reader) Judgement {
	token, strategy := r.Read(AuthToken), r.Read(AuthTokenUpdateStrategy)
	introduced, anonymous := r.Read(AuthTokenIntroduced), r.Read(AnonymousAccepted)
	next := r.Next(migrate(r, "auth")+"   # drains callers without a token, then SET with the same token",
		"apply the same token once more with auth_token_update_strategy SET, when all clients send it")
	reason := "the group's first token was given with ROTATE and never enforced with SET: the AWS control is green and clients without a token are still served"
	switch {
	case token.IsAbsent() || token.IsKnown() && !token.Set():
		return silent()
	case token.IsUnknown():
		return undecided(Named{AuthToken, token})
	case anonymous.True():
		return failEffective("the group has a token and still serves clients without one (ROTATE without SET)", next)
	case anonymous.False():
		return pass("a client without a token is refused")
	case strings.EqualFold(strategy.Text(), "ROTATE") && introduced.True():
		return failEffective(reason, next)
	case strings.EqualFold(strategy.Text(), "SET"), introduced.False(), strategy.IsAbsent():
		return pass("the token is required")
	}
	return undecided(Named{AuthTokenUpdateStrategy, asUnknown(strategy, "the last ModifyReplicationGroup in CloudTrail, or an unauthenticated PING over TLS (gatehouse migrate status)")}, Named{AuthTokenIntroduced, introduced})
}

// defaultUserOpen is Gatehouse.2: ElastiCache.6 says nothing about engines from
// 6.0, Valkey, single clusters and serverless caches.
func defaultUserOpen(r *Reader) Judgement {
	if _, done := memberOfGroup(r); done {
		return silent()
	}
	kind, engine := r.Resource().Kind, r.Read(Engine)
	switch {
	case engine.IsUnknown():
		return undecided(Named{Engine, engine})
	case isMemcached(engine):
		return notApplicable("Memcached on ElastiCache has no authentication to turn on")
	case kind == KindReplicationGroup:
		if before6, known := redisBefore6(r); !known {
			return undecided(Named{EngineVersion, asUnknown(r.Read(EngineVersion), "the version of the group's nodes")})
		} else if before6 {
			return silent()
		}
	}
	if kind != KindServerlessCache {
		token := r.Read(AuthToken)
		if token.Set() {
			return pass("the cache has an AUTH token")
		}
		if token.IsUnknown() && !r.Read(UserGroupIDs).Set() {
			return undecided(Named{AuthToken, token}, Named{UserGroupIDs, r.Read(UserGroupIDs)})
		}
	}
	return judgeUserGroups(r)
}

func judgeUserGroups(r *Reader) Judgement {
	groups := r.Read(UserGroupIDs)
	next := r.Next(migrate(r, "rbac"), "attach a user group whose user named default is off (~* -@all) or has a password")
	switch {
	case groups.IsUnknown():
		return undecided(Named{UserGroupIDs, groups})
	case !groups.Set():
		reason := "no AUTH token and no user group: every client is the default user, with all permissions and no password"
		if r.Resource().Kind == KindServerlessCache {
			reason = "no user group: every client in the VPC is the default user, with all permissions and no password"
		}
		return failEffective(reason, next)
	}
	open := r.Read(DefaultUserOpen)
	switch {
	case open.True():
		return failEffective("the user group's user named default is on and needs no password", next)
	case open.False():
		return pass("the user group's default user admits nobody without a password")
	}
	return undecided(Named{DefaultUserOpen, asUnknown(open, "the users of user group "+strings.Join(groups.Items(), ", "))})
}

// transitPreferred is Gatehouse.3.
func transitPreferred(r *Reader) Judgement {
	on, mode := r.Read(TransitEncryptionEnabled), r.Read(TransitEncryptionMode)
	value, ok := on.bool()
	switch {
	case on.IsAbsent(), ok && !value:
		return silent()
	case !ok:
		return undecided(Named{TransitEncryptionEnabled, asUnknown(on, "true or false")})
	case strings.EqualFold(mode.Text(), "preferred"):
		return failEffective("the mode is preferred: clients may still connect in the clear, and neither a token nor a user group can be required",
			r.Next(migrate(r, ""), "set TransitEncryptionMode to required once every client uses TLS"))
	case mode.IsUnknown():
		return undecided(Named{TransitEncryptionMode, mode})
	}
	return pass("only TLS connections are accepted")
}
