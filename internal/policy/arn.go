package policy

import "strings"

// arnParts is how many components an ARN has:
// arn:partition:service:region:account:resource. The last may contain colons.
const arnParts = 6

// splitARN finds the components of s, which is an ARN or a compiled pattern.
func splitARN[T string | []byte](s T) (parts [arnParts]T, ok bool) {
	n, from := 0, 0
	for i := 0; i < len(s) && n < arnParts-1; i++ {
		if s[i] == ':' {
			parts[n] = s[from:i]
			n++
			from = i + 1
		}
	}
	parts[n] = s[from:]
	return parts, n == arnParts-1
}

// matchARN compares component by component, as the Arn operators do.
func (p *pattern) matchARN(arn string, ctx Context) bool {
	if p.parts == nil {
		return globARN(p.text, arn)
	}
	var space [stackText]byte
	text, ok := p.expand(space[:0], ctx)
	return ok && globARN(text, arn)
}

func globARN[T string | []byte](text T, arn string) bool {
	want, ok := splitARN(text)
	if !ok {
		return len(text) == 1 && text[0] == anyRun && strings.HasPrefix(arn, "arn:")
	}
	have, ok := splitARN(arn)
	if !ok || have[0] != "arn" {
		return false
	}
	for i := range want {
		if !glob(want[i], have[i], false) {
			return false
		}
	}
	return true
}
