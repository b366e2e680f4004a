package users

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const goodPassword = "correct-horse-battery"

func TestEveryAccountHasTheDefaultUser(t *testing.T) {
	a := newAccount(t, DefaultQuotas())
	want := []UserDescription{{
		ID: "default", Name: "default", Status: identity.Active, Engine: identity.Redis, MinimumEngineVersion: "6.0",
		AccessString: "on ~* +@all", GroupIDs: []string{}, Auth: identity.AuthNoPassword,
		ARN: "arn:aws:elasticache:us-east-1:000000000000:user:default",
	}}
	got, err := a.DescribeUsers(DescribeUsersInput{})
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("%v, %s", err, cmp.Diff(want, got))
	}

	before := a.state.View()
	if err := a.Init(a.ctx); err != nil || a.state.View() != before {
		t.Errorf("a second start wrote the default user again: %v", err)
	}
	_, err = a.ModifyUser(a.ctx, ModifyUserInput{ID: "Default", AccessString: ptr("off -@all")})
	a.refused(before, err, identity.InvalidParameterValue, "The default user cannot be modified.")
	_, err = a.DeleteUser(a.ctx, "default")
	a.refused(before, err, identity.InvalidParameterValue, "The default user cannot be deleted.")
	_, err = a.CreateUser(a.ctx, CreateUserInput{
		ID: "DEFAULT", Name: "default", Engine: "redis", AccessString: "on ~* +@all",
		Authentication: Authentication{NoPasswordRequired: ptr(true)},
	})
	a.refused(before, err, identity.UserExists, "User default already exists.")
}

func TestCreateUserStoresWhatWasAsked(t *testing.T) {
	password := Authentication{Passwords: secrets(goodPassword)}
	tests := map[string]struct {
		in   CreateUserInput
		want UserDescription
	}{
		"id and engine are lower-cased, the name is not": {
			CreateUserInput{ID: "App-User-1", Name: "App.User@Example", Engine: "REDIS", AccessString: "on ~app:* -@all +get", Authentication: password},
			UserDescription{ID: "app-user-1", Name: "App.User@Example", Engine: identity.Redis, MinimumEngineVersion: "6.0", AccessString: "on ~app:* -@all +get", Auth: identity.AuthPassword, PasswordCount: 1},
		},
		"passwords by the mode": {
			CreateUserInput{ID: "u", Name: "n", Engine: "valkey", AccessString: "on ~* +@all", Authentication: Authentication{
				Mode: &AuthenticationMode{Type: ptr("password"), Passwords: secrets(goodPassword, goodPassword+"2")},
			}},
			UserDescription{ID: "u", Name: "n", Engine: identity.Valkey, MinimumEngineVersion: "7.2", AccessString: "on ~* +@all", Auth: identity.AuthPassword, PasswordCount: 2},
		},
		"the mode's type with the older passwords": {
			CreateUserInput{ID: "u", Name: "n", Engine: "valkey", AccessString: "on ~* +@all", Authentication: Authentication{
				Passwords: secrets(goodPassword), Mode: &AuthenticationMode{Type: ptr("password")}, NoPasswordRequired: ptr(false),
			}},
			UserDescription{ID: "u", Name: "n", Engine: identity.Valkey, MinimumEngineVersion: "7.2", AccessString: "on ~* +@all", Auth: identity.AuthPassword, PasswordCount: 1},
		},
		"the same password twice is one": {
			CreateUserInput{ID: "u", Name: "n", Engine: "redis", AccessString: "on ~* +@all", Authentication: Authentication{Passwords: secrets(goodPassword, goodPassword)}},
			UserDescription{ID: "u", Name: "n", Engine: identity.Redis, MinimumEngineVersion: "6.0", AccessString: "on ~* +@all", Auth: identity.AuthPassword, PasswordCount: 1},
		},
		"no password by the flag": {
			CreateUserInput{ID: "u", Name: "default", Engine: "Redis", AccessString: "off ~* -@all", Authentication: Authentication{NoPasswordRequired: ptr(true)}},
			UserDescription{ID: "u", Name: "default", Engine: identity.Redis, MinimumEngineVersion: "6.0", AccessString: "off ~* -@all", Auth: identity.AuthNoPassword},
		},
		"no password by the mode": {
			CreateUserInput{ID: "u", Name: "n", Engine: "redis", AccessString: "on ~* +@all", Authentication: Authentication{
				NoPasswordRequired: ptr(true), Mode: &AuthenticationMode{Type: ptr("no-password-required")},
			}},
			UserDescription{ID: "u", Name: "n", Engine: identity.Redis, MinimumEngineVersion: "6.0", AccessString: "on ~* +@all", Auth: identity.AuthNoPassword},
		},
		"iam": {
			CreateUserInput{ID: "Role", Name: "role", Engine: "valkey", AccessString: "on ~* +@all", Authentication: Authentication{Mode: &AuthenticationMode{Type: ptr("iam")}}},
			UserDescription{ID: "role", Name: "role", Engine: identity.Valkey, MinimumEngineVersion: "7.2", AccessString: "on ~* +@all", Auth: identity.AuthIAM},
		},
		"the longest id, name and passwords with every character that is allowed": {
			CreateUserInput{ID: long(40), Name: long(128), Engine: "redis", AccessString: "on ~* +@all", Authentication: Authentication{
				Passwords: secrets(long(128), ` !#$%&'()*+-.0:;<=>?A[\]^_{|}~`+"`"),
			}},
			UserDescription{ID: long(40), Name: long(128), Engine: identity.Redis, MinimumEngineVersion: "6.0", AccessString: "on ~* +@all", Auth: identity.AuthPassword, PasswordCount: 2},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, DefaultQuotas())
			got, err := a.CreateUser(a.ctx, test.in)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Status = identity.Active
			test.want.GroupIDs = []string{}
			test.want.ARN = "arn:aws:elasticache:us-east-1:000000000000:user:" + test.want.ID
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			described, err := a.DescribeUsers(DescribeUsersInput{ID: &test.in.ID})
			if err != nil || !cmp.Equal(described, []UserDescription{test.want}) {
				t.Errorf("described as %v (%v)", described, err)
			}
		})
	}
}

