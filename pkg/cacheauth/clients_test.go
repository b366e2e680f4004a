package cacheauth_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/redis/go-redis/v9"
	"github.com/valkey-io/valkey-go"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
	"github.com/gatehouse/gatehouse/pkg/cacheauth/goredisauth"
	"github.com/gatehouse/gatehouse/pkg/cacheauth/valkeyauth"
)

func newProvider(t *testing.T, fallback bool) *cacheauth.Provider {
	t.Helper()
	c := cacheauth.Config{
		Cache: "Orders", User: "App", Region: "us-east-1", Logger: slog.New(slog.DiscardHandler),
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secretText, ""),
	}
	if fallback {
		c.Fallback = func(context.Context) (string, string, error) { return "default", password, nil }
	}
	p, err := cacheauth.NewProvider(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// underLoad runs do from several goroutines until enough has happened, and
// returns how many calls succeeded. No call may fail.
func underLoad(t *testing.T, do func(context.Context) error, enough func() bool) int64 {
	t.Helper()
	var done, calls atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for done.Load() == 0 {
				if err := do(context.Background()); err != nil {
					t.Errorf("a command failed: %v", err)
					return
				}
				calls.Add(1)
			}
		})
	}
	if !enough() {
		t.Error("nothing was renewed in time")
	}
	done.Store(1)
	wait.Wait()
	return calls.Load()
}

func TestGoRedisRenewsUnderLoad(t *testing.T) {
	f := startFront(t)
	provider := newProvider(t, false)
	provider.RenewEvery(100 * time.Millisecond)
	streaming := goredisauth.New(provider)
	client := redis.NewClient(&redis.Options{Addr: f.address, StreamingCredentialsProvider: streaming, PoolSize: 4, MaxRetries: -1})
	defer func() {
		_ = client.Close()
		_ = streaming.Close()
	}()
	ctx := context.Background()
	calls := underLoad(t, func(ctx context.Context) error { return client.Incr(ctx, "n").Err() }, func() bool { return f.await(20) })
	if n, err := client.Get(ctx, "n").Int64(); err != nil || n != calls {
		t.Errorf("%d increments were counted as %d (%v)", calls, n, err)
	}
	if refused, _ := f.counts("refused"); refused != 0 {
		t.Errorf("%d logins were refused", refused)
	}
}

func TestGoRedisSignsForEveryConnection(t *testing.T) {
	f := startFront(t)
	provider := newProvider(t, false)
	client := redis.NewClient(&redis.Options{Addr: f.address, CredentialsProviderContext: provider.Credentials})
	defer func() { _ = client.Close() }()
	for range 3 {
		if err := client.Ping(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
		f.drop()
	}
	if logins, _ := f.counts("iam"); logins < 3 {
		t.Errorf("%d logins for three connections", logins)
	}
}

func TestGoRedisFallsBack(t *testing.T) {
	f := startFront(t)
	f.setRefuseIAM(true)
	provider := newProvider(t, true)
	streaming := goredisauth.New(provider)
	client := redis.NewClient(&redis.Options{Addr: f.address, StreamingCredentialsProvider: streaming})
	client.AddHook(streaming.Hook())
	defer func() {
		_ = client.Close()
		_ = streaming.Close()
	}()
	ctx := context.Background()
	if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Errorf("a command was lost: %v", err)
	}
	f.drop()
	if _, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "n")
		p.Incr(ctx, "n")
		return nil
	}); err != nil {
		t.Errorf("a pipeline was lost: %v", err)
	}
	if n, err := client.Get(ctx, "n").Int(); err != nil || n != 2 {
		t.Errorf("the pipeline was executed %d times half (%v)", n, err)
	}
	if logins, _ := f.counts("password"); logins == 0 {
		t.Error("nobody logged in with the password")
	}
}

func TestValkeyGoRenewsUnderLoad(t *testing.T) {
	f := startFront(t)
	provider := newProvider(t, false)
	provider.RenewEvery(100 * time.Millisecond)
	client, err := valkeyauth.NewClient(context.Background(), provider, valkey.ClientOption{InitAddress: []string{f.address}, ForceSingleClient: true, DisableRetry: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	calls := underLoad(t, func(ctx context.Context) error {
		return client.Do(ctx, client.B().Incr().Key("n").Build()).Error()
	}, func() bool { return f.await(20) })
	if n, err := client.Do(ctx, client.B().Get().Key("n").Build()).AsInt64(); err != nil || n != calls {
		t.Errorf("%d increments were counted as %d (%v)", calls, n, err)
	}
	if refused, _ := f.counts("refused"); refused != 0 {
		t.Errorf("%d logins were refused", refused)
	}
}

func TestValkeyGoFallsBack(t *testing.T) {
	f := startFront(t)
	f.setRefuseIAM(true)
	option := valkey.ClientOption{InitAddress: []string{f.address}, ForceSingleClient: true}
	if _, err := valkeyauth.NewClient(context.Background(), newProvider(t, false), option); err == nil {
		t.Error("connected without a login")
	}
	client, err := valkeyauth.NewClient(context.Background(), newProvider(t, true), option)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Do(context.Background(), client.B().Ping().Build()).Error(); err != nil {
		t.Error(err)
	}
	if logins, _ := f.counts("password"); logins == 0 {
		t.Error("nobody logged in with the password")
	}
}
