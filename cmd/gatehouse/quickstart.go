package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// Names of what quickstart makes.
const (
	firstCache = "demo"
	firstUser  = "app"
	firstGroup = "demo-users"
	// firstAccess lets the first user do everything with keys that begin with app:
	firstAccess = "on ~app:* +@all -@dangerous"
)

// readyPoll is how often a server that starts is asked whether it is ready.
const readyPoll = 50 * time.Millisecond

type quickstartCommand struct {
	serverFlags
	Wait time.Duration `help:"How long to wait for a server that is starting." default:"30s"`
}

// Run makes a first cache with a first user through the API, as a client of it,
// and prints commands to try. What is there already is left as it is.
func (c quickstartCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Wait+time.Minute)
	defer cancel()
	s, err := c.ready(ctx)
	if err != nil {
		return err
	}
	api := s.elasticache()
	password, err := makeFirstUser(ctx, api)
	if err != nil {
		return err
	}
	endpoint, err := makeFirstCache(ctx, api)
	if err != nil {
		return err
	}
	return c.explain(endpoint, password)
}

// ready waits until a server has been started on the data directory and says
// that it is healthy.
func (c quickstartCommand) ready(ctx context.Context) (*server, error) {
	deadline := time.After(c.Wait)
	for {
		s, err := c.find()
		if err == nil {
			err = healthy(ctx, s)
		}
		if err == nil {
			return s, nil
		}
		select {
		case <-time.After(readyPoll):
		case <-deadline:
			return nil, fmt.Errorf("no server is ready after %v: %w", c.Wait, err)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func healthy(ctx context.Context, s *server) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.Endpoint, "/")+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	return nil
}

// makeFirstUser returns the new user's password, or "" if the user was there.
func makeFirstUser(ctx context.Context, api *elasticache.Client) (string, error) {
	password := rand.Text()
	_, err := api.CreateUser(ctx, &elasticache.CreateUserInput{
		UserId: aws.String(firstUser), UserName: aws.String(firstUser), Engine: aws.String("valkey"),
		Passwords: []string{password}, AccessString: aws.String(firstAccess),
	})
	var exists *types.UserAlreadyExistsFault
	if errors.As(err, &exists) {
		password, err = "", nil
	}
	if err != nil {
		return "", fmt.Errorf("creating user %s: %w", firstUser, err)
	}
	_, err = api.CreateUserGroup(ctx, &elasticache.CreateUserGroupInput{
		UserGroupId: aws.String(firstGroup), Engine: aws.String("valkey"), UserIds: []string{firstUser},
	})
	var groupExists *types.UserGroupAlreadyExistsFault
	if err != nil && !errors.As(err, &groupExists) {
		return "", fmt.Errorf("creating user group %s: %w", firstGroup, err)
	}
	return password, waitForGroup(ctx, api)
}

func waitForGroup(ctx context.Context, api *elasticache.Client) error {
	for {
		groups, err := api.DescribeUserGroups(ctx, &elasticache.DescribeUserGroupsInput{UserGroupId: aws.String(firstGroup)})
		if err != nil {
			return fmt.Errorf("waiting for user group %s: %w", firstGroup, err)
		}
		if len(groups.UserGroups) == 1 && aws.ToString(groups.UserGroups[0].Status) == "active" {
			return nil
		}
		select {
		case <-time.After(readyPoll):
		case <-ctx.Done():
			return fmt.Errorf("waiting for user group %s: %w", firstGroup, ctx.Err())
		}
	}
}

func makeFirstCache(ctx context.Context, api *elasticache.Client) (*types.Endpoint, error) {
	_, err := api.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String(firstCache), ReplicationGroupDescription: aws.String("first cache"),
		Engine: aws.String("valkey"), CacheNodeType: aws.String("cache.t4g.micro"), NumCacheClusters: aws.Int32(1),
		TransitEncryptionEnabled: aws.Bool(true), UserGroupIds: []string{firstGroup},
	})
	var exists *types.ReplicationGroupAlreadyExistsFault
	if err != nil && !errors.As(err, &exists) {
		return nil, fmt.Errorf("creating cache %s: %w", firstCache, err)
	}
	waiter := elasticache.NewReplicationGroupAvailableWaiter(api, func(o *elasticache.ReplicationGroupAvailableWaiterOptions) {
		o.MinDelay, o.MaxDelay = readyPoll, time.Second
	})
	described, err := waiter.WaitForOutput(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String(firstCache)}, time.Minute)
	if err != nil {
		return nil, fmt.Errorf("waiting for cache %s: %w", firstCache, err)
	}
	return described.ReplicationGroups[0].NodeGroups[0].PrimaryEndpoint, nil
}

func (c quickstartCommand) explain(endpoint *types.Endpoint, password string) error {
	self := os.Args[0]
	flag := ""
	if c.DataDir != "" {
		flag = " --data-dir " + quote(c.DataDir)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\nCache %q is available at %s:%d. It lets in one user, %q, who may use the keys app:*.\n",
		firstCache, aws.ToString(endpoint.Address), aws.ToInt32(endpoint.Port), firstUser)
	if password != "" {
		fmt.Fprintf(&text, "\n  password of %s: %s   (shown once: only its digest is kept)\n", firstUser, password)
	}
	fmt.Fprintf(&text, `
In another terminal:

  eval "$(%[1]s env%[2]s)"                 # point AWS tools at this server
  %[1]s connect %[3]s --user %[4]s%[2]s     # asks for the password; try: SET app:1 hello, GET other, ACL WHOAMI
  %[1]s connect %[3]s --user %[4]s --ticket%[2]s -- SET app:1 hello
  %[1]s sessions%[2]s
  %[1]s trail%[2]s                          # why a login was refused
  valkey-cli -h %[5]s -p %[6]d --tls --cacert "$GATEHOUSE_CA" PING   # NOAUTH: a stranger gets no answer

  aws elasticache describe-replication-groups
  aws elasticache create-user --user-id reader --user-name reader --engine valkey \
      --passwords 'a-password-of-16+' --access-string 'on ~app:* -@all +get'
  aws elasticache modify-user-group --user-group-id %[7]s --user-ids-to-add reader

Ctrl-C here stops everything; the next start finds it again.
`, self, flag, firstCache, firstUser, aws.ToString(endpoint.Address), aws.ToInt32(endpoint.Port), firstGroup)
	_, err := fmt.Print(text.String())
	return err
}