func TestCreateUserRefusals(t *testing.T) {
	const notAnID = "The parameter UserId is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
	const characters = "Passwords may contain only printable ASCII characters, and none of: , \" / @"
	const visible = "UserName may contain only visible ASCII characters, and no spaces."
	mode := func(kind string, passwords ...string) Authentication {
		return Authentication{Mode: &AuthenticationMode{Type: &kind, Passwords: secrets(passwords...)}}
	}
	with := func(change func(in *CreateUserInput)) CreateUserInput {
		in := CreateUserInput{
			ID: "alice", Name: "alice", Engine: "redis", AccessString: "on ~* +@all",
			Authentication: Authentication{Passwords: secrets(goodPassword)},
		}
		change(&in)
		return in
	}
	auth := func(authentication Authentication) CreateUserInput {
		return with(func(in *CreateUserInput) { in.Authentication = authentication })
	}
	id := func(id string) CreateUserInput { return with(func(in *CreateUserInput) { in.ID = id }) }
	name := func(name string) CreateUserInput { return with(func(in *CreateUserInput) { in.Name = name }) }
	passwords := func(texts ...string) CreateUserInput { return auth(Authentication{Passwords: secrets(texts...)}) }

	tests := map[string]struct {
		in      CreateUserInput
		kind    identity.Kind
		message string
	}{
		"no id":              {id(""), identity.MissingParameter, "The parameter UserId must be provided and must not be blank."},
		"id with digit":      {id("1alice"), identity.InvalidParameterValue, notAnID},
		"id with dot":        {id("default.iam-user"), identity.InvalidParameterValue, notAnID},
		"id trailing hyphen": {id("alice-"), identity.InvalidParameterValue, notAnID},
		"id double hyphen":   {id("al--ice"), identity.InvalidParameterValue, notAnID},
		"id not ASCII":       {id("älice"), identity.InvalidParameterValue, notAnID},
		"id too long":        {id(long(41)), identity.InvalidParameterValue, "The parameter UserId is not a valid identifier because it is longer than 40 characters."},
		"id in use":          {id("TAKEN"), identity.UserExists, "User taken already exists."},
		"no name":            {name(""), identity.MissingParameter, "The parameter UserName must be provided and must not be blank."},
		"name with space":    {name("al ice"), identity.InvalidParameterValue, visible},
		"name with newline":  {name("alice\n"), identity.InvalidParameterValue, visible},
		"name with NUL":      {name("al\x00ice"), identity.InvalidParameterValue, visible},
		"name not ASCII":     {name("аlice"), identity.InvalidParameterValue, visible},
		"internal name":      {name("@gatehouse"), identity.InvalidParameterValue, "UserName must not begin with @, which is reserved."},
		"name too long":      {name(long(129)), identity.InvalidParameterValue, "UserName must not be longer than 128 characters."},
		"no engine":          {with(func(in *CreateUserInput) { in.Engine = "" }), identity.MissingParameter, "The parameter Engine must be provided and must not be blank."},
		"other engine":       {with(func(in *CreateUserInput) { in.Engine = "memcached" }), identity.InvalidParameterValue, "Invalid value for parameter Engine: memcached. Valid values are: redis, valkey."},
		"no access":          {with(func(in *CreateUserInput) { in.AccessString = "" }), identity.MissingParameter, "The parameter AccessString must be provided and must not be blank."},
		"blank access":       {with(func(in *CreateUserInput) { in.AccessString = " " }), identity.InvalidParameterValue, "AccessString must hold at least one rule."},
		"password in access": {with(func(in *CreateUserInput) { in.AccessString = "on ~* +@all >secret" }), identity.InvalidParameterValue, "AccessString must not set or remove passwords; use Passwords or AuthenticationMode."},
		"bad tag":            {with(func(in *CreateUserInput) { in.Tags = []naming.Tag{{Key: "aws:x"}} }), identity.InvalidParameterValue, "Tag keys must not begin with aws:, which is reserved."},

		"nothing about authentication":  {auth(Authentication{}), identity.InvalidParameterValue, "Input Authentication type: null is not in the allowed list: [password,no-password-required,iam]"},
		"mode without type":             {auth(Authentication{Mode: &AuthenticationMode{}}), identity.InvalidParameterValue, "Input Authentication type: null is not in the allowed list: [password,no-password-required,iam]"},
		"output's spelling of the type": {auth(mode("no-password")), identity.InvalidParameterValue, "Input Authentication type: no-password is not in the allowed list: [password,no-password-required,iam]"},
		"password too short":            {passwords(long(15)), identity.InvalidParameterValue, "Passwords length must be between 16-128 characters."},
		"second password too long":      {passwords(goodPassword, long(129)), identity.InvalidParameterValue, "Passwords length must be between 16-128 characters."},
		"short password in the mode":    {auth(mode("password", "short")), identity.InvalidParameterValue, "Passwords length must be between 16-128 characters."},
		"three passwords":               {passwords(long(16), long(17), long(18)), identity.InvalidParameterValue, "A user can have at most 2 passwords."},
		"comma":                         {passwords(goodPassword + ","), identity.InvalidParameterValue, characters},
		"quote":                         {passwords(goodPassword + `"`), identity.InvalidParameterValue, characters},
		"slash":                         {passwords(goodPassword + "/"), identity.InvalidParameterValue, characters},
		"at":                            {passwords(goodPassword + "@"), identity.InvalidParameterValue, characters},
		"newline of a file":             {passwords(goodPassword + "\n"), identity.InvalidParameterValue, characters},
		"not ASCII":                     {passwords(goodPassword + "é"), identity.InvalidParameterValue, characters},
		"passwords in both places": {
			auth(Authentication{Passwords: secrets(goodPassword), Mode: &AuthenticationMode{Type: ptr("password"), Passwords: secrets(goodPassword)}}),
			identity.InvalidParameterCombination, "Passwords provided via multiple arguments. Use only one argument",
		},
		"password type without one":    {auth(mode("password")), identity.InvalidParameterCombination, "A user with Authentication Mode: password, must have at least one password"},
		"flag false without password":  {auth(Authentication{NoPasswordRequired: ptr(false)}), identity.InvalidParameterCombination, "A user with Authentication Mode: password, must have at least one password"},
		"empty list of passwords":      {passwords(), identity.InvalidParameterValue, "No password was provided. If you want to create/update the user without password, please use the NoPasswordRequired flag."},
		"iam with password":            {auth(Authentication{Passwords: secrets(goodPassword), Mode: &AuthenticationMode{Type: ptr("iam")}}), identity.InvalidParameterCombination, "Password field is not allowed with authentication type: iam"},
		"no-password with password":    {auth(mode("no-password-required", goodPassword)), identity.InvalidParameterCombination, "Password field is not allowed with authentication type: no-password-required"},
		"flag with passwords":          {auth(Authentication{NoPasswordRequired: ptr(true), Passwords: secrets(goodPassword)}), identity.InvalidParameterCombination, "No password required flag is true but provided authentication type is password"},
		"flag with iam":                {auth(Authentication{NoPasswordRequired: ptr(true), Mode: &AuthenticationMode{Type: ptr("iam")}}), identity.InvalidParameterCombination, "No password required flag is true but provided authentication type is iam"},
		"iam with another name":        {with(func(in *CreateUserInput) { in.Name, in.Authentication = "bob", mode("iam") }), identity.InvalidParameterCombination, "User Id and User name must be same for authentication type: iam"},
		"iam with an upper-case name":  {with(func(in *CreateUserInput) { in.ID, in.Name, in.Authentication = "Alice", "Alice", mode("iam") }), identity.InvalidParameterCombination, "User Id and User name must be same for authentication type: iam"},
		"iam user named default":       {with(func(in *CreateUserInput) { in.Name, in.Authentication = "default", mode("iam") }), identity.InvalidParameterCombination, "User Id and User name must be same for authentication type: iam"},
		"valkey user without password": {with(func(in *CreateUserInput) { in.Engine, in.Authentication = "valkey", mode("no-password-required") }), identity.InvalidParameterCombination, "Authentication type no-password-required is not allowed for users with engine valkey. Use password or iam."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, DefaultQuotas())
			a.makeUser("taken", "taken", identity.Redis)
			before := a.state.View()
			_, err := a.CreateUser(a.ctx, test.in)
			a.refused(before, err, test.kind, test.message)
		})
	}
}

