package policy

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// The two versions of the policy language. Variables exist only in the second.
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Sentences that AWS answers with; clients show them, and some tests in the wild
// look for them. Gatehouse adds the place and the reason behind them.
const (
	sayingSyntax    = "Syntax errors in policy."
	sayingVersion   = "Policy document must be version 2012-10-17 or greater."
	sayingNoAction  = "Policy statement must contain actions."
	sayingNoTarget  = "Policy statement must contain resources."
	sayingPrincipal = "Policy document should not specify a principal."
	sayingTrust     = "AssumeRole policy may only specify STS AssumeRole actions."
	sayingVendor    = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	sayingColon     = "Actions/Condition can contain only one colon."
	sayingSIDTwice  = "Statement IDs (SID) in a single policy must be unique."
	sayingSID       = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)

// Parse reads and checks a document of the given kind. The error is an
// identity.Error of kind Malformed whose message begins with AWS's sentence and
// ends with the place (statement, element, line and column) and the reason.
func Parse(kind Kind, document string) (*Document, error) {
	if len(document) > MaxDocument {
		return nil, identity.Errorf(Malformed, "%s (the document has %d bytes; %d is the most)", sayingSyntax, len(document), MaxDocument)
	}
	root, tree, err := readTree(document)
	if err != nil {
		return nil, identity.Errorf(Malformed, "%s (%s)", sayingSyntax, err)
	}
	p := &parser{tree: tree, doc: &Document{Kind: kind, Text: document, Version: version2008}}
	if err := p.document(&root); err != nil {
		return nil, err
	}
	return p.doc, nil
}

// CheckManaged returns the error, of kind Malformed, for a document that cannot
// be a managed policy: those must say "Version": "2012-10-17".
func (d *Document) CheckManaged() error {
	if d.Version != version2012 {
		return identity.Errorf(Malformed, "%s (Version is %s, which is what a document without Version has)", sayingVersion, d.Version)
	}
	return nil
}

// parser turns nodes into a Document.
type parser struct {
	tree *tree
	doc  *Document
	// where is the element being read, such as Statement[1].Condition.
	where string
}

// fail makes the error that Parse returns.
func (p *parser) fail(n *node, saying, format string, args ...any) error {
	at := p.tree.position(n.start)
	place := fmt.Sprintf("line %d, column %d", at.Line, at.Column)
	if p.where != "" {
		place = p.where + ", " + place
	}
	return identity.Errorf(Malformed, "%s (%s: %s)", saying, place, fmt.Sprintf(format, args...))
}

func (p *parser) document(root *node) error {
	if !root.is(objectNode) {
		return p.fail(root, sayingSyntax, "a policy is a JSON object")
	}
	var statements *node
	for i, name := range root.names {
		n := &root.items[i]
		switch name {
		case "Version":
			if n.text != version2008 && n.text != version2012 {
				return p.fail(n, sayingSyntax, "Version must be %q or %q", version2012, version2008)
			}
			p.doc.Version = n.text
		case "Id":
			if !n.is(stringNode) {
				return p.fail(n, sayingSyntax, "Id must be a string")
			}
			p.doc.ID = n.text
		case "Statement":
			statements = n
		default:
			return p.fail(n, sayingSyntax, "unknown element %q; a policy has Version, Id and Statement", name)
		}
	}
	if statements == nil {
		return p.fail(root, sayingSyntax, "there is no Statement")
	}
	return p.statements(statements)
}

func (p *parser) statements(n *node) error {
	list := []node{*n}
	if n.is(arrayNode) {
		list = n.items
	}
	if len(list) == 0 {
		return p.fail(n, sayingSyntax, "Statement is empty")
	}
	seen := map[string]int{}
	for i := range list {
		p.where = fmt.Sprintf("Statement[%d]", i)
		s, err := p.statement(&list[i], i)
		if err != nil {
			return err
		}
		if before, twice := seen[s.SID]; twice && s.SID != "" {
			return p.fail(&list[i], sayingSIDTwice, "Sid %q is also that of Statement[%d]", s.SID, before)
		}
		seen[s.SID] = i
		p.doc.Statements = append(p.doc.Statements, s)
	}
	return nil
}

// statement reads one statement; elements in the order that they are written.
func (p *parser) statement(n *node, index int) (Statement, error) {
	s := Statement{Index: index, Start: p.tree.position(n.start), End: p.tree.position(n.end)}
	if !n.is(objectNode) {
		return s, p.fail(n, sayingSyntax, "a statement is a JSON object")
	}
	place := p.where
	has := map[string]bool{}
	for i, name := range n.names {
		has[name] = true
		p.where = place + "." + name
		if err := p.element(&s, name, &n.items[i]); err != nil {
			return s, err
		}
	}
	p.where = place
	return s, p.complete(&s, n, has)
}

func (p *parser) element(s *Statement, name string, n *node) error {
	var err error
	switch name {
	case "Sid":
		err = p.sid(s, n)
	case "Effect":
		if n.text != "Allow" && n.text != "Deny" {
			return p.fail(n, sayingSyntax, `Effect must be "Allow" or "Deny"`)
		}
		s.Effect = n.text == "Allow"
	case "Action", "NotAction":
		s.notActions = name == "NotAction"
		s.actions, err = p.actions(n)
	case "Resource", "NotResource":
		s.notResources = name == "NotResource"
		s.resources, err = p.resources(n)
	case "Principal", "NotPrincipal":
		s.principals, err = p.principals(n, name == "NotPrincipal")
	case "Condition":
		s.conditions, err = p.conditions(n)
	default:
		return p.fail(n, sayingSyntax, "Unknown field %s", name)
	}
	return err
}

