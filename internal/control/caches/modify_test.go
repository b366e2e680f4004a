package caches

import (
	"reflect"
	"testing"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

type modifyInput = ModifyReplicationGroupInput

func TestModifySettings(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.RequiredOne)
	before := h.shown(id)
	got, err := h.ModifyReplicationGroup(h.ctx, ModifyReplicationGroupInput{
		ID: "CACHE", Description: new("new words"), NodeType: new("cache.r7g.2xlarge"), SecurityGroupIDs: []string{"sg-1"},
		NotificationTopicARN: new("arn:aws:sns:us-east-1:000000000000:t"), AutoMinorVersionUpgrade: new(false), SnapshotRetentionLimit: new(int32(7)),
		SnapshotWindow: new("23:30-00:30"), MaintenanceWindow: new("Sat:23:00-Sun:01:00"), EngineVersion: new("7.1"), Engine: new("REDIS"),
		AutomaticFailoverEnabled: new(false), MultiAZEnabled: new(false), ClusterMode: new("disabled"),
	})
	h.must(err)
	want := before.Settings
	want.SecurityGroupIDs, want.NotificationTopicARN, want.AutoMinorVersionUpgrade = []string{"sg-1"}, "arn:aws:sns:us-east-1:000000000000:t", false
	want.SnapshotRetentionLimit, want.SnapshotWindow, want.MaintenanceWindow = 7, "23:30-00:30", "sat:23:00-sun:01:00"
	if !reflect.DeepEqual(got.Settings, want) || got.Description != "new words" || got.NodeType != "cache.r7g.2xlarge" {
		t.Errorf("now %+v", got.ReplicationGroup)
	}
	if got.Status != identity.Available || !reflect.DeepEqual(got.Access, before.Access) {
		t.Errorf("settings changed the status to %s or the access", got.Status)
	}
}

func TestParameterGroupOfACacheChangesAsync(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.RequiredOne)
	h.must(second(h.CreateParameterGroup(h.ctx, CreateParameterGroupInput{Name: "mine", Family: "redis7", Description: "d"})))
	got, err := h.ModifyReplicationGroup(h.ctx, modifyInput{ID: id, ParameterGroup: new("Mine")})
	h.must(err)
	if got.Status != identity.Modifying || got.Settings.ParameterGroup != "mine" || got.Target != nil {
		t.Errorf("the cache is %s with %s", got.Status, got.Settings.ParameterGroup)
	}
	h.settle()
	if got := h.shown(id); got.Status != identity.Available || h.accepts(got.Access) != "A" {
		t.Errorf("afterwards %s, %q", got.Status, h.accepts(got.Access))
	}
	h.tells(id, "Replication group cache modified", true)
}

