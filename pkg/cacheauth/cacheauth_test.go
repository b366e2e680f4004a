package cacheauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	keyID      = "AKIAIOSFODNN7EXAMPLE"
	secretText = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	sessionTok = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ+=="
)

// provided is a provider of credentials whose answers a test chooses.
type provided struct {
	mu          sync.Mutex
	answers     []answer // the last one stays
	asked       int
	invalidated int
}

type answer struct {
	session string
	life    time.Duration // 0: they do not expire
	err     error
	hang    bool
}

func (p *provided) Retrieve(ctx context.Context) (aws.Credentials, error) {
	p.mu.Lock()
	a := p.answers[min(p.asked, len(p.answers)-1)]
	p.asked++
	p.mu.Unlock()
	if a.hang {
		<-ctx.Done()
		return aws.Credentials{}, ctx.Err()
	}
	if a.err != nil {
		return aws.Credentials{}, a.err
	}
	c := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secretText, SessionToken: a.session}
	if a.life != 0 {
		c.CanExpire, c.Expires = true, time.Now().Add(a.life)
	}
	return c, nil
}

func (p *provided) Invalidate() { p.invalidated++ }

// verifier accepts tokens of the test's key, as a gateway would.
type verifier struct{}

func (verifier) Find(_ context.Context, q iamtoken.Query) (*iamtoken.Grant, *iamtoken.SigningKey, error) {
	key := iamtoken.Derive(identity.NewSecret(secretText), q.Day, q.Region)
	return &iamtoken.Grant{AccessKeyID: keyID, Session: q.Session}, &key, nil
}

func verify(t *testing.T, token string, want *iamtoken.Want) {
	t.Helper()
	if _, err := iamtoken.New(verifier{}, clock.Real).Verify(context.Background(), []byte(token), want); err != nil {
		t.Errorf("%v: %s", err, token)
	}
}

func config(p aws.CredentialsProvider) Config {
	return Config{Cache: "orders", User: "app", Region: "us-east-1", Credentials: p, Logger: slog.New(slog.DiscardHandler)}
}

