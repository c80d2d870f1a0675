package event

import (
	"fmt"
	"strings"
	"time"
)

const (
	// barWidth is how many cells a bar has between its brackets; on a narrow screen
	// it has half of them.
	barWidth = 20
	// leastOutput is how many cells of a step's output are worth a place.
	leastOutput = 16
)

// bar draws how much is done of a total.
func bar(done, total int64, width int) string {
	n := int(min(max(done, 0), total) * int64(width) / total)
	head := ""
	if n < width && n > 0 {
		head, n = ">", n-1
	}
	return "[" + strings.Repeat("=", n) + head + strings.Repeat(" ", width-n-len(head)) + "]"
}

// amount describes how far a step is, "" if it does not tell; what stalls has no rate.
func (t *task) amount(now time.Time) string {
	if len(t.samples) == 0 {
		return ""
	}
	done := t.samples[len(t.samples)-1].done
	if t.unit != "" {
		return fmt.Sprintf("%d of %d %s", done, t.total, CleanLine(t.unit))
	}
	s := FormatBytes(done)
	if t.total > 0 {
		s += " of " + FormatBytes(t.total)
	}
	if rate := t.rate(now); rate >= 1 {
		s += fmt.Sprintf(", %s/s", FormatBytes(int64(rate)))
	}
	return s
}

// bars are the ways to show how far a step is, the widest first; none if it does not
// tell.
func (t *task) bars(now time.Time) []string {
	text := t.amount(now)
	if text == "" || t.total <= 0 {
		return []string{text}
	}
	done := t.samples[len(t.samples)-1].done
	percent := fmt.Sprintf("%3d%%", min(max(done, 0), t.total)*100/t.total)
	return []string{bar(done, t.total, barWidth) + " " + text, bar(done, t.total, barWidth/2) + percent, strings.TrimSpace(percent)}
}

// line is a running step in the live view: for how long, which one, and how far it is or
// what it said last. It may be too wide, and is then cut.
func (t *task) line(now time.Time, columns int) string {
	begin := mark(FormatDuration(now.Sub(t.started)))
	room := columns - textWidth(begin)
	names := []string{t.name()}
	if t.id.step != "" && t.title != "" {
		names = append(names, CleanLine(t.id.step)) // without the title
	}
	shortest := names[len(names)-1]
	if bars := t.bars(now); bars[0] != "" {
		for _, b := range bars {
			for _, name := range names {
				if textWidth(name)+2+textWidth(b) <= room {
					return begin + name + "  " + b
				}
			}
		}
		last := bars[len(bars)-1]
		if fits := room - 2 - textWidth(last); fits > 0 {
			return begin + cut(shortest, fits) + "  " + last
		}
		return begin + shortest
	}
	if said := t.last(); said != "" {
		said = "| " + said
		for _, name := range names {
			if textWidth(name)+2+min(leastOutput, textWidth(said)) <= room {
				return begin + name + "  " + said
			}
		}
	}
	return begin + names[0]
}
