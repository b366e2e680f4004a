package state

import (
	"cmp"
	"maps"
	"slices"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// View is everything, as it was at one revision. A View and what it points to
// are never changed; a transaction puts new values in their place.
type View struct {
	Rev               int64
	Users             map[string]*identity.User             // by id
	UserGroups        map[string]*identity.UserGroup        // by id
	ReplicationGroups map[string]*identity.ReplicationGroup // by id
	SubnetGroups      map[string]*identity.SubnetGroup      // by name
	ParameterGroups   map[string]*identity.ParameterGroup   // by name
	IAM               IAM
	// revs holds the revision at which each record was last written, by key.
	revs map[string]int64
}

func (v *View) clone() *View {
	return &View{
		Rev:               v.Rev,
		Users:             maps.Clone(v.Users),
		UserGroups:        maps.Clone(v.UserGroups),
		ReplicationGroups: maps.Clone(v.ReplicationGroups),
		SubnetGroups:      maps.Clone(v.SubnetGroups),
		ParameterGroups:   maps.Clone(v.ParameterGroups),
		IAM:               v.IAM.clone(),
		revs:              maps.Clone(v.revs),
	}
}

// WrittenAt returns the revision at which the noun was last written, 0 if it is
// not there. It takes the same values as Tx.Put.
func (v *View) WrittenAt(noun any) int64 { return v.revs[keyOf(noun)] }

// Sorted returns the values of one of the view's maps ordered by key.
func Sorted[K cmp.Ordered, V any](m map[K]V) []V {
	sorted := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		sorted = append(sorted, m[key])
	}
	return sorted
}
