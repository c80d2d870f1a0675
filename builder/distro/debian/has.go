package debian

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// has reports whether a part of the union has a package, NAME or NAME:ARCH.
func (a *Archive) has(part int, name string) bool {
	name, arch, qualified := strings.Cut(name, ":")
	for _, its := range a.architecturesOf(part)[name] {
		if !qualified || sameArch(its, arch) {
			return true
		}
	}
	return false
}

// architecturesOf are those that packages of a part are for, by name.
func (a *Archive) architecturesOf(part int) map[string][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.archsOf == nil {
		a.archsOf = map[int]map[string][]string{}
	}
	if have := a.archsOf[part]; have != nil {
		return have
	}
	archs := map[string][]string{}
	// A file that cannot be read is an error of apt, which reads it next.
	text, _ := os.ReadFile(filepath.Join(a.dir, "lists", host(part)+"_._Packages"))
	for _, p := range paragraphs(text) {
		if !slices.Contains(archs[p.name], p.arch) {
			archs[p.name] = append(archs[p.name], p.arch)
		}
	}
	a.archsOf[part] = archs
	return archs
}
