package trail

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Query selects records. Empty fields select all.
type Query struct {
	Event  string // exact, or a prefix that ends in "."
	Cache  string
	User   string
	Source string // address without or with port
	Action string
	Since  time.Time
	Until  time.Time // zero: now
	Before int64     // only records with a lower sequence number; 0: all
	// Reads selects calls, too, that succeeded and only read. Naming an action does.
	Reads bool
	// Match, if there is one, decides after everything else.
	Match func(*Record) bool
	// Limit is how many of the newest are returned; 0 means DefaultLimit.
	Limit int
}

// DefaultLimit and MaxLimit bound what one query returns.
const (
	DefaultLimit = 100
	MaxLimit     = 10_000
)

// Each calls visit with every record that q selects, oldest first; the limit of
// q does not apply.
func (t *Trail) Each(q Query, visit func(*Record)) error {
	if err := t.Flush(); err != nil {
		return err
	}
	files, err := Files(t.dir)
	if err != nil {
		return err
	}
	for _, path := range files {
		_, _, err := scan(path, func(line []byte) error {
			var r Record
			if q.mayHold(line) && json.Unmarshal(line, &r) == nil && q.selects(&r) {
				visit(&r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Read returns the newest records that q selects, oldest first.
func (t *Trail) Read(q Query) ([]Record, error) {
	if err := t.Flush(); err != nil {
		return nil, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	files, err := Files(t.dir)
	if err != nil {
		return nil, err
	}
	var found []Record
	for _, path := range slices.Backward(files) {
		var here []Record
		_, _, err := scan(path, func(line []byte) error {
			var r Record
			if q.mayHold(line) && json.Unmarshal(line, &r) == nil && q.selects(&r) {
				here = append(here, r)
				if len(here) > limit {
					here = here[1:]
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		found = append(here, found...)
		if len(found) >= limit {
			return found[len(found)-limit:], nil
		}
	}
	return found, nil
}

// mayHold tells cheaply, of most lines, that they are of another kind.
func (q *Query) mayHold(line []byte) bool {
	return q.Event == "" || bytes.Contains(line, []byte(`"event":"`+q.Event))
}

func (q *Query) selects(r *Record) bool {
	host, _, _ := strings.Cut(r.Source, ":")
	switch {
	case strings.HasSuffix(q.Event, ".") && !strings.HasPrefix(r.Event, q.Event),
		q.Event != "" && !strings.HasSuffix(q.Event, ".") && r.Event != q.Event,
		q.Cache != "" && r.Cache != q.Cache,
		q.User != "" && r.User != q.User,
		q.Source != "" && r.Source != q.Source && host != q.Source,
		q.Action != "" && r.Action != q.Action,
		r.Time.Before(q.Since),
		!q.Until.IsZero() && r.Time.After(q.Until),
		q.Before > 0 && r.Seq >= q.Before,
		r.ReadOnly && r.Outcome == "ok" && !q.Reads && q.Action == "":
		return false
	}
	return q.Match == nil || q.Match(r)
}
