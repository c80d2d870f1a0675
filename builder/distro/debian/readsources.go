package debian

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
)

// MachineSources reads the sources of packages of the machine with the root directory root, like its apt: sources.list(5), in
// both forms. The first one is called [distro.MainSource], and each file has its own name. Keyrings are absolute paths here; keep writes
// the text of a keyring that is written in a source to a file, and returns its path. The notes are the sources that are not used, with the reason.
func (f Family) MachineSources(root string, keep func(text string) (string, error)) (all []distro.Source, notes []string, err error) {
	files, err := layer.Glob(root, "etc/apt/sources.list.d/*")
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(files)
	for _, file := range append([]string{filepath.Join(root, "etc/apt/sources.list")}, files...) {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		r := sourcesFile{root: root, name: "/" + strings.TrimPrefix(strings.TrimPrefix(file, root), "/"), keep: keep, usual: f.DefaultKeyring()}
		switch filepath.Ext(file) {
		case ".sources":
			err = r.stanzas(string(text))
		case ".list":
			r.lines(string(text))
		}
		if err != nil {
			return nil, nil, err
		}
		all, notes = append(all, r.found...), append(notes, r.notes...)
	}
	if len(all) > 0 {
		all[0].Name = distro.MainSource
	}
	return all, notes, nil
}

// sourcesFile is a file with sources that is read.
type sourcesFile struct {
	root, name, usual string
	keep              func(string) (string, error)
	found             []distro.Source
	notes             []string
}

// note adds a source that is not used.
func (r *sourcesFile) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf("a source of %s is not used: %s", r.name, fmt.Sprintf(format, args...)))
}

// stanzas reads the form deb822.
func (r *sourcesFile) stanzas(text string) error {
	for stanza := range strings.SplitSeq(withoutComments(text), "\n\n") {
		value := func(name string) string { return wholeField(stanza+"\n", name) }
		if types := strings.Fields(value("Types")); !slices.Contains(types, "deb") || slices.Contains([]string{"no", "false", "off", "0", "disable", "without"}, strings.ToLower(strings.TrimSpace(value("Enabled")))) {
			continue
		}
		if strings.TrimSpace(value("Trusted")) == "yes" {
			r.note("it is trusted without a signature (Trusted: yes), and packages are taken from signed archives only")
			continue
		}
		keyring := r.keyring(strings.TrimSpace(value("Signed-By")))
		if strings.Contains(keyring, "BEGIN PGP") {
			var err error
			if keyring, err = r.keep(written(stanza)); err != nil {
				return err
			}
		}
		for _, uri := range strings.Fields(value("URIs")) {
			for _, suite := range strings.Fields(value("Suites")) {
				r.add(uri, suite, strings.Fields(value("Components")), strings.Fields(value("Architectures")), keyring)
			}
		}
	}
	return nil
}

// withoutComments removes comment lines, which can be in the middle of a stanza.
func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(strings.TrimRight(line, " \t\r\n") + "\n")
		}
	}
	return strings.Trim(b.String(), "\n")
}

// written is the keyring in a stanza: lines begin with a space, and an empty one is " .".
func written(stanza string) string {
	_, rest, _ := strings.Cut(stanza, "Signed-By:")
	var b strings.Builder
	for line := range strings.Lines(rest) {
		if b.Len() > 0 && line[0] != ' ' && line[0] != '\t' {
			break
		}
		if line = strings.TrimSpace(line); line == "." {
			line = ""
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimLeft(b.String(), "\n")
}

// lines reads the form with a line for each source.
func (r *sourcesFile) lines(text string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "deb" {
			continue
		}
		fields = fields[1:]
		options := map[string]string{}
		if len(fields) > 0 && strings.HasPrefix(fields[0], "[") {
			end := slices.IndexFunc(fields, func(f string) bool { return strings.HasSuffix(f, "]") })
			if end < 0 {
				r.note("%q has no end of its options", strings.TrimSpace(line))
				continue
			}
			for _, option := range strings.Fields(strings.Trim(strings.Join(fields[:end+1], " "), "[]")) {
				name, value, _ := strings.Cut(option, "=")
				options[name] = value
			}
			fields = fields[end+1:]
		}
		switch {
		case len(fields) < 2:
			r.note("%q has no suite", strings.TrimSpace(line))
		case options["trusted"] == "yes":
			r.note("it is trusted without a signature (trusted=yes), and packages are taken from signed archives only")
		default:
			var archs []string
			if options["arch"] != "" {
				archs = strings.Split(options["arch"], ",")
			}
			r.add(fields[0], fields[1], fields[2:], archs, r.keyring(options["signed-by"]))
		}
	}
}

// keyring returns the path of the file that a source names; it does not change other texts.
func (r *sourcesFile) keyring(text string) string {
	if text == "" {
		text = r.usual
	}
	if filepath.IsAbs(text) {
		return filepath.Join(r.root, text)
	}
	return text
}

// add adds a source.
func (r *sourcesFile) add(uri, suite string, components, archs []string, keyring string) {
	if rest, ok := strings.CutPrefix(uri, "file:/"); ok {
		uri = "file:///" + strings.TrimLeft(rest, "/")
	}
	for _, scheme := range []string{"http://", "https://", "file:///"} {
		if strings.HasPrefix(uri, scheme) {
			if !filepath.IsAbs(keyring) {
				r.note("Signed-By %q is not the path of a file with keys", keyring)
				return
			}
			r.found = append(r.found, distro.Source{
				Name: sourceName(r.name, len(r.found)), URL: strings.TrimRight(uri, "/"), Suite: suite, Components: components, Architectures: archs, Keyring: keyring,
			})
			return
		}
	}
	r.note("its URL %s is not http, https or file", uri)
}

// sourceName is a name for a source of a file.
func sourceName(file string, n int) string {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			return c
		}
		return '-'
	}, strings.ToLower(name))
	return fmt.Sprintf("machine-%s-%d", strings.Trim(name, ".-"), n)
}
