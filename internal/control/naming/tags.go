package naming

import (
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Limits of tags (ElastiCache user guide, "Tagging your ElastiCache resources").
const (
	MaxTags     = 50
	MaxTagKey   = 128 // characters
	MaxTagValue = 256 // characters
)

// tagPunctuation is allowed in keys and values beside letters, digits and spaces.
const tagPunctuation = "+-=._:/@"

// Tag is one tag of a request.
type Tag struct{ Key, Value string }

// AddTags returns have with add put in, after checking all of add: nothing is
// returned when one tag is refused. have is not changed.
func AddTags(have map[string]string, add []Tag) (map[string]string, error) {
	next := maps.Clone(have)
	if next == nil {
		next = make(map[string]string, len(add))
	}
	seen := make(map[string]bool, len(add))
	for _, tag := range add {
		if err := checkTag(tag); err != nil {
			return nil, err
		}
		if seen[tag.Key] {
			return nil, identity.Errorf(identity.InvalidParameterValue, "The tag key %s is given more than once.", tag.Key)
		}
		seen[tag.Key] = true
		next[tag.Key] = tag.Value
	}
	if len(next) > MaxTags {
		return nil, identity.Errorf(identity.TagQuota,
			"The request would give the resource %d tags. The maximum number of tags permitted on a resource is %d.", len(next), MaxTags)
	}
	return next, nil
}

// RemoveTags returns have without keys; a key that is not there is
// identity.TagNotFound and nothing is removed. have is not changed.
func RemoveTags(have map[string]string, keys []string) (map[string]string, error) {
	next := maps.Clone(have)
	for _, key := range keys {
		if _, ok := have[key]; !ok {
			return nil, identity.Errorf(identity.TagNotFound, "The tag %s was not found on this resource.", Shorten(key))
		}
		delete(next, key)
	}
	return next, nil
}

func checkTag(tag Tag) error {
	switch {
	case tag.Key == "":
		return identity.Errorf(identity.InvalidParameterValue, "Tag keys must not be empty.")
	case utf8.RuneCountInString(tag.Key) > MaxTagKey:
		return identity.Errorf(identity.InvalidParameterValue, "Tag keys must not be longer than %d characters.", MaxTagKey)
	case utf8.RuneCountInString(tag.Value) > MaxTagValue:
		return identity.Errorf(identity.InvalidParameterValue, "Tag values must not be longer than %d characters.", MaxTagValue)
	case !isTagText(tag.Key) || !isTagText(tag.Value):
		return identity.Errorf(identity.InvalidParameterValue,
			"Tag keys and values may contain only letters, digits, spaces and the characters %s.", tagPunctuation)
	case len(tag.Key) >= len("aws:") && strings.EqualFold(tag.Key[:len("aws:")], "aws:"):
		return identity.Errorf(identity.InvalidParameterValue, "Tag keys must not begin with aws:, which is reserved.")
	}
	return nil
}

func isTagText(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Zs, r) && !strings.ContainsRune(tagPunctuation, r) {
			return false
		}
	}
	return true
}
