package gardenlinux

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux/words"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treefs"
)

// treeScripts are the programs in a tree's root that say what is built.
var treeScripts = []string{"get_repo", "get_version", "get_commit", "get_timestamp", "build.config"}

// treeScriptTime is how long each of them may take.
const treeScriptTime = 4 * time.Second

// treeScriptMemory is what each of their processes may take, in bytes.
const treeScriptMemory = 2 << 30

// ask runs a script of the tree's root and returns what it writes, or the
// fallback if the script does not exist or is not to be run.
func (s *treeSettings) ask(ctx context.Context, script, fallback string) (string, error) {
	if s.look || !exists(filepath.Join(s.dir, script)) {
		return fallback, nil
	}
	if err := treefs.Check(filepath.Join(s.dir, script), treefs.MostFile); err != nil {
		return "", fmt.Errorf("run the tree's %s: %w", script, err)
	}
	out, err := s.run(ctx, "./"+script)
	if err != nil {
		return "", fmt.Errorf("run the tree's %s: %w", script, err)
	}
	return out, nil
}

// run runs a program of the tree in a sandbox: it sees the tree and this
// machine's programs, can write nothing that stays, and has no network and
// nothing of our environment.
func (s *treeSettings) run(ctx context.Context, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, treeScriptTime, fmt.Errorf("not done after %s", treeScriptTime))
	defer cancel()
	view := &sandbox.View{
		Shown:  append(append(slices.Clone(sandbox.Programs), s.dir), gitPlaces(s.dir)...),
		Hidden: s.hidden, Memory: treeScriptMemory,
	}
	// git does not look into a tree of somebody else's unless it is told to.
	env := map[string]string{"LC_ALL": "C.UTF-8", "HOME": "/tmp", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
	out, err := sandbox.Command{View: view, Argv: argv, Dir: s.dir, Env: env}.Output(ctx)
	return strings.TrimRight(string(out), "\n"), withoutSandbox(err)
}

// withoutSandbox describes what can be done where no sandbox can be made.
func withoutSandbox(err error) error {
	if !errors.Is(err, sandbox.ErrNoSandbox) {
		return err
	}
	return fmt.Errorf("%w; programs of a tree run only in a sandbox, which needs root or user namespaces (user.max_user_namespaces in sysctl); `./build check --no-run` checks the tree without running them", err)
}

// gitPlaces are the directories of git that a worktree's .git file leads to.
func gitPlaces(dir string) []string {
	text, err := treefs.ReadFile(filepath.Join(dir, ".git"), treefs.MostFile)
	own, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if err != nil || !ok {
		return nil
	}
	if !filepath.IsAbs(own) {
		own = filepath.Join(dir, own)
	}
	common, err := treefs.ReadFile(filepath.Join(own, "commondir"), treefs.MostFile)
	if err != nil {
		return []string{own}
	}
	return []string{filepath.Join(own, strings.TrimSpace(string(common)))}
}

// mostBadLines is how many lines that no shell expands are told.
const mostBadLines = 20

// expandTotal is how long all lines together may take, a fault a time.
const expandTotal = 4 * time.Second

// expandLines lets a shell expand lines of package lists. Every line that it
// cannot expand is a fault at its place.
func expandLines(ctx context.Context, arch string, lines []config.Line) ([]config.Line, hcl.Diagnostics) {
	ctx, cancel := context.WithTimeoutCause(ctx, expandTotal, fmt.Errorf("not done after %s", expandTotal))
	defer cancel()
	var diags hcl.Diagnostics
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Text
	}
	for {
		expanded, err := words.Expand(ctx, arch, texts)
		var bad *words.Error
		if errors.As(err, &bad) && texts[bad.Line] != "" {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Line that a shell cannot expand", Subject: &lines[bad.Line].Range,
				Detail: fmt.Sprintf("In the Garden Linux builder a shell, in which only $arch is set, expands this line. The shell reports: %s.", bad.Message),
			})
			if len(diags) >= mostBadLines {
				return nil, diags // each costs a shell
			}
			texts[bad.Line] = "" // and on with the others
			continue
		}
		if err != nil {
			return nil, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Package lists not expanded", Detail: withoutSandbox(err).Error()})
		}
		var out []config.Line
		for i, ws := range expanded {
			for _, w := range ws {
				out = append(out, config.Line{Text: w, Range: lines[i].Range})
			}
		}
		return out, diags
	}
}

// treeRuns is what of a tree check runs, or leaves out.
type treeRuns struct {
	scripts []string
	lines   []string // places of lines that take a shell
}

// scriptsOf notes the programs in a tree's root.
func (r *treeRuns) scriptsOf(dir string) {
	for _, name := range treeScripts {
		if exists(filepath.Join(dir, name)) {
			r.scripts = append(r.scripts, name)
		}
	}
}

// plain expands the lines that need no shell and notes the others.
func (r *treeRuns) plain(arch string, lines []config.Line) (out []config.Line) {
	for _, l := range lines {
		plain, ok := words.Plain(arch, l.Text)
		if !ok {
			r.lines = append(r.lines, fmt.Sprintf("%s:%d", l.Range.Filename, l.Range.Start.Line))
		}
		for _, w := range plain {
			out = append(out, config.Line{Text: w, Range: l.Range})
		}
	}
	return out
}

// String lists programs, and lines as far as somebody may read them.
func (r *treeRuns) String() string {
	parts := slices.Clone(r.scripts)
	const most = 5
	if n := len(r.lines); n > most {
		parts = append(parts, fmt.Sprintf("%d lines of package lists (%s, ...)", n, strings.Join(r.lines[:most], ", ")))
	} else if n > 0 {
		parts = append(parts, fmt.Sprintf("lines of package lists (%s)", strings.Join(r.lines, ", ")))
	}
	return strings.Join(parts, ", ")
}
