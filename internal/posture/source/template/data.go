package template

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// dmsEndpoint reads AWS::DMS::Endpoint.
func (t *Template) dmsEndpoint(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindDMSEndpoint, id, node, at, func(b *builder) {
		b.text(posture.EngineName, "EngineName")
		b.text(posture.EndpointType, "EndpointType")
		b.block(posture.MongoDBSettings, "MongoDbSettings")
		b.text(posture.AuthType, "MongoDbSettings", "AuthType")
		b.text(posture.AuthMechanism, "MongoDbSettings", "AuthMechanism")
		b.attrs[posture.ExtraConnectionAttributes] = extraAuthType(b.get("ExtraConnectionAttributes"))
		b.name, b.exposure = id, posture.ExposureVPC
		if name := b.get("EndpointIdentifier"); name.shape == scalar {
			b.name = name.text
		}
		for _, path := range [][]string{{"ServerName"}, {"MongoDbSettings", "ServerName"}} {
			if server := b.get(path...); server.shape == scalar {
				b.fronts = append(b.fronts, server.text)
			}
		}
		b.readTags("Tags")
	})
}

// extraAuthType finds authType in "a=b;authType=NO".
func extraAuthType(extra value) posture.Value {
	if extra.shape != scalar {
		return extra.attribute()
	}
	return posture.ExtraAuthType(extra.text)
}

// mskCluster reads AWS::MSK::Cluster.
func (t *Template) mskCluster(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindMSKCluster, id, node, at, func(b *builder) {
		b.block(posture.ClientAuthentication, "ClientAuthentication")
		b.text(posture.Unauthenticated, "ClientAuthentication", "Unauthenticated", "Enabled")
		b.text(posture.SASLIAM, "ClientAuthentication", "Sasl", "Iam", "Enabled")
		b.text(posture.SASLSCRAM, "ClientAuthentication", "Sasl", "Scram", "Enabled")
		if enabled := b.text(posture.MutualTLS, "ClientAuthentication", "Tls", "Enabled"); enabled.shape == absent {
			if set, certain := b.get("ClientAuthentication", "Tls", "CertificateAuthorityArnList").isSet(); set && certain {
				b.attrs[posture.MutualTLS] = posture.Flag(true)
			}
		}
		b.text(posture.ClientBroker, "EncryptionInfo", "EncryptionInTransit", "ClientBroker")
		b.text(posture.InCluster, "EncryptionInfo", "EncryptionInTransit", "InCluster")
		b.name, b.exposure = id, posture.ExposureVPC
		if name := b.get("ClusterName"); name.shape == scalar {
			b.name = name.text
		}
		access := b.get("BrokerNodeGroupInfo", "ConnectivityInfo", "PublicAccess", "Type")
		if access.text == "SERVICE_PROVIDED_EIPS" {
			b.exposure = posture.ExposurePublic
		}
		b.readTags("Tags")
	})
}

func (t *Template) mskServerless(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindMSKServerless, id, node, at, func(b *builder) {
		b.name, b.exposure = id, posture.ExposureVPC
	})
}

// replicationGroup reads AWS::ElastiCache::ReplicationGroup.
func (t *Template) replicationGroup(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindReplicationGroup, id, node, at, func(b *builder) {
		b.engine("redis")
		b.attrs[posture.AuthToken] = b.get("AuthToken").secret()
		b.attrs[posture.AuthTokenIntroduced] = posture.Flag(false) // CloudFormation gives a token at creation, where it is required at once
		b.users("UserGroupIds")
		b.text(posture.TransitEncryptionEnabled, "TransitEncryptionEnabled")
		b.text(posture.TransitEncryptionMode, "TransitEncryptionMode")
		b.text(posture.AtRestEncryptionEnabled, "AtRestEncryptionEnabled")
		b.attrs[posture.AutomaticFailover] = failover(b.get("AutomaticFailoverEnabled").attribute())
		b.cacheBasics(id, "ReplicationGroupId")
		b.inherit()
	})
}

// inherit makes unknown what a secondary group takes from its global one.
func (b *builder) inherit() {
	global := b.get("GlobalReplicationGroupId")
	if global.shape == absent {
		return
	}
	taken := posture.Unknown("it is inherited from the global replication group", "the primary group's settings")
	for _, name := range []posture.Attribute{
		posture.EngineVersion, posture.AuthToken, posture.UserGroupIDs, posture.TransitEncryptionEnabled,
		posture.TransitEncryptionMode, posture.AtRestEncryptionEnabled,
	} {
		if b.attrs[name].IsAbsent() {
			b.attrs[name] = taken
		}
	}
	if b.get("Engine").shape == absent {
		b.attrs[posture.Engine] = taken
	}
}

// failover words the boolean as the API words the state.
func failover(enabled posture.Value) posture.Value {
	switch {
	case enabled.True():
		return posture.Text("enabled")
	case enabled.False():
		return posture.Text("disabled")
	}
	return enabled
}

