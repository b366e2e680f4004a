package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// User is a user that the engine shall have.
type User struct {
	Name string
	// Rules are those of acl.Access.EngineRules.
	Rules []string
	// Enabled users get a secret, others are off.
	Enabled bool
}

// Apply creates the users or changes them to be as given, each at once; it
// removes none. A user's secret stays the same within one start of the engine,
// so connections go on, with the new rules from their next command. An error
// about one user does not keep the others from being applied.
func (e *Engine) Apply(ctx context.Context, users []User) error {
	r, err := e.running()
	if err != nil {
		return err
	}
	var failures []error
	for _, u := range users {
		if err := r.apply(ctx, u); err != nil {
			failures = append(failures, fmt.Errorf("applying user %q to %s: %w", u.Name, e.spec.Name, err))
		}
	}
	return errors.Join(failures...)
}

func (r *run) apply(ctx context.Context, u User) error {
	if err := checkName(u.Name); err != nil {
		return err
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	r.mu.Lock()
	known, has := r.users[u.Name]
	r.mu.Unlock()
	if !has {
		known.secret = identity.NewSecret(rand.Text())
	}
	args := []string{"ACL", "SETUSER", u.Name, "reset"}
	if u.Enabled {
		args = append(args, "on", "#"+digest(known.secret))
	}
	if _, err := r.orders.do(ctx, slices.Concat(args, u.Rules)...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users[u.Name] = user{known.secret, u.Enabled}
	return nil
}

// Remove deletes users, which ends their connections. Names that the engine
// does not know are ignored. User "default" cannot be deleted: it is left off
// and without any permission.
func (e *Engine) Remove(ctx context.Context, names []string) error {
	r, err := e.running()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := r.remove(ctx, name); err != nil {
			return fmt.Errorf("removing user %q from %s: %w", name, e.spec.Name, err)
		}
	}
	return nil
}

func (r *run) remove(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	// Forgotten first, so that nobody is given a secret that is about to go.
	r.mu.Lock()
	delete(r.users, name)
	r.mu.Unlock()
	command := []string{"ACL", "DELUSER", name}
	if name == identity.DefaultUser {
		command = []string{"ACL", "SETUSER", name, "reset"}
	}
	_, err := r.orders.do(ctx, command...)
	return err
}

// Users returns the names that the engine has and Gatehouse gave it, in order.
func (e *Engine) Users() []string {
	r, err := e.running()
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.users))
	for name := range r.users {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkName refuses the names of Gatehouse's own users.
func checkName(name string) error {
	if name == "" || strings.HasPrefix(name, identity.InternalPrefix) {
		return errors.New("the name is reserved")
	}
	return nil
}
