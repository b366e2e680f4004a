package tagging

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

const prefix = "arn:aws:elasticache:us-east-1:000000000000:"

func newService(t *testing.T) (*Service, *state.State) {
	t.Helper()
	st, err := state.Open(t.Context(), memory.New(), clock.NewFake(time.Unix(0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(&identity.User{ID: "u"})
		tx.Put(&identity.UserGroup{ID: "g"})
		tx.Put(&identity.ReplicationGroup{ID: "c", Nodes: []identity.CacheNode{{ClusterID: "c-001"}}})
		tx.Put(&identity.SubnetGroup{Name: "s"})
		tx.Put(&identity.ParameterGroup{Name: "p"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(st, naming.Account{ID: "000000000000", Region: "us-east-1"}), st
}

func TestEveryResourceHasTags(t *testing.T) {
	for resource, missing := range map[string]identity.Kind{
		"user:u":             identity.UserNotFound,
		"usergroup:g":        identity.UserGroupNotFound,
		"replicationgroup:c": identity.ReplicationGroupNotFound,
		"cluster:c-001":      identity.CacheClusterNotFound,
		"subnetgroup:s":      identity.SubnetGroupNotFound,
		"parametergroup:p":   identity.ParameterGroupNotFound,
	} {
		t.Run(resource, func(t *testing.T) {
			s, _ := newService(t)
			arn := prefix + resource
			if tags, err := s.List(arn); err != nil || tags == nil || len(tags) != 0 {
				t.Errorf("at first: %v, %v", tags, err)
			}
			want := []naming.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}
			for range 2 { // adding the same again changes nothing
				tags, err := s.Add(context.Background(), arn, []naming.Tag{want[1], want[0]})
				if err != nil || !cmp.Equal(tags, want) {
					t.Fatalf("added: %v, %v", tags, err)
				}
			}
			if tags, err := s.List(arn); err != nil || !cmp.Equal(tags, want) {
				t.Errorf("listed: %v, %v", tags, err)
			}
			if tags, err := s.Remove(context.Background(), arn, []string{"a"}); err != nil || !cmp.Equal(tags, want[1:]) {
				t.Errorf("removed: %v, %v", tags, err)
			}
			if _, err := s.List(arn + "x"); identity.KindOf(err) != missing {
				t.Errorf("of one that does not exist: %v", err)
			}
		})
	}
}

func TestMembersCarryTheTagsOfTheirGroup(t *testing.T) {
	s, _ := newService(t)
	want := []naming.Tag{{Key: "k", Value: "v"}}
	if _, err := s.Add(t.Context(), prefix+"replicationgroup:c", want); err != nil {
		t.Fatal(err)
	}
	if tags, err := s.List(prefix + "cluster:c-001"); err != nil || !cmp.Equal(tags, want) {
		t.Errorf("%v, %v", tags, err)
	}
}

func TestRefusedChangesLeaveNothing(t *testing.T) {
	s, st := newService(t)
	before := st.View()
	for name, do := range map[string]func() ([]naming.Tag, error){
		"malformed ARN": func() ([]naming.Tag, error) { return s.Add(t.Context(), "u", nil) },
		"unknown user":  func() ([]naming.Tag, error) { return s.Add(t.Context(), prefix+"user:x", []naming.Tag{{Key: "k"}}) },
		"bad tag": func() ([]naming.Tag, error) {
			return s.Add(t.Context(), prefix+"user:u", []naming.Tag{{Key: "k"}, {Key: ""}})
		},
		"unknown tag":     func() ([]naming.Tag, error) { return s.Remove(t.Context(), prefix+"user:u", []string{"k"}) },
		"malformed again": func() ([]naming.Tag, error) { return s.List("arn:aws:s3:::bucket") },
	} {
		if tags, err := do(); identity.KindOf(err) == "" || tags != nil || st.View() != before {
			t.Errorf("%s: %v, %v", name, tags, err)
		}
	}
}
