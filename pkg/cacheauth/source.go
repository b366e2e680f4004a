package cacheauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// How often and how fast credentials are asked for. Together the attempts stay
// below what a client library waits for a connection, which is 5 s or more.
const (
	attempts     = 4
	firstPause   = 100 * time.Millisecond
	longestPause = time.Second
	// attemptTime ends one attempt, so that a metadata service that does not
	// answer leaves time for another.
	attemptTime = 2 * time.Second
)

// source retrieves AWS credentials that last.
type source struct {
	provider aws.CredentialsProvider
	log      *slog.Logger
}

// retrieve asks until it has credentials that can be signed with.
func (s *source) retrieve(ctx context.Context) (aws.Credentials, error) {
	for attempt := 1; ; attempt++ {
		credentials, err := s.try(ctx)
		if err == nil {
			return credentials, nil
		}
		if ctx.Err() != nil || attempt == attempts {
			return aws.Credentials{}, fmt.Errorf("cacheauth: getting AWS credentials, attempt %d of %d: %w", attempt, attempts, err)
		}
		pause := pauseAfter(attempt)
		s.log.WarnContext(ctx, "no AWS credentials to sign with; trying again", "attempt", attempt, "pause", pause, "reason", err.Error())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return aws.Credentials{}, fmt.Errorf("cacheauth: getting AWS credentials: %w, after: %w", context.Cause(ctx), err)
		}
	}
}

// try asks once.
func (s *source) try(ctx context.Context) (aws.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	credentials, err := s.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	if !credentials.HasKeys() {
		return aws.Credentials{}, errors.New("the provider returned no access key")
	}
	if left := time.Until(credentials.Expires); credentials.CanExpire && left < MinCredentialLife {
		// A cache goes on handing them out until they have expired, unless it
		// is told not to.
		if cache, ok := s.provider.(interface{ Invalidate() }); ok {
			cache.Invalidate()
		}
		return aws.Credentials{}, fmt.Errorf("the credentials of access key %s expire in %s", credentials.AccessKeyID, left.Round(time.Second))
	}
	return credentials, nil
}

// pauseAfter doubles with every attempt; half of it is random, so that many
// connections which failed together do not come back together.
func pauseAfter(attempt int) time.Duration {
	pause := min(firstPause<<(attempt-1), longestPause)
	return pause/2 + rand.N(pause/2)
}
