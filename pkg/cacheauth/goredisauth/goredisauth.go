// Package goredisauth keeps the connections of go-redis logged in with IAM: a
// fresh token for every connection, and another login on the same connection
// before ElastiCache would close it after 12 hours.
//
//	provider, err := cacheauth.NewProvider(config)
//	streaming := goredisauth.New(provider)
//	defer streaming.Close()
//	client := redis.NewClient(&redis.Options{
//		Addr: address, TLSConfig: &tls.Config{}, StreamingCredentialsProvider: streaming,
//	})
//	client.AddHook(streaming.Hook()) // only with a fallback password
//
// go-redis logs a connection in again when it is free. A connection that never
// is, such as that of a subscription, is closed by the server after 12 hours and
// made anew by go-redis.
package goredisauth

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9/auth"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

const (
	// loginTime ends the making of one login. go-redis gives no context here.
	loginTime = 10 * time.Second
	// renewalPause is between attempts to renew. Renewal begins an hour or more
	// before the session ends, so there is time for many.
	renewalPause = time.Minute
)

// ErrClosed is returned for a connection that is made after Close.
var ErrClosed = errors.New("goredisauth: the credentials provider is closed")

// Streaming implements go-redis' auth.StreamingCredentialsProvider.
type Streaming struct {
	provider *cacheauth.Provider
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu            sync.Mutex
	closed        bool
	subscriptions map[auth.CredentialsListener]context.CancelFunc
}

// New makes a Streaming. Close ends it.
func New(provider *cacheauth.Provider) *Streaming {
	ctx, cancel := context.WithCancel(context.Background())
	return &Streaming{provider: provider, ctx: ctx, cancel: cancel, subscriptions: map[auth.CredentialsListener]context.CancelFunc{}}
}

// Close ends all renewals and waits for those under way. Connections stay as
// they are.
func (s *Streaming) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	return nil
}

// Subscribe makes a login for one connection and renews it until the returned
// function is called. A listener that is subscribed already starts over.
func (s *Streaming) Subscribe(listener auth.CredentialsListener) (auth.Credentials, auth.UnsubscribeFunc, error) {
	ctx, cancel := context.WithTimeout(s.ctx, loginTime)
	defer cancel()
	login, err := s.provider.Login(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, ErrClosed
	}
	if stop, again := s.subscriptions[listener]; again {
		stop()
	}
	ctx, stop := context.WithCancel(s.ctx)
	s.subscriptions[listener] = stop
	s.running.Go(func() { s.renew(ctx, listener, login.RenewAfter) })
	return credentials(login), func() error { s.unsubscribe(listener); return nil }, nil
}

func (s *Streaming) unsubscribe(listener auth.CredentialsListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stop, ok := s.subscriptions[listener]; ok {
		stop()
		delete(s.subscriptions, listener)
	}
}

// renew hands the listener a new login in time, again and again. Failures are
// logged by the provider; the connection is left alone, because its session
// lasts on, until that must have ended.
func (s *Streaming) renew(ctx context.Context, listener auth.CredentialsListener, after time.Duration) {
	ends := time.Now().Add(cacheauth.SessionLife)
	for {
		select {
		case <-time.After(after):
		case <-ctx.Done():
			return
		}
		attempt, cancel := context.WithTimeout(ctx, loginTime)
		login, err := s.provider.Login(attempt)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			listener.OnNext(credentials(login))
			after, ends = login.RenewAfter, time.Now().Add(cacheauth.SessionLife)
		case time.Now().Before(ends):
			after = renewalPause
		default:
			listener.OnError(err)
			after = renewalPause
		}
	}
}

func credentials(login cacheauth.Login) auth.Credentials {
	return auth.NewBasicCredentials(login.Username, login.Password)
}
