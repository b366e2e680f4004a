package endtoend

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// A port that another program holds is named by /readyz, and taken as soon as
// it is free.
func TestAPortThatIsTakenIsNamed(t *testing.T) {
	s := serve(t)
	address := s.createCache("orders", nil)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	other, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	s.start()
	s.await("/readyz to name the port", func() error {
		status, body := s.get("/readyz", "")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, address) {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	s.await("/readyz to be content", func() error {
		if status, body := s.get("/readyz", ""); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	allowed(t, s.redis(address, "", "").Ping(t.Context()))
	if _, err := s.api().DeleteReplicationGroup(t.Context(), &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: aws.String("orders")}); err != nil {
		t.Error(err)
	}
}
