package debian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
)

// InstallVersion is raised when Install would give another tree.
func (Family) InstallVersion() int { return 1 }

// installConf points apt at the flat repository and keeps all its state out of
// the tree but what belongs there: the packages' states.
const installConf = `Dir::Etc::SourceList "/run/treewright/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "/run/treewright/lists";
Dir::Cache "/run/treewright/cache";
Dir::Log "/run/treewright/log";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
Acquire::Languages "none";
DPkg::Use-Pty "false";
DPkg::Options { "--force-unsafe-io"; "--force-confdef"; "--force-confold"; "--log=/run/treewright/dpkg.log"; };
`

// policy is the program that is asked whether services may be started. A feature may
// have put one of its own there.
const policy = "usr/sbin/policy-rc.d"

// refuseServices is its answer to every request to start a service
// (Debian policy 9.3.3.1; 101 is "action forbidden").
const refuseServices = "#!/bin/sh\nexit 101\n"

// Install installs packages in a prepared tree by its own apt and dpkg, from a flat
// repository that [Family.Fetch] made. Scripts may have put packages there before:
// those in another version than the one expected stay, and are warned of.
func (Family) Install(ctx context.Context, w distro.Work, wants []distro.Want, expected []distro.Package) error {
	restore, err := setAside(filepath.Join(w.Root, policy))
	if err != nil {
		return err
	}
	if err := install(ctx, w, wants, expected); err != nil {
		return err
	}
	return restore()
}

// setAside renames a file that is in the way, if it is there, and returns what
// puts it back.
func setAside(file string) (restore func() error, err error) {
	aside := file + ".treewright"
	if err := os.Rename(file, aside); errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	} else if err != nil {
		return nil, err
	}
	return func() error { return os.Rename(aside, file) }, nil
}

// install is Install in a tree without a policy of its own.
func install(ctx context.Context, w distro.Work, wants []distro.Want, expected []distro.Package) error {
	root := w.Root
	before, err := installed(ctx, root)
	if err != nil {
		return err
	}
	if err := prepareInstall(w); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	env := map[string]string{"APT_CONFIG": "/run/treewright/apt.conf", "DEBIAN_FRONTEND": "noninteractive", "DEBCONF_NONINTERACTIVE_SEEN": "true"}
	maps.Copy(env, w.Env)
	apt := func(argv ...string) error {
		if err := (sandbox.Command{Argv: argv, Root: root, Env: env, Stdout: w.Log, Stderr: w.Log}).Run(ctx); err != nil {
			return fmt.Errorf("install: %w", err)
		}
		return nil
	}
	if err := apt("apt-get", "update", "-qq"); err != nil {
		return err
	}
	names := make([]string, len(wants))
	for i, want := range wants {
		want.Suite = "" // the repository has what was chosen, and nothing else
		names[i] = want.String()
	}
	if err := apt(append([]string{"apt-get", "install", "-y", "-q", "--allow-downgrades", "--"}, names...)...); err != nil {
		return err
	}
	have, err := installed(ctx, root)
	if err != nil {
		return err
	}
	// This machine's apt resolved the packages, the tree's installs them. Where
	// one of several would do, the latter may get by with fewer.
	if rest, err := lackingIn(ctx, root, have, expected); err != nil {
		return err
	} else if len(rest) > 0 {
		fmt.Fprintf(w.Log, "resolved as well: %s\n", strings.Join(rest, " "))
		if err := apt(append([]string{"apt-get", "install", "-y", "-q", "--"}, rest...)...); err != nil {
			return err
		}
		if err := apt(append([]string{"apt-mark", "auto", "--"}, rest...)...); err != nil {
			return err
		}
		if have, err = installed(ctx, root); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(root, policy)); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	faults, stayed := compare(before, have, expected, w.Earlier)
	if len(faults) > 0 {
		return fmt.Errorf("install: the tree does not hold the packages that were resolved: %s", strings.Join(faults, "; "))
	}
	for _, s := range stayed {
		w.Warn("%s", s)
	}
	return tidy(root)
}

// prepareInstall shows a tree the repository, and tells its apt of that alone.
func prepareInstall(w distro.Work) error {
	run := filepath.Join(w.Root, "run/treewright")
	if err := sandbox.Bind(w.Repo, filepath.Join(run, "repo"), true); err != nil {
		return err
	}
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(run, dir), 0o755); err != nil {
			return err
		}
	}
	for name, content := range map[string]string{
		"run/treewright/apt.conf":     installConf,
		"run/treewright/sources.list": "deb [trusted=yes] file:/run/treewright/repo ./\n",
		policy:                        refuseServices,
	} {
		if err := os.WriteFile(filepath.Join(w.Root, name), []byte(content), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// installed lists the packages in the tree at root, sorted.
func installed(ctx context.Context, root string) ([]distro.Package, error) {
	query := sandbox.Command{Argv: []string{"dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n"}, Root: root}
	out, err := query.Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("list installed packages: %w", err)
	}
	var have []distro.Package
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(f) == 4 && strings.HasPrefix(f[0], "ii") {
			have = append(have, distro.Package{Name: f[1], Version: f[2], Arch: f[3]})
		}
	}
	slices.SortFunc(have, distro.Package.Compare)
	return have, nil
}

// lackingIn is [lacking] in the tree at root.
func lackingIn(ctx context.Context, root string, have, want []distro.Package) ([]string, error) {
	out, err := sandbox.Command{Argv: []string{"dpkg", "--print-architecture"}, Root: root}.Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	return lacking(have, want, strings.TrimSpace(string(out))), nil
}

// lacking returns those in want that have does not have in any version, as apt in a
// tree of the architecture arch takes them.
func lacking(have, want []distro.Package, arch string) []string {
	var out []string
	for _, p := range want {
		switch {
		case slices.ContainsFunc(have, func(h distro.Package) bool { return h.Name == p.Name && sameArch(h.Arch, p.Arch) }):
		case sameArch(p.Arch, arch):
			out = append(out, p.Name)
		default:
			out = append(out, p.Name+":"+p.Arch)
		}
	}
	return out
}

// compare finds what differs between the packages that a tree has after an
// installation and those that were resolved. What the tree had before is not a
// fault: a package that was not resolved may stay, and one that was there in
// another version than resolved is listed in stayed, unless it was before.
func compare(before, have, want, earlier []distro.Package) (faults, stayed []string) {
	count := map[distro.Package]int{}
	for _, p := range have {
		count[p]++
	}
	for _, p := range want {
		count[p]--
	}
	var others []distro.Package // that were there and were not resolved
	for _, p := range before {
		if count[p] > 0 {
			count[p]--
			others = append(others, p)
		}
	}
	for p, n := range count {
		i := slices.IndexFunc(others, func(o distro.Package) bool { return o.Name == p.Name && sameArch(o.Arch, p.Arch) })
		switch {
		case n > 0:
			faults = append(faults, fmt.Sprintf("%s %s is installed but was not resolved", p.Name, p.Version))
		case n < 0 && i >= 0 && slices.Contains(earlier, p):
		case n < 0 && i >= 0:
			stayed = append(stayed, fmt.Sprintf("%s %s was in the tree before, and stays in place of %s, which was resolved", p.Name, others[i].Version, p.Version))
		case n < 0:
			faults = append(faults, fmt.Sprintf("%s %s was resolved but is not installed", p.Name, p.Version))
		}
	}
	sort.Strings(faults)
	sort.Strings(stayed)
	return faults, stayed
}
