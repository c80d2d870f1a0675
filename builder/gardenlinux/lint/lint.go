package lint

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/shell"
)

// Tree reads the scripts and files of a Garden Linux tree's features and warns of
// what the Garden Linux builder treats differently, and of what will not work,
// will work differently each time, or should not be in an image. It judges by
// the look of the text, so that it can err both ways.
func Tree(fsys fs.FS, p *config.Project) hcl.Diagnostics {
	l := &linter{fsys: fsys, project: p}
	for _, name := range slices.Sorted(maps.Keys(p.Features)) {
		f := p.Features[name]
		l.quirks(f)
		l.files(f)
		l.gather(f)
	}
	l.findHelpers()
	for _, name := range slices.Sorted(maps.Keys(l.scripts)) {
		l.script(name, l.scripts[name])
	}
	return config.Tidy(l.diags)
}

type linter struct {
	fsys    fs.FS
	project *config.Project
	diags   hcl.Diagnostics
	// bytes is how much has been read, tried how much of scripts has been looked at,
	// in bytes; short that not all has been.
	bytes, tried int
	short        bool
	// scripts are those that are run, helpers those that may be called.
	scripts, helpers map[string]*lintedScript
}

type lintedScript struct {
	where scriptPlace
	src   []byte
	code  string // what of src is run
	shell bool
}

func (l *linter) warn(at hcl.Range, summary, detail string, args ...any) {
	l.diags = append(l.diags, config.Warning(at, summary, detail, args...))
}

const (
	// mostScripts bounds what is looked at of scripts, mostOverlaid all that is
	// read, in bytes.
	mostScripts  = 2 << 20
	mostOverlaid = 16 << 20
)

// enough reports that something has not been looked at since there is too much.
func (l *linter) enough(name string) {
	if !l.short {
		l.short = true
		l.warn(config.FileStart(name), "Files not checked", "From here on, scripts or files were not checked, because there are too many.")
	}
}

