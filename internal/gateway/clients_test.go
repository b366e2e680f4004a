package gateway_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/valkey-io/valkey-go"

	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
)

func clientTLS() *tls.Config { return &tls.Config{RootCAs: roots, ServerName: "localhost"} }

func TestGoRedis(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, protocol := range []int{2, 3} {
			c := redis.NewClient(&redis.Options{
				Addr: r.cache.Nodes[0].Listen, Username: "alice", Password: alicePassword, TLSConfig: clientTLS(), Protocol: protocol, ClientName: "app",
			})
			defer func() { _ = c.Close() }()
			if err := c.Set(ctx, "k", "v", time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			err := c.Watch(ctx, func(tx *redis.Tx) error {
				_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error { p.Incr(ctx, "n"); p.Get(ctx, "k"); return nil })
				return err
			}, "n")
			if err != nil {
				t.Fatal(err)
			}
			sub := c.Subscribe(ctx, "news")
			if _, err := sub.Receive(ctx); err != nil {
				t.Fatal(err)
			}
			c.Publish(ctx, "news", "hello")
			if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "hello" {
				t.Fatalf("%v, %v", m, err)
			}
			_ = sub.Close()
			c.RPush(ctx, "l", "x")
			if got, err := c.BLPop(ctx, time.Second, "l").Result(); err != nil || got[1] != "x" {
				t.Fatalf("%v, %v", got, err)
			}
			if got, err := redis.NewScript("return KEYS[1]").Run(ctx, c, []string{"key"}).Text(); err != nil || got != "key" {
				t.Fatalf("%q, %v", got, err)
			}
			if _, err := c.ACLLog(ctx, 5).Result(); err != nil {
				t.Fatalf("ACL LOG: %v", err)
			}
			if info, err := c.ClientInfo(ctx).Result(); err != nil || info.User != "alice" || info.Name != "app" {
				t.Fatalf("CLIENT INFO: %+v, %v", info, err)
			}
		}
		wrong := redis.NewClient(&redis.Options{Addr: r.cache.Nodes[0].Listen, Username: "alice", Password: "wrong", TLSConfig: clientTLS(), MaxRetries: -1})
		defer func() { _ = wrong.Close() }()
		if err := wrong.Ping(ctx).Err(); err == nil || !strings.HasPrefix(err.Error(), "WRONGPASS") {
			t.Errorf("a wrong password: %v", err)
		}
	})
}

func TestValkeyGo(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err := valkey.NewClient(valkey.ClientOption{
			InitAddress: []string{r.cache.Nodes[0].Listen}, Username: "alice", Password: alicePassword, TLSConfig: clientTLS(), ForceSingleClient: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		get := func() string {
			text, err := c.DoCache(ctx, c.B().Get().Key("k").Cache(), time.Minute).ToString()
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		for _, value := range []string{"one", "two"} { // the second is seen because the first is invalidated
			if err := c.Do(ctx, c.B().Set().Key("k").Value(value).Build()).Error(); err != nil {
				t.Fatal(err)
			}
			for got := get(); got != value; got = get() {
				if ctx.Err() != nil {
					t.Fatalf("the client still has %q", got)
				}
			}
		}
	})
}

func TestCommandLineClient(t *testing.T) {
	program := enginetest.Installed(t, "valkey-cli")
	r := alone(t, nil)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(r.cache.Nodes[0].Listen)
	if err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{{"-2"}, {"-3"}} {
		command := exec.Command(program, append(flags, "--tls", "--cacert", ca, "-h", "localhost", "-p", port, "--user", "alice", "ACL", "WHOAMI")...)
		command.Env = append(os.Environ(), "REDISCLI_AUTH="+alicePassword, "VALKEYCLI_AUTH="+alicePassword)
		out, err := command.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "alice" {
			t.Errorf("%v: %q, %v", flags, out, err)
		}
	}
}
