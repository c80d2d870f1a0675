package stage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// Tree is what a target's own folder says beside its features.
type Tree struct {
	// Mirror and Suite are where the system's own apt looks for packages.
	Mirror, Suite string
	// Keyring is the absolute path of the keyring that goes into the system for
	// that; "" for the one that the system has from Debian's package.
	Keyring string
	// TempSize is TEMPFS_SIZE: how large scripts make the tmpfs they mount.
	TempSize string
	// Network lets features' scripts reach the network, as the reference does.
	// What they fetch is in no key.
	Network bool
	// Apt is this machine's apt policy, for scripts with a network.
	Apt string
}

// SeedPackages are what every target's tree holds from the start, beside what
// bootstrapping brings (the reference's bootstrap).
var SeedPackages = []distro.Want{{Name: "ca-certificates"}}

// scriptToolPackages are the programs that the reference's container has for
// scripts that make images (its pkg.list and Dockerfile).
var scriptToolPackages = []string{
	"binutils", "bsdextrautils", "ca-certificates", "cpio", "cryptsetup", "curl", "datefudge", "file", "git", "gnupg", "jq",
	"mount", "openssl", "ostree-boot", "python3", "python3-mako", "python3-networkx", "python3-pefile", "python3-yaml",
	"qemu-utils", "sbsigntool", "systemd", "systemd-ukify", "util-linux", "xorriso", "xxd", "xz-utils", "zstd",
}

// ScriptTools returns the packages that a target's tools take. Other archives
// than Debian's may lack some of those that [ToolWants] does not name.
func ScriptTools(d distro.Distro, arch string) []distro.Want {
	wants := ToolWants(d, distro.ForScripts, arch)
	for _, name := range scriptToolPackages {
		wants = append(wants, distro.Want{Name: name})
	}
	return wants
}

// seed plans what the reference's bootstrap has in a tree beyond ours: the
// packages above, and where the system itself gets its packages from.
func (p *Planner) seed(base string) (string, error) {
	tip, err := p.install("rootfs", "seed", base, p.Packages.Base, p.Packages.Seed, SeedPackages)
	if err != nil {
		return "", err
	}
	step := plan.Step{
		ID: "rootfs/apt-sources", Stage: "rootfs", Title: "name the package archive",
		Base: tip, Output: plan.Layer, MemoryMiB: 64,
	}
	if p.Tree.Keyring != "" {
		keyring, err := p.Sources.ImportFile("keyring", p.Tree.Keyring)
		if err != nil {
			return "", err
		}
		step.Sources = []plan.Source{keyring}
	}
	return p.Add(aptSourcesAction.Step(aptSourcesParams{Mirror: p.Tree.Mirror, Suite: p.Tree.Suite}, step))
}

// builderMentions are what a file says that looks for more of /builder than
// itself, or for where it lies.
var builderMentions = regexp.MustCompile(`/builder\b|\b(features|cert)/|requirements\.defs|keyring\.gpg|BASH_SOURCE|\$\{?0\b|\bdirname\b|\.\./`)

// targetSources chooses what a target's script sees below /builder. The
// reference shows it everything. Then any change to any feature would repeat
// every script, so one that never speaks of /builder or of its own place gets
// its own folder alone.
func (p *Planner) targetSources(f *config.Feature, script string) ([]plan.Source, error) {
	dir, pick := p.FeatureDir(f), pickScript(script)
	curious, err := mentions(dir, pick, builderMentions)
	if err != nil {
		return nil, err
	}
	if curious {
		return p.wholeBuilder()
	}
	src, err := p.Sources.Import("features/"+f.Name, dir, pick)
	return []plan.Source{src}, err
}

