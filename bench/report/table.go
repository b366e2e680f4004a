package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Table writes the report for people.
func (r *Report) Table(w io.Writer) error {
	var b strings.Builder
	r.heading(&b)
	head := []string{"figure", "of", "value", "rounds", "floor", "must", "aim", "goal"}
	for _, target := range r.Targets {
		head = append(head, r.Titles[target])
	}
	rows := [][]string{append(head, "unit")}
	last := ""
	for _, f := range r.Figures {
		rows = append(rows, r.row(f, &last))
	}
	align(&b, rows)
	r.footing(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) heading(b *strings.Builder) {
	m := r.Machine
	fmt.Fprintf(b, "%s, %d cores, %d MiB, Linux %s (%s), TCP %s, loopback\n", m.CPU, m.Cores, m.MemoryMiB, m.Kernel, m.Arch, m.Congestion)
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, name+" "+r.Versions[name])
	}
	fmt.Fprintf(b, "%s\n", strings.Join(versions, " · "))
	fmt.Fprintf(b, "%s, %.0f s; settings:", r.Made.Format("2006-01-02 15:04 MST"), r.Took)
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		fmt.Fprintf(b, " %s=%v", name, r.Settings[name])
	}
	b.WriteString("\n\n")
}

// row shows a figure; what repeats from the row above is left out.
func (r *Report) row(f Figure, last *string) []string {
	title, medians := f.Title, f.Title+f.Metric
	row := []string{title, "", number(f.Value), number(f.Low) + "–" + number(f.High), "", "", "", string(f.Verdict)}
	if f.Against != "" {
		row[1] = "/ " + r.Titles[f.Against]
	}
	if f.Doubtful && f.Verdict != "" {
		row[7] += "?"
	}
	if f.Disturbed > 0 {
		row[2] += fmt.Sprintf(" ~%d", f.Disturbed)
	}
	sign := "≤"
	if f.Goal.AtLeast {
		sign = "≥"
	}
	for i, level := range []*float64{f.Goal.Floor, f.Goal.Must, f.Goal.Aim} {
		if level != nil {
			row[4+i] = sign + strconv.FormatFloat(*level, 'f', -1, 64)
		}
	}
	repeated := medians == *last
	*last = medians
	for _, target := range r.Targets {
		value, measured := f.Medians[target]
		switch {
		case repeated:
			row = append(row, "")
		case !measured:
			row = append(row, "-")
		default:
			row = append(row, number(value))
		}
	}
	if repeated {
		row[0] = ""
		return append(row, "")
	}
	return append(row, f.Unit)
}

// number shows three digits or so.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// align writes columns: the first two to the left, the rest to the right.
func align(b *strings.Builder, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i < 2 || i == len(row)-1 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
			line.WriteString("  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if n == 0 {
			b.WriteString(strings.Repeat("-", utf8.RuneCountInString(line.String())-2) + "\n")
		}
	}
}

func (r *Report) footing(b *strings.Builder) {
	b.WriteString("\nvalue: ratio of Gatehouse's median to the other's; rounds: lowest and highest of the rounds' own ratios;\n" +
		"CPU: of proxy and engine together; floor: first slice, must and aim: data path.\n")
	highest, sum, n, disturbed, repeated := 0.0, 0.0, 0, 0, 0
	for _, s := range r.Samples {
		if s.Foreign == nil {
			continue
		}
		n++
		highest, sum = max(highest, *s.Foreign), sum+*s.Foreign
		if s.Disturbed {
			disturbed++
		}
		repeated += s.Attempts - 1
	}
	if n > 0 {
		fmt.Fprintf(b, "foreign CPU: %.1f %% of the machine on average, %.1f %% at most; %d of %d runs disturbed (marked ~n; a verdict with ? rests on them), %d repeated.\n",
			100*sum/float64(n), 100*highest, disturbed, n, repeated)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "note: %s\n", note)
	}
}