func TestModifyRefusals(t *testing.T) {
	t.Parallel()
	const noTransit = "Modification of transit encryption is not supported for access control enabled clusters."
	const twoSteps = "Transit encryption of replication group cache can't be changed at once. Set TransitEncryptionMode to preferred first, with TransitEncryptionEnabled; change your clients over, then make the second step."
	for _, c := range []struct {
		name   string
		create []createChange
		in     modifyInput
		kind   identity.Kind
		want   string
	}{
		{"same settings", nil, modifyInput{Description: new("a test")}, identity.InvalidParameterCombination, "No modifications were requested"},
		{"blank description", nil, modifyInput{Description: new("")}, identity.MissingParameter, "The parameter ReplicationGroupDescription must be provided and must not be blank."},
		{"failover", nil, modifyInput{AutomaticFailoverEnabled: new(true)}, identity.InvalidParameterCombination, needsTwoNodes},
		{"older version", nil, modifyInput{EngineVersion: new("7.0")}, identity.InvalidParameterCombination, "The engine version can't be lowered from 7.1.0 to 7.0.7. Create a new replication group with the version that you want."},
		{"back to redis", []createChange{withEngine("valkey", "8.0")}, modifyInput{Engine: new("redis")}, identity.InvalidParameterCombination, "The engine can't be changed from valkey to redis."},
		{"newer version with a parameter group of the old one", []createChange{withEngine("redis", "6.2")}, modifyInput{EngineVersion: new("7.1"), ParameterGroup: new("default.redis6.x")}, identity.InvalidParameterCombination, "Expected a parameter group of family redis7 but found one of family redis6.x"},
		{"unknown version", nil, modifyInput{EngineVersion: new("7.9")}, identity.InvalidParameterCombination, "Cannot find version 7.9 for redis"},
		{"parameter group of another family", nil, modifyInput{ParameterGroup: new("default.valkey8")}, identity.InvalidParameterCombination, "Expected a parameter group of family redis7 but found one of family valkey8"},
		{"missing parameter group, with a token", nil, modifyInput{ParameterGroup: new("none"), AuthToken: token(tokenA)}, identity.ParameterGroupNotFound, "CacheParameterGroup not found: none"},

		{"token without TLS", []createChange{plain}, modifyInput{AuthToken: token(tokenA)}, identity.InvalidParameterCombination, "AuthToken requires encryption-in-transit to be enabled on the replication group."},
		{"group without TLS", []createChange{plain}, modifyInput{UserGroupIDsToAdd: []string{"g1"}}, identity.InvalidParameterCombination, "User group based access control requires encryption-in-transit to be enabled on the replication group."},
		{"token with mode preferred", []createChange{func(in *CreateReplicationGroupInput) { in.TransitEncryptionMode = new("Preferred") }}, modifyInput{AuthToken: token(tokenA)}, identity.InvalidParameterCombination, "Transit encryption preferred is not supported with redis access control."},
		{"token change before 5.0.6", []createChange{withToken(tokenA), withEngine("redis", "5.0.5")}, modifyInput{AuthToken: token(tokenB)}, identity.InvalidParameterCombination, "Modifying the AUTH token is not supported for redis 5.0.5. It requires redis 5.0.6 or later, or valkey 7.2 or later."},
		{"group before 6.0", []createChange{withToken(tokenA), withEngine("redis", "5.0.6")}, modifyInput{AuthTokenUpdateStrategy: new("DELETE"), UserGroupIDsToAdd: []string{"g1"}}, identity.InvalidParameterCombination, "User group based access control is not supported for redis 5.0.6. It requires redis 6.0 or later, or valkey."},
		{"IAM group before 7.0", []createChange{withEngine("redis", "6.x")}, modifyInput{UserGroupIDsToAdd: []string{"i1"}}, identity.InvalidParameterCombination, "User group i1 has user i1-user with authentication type iam, which is not supported for redis 6.2.6. It requires redis 7.0 or later, or valkey."},
		{"valkey group on redis", nil, modifyInput{UserGroupIDsToAdd: []string{"v1"}}, identity.InvalidParameterCombination, "User group v1 with engine valkey cannot be used by a cache with engine redis."},

		{"transit unchanged, with a token", []createChange{withToken(tokenA)}, modifyInput{TransitEncryptionEnabled: new(true)}, identity.InvalidParameterCombination, noTransit},
		{"transit mode, with a group", []createChange{withGroup("g1")}, modifyInput{TransitEncryptionMode: new("required")}, identity.InvalidParameterCombination, noTransit},
		{"transit and a token at once", nil, modifyInput{TransitEncryptionEnabled: new(true), AuthToken: token(tokenA)}, identity.InvalidParameterCombination, noTransit},
		{"transit unchanged on an open cache", nil, modifyInput{TransitEncryptionEnabled: new(true), TransitEncryptionMode: new("required")}, identity.InvalidParameterCombination, "No modifications were requested"},
		{"transit off", nil, modifyInput{TransitEncryptionEnabled: new(false)}, identity.InvalidParameterCombination, twoSteps},
		{"mode on a plain cache", []createChange{plain}, modifyInput{TransitEncryptionMode: new("preferred")}, identity.InvalidParameterCombination, "To modify transit encryption mode, set encryption-in-transit as enabled."},
		{"TLS for a plain cache", []createChange{plain}, modifyInput{TransitEncryptionEnabled: new(true), TransitEncryptionMode: new("required")}, identity.InvalidParameterCombination, twoSteps},
		{"unknown mode", nil, modifyInput{TransitEncryptionMode: new("none")}, identity.InvalidParameterValue, "Invalid value for parameter TransitEncryptionMode: valid values are preferred, required."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newMachineHouse(t)
			h.group("v1", identity.Valkey, identity.AuthPassword)
			h.group("i1", identity.Redis, identity.AuthIAM)
			h.create(basic("cache", c.create...))
			view := h.state.View()
			c.in.ID = "cache"
			_, err := h.ModifyReplicationGroup(h.ctx, c.in)
			h.refused(err, c.kind, c.want)
			if h.state.View() != view {
				t.Error("a refused request wrote something")
			}
		})
	}
	h := newHouse(t)
	_, err := h.ModifyReplicationGroup(h.ctx, modifyInput{ID: "nobody", Description: new("x")})
	h.refused(err, identity.ReplicationGroupNotFound, "Replication group nobody not found.")
}

func TestValkeyCachesTakeBothKindsOfGroups(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	h.group("v1", identity.Valkey, identity.AuthIAM)
	h.create(basic("cache", withEngine("valkey", "7.2"), withGroup("v1")))
	h.modify(modifyInput{ID: "cache", UserGroupIDsToRemove: []string{"v1"}, UserGroupIDsToAdd: []string{"g1"}})
	if got := h.shown("cache").UserGroupIDs; len(got) != 1 || got[0] != "g1" {
		t.Errorf("groups %v", got)
	}
	h.tells("cache", "User group v1 was disassociated", true)
	h.tells("cache", "User group g1 was associated", true)
}

// TestACacheOfAVersionNoLongerListed checks that records of another program do
// not make requests fail in strange ways.
func TestACacheOfAVersionNoLongerListed(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t)
	id := h.in(identity.AuthNone)
	odd := *h.state.View().ReplicationGroups[id]
	odd.EngineVersion = "9.9.9"
	_, err := h.state.Update(h.ctx, func(tx *state.Tx) error { tx.Put(&odd); return nil })
	h.must(err)
	h.modify(modifyInput{ID: id, Description: new("x")})
	_, err = h.ModifyReplicationGroup(h.ctx, modifyInput{ID: id, UserGroupIDsToAdd: []string{"g1"}})
	if identity.KindOf(err) != identity.InvalidParameterCombination {
		t.Errorf("got %v", err)
	}
	if got := EngineParameters(h.state.View(), &odd); got[aclPubsubDefault] != "allchannels" {
		t.Errorf("parameters %v", got)
	}
}
