// Package files finds templates and plans among files and folders and reads
// them into posture's model.
//
// It owns telling CloudFormation, SAM, CDK output and Terraform plans apart by
// content, walking folders, and which files a template may pull in. What the
// files mean belongs to packages template and plan. A file that was named and
// cannot be read is a problem; a file in a folder that is something else is
// skipped and listed.
package files

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/plan"
	"github.com/gatehouse/gatehouse/internal/posture/source/template"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// maxFiles bounds a folder; somebody who points at "/" gets an error, not a
// night of reading.
const maxFiles = 20000

// skipped are folders that hold other people's code or state.
var skipped = []string{".git", ".terraform", "node_modules", ".venv", "__pycache__", ".aws-sam"}

// Options are what the caller knows about the files' parameters.
type Options struct {
	Parameters map[string]string
	Region     string
	Account    string
	// Prior reads of each plan what exists before it, and no templates: the base
	// that a plan carries with it.
	Prior bool
}

// reader reads one set of paths.
type reader struct {
	options  Options
	roots    []string              // folders that templates may read from
	parsed   map[string]*tree.Node // by absolute path
	children map[string]bool       // files that were read as part of another
	homes    map[string]home       // by absolute path: where CDK deploys a template
	inv      posture.Inventory
}

// home is the account and region that CDK deploys a stack to.
type home struct{ account, region string }

// Read reads every path: a file, or a folder with everything below it.
func Read(paths []string, options Options) posture.Inventory {
	r := &reader{options: options, parsed: map[string]*tree.Node{}, children: map[string]bool{}, homes: map[string]home{}}
	if cwd, err := os.Getwd(); err == nil {
		r.roots = append(r.roots, cwd)
	}
	r.inv.Roots = paths
	var named, found []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			r.problem(path, 0, fmt.Sprintf("reading it: %v", plainError(err)), "check the path")
		case info.IsDir():
			r.root(path)
			files, err := r.walk(path)
			if err != nil {
				r.problem(path, 0, err.Error(), "name the templates one by one")
			}
			found = append(found, files...)
		default:
			r.root(filepath.Dir(path))
			named = append(named, path)
		}
	}
	r.readAll(unique(named), true)
	r.readAll(unique(found), false)
	return r.inv
}

func plainError(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

func (r *reader) root(dir string) {
	if abs, err := filepath.Abs(dir); err == nil {
		r.roots = append(r.roots, abs)
	}
}

func unique(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

// walk lists the files of a folder that may be templates or plans.
func (r *reader) walk(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.problem(path, 0, fmt.Sprintf("reading it: %v", plainError(err)), "check its permissions")
			return nil
		case entry.IsDir() && path != dir && slices.Contains(skipped, entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular() || !candidate(path):
			return nil
		}
		if files = append(files, path); len(files) > maxFiles {
			return fmt.Errorf("the folder has more than %d files that could be templates", maxFiles)
		}
		return nil
	})
	return files, err
}

func candidate(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".yaml", ".yml", ".template", ".tfplan", ".cfn":
		return true
	}
	return false
}

// readAll reads files; a template that another one of them nests is read as its
// child, with the parameters that it gets there, and not once more alone.
func (r *reader) readAll(paths []string, named bool) {
	type result struct {
		path string
		inv  posture.Inventory
	}
	var results []result
	for _, path := range paths {
		if filepath.Base(path) == manifestName {
			r.learnHomes(path)
		}
	}
	for _, path := range paths {
		before := r.inv
		r.inv = posture.Inventory{}
		r.readOne(path, named)
		results = append(results, result{path, r.inv})
		r.inv = before
	}
	for _, each := range results {
		if abs, err := filepath.Abs(each.path); err == nil && r.children[abs] && !named {
			continue
		}
		r.inv.Add(each.inv)
	}
}

