package cli

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"mvdan.cc/sh/v3/syntax"
)

// taskPages are the pages that lead through a task: their code is run, or read by what
// it is written for.
var taskPages = []string{
	"README.md", "docs/first-system.md", "docs/add-a-feature.md", "docs/own-tree.md", "docs/update-server.md",
	"docs/ci.md", "docs/ci-many.md", "docs/containers.md", "docs/troubleshooting.md", "docs/faq.md",
}

// codeBlock is a piece of code in a page. An indented one holds commands and has no
// language; file is the path that the line before a fenced one ends with, as "`PATH`:".
type codeBlock struct {
	line                 int
	language, file, text string
}

var fileBefore = regexp.MustCompile("`([^` ]+)`:$")

// codeBlocks returns the code of a page.
func codeBlocks(t *testing.T, page string) []codeBlock {
	t.Helper()
	lines := strings.Split(readDoc(t, page), "\n")
	var blocks []codeBlock
	before := ""
	for n := 0; n < len(lines); n++ {
		b := codeBlock{line: n + 1}
		switch language, fence := strings.CutPrefix(lines[n], "```"); {
		case fence:
			b.language = language
			if m := fileBefore.FindStringSubmatch(before); m != nil {
				b.file = m[1]
			}
			for n++; lines[n] != "```"; n++ {
				b.text += lines[n] + "\n"
			}
			blocks = append(blocks, b)
		case strings.HasPrefix(lines[n], "    ") && lines[n-1] == "":
			for ; strings.HasPrefix(lines[n], "    "); n++ {
				b.text += lines[n][4:] + "\n"
			}
			blocks = append(blocks, b)
		}
		if lines[n] != "" {
			before = lines[n]
		}
	}
	return blocks
}

// programs are those that commands of the pages start, beside ours. One that is not
// here is perhaps written wrong.
var programs = strings.Fields(`apt-get boot-health caddy cat cd certbot chmod ci/build ci/part ci/plan ci/publish curl date dirname docker echo env exit export findmnt git grep install journalctl
	less ls lscpu make mkdir nginx ostree podman printf rm rsync set shift sudo systemctl systemd-sysext tee timedatectl umask`)

// TestTaskPagesCommands: each command of the pages can be read by a shell and names a
// program that there is; our own take the options and values that it gives.
func TestTaskPagesCommands(t *testing.T) {
	ours := 0
	for _, page := range taskPages {
		for _, b := range codeBlocks(t, page) {
			var texts []string
			switch b.language {
			case "", "sh":
				texts = []string{b.text}
			case "dockerfile":
				texts = dockerCommands(t, page, b)
			case "yaml":
				texts = recipeCommands(t, page, b)
			}
			for _, text := range texts {
				ours += checkCommands(t, page, b, text)
			}
		}
	}
	if ours < 40 {
		t.Errorf("only %d commands of ours were found", ours)
	}
}

// checkCommands returns how many commands of ours a text has.
func checkCommands(t *testing.T, page string, b codeBlock, text string) (ours int) {
	eachCommand(t, fmt.Sprintf("%s:%d", page, b.line), text, func(_ *syntax.CallExpr, words []string) {
		switch {
		case slices.Contains(ourNames, words[0]):
			ours++
			checkOurs(t, page, b, words[1:])
		case !slices.Contains(programs, words[0]):
			t.Errorf("%s:%d: %s is not a program that the pages use: %q", page, b.line, words[0], words)
		}
	})
	return ours
}

// ourNames are what the pages call the program.
var ourNames = []string{"treewright", "./build"}

// eachCommand calls do with each command of a shell's text, without quotes and without
// sudo and the like in front of it.
func eachCommand(t *testing.T, place, text string, do func(call *syntax.CallExpr, words []string)) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), place)
	if err != nil {
		t.Errorf("%s: no shell can read this: %v\n%s", place, err, text)
		return
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		var words []string
		for _, w := range call.Args {
			words = append(words, wordText(w))
		}
		do(call, unwrapped(words))
		return true
	})
}

// wordText is a word of a shell without its quotes, or as it is written.
func wordText(w *syntax.Word) string {
	var out bytes.Buffer
	if err := syntax.NewPrinter().Print(&out, w); err != nil {
		panic(err) // a buffer takes everything
	}
	return strings.Trim(out.String(), `'"`)
}

