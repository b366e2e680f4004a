package endtoend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/redis/go-redis/v9"
)

// TestRedisBecomesValkeyAndKeepsTheData upgrades a single node, and a group
// with replicas under a client that writes all the time.
func TestRedisBecomesValkeyAndKeepsTheData(t *testing.T) {
	for _, replicas := range []int32{0, 2} {
		t.Run(fmt.Sprintf("%d replicas", replicas), func(t *testing.T) {
			s := serve(t)
			s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) {
				withReplicas(replicas, firstToken)(in)
				in.AutomaticFailoverEnabled, in.MultiAZEnabled = aws.Bool(replicas > 0), aws.Bool(replicas > 0)
				in.Engine, in.EngineVersion = aws.String("redis"), aws.String("7.1")
			})
			before := s.members("orders")
			ctx := t.Context()
			client := s.redis(before.primary, "", firstToken)
			allowed(t, client.HSet(ctx, "hash", "field", "value"))
			allowed(t, client.XAdd(ctx, &redis.XAddArgs{Stream: "stream", Values: []string{"field", "value"}}))
			w := s.write(before.primary, firstToken)
			<-w.began
			s.modify(&elasticache.ModifyReplicationGroupInput{
				ReplicationGroupId: aws.String("orders"), Engine: aws.String("valkey"), EngineVersion: aws.String("8.0"), ApplyImmediately: aws.Bool(true),
			})
			w.end()
			t.Logf("%d writes were acknowledged and %d failed", w.acknowledged, w.failures)
			after := s.members("orders")
			if after.primary != before.primary || after.reader != before.reader {
				t.Errorf("the endpoints changed from %+v to %+v", before, after)
			}
			for id, address := range after.nodes {
				client := s.redis(address, "", firstToken)
				if info := client.Info(ctx, "server").Val(); !strings.Contains(info, "valkey_version:") {
					t.Errorf("%s does not run valkey", id)
				}
				if got, err := client.HGet(ctx, "hash", "field").Result(); err != nil || got != "value" {
					t.Errorf("%s reads %q, %v", id, got, err)
				}
				if n, err := client.XLen(ctx, "stream").Result(); err != nil || n != 1 {
					t.Errorf("%s has a stream of %d, %v", id, n, err)
				}
			}
			if got, err := s.redis(after.primary, "", firstToken).Get(ctx, "number").Int(); err != nil || got < w.acknowledged {
				t.Errorf("the primary has %d (%v), but %d was acknowledged", got, err, w.acknowledged)
			}
		})
	}
}

// plainly is a client without TLS.
func (s *server) plainly(address string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, DialTimeout: soon, ReadTimeout: soon, PoolSize: 1})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestEncryptionInTransitIsIntroducedInTwoSteps goes from plaintext to TLS as
// AWS has it, with replicas, and watches who gets in.
func TestEncryptionInTransitIsIntroducedInTwoSteps(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) {
		in.TransitEncryptionEnabled, in.NumCacheClusters = aws.Bool(false), aws.Int32(2)
	})
	ctx := t.Context()
	old := s.plainly(address)
	allowed(t, old.Set(ctx, "time", "now", 0))
	step := func(mode types.TransitEncryptionMode) {
		t.Helper()
		s.modify(&elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: aws.String("orders"), TransitEncryptionEnabled: aws.Bool(true), TransitEncryptionMode: mode, ApplyImmediately: aws.Bool(true),
		})
	}
	if err := s.redis(address, "", "").Ping(ctx).Err(); err == nil {
		t.Error("a plaintext cache took a client with TLS")
	}
	step(types.TransitEncryptionModePreferred)
	allowed(t, old.Get(ctx, "time"))
	allowed(t, s.plainly(address).Get(ctx, "time"))
	allowed(t, s.redis(address, "", "").Get(ctx, "time"))
	step(types.TransitEncryptionModeRequired)
	for name, client := range map[string]*redis.Client{"the old one": old, "a new one": s.plainly(address)} {
		if err := client.Ping(ctx).Err(); err == nil {
			t.Errorf("%s of the clients without TLS gets in", name)
		}
	}
	client := s.redis(address, "", "")
	allowed(t, client.Get(ctx, "time"))
	if n, err := client.Wait(ctx, 1, 10*time.Second).Result(); err != nil || n != 1 {
		t.Errorf("WAIT 1 answers %d, %v", n, err)
	}
	g := s.members("orders")
	refusedWith(t, "READONLY", s.redis(g.reader, "", "").Set(ctx, "x", "y", 0))
}