func TestUserQuota(t *testing.T) {
	a := newAccount(t, Quotas{Users: 2, Groups: 1, UsersPerGroup: 1})
	a.makeUser("one", "one", identity.Redis)
	a.makeUser("two", "two", identity.Redis)
	before := a.state.View()
	_, err := a.CreateUser(a.ctx, CreateUserInput{
		ID: "three", Name: "three", Engine: "redis", AccessString: "on ~* +@all",
		Authentication: Authentication{Passwords: secrets(goodPassword)},
	})
	a.refused(before, err, identity.UserQuota, "The quota of users has been exceeded: an account has at most 2.")
}

func TestModifyUser(t *testing.T) {
	tests := map[string]struct {
		in    ModifyUserInput
		check func(u *identity.User) bool
		event string
	}{
		"access string": {
			ModifyUserInput{AccessString: ptr("on ~a:* -@all +get")},
			func(u *identity.User) bool { return u.AccessString == "on ~a:* -@all +get" && len(u.Passwords) == 1 },
			"User alice is being modified: access string. Connected clients stay connected.",
		},
		"incomplete access string": {
			ModifyUserInput{AccessString: ptr("off +get ~keys*")}, // the guide's own example
			func(u *identity.User) bool { return u.AccessString == "off ~keys* -@all +get" },
			"User alice is being modified: access string. Connected clients stay connected.",
		},
		"appended access string": {
			ModifyUserInput{AppendAccessString: ptr("-flushall")},
			func(u *identity.User) bool { return u.AccessString == "on ~* +@all -flushall" },
			"User alice is being modified: access string. Connected clients stay connected.",
		},
		"passwords are replaced": {
			ModifyUserInput{Authentication: Authentication{Passwords: secrets("something-else-entirely")}},
			func(u *identity.User) bool { return len(u.Passwords) == 1 && len(u.Past) == 2 },
			"User alice is being modified: authentication. Connected clients stay connected.",
		},
		"to iam": {
			ModifyUserInput{Authentication: Authentication{Mode: &AuthenticationMode{Type: ptr("iam")}}},
			func(u *identity.User) bool {
				return u.Auth == identity.AuthIAM && u.Passwords == nil && len(u.Past) == 1
			},
			"User alice is being modified: authentication. Connected clients stay connected.",
		},
		"everything": {
			ModifyUserInput{Engine: ptr("VALKEY"), AccessString: ptr("off -@all"), Authentication: Authentication{Passwords: secrets(goodPassword, "something-else-entirely")}},
			func(u *identity.User) bool {
				return u.Engine == identity.Valkey && len(u.Passwords) == 2 && u.AccessString == "off -@all"
			},
			"User alice is being modified: access string, engine, authentication. Connected clients stay connected.",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, DefaultQuotas())
			a.makeUser("alice", "alice", identity.Redis)
			incarnation := a.user("alice").Incarnation
			test.in.ID = "ALICE"
			described, err := a.ModifyUser(a.ctx, test.in)
			if err != nil {
				t.Fatal(err)
			}
			if user := a.user("alice"); described.Status != identity.Modifying || user.Status != identity.Modifying || !test.check(user) {
				t.Errorf("stored %+v", user)
			}
			if events := a.events("user", "alice"); !slices.Contains(events, test.event) {
				t.Errorf("events: %q", events)
			}
			a.finish(func(any) bool { return false })
			if status := a.user("alice").Status; status != identity.Modifying {
				t.Errorf("%s before the caches followed", status)
			}
			before := a.state.View()
			_, err = a.ModifyUser(a.ctx, test.in)
			a.refused(before, err, identity.UserState, "User alice has status modifying. Only active users can be modified.")
			_, err = a.DeleteUser(a.ctx, "alice")
			a.refused(before, err, identity.UserState, "User alice has status modifying. Only active users can be deleted.")

			a.finish(all)
			if user := a.user("alice"); user.Status != identity.Active || !test.check(user) || user.Incarnation != incarnation {
				t.Errorf("finished as %+v", user)
			}
		})
	}
}

