package acl

import (
	"slices"
	"strings"
)

// restrictionRules take every restricted command away.
var restrictionRules = func() []string {
	rules := make([]string, len(restrictedNames))
	for i, name := range restrictedNames {
		rules[i] = "-" + name
	}
	return rules
}()

// EngineRules returns the rules to write after "ACL SETUSER user reset", one
// argument each; "on" or "off" and the secret are the caller's. Restricted
// commands are taken away last, in the root and in every selector, because a
// selector such as (~* +@all) allows by itself. With channelsByDefault, which is
// the parameter acl-pubsub-default when it says allchannels, permissions that
// have no rule about channels get all of them; the engine does the same for the
// root and for every selector (acl.c, ACLCreateSelector).
func (a *Access) EngineRules(channelsByDefault bool) []string {
	rules := a.root.enforced(channelsByDefault)
	for _, selector := range a.selectors {
		rules = append(rules, "("+strings.Join(selector.enforced(channelsByDefault), " ")+")")
	}
	return rules
}

func (p *permissions) enforced(channelsByDefault bool) []string {
	channels := p.channels
	if channels == nil && channelsByDefault {
		channels = []string{"&*"}
	}
	rules := slices.Concat(p.keys, channels, p.commands)
	if slices.ContainsFunc(p.commands, allows) {
		rules = append(rules, restrictionRules...)
	}
	return rules
}

func allows(rule string) bool { return rule[0] == '+' || lower(rule) == "allcommands" }
