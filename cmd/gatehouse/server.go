package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"github.com/gatehouse/gatehouse/internal/datadir"
	"github.com/gatehouse/gatehouse/internal/identity"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

const (
	// answerTime bounds an operator request; a change waits for gateways.
	answerTime = 30 * time.Second
	// maxAnswer bounds what a server may answer, in bytes.
	maxAnswer = 64 << 20
)

// serverFlags tell a command which server to talk to.
type serverFlags struct {
	DataDir string `help:"The server's data directory; root's credentials are found there (default ${data_dir})." type:"path"`
}

func (f serverFlags) dir() string {
	if f.DataDir != "" {
		return f.DataDir
	}
	return defaultDataDir()
}

// server is a server that a command talks to.
type server struct {
	datadir.Server
	credentials datadir.Credentials
	token       string // of temporary credentials
	client      *http.Client
}

// find reads where the server is: from the data directory if one is named, from
// the usual AWS variables if they are set (as `gatehouse env` prints them),
// otherwise from the default data directory.
func (f serverFlags) find() (*server, error) {
	s := &server{client: &http.Client{Timeout: answerTime}}
	if endpoint, id := os.Getenv("AWS_ENDPOINT_URL"), os.Getenv("AWS_ACCESS_KEY_ID"); f.DataDir == "" && endpoint != "" && id != "" {
		s.Server = datadir.Server{Endpoint: endpoint, Region: region(), CA: os.Getenv("GATEHOUSE_CA"), TLS: strings.HasPrefix(endpoint, "https:")}
		s.credentials = datadir.Credentials{AccessKeyID: id, SecretAccessKey: identity.NewSecret(os.Getenv("AWS_SECRET_ACCESS_KEY"))}
		s.token = os.Getenv("AWS_SESSION_TOKEN")
	} else {
		var err error
		if s.Server, s.credentials, err = datadir.Find(f.dir()); err != nil {
			return nil, err
		}
	}
	if s.TLS {
		roots, err := s.roots()
		if err != nil {
			return nil, err
		}
		s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	}
	return s, nil
}

// elasticache is the server's ElastiCache API.
func (s *server) elasticache() *elasticache.Client {
	return elasticache.New(elasticache.Options{
		BaseEndpoint: aws.String(s.Endpoint), Region: s.Region, HTTPClient: s.client,
		Credentials: credentials.NewStaticCredentialsProvider(s.credentials.AccessKeyID, s.credentials.SecretAccessKey.Reveal(), s.token),
	})
}

func region() string {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return "us-east-1"
}

// roots are the system's authorities and Gatehouse's own.
func (s *server) roots() (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if s.CA == "" {
		return roots, nil
	}
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	roots.AppendCertsFromPEM(pem)
	return roots, nil
}

// call sends a signed request to one of Gatehouse's own endpoints and decodes
// its answer into result.
func (s *server) call(ctx context.Context, method, path string, request, result any) error {
	var body []byte
	if request != nil {
		var err error
		if body, err = json.Marshal(request); err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.Endpoint, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	key := sigv4.Key{ID: s.credentials.AccessKeyID, Secret: s.credentials.SecretAccessKey, SessionToken: s.token}
	if err := sigv4.Sign(r, body, key, s.Region, "gatehouse", time.Now()); err != nil {
		return fmt.Errorf("signing the request: %w", err)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("the server at %s does not answer (is `gatehouse serve` running?): %w", s.Endpoint, errors.Unwrap(err))
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.Status, answer)
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}

// refusal turns an error answer into an error in its own words.
func refusal(status string, answer []byte) error {
	var e struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &e) == nil && e.Message != "" {
		return fmt.Errorf("%s (%s)", e.Message, e.Code)
	}
	return fmt.Errorf("the server answers %s", status)
}
