package elasticache

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// All pages together are the whole list, in order, also when many events have
// the same time and when more are recorded in between.
func TestPagesOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []identity.Event
		at := time.Unix(1_700_000_000, 0)
		more := func(n int) {
			for range n {
				at = at.Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "later")))
				events = append(events, identity.Event{Time: at, Message: string(rune('a' + len(events)))})
			}
		}
		more(rapid.IntRange(0, 150).Draw(t, "events"))
		size := int32(rapid.IntRange(minRecords, maxRecords).Draw(t, "size"))
		var seen []identity.Event
		var marker *string
		for {
			shown, next, err := page("events", number(events), func(e numbered) string { return e.key }, marker, &size)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range shown {
				seen = append(seen, e.Event)
			}
			if next == nil {
				break
			}
			if len(shown) != int(size) {
				t.Fatalf("a page of %d, not %d, is followed by another", len(shown), size)
			}
			marker = next
			more(rapid.IntRange(0, 5).Draw(t, "recorded in between"))
		}
		if !slices.Equal(seen, events) {
			t.Fatalf("saw %d of %d events", len(seen), len(events))
		}
	})
}
