package stages

import (
	"maps"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/planner"
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

// method is how a cname is made.
type method struct {
	system *system.System
	tree   Tree
}

// aptSources plans where the system itself gets its packages from, as the
// bootstrap of the Garden Linux builder does.
func (m *method) aptSources(p *planner.Planner, tip string) (string, error) {
	step := plan.Step{
		ID: "rootfs/apt-sources", Stage: "rootfs", Title: "name the package archive",
		Base: tip, Output: plan.Layer, MemoryMiB: 64,
	}
	if m.tree.Keyring != "" {
		keyring, err := p.Sources.ImportFile("keyring", m.tree.Keyring)
		if err != nil {
			return "", err
		}
		step.Sources = []plan.Source{keyring}
	}
	return p.Add(aptSourcesAction.Step(aptSourcesParams{Mirror: m.tree.Mirror, Suite: m.tree.Suite}, step))
}

// script completes the step of a feature's script.
func (m *method) script(p *planner.Planner, f *config.Feature, script string, step plan.Step) (plan.Step, error) {
	found, err := scan(p.FeatureDir(f), source.Beside(script))
	if err != nil {
		return step, err
	}
	step.Env = m.env(p, f, script, found)
	if step.Sources, err = sources(p, f, script, found); err != nil {
		return step, err
	}
	step.Title += shown(found, script == earlyScript)
	m.network(p, &step)
	action := lastingAction
	if script == "exec.post" {
		action = postAction
		step.Env["TEMPFS_SIZE"] = m.tree.TempSize
		if step.Tools, err = p.ToolsLayer(distro.ForScripts); err != nil {
			return step, err
		}
	}
	return action.Step(scriptParams{Feature: f.Name, Script: script}, step), nil
}

const earlyScript = "exec.early"

// env is the environment of a script, as the Garden Linux builder has it.
// exec.early runs before the packages are installed, which takes longest. So
// it is told only what its directory mentions: otherwise every commit to the tree
// would install them again.
func (m *method) env(p *planner.Planner, f *config.Feature, script string, found *scanned) map[string]string {
	env := map[string]string{"DEBIAN_FRONTEND": "noninteractive"}
	maps.Copy(env, m.system.Environment(f.Name))
	if _, ours := env["BUILDER_FLAVOUR"]; ours {
		env["TREEWRIGHT_VERSION_ID"] = p.VersionID()
	}
	if script != earlyScript || found.env != "" {
		return env
	}
	maps.DeleteFunc(env, func(name, _ string) bool { return name != "DEBIAN_FRONTEND" && !found.mentions(name) })
	return env
}

// shown says in a plan why a script sees the whole tree, and is told all there is
// to tell, if it would not have been: whatever changes then repeats it.
func shown(found *scanned, early bool) string {
	var parts []string
	if found.tree != "" {
		parts = append(parts, "sees the whole tree: "+found.tree)
	}
	if found.env != "" && early {
		parts = append(parts, "has the whole environment: "+found.env)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// imageEnv is the environment of what makes artifacts.
func (m *method) imageEnv(f *config.Feature) map[string]string {
	env := map[string]string{"TEMPFS_SIZE": m.tree.TempSize}
	name := ""
	if f != nil {
		name = f.Name
	}
	maps.Copy(env, m.system.Environment(name))
	return env
}

// network lets a feature's script reach the network if that is asked for.
func (m *method) network(p *planner.Planner, step *plan.Step) {
	if !m.tree.Network {
		return
	}
	step.Network = true
	step.Hints = task.EncodeHints(task.NetworkHints{Apt: p.Apt})
	step.Env["APT_CONFIG"] = task.AptPolicy
}
