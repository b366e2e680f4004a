package endtoend

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// TestCredentialChangesSurviveTheDeathOfThePrimary kills the primary while a
// change of credentials is under way, again and again: once the cache is
// available the change is in force on every node, and what it took away is gone.
func TestCredentialChangesSurviveTheDeathOfThePrimary(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	s.createUser("worker", "worker", "on ~* +@all", "worker-password-0")
	s.createUser("guest", "guest", "on ~* +@all", "guest-password-00")
	s.createGroup("team", "worker", "guest")
	s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) {
		withReplicas(2, firstToken)(in)
		in.AuthToken, in.UserGroupIds = nil, []string{"team"}
	})
	for round := 1; round <= 4; round++ {
		before := s.members("orders")
		old, next := fmt.Sprintf("worker-password-%d", round-1), fmt.Sprintf("worker-password-%d", round)
		leaving := round%2 == 1 // guest goes in odd rounds and comes back in even ones
		pid := s.enginePID(before.leader)
		must[*elasticache.ModifyUserOutput](t)(s.api().ModifyUser(ctx, &elasticache.ModifyUserInput{UserId: aws.String("worker"), Passwords: []string{next}}))
		change := &elasticache.ModifyUserGroupInput{UserGroupId: aws.String("team"), UserIdsToAdd: []string{"guest"}}
		if leaving {
			change.UserIdsToAdd, change.UserIdsToRemove = nil, []string{"guest"}
		}
		s.groupActive("team")
		must[*elasticache.ModifyUserGroupOutput](t)(s.api().ModifyUserGroup(ctx, change))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.await("another primary", func() error {
			if g := s.members("orders"); g.leader == before.leader {
				return fmt.Errorf("%s still leads", g.leader)
			}
			return nil
		})
		s.userActive("worker")
		s.groupActive("team")
		after := s.members("orders")
		for id, address := range after.nodes {
			allowed(t, s.redis(address, "worker", next).Ping(ctx))
			refusedWith(t, "WRONGPASS", s.redis(address, "worker", old).Ping(ctx))
			err := s.redis(address, "guest", "guest-password-00").Ping(ctx).Err()
			if refused := err != nil && strings.HasPrefix(err.Error(), "WRONGPASS"); refused != leaving {
				t.Errorf("round %d: guest at %s: %v", round, id, err)
			}
		}
		allowed(t, s.redis(after.primary, "worker", next).Set(ctx, "round", round, 0))
	}
}

func (s *server) userActive(id string) {
	s.t.Helper()
	s.await("user "+id+" to be active", func() error {
		out, err := s.api().DescribeUsers(s.t.Context(), &elasticache.DescribeUsersInput{UserId: &id})
		if err != nil {
			return err
		}
		if status := aws.ToString(out.Users[0].Status); status != "active" {
			return fmt.Errorf("it is %s", status)
		}
		return nil
	})
}

// TestFailoverRefusals checks the errors of TestFailover and of changes of the
// number of replicas, as the SDK decodes them.
func TestFailoverRefusals(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	s.createCache("single", nil)
	s.createCache("orders", withReplicas(1, firstToken))
	failover := func(id, shard string) error {
		_, err := s.api().TestFailover(ctx, &elasticache.TestFailoverInput{ReplicationGroupId: &id, NodeGroupId: &shard})
		return err
	}
	count := func(id string, replicas int32) error {
		_, err := s.api().IncreaseReplicaCount(ctx, &elasticache.IncreaseReplicaCountInput{ReplicationGroupId: &id, NewReplicaCount: &replicas, ApplyImmediately: aws.Bool(true)})
		return err
	}
	_, last := s.api().DecreaseReplicaCount(ctx, &elasticache.DecreaseReplicaCountInput{ReplicationGroupId: aws.String("orders"), NewReplicaCount: aws.Int32(0), ApplyImmediately: aws.Bool(true)})
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"no replicas", failover("single", "0001"), (&types.TestFailoverNotAvailableFault{}).ErrorCode()},
		{"no such shard", failover("orders", "0002"), (&types.NodeGroupNotFoundFault{}).ErrorCode()},
		{"no such cache", failover("nothing", "0001"), (&types.ReplicationGroupNotFoundFault{}).ErrorCode()},
		{"as many as there are", count("orders", 1), (&types.NoOperationFault{}).ErrorCode()},
		{"too many", count("orders", 6), "InvalidParameterValue"},
		{"fewer than automatic failover needs", last, "InvalidParameterCombination"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, c.err, c.want)
		}
	}
}
