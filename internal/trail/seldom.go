package trail

import "time"

const (
	// seldomEvery is how often records with the same key are written.
	seldomEvery = time.Minute
	// maxSeldom bounds how many keys a class has at a time; what is beyond them
	// shares one. So a class adds at most 2*(maxSeldom+1) records a minute,
	// whatever is sent.
	maxSeldom = 128
)

// summed is what became of records with one key in the current minute.
type summed struct {
	until time.Time
	count int
	last  Record
}

// AppendSeldom appends r if no record of its class and key was appended within
// the last minute. Otherwise it is counted, and the last of those is appended
// at the end of the minute, without parameters and with their Count. It is for
// what strangers or polling tools can cause without end.
func (t *Trail) AppendSeldom(class, key string, r Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	if r.Time.IsZero() {
		r.Time = t.clock.Now().UTC()
	}
	keys := t.seldom[class]
	if keys == nil {
		keys = map[string]*summed{}
		t.seldom[class] = keys
	}
	s := keys[key]
	if s == nil && len(keys) >= maxSeldom {
		key = "" // nobody's own
		s = keys[key]
	}
	if s == nil {
		keys[key] = &summed{until: t.clock.Now().Add(seldomEvery)}
		t.err = t.append(r)
		return
	}
	s.count++
	s.last = r
	s.last.Parameters = nil
	if key == "" {
		s.last.Source, s.last.Reason = "", "from many sources; the last: "+r.Reason
	}
}

// sumUp appends what minutes that are over have counted, or all.
func (t *Trail) sumUp(all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	for _, keys := range t.seldom {
		for key, s := range keys {
			if !all && now.Before(s.until) {
				continue
			}
			delete(keys, key)
			if s.count > 0 && t.err == nil {
				s.last.Count = s.count
				t.err = t.append(s.last)
			}
		}
	}
}
