package endtoend

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/redis/go-redis/v9"
)

// loadKeys numbers the keys of all loads.
var loadKeys atomic.Int64

// load is clients that work without a pause on connections that they keep.
type load struct {
	t     *testing.T
	stop  context.CancelFunc
	wait  sync.WaitGroup
	done  atomic.Int64
	first atomic.Pointer[string] // the first command that was lost
}

// under starts clients, each on one connection for its whole life: a command
// that fails, or a connection that had to be made anew, is a loss.
func (s *server) under(address, user, password string, clients int) *load {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &load{t: s.t, stop: stop}
	for i := range clients {
		var dials atomic.Int64
		key := fmt.Sprintf("load:%d", loadKeys.Add(1)) // of this client alone
		c := redis.NewClient(&redis.Options{
			Addr: address, Username: user, Password: password, TLSConfig: s.tls(), PoolSize: 1, MaxRetries: -1,
			ReadTimeout: soon, DialTimeout: soon,
			OnConnect: func(context.Context, *redis.Conn) error { dials.Add(1); return nil },
		})
		l.wait.Go(func() {
			defer func() { _ = c.Close() }()
			for n := 0; ctx.Err() == nil; n++ {
				value := fmt.Sprintf("%d-%d", i, n)
				err := c.Set(context.Background(), key, value, 0).Err()
				if err == nil {
					var got string
					if got, err = c.Get(context.Background(), key).Result(); err == nil && got != value {
						err = fmt.Errorf("read %q, wrote %q", got, value)
					}
				}
				if err == nil && dials.Load() > 1 {
					err = fmt.Errorf("the connection was made anew")
				}
				if err != nil {
					text := fmt.Sprintf("client %d as %q, command %d: %v", i, user, n, err)
					l.first.CompareAndSwap(nil, &text)
					return
				}
				l.done.Add(1)
			}
		})
	}
	s.await("the load to begin", func() error {
		if l.done.Load() < int64(clients) && l.first.Load() == nil {
			return fmt.Errorf("%d rounds so far", l.done.Load())
		}
		return nil
	})
	return l
}

// intact checks that nothing was lost so far.
func (l *load) intact(when string) {
	l.t.Helper()
	if lost := l.first.Load(); lost != nil {
		l.t.Errorf("%s: lost: %s", when, *lost)
	}
}

func (l *load) end() {
	l.stop()
	l.wait.Wait()
}

const (
	tokenA = "This-is-the-first-token-A"
	tokenB = "This-is-the-second-token-B"
	tokenC = "This-is-the-third-token-C"
)

func (s *server) accepts(address, token string) {
	s.t.Helper()
	allowed(s.t, s.redis(address, "", token).Ping(s.t.Context()))
}

func (s *server) refuses(address, token string) {
	s.t.Helper()
	refusedWith(s.t, "WRONGPASS", s.redis(address, "", token).Ping(s.t.Context()))
}

func TestRotationLosesNoCommand(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", nil)
	const clients = 4

	s.rotate("orders", tokenA, "ROTATE") // NONE → OPT1
	withA := s.under(address, "", tokenA, clients)
	defer withA.end()
	s.accepts(address, "")
	s.rotate("orders", tokenA, "SET") // → REQ1
	withA.intact("SET of the token in use")
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(t.Context()))

	s.rotate("orders", tokenB, "ROTATE") // → REQ2
	withB := s.under(address, "default", tokenB, clients)
	defer withB.end()
	s.accepts(address, tokenA)
	s.rotate("orders", tokenB, "SET") // → REQ1: A is no longer accepted, its sessions go on
	s.refuses(address, tokenA)
	s.accepts(address, tokenB)
	withA.intact("SET of another token")
	withB.intact("SET of the token in use")

	s.rotate("orders", tokenC, "ROTATE")
	s.rotate("orders", tokenA, "ROTATE") // {C, A}: B dropped
	s.refuses(address, tokenB)
	s.accepts(address, tokenC)
	s.accepts(address, tokenA)
	withA.intact("two more rotations")
	withB.intact("two more rotations")
}

