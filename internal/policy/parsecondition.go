package policy

import (
	"encoding/base64"
	"net/netip"
	"strings"
)

// conditions reads a Condition element: operators, under each keys, under each values.
func (p *parser) conditions(n *node) ([]condition, error) {
	if !n.is(objectNode) {
		return nil, p.fail(n, sayingSyntax, "Condition is a JSON object of operators")
	}
	place := p.where
	var all []condition
	for i, name := range n.names {
		keys := &n.items[i]
		p.where = place + "." + name
		c, ok := readOperator(name)
		if !ok {
			return nil, p.fail(keys, sayingSyntax, "unknown condition operator %q", name)
		}
		if !keys.is(objectNode) {
			return nil, p.fail(keys, sayingSyntax, "under an operator stands a JSON object of condition keys")
		}
		for j, key := range keys.names {
			c.key = strings.ToLower(key)
			var err error
			if c.operands, err = p.operands(&c, key, &keys.items[j]); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	p.where = place
	return all, nil
}

// readOperator takes an operator's name apart.
func readOperator(name string) (condition, bool) {
	var c condition
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		c.set, name = allValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		c.set, name = anyValue, rest
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	var ok bool
	c.operator, ok = operators[name]
	return c, ok && !(c.ifExists && c.family == presence)
}

func (p *parser) operands(c *condition, key string, n *node) ([]operand, error) {
	if vendor, name, ok := strings.Cut(key, ":"); !ok || vendor == "" || name == "" {
		return nil, p.fail(n, sayingVendor, "condition key %q", key)
	}
	list := []node{*n}
	if n.is(arrayNode) {
		list = n.items
	}
	if len(list) == 0 {
		return nil, p.fail(n, sayingSyntax, "condition key %q has no value", key)
	}
	operands := make([]operand, len(list))
	for i := range list {
		if !list[i].is(stringNode, scalarNode) {
			return nil, p.fail(&list[i], sayingSyntax, "a value of condition key %q must be a string, number or boolean", key)
		}
		if reason := operands[i].read(c.family, list[i].text, p.variables()); reason != "" {
			return nil, p.fail(&list[i], sayingSyntax, "condition key %q: %q %s", key, list[i].text, reason)
		}
	}
	return operands, nil
}

// read reads a value as its family needs it and returns what is wrong with it.
func (o *operand) read(f family, text string, variables bool) (reason string) {
	var ok bool
	switch f {
	case numeric:
		o.number, ok = readNumber(text)
		reason = "is no number"
	case date:
		o.number, ok = readDate(text)
		reason = "is neither an ISO 8601 date nor seconds since 1970"
	case boolean, presence:
		o.flag, ok = readBool(text)
		reason = `is neither "true" nor "false"`
	case binary:
		raw, err := base64.StdEncoding.DecodeString(text)
		o.bytes, ok = string(raw), err == nil
		reason = "is not base64"
	case address:
		o.prefix, ok = readPrefix(text)
		reason = "is neither an IP address nor a range in CIDR form"
	default:
		var err error
		o.pattern, err = compile(text, syntax{wildcards: f == stringLike || f == arnLike, variables: variables})
		if err != nil {
			return err.Error()
		}
		return ""
	}
	if ok {
		return ""
	}
	return reason
}

// readPrefix reads a range, or a single address.
func readPrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err == nil
}
