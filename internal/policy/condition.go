package policy

import (
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// family is how a condition's values are compared.
type family uint8

const (
	stringEquals family = iota
	stringFold
	stringLike
	numeric
	date
	boolean
	binary
	address
	arnLike
	presence // Null
)

// relation is the comparison of numbers and dates.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// operator is a condition operator without its set prefix and IfExists suffix.
type operator struct {
	family   family
	relation relation
	negated  bool
}

// operators are those of the IAM User Guide, "IAM JSON policy elements:
// Condition operators". ArnEquals and ArnLike are the same there.
var operators = map[string]operator{
	"StringEquals":              {family: stringEquals},
	"StringNotEquals":           {family: stringEquals, negated: true},
	"StringEqualsIgnoreCase":    {family: stringFold},
	"StringNotEqualsIgnoreCase": {family: stringFold, negated: true},
	"StringLike":                {family: stringLike},
	"StringNotLike":             {family: stringLike, negated: true},
	"NumericEquals":             {family: numeric},
	"NumericNotEquals":          {family: numeric, negated: true},
	"NumericLessThan":           {family: numeric, relation: less},
	"NumericLessThanEquals":     {family: numeric, relation: lessOrEqual},
	"NumericGreaterThan":        {family: numeric, relation: greater},
	"NumericGreaterThanEquals":  {family: numeric, relation: greaterOrEqual},
	"DateEquals":                {family: date},
	"DateNotEquals":             {family: date, negated: true},
	"DateLessThan":              {family: date, relation: less},
	"DateLessThanEquals":        {family: date, relation: lessOrEqual},
	"DateGreaterThan":           {family: date, relation: greater},
	"DateGreaterThanEquals":     {family: date, relation: greaterOrEqual},
	"Bool":                      {family: boolean},
	"BinaryEquals":              {family: binary},
	"IpAddress":                 {family: address},
	"NotIpAddress":              {family: address, negated: true},
	"ArnEquals":                 {family: arnLike},
	"ArnLike":                   {family: arnLike},
	"ArnNotEquals":              {family: arnLike, negated: true},
	"ArnNotLike":                {family: arnLike, negated: true},
	"Null":                      {family: presence},
}

// quantifier is the set operator in front of a condition operator.
type quantifier uint8

const (
	plain quantifier = iota
	allValues
	anyValue
)

// condition is one key under one operator.
type condition struct {
	operator
	set      quantifier
	ifExists bool
	key      string // in lower case
	operands []operand
}

// operand is one value of a policy's condition, read as its family reads it.
type operand struct {
	pattern pattern // strings and ARNs
	number  float64 // numbers, and dates as Unix seconds
	flag    bool
	bytes   string
	prefix  netip.Prefix
}

// holds reports whether the request's values satisfy the condition.
func (c *condition) holds(ctx Context) bool {
	if c.family == presence {
		return c.nullHolds(ctx)
	}
	values := ctx[c.key]
	if len(values) == 0 || c.set != plain && ctx.null(c.key) {
		return c.holdsWithout(len(values) > 0)
	}
	switch c.set {
	case allValues:
		for _, v := range values {
			if c.matches(v, ctx) == c.negated {
				return false
			}
		}
		return true
	case anyValue:
		for _, v := range values {
			if c.matches(v, ctx) != c.negated {
				return true
			}
		}
		return false
	default:
		for _, v := range values {
			if c.matches(v, ctx) {
				return !c.negated
			}
		}
		return c.negated
	}
}

// holdsWithout is the verdict when the request has no value; present says that
// the key is there all the same, with nothing in it.
func (c *condition) holdsWithout(present bool) bool {
	switch {
	case c.ifExists && !present:
		return true
	case c.set == allValues:
		return true
	case c.set == anyValue:
		return false
	default:
		return c.negated
	}
}

// nullHolds is the Null operator: "true" asks that the key is absent.
func (c *condition) nullHolds(ctx Context) bool {
	null := ctx.null(c.key)
	for i := range c.operands {
		if c.operands[i].flag == null {
			return true
		}
	}
	return false
}

// matches reports whether value matches one of the operands, negation aside. A
// value that cannot be read as the operator's type matches none.
func (c *condition) matches(value string, ctx Context) bool {
	switch c.family {
	case numeric, date:
		return c.matchesNumber(value)
	case boolean:
		flag, ok := readBool(value)
		return ok && c.any(func(o *operand) bool { return o.flag == flag })
	case binary:
		raw, err := base64.StdEncoding.DecodeString(value)
		return err == nil && c.any(func(o *operand) bool { return o.bytes == string(raw) })
	case address:
		addr, err := netip.ParseAddr(value)
		addr = addr.Unmap().WithZone("")
		return err == nil && c.any(func(o *operand) bool { return o.prefix.Contains(addr) })
	default:
		return c.matchesText(value, ctx)
	}
}

func (c *condition) any(is func(*operand) bool) bool {
	for i := range c.operands {
		if is(&c.operands[i]) {
			return true
		}
	}
	return false
}

func (c *condition) matchesText(value string, ctx Context) bool {
	for i := range c.operands {
		p := &c.operands[i].pattern
		var found bool
		switch c.family {
		case arnLike:
			found = p.matchARN(value, ctx)
		case stringFold:
			found = p.equalFold(value, ctx)
		default:
			found = p.match(value, ctx, false)
		}
		if found {
			return true
		}
	}
	return false
}

func (c *condition) matchesNumber(value string) bool {
	read := readNumber
	if c.family == date {
		read = readDate
	}
	have, ok := read(value)
	if !ok {
		return false
	}
	for i := range c.operands {
		if c.relation.between(have, c.operands[i].number) {
			return true
		}
	}
	return false
}

// between reports whether the relation holds between a and b.
func (r relation) between(a, b float64) bool {
	switch r {
	case less:
		return a < b
	case lessOrEqual:
		return a <= b
	case greater:
		return a > b
	case greaterOrEqual:
		return a >= b
	default:
		return a == b
	}
}

func readBool(text string) (value, ok bool) {
	switch {
	case strings.EqualFold(text, "true"):
		return true, true
	case strings.EqualFold(text, "false"):
		return false, true
	default:
		return false, false
	}
}

// readNumber reads decimal numbers; what else ParseFloat knows (infinity,
// hexadecimal, underscores) could make a comparison true that nobody meant.
func readNumber(text string) (float64, bool) {
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// dateForms are the W3C profiles of ISO 8601 that AWS reads; a fraction of a
// second is read by any of them that has seconds.
var dateForms = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006",
}

// readDate reads an ISO 8601 date, or seconds since 1970. A year alone is
// four digits, which as seconds would be in the first hours of 1970.
func readDate(text string) (float64, bool) {
	if len(text) != len("2006") && strings.Trim(text, "0123456789") == "" {
		return readNumber(text)
	}
	for _, form := range dateForms {
		if len(text) < len("2006") || len(text) < len("2006-01-02") && len(text) != len(form) {
			continue
		}
		if t, err := time.Parse(form, text); err == nil {
			return float64(t.Unix()) + float64(t.Nanosecond())/1e9, true
		}
	}
	return readNumber(text)
}
