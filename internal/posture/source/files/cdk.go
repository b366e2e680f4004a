package files

import (
	"path/filepath"

	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// manifest reads a CDK cloud assembly: the templates that manifest.json names.
// It reports false when the file is some other manifest. In a folder the
// templates are found on their own, so only a manifest that was named matters.
func (r *reader) manifest(path string, named bool) bool {
	src, err := load(path)
	if err != nil {
		return false
	}
	root, err := tree.ParseJSON(src)
	if err != nil || root.Get("artifacts") == nil || root.Get("version") == nil {
		return false
	}
	if !named {
		r.inv.Skipped = append(r.inv.Skipped, path)
		return true
	}
	root.Get("artifacts").Each(func(_ tree.Key, artifact *tree.Node) {
		properties := artifact.Get("properties")
		switch artifact.Get("type").Str() {
		case "aws:cloudformation:stack":
			if file := properties.Get("templateFile").Str(); file != "" && filepath.IsLocal(file) {
				r.readOne(filepath.Join(filepath.Dir(path), file), true)
			}
		case "cdk:cloud-assembly": // a stage
			if dir := properties.Get("directoryName").Str(); dir != "" && filepath.IsLocal(dir) {
				r.readOne(filepath.Join(filepath.Dir(path), dir, "manifest.json"), true)
			}
		}
	})
	return true
}