func TestModifyUserRefusals(t *testing.T) {
	iam := Authentication{Mode: &AuthenticationMode{Type: ptr("iam")}}
	none := Authentication{NoPasswordRequired: ptr(true)}
	tests := map[string]struct {
		in      ModifyUserInput
		kind    identity.Kind
		message string
	}{
		"unknown":              {ModifyUserInput{ID: "nobody", AccessString: ptr("on")}, identity.UserNotFound, "User nobody not found."},
		"no id":                {ModifyUserInput{}, identity.MissingParameter, "The parameter UserId must be provided and must not be blank."},
		"nothing":              {ModifyUserInput{ID: "in-redis"}, identity.InvalidParameterCombination, "No modifications were requested for user in-redis. Give an access string, an engine, or an authentication mode or passwords."},
		"both access strings":  {ModifyUserInput{ID: "in-redis", AccessString: ptr("on"), AppendAccessString: ptr("+get")}, identity.InvalidParameterCombination, "AccessString and AppendAccessString cannot be given together. Use only one of them."},
		"blank access string":  {ModifyUserInput{ID: "in-redis", AccessString: ptr("")}, identity.MissingParameter, "The parameter AccessString must be provided and must not be blank."},
		"blank appended":       {ModifyUserInput{ID: "in-redis", AppendAccessString: ptr(" ")}, identity.InvalidParameterValue, "AppendAccessString must hold at least one rule."},
		"other engine":         {ModifyUserInput{ID: "in-redis", Engine: ptr("dragonfly")}, identity.InvalidParameterValue, "Invalid value for parameter Engine: dragonfly. Valid values are: redis, valkey."},
		"empty passwords":      {ModifyUserInput{ID: "in-redis", Authentication: Authentication{Passwords: []identity.Secret{}}}, identity.InvalidParameterValue, "No password was provided. If you want to create/update the user without password, please use the NoPasswordRequired flag."},
		"iam, other name":      {ModifyUserInput{ID: "in-redis", Authentication: iam}, identity.InvalidParameterCombination, "User Id and User name must be same for authentication type: iam"},
		"valkey, no password":  {ModifyUserInput{ID: "in-redis", Engine: ptr("valkey"), Authentication: none}, identity.InvalidParameterCombination, "Authentication type no-password-required is not allowed for users with engine valkey. Use password or iam."},
		"valkey in redis":      {ModifyUserInput{ID: "in-redis", Engine: ptr("valkey")}, identity.InvalidParameterCombination, "User in-redis cannot be modified so while it is in user group rg: users with engine valkey cannot be in groups with engine redis."},
		"no password, valkey":  {ModifyUserInput{ID: "in-valkey", Authentication: none}, identity.InvalidParameterCombination, "User in-valkey cannot be modified so while it is in user group vg: users that need no password cannot be in groups with engine valkey."},
		"default, also valkey": {ModifyUserInput{ID: "own-default", Engine: ptr("valkey")}, identity.InvalidParameterCombination, "User own-default cannot be modified so while it is in user group rg: users with engine valkey cannot be in groups with engine redis."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, DefaultQuotas())
			a.makeUser("in-redis", "r", identity.Redis)
			a.makeUser("in-valkey", "v", identity.Redis)
			a.makeUser("own-default", "default", identity.Redis)
			a.makeGroup("rg", identity.Redis, "own-default", "in-redis")
			a.makeGroup("vg", identity.Valkey, "in-valkey")
			before := a.state.View()
			_, err := a.ModifyUser(a.ctx, test.in)
			a.refused(before, err, test.kind, test.message)
		})
	}
}