func (p *parser) sid(s *Statement, n *node) error {
	if !n.is(stringNode) {
		return p.fail(n, sayingSyntax, "Sid must be a string")
	}
	alphanumeric := strings.IndexFunc(n.text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
	if !alphanumeric && p.doc.Kind != Resource { // services differ; S3 allows spaces
		return p.fail(n, sayingSID, "Sid %q", n.text)
	}
	s.SID = n.text
	return nil
}

// complete checks which elements a statement of this kind must and may have.
func (p *parser) complete(s *Statement, n *node, has map[string]bool) error {
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}, {"Principal", "NotPrincipal"}} {
		if has[pair[0]] && has[pair[1]] {
			return p.fail(n, sayingSyntax, "%s and %s exclude each other", pair[0], pair[1])
		}
	}
	principal, target := has["Principal"] || has["NotPrincipal"], has["Resource"] || has["NotResource"]
	switch kind := p.doc.Kind; {
	case !has["Effect"]:
		return p.fail(n, sayingSyntax, "Effect is missing")
	case len(s.actions) == 0:
		return p.fail(n, sayingNoAction, "Action or NotAction is missing or empty")
	case kind == Trust && target:
		return p.fail(n, "Has prohibited field Resource.", "a trust policy is about its own role")
	case kind == Trust && has["NotAction"]:
		return p.fail(n, sayingTrust, "NotAction is not possible in a trust policy")
	case !kind.namesPrincipals() && principal:
		return p.fail(n, sayingPrincipal, "it applies to whom it is attached to")
	case kind.namesPrincipals() && !principal:
		return p.fail(n, "Missing required field Principal.", "a %s says whom it is about", kind)
	case has["NotPrincipal"] && s.Effect == Allow:
		return p.fail(n, sayingSyntax, `NotPrincipal is possible with "Effect": "Deny" only`)
	case len(s.resources) == 0 && (target || !kind.namesPrincipals()):
		return p.fail(n, sayingNoTarget, "Resource or NotResource is missing or empty")
	}
	return nil
}

// texts reads a string or an array of strings.
func (p *parser) texts(n *node) ([]node, error) {
	list := []node{*n}
	if n.is(arrayNode) {
		list = n.items
	}
	for i := range list {
		if !list[i].is(stringNode) {
			return nil, p.fail(&list[i], sayingSyntax, "a string must stand here")
		}
	}
	return list, nil
}

func (p *parser) actions(n *node) ([]pattern, error) {
	list, err := p.texts(n)
	if err != nil {
		return nil, err
	}
	actions := make([]pattern, 0, len(list))
	for i := range list {
		if err := p.action(&list[i]); err != nil {
			return nil, err
		}
		a, _ := compile(strings.ToLower(list[i].text), syntax{wildcards: true}) // fails for variables only
		actions = append(actions, a)
	}
	return actions, nil
}

func (p *parser) action(n *node) error {
	if n.text == "*" && p.doc.Kind != Trust {
		return nil
	}
	vendor, name, colon := strings.Cut(n.text, ":")
	switch {
	case p.doc.Kind == Trust && !strings.EqualFold(vendor, "sts"):
		return p.fail(n, sayingTrust, "%q", n.text)
	case !colon || vendor == "":
		return p.fail(n, sayingVendor, "%q", n.text)
	case strings.Contains(name, ":"):
		return p.fail(n, sayingColon, "%q", n.text)
	case name == "":
		return p.fail(n, sayingSyntax, "%q names no action", n.text)
	}
	for i := range len(vendor) {
		if vendor == "*" {
			break
		}
		if c := lower(vendor[i]); (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return p.fail(n, fmt.Sprintf("Vendor %s is not valid", vendor), "%q", n.text)
		}
	}
	return nil
}

func (p *parser) resources(n *node) ([]pattern, error) {
	list, err := p.texts(n)
	if err != nil {
		return nil, err
	}
	resources := make([]pattern, 0, len(list))
	for i := range list {
		if err := p.resource(&list[i]); err != nil {
			return nil, err
		}
		r, err := compile(list[i].text, syntax{wildcards: true, variables: p.variables()})
		if err != nil {
			return nil, p.fail(&list[i], sayingSyntax, "%q: %s", list[i].text, err)
		}
		resources = append(resources, r)
	}
	return resources, nil
}

func (p *parser) resource(n *node) error {
	if n.text == "*" {
		return nil
	}
	parts := strings.SplitN(n.text, ":", arnParts)
	wild := strings.HasSuffix(n.text, "*")
	switch {
	case parts[0] != "arn" || len(parts) < 3:
		return p.fail(n, fmt.Sprintf(`Resource %s must be in ARN format or "*".`, n.text), "an ARN has six parts")
	case parts[1] != "aws" && parts[1] != "*" && !strings.HasPrefix(parts[1], "aws-"):
		return p.fail(n, fmt.Sprintf("Partition %q is not valid for resource %q.", parts[1], n.text), "Gatehouse's ARNs begin with arn:aws:")
	case len(parts) < arnParts && !wild:
		return p.fail(n, "Resource vendor must be fully qualified and cannot contain regexes.", "%q is not a whole ARN and does not end with *", n.text)
	case p.variables() && strings.Contains(strings.Join(parts[:min(len(parts), arnParts-1)], ":"), "${"):
		return p.fail(n, sayingSyntax, "a variable may stand only behind the fifth colon of %q", n.text)
	}
	return nil
}

// variables reports whether the document's version has policy variables.
func (p *parser) variables() bool { return p.doc.Version == version2012 }
