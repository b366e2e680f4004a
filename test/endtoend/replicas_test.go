package endtoend

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/redis/go-redis/v9"
)

const firstToken, secondToken = "This-is-token-number-1", "This-is-token-number-2"

// group is a replication group as the API describes it.
type group struct {
	primary, reader string
	leader          string            // ClusterID of the primary
	nodes           map[string]string // addresses of the nodes by ClusterID
}

// members waits until a cache is available and returns its endpoints.
func (s *server) members(id string) group {
	s.t.Helper()
	s.available(id)
	rg := must[*types.ReplicationGroup](s.t)(s.describe(id))
	at := func(e *types.Endpoint) string {
		return net.JoinHostPort(aws.ToString(e.Address), strconv.Itoa(int(aws.ToInt32(e.Port))))
	}
	shard := rg.NodeGroups[0]
	g := group{primary: at(shard.PrimaryEndpoint), reader: at(shard.ReaderEndpoint), nodes: map[string]string{}}
	for _, m := range shard.NodeGroupMembers {
		g.nodes[aws.ToString(m.CacheClusterId)] = at(m.ReadEndpoint)
		if aws.ToString(m.CurrentRole) == "primary" {
			g.leader = aws.ToString(m.CacheClusterId)
		}
	}
	return g
}

func withReplicas(replicas int32, token string) func(*elasticache.CreateReplicationGroupInput) {
	return func(in *elasticache.CreateReplicationGroupInput) {
		in.NumCacheClusters, in.NumNodeGroups, in.ReplicasPerNodeGroup = nil, aws.Int32(1), aws.Int32(replicas)
		in.AutomaticFailoverEnabled, in.MultiAZEnabled, in.AuthToken = aws.Bool(true), aws.Bool(true), &token
	}
}

// enginePID finds the process of a node's engine.
func (s *server) enginePID(clusterID string) int {
	s.t.Helper()
	var found int
	s.await("the engine of "+clusterID, func() error {
		files, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			return err
		}
		for _, file := range files {
			title, err := os.ReadFile(file)
			if err != nil || !bytes.Contains(title, []byte("gatehouse "+clusterID)) {
				continue
			}
			dir, err := os.Readlink(filepath.Join(filepath.Dir(file), "cwd"))
			if err == nil && strings.HasPrefix(dir, s.dir) {
				found, err = strconv.Atoi(filepath.Base(filepath.Dir(file)))
				return err
			}
		}
		return fmt.Errorf("no process")
	})
	return found
}

func TestReplicasReplicateAndNameGatehousesAddresses(t *testing.T) {
	for _, engine := range []string{"valkey", "redis"} {
		t.Run(engine, func(t *testing.T) {
			s := serve(t)
			s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) {
				withReplicas(2, firstToken)(in)
				in.Engine = &engine
			})
			g := s.members("orders")
			if len(g.nodes) != 3 || g.leader != "orders-001" || g.primary == g.reader || slices.Contains([]string{g.primary, g.reader}, g.nodes["orders-001"]) {
				t.Fatalf("endpoints %+v, want three nodes led by orders-001, and endpoints by role of their own", g)
			}
			ctx := t.Context()
			primary := s.redis(g.primary, "", firstToken)
			allowed(t, primary.Set(ctx, "time", "now", 0))
			if n, err := primary.Wait(ctx, 2, soon).Result(); err != nil || n != 2 {
				t.Errorf("WAIT 2 answers %d, %v", n, err)
			}
			for _, address := range []string{g.reader, g.nodes["orders-002"], g.nodes["orders-003"]} {
				replica := s.redis(address, "", firstToken)
				if got, err := replica.Get(ctx, "time").Result(); err != nil || got != "now" {
					t.Errorf("%s reads %q, %v", address, got, err)
				}
				refusedWith(t, "READONLY", replica.Set(ctx, "time", "x", 0))
				refusedWith(t, "WRONGPASS", s.redis(address, "", secondToken).Ping(ctx))
				refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(ctx))
				namesOnlyEndpoints(t, replica, g)
			}
			namesOnlyEndpoints(t, primary, g)
		})
	}
}

