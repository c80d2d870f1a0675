package commit

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// The parameters of the feature with the commit stage that keep files uncompressed, so that
// static deltas find what two versions of them have in common. A feature that does not
// declare them compresses.
const (
	rawModulesParameter   = "raw_modules"
	rawInitramfsParameter = "raw_initramfs"
)

// asks reports whether a flavour sets one of these parameters.
func asks(spec *compose.Spec, parameter string) bool {
	v, declared := spec.StageParameter("commit", parameter)
	return declared && v.Bool()
}

// moduleTools are the packages with the programs of decompressors, by family. gzip is
// in every bootstrap.
var moduleTools = map[string][]string{"debian": {"xz-utils", "zstd"}}

// Needs returns the tools that a flavour's commit needs beyond those of each.
func Needs(spec *compose.Spec) []planner.Need {
	if !asks(spec, rawModulesParameter) {
		return nil
	}
	return []planner.Need{planner.NeedOf(spec, distro.ForModules, moduleTools)}
}

// planModules adds the step that decompresses kernel modules, if the flavour asks for it. It
// comes before the initramfs, which has copies of them.
func planModules(p *planner.Planner, tree string) (string, error) {
	if !asks(p.Spec, rawModulesParameter) {
		return tree, nil
	}
	tools, err := p.ToolsLayer(distro.ForModules)
	if err != nil {
		return "", err
	}
	return p.Add(ModulesAction.Step(struct{}{}, plan.Step{
		ID: "commit/modules", Stage: "commit", Title: "decompress the kernel modules",
		Base: tree, Tools: tools, Output: plan.Layer, MemoryMiB: 256,
	}))
}

// ModulesAction decompresses the kernel modules of a tree.
var ModulesAction = task.Define("modules", 1, decompressModules)

// decompressors are the programs that replace files by what is in them, by the ending of
// compressed modules.
var decompressors = map[string][]string{
	".ko.gz":  {"gzip", "--decompress", "--quiet"},
	".ko.xz":  {"xz", "--decompress", "--quiet"},
	".ko.zst": {"zstd", "--decompress", "--rm", "--quiet"},
}

// atOnce is how many files a program gets: their names must fit into a command line.
const atOnce = 500

// decompressModules decompresses the kernel modules of the tree and indexes them again.
// A module's signature is a part of what was compressed, so it stays valid.
func decompressModules(ctx context.Context, t *task.Task, _ struct{}) error {
	found, kernels, err := compressedModules(t.Tree)
	if err != nil {
		return fmt.Errorf("look for kernel modules: %w", err)
	}
	if len(found) == 0 {
		t.Warn("%s changes nothing: no kernel module in /usr/lib/modules is compressed", rawModulesParameter)
		return nil
	}
	for _, ending := range []string{".ko.gz", ".ko.xz", ".ko.zst"} {
		for files := range slices.Chunk(found[ending], atOnce) {
			argv := slices.Clone(decompressors[ending])
			for _, f := range files {
				argv = append(argv, task.ToolTree+"/"+f)
			}
			if err := t.Tool(ctx, argv...); err != nil {
				return fmt.Errorf("decompress kernel modules: %w", err)
			}
		}
	}
	for _, version := range kernels {
		if err := t.InTree(ctx, "depmod", version); err != nil {
			return fmt.Errorf("index the modules of %s: %w", version, err)
		}
	}
	return t.Release()
}

// compressedModules returns the compressed modules of a tree, by their ending, and the
// versions of the kernels that they belong to.
func compressedModules(tree string) (found map[string][]string, kernels []string, err error) {
	found = map[string][]string{}
	dirs, err := layer.Glob(tree, "usr/lib/modules/*")
	if err != nil {
		return nil, nil, err
	}
	for _, dir := range dirs {
		any := false
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			for ending := range decompressors {
				if strings.HasSuffix(name, ending) {
					inside, err := filepath.Rel(tree, name)
					if err != nil {
						return err
					}
					found[ending] = append(found[ending], inside)
					any = true
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		if any {
			kernels = append(kernels, filepath.Base(dir))
		}
	}
	return found, kernels, nil
}
