package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// table shows the figures on one page.
func table(out io.Writer, all []figure) error {
	var page strings.Builder
	w := tabwriter.NewWriter(&page, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, columns, "", "ours", "spread", "bare", "spread", "ratio")
	last := ""
	for _, f := range all {
		if f.Pattern != last {
			fmt.Fprintf(w, columns, f.Pattern, "", "", "", "", "")
		}
		last = f.Pattern
		ours := number(f.Ours)
		if f.Failed {
			ours = "FAILED"
		}
		fmt.Fprintf(w, columns, "  "+f.Unit+" "+f.What, ours, spread(f.Ours),
			number(f.Bare), spread(f.Bare), ratio(f.Ratio))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(page.String()) {
		_, err := fmt.Fprintln(out, strings.TrimRight(line, " \n"))
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(out, legend)
	return err
}

const columns = "%s\t%8s\t%10s\t%8s\t%10s\t%5s\n"

const legend = `
ours, bare, ratio: the median of the runs; spread: how far the lowest and the
highest run are from it
bare: nothing but the library's calls, in the same run; for tuple spaces a
server that only passes messages on, or sends them back
ratio: ours / bare, where nothing else is said
what is counted per second is better when more, all else when less
`

// number shows a median with three digits at least, and no more than say
// something.
func number(values []float64) string {
	m := median(values)
	switch {
	case len(values) == 0:
		return ""
	case m >= 100:
		return fmt.Sprintf("%.0f", m)
	case m >= 10:
		return fmt.Sprintf("%.1f", m)
	}
	return fmt.Sprintf("%.2f", m)
}

func ratio(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", median(values))
}

// spread is how far the lowest and the highest value are from the median.
func spread(values []float64) string {
	m := median(values)
	if len(values) < 2 || m == 0 {
		return ""
	}
	return fmt.Sprintf("-%.0f%% +%.0f%%", 100*(m-slices.Min(values))/m,
		100*(slices.Max(values)-m)/m)
}

// growth shows, as a table for a README, how the two tuple spaces grow.
func growth(all []figure) string {
	text := ""
	for _, part := range []struct {
		series, head string
		rows         []float64
	}{
		{"take", "to write a tuple and take it, of so many others",
			[]float64{0, 1000, 10_000, 100_000}},
		{"wake", "to wake one that waits, beside so many others",
			[]float64{1, 10, 100, 1000}},
	} {
		text += "\n| " + part.head + " | simple | indexed |\n|---|---|---|\n"
		for _, n := range part.rows {
			text += fmt.Sprintf("| %s | %s | %s |\n", grouped(n),
				microseconds(at(all, part.series+" simple ours", n)),
				microseconds(at(all, part.series+" indexed ours", n)))
		}
	}
	return text
}

func microseconds(values []float64) string {
	if len(values) == 0 {
		return "not measured"
	}
	return grouped(median(values)) + " µs"
}

// grouped writes a number, without what is behind the point, as in 1,000,000.
func grouped(value float64) string {
	text := strconv.FormatFloat(value, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
