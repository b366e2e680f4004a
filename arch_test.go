package gatehouse_test

import (
	"bufio"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gatehouse/gatehouse/"

// table says what each part of the tree may import of this module. A part is
// the longest path listed here that a package is in; what is not listed is
// refused. "*" allows all. ARCHITECTURE.md explains the reasons.
var table = map[string][]string{
	"cmd/gatehouse":         {"*"},
	"cmd/gatehouse-gateway": {"internal/identity", "internal/directory", "internal/remote", "internal/gateway", "internal/credential", "internal/certs", "internal/clock", "internal/config"},

	"internal/identity":   {},
	"internal/clock":      {},
	"internal/config":     {"internal/identity"},
	"internal/certs":      {"internal/clock"},
	"internal/datadir":    {"internal/identity"},
	"internal/sigv4":      {"internal/clock", "internal/identity"},
	"internal/acl":        {"internal/identity"},
	"internal/policy":     {"internal/identity"},
	"internal/credential": {"internal/identity", "internal/sigv4", "internal/policy", "internal/clock"},
	"internal/directory":  {"internal/identity", "internal/clock", "internal/credential"},
	"internal/remote":     {"internal/identity", "internal/clock", "internal/credential", "internal/directory", "internal/gateway", "internal/certs"},
	"internal/engine":     {"internal/identity", "internal/acl", "internal/clock", "internal/directory", "internal/engine"},

	"internal/gateway/resp":    {},
	"internal/gateway/backend": {"internal/identity", "internal/gateway/resp", "internal/directory"},
	"internal/gateway":         {"internal/identity", "internal/clock", "internal/directory", "internal/credential", "internal/certs", "internal/acl", "internal/gateway"},

	"internal/store":        {"internal/store"},
	"internal/store/etcd":   {"internal/store"},
	"internal/store/memory": {"internal/store"},

	"internal/control":          {"internal/identity", "internal/clock", "internal/acl", "internal/policy", "internal/credential", "internal/control"},
	"internal/control/state":    {"internal/identity", "internal/clock", "internal/store"},
	"internal/control/converge": {"internal/identity", "internal/clock", "internal/acl", "internal/credential", "internal/control", "internal/directory", "internal/engine"},

	"internal/awsapi": {"internal/identity", "internal/clock", "internal/sigv4", "internal/policy", "internal/control", "internal/awsapi", "internal/trail", "internal/meter"},
	"internal/trail":  {"internal/identity", "internal/clock"},
	"internal/meter":  {"internal/clock", "internal/meter"},
	"internal/serve":  {"*"},

	"internal/posture": {"internal/posture"},
	"pkg/cacheauth":    {"pkg/cacheauth"},
}

// sdkAllowed are the parts that may link the AWS SDK.
var sdkAllowed = []string{"bench", "test", "cmd/gatehouse", "internal/awsapi", "internal/posture/source", "internal/posture/migrate", "internal/posture/report", "pkg/cacheauth", "internal/serve"}

// etcdAllowed is the only part that may link etcd.
const etcdAllowed = "internal/store/etcd"

// maxLines is how long a file that is not a test or generated may be.
const maxLines = 500

func TestImportTable(t *testing.T) {
	for dir, imports := range packages(t) {
		part := partOf(dir)
		if part == "" {
			t.Errorf("%s is in no part of the import table", dir)
			continue
		}
		allowed := table[part]
		for _, path := range imports {
			if inner, ok := strings.CutPrefix(path, module); ok {
				if !allows(allowed, inner) {
					t.Errorf("%s imports %s, which the table does not allow", dir, inner)
				}
			}
			if strings.HasPrefix(path, "github.com/aws/") && !within(dir, sdkAllowed...) {
				t.Errorf("%s imports the AWS SDK (%s)", dir, path)
			}
			if strings.HasPrefix(path, "go.etcd.io/") && !within(dir, etcdAllowed) {
				t.Errorf("%s imports etcd (%s)", dir, path)
			}
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for dir := range packages(t) {
		if !documented(t, dir) {
			t.Errorf("%s has no package comment that says what it owns", dir)
		}
	}
}

func TestFilesStayShort(t *testing.T) {
	walk(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			return
		}
		if n := lines(t, path); n > maxLines {
			t.Errorf("%s has %d lines; %d is the most", path, n, maxLines)
		}
	})
}

// packages returns the imports of every package's files that are not tests.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	walk(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatalf("reading the imports of %s: %v", path, err)
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[dir] = append(found[dir], name)
		}
		if len(file.Imports) == 0 {
			found[dir] = append(found[dir], []string{}...)
		}
	})
	if len(found) == 0 {
		t.Fatal("no packages found: the test looks in the wrong place")
	}
	return found
}

func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	for _, top := range []string{"cmd", "internal", "pkg", "test", "bench"} {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			if !entry.IsDir() && strings.HasSuffix(path, ".go") {
				visit(filepath.ToSlash(path))
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

func partOf(dir string) string {
	if within(dir, "test", "bench") {
		return "cmd/gatehouse" // tests from outside may import all
	}
	longest := ""
	for part := range table {
		if within(dir, part) && len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

func allows(allowed []string, dir string) bool {
	return slices.Contains(allowed, "*") || within(dir, allowed...)
}

func within(dir string, parts ...string) bool {
	for _, part := range parts {
		if dir == part || strings.HasPrefix(dir, part+"/") {
			return true
		}
	}
	return false
}

func documented(t *testing.T, dir string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if file.Doc != nil {
			return true
		}
	}
	return false
}

func lines(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	n := 0
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		n++
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
