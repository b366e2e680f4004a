// Package awsapi_test runs real AWS clients against the front door: the SDK for
// Go always, the AWS CLI and boto3 where they are installed. Behind the door are
// the real operations over the store for tests; instead of engines and gateways
// there is settle, which lets every change take effect.
package awsapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	elasticacheapi "github.com/gatehouse/gatehouse/internal/awsapi/elasticache"
	iamapi "github.com/gatehouse/gatehouse/internal/awsapi/iam"
	stsapi "github.com/gatehouse/gatehouse/internal/awsapi/sts"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/tagging"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/credential"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/sigv4"
	"github.com/gatehouse/gatehouse/internal/store/memory"
)

const (
	region    = "us-east-1"
	accountID = "000000000000"
	keyID     = "AKIAGATEHOUSEROOT001"
	secretKey = "root-secret-of-these-tests-0123456789ABC"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a front door with everything behind it.
type server struct {
	t     testing.TB
	url   string
	door  *awsapi.Door
	state *state.State
	iam   *iam.Service
	log   *lockedBuffer

	mu    sync.Mutex
	calls []awsapi.Call
}

// lockedBuffer is a log that a test can read.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Called implements awsapi.Observer.
func (s *server) Called(_ context.Context, call awsapi.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
}

// last is the record of the last call.
func (s *server) last() awsapi.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[len(s.calls)-1]
}

func start(t testing.TB, change ...func(*awsapi.Config)) *server {
	t.Helper()
	ctx := context.Background()
	account := naming.Account{ID: accountID, Region: region}
	st, err := state.Open(ctx, memory.New(), clock.Real)
	must(t, err)
	key := credential.NewKey([32]byte{1})
	api := &elasticacheapi.API{
		Account: account,
		Users:   users.New(st, account, key, clock.Real, users.DefaultQuotas()),
		Tags:    tagging.New(st, account),
	}
	api.Caches, err = caches.New(st, key, clock.Real, caches.Config{Account: account, Host: "127.0.0.1", FirstPort: 16379, LastPort: 16478})
	must(t, err)
	must(t, api.Users.Init(ctx))
	must(t, api.Caches.Init(ctx))

	s := &server{t: t, state: st, log: &lockedBuffer{}}
	s.iam, err = iam.New(iam.Config{
		State: st, Account: account, Clock: clock.Real, Tags: api.Tags,
		Root:       iam.RootKey{ID: keyID, Secret: identity.NewSecret(secretKey)},
		SecretsKey: [32]byte{2}, SessionsKey: [32]byte{3},
	})
	must(t, err)
	front := iamapi.Front{IAM: s.iam}
	config := awsapi.Config{
		Region:      region,
		Clock:       clock.Real,
		Credentials: front,
		Authorizer:  front,
		Observer:    s,
		Log:         slog.New(slog.NewTextHandler(s.log, nil)),
		Services:    []awsapi.Service{api.Service(), (&iamapi.API{IAM: s.iam}).Service(), (&stsapi.API{IAM: s.iam}).Service()},
	}
	for _, f := range change {
		f(&config)
	}
	door, err := awsapi.New(config)
	must(t, err)
	s.door = door
	listener := httptest.NewServer(door)
	t.Cleanup(listener.Close)
	s.url = listener.URL
	return s
}

// settle lets every change take effect, as converge does when the engines and
// all gateways have followed.
func (s *server) settle() {
	s.t.Helper()
	_, err := s.state.Update(context.Background(), func(tx *state.Tx) error {
		caches.Finish(tx, clock.Real.Now(), func(*identity.ReplicationGroup) bool { return true })
		users.Finish(tx, func(any) bool { return true })
		return nil
	})
	must(s.t, err)
}

// settleAlways settles whenever something changes, until the test ends.
func (s *server) settleAlways() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for {
			_, changed := s.state.Changed()
			s.settle()
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// transport does a request after a test had its way with it.
type transport struct {
	client *http.Client
	change func(*http.Request)
}

func (tr transport) Do(r *http.Request) (*http.Response, error) {
	if tr.change != nil {
		tr.change(r)
	}
	return tr.client.Do(r)
}

func (s *server) config(change ...func(*http.Request)) aws.Config {
	client := &http.Client{Transport: &http.Transport{}}
	s.t.Cleanup(client.CloseIdleConnections)
	tr := transport{client: client}
	if len(change) > 0 {
		tr.change = change[0]
	}
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(s.url),
		Credentials:  static(keyID, secretKey),
		HTTPClient:   tr,
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func static(id, secret string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
	})
}

func (s *server) elasticache() *elasticache.Client { return elasticache.NewFromConfig(s.config()) }
func (s *server) sts() *sts.Client                 { return sts.NewFromConfig(s.config()) }

// post sends a form, signed by our own signer unless change does something else,
// and returns the status and the body of the answer.
func (s *server) post(form string, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url+"/", strings.NewReader(form))
	must(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	s.sign(r, form, "elasticache")
	return s.send(r, change...)
}

func (s *server) sign(r *http.Request, body, service string) {
	s.t.Helper()
	key := sigv4.Key{ID: keyID, Secret: identity.NewSecret(secretKey)}
	must(s.t, sigv4.Sign(r, []byte(body), key, region, service, clock.Real.Now()))
}

func (s *server) send(r *http.Request, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	for _, f := range change {
		f(r)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	must(s.t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	must(s.t, err)
	return answer.StatusCode, string(body)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
