package event

import (
	"fmt"
	"slices"
	"time"
)

// news reports whether an event is something that people want to read, before [tracker.see]
// is told of it: not a build that has nothing to do, nor one that
// failed before it began, as the caller says why.
func (k *tracker) news(e Event) bool {
	switch e.Kind {
	case BuildStarted:
		return e.Total > 0
	case BuildFinished:
		return k.finished > 0
	case BuildFailed:
		return slices.Contains(k.flavours, e.Flavour)
	}
	return true
}

// done describes how many steps are done and of how many. A step that was to be run and was
// found in the cache after all (another build made it) counts, too.
func (k *tracker) done() (done, total int64) {
	done = k.finished + max(0, k.cachedNow-k.cachedPlan)
	return done, max(k.total, done)
}

// summary is the live view's first line. What matters least is last, where a
// narrow screen cuts it.
func (k *tracker) summary(now time.Time) string {
	done, total := k.done()
	text := fmt.Sprintf("%d/%d done", done, total)
	if left := k.left(now); left >= time.Second {
		text += ", " + About(left) + " left"
	}
	return text + fmt.Sprintf(", %s, %d cached", FormatDuration(now.Sub(k.started)), max(k.cachedPlan, k.cachedNow))
}

// left is how long it takes until all builds are done, 0 if that is not known.
func (k *tracker) left(now time.Time) time.Duration {
	longest := time.Duration(0)
	for _, t := range k.running {
		if t.left <= 0 {
			return 0
		}
		longest = max(longest, t.left-t.expected+t.own(now))
	}
	return longest
}

// own is how long a step still takes itself. One that takes longer than the last time
// is taken to end now.
func (t *task) own(now time.Time) time.Duration {
	if rate := t.rate(now); rate > 0 && t.total > 0 && t.unit == "" {
		missing := t.total - t.samples[len(t.samples)-1].done
		return time.Duration(float64(missing) / rate * float64(time.Second))
	}
	return max(0, t.expected-now.Sub(t.started))
}

// rate is how much is done in a second, 0 if nothing was lately.
func (t *task) rate(now time.Time) float64 {
	if len(t.samples) == 0 {
		return 0
	}
	newest := t.samples[len(t.samples)-1]
	// A first sample covers everything since the start of the step.
	from := sample{at: t.started}
	if len(t.samples) > 1 {
		from = t.samples[0]
	}
	d := now.Sub(from.at)
	if d <= 0 || newest.done <= from.done || now.Sub(newest.at) >= rateWindow {
		return 0
	}
	return float64(newest.done-from.done) / d.Seconds()
}

// About writes an estimate for people, no more exactly than it is known: "about 20 s",
// "about 1 min 30 s", "about 12 min", "about 2 h 5 min".
func About(d time.Duration) string {
	switch {
	case d < 2500*time.Millisecond:
		return "a few seconds"
	case d < 57500*time.Millisecond:
		return fmt.Sprintf("about %d s", d.Round(5*time.Second)/time.Second)
	case d < 4*time.Minute+55*time.Second:
		d = d.Round(10 * time.Second)
		if s := d % time.Minute / time.Second; s > 0 {
			return fmt.Sprintf("about %d min %d s", d/time.Minute, s)
		}
	}
	d = d.Round(time.Minute)
	h, m := d/time.Hour, d%time.Hour/time.Minute
	switch {
	case h == 0:
		return fmt.Sprintf("about %d min", m)
	case m == 0:
		return fmt.Sprintf("about %d h", h)
	}
	return fmt.Sprintf("about %d h %d min", h, m)
}
