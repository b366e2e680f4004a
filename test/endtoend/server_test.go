// Package endtoend drives the real program with real clients: it builds
// gatehouse, serves from a fresh data directory, calls the API with the AWS SDK
// (and the AWS CLI and boto3 where they are) and the caches with go-redis,
// valkey-go and valkey-cli.
package endtoend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// program is the binary that TestMain built.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gatehouse-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "gatehouse")
	build := exec.Command("go", "build", "-o", program, "github.com/gatehouse/gatehouse/cmd/gatehouse")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building gatehouse: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const (
	// soon bounds what must happen without a reason to wait, on a busy machine.
	soon = 20 * time.Second
	// poll is the pause between two looks at a state that cannot be subscribed to.
	poll = 10 * time.Millisecond
)

// server is a running gatehouse serve.
type server struct {
	t       *testing.T
	dir     string
	args    []string
	cmd     *exec.Cmd
	ended   chan error
	log     *lockedBuffer
	note    note
	started time.Duration // until /healthz answered 200
}

type note struct {
	Endpoint, Region, CA string
	PID                  int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts a server on a fresh data directory.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	needEngines(t)
	s := &server{t: t, dir: filepath.Join(t.TempDir(), "data")}
	s.args = append([]string{"serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0", "--ports", freePorts(t, 10)}, args...)
	s.start()
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("server log:\n%s", s.log)
		}
	})
	return s
}

// needEngines fails when make setup was run and an engine is missing.
func needEngines(t *testing.T) {
	t.Helper()
	for _, name := range []string{"valkey-server", "redis-server", "valkey-cli"} {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if _, err := os.Stat("../../.setup/done"); err == nil {
			t.Fatalf("%s is missing although make setup was run", name)
		}
		t.Skipf("%s is missing: run make setup", name)
	}
}

// freePorts finds a range of n ports that nobody listens on, below those that
// systems give to clients: connections that ended a moment ago block theirs.
func freePorts(t *testing.T, n int) string {
	t.Helper()
	const lowest, clients = 10240, 32768 // Linux: net.ipv4.ip_local_port_range
	for range 50 {
		first := lowest + rand.IntN(clients-lowest-n)
		if allFree(first, n) {
			return fmt.Sprintf("%d-%d", first, first+n-1)
		}
	}
	t.Fatal("no free range of ports")
	return ""
}

func allFree(first, n int) bool {
	for port := first; port < first+n; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

func (s *server) start() {
	s.t.Helper()
	_ = os.Remove(filepath.Join(s.dir, "server.json"))
	s.log = &lockedBuffer{}
	s.cmd = exec.Command(program, s.args...)
	s.cmd.Stderr, s.cmd.Stdout = s.log, s.log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.cmd.Wait() }()
	s.await("the server to be healthy", func() error {
		text, err := os.ReadFile(filepath.Join(s.dir, "server.json"))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &s.note); err != nil {
			return err
		}
		status, body := s.get("/healthz", "")
		if status != http.StatusOK {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	s.started = time.Since(began)
}

// await polls until try succeeds; the server's end ends the wait.
func (s *server) await(what string, try func() error) {
	s.t.Helper()
	deadline := time.Now().Add(soon)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case end := <-s.ended:
			s.ended <- end
			s.t.Fatalf("waiting for %s: the server ended (%v):\n%s", what, end, s.log)
		case <-time.After(poll):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waiting for %s: %v\nserver log:\n%s", what, err, s.log)
		}
	}
}

// stop ends the server as an operator would and checks that it ends well.
func (s *server) stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("the server ended with %v:\n%s", err, s.log)
		}
	case <-time.After(soon):
		_ = s.cmd.Process.Kill()
		s.t.Errorf("the server did not stop within %v:\n%s", soon, s.log)
	}
	s.cmd = nil
}

// kill ends the server as a power cut would: without a chance to tidy up.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	<-s.ended
	s.cmd = nil
}