// namesOnlyEndpoints checks what a node says of its peers, in INFO, in ROLE and
// from a script.
func namesOnlyEndpoints(t *testing.T, client *redis.Client, g group) {
	t.Helper()
	var known []string
	for _, address := range g.nodes {
		_, port, _ := net.SplitHostPort(address)
		known = append(known, port)
	}
	ctx := context.Background()
	info := client.Info(ctx, "replication").Val()
	scripted, err := client.Eval(ctx, "return redis.call('INFO', 'replication')", nil).Text()
	if err != nil {
		t.Errorf("INFO from a script: %v", err)
	}
	ports := 0
	for line := range strings.Lines(info + scripted) {
		line = strings.TrimSpace(line)
		port, is := strings.CutPrefix(line, "master_port:")
		if _, rest, found := strings.Cut(line, ",port="); found && strings.HasPrefix(line, "slave") {
			port, _, is = strings.Cut(rest, ",")
		}
		if is {
			ports++
			if !slices.Contains(known, port) {
				t.Errorf("INFO replication says %q, want one of the ports %v", line, known)
			}
		}
	}
	if ports == 0 {
		t.Errorf("INFO replication names no peer:\n%s", info)
	}
	role, err := client.Do(ctx, "ROLE").Slice()
	if err != nil {
		t.Fatalf("ROLE: %v", err)
	}
	if role[0] == "slave" && !slices.Contains(known, fmt.Sprint(role[2])) {
		t.Errorf("ROLE says %v, want one of the ports %v", role, known)
	}
	if server := client.Info(ctx, "server").Val(); !strings.Contains(server, "tcp_port:0\r\n") {
		t.Error("the engine has a port of its own")
	}
}

// writer writes numbers until it is stopped, reconnecting when it must, and
// remembers the last one that was acknowledged.
type writer struct {
	acknowledged int
	failures     int
	began        chan struct{} // closed at the first acknowledgement
	stop         chan struct{}
	done         chan struct{}
}

