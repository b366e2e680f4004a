package acl

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// maxLength bounds an access string. One that names every command of an
	// engine one by one has about 8 KiB.
	maxLength = 16 << 10
	// maxSelectors bounds the selectors of a user, because the engine tries one
	// after the other for each command.
	maxSelectors = 64
)

// Access is a valid access string.
type Access struct {
	text      string // as submitted, without the space around it
	complete  bool   // says all that it means by itself
	on        bool
	root      permissions
	selectors []permissions
}

// Parse reads an access string by the rules of ElastiCache (user guide,
// "Specifying permissions using an access string") and of the engine's ACL
// grammar. A refusal is an identity.InvalidParameterValue that names the rule.
func Parse(engine identity.Engine, text string) (*Access, error) {
	known, ok := tables[engine]
	if !ok {
		return nil, invalid("the engine %q has no access strings", engine)
	}
	if err := checkText(text); err != nil {
		return nil, err
	}
	parser := parser{commands: known}
	words := strings.Fields(text)
	for len(words) > 0 {
		taken, err := parser.rule(words)
		if err != nil {
			return nil, err
		}
		words = words[taken:]
	}
	access := &parser.access
	access.text = strings.TrimSpace(text)
	access.complete = parser.switches == 1 && !parser.cleared && access.root.based()
	if !access.root.based() {
		access.root.commands = append([]string{"-@all"}, access.root.commands...)
	}
	return access, nil
}

// Append reads the access string that results when addition is written after
// current, as AppendAccessString asks.
func Append(engine identity.Engine, current, addition string) (*Access, error) {
	if strings.TrimSpace(addition) == "" {
		return nil, invalid("AppendAccessString must hold at least one rule.")
	}
	return Parse(engine, current+" "+addition)
}

// Enabled reports whether the user may log in: "on" and not "off" was said last.
func (a *Access) Enabled() bool { return a.on }

// String returns the form in which the access string is stored and shown: as it
// was submitted if it says on or off and from which commands it starts, else
// the canonical form, which AWS's guide shows by examples: on or off, keys,
// channels, commands from an explicit base, selectors.
func (a *Access) String() string {
	if a.complete {
		return a.text
	}
	words := []string{"off"}
	if a.on {
		words[0] = "on"
	}
	words = append(words, a.root.words()...)
	for _, selector := range a.selectors {
		words = append(words, "("+strings.Join(selector.words(), " ")+")")
	}
	return strings.Join(words, " ")
}

func checkText(text string) error {
	if strings.TrimSpace(text) == "" {
		return invalid("AccessString must hold at least one rule.")
	}
	if len(text) > maxLength {
		return invalid("AccessString has %d bytes; %d is the most.", len(text), maxLength)
	}
	if !utf8.ValidString(text) {
		return invalid("AccessString is not valid UTF-8.")
	}
	// Of the characters that somebody might take for a space, the engine and
	// this parser must agree on all, or they would see different rules.
	odd := func(r rune) bool {
		return r != ' ' && r != '\t' && r != '\r' && r != '\n' && (unicode.IsSpace(r) || unicode.IsControl(r))
	}
	if i := strings.IndexFunc(text, odd); i >= 0 {
		return invalid("AccessString has a character that is not allowed at position %d; separate rules with spaces.", i+1)
	}
	return nil
}

// parser reads the rules of a user from left to right, as ACL SETUSER does.
type parser struct {
	commands *table
	access   Access
	switches int  // how often on or off was said
	cleared  bool // clearselectors was said
}

// rule reads the rule that words begins with and returns how many it took: a
// selector may contain spaces.
func (p *parser) rule(words []string) (int, error) {
	word := words[0]
	if isPasswordRule(word) {
		// The rule is not repeated in the message: it may hold a password.
		return 0, invalid("AccessString must not set or remove passwords; use Passwords or AuthenticationMode.")
	}
	switch lower(word) {
	case "on", "off":
		p.access.on = lower(word) == "on"
		p.switches++
		return 1, nil
	case "sanitize-payload":
		return 1, nil // every user's payloads are checked
	case "skip-sanitize-payload":
		return 0, refuse(word, "payloads of RESTORE are always checked")
	case "reset":
		return 0, refuse(word, "it would remove the user's passwords")
	case "clearselectors":
		p.access.selectors, p.cleared = nil, true
		return 1, nil
	}
	if word[0] == '(' {
		return p.selector(words)
	}
	return 1, p.access.root.add(word, p.commands)
}

// selector reads "(rules)". It ends with the first word that ends with ")".
func (p *parser) selector(words []string) (int, error) {
	last := slices.IndexFunc(words, func(word string) bool { return strings.HasSuffix(word, ")") })
	if last < 0 {
		return 0, refuse(words[0], "the selector has no closing parenthesis")
	}
	if len(p.access.selectors) == maxSelectors {
		return 0, refuse(words[0], "a user may have at most 64 selectors")
	}
	text := strings.Join(words[:last+1], " ")
	text = text[1 : len(text)-1]
	if strings.ContainsAny(text, `"'`) {
		// The engine takes quoted text in a selector apart, so that what it
		// says is not what is written.
		return 0, refuse(words[0], "quotes are not allowed in a selector")
	}
	var selector permissions
	for _, word := range strings.Fields(text) {
		if err := selector.add(word, p.commands); err != nil {
			return 0, err
		}
	}
	p.access.selectors = append(p.access.selectors, selector)
	return last + 1, nil
}

// isPasswordRule reports rules about passwords: >p <p #hash !hash nopass resetpass.
func isPasswordRule(word string) bool {
	switch lower(word) {
	case "nopass", "resetpass":
		return true
	}
	return strings.IndexByte("><#!", word[0]) >= 0
}
