package endtoend

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/redis/go-redis/v9"
	"github.com/valkey-io/valkey-go"
)

func (s *server) redis(address, user, password string) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: address, Username: user, Password: password, TLSConfig: s.tls(),
		MaxRetries: -1, DialTimeout: soon, ReadTimeout: soon, PoolSize: 1,
	})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// refusedWith checks that a command's error begins with text.
func refusedWith(t *testing.T, text string, cmd redis.Cmder) {
	t.Helper()
	if err := cmd.Err(); err == nil || !strings.HasPrefix(err.Error(), text) {
		t.Errorf("%v: got %v, want %s …", cmd.Args(), err, text)
	}
}

func allowed(t *testing.T, cmd redis.Cmder) {
	t.Helper()
	if err := cmd.Err(); err != nil {
		t.Errorf("%v: %v", cmd.Args(), err)
	}
}

func TestClientsSeeExactlyWhatTheirCredentialsAllow(t *testing.T) {
	s := serve(t)
	if s.started > 2*time.Second {
		t.Errorf("serve was ready after %v, want under two seconds", s.started)
	}
	s.createUser("producer", "producer", "on ~time* -@all +set +ping +client|setinfo +hello", "producer-password-1")
	s.createUser("consumer", "consumer", "on ~time* -@all +get +ping +client|setinfo +hello", "consumer-password-1")
	s.createGroup("team", "producer", "consumer")
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
	ctx := t.Context()

	producer, consumer := s.redis(address, "producer", "producer-password-1"), s.redis(address, "consumer", "consumer-password-1")
	allowed(t, producer.Set(ctx, "time", "now", 0))
	refusedWith(t, "NOPERM", producer.Get(ctx, "time"))
	if got, err := consumer.Get(ctx, "time").Result(); err != nil || got != "now" {
		t.Errorf("the consumer reads %q, %v", got, err)
	}
	refusedWith(t, "NOPERM", consumer.Set(ctx, "time", "x", 0))
	refusedWith(t, "NOPERM", consumer.Get(ctx, "other"))
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(ctx))
	refusedWith(t, "WRONGPASS", s.redis(address, "producer", "consumer-password-1").Ping(ctx))
	refusedWith(t, "WRONGPASS", s.redis(address, "nobody", "consumer-password-1").Ping(ctx))

	native, err := valkey.NewClient(valkey.ClientOption{
		InitAddress: []string{address}, Username: "producer", Password: "producer-password-1",
		TLSConfig: s.tls(), DisableCache: true, ForceSingleClient: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer native.Close()
	if err := native.Do(ctx, native.B().Set().Key("time").Value("later").Build()).Error(); err != nil {
		t.Errorf("valkey-go: %v", err)
	}
	s.trailTells(t)
}

// trailTells checks that the trail explains what clients were not told.
func (s *server) trailTells(t *testing.T) {
	t.Helper()
	out, err := s.gatehouse("", "trail", "--event", "login.refused", "--output", "json")
	if err != nil {
		t.Fatal(err, out)
	}
	if !strings.Contains(out, `"user": "producer"`) || !strings.Contains(out, `"reason"`) {
		t.Errorf("the trail does not explain the refusals:\n%s", out)
	}
	if strings.Contains(out, "consumer-password-1") {
		t.Error("the trail holds a password")
	}
}

func TestRemovingAUserEndsItsSessionsWithinASecond(t *testing.T) {
	s := serve(t)
	s.createUser("alice", "alice", "on ~* +@all", "alice-password-123")
	s.createUser("bob", "bob", "on ~* +@all", "bob-password-12345")
	s.createGroup("team", "alice", "bob")
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
	ctx := t.Context()
	blocked, subscribed := s.redis(address, "bob", "bob-password-12345"), s.redis(address, "bob", "bob-password-12345")
	stays := s.redis(address, "alice", "alice-password-123")
	allowed(t, stays.Ping(ctx))
	blockedEnd := make(chan time.Time, 1)
	go func() {
		_ = blocked.BLPop(ctx, time.Minute, "nothing").Err()
		blockedEnd <- time.Now()
	}()
	channel := subscribed.Subscribe(ctx, "news")
	t.Cleanup(func() { _ = channel.Close() })
	if _, err := channel.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	subscribedEnd := make(chan time.Time, 1)
	go func() {
		_, _ = channel.Receive(ctx)
		subscribedEnd <- time.Now()
	}()
	s.await("bob to be blocked", func() error {
		out, err := stays.Do(ctx, "CLIENT", "LIST").Text()
		if err != nil || !strings.Contains(out, "cmd=blpop") {
			return errors.New("not yet")
		}
		return nil
	})
	must[*elasticache.ModifyUserGroupOutput](t)(s.api().ModifyUserGroup(ctx, &elasticache.ModifyUserGroupInput{
		UserGroupId: aws.String("team"), UserIdsToRemove: []string{"bob"},
	}))
	s.groupActive("team")
	active := time.Now()
	for name, end := range map[string]chan time.Time{"blocked": blockedEnd, "subscribed": subscribedEnd} {
		select {
		case at := <-end:
			if late := at.Sub(active); late > time.Second {
				t.Errorf("the %s session ended %v after the change took effect", name, late)
			}
		case <-time.After(soon):
			t.Errorf("the %s session goes on", name)
		}
	}
	refusedWith(t, "WRONGPASS", s.redis(address, "bob", "bob-password-12345").Ping(ctx))
	allowed(t, stays.Ping(ctx))
}

func TestEverythingIsFoundAgain(t *testing.T) {
	for name, end := range map[string]func(*server){"after a clean stop": (*server).stop, "after a hard kill": (*server).kill} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.createUser("alice", "alice", "on ~* +@all", "alice-password-123")
			s.createGroup("team", "alice")
			withGroup := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
			withToken := s.createCache("carts", func(in *elasticache.CreateReplicationGroupInput) {
				in.Engine, in.AuthToken = aws.String("redis"), aws.String("a-token-of-sixteen")
			})
			ctx := t.Context()
			allowed(t, s.redis(withGroup, "alice", "alice-password-123").Set(ctx, "k", "kept", 0))
			allowed(t, s.redis(withToken, "", "a-token-of-sixteen").Set(ctx, "k", "kept too", 0))
			end(s)
			s.start()
			if s.started > 2*time.Second && name == "after a clean stop" {
				t.Errorf("serve was ready after %v, want under two seconds", s.started)
			}
			for address, c := range map[string]*redis.Client{
				s.available("orders"): s.redis(withGroup, "alice", "alice-password-123"),
				s.available("carts"):  s.redis(withToken, "", "a-token-of-sixteen"),
			} {
				if address != c.Options().Addr {
					t.Errorf("the address changed from %s to %s", c.Options().Addr, address)
				}
				if got, err := c.Get(ctx, "k").Result(); err != nil || !strings.HasPrefix(got, "kept") {
					t.Errorf("%s: found %q, %v", address, got, err)
				}
			}
			refusedWith(t, "WRONGPASS", s.redis(withToken, "", "another-token-of-16").Ping(ctx))
		})
	}
}