// read returns a file's text, or nil if it is not text or does not exist.
func (l *linter) read(name string) []byte {
	info, err := fs.Stat(l.fsys, name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > shell.Longest {
		return nil
	}
	if l.bytes += int(info.Size()); l.bytes > mostOverlaid {
		l.enough(name)
		return nil
	}
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil || bytes.IndexByte(src, 0) >= 0 {
		return nil
	}
	return src
}

// gather takes in a feature's scripts, and what may be helpers of scripts.
func (l *linter) gather(f *config.Feature) {
	if l.scripts == nil {
		l.scripts, l.helpers = map[string]*lintedScript{}, map[string]*lintedScript{}
	}
	places := map[string]scriptPlace{
		"exec.early": inTree, "exec.config": inTree, "exec.late": inTree, "exec.post": inPost, "fstab.mod": inMod, "requirements.mod": inMod,
	}
	for _, s := range tree.PartsOf(f).Images {
		places[s.File] = inImage
	}
	entries, _ := fs.ReadDir(l.fsys, f.Dir)
	for _, e := range entries {
		name := path.Join(f.Dir, e.Name())
		src := l.read(name)
		if src == nil {
			continue
		}
		s := &lintedScript{src: src, where: places[e.Name()], code: string(src)}
		if s.shell = shell.Named(src) || !bytes.HasPrefix(src, []byte("#!")); s.shell {
			s.code = string(shell.Code(src))
		}
		switch {
		case s.where != 0:
			l.scripts[name] = s
		case bytes.HasPrefix(src, []byte("#!")):
			l.helpers[name] = s
		}
	}
}

// findHelpers follows the mentions of programs in features' directories. Scripts
// can call those of other features, and do so by names that they put together.
func (l *linter) findHelpers() {
	callers := slices.Collect(maps.Keys(l.scripts))
	for len(callers) > 0 {
		caller := callers[len(callers)-1]
		callers = callers[:len(callers)-1]
		s := l.scripts[caller]
		for name, h := range l.helpers {
			base := path.Base(name)
			if caller == name || s.where&^h.where == 0 || !strings.Contains(s.code, "/"+base) {
				continue
			}
			if regexp.MustCompile(`/` + regexp.QuoteMeta(base) + `(?:[^\w.~-]|$)`).MatchString(s.code) {
				h.where |= s.where
				l.scripts[name] = h
				callers = append(callers, name)
			}
		}
	}
}

func (l *linter) script(name string, s *lintedScript) {
	if l.tried += len(s.src); l.tried > mostScripts {
		l.enough(name)
		return
	}
	if first, _, _ := bytes.Cut(s.src, []byte("\n")); bytes.HasPrefix(first, []byte("#!")) && bytes.HasSuffix(first, []byte("\r")) {
		l.warn(config.RangeIn(name, s.src, 0, len(first)-1), "Script with carriage returns", "The kernel takes the carriage return at the end of this line for a part of the interpreter's name, and does not find that. Lines end with a newline alone.")
	}
	for i := range scriptRules {
		r := &scriptRules[i]
		if r.where&s.where == 0 || r.unlessFile != nil && r.unlessFile().MatchString(s.code) {
			continue
		}
		if r.unlessExcluded != "" && s.where&^inTree == 0 && l.excluded(r.unlessExcluded) {
			continue
		}
		l.found(name, s, r.summary, r.detail, r.find(s.code))
	}
	if s.where&inImage != 0 {
		l.found(name, s, needsBuilder, besideArtifact, besideOutput(s.code))
	}
}

// mostPlaces is how many places of one kind are looked for in a script.
const mostPlaces = 100

// find returns the places of what a rule is about.
func (r *scriptRule) find(code string) [][2]int {
	var places [][2]int
	for _, m := range r.match().FindAllStringSubmatchIndex(code, mostPlaces) {
		at := [2]int{m[0], m[1]}
		if len(m) > 2 && m[2] >= 0 {
			at = [2]int{m[2], m[3]}
		}
		// The blank or bracket before or after a word belongs to it only
		// because nothing else tells where a word ends.
		for at[1] > at[0] && strings.IndexByte(" \t\n;|&)'\"", code[at[1]-1]) >= 0 {
			at[1]--
		}
		for at[0] < at[1] && strings.IndexByte(" \t\n\"'=(", code[at[0]]) >= 0 {
			at[0]++
		}
		line, _, _ := strings.Cut(code[at[0]:], "\n")
		if r.unless == nil || !r.unless().MatchString(line) {
			places = append(places, at)
		}
	}
	return places
}

// found warns once of something that a script has in several lines.
func (l *linter) found(name string, s *lintedScript, summary, detail string, places [][2]int) {
	if len(places) == 0 {
		return
	}
	at := config.RangeIn(name, s.src, places[0][0], places[0][1])
	words := strings.Fields(s.code[places[0][0]:places[0][1]])
	if len(words) > 4 {
		words = []string{words[0], "...", words[len(words)-1]}
	}
	text := fmt.Sprintf(detail, `"`+strings.Join(words, " ")+`"`)
	lines := []string{fmt.Sprint(at.Start.Line)}
	for _, p := range places[1:] {
		if line := fmt.Sprint(config.RangeIn(name, s.src, p[0], p[1]).Start.Line); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 2 {
		text += " config.Line " + lines[1] + " does so too."
	} else if len(lines) > 2 {
		text += " Lines " + strings.Join(lines[1:], ", ") + " do so too."
	}
	l.warn(at, summary, "%s", text)
}

// excluded reports whether a file.exclude of the tree names something.
func (l *linter) excluded(what string) bool {
	for _, f := range l.project.Features {
		if slices.ContainsFunc(f.FileExclude, func(line config.Line) bool { return strings.Contains(line.Text, what) }) {
			return true
		}
	}
	return false
}

// argument finds variables that hold an argument of an image script.
var argument = regexp.MustCompile(`(?m)^[ \t]*(?:(?:local|declare|readonly|export)[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=["']?(?:\$\(realpath[ \t]+(?:--[ \t]+)?["']?)?\$\{?[12]\}?["')]*[ \t]*$`)

// besideOutput finds what an image script has to do with files beside those
// that it is given.
func besideOutput(code string) [][2]int {
	names := []string{"1", "2"}
	for _, m := range argument.FindAllStringSubmatch(code, mostPlaces) {
		names = append(names, config.Cut(m[1], 100))
	}
	one := `(?:` + strings.Join(names, "|") + `)`
	beside := regexp.MustCompile(`\bdirname[ \t]+(?:--[ \t]+)?["']?\$\{?` + one + `\}?(?:["' \t)]|$)|\$\{` + one + `%[^}]*\}\.[A-Za-z]|\$\{` + one + `%/\*\}`)
	var places [][2]int
	for _, m := range beside.FindAllStringIndex(code, mostPlaces) {
		places = append(places, [2]int{m[0], m[1]})
	}
	return places
}