func (t *Template) cacheCluster(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindCacheCluster, id, node, at, func(b *builder) {
		b.engine("")
		b.attrs[posture.AuthToken] = b.get("AuthToken").secret()
		b.attrs[posture.UserGroupIDs] = posture.Absent()
		b.text(posture.ReplicationGroupID, "ReplicationGroupId") // Terraform only; CloudFormation has no such property
		b.cacheBasics(id, "ClusterName")
	})
}

func (t *Template) serverlessCache(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindServerlessCache, id, node, at, func(b *builder) {
		b.engine("")
		b.users("UserGroupId")
		b.name, b.exposure = id, posture.ExposureVPC
		b.readTags("Tags")
	})
}

// engine reads Engine, which templates write in any case, and EngineVersion.
func (b *builder) engine(fallback string) {
	engine := b.get("Engine")
	b.attrs[posture.Engine] = engine.attribute()
	switch {
	case engine.shape == scalar:
		b.attrs[posture.Engine] = posture.Text(strings.ToLower(engine.text))
	case engine.shape == absent && fallback != "":
		b.attrs[posture.Engine] = posture.Text(fallback)
	case engine.shape == absent:
		b.attrs[posture.Engine] = posture.Unknown("Engine is required and is missing", "the engine")
	}
	b.text(posture.EngineVersion, "EngineVersion")
}

func (b *builder) cacheBasics(id, nameKey string) {
	b.text(posture.SnapshotRetentionLimit, "SnapshotRetentionLimit")
	b.text(posture.AutoMinorVersionUpgrade, "AutoMinorVersionUpgrade")
	b.present(posture.CacheSubnetGroupName, "CacheSubnetGroupName")
	b.name, b.exposure = id, posture.ExposureVPC
	if name := b.get(nameKey); name.shape == scalar {
		b.name = name.text
	}
	b.readTags("Tags")
}

// users follows the cache's user groups to their user named default.
func (b *builder) users(key string) {
	groups := b.get(key)
	if groups.shape != list && groups.shape != absent && groups.shape != unknown {
		groups = value{shape: list, items: []value{groups}}
	}
	switch set, certain := groups.isSet(); {
	case !certain:
		b.attrs[posture.UserGroupIDs] = posture.Unknown(groups.reason, groups.needs)
		return
	case !set || len(groups.items) == 1 && groups.items[0].shape == scalar && groups.items[0].text == "":
		b.attrs[posture.UserGroupIDs] = posture.Absent()
		return
	}
	names := make([]string, 0, len(groups.items))
	open := posture.Flag(false)
	for _, group := range groups.items {
		names = append(names, group.refersTo())
		open = worse(open, b.defaultUserOf(group))
	}
	b.attrs[posture.UserGroupIDs], b.attrs[posture.DefaultUserOpen] = posture.List(names), open
}

// worse keeps what decides: open before unknown before closed.
func worse(a, b posture.Value) posture.Value {
	if a.True() || b.IsKnown() && !b.True() {
		return a
	}
	return b
}

// defaultUserOf says whether a group's user named default is on and needs no
// password.
func (b *builder) defaultUserOf(group value) posture.Value {
	resource := b.t.find(group, "AWS::ElastiCache::UserGroup", "UserGroupId", b.w)
	if resource.shape != object {
		return posture.Unknown("the user group "+group.refersTo()+" is not in the template", "the users of the group")
	}
	users := resource.get("UserIds", b.w)
	if users.shape != list {
		return posture.Unknown(users.why(), "the users of the group")
	}
	open := posture.Flag(false)
	for _, user := range users.items {
		open = worse(open, b.userOpen(user))
	}
	return open
}

func (b *builder) userOpen(user value) posture.Value {
	resource := b.t.find(user, "AWS::ElastiCache::User", "UserId", b.w)
	if resource.shape != object {
		if user.shape == scalar && user.text == "default" {
			return posture.Flag(true) // the user that every account has: on, all permissions, no password
		}
		return posture.Unknown("the user "+user.refersTo()+" is not in the template", "the user")
	}
	name := resource.get("UserName", b.w)
	if name.shape != scalar {
		return posture.Unknown(name.why(), "the user's name")
	}
	if name.text != "default" {
		return posture.Flag(false)
	}
	return posture.UserOpen(
		resource.get("AccessString", b.w).attribute(),
		resource.get("NoPasswordRequired", b.w).attribute(),
		resource.at(b.w, "AuthenticationMode", "Type").attribute(),
		resource.get("Passwords", b.w).secret(),
	)
}

// find returns the properties of the resource that a value refers to, by
// reference or by the name that the resource gives itself.
func (t *Template) find(v value, kind, nameKey string, w *world) value {
	if v.shape == reference {
		resource := v.home.resource(v.text)
		if resource.Get("Type").Str() == kind {
			return v.home.properties(resource)
		}
		return value{shape: absent}
	}
	found := value{shape: absent}
	if v.shape != scalar {
		return found
	}
	t.resources.Each(func(_ tree.Key, node *tree.Node) {
		if node.Get("Type").Str() != kind {
			return
		}
		if properties := t.properties(node); properties.get(nameKey, w).text == v.text {
			found = properties
		}
	})
	return found
}