// A rotation sends the password to keep again beside the new one.
func TestRotationKeepsThePasswordThatIsSentAgain(t *testing.T) {
	a := newAccount(t, DefaultQuotas())
	a.makeUser("alice", "alice", identity.Redis)
	first := a.user("alice").Passwords[0]
	rotate := func(texts ...string) {
		t.Helper()
		if _, err := a.ModifyUser(a.ctx, ModifyUserInput{ID: "alice", Authentication: Authentication{Passwords: secrets(texts...)}}); err != nil {
			t.Fatal(err)
		}
		a.finish(all)
	}
	rotate("quite-another-password", "first-password-alice")
	user := a.user("alice")
	if len(user.Passwords) != 2 || user.Passwords[1] != first || len(user.Past) != 2 {
		t.Errorf("%d passwords, %d remembered; want the old digest kept and one new remembered", len(user.Passwords), len(user.Past))
	}
	for i := range 6 {
		rotate(fmt.Sprintf("%s-password", strings.Repeat(string(rune('b'+i)), 12)))
	}
	if n := len(a.user("alice").Past); n != identity.PastSecretsKept {
		t.Errorf("%d passwords are remembered", n)
	}
}

func TestUsedPasswordsAreAcceptedWithAdvice(t *testing.T) {
	const same = "A new password of user alice is one that the user had before. Use a password that was not used before."
	const similar = "A new password of user alice is only a variation of one of its last passwords. Use a different password."
	tests := map[string]struct{ password, advice string }{
		"same":      {"first-password-alice", same},
		"variation": {"First-Password-Alice-2027", similar},
		"different": {"nothing-of-that-sort", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, DefaultQuotas())
			a.makeUser("alice", "alice", identity.Redis)
			for _, password := range []string{"quite-another-secret", test.password} {
				if _, err := a.ModifyUser(a.ctx, ModifyUserInput{ID: "alice", Authentication: Authentication{Passwords: secrets(password)}}); err != nil {
					t.Fatal(err)
				}
				a.finish(all)
			}
			events := a.events("user", "alice")
			for _, advice := range []string{same, similar} {
				if slices.Contains(events, advice) != (advice == test.advice) {
					t.Errorf("events: %q", events)
				}
			}
		})
	}
}

