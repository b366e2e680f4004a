package posture

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// CompareVersions compares engine versions number by number; "6.x" counts as
// 6.0. The second result is false when one of them is not a version.
func CompareVersions(a, b string) (int, bool) {
	left, ok1 := versionParts(a)
	right, ok2 := versionParts(b)
	if !ok1 || !ok2 {
		return 0, false
	}
	for i := range max(len(left), len(right)) {
		if c := cmp.Compare(part(left, i), part(right, i)); c != 0 {
			return c, true
		}
	}
	return 0, true
}

// LowestVersion returns the lowest of several versions: a group is as old as
// its oldest member. It reports false when there is none or one is not a version.
func LowestVersion(versions []string) (string, bool) {
	if len(versions) == 0 {
		return "", false
	}
	lowest := versions[0]
	for _, version := range versions {
		c, ok := CompareVersions(version, lowest)
		if !ok {
			return "", false
		}
		if c < 0 {
			lowest = version
		}
	}
	return lowest, true
}

func part(parts []int, i int) int {
	if i < len(parts) {
		return parts[i]
	}
	return 0
}

func versionParts(version string) ([]int, bool) {
	version = strings.TrimSpace(version)
	if version == "" {
		return nil, false
	}
	var parts []int
	for i, text := range strings.Split(version, ".") {
		if i > 0 && (text == "x" || text == "X") {
			break
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, false
		}
		parts = append(parts, n)
	}
	return parts, true
}

func sorted(items []string) []string {
	slices.Sort(items)
	return items
}
