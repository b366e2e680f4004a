package posture

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Weights of the ranking. Only their order matters: exposure outweighs the
// data behind a service, which outweighs the control's own severity.
const (
	weightPublic  = 400
	weightUnsure  = 250 // exposure is not known: between public and VPC
	weightVPC     = 200
	weightPrivate = 100
	weightFail    = 60 // a failure before what could not be decided
	weightData    = 120
	weightProd    = 80
	weightInUse   = 50
	weightHighSev = 40
	weightCatch   = 30 // a $default route catches everything
)

// sensitive are words in names, tags and targets that hint at the data behind a
// service.
var sensitive = []string{
	"customer", "payment", "billing", "invoice", "card", "pci", "pii", "phi", "patient",
	"session", "auth", "identity", "user", "account", "order", "partner", "secret", "token",
	"confidential", "restricted",
}

var production = []string{"prod", "production", "live", "prd"}

// harmless are words of endpoints that usually answer with nothing of value.
var harmless = []string{"/health", "/healthz", "/ping", "/status", "/livez", "/readyz"}

// Rank orders findings, the most urgent first, and numbers those that need
// work: failures, errors and what could not be decided.
func Rank(findings []Finding) {
	scores := make([]int, len(findings))
	order := make([]int, len(findings))
	for i := range findings {
		f := &findings[i]
		order[i] = i
		scores[i], f.RankReasons = urgency(f)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &findings[a], &findings[b]
		return cmp.Or(
			cmp.Compare(stage(x.Verdict), stage(y.Verdict)),
			cmp.Compare(scores[b], scores[a]),
			cmp.Compare(x.Control, y.Control), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Region, y.Region),
			cmp.Compare(x.Source.File, y.Source.File), cmp.Compare(x.Source.Stack, y.Source.Stack), cmp.Compare(x.Resource, y.Resource),
		)
	})
	permute(findings, order)
	for i := range findings {
		findings[i].Rank = 0
		if stage(findings[i].Verdict) < stage(Excepted) {
			findings[i].Rank = i + 1
		}
	}
}

// permute puts findings[order[i]] at i, in place: a large report exists once.
func permute(findings []Finding, order []int) {
	for start := range order {
		if order[start] < 0 {
			continue
		}
		moved := findings[start]
		at := start
		for order[at] != start {
			next := order[at]
			findings[at] = findings[next]
			order[at], at = -1, next
		}
		findings[at] = moved
		order[at] = -1
	}
}

// stage puts both kinds of failure together, ahead of everything else.
func stage(v Verdict) int {
	if v == FailEffective {
		v = Fail
	}
	return v.rank()
}

func urgency(f *Finding) (score int, reasons []string) {
	if stage(f.Verdict) >= stage(Excepted) {
		return 0, nil
	}
	add := func(weight int, reason string) {
		score += weight
		reasons = append(reasons, reason)
	}
	switch f.Exposure {
	case ExposurePublic:
		add(weightPublic, "reachable from the internet")
	case ExposureVPC:
		add(weightVPC, "reachable within the VPC")
	case ExposurePrivate:
		add(weightPrivate, "reachable over private endpoints only")
	default:
		score += weightUnsure
	}
	if word := hint(f, sensitive); word != "" && !fronted(f, harmless) {
		add(weightData, "name, tag or target says \""+word+"\"")
	}
	if word := hint(f, production); word != "" {
		add(weightProd, "production (\""+word+"\")")
	}
	if f.Usage != nil && f.Usage.Measured && f.Usage.Count > 0 {
		add(weightInUse, "in use without authentication now")
	}
	if f.Severity == SeverityHigh || f.Severity == SeverityCritical {
		add(weightHighSev, "severity "+string(f.Severity))
	}
	if strings.HasSuffix(f.Resource, "$default") {
		add(weightCatch, "catches every path")
	}
	if f.Verdict.Bad() {
		score += weightFail
	}
	return score, reasons
}

func hint(f *Finding, words []string) string {
	for _, word := range words {
		if fronted(f, []string{word}) {
			return word
		}
	}
	return ""
}

// fronted looks for words in what a person would read about the resource.
func fronted(f *Finding, words []string) bool {
	texts := append([]string{f.Resource, f.Name}, f.Fronts...)
	for key, value := range f.Tags {
		texts = append(texts, key, value)
	}
	for _, text := range texts {
		for _, word := range words {
			if strings.HasPrefix(word, "/") && strings.HasSuffix(strings.ToLower(text), word) || slices.Contains(spell(text), word) {
				return true
			}
		}
	}
	return false
}

// spell splits a name into lower-case words, at anything that is not a letter
// and at capitals, and drops a plural s: "OrdersApi-prod" is order, api, prod.
func spell(text string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, strings.TrimSuffix(word.String(), "s"))
			word.Reset()
		}
	}
	lower := false
	for _, r := range text {
		switch {
		case unicode.IsUpper(r):
			if lower {
				flush()
			}
			word.WriteRune(unicode.ToLower(r))
		case unicode.IsLetter(r):
			word.WriteRune(r)
		default:
			flush()
		}
		lower = unicode.IsLower(r)
	}
	flush()
	return words
}
