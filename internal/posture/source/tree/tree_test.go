package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	for name, text := range map[string]string{
		"yaml": "a: 1\nb:\n  - x\n  - !Sub y\n",
		"json": "{\n\"a\": 1,\n\"b\": [\"x\",\n {\"Fn::Sub\": \"y\"}]}",
	} {
		root, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		item := root.Get("b").Items[1]
		if item.Line != 4 || item.Get("Fn::Sub").Str() != "y" {
			t.Errorf("%s: line %d, %s", name, item.Line, item.Canonical())
		}
	}
}

func TestScalarsStayAsWritten(t *testing.T) {
	root, err := ParseYAML([]byte("a: 5.0\nb: no\nc: '5.0'\nd: 0x10\ne: ~\nf: 2026-01-31\n"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "5.0", "b": "no", "c": "5.0", "d": "0x10", "f": "2026-01-31"} {
		if got := root.Get(key).Str(); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if !root.Get("e").IsNull() {
		t.Error("~ is not null")
	}
}

func TestAliases(t *testing.T) {
	root, err := ParseYAML([]byte("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nagain: *b\n"))
	if err != nil {
		t.Fatal(err)
	}
	if root.At("use", "x").Str() != "1" || root.At("use", "y").Str() != "3" || root.At("again", "y").Str() != "2" {
		t.Errorf("the tree is %s", root.Canonical())
	}
	if root.At("use").Twice("y") {
		t.Error("a merged key counts as written twice")
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	if _, err := ParseJSON([]byte(deep)); !errors.Is(err, ErrLimit) {
		t.Errorf("deep JSON: %v", err)
	}
	if err := NewScanner([]byte(deep)).Skip(); !errors.Is(err, ErrLimit) {
		t.Errorf("deep JSON that is skipped: %v", err)
	}
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		laughs += fmt.Sprintf("a%[2]d: &a%[2]d [*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d]\n", i, i+1)
	}
	if _, err := ParseYAML([]byte(laughs)); !errors.Is(err, ErrLimit) {
		t.Errorf("a billion laughs: %v", err)
	}
}

func TestLongMapsAreLookedUp(t *testing.T) {
	var b strings.Builder
	for i := range 3 * manyKeys {
		fmt.Fprintf(&b, "k%d: %d\n", i, i)
	}
	b.WriteString("k5: again\n")
	root, err := ParseYAML([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if root.Get("k5").Str() != "5" || root.Get("k60").Str() != "60" || root.Get("gone") != nil || !root.Twice("k5") || root.Twice("k6") {
		t.Errorf("k5 is %q, k60 is %q", root.Get("k5").Str(), root.Get("k60").Str())
	}
}

// long is a template of many pieces with everything that could mislead a cut.
func long(more string) string {
	var b strings.Builder
	b.WriteString("AWSTemplateFormatVersion: '2010-09-09'\nResources: # all of them\n")
	text := b.String()
	text = strings.Replace(text, "Resources: # all of them", "Resources:", 1)
	b.Reset()
	b.WriteString(text)
	for i := 0; b.Len() < smallYAML+2*pieceBytes; i++ {
		fmt.Fprintf(&b, "  R%d:\n    Type: T\n    # a remark\n    Text: |\n      Resources:\n      key: value\n\n    Quoted: \"two\n      lines: x\"\n    Flow: {a: [1,\n      2], b: c}\n  # between\n", i)
	}
	b.WriteString(more)
	return b.String()
}

// TestSectionsReadLikeWholes: however a text is cut, the tree is that of the
// whole text, with the same lines.
func TestSectionsReadLikeWholes(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                    long("Outputs:\n  O: {Value: 1}\n"),
		"nothing after":            long(""),
		"a flow that ends left":    long("  Bad: {a: 1,\n  b: 2}\n"),
		"a quote that ends left":   long("  Bad: \"one\n  two: three\"\n"),
		"an anchor":                long("  A: &x {a: 1}\n  B: *x\n"),
		"a second document":        long("---\nother: 1\n"),
		"twice the section":        long("Resources:\n  X: {Type: T}\n"),
		"no end of line":           strings.TrimSuffix(long("Outputs: {}\n"), "\n"),
		"windows":                  strings.ReplaceAll(long("Outputs: {}\n"), "\n", "\r\n"),
		"an entry that is a value": long("  V: 1\n  N:\n"),
	} {
		t.Run(name, func(t *testing.T) {
			whole, wholeErr := ParseYAML([]byte(text))
			cut, cutErr := ParseSection([]byte(text), "Resources", func(*Node) {})
			if (wholeErr == nil) != (cutErr == nil) {
				t.Fatalf("whole: %v, cut: %v", wholeErr, cutErr)
			}
			if wholeErr == nil && places(whole) != places(cut) {
				t.Error("the trees differ")
			}
		})
	}
	if _, ok := yamlSection([]byte(long("")), "Resources", func(*Node) {}); !ok {
		t.Error("a plain long file is not read in pieces")
	}
}

// places writes a tree with its lines, but for maps' own, which a cut moves.
func places(n *Node) string {
	var b strings.Builder
	var visit func(n *Node)
	visit = func(n *Node) {
		if n == nil {
			return
		}
		fmt.Fprintf(&b, "%d %s", n.Kind, n.Text)
		if n.Kind != Map {
			fmt.Fprintf(&b, "@%d", n.Line)
		}
		for i, item := range n.Items {
			if n.Kind == Map {
				fmt.Fprintf(&b, " %s@%d:", n.Keys[i].Name, n.Keys[i].Line)
			}
			visit(item)
		}
		b.WriteByte('\n')
	}
	visit(n)
	return b.String()
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, `{"a":[1,-2.5e3,true,null,"\u00e9\ud83d\ude00\n"]}`, `{"a":{"a":1},"a":2}`, `"x`, `[1,]`, `{"a":01}`, "\"\x01\"", `[[[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		node, err := ParseJSON(src)
		valid := json.Valid(src)
		if err == nil && !valid && !strings.HasPrefix(string(src), "\xef\xbb\xbf") {
			t.Fatalf("%q is read as %s and is not JSON", src, node.Canonical())
		}
		if err != nil && valid && !errors.Is(err, ErrLimit) {
			t.Fatalf("%q is refused: %v", src, err)
		}
		if err == nil && NewScanner(src).Skip() != nil {
			t.Fatalf("%q is read and cannot be skipped", src)
		}
	})
}

func FuzzYAMLSection(f *testing.F) {
	f.Add("  A: {Type: T}\n", "Outputs: {}\n")
	f.Add("  A:\n    Type: |\n      x\n  B: \"a\n  C: b\"\n", "")
	f.Add("  A: &x 1\n  B: *x\n", "---\n")
	f.Add("  A: [1,\n  2]\n", "# end")
	f.Add("   A: 1\n  B: 2\n", "x: y")
	f.Fuzz(func(t *testing.T, entries, after string) {
		text := "Resources:\n" + entries + after
		cut, ok := yamlSection([]byte(text), "Resources", func(*Node) {})
		if !ok {
			return
		}
		whole, err := ParseYAML([]byte(text))
		if err != nil {
			t.Fatalf("%q is cut and does not parse: %v", text, err)
		}
		if whole.Canonical() != cut.Canonical() {
			t.Fatalf("%q is cut into %s, the whole is %s", text, cut.Canonical(), whole.Canonical())
		}
	})
}