// wholeBuilder is all that the reference mounts below /builder.
func (p *Planner) wholeBuilder() ([]plan.Source, error) {
	features, err := p.Sources.ImportAsIs(config.FeaturesDir, filepath.Join(p.Project, config.FeaturesDir))
	if err != nil {
		return nil, err
	}
	sources := []plan.Source{features}
	for _, name := range []string{"keyring.gpg", "requirements.defs"} {
		src, err := p.Sources.ImportFile(name, filepath.Join(p.Project, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	cert := filepath.Join(p.Project, "cert")
	if !treefs.Exists(cert) {
		return sources, nil
	}
	// There are secret keys in it: it is read where it lies, not copied.
	digest, err := source.DigestDir(cert)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cert, err)
	}
	return append(sources, plan.Source{Name: "cert", Digest: "sha256:" + digest, Path: cert}), nil
}

// mentions says whether any file below dir that pick chooses matches, or is a
// link out of the folder.
func mentions(dir string, pick func(string, bool) bool, what *regexp.Regexp) (bool, error) {
	found := false
	// The folder itself may be a link, which is not walked into.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, err
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case !pick(filepath.ToSlash(rel), d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type() == fs.ModeSymlink:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			inside, err := filepath.Rel(dir, filepath.Join(filepath.Dir(path), to))
			if filepath.IsAbs(to) || err != nil || !filepath.IsLocal(inside) {
				found = true
			}
		case d.Type().IsRegular():
			text, err := treefs.ReadFile(path, treefs.MostFile)
			if large := (*treefs.SizeError)(nil); errors.As(err, &large) {
				found = true // nobody knows what it speaks of
				return nil
			}
			if err != nil {
				return err
			}
			// The helper programs are there for every script.
			text = bytes.ReplaceAll(text, []byte(helperFolder), nil)
			found = found || what.Match(text)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read %s: %w", dir, err)
	}
	return found, nil
}

// targetEnv is the environment of a target's script, as the reference has it.
// exec.early runs before the packages are installed, which takes longest. So
// it is told only what its folder speaks of: otherwise every commit to the tree
// would install them again.
func (p *Planner) targetEnv(f *config.Feature, script string) (map[string]string, error) {
	env := map[string]string{"DEBIAN_FRONTEND": "noninteractive"}
	maps.Copy(env, p.Spec.Environment(f.Name))
	if _, ours := env["BUILDER_FLAVOUR"]; ours {
		env["TREEWRIGHT_VERSION_ID"] = p.VersionID()
	}
	if script != "exec.early" {
		return env, nil
	}
	all, err := mentions(p.FeatureDir(f), pickScript(script), regexp.MustCompile(`BUILDER_(\W|$)|\benv\b|printenv|declare|export -p|compgen`))
	if err != nil || all {
		return env, err
	}
	for name := range env {
		spoken, err := mentions(p.FeatureDir(f), pickScript(script), regexp.MustCompile(regexp.QuoteMeta(name)+`\b`))
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
func (p *Planner) imageEnv(f *config.Feature) map[string]string {
	env := map[string]string{"TEMPFS_SIZE": p.Tree.TempSize}
	name := ""
	if f != nil {
		name = f.Name
	}
	maps.Copy(env, p.Spec.Environment(name))
	return env
}

// planArtifacts plans the stage that makes the artifacts of a cname from its tree, by
// the scripts of the Garden Linux builder's features or in their absence by
// what is built in. Flavours do not have it.
func planArtifacts(p *Planner, system System) error {
	if p.Spec.Target == nil {
		return nil
	}
	tools, err := p.ToolsLayer(distro.ForScripts)
	if err != nil {
		return err
	}
	made := map[string]string{} // extension -> step
	for _, a := range p.Spec.Artifacts {
		step := plan.Step{
			ID: "artifacts/" + a.Extension, Stage: "artifacts", Title: "make ." + a.Extension,
			Tools: tools, Output: plan.Dir,
			Artifacts: []plan.Artifact{{Name: a.Extension, Path: a.Extension, Kind: plan.FileArtifact, Description: describe(a)}},
		}
		switch {
		case a.Script != nil:
			err = p.scripted(&step, a, made)
		case a.Extension == "raw":
			err = p.partitioned(&step, system)
		default:
			err = p.described(&step, a.Extension, system)
		}
		if err != nil {
			return err
		}
		if made[a.Extension], err = p.Add(step); err != nil {
			return err
		}
	}
	return nil
}

// network lets a feature's script reach the network if that is asked for.
func (p *Planner) network(step *plan.Step) {
	if !p.Tree.Network {
		return
	}
	step.Network = true
	step.Hints = task.EncodeHints(task.NetworkHints{Apt: p.Tree.Apt})
	step.Env["APT_CONFIG"] = task.AptPolicy
}

func describe(a compose.Artifact) string {
	if a.Script != nil {
		return fmt.Sprintf("made of .%s by %s of %s", a.Takes, a.Script.File, a.Feature.Name)
	}
	return map[string]string{
		"tar": "the tree", "release": "its os-release", "manifest": "its packages", "sbom": "its packages, in CycloneDX",
		"requirements": "what running it takes", "raw": "disk image",
	}[a.Extension]
}

// scripted completes the step of a feature's image or convert script.
func (p *Planner) scripted(step *plan.Step, a compose.Artifact, made map[string]string) error {
	var err error
	step.Title = fmt.Sprintf("run %s of %s", a.Script.File, a.Feature.Name)
	base := p.Spec.Target.Base()
	*step = artifactAction.Step(artifactParams{
		Script: "features/" + a.Feature.Name + "/" + a.Script.File,
		Input:  base + "." + a.Takes, Output: base + "." + a.Extension, Extension: a.Extension, Takes: a.Takes,
	}, *step)
	step.Env = p.imageEnv(a.Feature)
	step.Inputs = map[string]string{"input": made[a.Takes]}
	p.network(step)
	step.MemoryMiB = 4096 // scripts unpack the tree on a tmpfs
	step.Sources, err = p.targetSources(a.Feature, a.Script.File)
	return err
}

// partitioned completes the step of the built-in disk image.
func (p *Planner) partitioned(step *plan.Step, system System) error {
	step.Title, step.Base = "make the disk image", system.Tree
	params := imageParams{}
	whole := false
	for _, f := range p.Spec.Features {
		if f.Fstab {
			params.Fstabs = append(params.Fstabs, "features/"+f.Name+"/fstab")
		}
		if f.FstabMod {
			params.Mods = append(params.Mods, "features/"+f.Name+"/fstab.mod")
		}
		if !f.Fstab && !f.FstabMod {
			continue
		}
		curious, err := mentions(p.FeatureDir(f), source.Only("fstab.mod"), builderMentions)
		if err != nil {
			return err
		}
		whole = whole || curious
		src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Only("fstab", "fstab.mod"))
		if err != nil {
			return err
		}
		step.Sources = append(step.Sources, src)
	}
	if whole {
		var err error
		if step.Sources, err = p.wholeBuilder(); err != nil {
			return err
		}
	}
	step.Env = p.imageEnv(nil)
	if len(params.Mods) == 0 {
		// Only what the layout depends on, so that a commit does not make the
		// same image again.
		step.Env = only(step.Env, "BUILDER_ARCH", "BUILDER_VERSION", "BUILDER_TIMESTAMP", "TEMPFS_SIZE")
	}
	step.MemoryMiB = 1024
	*step = partitionedImageAction.Step(params, *step)
	return nil
}

func only(env map[string]string, names ...string) map[string]string {
	kept := map[string]string{}
	for _, name := range names {
		kept[name] = env[name]
	}
	return kept
}

// described completes the step of an artifact that describes the tree, or is it.
func (p *Planner) described(step *plan.Step, ext string, system System) error {
	step.Base = system.Tree
	switch ext {
	case "tar":
		step.Title = "pack the tree"
		step.Env = only(p.imageEnv(nil), "BUILDER_TIMESTAMP")
		*step = tarAction.Step(struct{}{}, *step)
	case "release":
		step.Tools = ""
		*step = releaseAction.Step(struct{}{}, *step)
	case "manifest":
		*step = manifestAction.Step(packagesParams{p.Packages.System.Bare()}, *step)
	case "sbom":
		step.Tools = ""
		*step = sbomAction.Step(packagesParams{p.Packages.System.Bare()}, *step)
		step.Env = only(p.imageEnv(nil), "BUILDER_CNAME", "BUILDER_ARCH", "BUILDER_VERSION", "BUILDER_FEATURES", "BUILDER_TIMESTAMP")
	case "requirements":
		return p.required(step)
	}
	return nil
}

// requirementsMentions are [builderMentions] and the variable that says where
// features are.
var requirementsMentions = regexp.MustCompile(`features_dir|` + builderMentions.String())

// required completes the step of .requirements: shell variables that the tree
// gives defaults and features change.
func (p *Planner) required(step *plan.Step) error {
	step.Base = ""
	params := requirementsParams{}
	defs, err := p.Sources.ImportFile("requirements.defs", filepath.Join(p.Project, "requirements.defs"))
	if err == nil {
		step.Sources = append(step.Sources, defs)
		params.Files = append(params.Files, "requirements.defs")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := false
	for _, f := range p.Spec.Features {
		if !f.Requirements {
			continue
		}
		params.Files = append(params.Files, "features/"+f.Name+"/requirements.mod")
		curious, err := mentions(p.FeatureDir(f), source.Only("requirements.mod"), requirementsMentions)
		if err != nil {
			return err
		}
		whole = whole || curious
		src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Only("requirements.mod"))
		if err != nil {
			return err
		}
		step.Sources = append(step.Sources, src)
	}
	if whole {
		if step.Sources, err = p.wholeBuilder(); err != nil {
			return err
		}
	}
	step.Env = p.imageEnv(nil)
	if len(params.Files) == 0 {
		step.Env = only(step.Env, "BUILDER_ARCH")
	}
	*step = requirementsAction.Step(params, *step)
	return nil
}
