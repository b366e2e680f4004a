package converge

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/control/caches"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/control/users"
	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// fullAccess is what the user "default" may do on a cache without a user group.
const fullAccess = "on ~* +@all"

// desired is what a cache's engines and gateways should have.
type desired struct {
	cache    *directory.Cache // without what belongs to an engine's start
	users    []engine.User
	channels bool // whether users may use all channels unless their string says otherwise
}

// desire derives it from the state. A member of the group that is being removed
// is already left out, one that is being added is already in. The error says
// that a stored access string cannot be read.
func desire(view *state.View, rg *identity.ReplicationGroup, arn string) (desired, error) {
	access := rg.Effective()
	d := desired{
		cache:    &directory.Cache{ID: rg.ID, ARN: arn, State: access.State, Transit: rg.Transit},
		channels: allChannels(view, rg),
	}
	var err error
	if access.State == identity.RBAC {
		err = d.addGroup(view, access)
	} else {
		err = d.addTokens(rg.Engine, access)
	}
	if d.cache.User(identity.DefaultUser) == nil {
		d.users = append(d.users, engine.User{Name: identity.DefaultUser, Enabled: false})
	}
	return d, err
}

func (d *desired) addTokens(kind identity.Engine, access identity.Access) error {
	user := directory.User{
		Name: identity.DefaultUser, Incarnation: access.Attached,
		Auth: identity.AuthPassword, Passwords: access.Tokens, Token: true,
	}
	if len(access.Tokens) == 0 {
		user.Auth, user.Token = identity.AuthNoPassword, false
	}
	d.cache.Anonymous = access.State == identity.AuthNone || access.State == identity.OptionalOne
	return d.add(user, kind, fullAccess)
}

// add makes a user known to the gateways, and to the engines with its rules.
func (d *desired) add(user directory.User, kind identity.Engine, accessString string) error {
	rights, err := acl.Parse(kind, accessString)
	if err != nil {
		return fmt.Errorf("the access string of user %s: %w", user.Name, err)
	}
	user.Enabled = rights.Enabled()
	d.cache.Users = append(d.cache.Users, user)
	d.users = append(d.users, engine.User{Name: user.Name, Rules: rights.EngineRules(d.channels), Enabled: user.Enabled})
	return nil
}

func (d *desired) addGroup(view *state.View, access identity.Access) error {
	group := view.UserGroups[access.GroupID]
	if group == nil {
		return nil // nobody is let in; a group in use cannot be deleted, so this does not last
	}
	for _, member := range users.Membership(group) {
		user := view.Users[member.UserID]
		if user == nil || user.Status == identity.Deleting {
			continue
		}
		published := directory.User{
			Name: user.Name, ID: user.ID, Auth: user.Auth, Passwords: user.Passwords,
			Incarnation: strings.Join([]string{user.Incarnation, member.Joined, access.Attached}, "/"),
		}
		if user.Name == identity.DefaultUser && access.From != "" {
			// Who logged in with the AUTH token that the group takes the place
			// of was "default" too and goes on under its new rules.
			published.Inherits = []string{access.From}
		}
		if err := d.add(published, user.Engine, user.AccessString); err != nil {
			return err
		}
	}
	if user := d.cache.User(identity.DefaultUser); user != nil {
		d.cache.Anonymous = user.Enabled && user.Auth == identity.AuthNoPassword
		if !user.Enabled {
			user.Inherits = nil // nobody may be this user any more
		}
	}
	return nil
}

// aclPubsubDefault is the parameter that says whether users may use all channels
// unless their access string says otherwise (ElastiCache user guide, RBAC).
const aclPubsubDefault = "acl-pubsub-default"

func allChannels(view *state.View, rg *identity.ReplicationGroup) bool {
	return caches.EngineParameters(view, rg)[aclPubsubDefault] != "resetchannels"
}

// fingerprint tells one desire from another; digests stand for their secrets.
func (d *desired) fingerprint() string {
	return fmt.Sprintf("%+v|%+v", *d.cache, d.users)
}

func listenAddress(host string, port int) string {
	return net.JoinHostPort(host, strconv.Itoa(port))
}
