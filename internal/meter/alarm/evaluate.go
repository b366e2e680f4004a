package alarm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/internal/meter"
)

// extraPeriods is how many older periods are looked at when some of the newest
// have no value, as CloudWatch does ("evaluation range").
const extraPeriods = 2

// shownPoints bounds the values that a reason names.
const shownPoints = 5

// Source is where values come from.
type Source interface {
	Statistics(series meter.Series, from, to time.Time, period time.Duration) []meter.Bucket
}

// verdict is what an evaluation finds; state "" leaves the state as it is.
type verdict struct {
	state  State
	reason string
}

// evaluate judges an alarm at a moment. The periods end on multiples of their
// length; the one that is not over counts only if its breach is final.
func (d *Definition) evaluate(source Source, now time.Time) verdict {
	period := time.Duration(d.Period) * time.Second
	current := now.UTC().Truncate(period)
	from := current.Add(-time.Duration(d.EvaluationPeriods+extraPeriods) * period)
	buckets := source.Statistics(d.Series, from, current.Add(period), period)
	if n := len(buckets); n > 0 && !buckets[n-1].Start.Before(current) {
		last := &buckets[n-1]
		if d.final() && d.breaches(d.value(last)) {
			if buckets[0].Start.Equal(from) { // the range has moved on by one period
				buckets = buckets[1:]
			}
		} else {
			buckets = buckets[:n-1]
		}
	}
	if len(buckets) > d.EvaluationPeriods {
		buckets = buckets[len(buckets)-d.EvaluationPeriods:]
	}
	return d.judge(buckets)
}

// judge decides by the newest values that there are, at most as many as the
// alarm evaluates.
func (d *Definition) judge(found []meter.Bucket) verdict {
	needed := d.DatapointsToAlarm
	if needed == 0 {
		needed = d.EvaluationPeriods
	}
	var breaching, calm []meter.Bucket
	for i := range found {
		if d.breaches(d.value(&found[i])) {
			breaching = append(breaching, found[i])
		} else {
			calm = append(calm, found[i])
		}
	}
	missing := d.EvaluationPeriods - len(found)
	switch d.TreatMissing {
	case "breaching":
		if len(breaching)+missing >= needed {
			return verdict{Alarm, d.crossed(breaching, missing, true)}
		}
	case "notBreaching":
		if len(breaching) >= needed {
			return verdict{Alarm, d.crossed(breaching, missing, true)}
		}
	case "ignore":
		if len(breaching) >= needed {
			return verdict{Alarm, d.crossed(breaching, 0, true)}
		}
		if len(breaching)+missing >= needed {
			return verdict{} // the values that are missing would decide
		}
	default:
		if len(found) == 0 {
			return verdict{Insufficient, "Insufficient Data: " + count(d.EvaluationPeriods, "datapoint was", "datapoints were") + " unknown."}
		}
		if len(breaching) >= min(needed, len(found)) {
			return verdict{Alarm, d.crossed(breaching, 0, true)}
		}
		missing = 0
	}
	return verdict{OK, d.crossed(calm, missing, false)}
}

// crossed is the reason for ALARM or OK in CloudWatch's words.
func (d *Definition) crossed(points []meter.Bucket, missing int, breach bool) string {
	words := comparisons[d.Comparison].words
	if !breach {
		words = comparisons[d.Comparison].not
	}
	if len(points) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s treated as [%s].",
			count(missing, "period", "periods"), count(missing, "missing datapoint was", "missing datapoints were"), treated(d.TreatMissing))
	}
	var shown []string
	for i := len(points) - 1; i >= 0 && len(shown) < shownPoints; i-- {
		shown = append(shown, fmt.Sprintf("%s (%s)", number(d.value(&points[i])), points[i].Start.Format("02/01/06 15:04:05")))
	}
	verb := "were"
	if len(points) == 1 {
		verb = "was"
	}
	return fmt.Sprintf("Threshold Crossed: %s [%s] %s %s the threshold (%s).",
		count(len(points), "datapoint", "datapoints"), strings.Join(shown, ", "), verb, words, number(d.Threshold))
}

func treated(missing string) string {
	if missing == "breaching" {
		return "Breaching"
	}
	return "NonBreaching"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// number writes a value as CloudWatch does: whole ones have a decimal too.
func number(x float64) string {
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