func (r *reader) readOne(path string, named bool) {
	if filepath.Base(path) == manifestName && r.manifest(path, named) {
		return
	}
	src, err := load(path)
	if err != nil {
		r.problem(path, 0, fmt.Sprintf("reading it: %v", plainError(err)), "check the file")
		return
	}
	switch {
	case plan.Is(src):
		r.readPlan(path, src)
	case r.options.Prior:
	case named || mentionsAWS(src):
		r.readTemplate(path, src, named)
	default:
		r.inv.Skipped = append(r.inv.Skipped, path)
	}
}

// mentionsAWS is a cheap look before a file of a folder is parsed.
func mentionsAWS(src []byte) bool {
	return bytes.Contains(src, []byte("AWSTemplateFormatVersion")) || bytes.Contains(src, []byte("AWS::")) ||
		bytes.Contains(src, []byte("Custom::")) || bytes.Contains(src, []byte("::MODULE"))
}

func load(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if info.Size() > tree.MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, %d at most", tree.ErrLimit, info.Size(), tree.MaxBytes)
	}
	return os.ReadFile(path)
}

func (r *reader) readPlan(path string, src []byte) {
	inv, err := plan.Read(path, src, plan.Options{Region: r.options.Region, Account: r.options.Account, Prior: r.options.Prior})
	if err != nil {
		r.fault(path, posture.OriginTerraform, err)
		return
	}
	r.inv.Add(inv)
}

func (r *reader) readTemplate(path string, src []byte, named bool) {
	root, err := template.Parse(src)
	at := r.home(path)
	switch {
	case errors.Is(err, tree.ErrSeveral) && !named && !template.Is(root):
		r.inv.Skipped = append(r.inv.Skipped, path) // manifests of something else
	case err != nil && (named || mentionsAWS(src)):
		r.fault(path, posture.OriginCloudFormation, err)
	case err != nil:
		r.inv.Skipped = append(r.inv.Skipped, path)
	case template.Is(root):
		r.inv.Add(template.Read(path, root, template.Options{
			Parameters: r.options.Parameters, Region: cmp.Or(at.region, r.options.Region),
			Account: cmp.Or(at.account, r.options.Account), ReadFile: r.pull,
		}))
	case named:
		r.problem(path, 1, "it is neither a CloudFormation or SAM template nor a Terraform plan in JSON",
			"for Terraform: terraform show -json plan.out > plan.json")
	default:
		r.inv.Skipped = append(r.inv.Skipped, path)
	}
}

func (r *reader) fault(path string, origin posture.Origin, err error) {
	line := 1
	var syntax *tree.SyntaxError
	if errors.As(err, &syntax) {
		line = syntax.Line
	}
	r.problem(path, line, "it does not parse: "+err.Error(), "correct the file")
	r.inv.Problems[len(r.inv.Problems)-1].Location.Origin = origin
}

func (r *reader) problem(path string, line int, reason, next string) {
	r.inv.Problems = append(r.inv.Problems, posture.Problem{
		Scope: path, Account: r.options.Account, Region: r.options.Region, Reason: reason, Next: next,
		Location: posture.Location{Origin: posture.OriginCloudFormation, File: path, Line: line},
	})
}

// pull reads a file that a template names. It stays within the folders that the
// user pointed at and the working directory.
func (r *reader) pull(from, reference string) (*tree.Node, string, bool) {
	if strings.Contains(reference, "://") || strings.HasPrefix(reference, "arn:") {
		return nil, "", false
	}
	path := reference
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(from), path)
	}
	abs, err := filepath.Abs(path)
	if err != nil || !r.within(abs) {
		return nil, "", false
	}
	r.children[abs] = true
	if root, ok := r.parsed[abs]; ok {
		return root, path, root != nil
	}
	r.parsed[abs] = nil
	src, err := load(abs)
	if err != nil {
		return nil, "", false
	}
	root, err := template.Parse(src)
	if err != nil {
		return nil, "", false
	}
	r.parsed[abs] = root
	return root, path, true
}

func (r *reader) within(abs string) bool {
	for _, root := range r.roots {
		if rel, err := filepath.Rel(root, abs); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}
