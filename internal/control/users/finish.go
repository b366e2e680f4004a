package users

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// finishBatch bounds how many nouns one call of Finish writes, each with its
// event: an external etcd takes 128 operations in one transaction unless it is
// told otherwise, and caches.Finish, which shares it, may need 80 of them.
const finishBatch = 20

// Finish brings users and groups that are being created, modified or deleted to
// the end of it, where settled says that every cache which depends on the noun
// has acknowledged the revision at which the noun was last written. It looks
// only at the view, so that it can be called at any time and again after a
// crash; what one call leaves, because it is much, the next one does.
func Finish(tx *state.Tx, settled func(noun any) bool) {
	left := finishBatch
	for _, group := range state.Sorted(tx.View().UserGroups) {
		if left > 0 && group.Status != identity.Active && settled(group) && finishGroup(tx, group) {
			left--
		}
	}
	wanted := stillWanted(tx.View())
	for _, user := range state.Sorted(tx.View().Users) {
		if left > 0 && user.Status != identity.Active && settled(user) && finishUser(tx, user, wanted) {
			left--
		}
	}
}

func finishGroup(tx *state.Tx, group *identity.UserGroup) bool {
	if group.Status == identity.Deleting {
		if len(cachesOf(tx.View(), group.ID)) > 0 {
			return false
		}
		tx.Delete(group)
		tx.Event(groupSource, group.ID, "User group %s was deleted.", group.ID)
		return true
	}
	done := *group
	done.Members, done.Target, done.Status = group.Target, nil, identity.Active
	tx.Put(&done)
	tx.Event(groupSource, group.ID, "User group %s is active with %s%s.",
		group.ID, count(len(done.Members), "user"), outcome(difference(group.Members, done.Members)))
	return true
}

// outcome tells what became of the membership.
func outcome(added, removed []string) string {
	text := ""
	if len(added) > 0 {
		text += "; added " + strings.Join(added, ", ")
	}
	if len(removed) > 0 {
		text += fmt.Sprintf("; removed %s, and ended the connections", strings.Join(removed, ", "))
	}
	return text
}

func finishUser(tx *state.Tx, user *identity.User, wanted map[string]bool) bool {
	if user.Status == identity.Deleting {
		if wanted[user.ID] {
			return false
		}
		tx.Delete(user)
		tx.Event(userSource, user.ID, "User %s was deleted.", user.ID)
		return true
	}
	done := *user
	done.Status = identity.Active
	tx.Put(&done)
	tx.Event(userSource, user.ID, "User %s is active: the caches that it belongs to act on the change.", user.ID)
	return true
}

// stillWanted returns the ids of the users that a group has or is to have.
func stillWanted(view *state.View) map[string]bool {
	wanted := map[string]bool{}
	for _, group := range view.UserGroups {
		for _, member := range group.Members {
			wanted[member.UserID] = true
		}
		for _, member := range group.Target {
			wanted[member.UserID] = true
		}
	}
	return wanted
}
