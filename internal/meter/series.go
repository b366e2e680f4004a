package meter

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
)

// Dimension tells series of one name apart.
type Dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Series names what is measured. Dimensions are sorted by their names.
type Series struct {
	Namespace  string      `json:"namespace"`
	Name       string      `json:"name"`
	Dimensions []Dimension `json:"dimensions"`
}

// Make returns a series from pairs of a dimension's name and value.
func Make(namespace, name string, pairs ...string) Series {
	s := Series{Namespace: namespace, Name: name}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Dimensions = append(s.Dimensions, Dimension{pairs[i], pairs[i+1]})
	}
	s.sort()
	return s
}

func (s *Series) sort() {
	slices.SortFunc(s.Dimensions, func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
}

// Key tells the series from every other and orders them; no part of one has a
// zero byte.
func (s *Series) Key() string {
	var b strings.Builder
	b.WriteString(s.Namespace + "\x00" + s.Name)
	for _, d := range s.Dimensions {
		b.WriteString("\x00" + d.Name + "\x00" + d.Value)
	}
	return b.String()
}

// Compare orders series by namespace, name and dimensions.
func (s *Series) Compare(other *Series) int { return cmp.Compare(s.Key(), other.Key()) }

// minute is a minute since 1970.
type minute int32

func minuteOf(at time.Time) minute { return minute(at.Unix() / 60) }

func (m minute) time() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

// span is a run of minutes in which a series was measured, both ends included.
type span struct{ first, last minute }

// point is a minute whose value is not zero.
type point struct {
	at    minute
	value float64
}

// values are a series' minutes. Most values are zero, so that only the others
// are kept, beside the spans that tell a zero from a minute without measurement.
type values struct {
	series Series
	gauge  bool
	spans  []span
	points []point
	saved  point // what the file has of the newest minute that it has
}

// unsaved is what the file still has to be told of the newest minute.
func (v *values) unsaved() float64 {
	if v.gauge || v.saved.at != v.last() {
		return v.newest()
	}
	return v.newest() - v.saved.value
}

// add takes over what was measured in a minute: counts add up, a gauge is what
// it was last. Minutes do not go back: what is older than the last is taken for
// the last, as after a clock that was set back.
func (v *values) add(at minute, value float64) {
	if n := len(v.spans); n == 0 || at > v.spans[n-1].last+1 {
		v.spans = append(v.spans, span{at, at})
	} else {
		at = max(at, v.spans[n-1].last)
		v.spans[n-1].last = at
	}
	last := len(v.points) - 1
	switch same := last >= 0 && v.points[last].at == at; {
	case same && v.gauge:
		v.points[last].value = value
	case same:
		v.points[last].value += value
	case value != 0:
		v.points = append(v.points, point{at, value})
	}
}

// forget drops what is older than a minute.
func (v *values) forget(before minute) {
	drop := sort.Search(len(v.spans), func(i int) bool { return v.spans[i].last >= before })
	v.spans = slices.Delete(v.spans, 0, drop)
	if len(v.spans) > 0 {
		v.spans[0].first = max(v.spans[0].first, before)
	}
	old := sort.Search(len(v.points), func(i int) bool { return v.points[i].at >= before })
	v.points = slices.Delete(v.points, 0, old)
}

// last is the newest minute; a series without one is forgotten.
func (v *values) last() minute { return v.spans[len(v.spans)-1].last }

// newest is what was measured in the newest minute.
func (v *values) newest() float64 {
	if n := len(v.points); n > 0 && v.points[n-1].at == v.last() {
		return v.points[n-1].value
	}
	return 0
}
