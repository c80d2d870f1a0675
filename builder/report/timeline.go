package report

import (
	"fmt"
	"html/template"
)

// Bar is a step in the timeline. Left and Width are percent of the whole time.
type Bar struct {
	Step
	Left, Width float64
	// Critical reports that the build would have been shorter without this step: it is on the
	// longest way through the graph.
	Critical bool
}

// besideRoom is how much of the width a text beside a bar needs on a narrow screen, in percent.
const besideRoom = 25

// TookStyle puts the text beside the bar: on the right, or on the left where there is no room, or
// into its end where there is none on both sides.
func (b Bar) TookStyle() template.CSS {
	switch {
	case b.Left+b.Width <= 100-besideRoom:
		return "left: " + percent(b.Left+b.Width)
	case b.Left >= besideRoom:
		return "right: " + percent(100-b.Left)
	default:
		return "background: none; right: " + percent(100-b.Left-b.Width)
	}
}

// Timeline is when each step would run in a cold build with a processor for each one:
// what was measured, without the waiting for others. That is the same however much of the
// build was in the cache.
type Timeline struct {
	Bars  []Bar
	Ticks []Tick
	// Seconds is the length of the longest way, Sum that of all steps.
	Seconds, Sum float64
}

// Tick is a mark on the axis.
type Tick struct {
	Left float64
	Text string
	// Odd reports whether a narrow screen has no room for its text.
	Odd bool
}

// timeline computes when steps run. Steps that took no time are left out.
func timeline(steps []Step) Timeline {
	ends := make([]float64, len(steps))
	var t Timeline
	for i, s := range steps {
		start := 0.0
		for _, n := range s.Needs {
			start = max(start, ends[n])
		}
		ends[i] = start + s.Seconds
		t.Seconds = max(t.Seconds, ends[i])
		t.Sum += s.Seconds
	}
	if t.Seconds == 0 {
		return t
	}
	critical := longest(steps, ends)
	for i, s := range steps {
		if s.Seconds < shortest {
			continue
		}
		t.Bars = append(t.Bars, Bar{
			Step: s, Left: (ends[i] - s.Seconds) / t.Seconds * 100, Width: s.Seconds / t.Seconds * 100, Critical: critical[i],
		})
	}
	step := tickStep(t.Seconds)
	for s := 0; float64(s) <= t.Seconds; s += step {
		t.Ticks = append(t.Ticks, Tick{float64(s) / t.Seconds * 100, tickText(s, step), len(t.Ticks)%2 == 1})
	}
	return t
}

// shortest is what a step takes at least to be in the timeline, in seconds.
const shortest = 0.05

// longest are the steps on the longest way.
func longest(steps []Step, ends []float64) map[int]bool {
	last := 0
	for i := range ends {
		if ends[i] > ends[last] {
			last = i
		}
	}
	on := map[int]bool{}
	for at := last; at >= 0; {
		on[at] = true
		before := -1
		for _, n := range steps[at].Needs {
			if before < 0 || ends[n] > ends[before] {
				before = n
			}
		}
		at = before
	}
	return on
}

// tickText is a time on the axis, in minutes if all of them are.
func tickText(seconds, step int) string {
	if step%60 == 0 {
		return fmt.Sprintf("%d min", seconds/60)
	}
	return fmt.Sprintf("%d s", seconds)
}

// tickStep is a round number of seconds between marks, of which there are ten at most.
func tickStep(seconds float64) int {
	for _, step := range []int{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800} {
		if seconds/float64(step) <= 10 {
			return step
		}
	}
	return 3600
}
