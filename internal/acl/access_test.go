package acl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// stored are access strings and the form in which they are kept.
var stored = []struct{ text, want string }{
	// Examples of AWS's guides.
	{"on ~* +@all", "on ~* +@all"},
	{"off -@all", "off -@all"},
	{"on ~* -@all +SET", "on ~* -@all +SET"},
	{"off +get ~keys*", "off ~keys* -@all +get"},
	{"~objects:* ~items:* ~public:*", "off ~objects:* ~items:* ~public:* -@all"},
	{"on ~app::* -@all +@read +@hash +@bitmap +@geo -setbit -bitfield -hset -hsetnx -hmset -hincrby -hincrbyfloat -hdel -bitop -geoadd -georadius -georadiusbymember", ""},
	{"on ~* &* -@all +@connection +cluster|nodes +client|no-evict", ""},
	// As submitted, but for the space around it.
	{"  on  ~*\t+@all\n", "on  ~*\t+@all"},
	{"~* ON +@ALL", "~* ON +@ALL"},
	{"on allkeys allchannels allcommands", ""},
	{"on %R~in:* %W~out:* %RW~both:* nocommands +get +set", ""},
	{"on resetchannels &news:* ~* +@all", ""},
	{"on ~* +@all (%R~other:* -@all +get) ( ~x +@all )", ""},
	{"on ~* +@all -script|debug -module", ""},
	{"on -@all +select|0 +cluster|info", ""},
	{"on ~a(b ~c) -@all", ""},
	{"on ~a +get -@all +set", ""},
	{"on ~* -@all (~a)b +get)", ""},
	// Canonical.
	{"on", "on -@all"},
	{"+@all", "off +@all"},
	{"on off ~* +@all", "off ~* +@all"},
	{"~a +get -@all +set", "off ~a -@all +set"},
	{"on ~* resetkeys ~b +get", "on ~b -@all +get"},
	{"on &a resetchannels +get", "on resetchannels -@all +get"},
	{"on (~y +@all) clearselectors +get (~z +get)", "on -@all +get (~z +get)"},
	{"sanitize-payload +get (+get &c ~k)", "off -@all +get (~k &c +get)"},
	{"on ()", "on -@all ()"},
	{"on ~\xc3\xa9:* +get", "on ~\xc3\xa9:* -@all +get"},
}

func TestStoredForm(t *testing.T) {
	for _, test := range stored {
		for _, kind := range engines {
			access, err := acl.Parse(kind, test.text)
			if err != nil {
				t.Errorf("%s, %q: %v", kind, test.text, err)
				continue
			}
			want := test.want
			if want == "" {
				want = test.text
			}
			if access.String() != want {
				t.Errorf("%q is stored as %q, want %q", test.text, access, want)
			}
			again, err := acl.Parse(kind, access.String())
			if err != nil || again.String() != access.String() || again.Enabled() != access.Enabled() {
				t.Errorf("the stored form %q does not stand for itself: %v, %v", access, again, err)
			}
			if !slices.Equal(again.EngineRules(true), access.EngineRules(true)) {
				t.Errorf("%q and its stored form %q mean different things", test.text, access)
			}
		}
	}
}

