package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/treefs"
)

// targetFlags are the options that matter to builds of a cname.
func targetFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.mirror, "mirror", "", "for a cname: the package archive's `URL`, in place of what the tree's get_repo says")
	f.StringVar(&o.keyring, "keyring", "", "for a cname: the `FILE` with the archive's keys (default: the tree's keyring.gpg, or with --mirror Debian's)")
	f.BoolVar(&o.network, "network", false, "for a cname: let features' scripts reach the network; what they fetch there is not noticed when it changes")
	f.BoolVar(&o.features.AllowFrankenstein, "allow-frankenstein", false, "for a cname: warn only if there is not exactly one platform")
}

// cname finds out what a name is that is no flavour's; see [build.CNames].
func (c *command) cname(ctx context.Context, project *config.Project, name string) (*build.Subject, error) {
	query := &featureQuery{CName: name}
	asked, err := query.asked()
	if err != nil || !project.Foreign && !anyFeature(project, asked.features) {
		return nil, nil // no name of a flavour, then
	}
	return c.targetSubject(ctx, project, name, asked)
}

// anyFeature says whether a name that is no flavour may have been meant as a
// cname.
func anyFeature(p *config.Project, names []string) bool {
	for _, name := range names {
		if p.Features[name] != nil {
			return true
		}
	}
	return false
}

func (c *command) targetSubject(ctx context.Context, project *config.Project, name string, asked askedFor) (*build.Subject, error) {
	tree, err := newForeignTree(project, slices.Collect(maps.Values(project.Features)))
	if err != nil {
		return nil, err
	}
	sel, err := tree.selectFeatures(asked.features, nil)
	if err != nil {
		return nil, err
	}
	if problem := platformProblem(sel); problem != "" {
		if !c.options.features.AllowFrankenstein {
			return nil, fmt.Errorf("%s; --allow-frankenstein accepts that", problem)
		}
		fmt.Fprintf(c.Err, "treewright: warning: %s\n", problem)
	}
	says, err := c.treeSays(ctx)
	if err != nil {
		return nil, err
	}
	asked.arch = firstOf(asked.arch, runtime.GOARCH)
	if asked.version == "" {
		if asked.version, err = says.version(ctx); err != nil {
			return nil, err
		}
	}
	f := &config.Flavour{
		Name: cname(sel, asked),
		Distribution: config.Distribution{
			Family: "debian", Suite: asked.version, Arch: asked.arch, Mirror: says.mirror, Components: []string{"main"}, Keyring: says.keyring,
		},
	}
	t := compose.Target{CName: f.Name, Version: asked.version, Commit: says.commit, Timestamp: says.timestamp}
	spec, diags := compose.ResolveTarget(project, f, sel, t, func(lines []config.Line) ([]config.Line, hcl.Diagnostics) {
		return expandLines(ctx, asked.arch, lines)
	})
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: project.Files, List: diags}
	}
	own := says.keyring
	if own == (debian.Family{}).DefaultKeyring() {
		own = "" // this machine's is not the system's
	}
	return &build.Subject{
		Name: name, Project: project, Spec: spec, Warnings: diags,
		Tree: stage.Tree{Mirror: compose.WithoutPassword(says.mirror), Suite: asked.version, Keyring: own, TempSize: says.tempSize, Network: c.options.network},
	}, nil
}

// treeSettings is what the scripts in a tree's root say of it.
type treeSettings struct {
	dir                         string
	hidden                      []string // directories of ours, perhaps in it
	look                        bool     // run nothing
	mirror, keyring             string
	commit, timestamp, tempSize string
}

// Defaults for trees without the scripts that say otherwise.
const (
	defaultMirror   = "http://deb.debian.org/debian"
	defaultVersion  = "testing"
	defaultTempSize = "2G"
)

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]*$`)
	sizeWord  = regexp.MustCompile(`^[0-9]+[kKmMgG%]?$`)
)

// treeSays runs the tree's get_repo, get_commit and get_timestamp, and reads
// its build.config, which is a shell script.
func (c *command) treeSays(ctx context.Context) (*treeSettings, error) {
	s := &treeSettings{dir: c.options.dir, hidden: []string{c.options.cache, c.options.output}, look: c.options.noRun, mirror: c.options.mirror, keyring: c.options.keyring}
	var err error
	if s.mirror == "" {
		if s.mirror, err = s.ask(ctx, "get_repo", defaultMirror); err != nil {
			return nil, err
		}
		if s.keyring == "" {
			if own := filepath.Join(s.dir, "keyring.gpg"); exists(own) {
				s.keyring = own
			}
		}
	}
	if s.mirror = strings.TrimRight(s.mirror, "/"); !strings.Contains(s.mirror, "://") || strings.ContainsAny(s.mirror, " \t\n") {
		return nil, usagef("the package archive must be named by its URL, not %q (from get_repo or --mirror)", s.mirror)
	}
	if s.keyring == "" {
		s.keyring = debian.Family{}.DefaultKeyring()
	}
	if s.keyring, err = filepath.Abs(s.keyring); err != nil {
		return nil, err
	}
	if !exists(s.keyring) {
		return nil, usagef("there is no keyring %s", s.keyring)
	}
	if err := treefs.Check(s.keyring, treefs.MostKeyring); err != nil {
		return nil, fmt.Errorf("read the keyring: %w", err)
	}
	if s.commit, err = s.ask(ctx, "get_commit", "local"); err != nil {
		return nil, err
	}
	if !plainWord.MatchString(s.commit) {
		return nil, fmt.Errorf("get_commit of the tree says %q, which cannot be part of a file's name", s.commit)
	}
	if s.timestamp, err = s.ask(ctx, "get_timestamp", "0"); err != nil {
		return nil, err
	}
	if _, err := strconv.ParseInt(s.timestamp, 10, 64); err != nil {
		return nil, fmt.Errorf("get_timestamp of the tree says %q, which is no number of seconds", s.timestamp)
	}
	s.tempSize = defaultTempSize
	if file := filepath.Join(s.dir, "build.config"); exists(file) && !s.look {
		if err := treefs.Check(file, treefs.MostFile); err != nil {
			return nil, fmt.Errorf("read the tree's build.config: %w", err)
		}
		out, err := s.run(ctx, "bash", "-c", `. ./build.config >&2; echo "${tempfs_size-}"`)
		if err != nil {
			return nil, fmt.Errorf("read the tree's build.config: %w", err)
		}
		if out != "" {
			s.tempSize = out
		}
		if !sizeWord.MatchString(s.tempSize) {
			return nil, fmt.Errorf("build.config of the tree sets tempfs_size to %q, which is no size", s.tempSize)
		}
	}
	return s, nil
}

// version asks the tree which version, that is which suite of the archive, it
// builds.
func (s *treeSettings) version(ctx context.Context) (string, error) {
	v, err := s.ask(ctx, "get_version", defaultVersion)
	if err == nil && !plainWord.MatchString(v) {
		err = fmt.Errorf("get_version of the tree says %q, which is no version", v)
	}
	return v, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
