package acl

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// permissions are the rules of the root or of one selector, each kind in its
// order; rules of different kinds do not touch each other. Rules that a later
// one undoes whole are gone.
type permissions struct {
	keys     []string
	channels []string
	commands []string
	// After all keys or all channels were allowed, the engine refuses patterns.
	allKeys, allChannels bool
}

// add applies one rule.
func (p *permissions) add(word string, known *table) error {
	switch lower(word) {
	case "allkeys", "~*":
		p.keys, p.allKeys = []string{word}, true
		return nil
	case "resetkeys":
		p.keys, p.allKeys = nil, false
		return nil
	case "allchannels", "&*":
		p.channels, p.allChannels = []string{word}, true
		return nil
	case "resetchannels":
		p.channels, p.allChannels = []string{word}, false
		return nil
	}
	if isBase(word) {
		p.commands = []string{word}
		return nil
	}
	switch word[0] {
	case '~', '%':
		return p.addKeys(word)
	case '&':
		return p.addChannels(word)
	case '+', '-':
		if err := known.check(word); err != nil {
			return err
		}
		p.commands = append(p.commands, word)
		return nil
	default:
		return refuse(word, "it is not a rule of the engine's access control lists")
	}
}

func (p *permissions) addKeys(word string) error {
	kinds, pattern, found := strings.Cut(word, "~")
	if !found {
		return refuse(word, "a key permission is written %R~pattern, %W~pattern or %RW~pattern")
	}
	if word[0] == '%' && !slices.Contains([]string{"r", "w", "rw", "wr"}, lower(kinds[1:])) {
		return refuse(word, "a key permission is written %R~pattern, %W~pattern or %RW~pattern")
	}
	if pattern == "" {
		return refuse(word, "the key pattern is empty")
	}
	if p.allKeys {
		return refuse(word, "all keys are allowed already; write resetkeys first to start anew")
	}
	p.keys = append(p.keys, word)
	return nil
}

func (p *permissions) addChannels(word string) error {
	if word == "&" {
		return refuse(word, "the channel pattern is empty")
	}
	if p.allChannels {
		return refuse(word, "all channels are allowed already; write resetchannels first to start anew")
	}
	p.channels = append(p.channels, word)
	return nil
}

// based reports whether the commands start from an explicit all or nothing.
func (p *permissions) based() bool { return len(p.commands) > 0 && isBase(p.commands[0]) }

func (p *permissions) words() []string {
	return slices.Concat(p.keys, p.channels, p.commands)
}

func isBase(word string) bool {
	switch lower(word) {
	case "+@all", "-@all", "allcommands", "nocommands":
		return true
	}
	return false
}

// shownRule bounds how much of a refused rule an error repeats.
const shownRule = 64

func refuse(rule, why string) error {
	if len(rule) > shownRule {
		rule = strings.ToValidUTF8(rule[:shownRule], "") + "…"
	}
	return invalid("AccessString rule %q is not allowed: %s.", rule, why)
}

func invalid(format string, args ...any) error {
	return identity.Errorf(identity.InvalidParameterValue, format, args...)
}

// lower is for ASCII only, as the engine compares.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
