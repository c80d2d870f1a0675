package stages

import (
	"maps"
	"regexp"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/task"
)

// Tree is what a Garden Linux tree says beside its features.
type Tree struct {
	// Mirror and Suite are where the system's own apt looks for packages.
	Mirror, Suite string
	// Keyring is the absolute path of the keyring that goes into the system for
	// that; "" for the one that the system has from Debian's package.
	Keyring string
	// TempSize is TEMPFS_SIZE: how large scripts make the tmpfs they mount.
	TempSize string
	// Network lets features' scripts reach the network, as the Garden Linux builder does.
	// What they fetch is in no key.
	Network bool
}

// seedPackages are what every tree holds from the start, beside what
// bootstrapping brings (the Garden Linux builder's bootstrap).
var seedPackages = []distro.Want{{Name: "ca-certificates"}}

// scriptToolPackages are the programs that the Garden Linux builder's container has for
// scripts that make images (its pkg.list and Dockerfile).
var scriptToolPackages = []string{
	"binutils", "bsdextrautils", "ca-certificates", "cpio", "cryptsetup", "curl", "datefudge", "file", "git", "gnupg", "jq",
	"mount", "openssl", "ostree-boot", "python3", "python3-mako", "python3-networkx", "python3-pefile", "python3-yaml",
	"qemu-utils", "sbsigntool", "systemd", "systemd-ukify", "util-linux", "xorriso", "xxd", "xz-utils", "zstd",
}

// recipe is how a cname is made.
type recipe struct {
	system *system.System
	tree   Tree
}

// Recipe is how the system is made. Nothing follows it on machines: what features
// do to files and accounts is theirs to know. Scripts copy kernels to where links
// in /boot come from, so there are none.
func Recipe(s *system.System, t Tree) stage.Recipe {
	r := &recipe{s, t}
	return stage.Recipe{
		Above: artifacts{r}.plan, Seed: seedPackages, Prepared: r.aptSources, Tools: scriptTools(),
		Script: r.script, SeparateBoot: true,
	}
}

// scriptTools are the packages of [scriptToolPackages].
func scriptTools() []distro.Want {
	var wants []distro.Want
	for _, name := range scriptToolPackages {
		wants = append(wants, distro.Want{Name: name})
	}
	return wants
}

// Actions are what the steps of a recipe can name, beside those of every system.
var Actions = task.Actions{
	aptSourcesAction, lastingAction, postAction, artifactAction, partitionedImageAction,
	tarAction, releaseAction, manifestAction, sbomAction, requirementsAction,
}

// aptSources plans where the system itself gets its packages from, as the
// bootstrap of the Garden Linux builder does.
func (r *recipe) aptSources(p *stage.Planner, tip string) (string, error) {
	step := plan.Step{
		ID: "rootfs/apt-sources", Stage: "rootfs", Title: "name the package archive",
		Base: tip, Output: plan.Layer, MemoryMiB: 64,
	}
	if r.tree.Keyring != "" {
		keyring, err := p.Sources.ImportFile("keyring", r.tree.Keyring)
		if err != nil {
			return "", err
		}
		step.Sources = []plan.Source{keyring}
	}
	return p.Add(aptSourcesAction.Step(aptSourcesParams{Mirror: r.tree.Mirror, Suite: r.tree.Suite}, step))
}

// script completes the step of a feature's script.
func (r *recipe) script(p *stage.Planner, f *config.Feature, script string, step plan.Step) (plan.Step, error) {
	var err error
	if step.Env, err = r.env(p, f, script); err != nil {
		return step, err
	}
	if step.Sources, err = seen(p, f, script); err != nil {
		return step, err
	}
	r.network(p, &step)
	action := lastingAction
	if script == "exec.post" {
		action = postAction
		step.Env["TEMPFS_SIZE"] = r.tree.TempSize
		if step.Tools, err = p.ToolsLayer(distro.ForScripts); err != nil {
			return step, err
		}
	}
	return action.Step(scriptParams{Feature: f.Name, Script: script}, step), nil
}

// env is the environment of a script, as the Garden Linux builder has it.
// exec.early runs before the packages are installed, which takes longest. So
// it is told only what its folder speaks of: otherwise every commit to the tree
// would install them again.
func (r *recipe) env(p *stage.Planner, f *config.Feature, script string) (map[string]string, error) {
	env := map[string]string{"DEBIAN_FRONTEND": "noninteractive"}
	maps.Copy(env, r.system.Environment(f.Name))
	if _, ours := env["BUILDER_FLAVOUR"]; ours {
		env["TREEWRIGHT_VERSION_ID"] = p.VersionID()
	}
	if script != "exec.early" {
		return env, nil
	}
	all, err := mentions(p.FeatureDir(f), source.Beside(script), regexp.MustCompile(`BUILDER_(\W|$)|\benv\b|printenv|declare|export -p|compgen`))
	if err != nil || all {
		return env, err
	}
	for name := range env {
		spoken, err := mentions(p.FeatureDir(f), source.Beside(script), regexp.MustCompile(regexp.QuoteMeta(name)+`\b`))
		if err != nil {
			return nil, err
		}
		if !spoken && name != "DEBIAN_FRONTEND" {
			delete(env, name)
		}
	}
	return env, nil
}

// imageEnv is the environment of what makes artifacts.
func (r *recipe) imageEnv(f *config.Feature) map[string]string {
	env := map[string]string{"TEMPFS_SIZE": r.tree.TempSize}
	name := ""
	if f != nil {
		name = f.Name
	}
	maps.Copy(env, r.system.Environment(name))
	return env
}

// network lets a feature's script reach the network if that is asked for.
func (r *recipe) network(p *stage.Planner, step *plan.Step) {
	if !r.tree.Network {
		return
	}
	step.Network = true
	step.Hints = task.EncodeHints(task.NetworkHints{Apt: p.Apt})
	step.Env["APT_CONFIG"] = task.AptPolicy
}