// refused are access strings and a part of the message that explains why not.
var refused = []struct{ text, why string }{
	{"", "at least one rule"},
	{" \t ", "at least one rule"},
	{"on >secret-of-somebody +@all", "must not set or remove passwords"},
	{"on <secret-of-somebody", "must not set or remove passwords"},
	{"on #2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "must not set or remove passwords"},
	{"on !2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "must not set or remove passwords"},
	{"on NoPass ~* +@all", "must not set or remove passwords"},
	{"resetpass", "must not set or remove passwords"},
	{"reset on +@all", "would remove the user's passwords"},
	{"RESET", "would remove the user's passwords"},
	{"on skip-sanitize-payload", "always checked"},
	{"on ~* +config", `"+config" is not allowed: the command is restricted`},
	{"on ~* +@all -config", "restricted"},
	{"on +Config|Get", "restricted"},
	{"on +debug|object", "restricted"},
	{"on +acl|SETUSER", "restricted"},
	{"on +cluster|failover", "restricted"},
	{"on +module|list", "restricted"},
	{"on +script|debug", "restricted"},
	{"on (~* +replicaof)", "restricted"},
	{`on (~* +"config|get")`, "quotes"},
	{`on (~* +'get')`, "quotes"},
	{"on +nonesuch", "no such command"},
	{"on -nonesuch", "no such command"},
	{"on +cluster|nonesuch", "no such subcommand"},
	{"on +cluster|", "no such subcommand"},
	{"on +cluster|info|x", "no such subcommand"},
	{"on -select|0", "one first argument only"},
	{"on +select|", "one first argument"},
	{"on +get|a|b", "one first argument"},
	{"on +@nonesuch", "no such command category"},
	{"on +@", "no such command category"},
	{"on +", "no such command"},
	{"on -", "no such command"},
	{"on get", "not a rule"},
	{"on )", "not a rule"},
	{"on ((~y))", "not a rule"},
	{"on (on)", "not a rule"},
	{"on (>password-in-a-selector)", "not a rule"},
	{"on (~y +get", "no closing parenthesis"},
	{"on (~y)x", "no closing parenthesis"},
	{"on ~* ~foo", "resetkeys"},
	{"on allkeys %R~foo", "resetkeys"},
	{"on &* &foo", "resetchannels"},
	{"on %R", "key permission"},
	{"on %~a", "key permission"},
	{"on %RR~a", "key permission"},
	{"on %X~a", "key permission"},
	{"on ~", "pattern is empty"},
	{"on %R~", "pattern is empty"},
	{"on &", "pattern is empty"},
	{"on ~a\x00b", "position 6"},
	{"on\u00a0+@all", "position 3"},
	{"on\v+@all", "position 3"},
	{"on ~\xff", "UTF-8"},
	{"on " + strings.Repeat("~k ", 6000), "16384 is the most"},
	{"on " + strings.Repeat("() ", 65), "at most 64 selectors"},
}

func TestRefused(t *testing.T) {
	for _, test := range refused {
		for _, kind := range engines {
			_, err := acl.Parse(kind, test.text)
			if identity.KindOf(err) != identity.InvalidParameterValue || !strings.Contains(err.Error(), test.why) {
				t.Errorf("%s, %.80q: %v; want something about %q", kind, test.text, err, test.why)
			}
			if err != nil && strings.Contains(err.Error(), "somebody") {
				t.Errorf("%q: the error repeats a password: %v", test.text, err)
			}
		}
	}
}

func TestTheUsersEngineDecidesWhichCommandsThereAre(t *testing.T) {
	const text = "on -@all +client|capa" // valkey 8.0
	if _, err := acl.Parse(identity.Valkey, text); err != nil {
		t.Errorf("for valkey: %v", err)
	}
	if _, err := acl.Parse(identity.Redis, text); err == nil {
		t.Error("redis 7.0 has no CLIENT CAPA, but it was accepted")
	}
	if _, err := acl.Parse("memcached", "on +@all"); err == nil {
		t.Error("an unknown engine has rules")
	}
}

func TestAppend(t *testing.T) {
	tests := []struct{ current, addition, want string }{
		{"on ~* +@all", "-@dangerous", "on ~* +@all -@dangerous"},
		{"on ~* +@all", "off", "off ~* +@all"},
		{"off ~a -@all", "on ~b +get", "on ~a ~b -@all +get"},
		{"on ~a -@all +get", "(~b +set)", "on ~a -@all +get (~b +set)"},
	}
	for _, test := range tests {
		access, err := acl.Append(identity.Valkey, test.current, test.addition)
		if err != nil || access.String() != test.want {
			t.Errorf("%q and %q give %q (%v), want %q", test.current, test.addition, access, err, test.want)
		}
	}
	for _, addition := range []string{"", "  ", "~b", "nonsense", ">password-of-mine"} {
		if _, err := acl.Append(identity.Valkey, "on ~* +@all", addition); identity.KindOf(err) != identity.InvalidParameterValue {
			t.Errorf("appending %q: %v", addition, err)
		}
	}
}

func TestEngineRules(t *testing.T) {
	suffix := ""
	for _, name := range acl.Restricted() {
		suffix += " -" + name
	}
	tests := []struct {
		text     string
		channels bool
		want     string
	}{
		{"off ~* -@all", true, "~* &* -@all"},
		{"off ~* -@all", false, "~* -@all"},
		{"on ~* +@all", true, "~* &* +@all" + suffix},
		{"on ~* +@all resetchannels", true, "~* resetchannels +@all" + suffix},
		{"on ~* &a allcommands", true, "~* &a allcommands" + suffix},
		{"on ~a -@all +get (~b +@all) (&x ~c)", true, "~a &* -@all +get" + suffix + " (~b &* +@all" + suffix + ") (~c &x)"},
		{"on ~a -@all +get (~b +@all) ()", false, "~a -@all +get" + suffix + " (~b +@all" + suffix + ") ()"},
	}
	for _, test := range tests {
		access, err := acl.Parse(identity.Redis, test.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(access.EngineRules(test.channels), " "); got != test.want {
			t.Errorf("%q gives %q, want %q", test.text, got, test.want)
		}
	}
}

func TestHideRestriction(t *testing.T) {
	const computed = "+@all -@admin -script|debug +slowlog|reset +slowlog|len +slowlog|get +latency|reset +latency|doctor +latency|graph +latency|histogram +latency|latest +latency|history -config +role +acl|log +acl|dryrun +acl|users +acl|getuser +acl|list +cluster|count-failure-reports +cluster|replicas +cluster|slaves -cluster|links -migrate +pfselftest +lastsave +pfdebug -module +monitor +client|kill +client|unpause +client|unblock +client|list +client|no-evict +client|pause"
	tests := []struct {
		kind       identity.Engine
		line, want string
	}{
		{identity.Valkey, "", ""},
		{identity.Valkey, "user a on ~* resetchannels +@all -config -cluster|reset", "user a on ~* resetchannels +@all"},
		{identity.Valkey, "user a on +@all -config (~y resetchannels +@all -config) (+@all -set -save)", "user a on +@all (~y resetchannels +@all) (+@all -set)"},
		{identity.Valkey, "~-config &-config +config", "~-config &-config +config"},
		{identity.Valkey, "-config", ""},
		{identity.Valkey, "user -config on -@all", "user -config on -@all"},
		{identity.Redis, "user +@all on +@all -config", "user +@all on +@all"},
		{identity.Redis, "", ""},
		{identity.Redis, computed, "+@all"},
		{identity.Redis, "user a on ~* &* " + computed + " (~y &* " + computed + ")", "user a on ~* &* +@all (~y &* +@all)"},
		{identity.Redis, "user a off ~* resetchannels -@all +set +get", "user a off ~* resetchannels -@all +get +set"},
		{identity.Redis, "user a off ~* resetchannels -@all +@read +select|0 +select|1", "user a off ~* resetchannels -@all +@read +select|0 +select|1"},
		{identity.Redis, "-@all +@dangerous -config|get -config|set", "-@all +@dangerous"},
		{identity.Redis, "+@all -@dangerous +keys", "+@all -@dangerous +keys"},
		{identity.Redis, "-@all +cluster|info +cluster -cluster|reset", "-@all +cluster"},
		{identity.Redis, "~-@all resetchannels", "~-@all resetchannels"},
	}
	for _, test := range tests {
		if got := acl.HideRestriction(test.kind, test.line); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.line, got, test.want)
		}
	}
}

func FuzzHideRestriction(f *testing.F) {
	f.Add("user a on ~* resetchannels +@all -config (~y resetchannels +@all -config)")
	f.Add("-@all +@dangerous -config|get + -) +@ (+) +get|x")
	f.Add("")
	f.Fuzz(func(t *testing.T, line string) {
		for _, kind := range engines {
			if hidden := acl.HideRestriction(kind, line); acl.HideRestriction(kind, hidden) != hidden {
				t.Fatalf("%q becomes %q, and that %q", line, hidden, acl.HideRestriction(kind, hidden))
			}
		}
	})
}

// FuzzParse checks what must hold for every accepted string: its stored form
// stands for itself, and no rule for the engine touches passwords, carries a
// space outside of a selector or leaves a restricted command allowed.
func FuzzParse(f *testing.F) {
	for _, test := range stored {
		f.Add(test.text)
	}
	for _, test := range refused {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		access, err := acl.Parse(identity.Valkey, text)
		if err != nil {
			if identity.KindOf(err) != identity.InvalidParameterValue {
				t.Fatalf("%q: %v has no kind", text, err)
			}
			return
		}
		again, err := acl.Parse(identity.Valkey, access.String())
		if err != nil || again.String() != access.String() || again.Enabled() != access.Enabled() {
			t.Fatalf("%q is stored as %q, which reads as %v (%v)", text, access, again, err)
		}
		if !slices.Equal(again.EngineRules(false), access.EngineRules(false)) {
			t.Fatalf("%q and its stored form %q mean different things", text, access)
		}
		for _, rule := range access.EngineRules(true) {
			checkRule(t, rule)
		}
	})
}

func checkRule(t *testing.T, rule string) {
	t.Helper()
	if inner, is := strings.CutPrefix(rule, "("); is {
		for _, rule := range strings.Fields(strings.TrimSuffix(inner, ")")) {
			checkRule(t, rule)
		}
		return
	}
	if strings.ContainsAny(rule, " \t\r\n\x00") || !strings.ContainsAny(rule[:1], "~%&+-ar") {
		// a and r begin allkeys, allchannels, allcommands and resetchannels.
		if !slices.Contains([]string{"nocommands", "allkeys", "allchannels", "allcommands", "resetchannels"}, strings.ToLower(rule)) {
			t.Fatalf("the engine would get the rule %q", rule)
		}
	}
	command, sub, _ := strings.Cut(strings.TrimLeft(rule, "+"), "|")
	if rule[0] == '+' && acl.IsRestricted([]byte(command), []byte(sub)) {
		t.Fatalf("the engine would allow %q", rule)
	}
}