func TestNoPasswordIsStoredOrTold(t *testing.T) {
	a := newAccount(t, DefaultQuotas())
	a.makeUser("alice", "alice", identity.Redis)
	_, err := a.ModifyUser(a.ctx, ModifyUserInput{ID: "alice", Authentication: Authentication{Passwords: secrets("first-password-alice", goodPassword)}})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(a.user("alice"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(stored) + strings.Join(a.events("user", "alice"), "\n")
	for _, password := range []string{"first-password-alice", goodPassword} {
		if strings.Contains(text, password) {
			t.Errorf("%s can be read in %s", password, text)
		}
	}
}

func TestDescribeUsers(t *testing.T) {
	a := newAccount(t, DefaultQuotas())
	a.makeUser("bob", "Bob", identity.Valkey)
	a.makeUser("alice", "alice", identity.Redis)
	a.makeUser("own-default", "default", identity.Redis)
	a.makeGroup("team", identity.Redis, "own-default", "alice")
	tests := map[string]struct {
		in   DescribeUsersInput
		want []string
	}{
		"all, sorted":        {DescribeUsersInput{}, []string{"alice", "bob", "default", "own-default"}},
		"one":                {DescribeUsersInput{ID: ptr("Alice")}, []string{"alice"}},
		"engine":             {DescribeUsersInput{Engine: ptr("VALKEY")}, []string{"bob"}},
		"id of other engine": {DescribeUsersInput{ID: ptr("alice"), Engine: ptr("valkey")}, nil},
		"ids":                {DescribeUsersInput{Filters: []Filter{{"UserId", []string{"BOB", "alice", "nobody"}}}}, []string{"alice", "bob"}},
		"name, exact":        {DescribeUsersInput{Filters: []Filter{{"UserName", []string{"bob", "default"}}}}, []string{"default", "own-default"}},
		"group":              {DescribeUsersInput{Filters: []Filter{{"UserGroupId", []string{"team"}}}}, []string{"alice", "own-default"}},
		"all must hold":      {DescribeUsersInput{Filters: []Filter{{"UserGroupId", []string{"team"}}, {"UserName", []string{"default"}}}}, []string{"own-default"}},
		"status":             {DescribeUsersInput{Filters: []Filter{{"Status", []string{"modifying"}}}}, nil},
		"engine by filter":   {DescribeUsersInput{Filters: []Filter{{"Engine", []string{"Valkey"}}}}, []string{"bob"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := a.DescribeUsers(test.in)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, user := range found {
				ids = append(ids, user.ID)
			}
			if !slices.Equal(ids, test.want) {
				t.Errorf("%q, want %q", ids, test.want)
			}
		})
	}
	before := a.state.View()
	_, err := a.DescribeUsers(DescribeUsersInput{ID: ptr("nobody")})
	a.refused(before, err, identity.UserNotFound, "User nobody not found.")
	_, err = a.DescribeUsers(DescribeUsersInput{Filters: []Filter{{"Colour", []string{"red"}}}})
	a.refused(before, err, identity.InvalidParameterValue, "Unknown filter name Colour. Valid names are: UserId, UserName, Engine, Status, UserGroupId.")
	_, err = a.DescribeUsers(DescribeUsersInput{Filters: []Filter{{Name: "UserId"}}})
	a.refused(before, err, identity.InvalidParameterValue, "Filter UserId has no values.")
	_, err = a.DescribeUsers(DescribeUsersInput{Engine: ptr("x")})
	a.refused(before, err, identity.InvalidParameterValue, "Invalid value for parameter Engine: x. Valid values are: redis, valkey.")
}

func TestAnErrorDoesNotRepeatHostileInputWhole(t *testing.T) {
	a := newAccount(t, DefaultQuotas())
	_, err := a.DeleteUser(a.ctx, long(5000)+"\xff")
	if identity.KindOf(err) != identity.UserNotFound || len(err.Error()) > 300 {
		t.Errorf("%d bytes: %v", len(err.Error()), err)
	}
}
