package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/rules"
)

// docPages are the files that people read.
func docPages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(docsRoot, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}
	for _, f := range found {
		names = append(names, "docs/"+filepath.Base(f))
	}
	return names
}

var (
	docLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	docHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	docFence   = regexp.MustCompile("(?ms)^```.*?^```$")
	docNoWord  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// docAnchors returns the anchors of a page's headings, as GitHub makes them.
func docAnchors(text string) []string {
	var all []string
	for _, m := range docHeading.FindAllStringSubmatch(docFence.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.ReplaceAll(docNoWord.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

func TestDocsLinksLeadSomewhere(t *testing.T) {
	for _, page := range docPages(t) {
		for _, m := range docLink.FindAllStringSubmatch(docFence.ReplaceAllString(readDoc(t, page), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join(docsRoot, target)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(docAnchors(readDoc(t, target)), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, target, anchor)
			}
		}
	}
}

var (
	docTests   = regexp.MustCompile("(?:`([a-z0-9/]+)`: )?((?:(?:Test|Fuzz)[A-Z][A-Za-z]+(?:/[a-z_]+)?(?:, )?)+)")
	docTest    = regexp.MustCompile(`(?:Test|Fuzz)[A-Z][A-Za-z]+`)
	testOfFile = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
)

// TestDocsNameTests: the tests that pages name are in the package that they name,
// in e2e without one.
func TestDocsNameTests(t *testing.T) {
	where := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testOfFile.FindAllStringSubmatch(string(text), -1) {
			where[m[1]] = append(where[m[1]], "builder"+strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), ".."))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// The name of a package means those below it too, and its last part for it.
	is := func(dir, named string) bool {
		return strings.HasSuffix(dir, "/"+named) || strings.Contains(dir, "/"+named+"/") || dir == named
	}
	for _, page := range []string{"docs/promises.md", "docs/trust.md", "docs/sandbox.md"} {
		found := 0
		for _, m := range docTests.FindAllStringSubmatch(readDoc(t, page), -1) {
			pkg := m[1]
			if pkg == "" {
				pkg = "e2e"
			}
			for _, name := range docTest.FindAllString(m[2], -1) {
				found++
				if !slices.ContainsFunc(where[name], func(dir string) bool { return is(dir, pkg) }) {
					t.Errorf("%s: %s is not in %s but in %q", page, name, pkg, where[name])
				}
			}
		}
		if found < 4 {
			t.Errorf("%s: found %d tests", page, found)
		}
	}
}

// notPlain are words for which the glossary has others.
var notPlain = regexp.MustCompile(`(?i)\b(folders?|room|anew|speaks? of|its like|their like|the reference (?:builder|has|does|shows))\b`)

// TestDocsUseTheGlossary: one word for one thing, in all pages.
func TestDocsUseTheGlossary(t *testing.T) {
	for _, page := range docPages(t) {
		text := docFence.ReplaceAllString(readDoc(t, page), "")
		if page == "docs/README.md" {
			text, _, _ = strings.Cut(text, "### Words for writers")
		}
		for n, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "    ") { // code, or what a program prints
				continue
			}
			if word := notPlain.FindString(inBackticks.ReplaceAllString(line, "")); word != "" {
				t.Errorf("%s: %q: see \"Words for writers\" in docs/README.md (line %d without code blocks: %.80s)", page, word, n+1, line)
			}
		}
	}
}

var (
	docPath = regexp.MustCompile("`((?:builder|features|flavours|schema|test)/[a-zA-Z0-9_./-]+)`")
	docName = regexp.MustCompile("`([A-Za-z]+)`\\s+in\\s+`(builder/[^`]+\\.go)`")
)

// TestContributorsDocsNameWhatThereIs: files that the pages for people who change
// the code name are there, and names that are said to be in a file are in it.
func TestContributorsDocsNameWhatThereIs(t *testing.T) {
	for _, page := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		text := readDoc(t, page)
		for _, m := range docPath.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "NAME") {
				continue
			}
			if _, err := os.Stat(filepath.Join(docsRoot, m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
		for _, m := range docName.FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(readDoc(t, m[2])) {
				t.Errorf("%s: there is no %s in %s", page, m[1], m[2])
			}
		}
	}
}

var commandLine = regexp.MustCompile("\\./build ([^\n`#()|]*)")

// TestDocsCommandsExist looks at each command line in the pages: the word must
// be a verb or a flavour, and the options the verb's.
func TestDocsCommandsExist(t *testing.T) {
	project, diags := config.Load(treewright.Tree(), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, page := range docPages(t) {
		for _, m := range commandLine.FindAllStringSubmatch(readDoc(t, page), -1) {
			checkCommandLine(t, page, strings.Fields(m[1]), project)
		}
	}
}

func checkCommandLine(t *testing.T, page string, args []string, project *config.Project) {
	v := buildVerb
	if i := firstWord(args); i >= 0 {
		word := strings.TrimRight(args[i], ".,:;")
		if named := findVerb(word); named != nil {
			v = named
		} else if slices.Contains(args[:i], "-C") {
			// A name in somebody else's tree.
		} else if _, err := rules.Flavour(project, word); err != nil && strings.ToUpper(word) != word && !strings.HasPrefix(word, "[") {
			t.Errorf("%s: ./build %s: there is no verb and no flavour %q", page, strings.Join(args, " "), word)
		}
	}
	known := newFlags(v, &options{})
	for _, arg := range args {
		name := strings.TrimLeft(strings.Trim(arg, "[].,:;"), "-")
		switch {
		case arg == "--" || arg == "[--":
			return
		case !strings.HasPrefix(strings.TrimLeft(arg, "["), "-"):
		case known.Lookup(name) == nil && (len(name) != 1 || known.ShorthandLookup(name) == nil):
			t.Errorf("%s: ./build %s: %s has no option %s", page, strings.Join(args, " "), v.name, arg)
		}
	}
}

var ourVariable = regexp.MustCompile(`^(BUILDER|PARAM|TREEWRIGHT)_[A-Z_]*$`)

func TestDocsNameEveryVariable(t *testing.T) {
	var known []string
	for page, heading := range map[string]string{
		"docs/reference.md": "## Environment", "docs/features.md": "### Environment", "docs/garden-linux.md": "### Scripts",
	} {
		for _, r := range tableRows(t, readDoc(t, page), heading) {
			known = append(known, r.names...)
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, s := range stringsOf(t, path, "") {
			if strings.HasSuffix(s, "_") {
				s += "NAME" // the beginning of a name
			}
			if ourVariable.MatchString(s) && !slices.Contains(known, s) {
				t.Errorf("%s: %s is in no table of variables", path, s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
