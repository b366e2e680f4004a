package acl

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// HideRestriction changes a line of ACL LIST, or a field of ACL GETUSER, so
// that a customer does not see the rules that take restricted commands away.
//
// Valkey shows rules as they were written, so they are just left out; the
// customer's own about the same commands, as far as they are accepted at all,
// go with them. Redis 7.0 shows rules that it computes from what is allowed, so
// there they are computed anew, with restricted commands as it suits.
func HideRestriction(kind identity.Engine, rules string) string {
	hide := leaveOut
	if kind == identity.Redis {
		hide = describe
	}
	var shown, commands []string
	flush := func(after string) {
		shown = append(shown, hide(commands)...)
		if after != "" && len(shown) > 0 {
			shown[len(shown)-1] += after
		}
		commands = nil
	}
	words := strings.Split(rules, " ")
	if len(words) > 1 && words[0] == "user" { // whose name may look like a rule
		shown, words = append(shown, words[:2]...), words[2:]
	}
	for _, word := range words {
		bare, closes := strings.CutSuffix(word, ")")
		if len(bare) < 2 || bare[0] != '+' && bare[0] != '-' {
			flush("")
			shown = append(shown, word)
			continue
		}
		commands = append(commands, bare)
		if closes {
			flush(")")
		}
	}
	flush("")
	return strings.Join(shown, " ")
}

// leaveOut returns the rules that are not about restricted commands.
func leaveOut(rules []string) []string {
	return slices.DeleteFunc(rules, func(rule string) bool {
		return rule[0] == '-' && isRestrictedName(rule[1:])
	})
}

func isRestrictedName(name string) bool {
	command, sub, _ := strings.Cut(name, "|")
	return IsRestricted([]byte(command), []byte(sub))
}

// members are the commands of each category of redis.
var members = func() map[string][]string {
	all := map[string][]string{}
	category := ""
	for _, word := range strings.Fields(redisMembers) {
		if word[0] == '@' {
			category = word
			continue
		}
		all[category] = append(all[category], word)
	}
	return all
}()

// description finds rules for a set of commands.
type description struct {
	want map[string]bool // by name, what shall be allowed; restricted commands are left out
	now  map[string]bool // what the rules so far allow
	more []string        // rules about first arguments
}

// describe returns rules that allow the same commands as those given, but for
// restricted ones.
func describe(rules []string) []string {
	if len(rules) == 0 || !isBase(rules[0]) {
		return leaveOut(rules)
	}
	everything := rules[0][0] == '+'
	d := description{map[string]bool{}, map[string]bool{}, nil}
	for name := range tables[identity.Redis].commands {
		if !isRestrictedName(name) {
			d.want[name], d.now[name] = everything, everything
		}
	}
	for _, rule := range rules[1:] {
		if !apply(d.want, rule) {
			d.more = append(d.more, rule)
		}
	}
	return slices.Concat(rules[:1], d.categories(everything), d.commands(), d.more)
}

// covered returns the commands that a rule is about: of a category, a command
// with its subcommands, or one alone.
func covered(set map[string]bool, rule string) []string {
	name := rule[1:]
	if name[0] == '@' {
		return members[name]
	}
	names := []string{name}
	if tables[identity.Redis].commands[name] {
		for other := range set {
			if strings.HasPrefix(other, name+"|") {
				names = append(names, other)
			}
		}
	}
	return names
}

// apply applies a rule to a set. It reports false for a rule about a first
// argument, which allows no command as a whole.
func apply(set map[string]bool, rule string) bool {
	for _, name := range covered(set, rule) {
		if _, known := set[name]; known {
			set[name] = rule[0] == '+'
		} else if !isRestrictedName(name) {
			return false
		}
	}
	return true
}

// gain counts the commands that a rule would set right, less those that it
// would set wrong.
func (d *description) gain(rule string) (n int) {
	for _, name := range covered(d.now, rule) {
		now, known := d.now[name]
		switch {
		case !known || now == (rule[0] == '+'):
		case now == d.want[name]:
			n--
		default:
			n++
		}
	}
	return n
}

// categories takes the categories that save the most rules, one after the other.
func (d *description) categories(everything bool) (rules []string) {
	sign := "+"
	if everything {
		sign = "-"
	}
	for {
		best, most := "", 1 // for one command a category is no gain
		for _, category := range slices.Sorted(maps.Keys(members)) {
			if n := d.gain(sign + category); n > most {
				best, most = sign+category, n
			}
		}
		if best == "" {
			return rules
		}
		apply(d.now, best)
		rules = append(rules, best)
	}
}

// commands sets right what is left, whole commands before subcommands.
func (d *description) commands() (rules []string) {
	for _, name := range slices.Sorted(maps.Keys(d.want)) {
		if d.now[name] == d.want[name] {
			continue
		}
		rule := "-" + name
		if d.want[name] {
			rule = "+" + name
		}
		apply(d.now, rule)
		rules = append(rules, rule)
	}
	return rules
}
