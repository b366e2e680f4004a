package acl

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// table is what one engine knows: commands, "command|subcommand" names, and
// categories, in lower case.
type table struct {
	commands   map[string]bool // true for a command that has subcommands
	categories map[string]bool
}

// tables hold what the engines of commands_gen.go know.
var tables = map[identity.Engine]*table{
	identity.Redis:  newTable(redisCommands, redisCategories),
	identity.Valkey: newTable(valkeyCommands, valkeyCategories),
}

func newTable(commands, categories string) *table {
	t := &table{map[string]bool{}, map[string]bool{}}
	for _, name := range strings.Fields(commands) {
		parent, _, is := strings.Cut(name, "|")
		if is {
			t.commands[name] = false
		}
		t.commands[parent] = t.commands[parent] || is
	}
	for _, name := range strings.Fields(categories) {
		t.categories[name] = true
	}
	return t
}

// check judges a rule that begins with + or - and is not a base.
func (t *table) check(rule string) error {
	name := lower(rule[1:])
	if category, is := strings.CutPrefix(name, "@"); is {
		if !t.categories[category] {
			return refuse(rule, "the engine has no such command category")
		}
		return nil
	}
	command, sub, has := strings.Cut(name, "|")
	if err := checkRestricted(rule, command, sub); err != nil {
		return err
	}
	container, known := t.commands[command]
	_, whole := t.commands[name]
	switch {
	case !known:
		return refuse(rule, "the engine has no such command")
	case !has || whole:
		return nil
	case container:
		return refuse(rule, "the command has no such subcommand")
	case rule[0] == '-':
		return refuse(rule, "a command cannot be taken away for one first argument only")
	case sub == "" || strings.Contains(sub, "|"):
		return refuse(rule, "after the command, one first argument is expected")
	}
	return nil
}

// checkRestricted refuses a rule about a command that customers may not use.
// AWS refuses any mention of the commands of its list. Gatehouse's additions
// may be taken away, which changes nothing, so that strings written for AWS
// need not change.
func checkRestricted(rule, command, sub string) error {
	if !IsRestricted([]byte(command), []byte(sub)) {
		return nil
	}
	if rule[0] == '-' && isAddition(command, sub) {
		return nil
	}
	return refuse(rule, "the command is restricted")
}
