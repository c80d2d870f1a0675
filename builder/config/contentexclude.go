package config

import (
	"path"
	"slices"
	"strings"
)

// excludedFiles keeps the patterns of exclude_files that can match a file of the system,
// and describes what is wrong with the others.
func (l *loader) excludedFiles(list []text) []text {
	if list == nil {
		return nil
	}
	kept := []text{}
	for _, t := range list {
		bare := withoutEnd(t.value)
		problem := l.pathProblem(strings.TrimSuffix(t.value, "/"))
		switch {
		case bare == "":
			problem = "would remove the whole system."
		case problem == "" && strings.ContainsAny(t.value, " \"'#"):
			problem = "has a blank, a quote or a # in it, which patterns cannot have: write ? in its place."
		case problem == "" && (strings.ContainsAny(strings.Split(bare+"/", "/")[1], "*?[") || slices.Contains(topDirectories, bare)):
			problem = "would remove a directory without which no system starts. Name what is to be removed below it."
		}
		if problem != "" {
			l.say(Fault(t.at, "Invalid pattern", "%q %s", t.value, problem))
			continue
		}
		kept = append(kept, t)
	}
	return kept
}

// withoutEnd is a pattern without an end that matches everything in a directory.
func withoutEnd(pattern string) string {
	for _, end := range []string{"/", "/**", "/*"} {
		pattern = strings.TrimSuffix(pattern, end)
	}
	return pattern
}

// checkExcluded finds what one flavour block adds and excludes. What it takes over from
// another flavour can be excluded.
func (l *loader) checkExcluded(c *contentDraft) {
	for _, t := range c.excludePackages {
		name := strings.TrimPrefix(t.value, "!")
		for _, list := range [][]text{c.packages, c.addPackages} {
			if i := indexOf(list, name); i >= 0 {
				l.say(Fault(t.at, "Package added and excluded", "%q is added at %s: leave out one of the two.", name, PlaceOf(list[i].at)))
			}
		}
	}
	for _, t := range c.excludeFiles {
		for _, f := range c.files {
			if covers(t.value, f.Path) {
				l.say(Fault(t.at, "File added and excluded", "%s is added at %s, and would be removed again: leave out one of the two.", f.Path, PlaceOf(f.Range)))
			}
		}
	}
}

// covers reports that a pattern matches a path, or a directory that it is below. A pattern
// with ** before its end is not looked at: the build removes what it matches.
func covers(pattern, file string) bool {
	end := strings.TrimSuffix(strings.TrimSuffix(pattern, "/"), "/**")
	for ; file != "/"; file = path.Dir(file) {
		if hit, _ := path.Match(end, file); hit {
			return true
		}
	}
	return false
}
