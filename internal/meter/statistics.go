package meter

import (
	"slices"
	"sort"
	"time"
)

// Bucket is what a series saw in one period.
type Bucket struct {
	Start    time.Time
	Samples  float64 // minutes with a measurement
	Sum      float64
	Min, Max float64
}

// Statistics returns the periods from a time up to, not including, another that
// have a measurement, oldest first. Periods begin at from, whose seconds do not
// count, and are whole minutes.
func (m *Meter) Statistics(series Series, from, to time.Time, period time.Duration) []Bucket {
	m.mu.Lock()
	defer m.mu.Unlock()
	series.Dimensions = slices.Clone(series.Dimensions)
	series.sort()
	v := m.values[series.Key()]
	length := minute(period / time.Minute)
	if v == nil || length < 1 {
		return nil
	}
	begin, end := minuteOf(from), minuteOf(to.Add(time.Minute-1))
	var buckets []Bucket
	for _, s := range v.spans {
		for at := max(s.first, begin); at <= s.last && at < end; {
			first := begin + (at-begin)/length*length
			stop := min(first+length, end, s.last+1)
			buckets = merge(buckets, first.time(), v.between(at, stop))
			at = stop
		}
	}
	return buckets
}

// between sums up the minutes from one up to another, all of them measured.
func (v *values) between(from, to minute) Bucket {
	b := Bucket{Samples: float64(to - from)}
	i := sort.Search(len(v.points), func(i int) bool { return v.points[i].at >= from })
	seen := 0
	for ; i < len(v.points) && v.points[i].at < to; i++ {
		value := v.points[i].value
		if seen == 0 {
			b.Min, b.Max = value, value
		}
		b.Sum += value
		b.Min, b.Max = min(b.Min, value), max(b.Max, value)
		seen++
	}
	if seen < int(to-from) { // some are zero
		b.Min, b.Max = min(b.Min, 0), max(b.Max, 0)
	}
	return b
}

// merge adds a part of a period, which a gap may have cut in two.
func merge(buckets []Bucket, start time.Time, part Bucket) []Bucket {
	if n := len(buckets); n > 0 && buckets[n-1].Start.Equal(start) {
		last := &buckets[n-1]
		last.Samples += part.Samples
		last.Sum += part.Sum
		last.Min, last.Max = min(last.Min, part.Min), max(last.Max, part.Max)
		return buckets
	}
	part.Start = start
	return append(buckets, part)
}

// Listed is a series that there is, and the minute that it was last measured in.
type Listed struct {
	Series Series
	Last   time.Time
}

// List returns all series, sorted.
func (m *Meter) List() []Listed {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Listed, 0, len(m.values))
	for _, v := range m.values {
		list = append(list, Listed{v.series, v.last().time()})
	}
	slices.SortFunc(list, func(a, b Listed) int { return a.Series.Compare(&b.Series) })
	return list
}
