package fakeaws

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Region is what one account has in one region.
type Region struct {
	Account, Name string

	fake   *Fake
	tables map[string]*table
}

// table keeps resources of one kind in the order in which they were made.
type table struct {
	order []string
	byID  map[string]Doc
}

func (r *Region) table(name string) *table {
	t := r.tables[name]
	if t == nil {
		t = &table{byID: map[string]Doc{}}
		r.tables[name] = t
	}
	return t
}

func (t *table) put(id string, d Doc) Doc {
	if _, ok := t.byID[id]; !ok {
		t.order = append(t.order, id)
	}
	t.byID[id] = d
	return d
}

func (t *table) drop(id string) {
	delete(t.byID, id)
	for i, have := range t.order {
		if have == id {
			t.order = append(t.order[:i:i], t.order[i+1:]...)
			return
		}
	}
}

// list returns the documents in order, described: transitions move on.
func (t *table) list() []Doc {
	out := make([]Doc, 0, len(t.order))
	for _, id := range t.order {
		out = append(out, t.byID[id])
	}
	return out
}

// transition is a change under way: after so many descriptions it is done.
type transition struct {
	left int
	done func(Doc)
}

// begin starts a change that Settle descriptions will still see under way.
func (r *Region) begin(d Doc, done func(Doc)) {
	d["_transition"] = &transition{left: r.fake.Settle, done: done}
}

// seen moves a resource's change on by one description.
func seen(d Doc) Doc {
	t, ok := d["_transition"].(*transition)
	if !ok {
		return d
	}
	if t.left > 0 {
		t.left--
		return d
	}
	delete(d, "_transition")
	t.done(d)
	return d
}

func busy(d Doc) bool { return d["_transition"] != nil }

// page cuts items to one page. The token is opaque and belongs to one listing.
func (r *Region) page(listing string, items []Doc, token string, limit int) ([]Doc, string, error) {
	start := 0
	if token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		name, offset, found := strings.Cut(string(raw), "|")
		if err != nil || !found || name != listing {
			return nil, "", &apiError{"BadRequestException", 400, "Invalid NextToken"}
		}
		if start, err = strconv.Atoi(offset); err != nil || start > len(items) {
			return nil, "", &apiError{"BadRequestException", 400, "Invalid NextToken"}
		}
	}
	if r.fake.PageCap > 0 && limit > r.fake.PageCap {
		limit = r.fake.PageCap
	}
	end := min(start+limit, len(items))
	if end == len(items) {
		return items[start:end], "", nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(listing + "|" + strconv.Itoa(end)))
	return items[start:end], next, nil
}

// limit is how many items the caller asked for, within the service's bounds.
func limit(asked any, normal, most int) int {
	n := integer(asked)
	if n <= 0 {
		return normal
	}
	return min(n, most)
}

func integer(v any) int {
	switch n := v.(type) {
	case float64:
		return int(n)
	case int:
		return n
	case int64:
		return int(n)
	case uint64:
		return int(n)
	case string:
		i, err := strconv.Atoi(n)
		if err != nil {
			return 0
		}
		return i
	}
	return 0
}

func text(d Doc, key string) string {
	s, ok := d[key].(string)
	if !ok {
		return ""
	}
	return s
}

func truth(d Doc, key string) bool {
	switch b := d[key].(type) {
	case bool:
		return b
	case string:
		return b == "true"
	}
	return false
}

// dig follows keys into nested documents.
func dig(d Doc, keys ...string) any {
	var v any = d
	for _, k := range keys {
		m, ok := v.(Doc)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func yes(d Doc, keys ...string) bool {
	b, ok := dig(d, keys...).(bool)
	return ok && b
}

func texts(v any) []string {
	var out []string
	switch list := v.(type) {
	case []string:
		return append(out, list...)
	case []any:
		for _, item := range list {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// seed adds a resource to a table with the defaults that AWS would fill in.
func (r *Region) seed(tableName, id string, defaults, d Doc) Doc {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	full := maps.Clone(defaults)
	maps.Copy(full, d)
	return r.table(tableName).put(id, full)
}

// Edit changes a seeded resource behind the API's back.
func (r *Region) Edit(tableName, id string, change func(Doc)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	d := r.table(tableName).byID[id]
	if d == nil {
		panic(fmt.Sprintf("fakeaws: no %s in %s", id, tableName))
	}
	change(d)
}

// Drop removes a seeded resource behind the API's back.
func (r *Region) Drop(tableName, id string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.table(tableName).drop(id)
}

// Peek returns a copy of a resource's fields.
func (r *Region) Peek(tableName, id string) Doc {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	return maps.Clone(r.table(tableName).byID[id])
}

func (r *Region) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + r.Name + ":" + r.Account + ":" + resource
}
