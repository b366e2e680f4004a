package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Configuration is what a service says about a resource, as far as its migration
// depends on it.
type Configuration struct {
	// Fields are what the plan relies on; their hash is its precondition.
	Fields map[string]any
	// Passing are states, versions and addresses: they change by themselves.
	Passing map[string]any
	// Busy says what is still under way, or nothing.
	Busy string
	// Hidden are values that are secrets; they are never written anywhere.
	Hidden map[string]string
}

// Hash is the same for the same fields, whatever their order.
func (c Configuration) Hash() string {
	raw, err := json.Marshal(c.Fields) // map keys are sorted
	if err != nil {
		panic(fmt.Sprintf("migrate: a configuration is always data: %v", err))
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// at follows a path such as Routes.r1.AuthorizationType. Segments hold no dots
// unless escaped as %2E.
func (c Configuration) at(path string) any {
	for _, root := range []map[string]any{c.Fields, c.Passing} {
		var v any = root
		for part := range strings.SplitSeq(path, ".") {
			m, ok := v.(map[string]any)
			if !ok {
				v = nil
				break
			}
			v = m[part]
		}
		if v != nil {
			return v
		}
	}
	return nil
}

// segment writes a name as one segment of a path.
func segment(name string) string { return strings.ReplaceAll(name, ".", "%2E") }

// unsegment reads one segment of a path.
func unsegment(part string) string { return strings.ReplaceAll(part, "%2E", ".") }

// holds answers a check that is about the configuration.
func (c Check) holds(conf Configuration, now time.Time) bool {
	v := conf.at(c.Path)
	switch {
	case c.Differs != "":
		return v != nil && fmt.Sprint(v) != c.Differs
	case c.Absent:
		return v == nil || fmt.Sprint(v) == "" || fmt.Sprint(v) == "[]"
	case c.Exists:
		return v != nil
	case c.Has != "":
		return slices.Contains(words(v), c.Has)
	case c.Lacks != "":
		return !slices.Contains(words(v), c.Lacks)
	case c.Past:
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		return v == nil || (err == nil && n <= now.Unix())
	}
	return fmt.Sprint(v) == fmt.Sprint(c.Is)
}

func words(v any) []string {
	var out []string
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		for _, item := range list {
			out = append(out, fmt.Sprint(item))
		}
	}
	return out
}

// String says in words what a check wants.
func (c Check) String() string {
	switch {
	case c.Probe != "":
		return c.Probe + " " + c.Params["target"]
	case c.Differs != "":
		return c.Path + " has changed"
	case c.Absent:
		return c.Path + " is not set"
	case c.Exists:
		return c.Path + " exists"
	case c.Has != "":
		return c.Path + " has " + c.Has
	case c.Lacks != "":
		return c.Path + " does not have " + c.Lacks
	case c.Past:
		return c.Path + " has passed"
	}
	return fmt.Sprintf("%s is %v", c.Path, c.Is)
}

// SecretSource finds a secret by the name that a plan gives it.
type SecretSource func(ctx context.Context, name string) (string, error)

var placeholder = regexp.MustCompile(`\$\{([a-z]+)\.([^}]+)\}`)

// resolver fills placeholders in.
type resolver struct {
	ctx    context.Context
	conf   Configuration
	record *Record
	secret SecretSource
	now    time.Time
}

// fill returns a copy of v with its placeholders replaced. Text that is nothing
// but one placeholder for a number becomes that number.
func (r resolver) fill(v any) (any, error) {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			filled, err := r.fill(item)
			if err != nil {
				return nil, err
			}
			out[k] = filled
		}
		return out, nil
	case []any:
		out := make([]any, len(x))
		for i, item := range x {
			filled, err := r.fill(item)
			if err != nil {
				return nil, err
			}
			out[i] = filled
		}
		return out, nil
	case []string:
		out := make([]any, len(x))
		for i, item := range x {
			filled, err := r.fill(item)
			if err != nil {
				return nil, err
			}
			out[i] = filled
		}
		return out, nil
	case string:
		return r.text(x)
	}
	return v, nil
}

func (r resolver) text(s string) (any, error) {
	if m := placeholder.FindStringSubmatch(s); m != nil && m[0] == s {
		return r.lookup(m[1], m[2])
	}
	var failure error
	out := placeholder.ReplaceAllStringFunc(s, func(hit string) string {
		m := placeholder.FindStringSubmatch(hit)
		v, err := r.lookup(m[1], m[2])
		if err != nil {
			failure = err
		}
		return fmt.Sprint(v)
	})
	return out, failure
}

func (r resolver) lookup(kind, name string) (any, error) {
	switch kind {
	case "now":
		if v := r.conf.at(name); v != nil {
			return v, nil
		}
		return nil, fmt.Errorf("the service does not say %s", name)
	case "hidden":
		if v, ok := r.conf.Hidden[name]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("the service does not name %s any more", name)
	case "steps":
		step, value, _ := strings.Cut(name, ".")
		if v, ok := r.record.value(step, value); ok {
			return v, nil
		}
		return nil, fmt.Errorf("the record holds no %s of step %s", value, step)
	case "secret":
		if r.secret == nil {
			return nil, fmt.Errorf("the plan needs the secret %s, and no source of secrets was given", name)
		}
		return r.secret(r.ctx, name)
	case "time":
		d, err := time.ParseDuration(strings.TrimPrefix(name, "+"))
		if err != nil {
			return nil, fmt.Errorf("reading ${time.%s}: %w", name, err)
		}
		return r.now.Add(d).Truncate(time.Hour).Unix(), nil
	}
	return nil, fmt.Errorf("${%s.%s} means nothing", kind, name)
}
