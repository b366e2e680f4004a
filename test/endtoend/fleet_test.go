package endtoend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/redis/go-redis/v9"
)

// gatewayProgram builds gatehouse-gateway beside the program, once.
var gatewayProgram = sync.OnceValues(func() (string, error) {
	path := program + "-gateway"
	build := exec.Command("go", "build", "-o", path, "github.com/gatehouse/gatehouse/cmd/gatehouse-gateway")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building gatehouse-gateway: %w\n%s", err, out)
	}
	return path, nil
})

// outpost is a running gatehouse-gateway.
type outpost struct {
	s           *server
	id          string
	host        string
	credentials string
	args        []string
	cmd         *exec.Cmd
	ended       chan error
	log         *lockedBuffer
}

// serveFleet starts a server that listens for gateways, at an address that it
// has again after a restart.
func serveFleet(t *testing.T, args ...string) *server {
	t.Helper()
	listener, _, _ := strings.Cut(freePorts(t, 1), "-")
	return serve(t, append([]string{"--gateway-listen", "127.0.0.1:" + listener}, args...)...)
}

// outpost starts a gateway with new credentials.
func (s *server) outpost(id, host string, args ...string) *outpost {
	s.t.Helper()
	o := &outpost{s: s, id: id, host: host, args: args, credentials: filepath.Join(s.t.TempDir(), id+".json")}
	out, err := s.gatehouse("", "gateway-credentials", "--id", id, "--listen-host", host, "--out", o.credentials)
	if err != nil {
		s.t.Fatal(err, out)
	}
	o.start()
	s.t.Cleanup(func() {
		if o.cmd != nil {
			o.stop()
		}
		if s.t.Failed() {
			s.t.Logf("log of gateway %s:\n%s", id, o.log)
		}
	})
	return o
}

func (o *outpost) start() {
	o.s.t.Helper()
	path := must[string](o.s.t)(gatewayProgram())
	o.log = &lockedBuffer{}
	o.cmd = exec.Command(path, append([]string{"--credentials", o.credentials}, o.args...)...)
	o.cmd.Stdout, o.cmd.Stderr = o.log, o.log
	if err := o.cmd.Start(); err != nil {
		o.s.t.Fatal(err)
	}
	o.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(o.cmd, o.ended)
}

func (o *outpost) stop() {
	o.s.t.Helper()
	_ = o.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-o.ended:
		if err != nil {
			o.s.t.Errorf("gateway %s ended with %v:\n%s", o.id, err, o.log)
		}
	case <-time.After(soon):
		_ = o.cmd.Process.Kill()
		o.s.t.Errorf("gateway %s did not stop:\n%s", o.id, o.log)
	}
	o.cmd = nil
}

func (o *outpost) kill() {
	o.s.t.Helper()
	if err := o.cmd.Process.Kill(); err != nil {
		o.s.t.Fatal(err)
	}
	<-o.ended
	o.cmd = nil
}

// at is the address of a cache at this gateway.
func (o *outpost) at(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return net.JoinHostPort(o.host, port)
}

// listens waits until the gateway serves the address.
func (o *outpost) listens(address string) string {
	o.s.t.Helper()
	at := o.at(address)
	eventually(o.s.t, "gateway "+o.id+" to listen at "+at, func() error {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	return at
}

// eventually polls something that does not depend on the server being there.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		time.Sleep(poll)
	}
}

func (s *server) team() string {
	s.t.Helper()
	s.createUser("alice", "alice", "on ~* +@all", "alice-password-123")
	s.createUser("bob", "bob", "on ~* +@all", "bob-password-12345")
	s.createGroup("team", "alice", "bob")
	return s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
}

func (s *server) dismiss(user string) {
	s.t.Helper()
	must[*elasticache.ModifyUserGroupOutput](s.t)(s.api().ModifyUserGroup(s.t.Context(), &elasticache.ModifyUserGroupInput{
		UserGroupId: aws.String("team"), UserIdsToRemove: []string{user},
	}))
	s.groupActive("team")
}

// ends reports when a blocked command of c came back.
func ends(t *testing.T, c *redis.Client) <-chan time.Time {
	t.Helper()
	allowed(t, c.Ping(t.Context()))
	end := make(chan time.Time, 1)
	go func() {
		_ = c.BLPop(t.Context(), time.Minute, "nothing").Err()
		end <- time.Now()
	}()
	return end
}

