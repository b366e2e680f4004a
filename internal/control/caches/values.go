package caches

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/internal/identity"
)

var (
	hostname = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

	// nodeType has the shape of AWS's node types; which of them exist changes
	// every year and nothing here depends on it.
	nodeType = regexp.MustCompile(`^cache\.[a-z][a-z0-9]{1,7}\.(micro|small|medium|large|[0-9]{0,2}xlarge)$`)

	// subnetID has the shape of a subnet id; there are no subnets to look it up in.
	subnetID = regexp.MustCompile(`^subnet-[0-9A-Za-z-]{1,64}$`)

	snapshotWindow    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$`)
	maintenanceWindow = regexp.MustCompile(`^(sun|mon|tue|wed|thu|fri|sat):([01][0-9]|2[0-3]):[0-5][0-9]-(sun|mon|tue|wed|thu|fri|sat):([01][0-9]|2[0-3]):[0-5][0-9]$`)
)

const (
	// minWindow is the shortest window in minutes (ElastiCache API,
	// CreateReplicationGroup: PreferredMaintenanceWindow, SnapshotWindow).
	minWindow = 60

	minutesPerDay  = 24 * 60
	minutesPerWeek = 7 * minutesPerDay

	// maxRetention is the longest SnapshotRetentionLimit in days
	// (ElastiCache user guide, "Scheduling automatic backups").
	maxRetention = 35

	// maxText bounds descriptions and other recorded text, in bytes; AWS gives
	// 255 for descriptions of newer resources (ElastiCache API, CreateServerlessCache).
	maxText = 255

	// maxList bounds lists of recorded identifiers (security groups, subnets).
	maxList = 50
)

func isTrue(b *bool) bool { return b != nil && *b }

// or returns what was given, else the default.
func or[T any](given *T, otherwise T) T {
	if given != nil {
		return *given
	}
	return otherwise
}

func invalid(field, format string, args ...any) error {
	return identity.Errorf(identity.InvalidParameterValue, "Invalid value for parameter "+field+": "+format, args...)
}

// oneOf checks a value of an enumeration, in any case; absent is right.
func oneOf(field string, value *string, allowed ...string) error {
	if value == nil || slices.Contains(allowed, strings.ToLower(*value)) {
		return nil
	}
	return invalid(field, "valid values are %s.", strings.Join(allowed, ", "))
}

// text checks free text that is only recorded; absent is right.
func text(field string, value *string) error {
	if value == nil {
		return nil
	}
	if len(*value) > maxText {
		return invalid(field, "it is longer than %d characters.", maxText)
	}
	if !utf8.ValidString(*value) || strings.ContainsFunc(*value, unicode.IsControl) {
		return invalid(field, "it has characters that are not text.")
	}
	return nil
}

func texts(field string, values []string) error {
	if len(values) > maxList {
		return invalid(field, "more than %d are given.", maxList)
	}
	for i := range values {
		if err := text(field, &values[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkNodeType(value *string) error {
	if value != nil && !nodeType.MatchString(*value) {
		return invalid("CacheNodeType", "%.80q is not a node type. Pass one such as cache.t4g.micro.", *value)
	}
	return nil
}

func checkWindows(snapshot, maintenance *string) error {
	if snapshot != nil {
		if !snapshotWindow.MatchString(*snapshot) || span(*snapshot, minutesPerDay) < minWindow {
			return invalid("SnapshotWindow", "it must be hh24:mi-hh24:mi and at least %d minutes.", minWindow)
		}
	}
	if maintenance != nil {
		lower := strings.ToLower(*maintenance)
		if !maintenanceWindow.MatchString(lower) || span(lower, minutesPerWeek) < minWindow {
			return invalid("PreferredMaintenanceWindow", "it must be ddd:hh24:mi-ddd:hh24:mi and at least %d minutes.", minWindow)
		}
	}
	return nil
}

// span is the length in minutes of a window that has the right form, in a
// cycle of so many minutes.
func span(window string, cycle int) int {
	from, to, _ := strings.Cut(window, "-")
	return (minute(to) - minute(from) + cycle) % cycle
}

func minute(moment string) int {
	days := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	parts := strings.Split(moment, ":")
	day := 0
	if len(parts) == 3 {
		day, parts = slices.Index(days, parts[0]), parts[1:]
	}
	hours, _ := strconv.Atoi(parts[0]) // the pattern has seen to digits
	minutes, _ := strconv.Atoi(parts[1])
	return day*minutesPerDay + hours*60 + minutes
}

func checkRetention(days *int32) error {
	if days != nil && (*days < 0 || *days > maxRetention) {
		return invalid("SnapshotRetentionLimit", "it must be between 0 and %d.", maxRetention)
	}
	return nil
}
