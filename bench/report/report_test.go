package report_test

import (
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/bench/report"
)

func level(v float64) *float64 { return &v }

func samples(target string, disturbed int, values ...float64) []report.Sample {
	var all []report.Sample
	for i, v := range values {
		all = append(all, report.Sample{
			Workload: "w", Target: target, Round: i + 1, Values: map[string]float64{"m": v},
			Attempts: 1, Disturbed: i < disturbed, Foreign: level(0.01),
		})
	}
	return all
}

func judged(goal report.Goal, against string, all ...[]report.Sample) *report.Report {
	r := &report.Report{Targets: []string{"other", "ours"}, Titles: map[string]string{"other": "Other", "ours": "Ours"}}
	for _, s := range all {
		r.Samples = append(r.Samples, s...)
	}
	r.Judge([]report.Spec{{Workload: "w", Title: "work", Metric: "m", Unit: "u", Of: "ours", Against: against, Goal: goal}})
	return r
}

func TestRatioOfMedians(t *testing.T) {
	r := judged(report.Goal{}, "other", samples("ours", 1, 1, 9, 3), samples("other", 0, 2, 4, 100))
	if len(r.Figures) != 1 {
		t.Fatalf("%d figures", len(r.Figures))
	}
	f := r.Figures[0]
	if f.Value != 0.75 || f.Low != 0.03 || f.High != 2.25 || f.Rounds != 3 || f.Disturbed != 1 {
		t.Errorf("the figure is %+v", f)
	}
	if f.Medians["ours"] != 3 || f.Medians["other"] != 4 {
		t.Errorf("the medians are %v", f.Medians)
	}
}

func TestMedianOfAnEvenNumber(t *testing.T) {
	r := judged(report.Goal{}, "", samples("ours", 0, 4, 1, 2, 9))
	if got := r.Figures[0].Value; got != 3 {
		t.Errorf("the median of 1, 2, 4, 9 is %v", got)
	}
}

func TestWhatWasNotMeasuredIsLeftOut(t *testing.T) {
	if r := judged(report.Goal{}, "other", samples("ours", 0, 1)); len(r.Figures) != 0 {
		t.Errorf("a ratio without its other side: %+v", r.Figures)
	}
}

func TestVerdicts(t *testing.T) {
	least := report.Goal{AtLeast: true, Floor: level(0.9), Must: level(1.05), Aim: level(1.25)}
	most := report.Goal{Must: level(0.8), Aim: level(0.65)}
	none := report.Goal{Must: level(0)}
	for _, test := range []struct {
		goal  report.Goal
		value float64
		want  report.Verdict
	}{
		{least, 0.88, report.Missed},
		{least, 0.9, report.Floor},
		{least, 0.896, report.Floor}, // shown as 0.90
		{least, 1.1, report.Must},
		{least, 1.3, report.Aim},
		{most, 0.81, report.Missed},
		{most, 0.8, report.Must},
		{most, 0.6, report.Aim},
		{none, 1, report.Missed},
		{report.Goal{}, 1, ""},
	} {
		r := judged(test.goal, "", samples("ours", 0, test.value))
		if got := r.Figures[0].Verdict; got != test.want {
			t.Errorf("%v against %+v: %q, want %q", test.value, test.goal, got, test.want)
		}
		missed := test.want == report.Missed || test.want == report.Floor
		if got := len(r.MissedGoals()) == 1; got != missed {
			t.Errorf("%v: listed as missed: %t, want %t", test.value, got, missed)
		}
	}
}

func TestTable(t *testing.T) {
	goal := report.Goal{AtLeast: true, Must: level(1.05)}
	if f := judged(goal, "other", samples("ours", 2, 1, 1, 1), samples("other", 2, 1, 1, 1)).Figures[0]; !f.Doubtful {
		t.Error("four of six samples were disturbed, and the figure is not in doubt")
	}
	r := judged(goal, "other", samples("ours", 2, 90000, 91000, 92000), samples("other", 0, 100000, 100000, 100000))
	var b strings.Builder
	if err := r.Table(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "missed?") {
		t.Error("two of six samples were disturbed, and the verdict is in doubt")
	}
	for _, want := range []string{"/ Other", "0.91 ~2", "0.90–0.92", "≥1.05", "missed", "100000", "91000", "2 of 6 runs disturbed"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}
