package planner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
)

// FetchAction downloads packages into a flat repository.
var FetchAction = task.Define("fetch", 1, fetchPackages)

func fetchPackages(ctx context.Context, t *task.Task, _ struct{}) error {
	hints, err := task.Hints[distro.FetchHints](t)
	if err != nil {
		return err
	}
	index, err := os.ReadFile(filepath.Join(t.Sources["index"], "Packages"))
	if err != nil {
		return err
	}
	hints.Local = t.Sources[localSources]
	say := func(line string) { fmt.Fprintln(t.Log, line) }
	epoch, err := t.Distro.Fetch(ctx, index, t.Out, hints, t.Progress, say)
	t.Epoch = max(t.Epoch, epoch)
	return err
}

// BootstrapAction makes the smallest tree that packages can be installed in.
var BootstrapAction = task.Define("bootstrap", 1, bootstrapTree)

func bootstrapTree(ctx context.Context, t *task.Task, p bootstrapParams) error {
	return t.Distro.Bootstrap(ctx, packageWork(t), append([]string{t.Step.Arch}, p.MoreArchs...), p.Packages)
}

// packageWork is a task's tree as a family of distributions works on it.
func packageWork(t *task.Task) distro.Work {
	return distro.Work{Root: t.Tree, Repo: t.Inputs["repo"], Env: t.Env(), Log: t.Log, Warn: t.Warn}
}

// InstallAction installs packages in a tree.
var InstallAction = task.Define("install", 1, installPackages)

func installPackages(ctx context.Context, t *task.Task, p installParams) error {
	if err := t.PrepareTree(); err != nil {
		return err
	}
	if p.SeparateBoot {
		// No link leads from one mount to another, even on one file system.
		if err := sandbox.Bind(t.Tree+"/boot", t.Tree+"/boot", false); err != nil {
			return err
		}
	}
	w := packageWork(t)
	w.Earlier = p.Earlier
	return t.Distro.Install(ctx, w, p.Wants, p.Expected)
}

// UnpackAction lays packages' files over a tree, and runs nothing of them.
var UnpackAction = task.Define("unpack", 1, unpackPackages)

func unpackPackages(ctx context.Context, t *task.Task, _ struct{}) error {
	if err := t.PrepareTree(); err != nil {
		return err
	}
	return t.Distro.Unpack(ctx, packageWork(t))
}

// fetch plans the download of packages for a tree of an architecture into a flat
// repository.
func (p *Planner) fetch(id, title, arch string, c *distro.Closure, artifacts ...plan.Artifact) (string, error) {
	src, err := p.Sources.ImportBytes("index", "Packages", c.Index())
	if err != nil {
		return "", err
	}
	hints := p.Fetch
	hints.From = c.From()
	hints.Pins, hints.Dates = ofClosure(hints.Pins, c), ofClosure(hints.Dates, c)
	local, err := p.localSource(c)
	if err != nil {
		return "", err
	}
	return p.Add(FetchAction.Step(struct{}{}, plan.Step{
		ID: id, Stage: "packages", Title: title, Arch: arch, Sources: append([]plan.Source{src}, local...),
		Output: plan.Dir, Network: true, Hints: task.EncodeHints(hints), MemoryMiB: 128,
		Artifacts: artifacts,
	}))
}

// FetchPool plans the download of packages that are published as they are.
func (p *Planner) FetchPool(c *distro.Closure, artifact plan.Artifact) error {
	_, err := p.fetch("packages/pool", fmt.Sprintf("fetch %s that machines may add later", diag.Counted(len(c.Packages), "package")), p.Arch(), c, artifact)
	return err
}

// ofClosure returns what a map has of a closure's packages, by their SHA-256; nil of nil.
func ofClosure[T any](all map[string]T, c *distro.Closure) map[string]T {
	if all == nil {
		return nil
	}
	out := map[string]T{}
	for _, p := range c.Packages {
		if v, ok := all[p.SHA256]; ok {
			out[p.SHA256] = v
		}
	}
	return out
}