func TestARemovedUserIsGoneFromEveryGatewayBeforeTheChangeIsActive(t *testing.T) {
	s := serveFleet(t)
	address := s.team()
	far := s.outpost("far", "127.0.0.2")
	there := far.listens(address)
	stays := s.redis(there, "alice", "alice-password-123")
	allowed(t, stays.Ping(t.Context()))
	refusedWith(t, "WRONGPASS", s.redis(there, "alice", "bob-password-12345").Ping(t.Context()))

	near, distant := ends(t, s.redis(address, "bob", "bob-password-12345")), ends(t, s.redis(there, "bob", "bob-password-12345"))
	s.await("both gateways' sessions to be listed", func() error {
		out, err := s.gatehouse("", "sessions", "--output", "json")
		if err == nil && !(strings.Contains(out, `"gateway": "far"`) && strings.Contains(out, `"gateway": "local"`)) {
			err = errors.New(out)
		}
		return err
	})
	s.dismiss("bob")
	active := time.Now()
	for name, end := range map[string]<-chan time.Time{"local": near, "far": distant} {
		select {
		case at := <-end:
			if late := at.Sub(active); late > 100*time.Millisecond { // the client's own scheduling
				t.Errorf("the session at %s ended %v after the group was active", name, late)
			}
		case <-time.After(soon):
			t.Errorf("the session at %s goes on", name)
		}
	}
	refusedWith(t, "WRONGPASS", s.redis(there, "bob", "bob-password-12345").Ping(t.Context()))
	allowed(t, stays.Ping(t.Context()))
	s.fleetIsRecorded()
}

// fleetIsRecorded checks that the trail and the metrics speak of the gateway.
func (s *server) fleetIsRecorded() {
	s.t.Helper()
	s.await("the far gateway's refusal on the trail", func() error {
		out, err := s.gatehouse("", "trail", "--event", "login.refused", "--output", "json")
		if err == nil && !strings.Contains(out, `"gateway": "far"`) {
			err = errors.New(out)
		}
		return err
	})
	token := must[[]byte](s.t)(os.ReadFile(filepath.Join(s.dir, "scrape-token")))
	s.await("the far gateway's counters", func() error {
		_, body := s.get("/metrics", "Bearer "+strings.TrimSpace(string(token)))
		if !strings.Contains(body, `gatehouse_sessions{cache="orders",gateway="far",method="password",node="orders-001"} 1`) {
			return errors.New(body)
		}
		return nil
	})
}

func TestAChangeWaitsForALostGatewayOnlyForItsLease(t *testing.T) {
	s := serveFleet(t)
	address := s.team()
	far := s.outpost("far", "127.0.0.2")
	far.listens(address)
	far.kill()
	killed := time.Now()
	s.dismiss("bob")
	if took := time.Since(killed); took < 5*time.Second || took > 15*time.Second {
		t.Errorf("the change took %v after the gateway was killed, want its lease of 10 s", took)
	}
	out, err := s.gatehouse("", "sessions")
	if err != nil || !strings.Contains(out, "gateway far has lost its lease") {
		t.Errorf("sessions does not name the lost gateway: %v\n%s", err, out)
	}
	if status, body := s.get("/readyz", ""); status != http.StatusServiceUnavailable || !strings.Contains(body, "gateway far") {
		t.Errorf("/readyz does not name the lost gateway: %d %s", status, body)
	}
	s.await("an event that names it", func() error {
		events, err := s.api().DescribeEvents(t.Context(), &elasticache.DescribeEventsInput{})
		if err != nil {
			return err
		}
		for _, e := range events.Events {
			if strings.Contains(aws.ToString(e.Message), "gateway far has lost its lease") {
				return nil
			}
		}
		return errors.New("there is none")
	})
	far.start()
	there := far.listens(address)
	refusedWith(t, "WRONGPASS", s.redis(there, "bob", "bob-password-12345").Ping(t.Context()))
	allowed(t, s.redis(there, "alice", "alice-password-123").Ping(t.Context()))
	s.await("the gateway to be well again", func() error {
		if status, body := s.get("/readyz", ""); status != http.StatusOK {
			return errors.New(body)
		}
		return nil
	})
}

func TestGatewaysServeWithoutTheControlPlane(t *testing.T) {
	s := serveFleet(t)
	address := s.team()
	far := s.outpost("far", "127.0.0.2")
	there := far.listens(address)
	session := s.redis(there, "alice", "alice-password-123")
	allowed(t, session.Set(t.Context(), "k", "v", 0))
	s.kill() // as a crash: the engines live on
	allowed(t, session.Get(t.Context(), "k"))
	allowed(t, s.redis(there, "bob", "bob-password-12345").Ping(t.Context()))
	refusedWith(t, "WRONGPASS", s.redis(there, "bob", "alice-password-123").Ping(t.Context()))

	far.stop()
	sealed := must[[]byte](t)(os.ReadFile(far.credentials + ".data/directory.sealed"))
	if strings.Contains(string(sealed), "orders") {
		t.Error("the copy of the directory can be read without its key")
	}
	far.start()
	far.listens(address)
	allowed(t, s.redis(there, "alice", "alice-password-123").Get(t.Context(), "k"))
	refusedWith(t, "WRONGPASS", s.redis(there, "bob", "alice-password-123").Ping(t.Context()))

	s.start()
	s.available("orders")
	s.dismiss("bob")
	refusedWith(t, "WRONGPASS", s.redis(there, "bob", "bob-password-12345").Ping(t.Context()))
	allowed(t, s.redis(there, "alice", "alice-password-123").Get(t.Context(), "k"))
	s.await("the refusals of the time without contact on the trail", func() error {
		out, err := s.gatehouse("", "trail", "--event", "login.refused", "--output", "json")
		if err == nil && strings.Count(out, `"gateway": "far"`) < 3 {
			err = errors.New(out)
		}
		return err
	})
}

