package caches

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

const neitherNor = "it has neither an AUTH token nor a user group"

// strict is a server with --require-auth and an exception for the cache "legacy".
func strict(config *Config) {
	config.MayAdmitAnyone = func(arn string) bool { return strings.HasSuffix(arn, ":legacy") }
}

// required is the whole refusal, so that it names the rule and what to pass.
func required(id, why string) string {
	return fmt.Sprintf("This server requires authentication (serve --require-auth, control Gatehouse.2), and replication group %s would admit clients without a credential: %s. Pass AuthToken, or a user group whose user named default is off or has a password; or let a reviewed exception for Gatehouse.2 name arn:aws:elasticache:us-east-1:000000000000:replicationgroup:%s.", id, why, id)
}

func TestRequireAuthAtCreation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, strict, manyPorts)
	h.group("asks", identity.Valkey, identity.AuthPassword)
	h.group("open", identity.Valkey, identity.AuthNoPassword)
	_, err := h.CreateReplicationGroup(h.ctx, basic("orders"))
	h.refused(err, identity.InvalidParameterCombination, required("orders", neitherNor))
	_, err = h.CreateReplicationGroup(h.ctx, basic("orders", withEngine("valkey", "8.0"), withGroup("open")))
	h.refused(err, identity.InvalidParameterCombination,
		required("orders", "user open-user of user group open is named default, is on and needs no password"))
	if h.state.View().ReplicationGroups["orders"] != nil {
		t.Error("a refused cache was made")
	}
	_, err = h.CreateCacheCluster(h.ctx, CreateCacheClusterInput{CreateReplicationGroupInput: CreateReplicationGroupInput{
		ID: "single", Engine: new("redis"), NodeType: new("cache.t4g.micro"), TransitEncryptionEnabled: new(true),
	}})
	h.refused(err, identity.InvalidParameterCombination, "This server requires authentication (serve --require-auth, control Gatehouse.2), and cache cluster single would admit clients without a credential: "+neitherNor+". Pass AuthToken; or let a reviewed exception for Gatehouse.2 name arn:aws:elasticache:us-east-1:000000000000:cluster:single.")
	h.create(basic("token", withToken("a-token-of-the-test-1")))
	h.create(basic("group", withEngine("valkey", "8.0"), withGroup("asks")))
	h.create(basic("legacy"))
}

func TestRequireAuthAtModification(t *testing.T) {
	t.Parallel()
	h := newHouse(t, strict, manyPorts)
	h.group("asks", identity.Valkey, identity.AuthPassword)
	h.group("open", identity.Valkey, identity.AuthNoPassword)
	h.create(basic("orders", withEngine("valkey", "8.0"), withGroup("asks")))
	for why, in := range map[string]ModifyReplicationGroupInput{
		neitherNor: {ID: "orders", RemoveUserGroups: new(true)},
		"after ROTATE its AUTH token is optional until SET": {ID: "orders", RemoveUserGroups: new(true), AuthToken: token("a-token-of-the-test-1")},
		"user open-user of user group open is named default, is on and needs no password": {
			ID: "orders", UserGroupIDsToAdd: []string{"open"}, UserGroupIDsToRemove: []string{"asks"},
		},
	} {
		_, err := h.ModifyReplicationGroup(h.ctx, in)
		h.refused(err, identity.InvalidParameterCombination, required("orders", why))
	}
	// A cache that is open already may be closed in steps.
	h.create(basic("legacy", withEngine("valkey", "8.0")))
	h.config.MayAdmitAnyone = func(string) bool { return false }
	h.modify(ModifyReplicationGroupInput{ID: "legacy", AuthToken: token("a-token-of-the-test-1")})
	h.modify(ModifyReplicationGroupInput{ID: "legacy", AuthToken: token("a-token-of-the-test-1"), AuthTokenUpdateStrategy: new(strategySet)})
}
