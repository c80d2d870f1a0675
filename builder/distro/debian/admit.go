package debian

import (
	"bytes"
	"errors"
	"path"
	"slices"

	"github.com/treewright/treewright/builder/distro"
)

// paragraph is a paragraph of an index.
type paragraph struct {
	text          []byte
	name          string
	version, arch string
	sum           string
}

func paragraphs(text []byte) []paragraph {
	var out []paragraph
	for one := range bytes.SplitSeq(text, []byte("\n\n")) {
		one = bytes.Trim(one, "\n")
		if len(one) > 0 {
			out = append(out, paragraph{one, field(one, "Package"), field(one, "Version"), field(one, "Architecture"), field(one, "SHA256")})
		}
	}
	return out
}

// admitted leaves out of the sources' indices what may not come from there:
//
//   - of a source with patterns, packages of other names;
//   - of the others, packages of names that a source with patterns has;
//   - packages that are in two sources in the same version, but not the same file.
//     Those of the source with the higher priority stay, or else of the first one:
//     nothing could tell the two apart.
func admitted(sources []distro.Source, texts [][]byte) [][]byte {
	all := make([][]paragraph, len(texts))
	owned := map[string]bool{}
	for i, text := range texts {
		all[i] = paragraphs(text)
		if len(sources[i].Packages) == 0 {
			continue
		}
		all[i] = slices.DeleteFunc(all[i], func(s paragraph) bool { return !matches(sources[i].Packages, s.name) })
		for _, s := range all[i] {
			owned[s.name] = true
		}
	}
	order := make([]int, len(sources))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return priority(sources[b]) - priority(sources[a]) })
	sums := map[[3]string]string{}
	out := make([][]byte, len(texts))
	for _, i := range order {
		var b bytes.Buffer
		for _, s := range all[i] {
			if len(sources[i].Packages) == 0 && owned[s.name] {
				continue
			}
			key := [3]string{s.name, s.version, s.arch}
			if have, ok := sums[key]; ok && have != s.sum {
				continue
			}
			sums[key] = s.sum
			b.Write(s.text)
			b.WriteString("\n\n")
		}
		out[i] = b.Bytes()
	}
	return out
}

// priority is that of a source, or apt's usual one.
func priority(s distro.Source) int {
	if s.Priority == 0 {
		return 500
	}
	return s.Priority
}

// matches reports whether a name matches one of some patterns.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// unmatched finds patterns that are the name of no package in any suite of their
// source: packages that are to come from there would come from elsewhere.
func unmatched(sources []distro.Source, texts [][]byte) error {
	found := map[string][]string{} // names of packages, by source
	for i, s := range sources {
		if len(s.Packages) > 0 {
			for _, p := range paragraphs(texts[i]) {
				found[s.Name] = append(found[s.Name], p.name)
			}
		}
	}
	var faults []error
	seen := map[string]bool{}
	for _, s := range sources {
		for _, pattern := range s.Packages {
			if seen[s.Name+" "+pattern] || slices.ContainsFunc(found[s.Name], func(name string) bool { return matches([]string{pattern}, name) }) {
				continue
			}
			seen[s.Name+" "+pattern] = true
			names := slices.Compact(slices.Sorted(slices.Values(found[s.Name])))
			faults = append(faults, &distro.SourceError{
				Source: s.Name, Field: distro.PackagesField, Value: pattern, Summary: "Pattern without a package",
				Detail: "No package of the source is called " + pattern + ".", Known: names,
			})
		}
	}
	return errors.Join(faults...)
}