// unwrapped returns the command that sudo, env, or a container is to start.
func unwrapped(words []string) []string {
	for len(words) > 1 {
		switch {
		case words[0] == "sudo" || words[0] == "env":
			next := 1
			for next < len(words)-1 && (strings.HasPrefix(words[next], "-") || strings.Contains(words[next], "=")) {
				next++
			}
			words = words[next:]
		case (words[0] == "docker" || words[0] == "podman") && words[1] == "run":
			last := len(words) - 1
			for last > 0 && words[last] != "treewright" {
				last--
			}
			words = words[last:]
		default:
			return words
		}
	}
	return words
}

// exampleFlavours are the names of flavours that the pages use beside those that are shipped.
var exampleFlavours = []string{"FLAVOUR", "example", "auto", "base", "$@"}

// checkOurs reads a command line of ours as the program does.
func checkOurs(t *testing.T, page string, b codeBlock, args []string) {
	v, named := buildVerb, false
	rest := slices.Clone(args)
	if i := firstWord(args); i >= 0 {
		if found := findVerb(args[i]); found != nil {
			v, named = found, true
			rest = slices.Delete(rest, i, i+1)
		}
	}
	flags := newFlags(v, &options{})
	flags.SetOutput(io.Discard)
	if err := flags.Parse(rest); err != nil {
		t.Errorf("%s:%d: %q: %v", page, b.line, args, err)
		return
	}
	names := flags.Args()
	if !slices.Contains([]string{"build", "show", "plan", "graph", "why", "shell", "run", "test", "clean"}, v.name) {
		return
	}
	if named && v != buildVerb && v.name != "clean" {
		names = names[:min(len(names), 1)]
	}
	shipped := shippedFlavours(t)
	for _, name := range names {
		if !isPattern(name) && !slices.Contains(exampleFlavours, name) && !slices.Contains(shipped, name) {
			t.Errorf("%s:%d: %q: there is no flavour %q", page, b.line, args, name)
		}
	}
}

// dockerCommands returns what a file for a container's image runs.
func dockerCommands(t *testing.T, page string, b codeBlock) (commands []string) {
	for line := range strings.Lines(strings.ReplaceAll(b.text, "\\\n", "")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "RUN":
			commands = append(commands, rest)
		case "FROM", "COPY":
		default:
			t.Errorf("%s:%d: %s is not an instruction that the pages use", page, b.line, word)
		}
	}
	return commands
}

// recipeCommands returns what a recipe for CI runs; other YAML has nothing to run.
func recipeCommands(t *testing.T, page string, b codeBlock) (commands []string) {
	var recipe struct {
		Jobs map[string]struct {
			Steps []struct {
				Run, Uses string
				With      map[string]any
			}
		}
		Build struct{ Script []string }
	}
	var any map[string]any
	if err := yaml.Unmarshal([]byte(b.text), &any); err != nil {
		t.Errorf("%s:%d: %v", page, b.line, err)
	}
	if page == "docs/ci-many.md" {
		return scriptsIn(any)
	}
	if page != "docs/ci.md" {
		return nil
	}
	if err := yaml.Unmarshal([]byte(b.text), &recipe); err != nil {
		t.Errorf("%s:%d: %v", page, b.line, err)
	}
	commands = []string{strings.Join(recipe.Build.Script, "\n")}
	for _, job := range recipe.Jobs {
		for _, step := range job.Steps {
			commands = append(commands, step.Run)
			if strings.HasPrefix(step.Uses, "actions/upload-artifact@") && step.With["include-hidden-files"] != true && step.With["path"] != "results/*.xml" {
				t.Errorf("%s:%d: upload-artifact ignores .build", page, b.line)
			}
		}
	}
	all := strings.Join(commands, "\n")
	for _, want := range []string{"git clone", "make -C", "install", "ci/build example", "ci/publish example "} {
		if !strings.Contains(all, want) {
			t.Errorf("%s:%d: the recipe does not run %s", page, b.line, want)
		}
	}
	return commands
}

// scriptsIn are the commands of all jobs of a recipe.
func scriptsIn(node any) (commands []string) {
	switch n := node.(type) {
	case map[string]any:
		for key, value := range n {
			lines, list := value.([]any)
			text, one := value.(string)
			switch {
			case key == "script" && list:
				for _, line := range lines {
					text += fmt.Sprintln(line)
				}
				commands = append(commands, text)
			case key == "run" && one:
				commands = append(commands, text)
			default:
				commands = append(commands, scriptsIn(value)...)
			}
		}
	case []any:
		for _, value := range n {
			commands = append(commands, scriptsIn(value)...)
		}
	}
	return commands
}
