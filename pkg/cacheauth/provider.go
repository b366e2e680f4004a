package cacheauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// SessionLife is how long ElastiCache keeps an IAM connection after its last
// login (ElastiCache User Guide, "Authenticating with IAM").
const SessionLife = 12 * time.Hour

const (
	// An IAM login is renewed at a random moment between these two, so that the
	// connections of a pool, made together, do not all log in again together.
	earliestRenewal = 10 * time.Hour
	latestRenewal   = 11 * time.Hour
	// fallbackTime is how long the password is used after the server refused a
	// token, and when a connection that uses it tries IAM again.
	fallbackTime = time.Minute
)

// Login is what to send in AUTH or HELLO. Printed forms do not show the password.
type Login struct {
	Username string
	Password string // a token, or the fallback's password
	// Fallback says that Password is not a token.
	Fallback bool
	// RenewAfter is when the connection should log in again: before the
	// session ends, or soon, so that a fallback gives way to IAM.
	RenewAfter time.Duration
}

func (l Login) String() string       { return fmt.Sprintf("login of %s, password ********", l.Username) }
func (l Login) GoString() string     { return l.String() }
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// Provider makes logins for connections. It may be used by many goroutines.
type Provider struct {
	generator *Generator
	fallback  func(context.Context) (string, string, error)
	log       *slog.Logger
	renewal   func() time.Duration // of an IAM login

	mu      sync.Mutex
	refused time.Time // when the server last refused a token
}

// NewProvider checks the configuration. The error names everything that is
// wrong with it.
func NewProvider(c Config) (*Provider, error) {
	generator, err := NewGenerator(c)
	if err != nil {
		return nil, err
	}
	return &Provider{generator: generator, fallback: c.Fallback, log: generator.credentials.log, renewal: renewal}, nil
}

// renewal picks the moment of an IAM login's renewal.
func renewal() time.Duration { return earliestRenewal + rand.N(latestRenewal-earliestRenewal) }

// Credentials makes a login and returns it in the form of go-redis'
// CredentialsProviderContext, which is called for every new connection.
func (p *Provider) Credentials(ctx context.Context) (username, password string, err error) {
	login, err := p.Login(ctx)
	return login.Username, login.Password, err
}

// Login makes a login: with a token signed now, or with the fallback when no
// token can be made or the server has just refused one (see [Provider.Report]).
func (p *Provider) Login(ctx context.Context) (Login, error) {
	if p.fallingBack() {
		return p.fallBack(ctx, errors.New("the server refused an IAM token a moment ago"))
	}
	token, err := p.generator.Token(ctx)
	switch {
	case err == nil:
		p.log.InfoContext(ctx, "logging in with IAM")
		return Login{Username: p.generator.user, Password: token, RenewAfter: p.renewal()}, nil
	case p.fallback == nil:
		p.log.ErrorContext(ctx, "cannot log in with IAM", "reason", err.Error())
		return Login{}, err
	default:
		return p.fallBack(ctx, err)
	}
}

func (p *Provider) fallBack(ctx context.Context, reason error) (Login, error) {
	username, password, err := p.fallback(ctx)
	if err != nil {
		p.log.ErrorContext(ctx, "cannot log in with IAM, nor with the fallback", "reason", reason.Error(), "fallback", err.Error())
		return Login{}, fmt.Errorf("cacheauth: getting the fallback password: %w, after: %w", err, reason)
	}
	p.log.WarnContext(ctx, "logging in with the fallback password", "fallback_user", username, "reason", reason.Error())
	return Login{Username: username, Password: password, Fallback: true, RenewAfter: fallbackTime}, nil
}

// fallingBack reports whether a token was refused so recently that the
// fallback is used instead.
func (p *Provider) fallingBack() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fallback != nil && !p.refused.IsZero() && time.Since(p.refused) < fallbackTime
}

// Report tells the provider of an error that a command or a connection ended
// with. When it is the server's refusal of a token and there is a fallback, the
// logins of the next minute use it, and Report returns true: what failed is
// worth another try. Other errors change nothing.
func (p *Provider) Report(ctx context.Context, err error) (retry bool) {
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		return false
	}
	p.mu.Lock()
	already := p.fallback != nil && !p.refused.IsZero() && time.Since(p.refused) < fallbackTime
	if !already {
		p.refused = time.Now()
	}
	p.mu.Unlock()
	switch {
	case p.fallback == nil:
		p.log.ErrorContext(ctx, "the server refused the login; it does not say why", "reason", err.Error())
		return false
	case already:
		// Another connection may have been refused together with the first, so
		// one more try can still be the fallback's first.
		p.log.ErrorContext(ctx, "the server refused another login while falling back", "reason", err.Error())
		return true
	default:
		p.log.WarnContext(ctx, "the server refused the IAM token; falling back to the password", "for", fallbackTime, "reason", err.Error())
		return true
	}
}
