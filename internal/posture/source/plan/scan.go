package plan

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// scan keeps of a plan the resources that a control may be about, and the
// configuration's expressions.
func scan(src []byte) (document, error) {
	doc, err := scanFor(src, "resource_changes")
	if err == nil && !doc.planned {
		return scanFor(src, "planned_values")
	}
	return doc, err
}

func scanFor(src []byte, section string) (document, error) {
	var doc document
	s := tree.NewScanner(src)
	err := s.Object(func(key string) error {
		switch {
		case key == section && section == "resource_changes":
			doc.planned = true
			return doc.readChanges(s)
		case key == section:
			values, err := s.Value()
			doc.readValues(values.Get("root_module"), "")
			return err
		case key == "configuration":
			config, err := s.Value()
			doc.config = config.Get("root_module")
			return err
		case key == "format_version":
			return readFormat(s)
		case key == "errored" || key == "complete":
			flag, err := s.Value()
			if wrong := key == "errored"; err == nil && (flag.Str() == "true") == wrong {
				doc.incorrect = "the plan says " + key + ": " + flag.Str() + ", so it does not show everything"
			}
			return err
		}
		return s.Skip()
	})
	if err == nil {
		err = s.End()
	}
	return doc, err
}

func readFormat(s *tree.Scanner) error {
	version, err := s.Value()
	if err != nil {
		return err
	}
	if text := version.Str(); !strings.HasPrefix(text, "1.") && !strings.HasPrefix(text, "0.") {
		return fmt.Errorf("format_version %q is not one that is known here (0.x and 1.x are)", text)
	}
	return nil
}

func (doc *document) readChanges(s *tree.Scanner) error {
	if s.Peek() != '[' { // null, when nothing changes
		return s.Skip()
	}
	return s.Array(func() error {
		one := change{line: s.Line()}
		managed, deposed := true, false
		err := s.Object(func(key string) error {
			switch key {
			case "change":
				if one.kind != "" && !translatable(one.kind) {
					return s.Skip()
				}
				return one.readChange(s)
			case "address", "module_address", "mode", "type", "name", "index", "deposed":
			default:
				return s.Skip()
			}
			node, err := s.Value()
			if err != nil {
				return err
			}
			switch key {
			case "address":
				one.address = node.Str()
			case "module_address":
				one.module = node.Str()
			case "mode":
				managed = node.Str() == "managed"
			case "type":
				one.kind = node.Str()
			case "name":
				one.name = node.Str()
			case "index":
				one.index = indexText(node)
			case "deposed":
				deposed = true
			}
			return nil
		})
		if managed && !deposed && translatable(one.kind) {
			doc.changes = append(doc.changes, one)
		}
		return err
	})
}

func indexText(node *tree.Node) string {
	if node.Kind == tree.Number {
		return "[" + node.Text + "]"
	}
	return fmt.Sprintf("[%q]", node.Str())
}

func (c *change) readChange(s *tree.Scanner) error {
	if s.Peek() != '{' {
		return s.Skip()
	}
	return s.Object(func(key string) error {
		switch key {
		case "actions", "before", "after", "after_unknown":
		default:
			return s.Skip()
		}
		node, err := s.Value()
		if err != nil {
			return err
		}
		switch key {
		case "actions":
			for _, action := range node.Items {
				c.actions = append(c.actions, action.Str())
			}
		case "before":
			c.before = node
		case "after":
			c.after = node
		case "after_unknown":
			c.unknown = node
		}
		return nil
	})
}

// readValues reads planned_values, for plans that lack resource_changes. It has
// no actions and shows what is unknown by leaving it out.
func (doc *document) readValues(module *tree.Node, address string) {
	resources := module.Get("resources")
	if resources != nil && resources.Kind == tree.List {
		for _, node := range resources.Items {
			one := change{
				address: node.Get("address").Str(), module: address, kind: node.Get("type").Str(),
				name: node.Get("name").Str(), after: node.Get("values"), line: int(node.Line),
			}
			if index := node.Get("index"); index != nil {
				one.index = indexText(index)
			}
			if node.Get("mode").Str() == "managed" && translatable(one.kind) {
				doc.changes = append(doc.changes, one)
			}
		}
	}
	children := module.Get("child_modules")
	if children == nil || children.Kind != tree.List {
		return
	}
	for _, child := range children.Items {
		doc.readValues(child, child.Get("address").Str())
	}
}