func TestFromTokenToUsersAndBackLosesNoCommand(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.AuthToken = aws.String(tokenA) })
	s.createUser("old-default", "default", "on ~* +@all", tokenA)
	s.createUser("alice", "alice", "on ~* +@all", "alice-password-123")
	s.createGroup("team", "old-default", "alice")
	withToken := s.under(address, "", tokenA, 4)
	defer withToken.end()

	s.modify(&elasticache.ModifyReplicationGroupInput{ // AUTH → RBAC, in one call
		ReplicationGroupId: aws.String("orders"), UserGroupIdsToAdd: []string{"team"},
		AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyTypeDelete,
	})
	withToken.intact("AUTH → RBAC with the token as default's password")
	s.accepts(address, tokenA)
	alice := s.under(address, "alice", "alice-password-123", 2)
	defer alice.end()

	s.modify(&elasticache.ModifyReplicationGroupInput{ // RBAC → AUTH
		ReplicationGroupId: aws.String("orders"), RemoveUserGroups: aws.Bool(true), ApplyImmediately: aws.Bool(true),
		AuthToken: aws.String(tokenB), AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyTypeRotate,
	})
	s.await("the detached group's sessions to end", func() error {
		if alice.first.Load() == nil || withToken.first.Load() == nil {
			return fmt.Errorf("they go on")
		}
		return nil
	})
	optional := s.under(address, "", tokenB, 4)
	defer optional.end()
	s.rotate("orders", tokenB, "SET")
	optional.intact("SET after RBAC → AUTH")
	refusedWith(t, "WRONGPASS", s.redis(address, "alice", "alice-password-123").Ping(t.Context()))
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(t.Context()))
}

func TestAnonymousSessionsEndWhereUsersBegin(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", nil)
	s.createUser("old-default", "default", "on ~* +@all", tokenA)
	s.createGroup("team", "old-default")
	stranger := s.redis(address, "", "")
	allowed(t, stranger.Ping(t.Context()))
	s.modify(&elasticache.ModifyReplicationGroupInput{ReplicationGroupId: aws.String("orders"), UserGroupIdsToAdd: []string{"team"}})
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("a session that never logged in goes on as the group's default user")
	}
}

func TestAccessStringsHoldFromTheNextCommand(t *testing.T) {
	s := serve(t)
	s.createUser("alice", "alice", "on ~* +@all", "alice-password-123")
	s.createGroup("team", "alice")
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
	c := s.redis(address, "alice", "alice-password-123")
	id, err := c.ClientID(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	s.modifyUser(&elasticache.ModifyUserInput{UserId: aws.String("alice"), AccessString: aws.String("on ~cart:* -@all +get +client|id")})
	refusedWith(t, "NOPERM", c.Set(t.Context(), "cart:1", "x", 0))
	refusedWith(t, "NOPERM", c.Get(t.Context(), "other"))
	s.modifyUser(&elasticache.ModifyUserInput{UserId: aws.String("alice"), Passwords: []string{"another-password-1"}})
	if again, err := c.ClientID(t.Context()).Result(); err != nil || again != id {
		t.Errorf("the session did not go on: client id %d, then %d (%v)", id, again, err)
	}
	refusedWith(t, "WRONGPASS", s.redis(address, "alice", "alice-password-123").Ping(t.Context()))
}

func (s *server) modifyUser(in *elasticache.ModifyUserInput) {
	s.t.Helper()
	must[*elasticache.ModifyUserOutput](s.t)(s.api().ModifyUser(s.t.Context(), in))
	began := time.Now()
	s.await("user "+*in.UserId+" to be active", func() error {
		out, err := s.api().DescribeUsers(s.t.Context(), &elasticache.DescribeUsersInput{UserId: in.UserId})
		if err != nil {
			return err
		}
		if status := aws.ToString(out.Users[0].Status); status != "active" {
			return fmt.Errorf("it is %s after %v", status, time.Since(began))
		}
		return nil
	})
}
