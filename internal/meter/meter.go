package meter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

const (
	// Retention is how long minutes are kept (CloudWatch User Guide, "Metrics
	// retention": 15 days at one minute).
	Retention = 15 * 24 * time.Hour
	// Every is how often readings are taken: how late a minute's count can be.
	Every = 10 * time.Second
	// collectTime bounds one collection.
	collectTime = 5 * time.Second
	// maxSeries bounds memory: a node has 16 series, and each user of a cache one
	// for each way to log in. A series costs at most 350 kB (15 days, no value of
	// which is zero), a quiet one a few hundred bytes.
	maxSeries = 10_000
	// keepSource is how long a source may be silent and still be the same: a
	// gateway whose connection was away.
	keepSource = time.Hour
)

// Reading is what a source says of a series.
type Reading struct {
	// Source is what counts since its own start: a gateway, or one start of an
	// engine. Several sources may count one series; their counts add up.
	Source string
	// Fresh says that the source began at zero while this meter was there. The
	// first readings of any other source are where counting begins.
	Fresh  bool
	Series Series
	// Gauge is a value of now; otherwise it is a count since the source's start.
	Gauge bool
	Value float64
}

// Config is what a Meter is made of.
type Config struct {
	Dir     string // for its files, which it makes
	Clock   clock.Clock
	Collect func(ctx context.Context) []Reading
	// Collected is called after each collection; nil: nothing.
	Collected func()
	Log       *slog.Logger
}

// Meter is safe for concurrent use.
type Meter struct {
	cfg Config

	mu      sync.Mutex
	values  map[string]*values // by the series' key
	sources map[string]*source
	since   time.Time // of the readings that come next
	file    *file
	full    bool // maxSeries was reached, and that was told
}

// source is what a source said last.
type source struct {
	seen   time.Time
	counts map[string]float64 // by the series' key
}

// Open reads what there is. Damaged parts of the files are left out, and told to
// the log; an error says that the directory cannot be used.
func Open(cfg Config) (*Meter, error) {
	now := cfg.Clock.Now()
	m := &Meter{cfg: cfg, values: map[string]*values{}, sources: map[string]*source{}, since: now}
	m.file = newFile(cfg.Dir)
	damaged, err := m.file.load(minuteOf(now.Add(-Retention)), minuteOf(now), m.take)
	if err != nil {
		return nil, fmt.Errorf("meter: reading %s: %w", cfg.Dir, err)
	}
	if damaged > 0 {
		cfg.Log.Warn("the metrics' files have lines that cannot be read", "directory", cfg.Dir, "lines", damaged)
	}
	for _, v := range m.values {
		v.saved = point{v.last(), v.newest()}
	}
	m.forget(now)
	return m, nil
}

// Run collects until ctx ends, and then once more, so that nothing before a stop
// is lost.
func (m *Meter) Run(ctx context.Context) error {
	for {
		now := m.cfg.Clock.Now()
		select {
		case <-m.cfg.Clock.After(now.Truncate(Every).Add(Every).Sub(now)):
			m.Collect(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), collectTime)
			defer cancel()
			m.Collect(last)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.write(minuteOf(m.since))
			return m.file.close()
		}
	}
}

// Collect takes readings. What they count goes to the minute in which the time
// since the last collection began.
func (m *Meter) Collect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	readings := m.cfg.Collect(ctx)
	now := m.cfg.Clock.Now()
	m.mu.Lock()
	at := minuteOf(m.since)
	m.read(at, now, readings)
	if minuteOf(now) > at {
		m.write(at)
		m.forget(now)
	}
	m.since = now
	m.mu.Unlock()
	if m.cfg.Collected != nil {
		m.cfg.Collected()
	}
}

// read adds readings to a minute.
func (m *Meter) read(at minute, now time.Time, readings []Reading) {
	known := map[string]bool{}
	for id := range m.sources {
		known[id] = true
	}
	sums, gauges := map[string]float64{}, map[string]bool{}
	series := map[string]Series{}
	for _, r := range readings {
		key := r.Series.Key()
		series[key], gauges[key] = r.Series, r.Gauge
		if r.Gauge {
			sums[key] += r.Value
			continue
		}
		sums[key] += m.source(r.Source, now).growth(key, r.Value, r.Fresh || known[r.Source])
	}
	for key, value := range sums {
		m.take(series[key], gauges[key], at, value)
	}
}

func (m *Meter) source(id string, now time.Time) *source {
	s := m.sources[id]
	if s == nil {
		s = &source{counts: map[string]float64{}}
		m.sources[id] = s
	}
	s.seen = now
	return s
}

// growth is what a count has grown by. One that is smaller than before began
// anew; one that is new began at zero if its source is counted from zero.
func (s *source) growth(key string, value float64, fromZero bool) float64 {
	before, seen := s.counts[key]
	s.counts[key] = value
	switch {
	case !seen && !fromZero:
		return 0
	case value < before:
		return value
	}
	return value - before
}

// take adds a value to a series.
func (m *Meter) take(s Series, gauge bool, at minute, value float64) {
	key := s.Key()
	v := m.values[key]
	if v == nil {
		if len(m.values) >= maxSeries {
			if !m.full {
				m.cfg.Log.Warn("there are too many metrics; new ones are not kept", "limit", maxSeries)
			}
			m.full = true
			return
		}
		v = &values{series: s, gauge: gauge}
		m.values[key] = v
	}
	v.add(at, value)
}

// write puts the series that were measured in a minute into its file.
func (m *Meter) write(at minute) {
	var measured []*values
	for _, v := range m.values {
		if len(v.spans) > 0 && v.last() == at {
			measured = append(measured, v)
		}
	}
	if err := m.file.append(at, measured); err != nil {
		m.cfg.Log.Error("keeping the metrics of a minute", "error", err)
	}
}

// forget drops what is too old.
func (m *Meter) forget(now time.Time) {
	before := minuteOf(now.Add(-Retention))
	for key, v := range m.values {
		if v.forget(before); len(v.spans) == 0 {
			delete(m.values, key)
		}
	}
	for id, s := range m.sources {
		if now.Sub(s.seen) > keepSource {
			delete(m.sources, id)
		}
	}
	if err := m.file.forget(before); err != nil {
		m.cfg.Log.Error("deleting metrics that are too old", "error", err)
	}
}
