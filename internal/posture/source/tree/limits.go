package tree

import (
	"errors"
	"fmt"
)

// Limits on what is read. CloudFormation takes 1 MB and 500 resources; the
// limits are far above every real file, and low enough that a hostile one costs
// seconds and not the machine.
const (
	// MaxBytes is the largest file that is read: plans of big estates reach
	// tens of megabytes.
	MaxBytes = 512 << 20
	// maxDepth is how deep values may nest; real templates stay below 40.
	maxDepth = 256
	// maxNodes bounds the memory of one tree.
	maxNodes = 16 << 20
	// maxAliased bounds the nodes that YAML aliases may add by repetition.
	maxAliased = 1 << 18
	// maxYAMLBytes bounds YAML apart from JSON, because its parser needs about
	// fifteen times the text.
	maxYAMLBytes = 64 << 20
)

// ErrLimit is wrapped by every refusal of a file that is too large in some way.
var ErrLimit = errors.New("the file is beyond a limit of this reader")

// ErrSeveral says that a file holds more than one YAML document.
var ErrSeveral = errors.New("the file has more than one document, and a template is one")

// SyntaxError says where a file does not parse.
type SyntaxError struct {
	Line    int
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }
