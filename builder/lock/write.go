package lock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// Writer collects the lists and sources of a lock.
type Writer struct {
	file  File
	whole map[string]*distro.Closure
}

// NewWriter returns a writer of a flavour's lock.
func NewWriter(flavour, family, arch string) *Writer {
	return &Writer{file: File{Flavour: flavour, Family: family, Arch: arch}, whole: map[string]*distro.Closure{}}
}

// Source adds a source, unless it has been added already.
func (w *Writer) Source(s Source) {
	if !slices.ContainsFunc(w.file.Sources, func(o Source) bool {
		return o.Archive == s.Archive && o.Name == s.Name && o.Suite == s.Suite && o.URL == s.URL
	}) {
		w.file.Sources = append(w.file.Sources, s)
	}
}

// Answer adds a list.
func (w *Writer) Answer(q Question, c *distro.Closure) {
	w.file.Lists = append(w.file.Lists, List{Name: q.List, Archive: q.Archive, On: q.On, Wants: Asks(q.Wants), Missed: slices.Clone(c.Missed)})
	w.whole[q.List] = c
}

// File returns the lock. Lists are ordered by what they are for, whatever the order in
// which they were added.
func (w *Writer) File() (*File, error) {
	f := w.file
	f.Sources, f.Lists = slices.Clone(f.Sources), slices.Clone(f.Lists)
	slices.SortStableFunc(f.Sources, func(a, b Source) int { return strings.Compare(a.Archive, b.Archive) })
	slices.SortFunc(f.Lists, func(a, b List) int {
		return cmp.Or(cmp.Compare(depth(f.Lists, a), depth(f.Lists, b)), cmp.Compare(rank(a.Name), rank(b.Name)), strings.Compare(a.Name, b.Name))
	})
	seen := map[distro.Archived]bool{}
	for _, l := range f.Lists {
		for _, p := range w.whole[l.Name].Packages {
			if !seen[p] {
				seen[p] = true
				f.Packages = append(f.Packages, Package{Archived: p})
			}
		}
	}
	slices.SortFunc(f.Packages, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Version, b.Version),
			strings.Compare(a.Source, b.Source), strings.Compare(a.Suite, b.Suite), strings.Compare(a.Stanza, b.Stanza))
	})
	names, err := refs(f.Packages)
	if err != nil {
		return nil, err
	}
	byPackage := map[distro.Archived]string{}
	for name, i := range names {
		if old, ok := byPackage[f.Packages[i].Archived]; !ok || len(name) < len(old) {
			byPackage[f.Packages[i].Archived] = name
		}
	}
	f.closure = w.whole
	for i := range f.Lists {
		l := &f.Lists[i]
		c := w.whole[l.Name]
		added := c.Packages
		if l.On != "" {
			added = onTop(c, w.whole[l.On])
			l.Whole = added == nil
			if l.Whole {
				added = c.Packages
			}
		}
		l.Packages = []string{}
		for _, p := range added {
			l.Packages = append(l.Packages, byPackage[p])
		}
	}
	return &f, nil
}

// rank orders kinds of lists.
func rank(name string) int {
	return slices.IndexFunc([]string{Bootstrap, Seed, Rootfs, Extension, Pool, Build, Tools, Data}, func(kind string) bool {
		return strings.HasPrefix(name+"/", strings.TrimSuffix(kind, "/")+"/")
	})
}

// depth is how many lists a list is installed on.
func depth(lists []List, l List) (n int) {
	for ; l.On != "" && n <= len(lists); n++ {
		i := slices.IndexFunc(lists, func(o List) bool { return o.Name == l.On })
		if i < 0 {
			break
		}
		l = lists[i]
	}
	return n
}