func TestWithoutContactForTooLongNobodyNewIsAdmitted(t *testing.T) {
	s := serveFleet(t)
	address := s.team()
	open := s.createCache("open", nil)
	far := s.outpost("far", "127.0.0.2", "--max-stale", "3s")
	there, openThere := far.listens(address), far.listens(open)
	session, anonymous := s.redis(there, "alice", "alice-password-123"), s.redis(openThere, "", "")
	allowed(t, session.Set(t.Context(), "k", "v", 0))
	allowed(t, anonymous.Ping(t.Context()))
	s.kill()
	eventually(t, "the gateway to refuse a right password", func() error {
		err := s.redis(there, "alice", "alice-password-123").Ping(t.Context()).Err()
		if err == nil || !strings.HasPrefix(err.Error(), "WRONGPASS") {
			return fmt.Errorf("it says %v", err)
		}
		return nil
	})
	if err := s.redis(openThere, "", "").Ping(t.Context()).Err(); err == nil {
		t.Error("an anonymous client is admitted")
	}
	allowed(t, session.Get(t.Context(), "k"))
	allowed(t, anonymous.Ping(t.Context()))

	s.start()
	s.available("orders")
	eventually(t, "the gateway to admit again", func() error {
		return s.redis(there, "alice", "alice-password-123").Get(t.Context(), "k").Err()
	})
	s.await("the reason on the trail", func() error {
		out, err := s.gatehouse("", "trail", "--event", "login.refused", "--output", "json")
		if err == nil && !strings.Contains(out, "without contact to the control plane") {
			err = errors.New(out)
		}
		return err
	})
}

func TestGatewaysWithoutARightAreRefused(t *testing.T) {
	s := serveFleet(t)
	address := s.team()
	far := s.outpost("far", "127.0.0.2")
	far.listens(address)
	for _, args := range [][]string{
		{"--id", "other", "--listen-host", "127.0.0.2"}, // far's
		{"--id", "other", "--listen-host", "127.0.0.1"}, // the server's
		{"--id", "other", "--listen-host", "0.0.0.0"},
		{"--id", "local", "--listen-host", "127.0.0.3"},
		{"--id", "Other", "--listen-host", "127.0.0.3"},
	} {
		file := filepath.Join(t.TempDir(), "c.json")
		if out, err := s.gatehouse("", append([]string{"gateway-credentials", "--out", file}, args...)...); err == nil {
			t.Errorf("%v: credentials were made\n%s", args, out)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%v: a file was made", args)
		}
	}
	// A second process with the same credentials and another data directory.
	double := &outpost{s: s, id: "far", host: "127.0.0.2", credentials: far.credentials, args: []string{"--data-dir", t.TempDir()}}
	double.start()
	eventually(t, "the second process to be refused", func() error {
		if !strings.Contains(double.log.String(), "another process is the gateway far") {
			return errors.New(double.log.String())
		}
		return nil
	})
	double.stop()
	if out, err := s.gatehouse("", "gateway-credentials", "--id", "far", "--revoke"); err != nil {
		t.Fatal(err, out)
	}
	eventually(t, "the gateway to be refused", func() error {
		if !strings.Contains(far.log.String(), "withdrawn") {
			return errors.New(far.log.String())
		}
		return nil
	})
	out, err := s.gatehouse("", "trail", "--event", "gateway.", "--output", "json")
	var records []struct{ Event, Gateway string }
	if err != nil || json.Unmarshal([]byte(out), &records) != nil {
		t.Fatal(err, out)
	}
	seen := map[string]bool{}
	for _, r := range records {
		seen[r.Event] = seen[r.Event] || r.Gateway == "far"
	}
	for _, event := range []string{"gateway.credentials-issued", "gateway.connected", "gateway.refused", "gateway.credentials-revoked"} {
		if !seen[event] {
			t.Errorf("%s is not on the trail:\n%s", event, out)
		}
	}
}

func TestTheGatewayProgramLinksTheDataPlaneOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/gatehouse/gatehouse/cmd/gatehouse-gateway").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "gatehouse/internal/gateway\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, part := range []string{"github.com/aws/", "go.etcd.io/", "gatehouse/internal/store", "gatehouse/internal/control", "gatehouse/internal/posture", "gatehouse/internal/awsapi"} {
		if strings.Contains(string(out), part) {
			t.Errorf("it links %s", part)
		}
	}
}
