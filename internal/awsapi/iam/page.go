package iam

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// defaultItems is the size of a page when MaxItems is not given (IAM API); the
// model bounds what may be given.
const defaultItems = 100

// paging is a page's place in a listing, as requests and answers have it.
type paging struct {
	Next      *string
	Truncated bool
}

// page returns one page of items, which are sorted by a key that no two share. A
// marker holds the key of the last item before it, so that a page is right
// whatever was added or removed in between.
func page[T any](items []T, key func(T) string, marker *string, size *int32) ([]T, paging, error) {
	limit := defaultItems
	if size != nil {
		limit = int(*size)
	}
	if marker != nil {
		after, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil {
			return nil, paging{}, identity.Errorf(identity.ValidationError, "Invalid Marker: it must be the Marker of an earlier answer to the same operation.")
		}
		for len(items) > 0 && key(items[0]) <= string(after) {
			items = items[1:]
		}
	}
	if len(items) <= limit {
		return items, paging{}, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1])))
	return items[:limit], paging{&next, true}, nil
}

// itself is the key of items that are sorted texts.
func itself(text string) string { return text }

// encoded is a document as IAM answers it: percent-encoded (RFC 3986).
func encoded(document string) *string {
	text := strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
	return &text
}
