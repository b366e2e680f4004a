package tree

import (
	"strconv"
	"strings"
)

// Kind is the shape of a node.
type Kind uint8

// The shapes.
const (
	Null Kind = iota
	String
	Number
	Bool
	List
	Map
)

// Node is a value with its place in the file. A map keeps its keys in order. A
// tree is for one goroutine: looking up a key may build an index.
type Node struct {
	Kind   Kind
	Line   int32
	Column int32
	Text   string           // String, Number and Bool as written
	Keys   []Key            // Map: one key per item
	Items  []*Node          // Map and List
	twice  map[string]bool  // Map: keys that appear more than once
	index  map[string]int32 // Map: made by Get when there are many keys
}

// manyKeys is from how many keys on a map is looked up through an index.
const manyKeys = 24

// Key is a map's key with its place.
type Key struct {
	Name string
	Line int32
}

// Get returns a map's value by key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	if len(n.Keys) >= manyKeys {
		if i, ok := n.lookup(key); ok {
			return n.Items[i]
		}
		return nil
	}
	for i := range n.Keys {
		if n.Keys[i].Name == key {
			return n.Items[i]
		}
	}
	return nil
}

// Put appends an entry to a map that the caller builds.
func (n *Node) Put(key string, value *Node) {
	n.add(Key{Name: key, Line: value.Line}, value)
}

// lookup uses the index and makes it first. The first of two equal keys counts,
// as in a short map.
func (n *Node) lookup(key string) (int32, bool) {
	if n.index == nil {
		n.index = make(map[string]int32, len(n.Keys))
		for i := len(n.Keys) - 1; i >= 0; i-- {
			n.index[n.Keys[i].Name] = int32(i)
		}
	}
	i, ok := n.index[key]
	return i, ok
}

// At follows keys from map to map.
func (n *Node) At(keys ...string) *Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	return n
}

// Scalar returns the text of a string, number or boolean.
func (n *Node) Scalar() (string, bool) {
	if n == nil || n.Kind == Null || n.Kind == List || n.Kind == Map {
		return "", false
	}
	return n.Text, true
}

// Str returns the text of a scalar, or "".
func (n *Node) Str() string {
	text, _ := n.Scalar()
	return text
}

// Twice reports whether a map has the key more than once.
func (n *Node) Twice(key string) bool { return n.twice[key] }

// Each visits a map's entries in order.
func (n *Node) Each(visit func(key Key, value *Node)) {
	if n == nil || n.Kind != Map {
		return
	}
	for i, key := range n.Keys {
		visit(key, n.Items[i])
	}
}

// IsNull reports whether the node is missing or null.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Null }

// MapOf builds a map node of one entry at the place of another node.
func MapOf(key string, value, place *Node) *Node {
	return &Node{
		Kind: Map, Line: place.Line, Column: place.Column,
		Keys: []Key{{Name: key, Line: place.Line}}, Items: []*Node{value},
	}
}

// StringAt builds a string node at the place of another node.
func StringAt(text string, place *Node) *Node {
	return &Node{Kind: String, Text: text, Line: place.Line, Column: place.Column}
}

// Canonical writes a node in one unambiguous form, for comparing expressions.
func (n *Node) Canonical() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *Node) write(b *strings.Builder) {
	if n == nil {
		b.WriteString("null")
		return
	}
	switch n.Kind {
	case Null:
		b.WriteString("null")
	case List:
		b.WriteByte('[')
		for _, item := range n.Items {
			item.write(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case Map:
		b.WriteByte('{')
		for i, item := range n.Items {
			b.WriteString(strconv.Quote(n.Keys[i].Name))
			b.WriteByte(':')
			item.write(b)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	default:
		b.WriteString(strconv.Quote(n.Text))
	}
}

// add appends an entry to a map and remembers keys that come again.
func (n *Node) add(key Key, value *Node) {
	if n.has(key.Name) {
		if n.twice == nil {
			n.twice = map[string]bool{}
		}
		n.twice[key.Name] = true
	} else if n.index != nil {
		n.index[key.Name] = int32(len(n.Keys))
	}
	n.Keys = append(n.Keys, key)
	n.Items = append(n.Items, value)
}

// has reports whether a map has the key.
func (n *Node) has(key string) bool {
	if len(n.Keys) >= manyKeys {
		_, ok := n.lookup(key)
		return ok
	}
	for i := range n.Keys {
		if n.Keys[i].Name == key {
			return true
		}
	}
	return false
}