// onTop returns the packages of c that are not in on, nil if c is more than those of both in
// their order.
func onTop(c, on *distro.Closure) []distro.Archived {
	added := []distro.Archived{}
	for _, p := range c.Packages {
		if !slices.Contains(on.Packages, p) {
			added = append(added, p)
		}
	}
	if !slices.Equal(together(on.Packages, added), c.Packages) {
		return nil
	}
	return added
}

// together returns the packages of a list and those below it, in their order.
func together(on, added []distro.Archived) []distro.Archived {
	all := append(slices.Clone(on), added...)
	slices.SortStableFunc(all, func(a, b distro.Archived) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch))
	})
	return all
}

// refs returns the names by which lists may mention packages, with each one's index.
func refs(all []Package) (map[string]int, error) {
	forms := []func(p distro.Archived) string{
		func(p distro.Archived) string { return p.Name },
		func(p distro.Archived) string { return p.Name + ":" + p.Arch },
		// Versions would make a difference in each list for each package that is updated.
		func(p distro.Archived) string { return p.Name + "/" + p.Suite },
		func(p distro.Archived) string { return p.Name + ":" + p.Arch + "/" + p.Suite },
		func(p distro.Archived) string {
			return p.Name + ":" + p.Arch + "=" + p.Version + " " + p.Source + " " + p.Suite
		},
	}
	out, known := map[string]int{}, make([]bool, len(all))
	for _, form := range forms {
		count := map[string]int{}
		for _, p := range all {
			count[form(p.Archived)]++
		}
		for i, p := range all {
			if name := form(p.Archived); count[name] == 1 {
				out[name], known[i] = i, true
			}
		}
	}
	if i := slices.Index(known, false); i >= 0 {
		return nil, fmt.Errorf("two packages %s of the source %q have the same name in the lock", all[i].Package, all[i].Source)
	}
	return out, nil
}

// packageLine is a package as it is written.
type packageLine struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Source  string `json:"source,omitempty"`
	Suite   string `json:"suite,omitempty"`
	Path    string `json:"path"`
	// Date is as in [Package].
	Date    time.Time `json:"date,omitzero"`
	Control string    `json:"control"`
}

// Format returns the text of a lock file: the same for the same lock, with each package on
// lines of its own.
func (f *File) Format() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"lock_version\": %d,\n  \"flavour\": %s,\n  \"family\": %s,\n  \"arch\": %s,\n  \"sources\": [", Version, inJSON(f.Flavour), inJSON(f.Family), inJSON(f.Arch))
	for i, s := range f.Sources {
		fmt.Fprintf(&b, "%s\n    %s", comma(i), inJSON(s))
	}
	b.WriteString("\n  ],\n  \"lists\": [")
	for i, l := range f.Lists {
		wants, packages := l.Wants, l.Packages
		l.Wants, l.Packages = nil, nil
		head := strings.TrimSuffix(inJSON(l), `"wants":null,"packages":null}`)
		fmt.Fprintf(&b, "%s\n    %s\"wants\":[%s],\n     \"packages\":[%s]}", comma(i), head, below(wants), below(packages))
	}
	b.WriteString("\n  ],\n  \"packages\": [")
	for i, p := range f.Packages {
		line := inJSON(packageLine{p.Name, p.Version, p.Arch, p.Size, p.SHA256, p.Source, p.Suite, p.Filename, p.Date, control(p.Archived)})
		head, tail, _ := strings.Cut(line, `,"control":`)
		fmt.Fprintf(&b, "%s\n    %s,\n     \"control\":%s", comma(i), head, tail)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes()
}

// below writes the elements of a list on lines of their own.
func below(list []string) string {
	var b strings.Builder
	for i, s := range list {
		b.WriteString(comma(i) + "\n      " + inJSON(s))
	}
	if len(list) > 0 {
		b.WriteString("\n    ")
	}
	return b.String()
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// inJSON writes a value on one line, with < and > as they are.
func inJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("lock: %v", err)) // JSON can hold all that is in a lock
	}
	return strings.TrimSuffix(b.String(), "\n")
}
