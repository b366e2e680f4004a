package template

import (
	"slices"
	"strings"
)

// maxWorlds bounds the cases that are built for one resource; beyond it what is
// undecided stays unknown.
const maxWorlds = 64

// other stands for every value of a parameter that no condition names.
const other = "another value"

// world is one way to decide what the template leaves open. Evaluation that
// meets something undecided notes it in ask, and the explorer splits the world.
type world struct {
	chosen map[string]string // atom key to choice
	labels []string          // "Environment=prod", in order of decision
	frozen bool              // decide nothing more: answer unknown
	ask    *atom
	steps  int
}

// atom is something that the template leaves open, with the ways it can go.
type atom struct {
	key     string
	label   string
	choices []string
}

// choose returns the world's choice for an atom. It reports false when there is
// none, and asks for a split unless the world is frozen.
func (w *world) choose(a atom) (string, bool) {
	if choice, ok := w.chosen[a.key]; ok {
		return choice, true
	}
	if !w.frozen && w.ask == nil {
		w.ask = &a
	}
	return "", false
}

func (w *world) split(choice string) *world {
	next := &world{chosen: map[string]string{}, labels: slices.Clone(w.labels)}
	for key, value := range w.chosen {
		next.chosen[key] = value
	}
	next.chosen[w.ask.key] = choice
	next.labels = append(next.labels, w.ask.label+"="+choice)
	return next
}

func (w *world) name() string { return strings.Join(w.labels, ", ") }

// outcome is what was built in one world.
type outcome[T any] struct {
	world *world
	built T
}

// explore builds something in every world that matters for it. When there are
// too many it builds once, with everything undecided left unknown.
func explore[T any](build func(w *world) T) []outcome[T] {
	var done []outcome[T]
	probes := 0
	var walk func(w *world) bool
	walk = func(w *world) bool {
		probes++
		built := build(w)
		if w.ask == nil {
			done = append(done, outcome[T]{w, built})
			return len(done) <= maxWorlds
		}
		for _, choice := range w.ask.choices {
			if probes > 2*maxWorlds || !walk(w.split(choice)) {
				return false
			}
		}
		return true
	}
	if walk(&world{chosen: map[string]string{}}) {
		return done
	}
	frozen := &world{chosen: map[string]string{}, frozen: true}
	return []outcome[T]{{frozen, build(frozen)}}
}
