package endtoend

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// TestEventsAreFollowed reads what an operator sees of a cache that is made and
// fails over, while it happens.
func TestEventsAreFollowed(t *testing.T) {
	s := serve(t)
	cmd := exec.CommandContext(t.Context(), program, "events", "--follow")
	cmd.Env = append(os.Environ(), "GATEHOUSE_DATA_DIR="+s.dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	awaitLine := func(text string) {
		t.Helper()
		for deadline := time.After(soon); ; {
			select {
			case line, open := <-lines:
				if strings.HasSuffix(line, text) {
					return
				}
				if !open {
					t.Fatalf("it ended before it said %q", text)
				}
			case <-deadline:
				t.Fatalf("it does not say %q", text)
			}
		}
	}
	s.createCache("orders", withReplicas(1, firstToken))
	awaitLine("replication-group orders: Replication group orders created")
	must[*elasticache.TestFailoverOutput](t)(s.api().TestFailover(t.Context(), &elasticache.TestFailoverInput{
		ReplicationGroupId: aws.String("orders"), NodeGroupId: aws.String("0001"),
	}))
	awaitLine("replication-group orders: Failover from primary node orders-001 to replica node orders-002 completed")
	awaitLine("cache-cluster orders-001: Finished recovery for cache nodes 0001")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range lines {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	out2, err := s.gatehouse("", "events", "--source", "orders-001", "--output", "json")
	if err != nil || !strings.Contains(out2, `"Recovering cache nodes 0001"`) {
		t.Errorf("events of one node: %v\n%s", err, out2)
	}
}
