package planner

import (
	"path/filepath"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/source"
)

// Packages are the exact packages of a flavour.
type Packages struct {
	// Base are the packages that are bootstrapped; all other sets contain them.
	Base, System *distro.Closure
	// Tools are the packages of the tools for each purpose that [Needs] returns; the tools
	// for the boot loader only if the tools for images lack them.
	Tools map[distro.Purpose]Tools
	// Seed is what a system's tree holds before its features' packages; nil for Base.
	Seed *distro.Closure
	// Build is, by feature, the set of packages that exec.build runs on; Extensions is, by
	// extension name, the system with the extension's packages.
	Build, Extensions map[string]*distro.Closure
	// Pool is the system with the packages that machines may add later, which need not fit each other; nil for none.
	Pool *distro.Closure
	// Local are packages that features bring as files, by their SHA-256.
	Local map[string]Local
}

// Local is a package that a feature brings as a file.
type Local struct {
	Want    distro.Want
	Feature string
	// File is its path in the configuration tree, slash-separated.
	File string
}

// Request describes the subject of a plan.
type Request struct {
	Spec     *compose.Spec
	Packages Packages
	// Keys are the public keys whose signatures machines accept; nil if machines accept
	// everything.
	Keys    *sign.Keyring
	History ostree.History
	// Made returns which commit the result of a commit step is, by the step's key;
	// "" without a result. Nil: no step has one.
	Made func(key string) string
	// Accounts are the numbers that the configuration tree wants for accounts.
	Accounts account.Ledger
	Sources  source.Snapshots
	// Distro is the flavour's family of distributions.
	Distro distro.Distro
	Fetch  distro.FetchHints
	// Project is the absolute path of the configuration tree, and Trees are the paths of
	// the trees that it uses, by [config.Root.Prefix].
	Project string
	Trees   map[string]string
	Method  Method
	// Secrets are the versions of the secrets that the spec names, by name; see
	// [plan.Secret].
	Secrets map[string]string
	// Apt is this machine's apt policy, for scripts with a network.
	Apt string
	// Program is the file of this program, for systems that have it; "" without such a system.
	Program string
	// Bootstrapper is the version of the host's program that bootstraps, the only
	// program of the host that results depend on.
	Bootstrapper string
}

// Planner is a graph in the making.
type Planner struct {
	Request
	Graph plan.Graph

	// Ledger holds the numbers that accounts have to keep.
	Ledger account.Ledger
	// Follows reports that there are commits before.
	Follows bool
	// Own reports that the newest commit was made by the recipe of this plan with the
	// numbers of the commit before.
	Own bool
}

// Arch is the architecture of the system.
func (p *Planner) Arch() string { return p.Spec.Flavour.Distribution.Arch }

// Add puts a step into the graph and returns its ID.
func (p *Planner) Add(s plan.Step) (string, error) {
	return s.ID, p.Graph.Add(p.Placed(s))
}

// Placed returns a step with the family of the flavour and, unless it has its own
// architecture, the architecture of the system.
func (p *Planner) Placed(s plan.Step) plan.Step {
	s.Family = p.Distro.Name()
	if s.Arch == "" {
		s.Arch = p.Arch()
	}
	return s
}

// Parameter returns a feature's parameter.
func (p *Planner) Parameter(f *config.Feature, name string) compose.Value {
	return p.Spec.Parameters[f.Name][name]
}

// VersionID identifies the system's set of packages: the VERSION_ID of os-release,
// by which systemd matches extensions to systems.
func (p *Planner) VersionID() string { return p.Packages.System.Digest()[:12] }

// FeatureDir is the directory of a feature.
func (p *Planner) FeatureDir(f *config.Feature) string {
	return filepath.Join(p.Tree(f.Root), filepath.FromSlash(f.Place()))
}

// Tree is the directory of a tree that features come from; nil means the configuration
// tree.
func (p *Planner) Tree(r *config.Root) string {
	if r == nil {
		return p.Project
	}
	return p.Trees[r.Prefix]
}

// Method makes a kind of system.
type Method struct {
	// Above plans the stages above the system's tree, and returns their commit.
	Above func(p *Planner, system System) (Commit, error)
	// Seed are packages that a system's tree holds from the start, beside the
	// bootstrapped packages; Prepared plans the other changes of the tree then, above
	// the step tip, and returns the last step.
	Seed     []distro.Want
	Prepared func(p *Planner, tip string) (string, error)
	// Installed plans the changes of the tree of an extension after the installation of its packages, above the
	// step tip, and returns the last step. It may be nil.
	Installed func(p *Planner, tip string) (string, error)
	// Needs returns the tools that the stages need for their own purposes, which are not purposes
	// of a family. It may be nil.
	Needs func(spec *compose.Spec) []Need
	// Tools are packages of the tools for scripts, beside the packages of [ToolWants], that
	// an archive may lack. With any, there are such tools for every system.
	Tools []distro.Want
	// Script completes the step that runs a feature's script: its
	// environment, and the part of the configuration tree that it can read.
	Script func(p *Planner, f *config.Feature, script string, step plan.Step) (plan.Step, error)
	// Identified trees are named in their os-release. Accounts are made for features,
	// and keep their numbers from one commit to the next. Watch has features' changes
	// to files noted, so that lints can name the feature with a fault.
	Identified, Accounts, Watch bool
	// Grouped has the system's packages installed in several steps, so that one more package
	// leaves those before it as they are.
	Grouped bool
	// SeparateBoot lets packages find /boot on a file system of its own.
	SeparateBoot bool
}

// Need is a purpose that tools are needed for, and the packages that are wanted.
type Need struct {
	Purpose distro.Purpose
	Wants   []distro.Want
}

// Tools are the packages of a tools layer.
type Tools struct {
	// Wants are what Packages were resolved from.
	Wants    []distro.Want
	Packages *distro.Closure
	// Step is the step that leaves a tree which has them already, in place of their own layer; "" without one.
	Step string
	// From is the origin of the packages; nil means the origin of the system.
	From *Origin
	// Data are packages of the system's architecture with files that tools of another
	// one read; nil for none.
	Data *distro.Closure
}

// Origin describes the source of tools that are of another suite or architecture than
// the system.
type Origin struct {
	// MoreArchs are others than Arch whose packages can be installed as well.
	MoreArchs   []string
	Suite, Arch string
	// Release is the SHA-256 of the release file.
	Release string
	// Base are the packages that are bootstrapped; the tools' packages contain them.
	Base *distro.Closure
}

// System is the result of the rootfs stage for the stages after it.
type System struct {
	// Tree is the step that leaves the system's tree, with its package database.
	Tree    string
	Origins OriginSteps
}

// Commit is the result of the commit stage for the stages after it.
type Commit struct {
	// System is the step that leaves the system's tree with its package database,
	// and Tree the one that leaves it as it is committed; both are the same for a
	// system without commits.
	System, Tree string
	// Repo is the step that commits, "" without one.
	Repo string
	// Own reports that the newest commit was made by the recipe of this plan, or of
	// one with the numbers of the commit before; Found that it is at hand as the
	// result of the step.
	Own, Found bool
}

// OriginSteps are the steps whose trees show which stage made which
// file: IDs of steps, each of a whole tree.
type OriginSteps struct{ Bootstrap, Early, Packages, Files, Scripts string }

// Inputs names the trees for the step that asks.
func (o OriginSteps) Inputs() map[string]string {
	return map[string]string{"bootstrap": o.Bootstrap, "early": o.Early, "packages": o.Packages, "files": o.Files, "scripts": o.Scripts}
}
