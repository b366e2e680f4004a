package exception

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// Schema is the JSON schema of the file, for editors.
//
//go:embed exceptions.schema.json
var Schema string

const (
	// maxDays is the longest that an exception may live: somebody looks at each
	// once a year at least. A file may set less with max_days.
	maxDays = 366
	// minReason is the least number of characters of a reason: shorter ones
	// ("public", "by design") say nothing to the next reader.
	minReason = 20
	// maxFileBytes bounds the file; thousands of entries fit.
	maxFileBytes = 4 << 20
	dateFormat   = "2006-01-02"
)

// Entry is one exception as written. Problems says why it may not be honoured.
type Entry struct {
	ID           string
	Control      string
	Resource     string
	Match        string // exact or glob
	Owner        string
	Reason       string
	Compensating string
	ApprovedBy   string
	Created      string
	Expires      string
	Ticket       string
	Line         int
	Problems     []string
}

// File is a parsed exceptions file.
type File struct {
	Path    string
	MaxDays int
	Entries []Entry
}

// fields are the keys of an entry and where they go.
func (e *Entry) fields() map[string]*string {
	return map[string]*string{
		"id": &e.ID, "control": &e.Control, "resource": &e.Resource, "match": &e.Match, "owner": &e.Owner,
		"reason": &e.Reason, "compensating_control": &e.Compensating, "approved_by": &e.ApprovedBy,
		"created": &e.Created, "expires": &e.Expires, "ticket": &e.Ticket,
	}
}

// required are the keys without which an entry is invalid.
var required = []string{"id", "control", "resource", "owner", "reason", "compensating_control", "approved_by", "created", "expires"}

// Load reads an exceptions file. Only a file that is no exceptions file at all
// is an error; what is wrong with single entries is in their Problems.
func Load(path string, now time.Time) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, fmt.Errorf("reading the exceptions file: %w", err)
	}
	if info.Size() > maxFileBytes {
		return File{}, fmt.Errorf("reading the exceptions file %s: it has %d bytes, %d at most", path, info.Size(), maxFileBytes)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("reading the exceptions file: %w", err)
	}
	file, err := Parse(src, now)
	if err != nil {
		return File{}, fmt.Errorf("reading the exceptions file %s: %w", path, err)
	}
	file.Path = path
	return file, nil
}

// Parse reads the text of an exceptions file.
func Parse(src []byte, now time.Time) (File, error) {
	root, err := tree.Parse(src)
	if err != nil {
		return File{}, err
	}
	file := File{MaxDays: maxDays}
	if root.Kind == tree.Null {
		return file, nil
	}
	if root.Kind != tree.Map {
		return File{}, fmt.Errorf("line %d: the file must be a map with the key exceptions", root.Line)
	}
	for _, key := range root.Keys {
		if !slices.Contains([]string{"version", "max_days", "exceptions"}, key.Name) {
			return File{}, fmt.Errorf("line %d: the key %q is not known; version, max_days and exceptions are", key.Line, key.Name)
		}
	}
	if version := root.Get("version"); version != nil && version.Str() != "1" {
		return File{}, fmt.Errorf("line %d: version %q is not known; 1 is", version.Line, version.Str())
	}
	if node := root.Get("max_days"); node != nil {
		if file.MaxDays, err = strconv.Atoi(node.Str()); err != nil || file.MaxDays < 1 || file.MaxDays > maxDays {
			return File{}, fmt.Errorf("line %d: max_days must be a number from 1 to %d", node.Line, maxDays)
		}
	}
	list := root.Get("exceptions")
	if !list.IsNull() && list.Kind != tree.List {
		return File{}, fmt.Errorf("line %d: exceptions must be a list", list.Line)
	}
	if !list.IsNull() {
		for _, node := range list.Items {
			file.Entries = append(file.Entries, file.entry(node, now))
		}
	}
	file.refuseTwins()
	return file, nil
}

func (f *File) entry(node *tree.Node, now time.Time) Entry {
	e := Entry{Line: int(node.Line)}
	if node.Kind != tree.Map {
		e.problem("the entry is not a map")
		return e
	}
	targets := e.fields()
	for i, key := range node.Keys {
		target, ok := targets[key.Name]
		switch value, isText := node.Items[i].Scalar(); {
		case !ok:
			e.problem("the key %q is not known", key.Name)
		case node.Twice(key.Name):
			e.problem("the key %q is written twice", key.Name)
		case !isText:
			e.problem("%s must be text", key.Name)
		default:
			*target = strings.TrimSpace(value)
		}
	}
	for _, key := range required {
		if *targets[key] == "" {
			e.problem("%s is missing", key)
		}
	}
	e.checkTarget()
	e.checkReason()
	e.checkDates(f.MaxDays, now)
	return e
}

