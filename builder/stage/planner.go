package stage

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/extension"
	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/task"
)

// Actions are what the steps of flavours can name.
var Actions = task.Actions{
	fetchAction, bootstrapAction, installAction,
	filesAction, statAction, excludeAction, scriptAction, postAction, buildAction, accounts.Action, installed.Action,
	commit.InitramfsAction, shape.Action, commit.Action, commit.ArchiveAction,
	image.ESPAction, image.DiskAction,
	extension.TreeAction, extension.ImageAction, extension.TogetherAction,
}

// Packages are the exact packages of a flavour.
type Packages struct {
	// Base is what is bootstrapped; all others contain it.
	Base, System *distro.Closure
	// Tools are the packages of the tools for each purpose that [Purposes] names.
	Tools map[distro.Purpose]Tools
	// Seed is what a system's tree holds before its features' packages; nil for Base.
	Seed *distro.Closure
	// Build is, by feature, what exec.build runs on; Extensions is, by
	// extension name, the system with the extension's packages.
	Build, Extensions map[string]*distro.Closure
}

// Request is what there is to plan.
type Request struct {
	Spec     *compose.Spec
	Packages Packages
	History  ostree.History
	// Made returns which commit the result of a commit step is, by the step's key;
	// "" if there is no result. Nil: there is none at all.
	Made func(key string) string
	// Accounts are the numbers that the configuration tree wants for accounts.
	Accounts account.Ledger
	Sources  source.Snapshots
	// Distro is the flavour's family of distributions.
	Distro distro.Distro
	Fetch  distro.FetchHints
	// Project is the absolute path of the configuration tree.
	Project string
	Recipe  Recipe
	// Apt is this machine's apt policy, for scripts with a network.
	Apt string
	// Bootstrapper is the version of the host's program that bootstraps, the one
	// of the host that has a hand in results.
	Bootstrapper string
}

// Planner is a graph in the making.
type Planner struct {
	Request
	Graph plan.Graph

	// ledger holds the numbers that accounts have to keep.
	ledger account.Ledger
	// follows says that there are commits before.
	follows bool
	// own says that the newest commit was made by the recipe of this plan with the
	// numbers of the commit before.
	own bool
}

// Plan returns the steps of a flavour.
//
// Its accounts keep the numbers that they had in the newest commit. But if a
// plan with those of the commit before gives the newest one, as its own result,
// then it is that plan: a build without a change is to find what it made.
func Plan(r Request) (*plan.Graph, error) {
	own := false
	if r.History.Head != "" && !r.History.Before.Equal(r.History.Accounts) {
		g, c, err := planWith(r, r.History.Before, false)
		if err != nil || c.found {
			return g, err
		}
		own = c.own
	}
	g, _, err := planWith(r, r.History.Accounts, own)
	return g, err
}

func planWith(r Request, ledger account.Ledger, own bool) (*plan.Graph, Commit, error) {
	p := &Planner{Request: r, ledger: ledger.Merge(r.Accounts), follows: !ledger.Empty(), own: own}
	c, err := planStages(p)
	return &p.Graph, c, err
}

// planStages plans all stages: each is given what it needs of those before it,
// as the value that they return.
func planStages(p *Planner) (Commit, error) {
	system, err := PlanRootfs(p)
	if err != nil {
		return Commit{}, err
	}
	return p.Recipe.Above(p, system)
}

// flavourStages plans the stages of flavours above the system's tree.
func flavourStages(p *Planner, system System) (Commit, error) {
	commit, err := planCommit(p, system)
	if err != nil {
		return commit, err
	}
	if err := planImage(p, commit); err != nil {
		return commit, err
	}
	return commit, planExtensions(p, commit)
}

func (p *Planner) arch() string { return p.Spec.Flavour.Distribution.Arch }

// Add puts a step into the graph and returns its ID.
func (p *Planner) Add(s plan.Step) (string, error) {
	return s.ID, p.Graph.Add(p.placed(s))
}

// placed returns a step with the architecture and the family of the flavour.
func (p *Planner) placed(s plan.Step) plan.Step {
	s.Arch, s.Family = p.arch(), p.Distro.Name()
	return s
}

// parameter returns a feature's parameter.
func (p *Planner) parameter(f *config.Feature, name string) compose.Value {
	return p.Spec.Parameters[f.Name][name]
}

// VersionID identifies the system's set of packages: what os-release calls
// VERSION_ID, by which systemd matches extensions to systems.
func (p *Planner) VersionID() string { return p.Packages.System.Digest()[:12] }

