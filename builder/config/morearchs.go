package config

import "slices"

// checkArchitectures judges the further architectures of a distribution.
func (l *loader) checkArchitectures(d *draft) {
	var seen []string
	for _, t := range d.architectures {
		switch {
		case !slices.Contains(dpkgArchitectures, t.value):
			l.say(Fault(t.at, "Unknown architecture", "%q is not an architecture of Debian; i386 and armhf are some.%s", t.value, DidYouMean(t.value, dpkgArchitectures)))
		case slices.Contains(seen, t.value):
			l.say(Fault(t.at, "Architecture named twice", "%q is in the list already.", t.value))
		}
		seen = append(seen, t.value)
	}
}
