package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/template"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// Options say what a plan does not.
type Options struct {
	Region  string
	Account string
	// Prior reads what exists before the plan is applied, in place of what will
	// exist after it.
	Prior bool
}

// change is one planned resource.
type change struct {
	address string
	module  string // address of its module, with indexes; empty for the root
	kind    string
	name    string
	index   string // as in the address, with brackets
	actions []string
	before  *tree.Node
	after   *tree.Node
	unknown *tree.Node
	line    int
}

// document is what is kept of a plan.
type document struct {
	changes   []change
	planned   bool // resource_changes was there
	config    *tree.Node
	incorrect string // why the plan is not complete, if it is not
}

var errFound = errors.New("found")

// Is reports whether src is a Terraform plan in JSON. It reads no further than
// it must.
func Is(src []byte) bool {
	s := tree.NewScanner(src)
	if s.Peek() != '{' {
		return false
	}
	is := false
	_ = s.Object(func(key string) error {
		switch key {
		case "resource_changes", "planned_values", "terraform_version":
			is = true
			return errFound
		case "Resources", "AWSTemplateFormatVersion", "Transform":
			return errFound
		}
		return s.Skip()
	})
	return is
}

// Read turns a plan into posture's model.
func Read(file string, src []byte, options Options) (posture.Inventory, error) {
	doc, err := scan(src)
	if err != nil {
		return posture.Inventory{}, fmt.Errorf("reading the plan: %w", err)
	}
	if options.Prior {
		doc = doc.prior()
	}
	translated := translate(doc)
	inv := template.Read(file, translated.root, template.Options{Region: options.Region, Account: options.Account})
	inv.Gaps = nil // a plan has no macros
	for i := range inv.Resources {
		finish(&inv.Resources[i], translated, file)
	}
	if doc.incorrect != "" {
		inv.Gaps = append(inv.Gaps, posture.Gap{
			Resource: file, Account: options.Account, Region: options.Region, Reason: doc.incorrect, Needs: "a complete plan",
			Location: posture.Location{Origin: posture.OriginTerraform, File: file, Line: 1},
		})
	}
	return inv, nil
}

// prior is the plan's own record of what exists: everything is known.
func (doc document) prior() document {
	out := document{planned: true}
	for _, one := range doc.changes {
		one.after, one.unknown, one.actions = one.before, nil, nil
		out.changes = append(out.changes, one)
	}
	return out
}

// finish gives a resource its place in the plan and what only a plan knows.
func finish(resource *posture.Resource, from translation, file string) {
	address, _, _ := strings.Cut(resource.ID, "/")
	if _, whole := from.changes[resource.ID]; whole {
		address = resource.ID
	}
	planned := from.changes[address]
	resource.Location = posture.Location{Origin: posture.OriginTerraform, File: file, Line: 1, Address: address}
	if planned == nil {
		return
	}
	resource.Location.Line = planned.line
	if resource.Kind == posture.KindReplicationGroup && len(resource.Variants) == 0 {
		strategy(resource, planned)
	}
	if planned.replaces() && costly(resource.Kind) {
		resource.Notes = append(resource.Notes, "the plan destroys and creates it anew: its data and its clients' connections are lost")
	}
}

func costly(kind posture.Kind) bool {
	switch kind {
	case posture.KindMSKCluster, posture.KindReplicationGroup, posture.KindCacheCluster, posture.KindServerlessCache:
		return true
	}
	return false
}

// strategy notes how the plan introduces a token. Terraform's default is ROTATE,
// which leaves callers without a token served (terraform-provider-aws #33439);
// a group that is created with a token requires it from the start.
func strategy(group *posture.Resource, planned *change) {
	text := planned.after.Get("auth_token_update_strategy").Str()
	group.Set(posture.AuthTokenUpdateStrategy, posture.Absent())
	if text != "" {
		group.Set(posture.AuthTokenUpdateStrategy, posture.Text(strings.ToUpper(text)))
	}
	exists := planned.before != nil && planned.before.Kind == tree.Map && !planned.replaces()
	group.Set(posture.AuthTokenIntroduced, posture.Flag(exists && planned.before.Get("auth_token").Str() == ""))
}

func (c *change) does(action string) bool {
	for _, each := range c.actions {
		if each == action {
			return true
		}
	}
	return false
}

func (c *change) replaces() bool { return c.does("delete") && c.does("create") }

// stays reports whether the resource exists after the plan is applied.
func (c *change) stays() bool {
	return c.after != nil && c.after.Kind == tree.Map && (!c.does("delete") || c.does("create")) && !c.does("forget")
}
