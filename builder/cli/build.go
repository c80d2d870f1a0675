package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/rules"
)

var buildVerb = &verb{
	name: "build", args: "FLAVOUR" + added(rules.Building).Or + "...", summary: "build flavours (the verb may be left out)",
	example: "./build debian-trixie-amd64-ostree\n./build --jobs 2 build debian-testing-amd64-ostree --progress plain",
	details: `Builds each flavour: its root file system and, if its features ask for them, its
commit, image and extensions. Steps whose results are in the cache are not run
again. Artifacts are in .build/FLAVOUR/. The logs, and manifest.json with what was
built from what, are in .build/.private/FLAVOUR/.`,
	uses:     []rules.Use{rules.Building},
	complete: "flavours...", run: runBuild, flags: buildFlags,
}

func buildFlags(f *pflag.FlagSet, o *options) {
	runFlags(f, o)
	addFlags(f, o, rules.Building)
}

func runBuild(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return lists(usagef("name a flavour to build"))
	}
	project, err := c.load()
	if err != nil {
		return c.meantVerb(err)
	}
	subjects := make([]*build.Subject, len(c.args))
	for i, name := range c.args {
		if subjects[i], err = c.resolve(ctx, project, name); err != nil && i == 0 {
			return c.meantVerb(err)
		} else if err != nil {
			return err
		}
	}
	if answered, err := c.options.other.Answer(c.Out, subjects); answered || err != nil {
		return err
	}
	if err := c.builder.CheckSecrets(ctx, subjects...); err != nil {
		return err
	}
	for _, s := range subjects {
		if err := c.buildOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// sink opens the progress display.
func (c *command) sink() (event.Sink, error) {
	s, err := event.Choose(c.options.progress, c.Out.File, event.Options{Verbose: c.options.verbose})
	if err != nil {
		return nil, usagef("%v", err)
	}
	return s, nil
}

// buildOne builds one flavour and says what was made.
func (c *command) buildOne(ctx context.Context, s *build.Subject) error {
	start := time.Now()
	c.options.current = s.Name
	sink, err := c.sink()
	if err != nil {
		return err
	}
	request := build.Request{Name: s.Name, Subject: s, Sink: sink}
	if c.options.progress != "json" {
		request.Sink = withoutMade{sink}
	}
	made, err := c.builder.Build(ctx, request)
	if err := errors.Join(err, sink.Close()); err != nil {
		return err
	}
	if c.options.progress != "json" {
		c.lastScreen(made, time.Since(start))
	}
	return nil
}

// withoutMade is a sink that does not get artifacts: for people the last screen
// lists them.
type withoutMade struct{ event.Sink }

func (s withoutMade) Emit(e event.Event) {
	if e.Kind != event.Made {
		s.Sink.Emit(e)
	}
}

// lastScreen says what was made, where, and what to do with it.
func (c *command) lastScreen(made *build.Made, took time.Duration) {
	w, m, out := c.Out, made.Manifest, made.Outcome
	fmt.Fprintf(w, "\n%s: %d steps run, %d reused, in %s\n", m.Flavour, len(out.Ran), len(out.Results)-len(out.Ran), event.FormatDuration(took))
	rel := func(path string) string {
		if r, err := filepath.Rel(c.options.dir, path); err == nil && filepath.IsLocal(r) {
			return r
		}
		return path
	}
	widest := 0
	artifact := func(name string) string { return rel(c.builder.Artifact(made.Subject, name)) }
	for _, a := range m.Artifacts {
		widest = max(widest, len(artifact(a.Name)))
	}
	for _, a := range m.Artifacts {
		fmt.Fprintf(w, "  %-*s  %8s  %s\n", widest, artifact(a.Name), event.FormatBytes(a.Size), a.Description)
	}
	if m.Commit != "" {
		parent := "the first one"
		if m.Parent != "" {
			parent = "after " + m.Parent[:12]
		}
		fmt.Fprintf(w, "  commit %s  %s  version %s, %s\n", m.Commit[:12], m.Ref, m.Version, parent)
	}
	fmt.Fprintf(w, "  details, with hashes and logs: %s\n", rel(made.Output.Manifest()))
	fmt.Fprint(w, warnedOf(m))
	if next := nextSteps(made, c.told("./build ")+c.elsewhere(), artifact); next != "" {
		fmt.Fprintf(w, "\nNext:\n%s", next)
	}
}

// warnedOf lists what all steps of a build warned of, those that were reused as
// well: it may have scrolled out of sight, or been said in another build.
func warnedOf(m *publish.Manifest) string {
	var lines []string
	for _, s := range m.Steps {
		for _, text := range s.Warnings {
			lines = append(lines, "  "+event.CleanLine(s.ID+": "+text)+"\n")
		}
	}
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return "\n1 warning:\n" + lines[0]
	}
	return fmt.Sprintf("\n%d warnings:\n%s", len(lines), strings.Join(lines, ""))
}

// nextSteps suggests what the artifacts are good for.
func nextSteps(made *build.Made, build string, rel func(string) string) string {
	var b strings.Builder
	m := made.Manifest
	image, _ := made.Subject.Image(m)
	step := func(what, command string) { fmt.Fprintf(&b, "  %-22s %s\n", what, command) }
	for _, a := range m.Artifacts {
		switch {
		case a.Kind == plan.RepositoryArtifact:
			step("serve it to machines:", build+"serve "+m.Flavour)
		case a.Name == image.Name:
			step("boot it in QEMU:", build+"run "+m.Flavour)
			if m.Commit != "" {
				step("try an upgrade there:", build+"test "+m.Flavour+" --upgrade")
			}
			if image.Format == "raw" {
				step("write it to a disk:", "dd if="+rel(a.Name)+" of=/dev/DISK bs=4M conv=sparse,fsync")
			}
		}
	}
	return b.String()
}
