package lock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
)

// Parse reads the lock of a flavour. name is the file's path in the configuration tree.
// The error is a [*diag.Faults] that shows the lines.
func Parse(name, flavour string, text []byte) (*File, error) {
	r := &reader{file: &File{name: name, text: text}}
	r.read(flavour)
	if len(r.diags) > 0 {
		return nil, &diag.Faults{Files: r.file.Files(), List: r.diags}
	}
	return r.file, nil
}

type reader struct {
	file  *File
	diags hcl.Diagnostics
}

// fault notes a fault in a line.
func (r *reader) fault(line int, summary, format string, args ...any) {
	r.diags = append(r.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: r.file.at(line).Ptr(),
	})
}

// again is the advice for a file that cannot be repaired by hand.
func again(flavour string) string {
	return fmt.Sprintf("Take the file of an earlier commit, or remove it and make it again by `./build lock %s`.", flavour)
}

func (r *reader) read(flavour string) {
	if line := conflict(r.file.text); line > 0 {
		r.fault(line, "Merge conflict in a lock file", "The file has both sides of a merge. Take one side as a whole, and run `./build lock %s`, which locks what that side lacks.", flavour)
		return
	}
	// Of a newer format only the number is known.
	var head struct {
		Version int `json:"lock_version"`
	}
	if err := json.Unmarshal(r.file.text, &head); err == nil && head.Version > Version {
		r.fault(r.lineWith(`"lock_version"`), "Lock file of a newer version", "The format of the file has version %d, and this Treewright reads up to %d. Use the Treewright that wrote it.", head.Version, Version)
		return
	}
	d := json.NewDecoder(bytes.NewReader(r.file.text))
	d.DisallowUnknownFields()
	version, line, err := r.object(d)
	if err != nil {
		r.fault(line, "Not a lock file", "The file cannot be read as a lock: %s. %s", err, again(flavour))
		return
	}
	switch {
	case version != Version:
		r.fault(r.lineWith(`"lock_version"`), "Not a lock file", "The file does not have \"lock_version\": %d. %s", Version, again(flavour))
	case r.file.Flavour != flavour:
		r.fault(r.lineWith(`"flavour"`), "Lock of another flavour", "This is the lock of the flavour %q, and %q is to be built. If the flavour was renamed, or this file was copied, remove it and make the lock of %q by `./build lock %s`.", r.file.Flavour, flavour, flavour, flavour)
	default:
		r.link()
	}
}

// conflict returns the line of a merge conflict's mark, 0 if the file has none.
func conflict(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if bytes.HasPrefix(line, []byte("<<<<<<< ")) || bytes.HasPrefix(line, []byte(">>>>>>> ")) {
			return n
		}
	}
	return 0
}

// lineWith is the first line that has a text, else the first one.
func (r *reader) lineWith(text string) int {
	if i := bytes.Index(r.file.text, []byte(text)); i >= 0 {
		return lineOf(r.file.text, i)
	}
	return 1
}

// object reads the whole file. line is where an error is.
func (r *reader) object(d *json.Decoder) (version, line int, err error) {
	f, seen := r.file, map[string]bool{}
	here := func() int { return r.line(d) }
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, 1, fmt.Errorf("it is not an object of JSON")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return 0, here(), err
		}
		key, _ := t.(string)
		if seen[key] {
			return 0, here(), fmt.Errorf("%q is there twice", key)
		}
		seen[key] = true
		line = here()
		switch key {
		case "lock_version":
			err = d.Decode(&version)
		case "flavour":
			err = d.Decode(&f.Flavour)
		case "family":
			err = d.Decode(&f.Family)
		case "arch":
			err = d.Decode(&f.Arch)
		case "sources":
			line, err = elements(r, d, func(s Source, _ int) error {
				f.Sources = append(f.Sources, s)
				return nil
			})
		case "lists":
			line, err = elements(r, d, func(l List, line int) error {
				l.line = line
				f.Lists = append(f.Lists, l)
				return nil
			})
		case "packages":
			line, err = elements(r, d, r.pinned)
		default:
			err = fmt.Errorf("there is no field %q", key)
		}
		if err != nil {
			return 0, line, err
		}
	}
	if _, err := d.Token(); err != nil {
		return 0, here(), err
	}
	if d.More() {
		return 0, here(), fmt.Errorf("something follows after its end")
	}
	return version, 1, nil
}

