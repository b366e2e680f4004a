package plan

import (
	"regexp"
	"strings"

	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// references answers what the configuration says about an attribute: whether it
// has an expression, and which resource the expression leads to.
type references struct {
	config *tree.Node
	byID   map[string]string // API id to address
	known  map[string]bool   // addresses of the plan
	// declared holds the expressions of a module's resources, by the module's
	// address without indexes and by "type.name"; filled as modules are asked for.
	declared map[string]map[string]*tree.Node
}

func newReferences(doc document) *references {
	r := &references{config: doc.config, byID: map[string]string{}, known: map[string]bool{}, declared: map[string]map[string]*tree.Node{}}
	for _, one := range doc.changes {
		r.known[one.address] = true
		for _, key := range []string{"id", "api_id"} {
			if id := one.after.Get(key).Str(); id != "" && isAPI(one.kind) {
				r.byID[id] = one.address
			}
		}
	}
	return r
}

func isAPI(kind string) bool {
	return strings.HasSuffix(kind, "_api") && !strings.HasSuffix(kind, "_rest_api")
}

// api finds the address of the API that a resource belongs to, or "".
func (r *references) api(from *change, attribute string, value *tree.Node) string {
	if id := value.Str(); id != "" {
		return r.byID[id]
	}
	expression, _ := r.expression(from, attribute)
	return r.follow(expression, from.module, from.index, 0)
}

// expression returns the configuration's expression for an attribute. The second
// result is false when the plan has no configuration for the resource.
func (r *references) expression(of *change, attribute string) (*tree.Node, bool) {
	expressions, declared := r.resources(of.module)[of.kind+"."+of.name]
	if !declared {
		return nil, false
	}
	_, found := descend(expressions, attribute)
	if found != nil && found.Kind == tree.Map && len(found.Keys) == 0 {
		found = nil
	}
	return found, true
}

// resources indexes the managed resources of a module's configuration.
func (r *references) resources(module string) map[string]*tree.Node {
	path := brackets.ReplaceAllString(module, "")
	if index, ok := r.declared[path]; ok {
		return index
	}
	index := map[string]*tree.Node{}
	r.declared[path] = index
	list := r.module(module).Get("resources")
	if list == nil || list.Kind != tree.List {
		return index
	}
	for _, resource := range list.Items {
		if resource.Get("mode").Str() != "data" {
			index[resource.Get("type").Str()+"."+resource.Get("name").Str()] = resource.Get("expressions")
		}
	}
	return index
}

var brackets = regexp.MustCompile(`\[[^\]]*\]`)

// module finds the configuration of a module by its address.
func (r *references) module(address string) *tree.Node {
	module := r.config
	for _, name := range moduleNames(address) {
		module = module.At("module_calls", name, "module")
	}
	return module
}

func moduleNames(address string) []string {
	var names []string
	plainAddress := brackets.ReplaceAllString(address, "")
	for _, part := range strings.Split(plainAddress, "module.")[1:] {
		names = append(names, strings.TrimSuffix(part, "."))
	}
	return names
}

// maxHops bounds how far a reference is followed through variables and outputs.
const maxHops = 16

// follow leads an expression to a resource of the plan, through module variables
// and outputs.
func (r *references) follow(expression *tree.Node, module, index string, hops int) string {
	list := expression.Get("references")
	if list == nil || list.Kind != tree.List || hops > maxHops {
		return ""
	}
	for _, item := range list.Items {
		parts := strings.Split(brackets.ReplaceAllString(item.Str(), ""), ".")
		if len(parts) < 2 {
			continue
		}
		found := ""
		switch {
		case parts[0] == "var":
			found = r.variable(parts[1], module, index, hops)
		case parts[0] == "module" && len(parts) > 2:
			found = r.output(parts[1], parts[2], module, index, hops)
		default:
			found = r.instance(joinAddress(module, parts[0]+"."+parts[1]), index)
		}
		if found != "" {
			return found
		}
	}
	return ""
}

func joinAddress(module, rest string) string {
	if module == "" {
		return rest
	}
	return module + "." + rest
}

// instance picks the resource itself, or the instance with the same key.
func (r *references) instance(address, index string) string {
	for _, candidate := range []string{address, address + index, address + "[0]"} {
		if r.known[candidate] {
			return candidate
		}
	}
	return ""
}

func (r *references) variable(name, module, index string, hops int) string {
	i := strings.LastIndex(module, "module.")
	if i < 0 {
		return ""
	}
	parent, call := strings.TrimSuffix(module[:i], "."), brackets.ReplaceAllString(module[i+len("module."):], "")
	expression := r.module(parent).At("module_calls", call, "expressions", name)
	return r.follow(expression, parent, index, hops+1)
}

func (r *references) output(call, name, module, index string, hops int) string {
	expression := r.module(module).At("module_calls", call, "module", "outputs", name, "expression")
	return r.follow(expression, joinAddress(module, "module."+call), index, hops+1)
}