type bootstrapParams struct {
	// Version is the family's, see [distro.StepInputs].
	Version      int      `json:"version"`
	Bootstrapper string   `json:"bootstrapper"`
	Packages     []string `json:"packages"`
	// MoreArchs are those whose packages can be installed later as well.
	MoreArchs []string `json:"more_archs,omitempty"`
}

// Bootstrap plans the smallest tree of the system that packages can be installed
// in.
func (p *Planner) Bootstrap() (string, error) {
	own := &Origin{Suite: p.Spec.Flavour.Distribution.Suite, Arch: p.Arch(), Base: p.Packages.Base, MoreArchs: p.Spec.Flavour.Distribution.Architectures}
	return p.bootstrap("rootfs", "bootstrap", "base", own)
}

// bootstrap plans such a tree of any origin. What the step and its packages are
// called becomes part of the IDs.
func (p *Planner) bootstrap(stage, name, packages string, from *Origin) (string, error) {
	c := from.Base
	repo, err := p.fetch("packages/"+packages, fmt.Sprintf("fetch %s to bootstrap from", diag.Counted(len(c.Packages), "package")), from.Arch, c)
	if err != nil {
		return "", err
	}
	return p.Add(BootstrapAction.Step(bootstrapParams{Version: p.Distro.BootstrapVersion(), Bootstrapper: p.Bootstrapper, Packages: c.Names(), MoreArchs: from.MoreArchs}, plan.Step{
		ID: stage + "/" + name, Stage: stage, Title: fmt.Sprintf("bootstrap %s from %s", from.Suite, diag.Counted(len(c.Packages), "package")), Arch: from.Arch,
		Inputs: map[string]string{"repo": repo}, Output: plan.Layer, Program: p.Bootstrapper,
	}))
}

type installParams struct {
	// Version is the family's, see [distro.StepInputs].
	Version int           `json:"version"`
	Wants   []distro.Want `json:"wants"`
	// Expected is what the tree must hold afterwards.
	Expected []distro.Package `json:"expected"`
	// Earlier are those of them that an installation before this one has left there.
	Earlier []distro.Package `json:"earlier,omitempty"`
	// SeparateBoot lets packages find /boot on a file system of its own.
	SeparateBoot bool `json:"separate_boot,omitempty"`
}

// Install plans the installation of the packages in c that the tree of the
// step base, which holds those of have, lacks. name becomes part of the IDs.
func (p *Planner) Install(stage, name, base string, have, c *distro.Closure, wants []distro.Want) (string, error) {
	return p.InstallAfter(stage, name, base, have, c, wants, nil)
}

// InstallAfter is Install in a tree in which an earlier installation has left packages.
func (p *Planner) InstallAfter(stage, name, base string, have, c *distro.Closure, wants []distro.Want, earlier []distro.Package) (string, error) {
	delta := c.Minus(have)
	if len(delta.Packages) == 0 {
		return base, nil
	}
	arch := p.Graph.Step(base).Arch
	repo, err := p.fetch("packages/"+name, fmt.Sprintf("fetch %s for %s", diag.Counted(len(delta.Packages), "package"), name), arch, delta)
	if err != nil {
		return "", err
	}
	params := installParams{Version: p.Distro.InstallVersion(), Wants: wants, Expected: c.Bare(), Earlier: earlier, SeparateBoot: p.Method.SeparateBoot && stage == "rootfs"}
	s := InstallAction.Step(params, plan.Step{
		ID: stage + "/install-" + name, Stage: stage, Title: fmt.Sprintf("install %s for %s", diag.Counted(len(delta.Packages), "package"), name), Arch: arch,
		Env:  map[string]string{"INITRD": "No"},
		Base: base, Inputs: map[string]string{"repo": repo}, Output: plan.Layer, MemoryMiB: 768,
	})
	// The packages of an extension come above a tree that each change of a feature changes. Those
	// of the system come before the features' files, so that being recorded would only cost time.
	s.Recorded = stage == "extension"
	return p.Add(s)
}
