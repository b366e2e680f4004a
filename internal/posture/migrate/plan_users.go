package migrate

import (
	"maps"
	"slices"
	"strings"

	source "github.com/gatehouse/gatehouse/internal/posture/source/aws"
)

// maxUserID is the longest id of an ElastiCache user.
const maxUserID = 40

// userID makes an id for something that the plan creates.
func (p *cachePlan) userID(suffix string) string {
	base := p.id[:min(len(p.id), maxUserID-len(suffix)-1)]
	return strings.TrimRight(base, "-") + "-" + suffix
}

// usersPlan is the way to user groups, with passwords or with IAM.
type usersPlan struct {
	*cachePlan
	group  string // the user group, made or found
	made   bool
	app    string   // the user that clients move to
	old    []string // the users that go at the end
	off    string   // the placeholder that Redis OSS wants in place of default
	method string   // how callers of the old path log in
}

// planUsers gives a cache named users: the old way in stays as the user default
// until nobody takes it, and is then replaced by one who is off.
func (p *cachePlan) planUsers() error {
	u := &usersPlan{cachePlan: p, app: p.set("user", p.userID("app")), off: p.userID("off"), method: "anonymous"}
	iam := p.req.To != "rbac"
	if done := u.found(iam); done {
		return nil
	}
	u.needs(iam)
	u.users(iam)
	need := rbacFrom
	if iam {
		need = iamFrom
	}
	if p.older(need) {
		u.upgrade()
	}
	if !p.serverless {
		p.encrypt("", "")
	}
	u.attach()
	u.close()
	return nil
}

// found looks at what is there already.
func (u *usersPlan) found(iam bool) bool {
	if len(u.groups) == 0 {
		u.group, u.made = u.set("user-group", u.userID("users")), true
		if u.token && !u.half {
			u.method = "token,password"
		}
		return false
	}
	u.group = u.groups[0]
	users, _ := u.conf.Fields["Users"].(map[string]any)
	for _, id := range words(u.conf.at("Groups." + segment(u.group) + ".UserIds")) {
		user, _ := users[segment(id)].(map[string]any)
		kind, access := fieldText(user, "Authentication"), fieldText(user, "AccessString")
		off := strings.HasPrefix(access, "off")
		switch {
		case kind == "no-password" && !off:
			u.old = append(u.old, id)
		case kind == "password" && iam:
			u.old, u.method = append(u.old, id), "anonymous,token,password"
		}
	}
	if len(u.old) == 0 {
		u.plan.Why = "every user of group " + u.group + " has to prove who it is"
		return true
	}
	return false
}