// get asks for a path with an optional Authorization header.
func (s *server) get(path, authorization string) (int, string) {
	r, err := http.NewRequest(http.MethodGet, s.note.Endpoint+path, nil)
	if err != nil {
		return 0, err.Error()
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	client := &http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// root reads root's credentials as an operator's tool does.
func (s *server) root() (id, secret string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "root-credentials.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var stored struct{ AccessKeyID, SecretAccessKey string }
	if err := json.Unmarshal(text, &stored); err != nil {
		s.t.Fatal(err)
	}
	return stored.AccessKeyID, stored.SecretAccessKey
}

func (s *server) api() *elasticache.Client {
	s.t.Helper()
	id, secret := s.root()
	return elasticache.New(elasticache.Options{
		BaseEndpoint: aws.String(s.note.Endpoint), Region: s.note.Region,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
}

// tls trusts the server's authority.
func (s *server) tls() *tls.Config {
	s.t.Helper()
	pem, err := os.ReadFile(s.note.CA)
	if err != nil {
		s.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		s.t.Fatal("the authority's file holds no certificate")
	}
	return &tls.Config{RootCAs: pool}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// createCache makes a cache and returns its address when it is available.
func (s *server) createCache(id string, change func(*elasticache.CreateReplicationGroupInput)) string {
	s.t.Helper()
	in := &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String(id), ReplicationGroupDescription: aws.String("test"),
		Engine: aws.String("valkey"), CacheNodeType: aws.String("cache.t4g.micro"),
		NumCacheClusters: aws.Int32(1), TransitEncryptionEnabled: aws.Bool(true),
	}
	if change != nil {
		change(in)
	}
	must[*elasticache.CreateReplicationGroupOutput](s.t)(s.api().CreateReplicationGroup(s.t.Context(), in))
	return s.available(id)
}

// available waits for a cache to be available and returns its address.
func (s *server) available(id string) string {
	s.t.Helper()
	var address string
	s.await("cache "+id+" to be available", func() error {
		rg, err := s.describe(id)
		if err != nil {
			return err
		}
		if aws.ToString(rg.Status) != "available" {
			return fmt.Errorf("it is %s", aws.ToString(rg.Status))
		}
		endpoint := rg.NodeGroups[0].PrimaryEndpoint
		address = net.JoinHostPort(aws.ToString(endpoint.Address), fmt.Sprint(aws.ToInt32(endpoint.Port)))
		return nil
	})
	return address
}

func (s *server) describe(id string) (*types.ReplicationGroup, error) {
	out, err := s.api().DescribeReplicationGroups(context.Background(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
	if err != nil {
		return nil, err
	}
	if len(out.ReplicationGroups) != 1 {
		return nil, errors.New("it is not described")
	}
	return &out.ReplicationGroups[0], nil
}

// modify changes a cache and waits until it is available again.
func (s *server) modify(in *elasticache.ModifyReplicationGroupInput) {
	s.t.Helper()
	must[*elasticache.ModifyReplicationGroupOutput](s.t)(s.api().ModifyReplicationGroup(s.t.Context(), in))
	s.available(aws.ToString(in.ReplicationGroupId))
}

func (s *server) createUser(id, name, access, password string) {
	s.t.Helper()
	must[*elasticache.CreateUserOutput](s.t)(s.api().CreateUser(s.t.Context(), &elasticache.CreateUserInput{
		UserId: &id, UserName: &name, Engine: aws.String("valkey"), AccessString: &access, Passwords: []string{password},
	}))
}

func (s *server) createGroup(id string, users ...string) {
	s.t.Helper()
	must[*elasticache.CreateUserGroupOutput](s.t)(s.api().CreateUserGroup(s.t.Context(), &elasticache.CreateUserGroupInput{
		UserGroupId: &id, Engine: aws.String("valkey"), UserIds: users,
	}))
	s.groupActive(id)
}

func (s *server) groupActive(id string) {
	s.t.Helper()
	s.await("user group "+id+" to be active", func() error {
		out, err := s.api().DescribeUserGroups(s.t.Context(), &elasticache.DescribeUserGroupsInput{UserGroupId: &id})
		if err != nil {
			return err
		}
		if status := aws.ToString(out.UserGroups[0].Status); status != "active" {
			return fmt.Errorf("it is %s", status)
		}
		return nil
	})
}

// gatehouse runs an operator command against the server.
func (s *server) gatehouse(stdin string, args ...string) (string, error) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GATEHOUSE_DATA_DIR="+s.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