func (s *server) write(address, token string) *writer {
	w := &writer{began: make(chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	client := s.redis(address, "", token)
	go func() {
		defer close(w.done)
		for i := 1; ; i++ {
			select {
			case <-w.stop:
				return
			default:
			}
			if err := client.Set(context.Background(), "number", i, 0).Err(); err != nil {
				w.failures++
				time.Sleep(poll) // as clients do before they connect again
				continue
			}
			if w.acknowledged == 0 {
				close(w.began)
			}
			w.acknowledged = i
		}
	}()
	return w
}

func (w *writer) end() {
	close(w.stop)
	<-w.done
}

func TestFailoverThatIsAskedForLosesNothing(t *testing.T) {
	s := serve(t)
	s.createCache("orders", withReplicas(2, firstToken))
	before := s.members("orders")
	w := s.write(before.primary, firstToken)
	<-w.began
	must[*elasticache.TestFailoverOutput](t)(s.api().TestFailover(t.Context(), &elasticache.TestFailoverInput{
		ReplicationGroupId: aws.String("orders"), NodeGroupId: aws.String("0001"),
	}))
	after := s.members("orders")
	w.end()
	t.Logf("%d writes were acknowledged and %d failed", w.acknowledged, w.failures)
	if after.leader == before.leader {
		t.Fatalf("%s is the primary still", after.leader)
	}
	if after.primary != before.primary || after.reader != before.reader {
		t.Errorf("the endpoints changed from %+v to %+v", before, after)
	}
	got, err := s.redis(after.primary, "", firstToken).Get(t.Context(), "number").Int()
	if err != nil || got < w.acknowledged {
		t.Errorf("the new primary has %d (%v), but %d was acknowledged", got, err, w.acknowledged)
	}
	refusedWith(t, "READONLY", s.redis(before.nodes[before.leader], "", firstToken).Set(t.Context(), "x", "y", 0))
	if out, err := s.gatehouse("", "connect", "orders", "--user", "default", "--ticket", "--", "SET", "by", "ticket"); err != nil || !strings.Contains(out, "OK") {
		t.Errorf("gatehouse connect does not reach the new primary: %v\n%s", err, out)
	}
	s.tells(t, "Test Failover API called for node group 0001",
		"Failover from primary node "+before.leader+" to replica node "+after.leader+" completed", "Recovering cache nodes 0001", "Finished recovery for cache nodes 0001")
}

// tells checks that events with these texts have been recorded.
func (s *server) tells(t *testing.T, texts ...string) {
	t.Helper()
	out := must[*elasticache.DescribeEventsOutput](t)(s.api().DescribeEvents(t.Context(), &elasticache.DescribeEventsInput{}))
	for _, text := range texts {
		if !slices.ContainsFunc(out.Events, func(e types.Event) bool { return aws.ToString(e.Message) == text }) {
			t.Errorf("no event says %q", text)
		}
	}
}

func TestAKilledPrimaryIsReplacedAndForgetsNoCredential(t *testing.T) {
	s := serve(t)
	s.createCache("orders", withReplicas(2, firstToken))
	before := s.members("orders")
	allowed(t, s.redis(before.primary, "", firstToken).Set(t.Context(), "kept", "yes", 0))
	if n, err := s.redis(before.primary, "", firstToken).Wait(t.Context(), 2, soon).Result(); err != nil || n != 2 {
		t.Fatalf("WAIT 2 answers %d, %v", n, err)
	}
	// The change is acknowledged, then the primary dies.
	s.modify(&elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: aws.String("orders"), ApplyImmediately: aws.Bool(true),
		AuthToken: aws.String(secondToken), AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyTypeRotate,
	})
	s.modify(&elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: aws.String("orders"), ApplyImmediately: aws.Bool(true),
		AuthToken: aws.String(secondToken), AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyTypeSet,
	})
	if err := syscall.Kill(s.enginePID(before.leader), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	client := s.redis(before.primary, "", secondToken)
	s.await("the primary endpoint to take writes again", func() error {
		return client.Set(t.Context(), "after", "failover", 0).Err()
	})
	t.Logf("writes were taken again %v after the primary was killed", time.Since(killed).Round(time.Millisecond))
	after := s.members("orders")
	if after.leader == before.leader {
		t.Fatalf("%s is the primary still", after.leader)
	}
	for id, address := range after.nodes {
		refusedWith(t, "WRONGPASS", s.redis(address, "", firstToken).Ping(t.Context()))
		if got, err := s.redis(address, "", secondToken).Get(t.Context(), "kept").Result(); err != nil || got != "yes" {
			t.Errorf("%s reads %q, %v", id, got, err)
		}
	}
}

func TestReplicasComeAndGo(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", nil)
	ctx := t.Context()
	allowed(t, s.redis(address, "", "").Set(ctx, "time", "now", 0))
	must[*elasticache.IncreaseReplicaCountOutput](t)(s.api().IncreaseReplicaCount(ctx, &elasticache.IncreaseReplicaCountInput{
		ReplicationGroupId: aws.String("orders"), NewReplicaCount: aws.Int32(2), ApplyImmediately: aws.Bool(true),
	}))
	g := s.members("orders")
	if g.primary != address || len(g.nodes) != 3 {
		t.Fatalf("endpoints %+v, want three nodes and the primary at %s still", g, address)
	}
	if got, err := s.redis(g.reader, "", "").Get(ctx, "time").Result(); err != nil || got != "now" {
		t.Errorf("the reader endpoint reads %q, %v", got, err)
	}
	refusedWith(t, "READONLY", s.redis(g.reader, "", "").Set(ctx, "time", "x", 0))
	must[*elasticache.DecreaseReplicaCountOutput](t)(s.api().DecreaseReplicaCount(ctx, &elasticache.DecreaseReplicaCountInput{
		ReplicationGroupId: aws.String("orders"), ReplicasToRemove: []string{"orders-002"}, ApplyImmediately: aws.Bool(true),
	}))
	g = s.members("orders")
	if _, there := g.nodes["orders-002"]; there || len(g.nodes) != 2 {
		t.Errorf("nodes %v, want orders-001 and orders-003", g.nodes)
	}
	must[*elasticache.DecreaseReplicaCountOutput](t)(s.api().DecreaseReplicaCount(ctx, &elasticache.DecreaseReplicaCountInput{
		ReplicationGroupId: aws.String("orders"), NewReplicaCount: aws.Int32(0), ApplyImmediately: aws.Bool(true),
	}))
	g = s.members("orders")
	if len(g.nodes) != 1 || g.primary != address {
		t.Errorf("endpoints %+v, want one node at %s", g, address)
	}
	allowed(t, s.redis(g.reader, "", "").Set(ctx, "time", "later", 0))
}

func TestAServerThatIsKilledFindsItsReplicasAgain(t *testing.T) {
	s := serve(t)
	s.createCache("orders", withReplicas(1, firstToken))
	before := s.members("orders")
	must[*elasticache.TestFailoverOutput](t)(s.api().TestFailover(t.Context(), &elasticache.TestFailoverInput{
		ReplicationGroupId: aws.String("orders"), NodeGroupId: aws.String("0001"),
	}))
	moved := s.members("orders")
	allowed(t, s.redis(moved.primary, "", firstToken).Set(t.Context(), "kept", "yes", 0))
	s.kill()
	s.start()
	after := s.members("orders")
	if after.leader != moved.leader || after.leader == before.leader || after.primary != before.primary {
		t.Errorf("after the restart %+v, want %+v", after, moved)
	}
	s.await("the replica to have the data", func() error {
		got, err := s.redis(after.reader, "", firstToken).Get(t.Context(), "kept").Result()
		if err != nil || got != "yes" {
			return fmt.Errorf("it reads %q, %v", got, err)
		}
		if err := s.redis(after.reader, "", firstToken).Set(t.Context(), "x", "y", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
			return fmt.Errorf("a write answers %v, want READONLY", err)
		}
		return nil
	})
}