func fieldText(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func (u *usersPlan) needs(iam bool) {
	u.plan.Watch.Users = []string{u.app, u.off}
	if u.made {
		u.plan.Watch.Groups = []string{u.group}
		u.plan.Watch.Users = append(u.plan.Watch.Users, u.compat())
	}
	if iam {
		u.warn("each client's role needs elasticache:Connect on the cache and on user %s; IAM connections end after 12 hours", u.app)
	}
}

// compat is the user default that stands for the old way in.
func (u *usersPlan) compat() string {
	if u.token && !u.half {
		return u.userID("token")
	}
	return u.userID("open")
}

func (u *usersPlan) create(id, title string, input map[string]any, effect string) {
	input["UserId"], input["Engine"] = id, u.engine
	path := "Users." + segment(id)
	u.add(Step{
		ID: "user-" + id, Kind: KindCall, Title: title, Effect: effect, Call: call("elasticache", "CreateUser", input), Until: []Check{{Path: path, Exists: true}},
		Rollback: undo(call("elasticache", "DeleteUser", map[string]any{"UserId": id}), Check{Path: path, Absent: true}),
	})
}

// users makes the user that clients move to and, for a cache without a user
// group, the one that keeps the old way in open meanwhile.
func (u *usersPlan) users(iam bool) {
	access := u.set("access-string", "on ~* +@all")
	if access == "on ~* +@all" {
		u.warn("user %s may do everything: narrow it with --set access-string=…", u.app)
	}
	input := map[string]any{"UserName": u.app, "AccessString": access}
	if iam {
		input["AuthenticationMode"] = map[string]any{"Type": "iam"}
	} else {
		input["Passwords"] = []any{"${secret." + u.app + "}"}
	}
	u.create(u.app, "make the user that clients move to", input, "none")
	if !u.made {
		path := "Groups." + segment(u.group) + ".UserIds"
		u.add(Step{
			ID: "add-user", Kind: KindCall, Title: "add it to user group " + u.group, Effect: "none: the other users stay", Reaches: Dual,
			Call: u.modifyGroup([]string{u.app}, nil), Until: []Check{{Path: path, Has: u.app}}, Rollback: undo(u.modifyGroup(nil, []string{u.app}), Check{Path: path, Lacks: u.app}),
		})
		return
	}
	old := map[string]any{"UserName": "default", "AccessString": "on ~* +@all", "NoPasswordRequired": true}
	title := "make a user default without a password, who stands for the callers of today"
	if u.token && !u.half {
		old = map[string]any{"UserName": "default", "AccessString": "on ~* +@all", "Passwords": []any{"${secret.auth-token}"}}
		title = "make a user default whose password is today's token"
	}
	u.create(u.compat(), title, old, "none: no cache uses it yet")
	u.old = []string{u.compat()}
	path := "Groups." + segment(u.group)
	u.add(Step{
		ID: "user-group", Kind: KindCall, Title: "make user group " + u.group, Effect: "none",
		Call:  call("elasticache", "CreateUserGroup", map[string]any{"UserGroupId": u.group, "Engine": u.engine, "UserIds": []any{u.compat(), u.app}}),
		Until: []Check{{Path: path, Exists: true}}, Rollback: undo(call("elasticache", "DeleteUserGroup", map[string]any{"UserGroupId": u.group}), Check{Path: path, Absent: true}),
	})
}

func (u *usersPlan) modifyGroup(add, remove []string) *Call {
	input := map[string]any{"UserGroupId": u.group}
	if len(add) > 0 {
		input["UserIdsToAdd"] = list(add)
	}
	if len(remove) > 0 {
		input["UserIdsToRemove"] = list(remove)
	}
	return call("elasticache", "ModifyUserGroup", input)
}

// upgrade comes together with the user group: alone it would turn ElastiCache.6
// green and leave the cache open.
func (u *usersPlan) upgrade() {
	version := u.set("engine-version", upgradeTo)
	u.warn("between the upgrade and the user group ElastiCache.6 is green and the cache still open: the migration is not over until it is VERIFIED")
	u.add(Step{
		ID: "upgrade", Kind: KindCall, Title: "upgrade the engine from " + u.version + " to " + version + ", together with what follows",
		Effect: "nodes are replaced one after the other; connections are cut once and come back",
		Call:   u.modify(map[string]any{"EngineVersion": version}), Made: []Check{{Path: "Group.EngineVersion", Differs: u.version}}, Until: []Check{{Path: "Group.EngineVersion", Differs: u.version}},
		Rollback: &Undo{Impossible: true, Note: "an engine cannot be downgraded; restore a snapshot into a new group"},
	})
}

// attach gives the cache its user group, in one call with taking the token away.
func (u *usersPlan) attach() {
	if !u.made {
		u.moveClients()
		return
	}
	path, back := "Group.UserGroupIds", &Undo{}
	input := map[string]any{"UserGroupIdsToAdd": []any{u.group}}
	make := u.modify
	if u.serverless {
		make = u.modifyServerless
		input = map[string]any{"UserGroupId": u.group}
		back = undo(make(map[string]any{"RemoveUserGroup": true}), Check{Path: path, Lacks: u.group})
	} else {
		back = undo(make(map[string]any{"UserGroupIdsToRemove": []any{u.group}}), Check{Path: path, Lacks: u.group})
	}
	effect := "none: whoever does not log in is the user default, as today"
	if u.token {
		input["AuthTokenUpdateStrategy"] = "DELETE"
		effect = "none: today's token is the password of the user default"
		token := func(strategy string, more map[string]any) Call {
			in := map[string]any{"AuthToken": "${secret.auth-token}", "AuthTokenUpdateStrategy": strategy}
			maps.Copy(in, more)
			return *make(in)
		}
		back = &Undo{Note: "the token is optional for a moment, between ROTATE and SET", Calls: []UndoCall{
			{Call: token("ROTATE", map[string]any{"RemoveUserGroups": true}), Until: []Check{{Path: path, Lacks: u.group}, is("Group.AuthTokenEnabled", true)}},
			{Call: token("SET", nil), Made: []Check{u.refused()}},
		}}
		if u.half {
			back.Calls = back.Calls[:1]
		}
	}
	u.add(Step{ID: "attach", Kind: KindCall, Title: "attach user group " + u.group, Effect: effect, Reaches: Dual, Call: make(input), Until: []Check{{Path: path, Has: u.group}}, Rollback: back})
	u.moveClients()
}

func (u *usersPlan) modifyServerless(input map[string]any) *Call {
	input["ServerlessCacheName"] = u.id
	return call("elasticache", "ModifyServerlessCache", input)
}

func (u *usersPlan) moveClients() {
	how := "let every client log in as " + u.app + " with its password"
	if u.req.To != "rbac" {
		how = "let every client log in as " + u.app + " with an IAM token (gatehouse token, or pkg/cacheauth)"
	}
	u.add(Step{ID: "move-clients", Kind: KindManual, Reaches: Dual, Title: how, Effect: "each client moves when it is ready; both ways in are open"})
	names := []string{}
	if u.method != "anonymous" {
		for _, id := range u.old {
			name := "default"
			if user, ok := u.conf.at("Users." + segment(id)).(map[string]any); ok {
				name = fieldText(user, "UserName")
			}
			names = append(names, name)
		}
	}
	u.drain(u.evidence(u.method, strings.Join(names, ","), "no metric counts logins by user or successful commands without a login"))
}

// close takes the old users out of the group. Redis OSS wants a user named
// default in every group: a placeholder who is off takes its place in the same
// call.
func (u *usersPlan) close() {
	path := "Groups." + segment(u.group) + ".UserIds"
	var add []string
	if u.engine == "redis" && u.replacesDefault() {
		u.create(u.off, "make a user default who is off, because Redis OSS wants one in every group",
			map[string]any{"UserName": "default", "AccessString": "off ~* -@all", "NoPasswordRequired": true}, "none")
		add = []string{u.off}
	}
	checks := []Check{}
	for _, id := range u.old {
		checks = append(checks, Check{Path: path, Lacks: id})
	}
	for _, id := range add {
		checks = append(checks, Check{Path: path, Has: id})
	}
	back := slices.Clone(u.old)
	undone := []Check{{Path: path, Has: u.old[0]}}
	u.add(Step{
		ID: "close", Kind: KindCall, Title: "take " + strings.Join(u.old, ", ") + " out of the group; they are kept for the way back", Closes: true, Reaches: Closed,
		Effect: "whoever does not log in as a named user is refused", Call: u.modifyGroup(add, u.old), Until: checks, Rollback: undo(u.modifyGroup(back, add), undone...),
	})
	u.verifyCache(checks...)
}

func (u *usersPlan) replacesDefault() bool {
	if u.made {
		return true
	}
	return slices.ContainsFunc(u.old, func(id string) bool {
		user, _ := u.conf.at("Users." + segment(id)).(map[string]any)
		return fieldText(user, "UserName") == "default"
	})
}

// planServerless plans for a serverless cache: TLS is always on, and user groups
// are the only authentication.
func planServerless(b *builder) error {
	p := b.cache()
	p.serverless, p.token = true, false
	b.plan.From = map[bool]string{true: "rbac", false: "open"}[len(p.groups) > 0]
	b.plan.Control = "Gatehouse.2"
	if err := b.choose("iam", "service to service: IAM needs no secret to store or rotate", "rbac", "iam", "aws_iam"); err != nil {
		return err
	}
	if p.engine == "redis" && source.Older(p.version, rbacFrom) {
		p.version = upgradeTo // serverless caches begin at 7.0
	}
	return p.planUsers()
}
