package query

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Bounds of a form. The largest that a client has a reason to send are policy
// documents and templates (512 KiB) and lists of a few hundred items.
const (
	maxParameters = 10_000
	maxName       = 512       // bytes of a parameter's name
	maxValue      = 512 << 10 // bytes of a value
	maxDepth      = 12        // parts of a name between dots
	// maxItems bounds the items of one list, maxIndex their numbers: gaps are
	// closed, as on AWS, but a number is not allowed to be a size.
	maxItems = 1_000
	maxIndex = 100_000
)

// Form is a request's parameters. They are only split up until Decode, so that a
// request whose signature is still to be checked costs little.
type Form struct {
	Action     string
	Version    string
	parameters []parameter
}

type parameter struct{ name, value string }

// node is one part of the parameters' names: "A.member.1.B=c" is A, member, 1, B.
type node struct {
	value    *string
	children []child
	byName   map[string]*node // only when there are many children
}

type child struct {
	name string
	*node
}

// many is from how many children on a map finds one faster.
const many = 8

func (n *node) child(name string) *node {
	if n.byName != nil {
		return n.byName[name]
	}
	for _, c := range n.children {
		if c.name == name {
			return c.node
		}
	}
	return nil
}

func (n *node) add(name string) *node {
	fresh := &node{}
	n.children = append(n.children, child{name, fresh})
	switch {
	case n.byName != nil:
		n.byName[name] = fresh
	case len(n.children) > many:
		n.byName = make(map[string]*node, 2*len(n.children))
		for _, c := range n.children {
			n.byName[c.name] = c.node
		}
	}
	return fresh
}

// Error is a form that cannot be read. Code is AWS's.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }

func malformed(format string, args ...any) error {
	return &Error{Code: "InvalidQueryParameter", Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &Error{Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...)}
}

// ParseForm reads the parameters of the URL's query and of the body together.
// Its errors are *Error.
func ParseForm(rawQuery, body string) (*Form, error) {
	f := &Form{}
	count := 0
	for _, text := range []string{rawQuery, body} {
		for part := range strings.SplitSeq(text, "&") {
			if part == "" {
				continue
			}
			if count++; count > maxParameters {
				return nil, malformed("The request has more than %d parameters.", maxParameters)
			}
			if err := f.add(part); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

func (f *Form) add(part string) error {
	rawName, rawValue, _ := strings.Cut(part, "=")
	name, err := url.QueryUnescape(rawName)
	if err != nil {
		return malformed("A parameter's name is not correctly escaped.")
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil {
		return malformed("The value of the parameter %s is not correctly escaped.", shorten(name))
	}
	switch {
	case len(name) > maxName:
		return malformed("A parameter's name is longer than %d bytes.", maxName)
	case len(value) > maxValue:
		return malformed("The value of the parameter %s is longer than %d bytes.", shorten(name), maxValue)
	case name == "Action":
		return once(&f.Action, name, value)
	case name == "Version":
		return once(&f.Version, name, value)
	}
	f.parameters = append(f.parameters, parameter{name, value})
	return nil
}

func once(to *string, name, value string) error {
	if *to != "" {
		return twice(name)
	}
	if value == "" {
		return malformed("The parameter %s is empty.", name)
	}
	*to = value
	return nil
}

func twice(name string) error {
	return malformed("The parameter %s is given more than once.", shorten(name))
}

// tree returns the parameters by the parts of their names.
func (f *Form) tree() (*node, error) {
	root := &node{}
	for i := range f.parameters {
		if err := root.place(&f.parameters[i]); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (n *node) place(p *parameter) error {
	depth := 0
	for part := range strings.SplitSeq(p.name, ".") {
		if depth++; depth > maxDepth {
			return malformed("The parameter %s has more than %d parts.", shorten(p.name), maxDepth)
		}
		next := n.child(part)
		if next == nil {
			next = n.add(part)
		}
		n = next
	}
	if n.value != nil {
		return twice(p.name)
	}
	n.value = &p.value
	return nil
}

// item is one entry of a list, with its number in the request.
type item struct {
	number int
	node   *node
}

// number reads an item's number.
func number(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= maxIndex && text == strconv.Itoa(n)
}

// shorten keeps an error about hostile input readable.
func shorten(text string) string {
	const most = 100
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}
