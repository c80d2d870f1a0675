package config

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/shell"
)

// reader is a file of a feature that can read parameters.
type reader struct {
	name string // in the tree
	src  []byte
	// program reports that it is a script or a helper of one: those find parameters in the
	// environment. Lists and templates name them as they are.
	program bool
	// any reports that it is a program that may read any parameter.
	any bool
}

// anyParameter finds programs that may read parameters whose names they put together, or
// go through the environment.
var anyParameter = regexp.MustCompile(`PARAM_(?:[^A-Z]|$)|\bprintenv\b|\bcompgen\b|\b(?:export|declare) -p\b|/environ\b|\benviron\b|(?m:(?:^|[|;&(])[ \t]*env[ \t]*(?:$|[|;&)]))`)

// Unread compares the parameters of features with what reads them, in a project without
// errors. fsys is what it was loaded from; features of other trees are left out. Parameters
// of a feature with a stage, and of an extension, are for the stage.
func Unread(fsys fs.FS, project *Project, features []*Feature) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range features {
		if f.Root != nil {
			continue
		}
		readers, complete := readersOf(fsys, f)
		for _, r := range readers {
			if r.program {
				diags = append(diags, r.unknown(f, project)...)
			}
		}
		if f.Stage != "" || f.Type == Extension || !complete {
			continue
		}
		for _, p := range f.Parameters {
			if !slices.ContainsFunc(readers, func(r reader) bool { return r.mentions(p.Name) }) {
				diags = append(diags, Warning(p.Range, "Parameter without effect", "No script, test, template or list of feature %q reads the parameter %q. Scripts and tests find it in the variable PARAM_%s.",
					f.Name, p.Name, strings.ToUpper(p.Name)))
			}
		}
	}
	return Tidy(diags)
}

func (r reader) mentions(parameter string) bool {
	if r.program {
		parameter = "PARAM_" + strings.ToUpper(parameter)
	}
	return r.any || hasWord(r.src, parameter)
}

// hasWord reports whether a text has a word, made of letters, digits and _, between others.
func hasWord(text []byte, word string) bool {
	inWord := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(word))
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(word)
		if (start == 0 || !inWord(text[start-1])) && (end == len(text) || !inWord(text[end])) {
			return true
		}
		at = start + 1
	}
}

// readersOf are the files of a feature, except those that are copied as they are; not
// complete, if there are too many.
func readersOf(fsys fs.FS, f *Feature) (readers []reader, complete bool) {
	if len(f.Parameters) == 0 && len(f.Scripts) == 0 {
		return nil, true
	}
	size, complete := 0, true
	pick := func(name string, _ bool) bool { return top(name) != "file.include" && top(name) != debsDir }
	err := WalkFeature(fsys, f.Dir, true, pick, func(file File) error {
		if !file.Info.Mode().IsRegular() {
			return nil
		}
		if size += int(file.Info.Size()); size > mostScripts || file.Info.Size() > shell.Longest {
			complete = false
			return nil
		}
		src, err := fs.ReadFile(fsys, file.Real)
		if err != nil {
			return err
		}
		r := reader{name: path.Join(f.Dir, file.Name), src: src}
		switch {
		case file.Name == debconfFile:
		case file.Name == "info.yaml" || lists[file.Name] != nil || top(file.Name) == templatesDir:
			r.src = bytes.Join(filledIn.FindAll(src, -1), []byte("\n"))
		default:
			r.program, r.any = true, anyParameter.Match(src)
		}
		readers = append(readers, r)
		return nil
	})
	return readers, complete && err == nil
}

// filledIn finds where info.yaml, lists and templates use parameters: in conditions, and
// filled in.
var filledIn = regexp.MustCompile(`\[[^\]\n]*\]|[$%]\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_]*|requires:.*`)

// unknown finds variables of parameters that the feature does not have.
func (r reader) unknown(f *Feature, project *Project) hcl.Diagnostics {
	if !shell.Named(r.src) {
		return nil // what other languages do with a name, the name does not tell
	}
	var diags hcl.Diagnostics
	var known []string
	for _, p := range f.Parameters {
		known = append(known, p.Name)
	}
	said := map[string]bool{}
	code := shell.Code(r.src)
	for _, m := range toldOf.FindAllSubmatchIndex(code, -1) {
		variable := string(code[m[0]:m[1]])
		parameter := strings.ToLower(string(code[m[2]:m[3]]))
		if slices.Contains(known, parameter) || said[parameter] || meantEmpty(code, variable) {
			continue
		}
		said[parameter] = true
		project.Files[r.name] = &hcl.File{Bytes: r.src}
		diags = append(diags, Warning(RangeIn(r.name, r.src, m[0], m[1]), "Unknown parameter", "Feature %q has no parameter %q, so the variable %s is not set.%s",
			f.Name, parameter, variable, DidYouMean(parameter, known)))
	}
	return diags
}

// meantEmpty reports that a script sets a variable itself, or expects that it may not be
// set, or puts its name together.
func meantEmpty(code []byte, variable string) bool {
	return regexp.MustCompile(`\b` + variable + `(?:=|:?[-+?=]|_?\$|\*)`).Match(code)
}
