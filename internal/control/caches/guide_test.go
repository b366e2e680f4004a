package caches

import (
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// TestGuide runs the commands of the guide "Authenticating with the AUTH
// command" in its order, as it prints them.
func TestGuide(t *testing.T) {
	t.Parallel()
	h := newMachineHouse(t, manyPorts)
	h.must(second(h.CreateSubnetGroup(h.ctx, CreateSubnetGroupInput{Name: "sng-test", Description: "d", SubnetIDs: []string{"subnet-1"}})))
	printed := CreateReplicationGroupInput{
		ID: "authtestgroup", Description: "authtest", Engine: new("redis"), NodeType: new("cache.m4.large"),
		NumNodeGroups: new(int32(1)), ReplicasPerNodeGroup: new(int32(2)), TransitEncryptionEnabled: new(true),
		AuthToken: token("This-is-a-sample-token"), SubnetGroup: new("sng-test"),
	}
	h.create(printed)
	h.getsIn("authtestgroup", "This-is-a-sample-token")

	h.modify(modifyInput{ID: "authtestgroup", AuthToken: token("This-is-the-rotated-token"), AuthTokenUpdateStrategy: new("ROTATE")})
	h.getsIn("authtestgroup", "This-is-a-sample-token", "This-is-the-rotated-token")
	h.modify(modifyInput{ID: "authtestgroup", AuthToken: token("This-is-the-set-token"), AuthTokenUpdateStrategy: new("SET")})
	h.getsIn("authtestgroup", "This-is-the-set-token")

	// "Migrating from RBAC to AUTH"; the second command as printed for Windows.
	h.create(basic("test", withGroup("g1")))
	sample := token("This-is-a-sample-token")
	h.modify(modifyInput{ID: "test", RemoveUserGroups: new(true), AuthToken: sample, AuthTokenUpdateStrategy: new("ROTATE")})
	h.getsIn("test", "", "This-is-a-sample-token")
	h.modify(modifyInput{ID: "test", RemoveUserGroups: new(true), AuthToken: sample, AuthTokenUpdateStrategy: new("SET")})
	h.getsIn("test", "This-is-a-sample-token")
}

// getsIn checks which of the guide's tokens get in; "" is none at all.
func (h *house) getsIn(id string, want ...string) {
	h.t.Helper()
	access := h.shown(id).Access
	wanted := map[string]bool{}
	for _, secret := range want {
		wanted[secret] = true
	}
	if isOpen(access) != wanted[""] {
		h.t.Errorf("%s: anonymous clients get in: %v", id, isOpen(access))
	}
	for _, secret := range []string{"This-is-a-sample-token", "This-is-the-rotated-token", "This-is-the-set-token"} {
		is, _ := h.matchOf(access.Tokens, identity.NewSecret(secret))
		if (is != other) != wanted[secret] {
			h.t.Errorf("%s: %s is the %s token", id, secret, is)
		}
	}
}