// line is the line of what the decoder reads next.
func (r *reader) line(d *json.Decoder) int {
	at := int(d.InputOffset())
	for at < len(r.file.text) && strings.ContainsRune(" \t\r\n,:", rune(r.file.text[at])) {
		at++
	}
	return lineOf(r.file.text, at)
}

// elements reads an array, and hands each element over with its line.
func elements[T any](r *reader, d *json.Decoder, take func(v T, line int) error) (line int, err error) {
	line = r.line(d)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return line, fmt.Errorf("it is not a list")
	}
	for d.More() {
		line = r.line(d)
		var v T
		err := d.Decode(&v)
		if err == nil {
			err = take(v, line)
		}
		if err != nil {
			return line, err
		}
	}
	line = r.line(d)
	_, err = d.Token()
	return line, err
}

// pinned checks a package and adds it.
func (r *reader) pinned(l packageLine, line int) error {
	p := distro.Archived{
		Package: distro.Package{Name: l.Name, Version: l.Version, Arch: l.Arch}, Filename: l.Path, Size: l.Size, SHA256: l.SHA256, Source: l.Source, Suite: l.Suite,
	}
	switch {
	case l.Name == "" || l.Version == "" || l.Arch == "" || strings.ContainsAny(l.Name+l.Version+l.Arch, "/ \t\n"):
		return fmt.Errorf("%q is not the name, version and architecture of a package", p.Package)
	case len(l.SHA256) != 64 || strings.Trim(l.SHA256, "0123456789abcdef") != "":
		return fmt.Errorf("the SHA-256 of %s, %q, is not one", l.Name, l.SHA256)
	case l.Size <= 0:
		return fmt.Errorf("the size of %s is %d bytes", l.Name, l.Size)
	case l.Path == "" || strings.ContainsAny(l.Path, "\n\t") || path.IsAbs(l.Path) || slices.Contains(strings.Split(l.Path, "/"), ".."):
		return fmt.Errorf("the path of %s, %q, is not one below a mirror", l.Name, l.Path)
	}
	text, err := stanza(p, l.Control)
	if err != nil {
		return fmt.Errorf("package %s: %w", l.Name, err)
	}
	p.Stanza = text
	r.file.Packages = append(r.file.Packages, Package{Archived: p, Date: l.Date, line: line})
	return nil
}

// link fills in the packages of all lists.
func (r *reader) link() {
	f := r.file
	names, err := refs(f.Packages)
	if err != nil {
		r.fault(1, "Not a lock file", "%s.", err)
		return
	}
	f.closure = map[string]*distro.Closure{}
	used := make([]bool, len(f.Packages))
	for _, l := range f.Lists {
		if f.closure[l.Name] != nil {
			r.fault(l.line, "List that is there twice", "The lock has two lists %q.", l.Name)
			continue
		}
		c := &distro.Closure{Missed: l.Missed}
		f.closure[l.Name] = c
		on := f.closure[l.On]
		if l.On != "" && on == nil {
			r.fault(l.line, "Unknown list", "The list %q is installed on %q, which is not a list before it.", l.Name, l.On)
			continue
		}
		var own []distro.Archived
		for _, name := range l.Packages {
			i, ok := names[name]
			if !ok {
				r.fault(l.line, "Unknown package", "The list %q has %q, which is not the name of one package of the lock.", l.Name, name)
				continue
			}
			used[i] = true
			own = append(own, f.Packages[i].Archived)
		}
		switch {
		case on == nil || l.Whole:
			c.Packages = own
		default:
			c.Packages = together(on.Packages, own)
		}
		if again := twice(c.Packages); again != "" {
			r.fault(l.line, "Package that is there twice", "The list %q has the package %s twice.", l.Name, again)
		}
	}
	for i, u := range used {
		if !u && len(r.diags) == 0 {
			r.fault(f.Packages[i].line, "Package of no list", "No list of the lock has the package %s.", f.Packages[i].Package)
		}
	}
}

// twice returns a package, by name and architecture, of which there are two.
func twice(all []distro.Archived) string {
	seen := map[[2]string]bool{}
	for _, p := range all {
		if seen[[2]string{p.Name, p.Arch}] {
			return p.Name + ":" + p.Arch
		}
		seen[[2]string{p.Name, p.Arch}] = true
	}
	return ""
}