// scriptEnv is the environment of a feature's script. What names the flavour
// or depends on all of its features is kept from exec.early, and so is every
// parameter that is not declared to be early: flavours share the layers of
// exec.early and of the packages installed above it.
func (p *Planner) scriptEnv(f *config.Feature, script string) map[string]string {
	env := map[string]string{
		"DEBIAN_FRONTEND":       "noninteractive",
		"INITRD":                "No",
		"TREEWRIGHT_VERSION_ID": p.VersionID(),
	}
	maps.Copy(env, p.Spec.Environment(f.Name))
	if script == "exec.early" {
		for _, name := range []string{"TREEWRIGHT_VERSION_ID", "BUILDER_FLAVOUR", "BUILDER_CNAME", "BUILDER_FEATURES", "BUILDER_MIRROR", "BUILDER_COMPONENTS", "BUILDER_KEYRING"} {
			delete(env, name)
		}
		for _, param := range f.Parameters {
			if !param.Early {
				delete(env, "PARAM_"+strings.ToUpper(param.Name))
			}
		}
	}
	return env
}

// FeatureDir is where a feature lies.
func (p *Planner) FeatureDir(f *config.Feature) string {
	return filepath.Join(p.Project, filepath.FromSlash(f.Dir))
}

// fetch plans the download of packages into a flat repository.
func (p *Planner) fetch(id, title string, c *distro.Closure) (string, error) {
	src, err := p.Sources.ImportBytes("index", "Packages", c.Index())
	if err != nil {
		return "", err
	}
	return p.Add(fetchAction.Step(struct{}{}, plan.Step{
		ID: id, Stage: "packages", Title: title, Sources: []plan.Source{src},
		Output: plan.Dir, Network: true, Hints: task.EncodeHints(p.Fetch), MemoryMiB: 128,
	}))
}

type bootstrapParams struct {
	// Version is the family's, see [distro.Recipe].
	Version      int      `json:"version"`
	Bootstrapper string   `json:"bootstrapper"`
	Packages     []string `json:"packages"`
}

// bootstrap plans the smallest tree that has dpkg and apt.
func (p *Planner) bootstrap() (string, error) {
	c := p.Packages.Base
	repo, err := p.fetch("packages/base", fmt.Sprintf("fetch %d packages to bootstrap from", len(c.Packages)), c)
	if err != nil {
		return "", err
	}
	return p.Add(bootstrapAction.Step(bootstrapParams{Version: p.Distro.BootstrapVersion(), Bootstrapper: p.Bootstrapper, Packages: c.Names()}, plan.Step{
		ID: "rootfs/bootstrap", Stage: "rootfs", Title: fmt.Sprintf("bootstrap %s from %d packages", p.Spec.Flavour.Distribution.Suite, len(c.Packages)),
		Inputs: map[string]string{"repo": repo}, Output: plan.Layer,
	}))
}

type installParams struct {
	// Version is the family's, see [distro.Recipe].
	Version int           `json:"version"`
	Wants   []distro.Want `json:"wants"`
	// Expected is what the tree must hold afterwards.
	Expected []distro.Package `json:"expected"`
	// SeparateBoot lets packages find /boot on a file system of its own.
	SeparateBoot bool `json:"separate_boot,omitempty"`
}

// install plans the installation of the packages in c that the tree of the
// step base, which holds those of have, lacks. name becomes part of the IDs.
func (p *Planner) install(stage, name, base string, have, c *distro.Closure, wants []distro.Want) (string, error) {
	delta := c.Minus(have)
	if len(delta.Packages) == 0 {
		return base, nil
	}
	repo, err := p.fetch("packages/"+name, fmt.Sprintf("fetch %d packages for %s", len(delta.Packages), name), delta)
	if err != nil {
		return "", err
	}
	params := installParams{Version: p.Distro.InstallVersion(), Wants: wants, Expected: c.Bare(), SeparateBoot: p.Recipe.SeparateBoot && stage == "rootfs"}
	return p.Add(installAction.Step(params, plan.Step{
		ID: stage + "/install-" + name, Stage: stage, Title: fmt.Sprintf("install %d packages for %s", len(delta.Packages), name),
		Env:  map[string]string{"INITRD": "No"},
		Base: base, Inputs: map[string]string{"repo": repo}, Output: plan.Layer, MemoryMiB: 768,
	}))
}
