package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/bench/usage"
)

// startGatehouse serves one cache with TLS and one user, as an operator would
// have it: the program's defaults, everything else by the API.
func (t *Target) startGatehouse(ctx context.Context, o Options) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	data := filepath.Join(o.Dir, "d")
	p, err := launch(o.Dir, "gatehouse", "", o.Program, "serve", "--data-dir", data,
		"--listen", "127.0.0.1:0", "--ports", fmt.Sprintf("%d-%d", port, port))
	if err != nil {
		return err
	}
	t.processes = append(t.processes, p)
	t.Proxy = p.pid()
	s := &server{process: p, data: data}
	if err := p.await(ctx, "gatehouse serve to be healthy", s.healthy); err != nil {
		return err
	}
	if err := s.createCache(ctx, t.Server.Password); err != nil {
		return err
	}
	var endpoint int
	err = p.await(ctx, "the cache to be available", func(ctx context.Context) error {
		endpoint, err = s.available(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.findEngine(); err != nil {
		return err
	}
	return t.listensAt(endpoint, s.note.CA)
}

// findEngine finds the engine, gatehouse's only child.
func (t *Target) findEngine() error {
	children, err := usage.Children(t.Proxy)
	if err != nil {
		return err
	}
	if len(children) != 1 {
		return fmt.Errorf("gatehouse serve has %d children; one engine was expected", len(children))
	}
	t.Engine = children[0]
	born, err := usage.Born(t.Engine)
	if err != nil {
		return err
	}
	t.orphan = func() {
		if now, err := usage.Born(t.Engine); err == nil && now == born {
			_ = syscall.Kill(t.Engine, syscall.SIGTERM)
		}
	}
	return nil
}

// server is what an operator's tools know of gatehouse serve.
type server struct {
	process *process
	data    string
	note    struct{ Endpoint, Region, CA string }
	client  *elasticache.Client
}

// healthy reads what the server notes about itself, and asks it.
func (s *server) healthy(ctx context.Context) error {
	if err := readJSON(filepath.Join(s.data, "server.json"), &s.note); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.note.Endpoint+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/healthz answers %s", answer.Status)
	}
	var root struct{ AccessKeyID, SecretAccessKey string }
	if err := readJSON(filepath.Join(s.data, "root-credentials.json"), &root); err != nil {
		return err
	}
	s.client = elasticache.New(elasticache.Options{
		BaseEndpoint: &s.note.Endpoint, Region: s.note.Region,
		Credentials: credentials.NewStaticCredentialsProvider(root.AccessKeyID, root.SecretAccessKey, ""),
	})
	return nil
}

func readJSON(path string, to any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

const cacheID = "bench"

// createCache asks for a user, a group and a cache.
func (s *server) createCache(ctx context.Context, password string) error {
	_, err := s.client.CreateUser(ctx, &elasticache.CreateUserInput{
		UserId: aws.String(userName), UserName: aws.String(userName), Engine: aws.String("valkey"),
		AccessString: aws.String("on ~* &* +@all"), Passwords: []string{password},
	})
	if err != nil {
		return fmt.Errorf("creating the user: %w", err)
	}
	_, err = s.client.CreateUserGroup(ctx, &elasticache.CreateUserGroupInput{
		UserGroupId: aws.String(userName), Engine: aws.String("valkey"), UserIds: []string{userName},
	})
	if err != nil {
		return fmt.Errorf("creating the user group: %w", err)
	}
	if err := s.process.await(ctx, "the user group to be active", s.groupActive); err != nil {
		return err
	}
	_, err = s.client.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String(cacheID), ReplicationGroupDescription: aws.String("benchmark"),
		Engine: aws.String("valkey"), CacheNodeType: aws.String("cache.t4g.micro"), NumCacheClusters: aws.Int32(1),
		TransitEncryptionEnabled: aws.Bool(true), UserGroupIds: []string{userName},
	})
	if err != nil {
		return fmt.Errorf("creating the cache: %w", err)
	}
	return nil
}

func (s *server) groupActive(ctx context.Context) error {
	out, err := s.client.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{UserGroupId: aws.String(userName)})
	if err != nil {
		return err
	}
	if status := aws.ToString(out.UserGroups[0].Status); status != "active" {
		return fmt.Errorf("it is %s", status)
	}
	return nil
}

// available returns the cache's port once it is available.
func (s *server) available(ctx context.Context) (int, error) {
	out, err := s.client.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String(cacheID)})
	if err != nil {
		return 0, err
	}
	group := out.ReplicationGroups[0]
	if status := aws.ToString(group.Status); status != "available" {
		return 0, fmt.Errorf("it is %s", status)
	}
	endpoint := group.NodeGroups[0].PrimaryEndpoint
	if host := aws.ToString(endpoint.Address); net.ParseIP(host) == nil || !net.ParseIP(host).IsLoopback() {
		return 0, errors.New("its address is " + strconv.Quote(host) + ", not on loopback")
	}
	return int(aws.ToInt32(endpoint.Port)), nil
}
