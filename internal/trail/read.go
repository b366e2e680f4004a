package trail

import (
	"encoding/json"
	"fmt"
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
			if json.Unmarshal(line, &r) == nil && q.selects(&r) {
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
			if json.Unmarshal(line, &r) == nil && q.selects(&r) {
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

func (q *Query) selects(r *Record) bool {
	host, _, _ := strings.Cut(r.Source, ":")
	switch {
	case strings.HasSuffix(q.Event, ".") && !strings.HasPrefix(r.Event, q.Event),
		q.Event != "" && !strings.HasSuffix(q.Event, ".") && r.Event != q.Event,
		q.Cache != "" && r.Cache != q.Cache,
		q.User != "" && r.User != q.User,
		q.Source != "" && r.Source != q.Source && host != q.Source,
		q.Action != "" && r.Action != q.Action,
		r.Time.Before(q.Since):
		return false
	}
	return true
}

// Verify checks the chain of all files in dir and returns how many records it
// holds and the hash of its last line, which may be kept elsewhere to show later
// that the end was not cut off: a hash given as expect must be among the chain's.
func Verify(dir, expect string) (records int64, head string, err error) {
	files, err := Files(dir)
	if err != nil {
		return 0, "", err
	}
	head = genesis
	seen := expect == "" || expect == genesis
	for _, path := range files {
		_, _, err := scan(path, func(line []byte) error {
			var r Record
			if json.Unmarshal(line, &r) != nil {
				head = hashOf(line) // cut off by a crash; the next line continues from it
				return nil
			}
			if r.Prev != head {
				return fmt.Errorf("trail: %s: record %d does not follow the one before it", path, r.Seq)
			}
			if r.Seq != records+1 {
				return fmt.Errorf("trail: %s: record %d where %d is due", path, r.Seq, records+1)
			}
			records, head = r.Seq, hashOf(line)
			seen = seen || head == expect
			return nil
		})
		if err != nil {
			return records, head, err
		}
	}
	if !seen {
		return records, head, fmt.Errorf("trail: no record has the hash %s: the end was cut off, or the hash is of another trail", expect)
	}
	return records, head, nil
}