func TestTokens(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		answer answer
	}{
		{"long-term", func(*Config) {}, answer{}},
		{"session", func(*Config) {}, answer{session: sessionTok, life: time.Hour}},
		{"serverless", func(c *Config) { c.Serverless = true }, answer{}},
		{"serverless session", func(c *Config) { c.Serverless = true }, answer{session: sessionTok, life: time.Hour}},
		{"upper case", func(c *Config) { c.Cache, c.User = "Orders", "App" }, answer{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(&provided{answers: []answer{test.answer}})
			test.change(&c)
			g, err := NewGenerator(c)
			if err != nil {
				t.Fatal(err)
			}
			token, err := g.Token(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			verify(t, token, &iamtoken.Want{Cache: "orders", Region: "us-east-1", User: "app", Serverless: c.Serverless})
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"nothing given", func(c *Config) { *c = Config{} }, []string{"Cache is missing", "User", "Region", "Credentials is missing"}},
		{"endpoint", func(c *Config) { c.Cache = "master.orders.abc.use1.cache.amazonaws.com" }, []string{"is an endpoint"}},
		{"endpoint with port", func(c *Config) { c.Cache = "orders:6379" }, []string{"is an endpoint"}},
		{"URL", func(c *Config) { c.Cache = "rediss://orders" }, []string{"is an endpoint"}},
		{"digit first", func(c *Config) { c.Cache = "1orders" }, []string{"no cache name"}},
		{"two hyphens", func(c *Config) { c.Cache = "or--ders" }, []string{"no cache name"}},
		{"hyphen last", func(c *Config) { c.Cache = "orders-" }, []string{"no cache name"}},
		{"too long", func(c *Config) { c.Cache = strings.Repeat("a", 41) }, []string{"no cache name"}},
		{"a second parameter in the user", func(c *Config) { c.User = "app&User=admin" }, []string{"no user id"}},
		{"a second parameter in the cache", func(c *Config) { c.Cache = "orders?x=y" }, []string{"no cache name"}},
		{"ARN for user", func(c *Config) { c.User = "arn:aws:elasticache:us-east-1:1:user:app" }, []string{"no user id"}},
		{"availability zone", func(c *Config) { c.Region = "us-east-1a" }, []string{"no region"}},
		{"region in upper case", func(c *Config) { c.Region = "US-EAST-1" }, []string{"no region"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(&provided{answers: []answer{{}}})
			test.change(&c)
			_, err := NewProvider(c)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
	for _, region := range []string{"us-east-1", "us-gov-west-1", "ap-southeast-2", "us-iso-east-1", "eusc-de-east-1"} {
		c := config(&provided{answers: []answer{{}}})
		c.Region = region
		if _, err := NewGenerator(c); err != nil {
			t.Error(err)
		}
	}
}

func TestCredentialsAreAskedForAgain(t *testing.T) {
	failed := answer{err: errors.New("IMDS does not answer")}
	soon := answer{session: sessionTok, life: MinCredentialLife - time.Second}
	good := answer{session: sessionTok, life: time.Hour}
	for _, test := range []struct {
		name        string
		answers     []answer
		asked       int
		invalidated int
		longest     time.Duration
		err         string
	}{
		{"at once", []answer{good}, 1, 0, 0, ""},
		{"the second time", []answer{failed, good}, 2, 0, 100 * time.Millisecond, ""},
		{"the last time", []answer{failed, failed, failed, good}, 4, 0, 700 * time.Millisecond, ""},
		{"never", []answer{failed}, 4, 0, 700 * time.Millisecond, "attempt 4 of 4: IMDS does not answer"},
		{"about to expire, then fresh", []answer{soon, good}, 2, 1, 100 * time.Millisecond, ""},
		{"always about to expire", []answer{soon}, 4, 4, 700 * time.Millisecond, "the credentials of access key " + keyID + " expire in 59s"},
		{"expired", []answer{{life: -time.Hour}}, 4, 4, 700 * time.Millisecond, "expire in -1h"},
		{"a service that hangs", []answer{{hang: true}, good}, 2, 0, 2100 * time.Millisecond, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &provided{answers: test.answers}
				g, err := NewGenerator(config(p))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				token, err := g.Token(context.Background())
				if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				if took := time.Since(start); p.asked != test.asked || p.invalidated != test.invalidated || took > test.longest {
					t.Errorf("asked %d times, invalidated %d times, took %s", p.asked, p.invalidated, took)
				}
				if err == nil {
					verify(t, token, &iamtoken.Want{Cache: "orders", Region: "us-east-1", User: "app"})
				} else if token != "" {
					t.Error("a token comes with an error")
				}
			})
		})
	}
}

func TestContextEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := NewGenerator(config(&provided{answers: []answer{{hang: true}}}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := g.Token(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// Every connection gets a token of its own, signed at that moment.
func TestEveryLoginIsSignedAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewProvider(config(&provided{answers: []answer{{}}}))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 3 {
			user, token, err := p.Credentials(context.Background())
			if err != nil || user != "app" || seen[token] {
				t.Errorf("%q, %v, seen before: %v", user, err, seen[token])
			}
			seen[token] = true
			verify(t, token, &iamtoken.Want{Cache: "orders", Region: "us-east-1", User: "app"})
			time.Sleep(20 * time.Minute) // the token before is expired now
		}
	})
}

func TestRenewalIsBeforeTheEnd(t *testing.T) {
	p, err := NewProvider(config(&provided{answers: []answer{{}}}))
	if err != nil {
		t.Fatal(err)
	}
	times := map[time.Duration]bool{}
	for range 20 {
		login, err := p.Login(context.Background())
		if err != nil || login.RenewAfter < 10*time.Hour || login.RenewAfter > 11*time.Hour {
			t.Errorf("%v, %v", login.RenewAfter, err)
		}
		times[login.RenewAfter] = true
	}
	if len(times) == 1 {
		t.Error("all connections renew at the same moment")
	}
}

// withFallback is a provider that can fall back, and its log.
func withFallback(t *testing.T, p *provided) (*Provider, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	c := config(p)
	c.Logger = slog.New(slog.NewTextHandler(log, nil))
	c.Fallback = func(context.Context) (string, string, error) { return "default", "hunter2hunter2!!", nil }
	provider, err := NewProvider(c)
	if err != nil {
		t.Fatal(err)
	}
	return provider, log
}

func TestFallbackWhenNoTokenCanBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &provided{answers: []answer{{err: errors.New("no role")}}}
		p, log := withFallback(t, broken)
		login, err := p.Login(context.Background())
		if err != nil || login.Username != "default" || login.Password != "hunter2hunter2!!" || !login.Fallback || login.RenewAfter > time.Minute {
			t.Errorf("%+v, %v", login, err)
		}
		for _, want := range []string{"trying again", "attempt=1", "attempt=3", "logging in with the fallback password", "no role", "fallback_user=default", "cache=orders"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, log)
			}
		}
		broken.answers = []answer{{}}
		if login, err := p.Login(context.Background()); err != nil || login.Fallback {
			t.Errorf("after recovery: %v, %v", login, err)
		}
	})
}

func TestFallbackWhenTheServerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p, log := withFallback(t, &provided{answers: []answer{{}}})
		refusal := fmt.Errorf("connecting: %w", errors.New("WRONGPASS invalid username-password pair or user is disabled."))
		if p.Report(ctx, nil) || p.Report(ctx, errors.New("NOPERM no")) || p.Report(ctx, context.Canceled) {
			t.Error("other errors are taken for a refusal")
		}
		if login, _ := p.Login(ctx); login.Fallback {
			t.Error("falls back without a reason")
		}
		if !p.Report(ctx, refusal) {
			t.Error("a refusal is not worth another try")
		}
		if login, _ := p.Login(ctx); !login.Fallback {
			t.Error("does not fall back")
		}
		time.Sleep(fallbackTime + time.Second)
		if login, _ := p.Login(ctx); login.Fallback {
			t.Error("does not return to IAM")
		}
		for _, want := range []string{"the server refused the IAM token", "logging in with the fallback password", "logging in with IAM"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, log)
			}
		}
	})
}

func TestWithoutFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewProvider(config(&provided{answers: []answer{{err: errors.New("no role")}}}))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.Credentials(context.Background()); err == nil || !strings.Contains(err.Error(), "no role") {
			t.Error(err)
		}
		if p.Report(context.Background(), errors.New("WRONGPASS")) {
			t.Error("another try without a fallback")
		}
	})
}

func TestFallbackFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(&provided{answers: []answer{{err: errors.New("no role")}}})
		c.Fallback = func(context.Context) (string, string, error) { return "", "", errors.New("no secret") }
		p, err := NewProvider(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Login(context.Background()); err == nil || !strings.Contains(err.Error(), "no secret") || !strings.Contains(err.Error(), "no role") {
			t.Error(err)
		}
	})
}

// Nothing that can be printed or logged shows a secret.
func TestNoSecretIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p, log := withFallback(t, &provided{answers: []answer{{session: sessionTok, life: time.Hour}}})
		login, _ := p.Login(ctx)
		p.Report(ctx, errors.New("WRONGPASS"))
		fallback, _ := p.Login(ctx)
		p.Report(ctx, errors.New("WRONGPASS"))
		slog.New(slog.NewTextHandler(log, nil)).Info("x", "login", login, "fallback", fallback)
		shown := log.String() + fmt.Sprintf("%v %+v %#v %s %v", login, login, login, login, []Login{fallback})
		for _, secret := range []string{secretText, sessionTok, "hunter2", "X-Amz-Signature", login.Password} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q is shown", secret)
			}
		}
	})
}

func BenchmarkToken(b *testing.B) {
	g, err := NewGenerator(config(&provided{answers: []answer{{}}}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Token(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
