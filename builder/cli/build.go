package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/stage"
)

var buildVerb = &verb{
	name: "build", args: "FLAVOUR|CNAME...", summary: "build flavours (the verb may be left out)",
	details: `Builds each flavour: its root file system, its commit, its image and its
extensions, as far as its features ask for them. What is in the cache is not
made again. Artifacts are in .build/FLAVOUR/, and manifest.json, which says what
was made of what, with the logs in .build/.private/FLAVOUR/.

A name that is no flavour's is a cname, as the Garden Linux builder has it:
features of the tree, joined by "-", perhaps with -ARCH-VERSION behind them. Its
artifacts are .build/CNAME-ARCH-VERSION-COMMIT.EXT, listed in .build/CNAME.`,
	complete: "flavours", run: runBuild,
	flags: func(f *pflag.FlagSet, o *options) {
		runFlags(f, o)
		f.StringVar(&o.target, "target", "", "the same as --output, as the Garden Linux builder calls it")
		f.BoolVar(&o.resolveCName, "resolve-cname", false, "print what the names of a cname's artifacts begin with, and build nothing")
	},
}

func runBuild(ctx context.Context, c *command) error {
	if len(c.args) == 0 {
		return usagef("name a flavour to build; `./build list` shows those there are")
	}
	project, err := c.load()
	if err != nil {
		return err
	}
	subjects := make([]*subject, len(c.args))
	for i, name := range c.args {
		if subjects[i], err = c.subject(ctx, project, name); err != nil {
			return err
		}
	}
	if c.options.resolveCName {
		if len(subjects) != 1 || subjects[0].spec.Target == nil {
			return usagef("--resolve-cname wants one cname")
		}
		_, err := fmt.Fprintln(c.Out, subjects[0].spec.Target.Base())
		return err
	}
	for _, s := range subjects {
		if err := c.buildOne(ctx, project, s); err != nil {
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
func (c *command) buildOne(ctx context.Context, project *config.Project, s *subject) (err error) {
	start, name := time.Now(), s.spec.Flavour.Name
	sink, err := c.sink()
	if err != nil {
		return err
	}
	p, made, out, err := c.buildSteps(ctx, project, s, sink)
	if err != nil {
		sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFailed, Flavour: name, Duration: time.Since(start), Error: firstLine(err)})
		return errors.Join(err, sink.Close())
	}
	if c.options.progress == "json" {
		// For people the last screen lists them.
		for _, a := range made.Artifacts {
			sink.Emit(event.Event{Time: time.Now(), Kind: event.Made, Line: filepath.Join(p.output.Public, a.Name), Total: a.Size, Key: a.SHA256, Title: a.Description})
		}
	}
	// The next flavour may need the room.
	p.store.Close()
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: name, Duration: time.Since(start)})
	if err := sink.Close(); err != nil {
		return err
	}
	if c.options.progress != "json" {
		c.lastScreen(p, made, out, time.Since(start))
	}
	return nil
}

// firstLine is the gist of an error; the rest is shown at the end.
func firstLine(err error) string {
	var conf *diag.Faults
	if errors.As(err, &conf) {
		if len(conf.List) == 1 {
			return "1 fault in the configuration"
		}
		return fmt.Sprintf("%d faults in the configuration", len(conf.List))
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// buildSteps does the work of buildOne while nobody else builds that flavour.
func (c *command) buildSteps(ctx context.Context, project *config.Project, s *subject, sink event.Sink) (*prepared, *engine.Manifest, *engine.Outcome, error) {
	unlock, err := c.claim(ctx, c.outputOf(s.spec), s.spec.Flavour.Name, func(kind event.Kind, line string) {
		sink.Emit(event.Event{Time: time.Now(), Kind: kind, Line: line})
	})
	if err != nil {
		return nil, nil, nil, err
	}
	defer unlock()
	p, err := c.prepare(ctx, project, s, sink)
	if err != nil {
		return nil, nil, nil, err
	}
	// Now, as what follows may fail, and what was seen was seen.
	names, _ := stage.CommitNames(p.spec)
	if err := ostree.RememberHeads(names, p.output.Private, p.history); err != nil {
		return nil, nil, nil, err
	}
	m, out, err := c.runAndPublish(ctx, p, s.name, sink)
	if err != nil {
		return nil, nil, nil, err
	}
	// All is published. What is noted for later builds makes this one fail no more.
	note := func(err error, lack string) {
		if err != nil {
			sink.Emit(event.Event{Time: time.Now(), Kind: event.Warning, Line: fmt.Sprintf("%v; the build is published, but %s", err, lack)})
		}
	}
	note(ostree.RememberHeads(names, p.output.Private, ostree.History{Head: m.Commit, Others: p.history.Others}),
		"the next one will not notice if its history is set back")
	if known := p.history.Checked; known != nil && len(known.Bad) > 0 {
		sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: "the damaged objects were replaced, and the repository is whole again"})
	}
	note(c.remember(p), "`./build plan` cannot say what has changed since")
	c.keepBudget(p, sayTo(sink))
	return p, m, out, nil
}

