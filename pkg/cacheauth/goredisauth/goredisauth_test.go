package goredisauth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/auth"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

// credentialsFunc is an aws.CredentialsProvider.
type credentialsFunc func() error

func (f credentialsFunc) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI"}, f()
}

func newStreaming(t *testing.T, fails func() error, fallback func(context.Context) (string, string, error)) *Streaming {
	t.Helper()
	provider, err := cacheauth.NewProvider(cacheauth.Config{
		Cache: "orders", User: "app", Region: "us-east-1", Credentials: credentialsFunc(fails),
		Logger: slog.New(slog.DiscardHandler), Fallback: fallback,
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(provider)
}

func never() error { return nil }

// listener counts what a connection is told.
type listener struct {
	mu     sync.Mutex
	next   []time.Time
	tokens map[string]bool
	errors []error
}

func (l *listener) OnNext(c auth.Credentials) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, token := c.BasicAuth()
	if l.tokens == nil {
		l.tokens = map[string]bool{}
	}
	l.tokens[token] = true
	l.next = append(l.next, time.Now())
}

func (l *listener) OnError(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = append(l.errors, err)
}

func (l *listener) heard() (next []time.Time, errs []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next, l.errors
}

func TestRenewsBeforeTheSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreaming(t, never, nil)
		l := &listener{}
		start := time.Now()
		first, unsubscribe, err := s.Subscribe(l)
		if err != nil {
			t.Fatal(err)
		}
		if user, token := first.BasicAuth(); user != "app" || token == "" {
			t.Errorf("%q, %q", user, token)
		}
		time.Sleep(72 * time.Hour)
		next, errs := l.heard()
		if len(next) < 6 || len(next) > 7 || len(l.tokens) != len(next) || errs != nil {
			t.Errorf("%d logins, %d of them different, errors %v", len(next), len(l.tokens), errs)
		}
		for _, at := range next {
			if pause := at.Sub(start); pause < 10*time.Hour || pause > 11*time.Hour {
				t.Errorf("a login after %s", pause)
			}
			start = at
		}
		if err := unsubscribe(); err != nil {
			t.Error(err)
		}
		before := len(next)
		time.Sleep(72 * time.Hour)
		if next, _ := l.heard(); len(next) != before {
			t.Error("renews after it was unsubscribed")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSubscribingAgainStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreaming(t, never, nil)
		l := &listener{}
		_, first, err := s.Subscribe(l)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Subscribe(l); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11*time.Hour + time.Minute)
		if next, _ := l.heard(); len(next) != 1 {
			t.Errorf("%d logins for one connection", len(next))
		}
		_ = first() // any of the functions ends it
		_ = first()
		time.Sleep(24 * time.Hour)
		if next, _ := l.heard(); len(next) != 1 {
			t.Error("renews after it was unsubscribed")
		}
		_ = s.Close()
	})
}

// While no login can be made the connection is left alone, and the first that
// can be made is used.
func TestRenewalSurvivesFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		broken := false
		s := newStreaming(t, func() error {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				return errors.New("no role")
			}
			return nil
		}, nil)
		l := &listener{}
		if _, _, err := s.Subscribe(l); err != nil {
			t.Fatal(err)
		}
		set := func(to bool) { mu.Lock(); broken = to; mu.Unlock() }
		set(true)
		time.Sleep(11*time.Hour + 30*time.Minute)
		if next, errs := l.heard(); len(next) != 0 || errs != nil {
			t.Errorf("%v, %v", next, errs)
		}
		set(false)
		time.Sleep(2 * time.Minute)
		if next, errs := l.heard(); len(next) != 1 || errs != nil {
			t.Errorf("%v, %v", next, errs)
		}
		set(true)
		time.Sleep(12*time.Hour + time.Minute)
		if _, errs := l.heard(); len(errs) == 0 {
			t.Error("the connection is not told that its session has ended")
		}
		_ = s.Close()
	})
}

func TestClosed(t *testing.T) {
	s := newStreaming(t, never, nil)
	if _, _, err := s.Subscribe(&listener{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Subscribe(&listener{}); err == nil {
		t.Error("a login after Close")
	}
}

var errWrong = errors.New("WRONGPASS invalid username-password pair or user is disabled")

// TestHookSendsOnceMore: what was refused for want of a login is sent again with
// the fallback, and what the application itself was refused is not.
func TestHookSendsOnceMore(t *testing.T) {
	ctx := context.Background()
	password := func(context.Context) (string, string, error) { return "default", "x", nil }
	tests := []struct {
		name     string
		fallback func(context.Context) (string, string, error)
		cmd      redis.Cmder
		err      error
		calls    int
	}{
		{"refused", password, redis.NewCmd(ctx, "get", "k"), errWrong, 2},
		{"no fallback", nil, redis.NewCmd(ctx, "get", "k"), errWrong, 1},
		{"another error", password, redis.NewCmd(ctx, "get", "k"), errors.New("NOPERM"), 1},
		{"no error", password, redis.NewCmd(ctx, "get", "k"), nil, 1},
		{"the application's own AUTH", password, redis.NewCmd(ctx, "auth", "x"), errWrong, 1},
		{"the application's own HELLO", password, redis.NewCmd(ctx, "HELLO", "3"), errWrong, 1},
	}
	for _, test := range tests {
		s := newStreaming(t, never, test.fallback)
		calls := 0
		process := s.Hook().ProcessHook(func(_ context.Context, cmd redis.Cmder) error {
			calls++
			if calls == 1 && test.err != nil {
				cmd.SetErr(test.err)
				return test.err
			}
			return nil
		})
		err := process(ctx, test.cmd)
		if calls != test.calls || (test.calls == 2) != (err == nil && test.err != nil) {
			t.Errorf("%s: %d calls, %v", test.name, calls, err)
		}
	}
}

func TestPipelineHookNeverRepeatsWhatWasExecuted(t *testing.T) {
	ctx := context.Background()
	password := func(context.Context) (string, string, error) { return "default", "x", nil }
	for name, test := range map[string]struct {
		errs  []error
		calls int
	}{
		"none could log in":        {[]error{errWrong, errWrong}, 2},
		"one was executed":         {[]error{nil, errWrong}, 1},
		"one failed for its own":   {[]error{errWrong, errors.New("ERR x")}, 1},
		"all were executed":        {[]error{nil, nil}, 1},
		"all failed for their own": {[]error{errors.New("ERR x"), errors.New("ERR y")}, 1},
	} {
		s := newStreaming(t, never, password)
		cmds := []redis.Cmder{redis.NewCmd(ctx, "incr", "a"), redis.NewCmd(ctx, "incr", "b")}
		calls := 0
		_ = s.Hook().ProcessPipelineHook(func(_ context.Context, cmds []redis.Cmder) error {
			calls++
			if calls > 1 {
				return nil
			}
			var first error
			for i, cmd := range cmds {
				cmd.SetErr(test.errs[i])
				if first == nil {
					first = test.errs[i]
				}
			}
			return first
		})(ctx, cmds)
		if calls != test.calls {
			t.Errorf("%s: %d calls", name, calls)
		}
	}
}
