package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine/admin"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// patience says how long to wait for what.
type patience struct {
	pulse  time.Duration // between two questions for a sign of life
	answer time.Duration // for the sign; after maxMisses the engine is unresponsive
	// stop is for an engine to end: it must write what is not yet on disk. A
	// script that never returns keeps it from ending at all.
	stop time.Duration
}

var usualPatience = patience{pulse: time.Second, answer: 2 * time.Second, stop: 10 * time.Second}

const maxMisses = 3

// run is one start of an engine, with the secrets that are valid in it.
type run struct {
	home    *home
	process *process
	start   string
	admin   identity.Secret
	replica identity.Secret // of replicas that follow this engine
	orders  *link           // for changes
	pulse   *link           // for signs of life, so that they do not wait for changes

	changing sync.Mutex // held while a user is changed
	mu       sync.Mutex
	users    map[string]user

	watching sync.WaitGroup
	cancel   context.CancelFunc
}

// user is a user that was applied in this start.
type user struct {
	secret  identity.Secret
	enabled bool
}

func newRun(home *home) *run {
	secret := identity.NewSecret(rand.Text())
	return &run{
		home:    home,
		start:   rand.Text(),
		admin:   secret,
		replica: identity.NewSecret(rand.Text()),
		orders:  &link{socket: home.socket, secret: secret},
		pulse:   &link{socket: home.socket, secret: secret},
		users:   map[string]user{},
		cancel:  func() {},
	}
}

// greet checks that the engine serves its administrator.
func (r *run) greet(ctx context.Context) error {
	reply, err := r.orders.do(ctx, "ACL", "WHOAMI")
	if err != nil {
		return fmt.Errorf("greeting the engine: %w", err)
	}
	if reply.Text != directory.AdminUser {
		return fmt.Errorf("greeting the engine: it takes the administrator for %q", reply.Text)
	}
	return nil
}

// watch tells notify when the engine ceases to answer and when it answers again.
func (r *run) watch(patience patience, notify func(Happening)) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.watching.Go(func() {
		ticker := time.NewTicker(patience.pulse)
		defer ticker.Stop()
		misses := 0
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			r.home.repair()
			answered := r.alive(ctx, patience.answer)
			switch {
			case ctx.Err() != nil:
				return
			case !answered:
				if misses++; misses == maxMisses {
					notify(Unresponsive)
				}
			case misses >= maxMisses:
				notify(Responsive)
				misses = 0
			default:
				misses = 0
			}
		}
	})
}

// alive asks for a sign of life, with a command that MONITOR does not show. An
// error reply is one too: BUSY during a script.
func (r *run) alive(ctx context.Context, answer time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	_, err := r.pulse.do(ctx, "SLOWLOG", "LEN")
	var refusal *admin.Error
	return err == nil || errors.As(err, &refusal)
}

// close ends what belongs to the run. The process has ended already.
func (r *run) close() {
	r.cancel()
	r.watching.Wait()
	r.orders.close()
	r.pulse.close()
}

// published returns the secrets of the users that may log in.
func (r *run) published() map[string]identity.Secret {
	r.mu.Lock()
	defer r.mu.Unlock()
	secrets := make(map[string]identity.Secret, len(r.users))
	for name, u := range r.users {
		if u.enabled {
			secrets[name] = u.secret
		}
	}
	return secrets
}

// Info returns the fields of a section of INFO.
func (e *Engine) Info(ctx context.Context, section string) (map[string]string, error) {
	r, err := e.running()
	if err != nil {
		return nil, err
	}
	reply, err := r.orders.do(ctx, "INFO", section)
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.SplitSeq(reply.Text, "\r\n") {
		if name, value, is := strings.Cut(line, ":"); is {
			fields[name] = value
		}
	}
	return fields, nil
}

// digest is a secret in the form in which ACL rules and the configuration name it.
func digest(secret identity.Secret) string {
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return hex.EncodeToString(sum[:])
}
