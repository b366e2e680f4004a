package files

import (
	"path/filepath"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// manifestName is the file that lists what a CDK cloud assembly holds.
const manifestName = "manifest.json"

// stack is one template of a cloud assembly.
type stack struct {
	path string
	home home
}

// stacks lists the templates that a manifest names, those of stages included. It
// reports false when the file is some other manifest.
func stacks(path string, depth int) ([]stack, bool) {
	const deepest = 8 // stages within stages
	src, err := load(path)
	if err != nil || depth > deepest {
		return nil, false
	}
	root, err := tree.ParseJSON(src)
	if err != nil || root.Get("artifacts") == nil || root.Get("version") == nil {
		return nil, false
	}
	var found []stack
	root.Get("artifacts").Each(func(_ tree.Key, artifact *tree.Node) {
		properties := artifact.Get("properties")
		switch artifact.Get("type").Str() {
		case "aws:cloudformation:stack":
			if file := properties.Get("templateFile").Str(); filepath.IsLocal(file) {
				found = append(found, stack{filepath.Join(filepath.Dir(path), file), environment(artifact.Get("environment").Str())})
			}
		case "cdk:cloud-assembly": // a stage
			if dir := properties.Get("directoryName").Str(); filepath.IsLocal(dir) {
				inner, _ := stacks(filepath.Join(filepath.Dir(path), dir, manifestName), depth+1)
				found = append(found, inner...)
			}
		}
	})
	return found, true
}

// environment reads "aws://account/region"; CDK writes unknown-account and
// unknown-region where a stack does not say.
func environment(text string) home {
	account, region, _ := strings.Cut(strings.TrimPrefix(text, "aws://"), "/")
	at := home{account, region}
	if strings.HasPrefix(account, "unknown-") {
		at.account = ""
	}
	if strings.HasPrefix(region, "unknown-") {
		at.region = ""
	}
	return at
}

// learnHomes remembers where a manifest's templates are deployed.
func (r *reader) learnHomes(path string) {
	found, _ := stacks(path, 0)
	for _, each := range found {
		if abs, err := filepath.Abs(each.path); err == nil {
			r.homes[abs] = each.home
		}
	}
}

func (r *reader) home(path string) home {
	abs, err := filepath.Abs(path)
	if err != nil {
		return home{}
	}
	return r.homes[abs]
}

// manifest reads the templates of a cloud assembly whose manifest was named. In
// a folder they are found on their own. It reports false when the file is some
// other manifest.
func (r *reader) manifest(path string, named bool) bool {
	found, ok := stacks(path, 0)
	if !ok {
		return false
	}
	if !named {
		r.inv.Skipped = append(r.inv.Skipped, path)
		return true
	}
	for _, each := range found {
		r.readOne(each.path, true)
	}
	return true
}