func (e *Entry) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(e.Problems, text) {
		e.Problems = append(e.Problems, text)
	}
}

func (e *Entry) checkTarget() {
	if e.Control != "" {
		control, ok := posture.Lookup(e.Control)
		if !ok {
			e.problem("there is no control %q", e.Control)
		}
		if ok && control.ID != e.Control {
			e.problem("the control is written %s", control.ID)
		}
	}
	switch e.Match {
	case "":
		e.Match = "exact"
	case "exact":
	case "glob":
		if broad(e.Resource) {
			e.problem("the glob %q is too broad: it must name the resource, not just an account or a service", e.Resource)
		}
		return
	default:
		e.problem("match must be exact or glob, not %q", e.Match)
	}
	if strings.Contains(e.Resource, "*") {
		e.problem("the resource has a * and match is exact; write match: glob if that is meant")
	}
}

// minLiteral is how many characters of a glob's resource part must be literal.
const minLiteral = 4

// broad reports whether a glob names too little: for an ARN the part after the
// account counts, for anything else the whole.
func broad(glob string) bool {
	const arnParts = 6 // arn:partition:service:region:account:resource
	if parts := strings.SplitN(glob, ":", arnParts); len(parts) == arnParts && parts[0] == "arn" {
		if strings.ContainsAny(parts[2], "*?") {
			return true
		}
		_, glob, _ = strings.Cut(strings.ReplaceAll(parts[5], ":", "/"), "/")
	}
	literal := 0
	for _, c := range glob {
		if c != '*' && c != '?' && c != '/' && c != ' ' {
			literal++
		}
	}
	return literal < minLiteral
}

func (e *Entry) checkReason() {
	if n := len([]rune(e.Reason)); n > 0 && n < minReason {
		e.problem("the reason has %d characters; at least %d are needed to say why", n, minReason)
	}
}

// checkDates holds an entry to a life that begins in the past and ends within
// the maximum. A date that does not parse makes the entry invalid, never eternal.
func (e *Entry) checkDates(most int, now time.Time) {
	created, errCreated := time.Parse(dateFormat, e.Created)
	expires, errExpires := time.Parse(dateFormat, e.Expires)
	if errCreated != nil && e.Created != "" {
		e.problem("created %q is not a date as in 2026-01-31", e.Created)
	}
	if errExpires != nil && e.Expires != "" {
		e.problem("expires %q is not a date as in 2026-01-31; without an end the entry excuses nothing", e.Expires)
	}
	if errCreated != nil || errExpires != nil {
		return
	}
	switch {
	case created.After(now.UTC().Add(24 * time.Hour)):
		e.problem("created lies in the future")
	case expires.Before(created):
		e.problem("it expires before it was created")
	case expires.Sub(created) > time.Duration(most)*24*time.Hour:
		e.problem("it lives for %d days; %d are allowed", int(expires.Sub(created).Hours()/24), most)
	}
}

// refuseTwins makes entries with the same id invalid: a report could not say
// which of them it means.
func (f *File) refuseTwins() {
	count := map[string]int{}
	for _, e := range f.Entries {
		count[e.ID]++
	}
	for i := range f.Entries {
		if e := &f.Entries[i]; e.ID != "" && count[e.ID] > 1 {
			e.problem("the id %s is used %d times", e.ID, count[e.ID])
		}
	}
}

// Expired reports whether a valid entry's last day is over (UTC).
func (e *Entry) Expired(now time.Time) bool {
	expires, err := time.Parse(dateFormat, e.Expires)
	return err == nil && !now.UTC().Before(expires.Add(24*time.Hour))
}

// The states of an entry on its own, before any finding is seen.
const (
	StateActive   = "active"
	StateExpiring = "expiring" // active, and within soon of its end
	StateExpired  = "expired"
	StateInvalid  = "invalid"
)

// soon is when a reviewer should look at an entry again.
const soon = 30 * 24 * time.Hour

// State says how an entry stands, and why when it is not simply active.
func (e *Entry) State(now time.Time) (state, detail string) {
	expires, err := time.Parse(dateFormat, e.Expires)
	switch {
	case len(e.Problems) > 0 || err != nil:
		return StateInvalid, strings.Join(e.Problems, "; ")
	case e.Expired(now):
		return StateExpired, "it ended on " + e.Expires
	case expires.Sub(now) < soon:
		return StateExpiring, "it ends on " + e.Expires
	}
	return StateActive, ""
}
