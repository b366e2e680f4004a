package policy

import (
	"strconv"
	"strings"
	"time"
)

// Context holds the condition keys of a request and their values. Keys are in
// lower case, since condition keys are compared without case; Set sees to that.
type Context map[string][]string

// Set gives a key its values; without values the key becomes absent.
func (c Context) Set(key string, values ...string) {
	key = strings.ToLower(key)
	if len(values) == 0 {
		delete(c, key)
		return
	}
	c[key] = values
}

// SetTags sets prefix/key for every tag, such as aws:ResourceTag/team.
func (c Context) SetTags(prefix string, tags map[string]string) {
	for key, value := range tags {
		c.Set(prefix+"/"+key, value)
	}
}

// SetTime sets aws:CurrentTime and aws:EpochTime.
func (c Context) SetTime(now time.Time) {
	c.Set("aws:CurrentTime", now.UTC().Format(time.RFC3339))
	c.Set("aws:EpochTime", strconv.FormatInt(now.Unix(), 10))
}

// single returns the value of a key that has exactly one, which is not empty.
// Only such keys can be policy variables.
func (c Context) single(key string) (string, bool) {
	values := c[key]
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

// null reports whether the key is absent or has nothing but empty values.
func (c Context) null(key string) bool {
	for _, value := range c[key] {
		if value != "" {
			return false
		}
	}
	return true
}