// runAndPublish makes a flavour's artifacts and publishes them. A result that
// turns out to be damaged when it is published is made again, once.
func (c *command) runAndPublish(ctx context.Context, p *prepared, name string, sink event.Sink) (*engine.Manifest, *engine.Outcome, error) {
	for again := false; ; again = true {
		out, err := c.run(ctx, p, sink, p.graph.Targets())
		if err != nil {
			return nil, nil, err
		}
		if err := p.fromTheFuture(out); err != nil {
			return nil, nil, err
		}
		m := engine.NewManifest(p.spec, p.packages, p.release)
		done := &engine.Finished{
			Store: p.store, Graph: p.graph, Outcome: out, Manifest: m, Checked: p.history.Checked, Target: targetNames(p, name),
			Say: func(line string) {
				sink.Emit(event.Event{Time: time.Now(), Kind: event.Warning, Line: line})
			},
		}
		err = done.Publish(ctx, p.output)
		var damage *layer.Damage
		if !errors.As(err, &damage) || again {
			return m, out, err
		}
	}
}

// run runs the steps that targets need.
func (c *command) run(ctx context.Context, p *prepared, sink event.Sink, targets []string) (*engine.Outcome, error) {
	if swept, err := p.store.Sweep(); err != nil {
		return nil, err
	} else if swept > 0 {
		sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: fmt.Sprintf("removed what %d interrupted steps left", swept)})
	}
	e := &engine.Engine{
		Store: p.store, Sink: sink, Workers: c.options.jobs, MemoryMiB: c.options.memory,
		Executor: &engine.Local{Store: p.store, Sink: sink, FailedLogs: p.output.Logs()},
	}
	missing, cached, err := e.Missing(p.graph, targets)
	if err != nil {
		return nil, err
	}
	if err := c.checkRoom(p, missing, sayTo(sink)); err != nil {
		return nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildStarted, Flavour: p.spec.Flavour.Name, Total: int64(len(missing)), Cached: int64(len(cached))})
	return e.Run(ctx, p.graph, targets)
}

// recordPath is where the plan of a flavour's last finished build is kept.
func (c *command) recordPath(name string) string {
	return filepath.Join(c.options.cache, "plans", name+".json")
}

// remember records the plan, so that `plan` can say what changed since.
func (c *command) remember(p *prepared) error {
	record, err := p.graph.Record()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	path := c.recordPath(p.spec.Flavour.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return layer.WriteFile(path, raw, 0o644)
}

// recall returns the plan of the last finished build, nil if there was none, or
// none that can be read: it only gives reasons.
func (c *command) recall(name string) (plan.Record, error) {
	raw, err := os.ReadFile(c.recordPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var record plan.Record
	if json.Unmarshal(raw, &record) != nil {
		return nil, nil
	}
	return record, nil
}

// lastScreen says what was made, where, and what to do with it.
func (c *command) lastScreen(p *prepared, m *engine.Manifest, out *engine.Outcome, took time.Duration) {
	w := c.Out
	fmt.Fprintf(w, "\n%s: %d steps run, %d reused, in %s\n", m.Flavour, len(out.Ran), len(out.Results)-len(out.Ran), event.FormatDuration(took))
	rel := func(path string) string {
		if r, err := filepath.Rel(c.options.dir, path); err == nil && filepath.IsLocal(r) {
			return r
		}
		return path
	}
	widest := 0
	artifact := func(name string) string {
		if t := p.spec.Target; t != nil {
			return rel(filepath.Join(c.options.output, t.Base()+"."+name))
		}
		return rel(filepath.Join(p.output.Public, name))
	}
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
	fmt.Fprintf(w, "  all of it, with hashes and logs: %s\n", rel(p.output.Manifest()))
	fmt.Fprint(w, warnedOf(m))
	if next := nextSteps(m, "./build "+c.elsewhere(), imageName(p.spec), artifact); next != "" {
		fmt.Fprintf(w, "\nNext:\n%s", next)
	}
}

// warnedOf lists what all steps of a build warned of, those that were reused as
// well: it may have scrolled out of sight, or been said in another build.
func warnedOf(m *engine.Manifest) string {
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

// elsewhere is the option, with a blank behind it, that leads from the folder
// of `build` to another tree; "" if it is that folder's own.
func (c *command) elsewhere() string {
	program, err := os.Executable()
	if err != nil || filepath.Join(filepath.Dir(program), "../..") == c.options.dir {
		return ""
	}
	return "-C " + sandbox.Quote(c.options.dir) + " "
}

// nextSteps suggests what the artifacts are good for.
func nextSteps(m *engine.Manifest, build, image string, rel func(string) string) string {
	var b strings.Builder
	step := func(what, command string) { fmt.Fprintf(&b, "  %-22s %s\n", what, command) }
	for _, a := range m.Artifacts {
		switch {
		case a.Kind == plan.RepositoryArtifact:
			step("serve it to machines:", build+"serve "+m.Flavour)
		case a.Name == image:
			step("boot it in QEMU:", build+"run "+m.Flavour)
			if m.Commit != "" {
				step("try an upgrade there:", build+"test "+m.Flavour+" --upgrade")
			}
			step("write it to a disk:", "dd if="+rel(a.Name)+" of=/dev/DISK bs=4M conv=sparse,fsync")
		}
	}
	return b.String()
}