func TestHealthAndMetrics(t *testing.T) {
	s := serve(t)
	s.createCache("orders", nil)
	if status, body := s.get("/readyz", ""); status != http.StatusOK || !strings.Contains(body, `"ready":true`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, _ := s.get("/metrics", ""); status != http.StatusUnauthorized {
		t.Errorf("/metrics without a token: %d", status)
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "scrape-token"))
	if err != nil {
		t.Fatal(err)
	}
	status, body := s.get("/metrics", "Bearer "+strings.TrimSpace(string(token)))
	if status != http.StatusOK || !strings.Contains(body, `gatehouse_anonymous_allowed{cache="orders",token="none"} 1`) {
		t.Errorf("/metrics: %d %s", status, body)
	}
}

func TestOptionalTokensAreLoud(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", nil)
	stranger := s.redis(address, "", "")
	allowed(t, stranger.Ping(t.Context()))
	s.rotate("orders", "a-token-of-sixteen", "ROTATE")
	out, err := s.gatehouse("", "sessions")
	if err != nil || !strings.Contains(out, "orders still lets anonymous clients in") || !strings.Contains(out, "(1 connected without it now)") || !strings.Contains(out, "anonymous") {
		t.Errorf("sessions: %v\n%s", err, out)
	}
	allowed(t, stranger.Ping(t.Context())) // the change did not touch it
	s.rotate("orders", "a-token-of-sixteen", "SET")
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("after SET an anonymous session goes on")
	}
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(t.Context()))
	if out, err := s.gatehouse("", "sessions"); err != nil || strings.Contains(out, "warning") {
		t.Errorf("after SET sessions still warns: %v\n%s", err, out)
	}
}

func (s *server) rotate(id, token, strategy string) {
	s.t.Helper()
	in := &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: &id, AuthToken: &token, ApplyImmediately: aws.Bool(true),
		AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyType(strategy),
	}
	s.modify(in)
}

func TestAnotherServerIsKeptOut(t *testing.T) {
	s := serve(t)
	out, err := s.gatehouse("", "serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0")
	if err == nil || !strings.Contains(out, "in use by another server") {
		t.Errorf("a second server on the same data: %v\n%s", err, out)
	}
	if status, _ := s.get("/healthz", ""); status != http.StatusOK {
		t.Error("the first server was disturbed")
	}
}
