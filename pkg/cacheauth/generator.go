package cacheauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TokenLife is how long a token can be used to log in (ElastiCache User Guide,
// "Authenticating with IAM"). A connection outlives its token.
const TokenLife = 15 * time.Minute

// MinCredentialLife is how long credentials must still be valid to be signed
// with: a token dies with the credentials that signed it, and a connection
// needs time to be made.
const MinCredentialLife = time.Minute

// Config says what to log in to, as whom, and with which AWS credentials.
type Config struct {
	// Cache is the replication group id, or the name of the serverless cache.
	// It is not the endpoint. Upper case is accepted and signed as lower case.
	Cache string
	// User is the ElastiCache user id, which of an IAM user is also its name.
	User string
	// Region is the cache's region, such as "us-east-1".
	Region string
	// Serverless says that Cache is a serverless cache.
	Serverless bool
	// Credentials is where AWS credentials come from, such as the Credentials
	// of the configuration that config.LoadDefaultConfig returns.
	Credentials aws.CredentialsProvider
	// Logger is told of every attempt, retry and fallback, and never a secret.
	// nil means slog.Default().
	Logger *slog.Logger
	// Fallback returns a user name and password to log in with when IAM does
	// not work. It is meant for the time of a migration. nil means none.
	Fallback func(ctx context.Context) (username, password string, err error)
}

// What AWS's own tools accept before they sign.
var (
	cacheName  = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$`)
	userID     = regexp.MustCompile(`^(default\.)?[a-zA-Z][a-zA-Z0-9-]*$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
)

// maxCacheName is the longest name of a cache, in characters (ElastiCache API,
// CreateReplicationGroup and CreateServerlessCache).
const maxCacheName = 40

// validate returns all that is wrong with the configuration.
func (c *Config) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case c.Cache == "":
		fault("Cache is missing: give the replication group id or the serverless cache's name")
	case strings.ContainsAny(c.Cache, ".:/"):
		fault("Cache %q is an endpoint: give the replication group id or the serverless cache's name", c.Cache)
	case len(c.Cache) > maxCacheName || !cacheName.MatchString(c.Cache):
		fault("Cache %q is no cache name: at most %d letters, digits and single hyphens, a letter first, no hyphen last", c.Cache, maxCacheName)
	}
	if !userID.MatchString(c.User) {
		fault("User %q is no user id: letters, digits and hyphens, a letter first", c.User)
	}
	if !regionName.MatchString(c.Region) {
		fault(`Region %q is no region such as "us-east-1"`, c.Region)
	}
	if c.Credentials == nil {
		fault("Credentials is missing: give an aws.CredentialsProvider")
	}
	if len(faults) > 0 {
		return fmt.Errorf("cacheauth: %w", errors.Join(faults...))
	}
	return nil
}

// Generator makes tokens. It may be used by many goroutines.
type Generator struct {
	url         string // without the token's own parameters
	user        string
	region      string
	credentials *source
	signer      *v4.Signer
}

// NewGenerator checks the configuration; Fallback is not used. The error names
// everything that is wrong with it.
func NewGenerator(c Config) (*Generator, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	cache, user := strings.ToLower(c.Cache), strings.ToLower(c.User)
	query := "Action=connect&User=" + user
	if c.Serverless {
		query = "Action=connect&ResourceType=ServerlessCache&User=" + user
	}
	query += fmt.Sprintf("&X-Amz-Expires=%d", int(TokenLife.Seconds()))
	return &Generator{
		url:         scheme + cache + "/?" + query,
		user:        user,
		region:      c.Region,
		credentials: &source{provider: c.Credentials, log: logger(c, cache, user)},
		signer:      v4.NewSigner(),
	}, nil
}

// logger adds to every record what the login is about.
func logger(c Config, cache, user string) *slog.Logger {
	log := c.Logger
	if log == nil {
		log = slog.Default()
	}
	return log.With("cache", cache, "user", user)
}

const (
	// scheme is needed for signing, and no part of a token.
	scheme = "http://"
	// emptyBody is the SHA-256 of nothing.
	emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Token signs a new token: the password to send in AUTH or HELLO. It is a
// credential for up to [TokenLife] and should go nowhere else.
//
// Credentials that cannot be had, or that expire within [MinCredentialLife],
// are asked for again a few times, with growing pauses; the error is that of
// the last time, or the context's.
func (g *Generator) Token(ctx context.Context) (string, error) {
	credentials, err := g.credentials.retrieve(ctx)
	if err != nil {
		return "", err
	}
	return g.sign(ctx, credentials, time.Now())
}

func (g *Generator) sign(ctx context.Context, credentials aws.Credentials, now time.Time) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url, nil)
	if err != nil {
		return "", fmt.Errorf("cacheauth: preparing a token: %w", err)
	}
	signed, _, err := g.signer.PresignHTTP(ctx, credentials, r, emptyBody, "elasticache", g.region, now.UTC())
	if err != nil {
		return "", fmt.Errorf("cacheauth: signing a token: %w", err)
	}
	return strings.TrimPrefix(signed, scheme), nil
}
