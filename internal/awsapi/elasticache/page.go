package elasticache

import (
	"encoding/base64"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// Sizes of a page (ElastiCache API, MaxRecords of the Describe operations).
const (
	minRecords     = 20
	maxRecords     = 100
	defaultRecords = 100
)

// page returns the items of one page and the marker of the next, nil at the end.
// items are sorted by key, and no two have the same. A marker holds the key of
// the last item before it, so that a page is right whatever was added or removed
// in between; listing names what is listed, so that a marker of another listing
// is refused.
func page[T any](listing string, items []T, key func(T) string, marker *string, size *int32) ([]T, *string, error) {
	limit := defaultRecords
	if size != nil {
		if *size < minRecords || *size > maxRecords {
			return nil, nil, identity.Errorf(identity.InvalidParameterValue,
				"Invalid value %d for MaxRecords. Must be between %d and %d", *size, minRecords, maxRecords)
		}
		limit = int(*size)
	}
	if marker != nil {
		after, err := readMarker(listing, *marker)
		if err != nil {
			return nil, nil, err
		}
		for len(items) > 0 && key(items[0]) <= after {
			items = items[1:]
		}
	}
	if len(items) <= limit {
		return items, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(listing + "/" + key(items[limit-1])))
	return items[:limit], &next, nil
}

func readMarker(listing, marker string) (string, error) {
	text, err := base64.RawURLEncoding.DecodeString(marker)
	after, ok := strings.CutPrefix(string(text), listing+"/")
	if err != nil || !ok {
		return "", identity.Errorf(identity.InvalidParameterValue,
			"Invalid value for Marker. It must be the Marker of an earlier answer to the same operation.")
	}
	return after, nil
}

// optional is a text that is left out of an answer when it is empty; it takes
// the SDK's enumerations too.
func optional[S ~string](text S) *string {
	if text == "" {
		return nil
	}
	plain := string(text)
	return &plain
}
