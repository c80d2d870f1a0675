package debian

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
)

// InstallVersion is raised when Install would give another tree.
const InstallVersion = 1

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

// refuseServices is policy-rc.d's answer to every request to start a service
// (Debian policy 9.3.3.1; 101 is "action forbidden").
const refuseServices = "#!/bin/sh\nexit 101\n"

// Install installs the wanted packages in the tree at root, a prepared root
// (sandbox.PrepareRoot), by its own apt and dpkg, from a flat repository that
// [Fetch] made. Then the tree must hold exactly the packages expected, given as
// "NAME VERSION", and those that scripts had put there before; anything else is
// an error. warn is told of packages that scripts had put there in another version
// than the one expected, and that stayed.
func Install(ctx context.Context, root, repo string, wants []distro.Want, expected []string, env map[string]string, log io.Writer, warn func(string, ...any)) error {
	before, err := Installed(ctx, root)
	if err != nil {
		return err
	}
	run := filepath.Join(root, "run/treewright")
	if err := sandbox.Bind(repo, filepath.Join(run, "repo"), true); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(run, dir), 0o755); err != nil {
			return fmt.Errorf("install: %w", err)
		}
	}
	for name, content := range map[string]string{
		"run/treewright/apt.conf":     installConf,
		"run/treewright/sources.list": "deb [trusted=yes] file:/run/treewright/repo ./\n",
		"usr/sbin/policy-rc.d":        refuseServices,
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o755); err != nil {
			return fmt.Errorf("install: %w", err)
		}
	}
	withConf := map[string]string{"APT_CONFIG": "/run/treewright/apt.conf", "DEBIAN_FRONTEND": "noninteractive", "DEBCONF_NONINTERACTIVE_SEEN": "true"}
	for k, v := range env {
		withConf[k] = v
	}
	command := func(argv ...string) sandbox.Command {
		return sandbox.Command{Argv: argv, Root: root, Env: withConf, Stdout: log, Stderr: log}
	}
	if err := command("apt-get", "update", "-qq").Run(ctx); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.String()
	}
	if err := command(append([]string{"apt-get", "install", "-y", "-q", "--"}, names...)...).Run(ctx); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	have, err := Installed(ctx, root)
	if err != nil {
		return err
	}
	// This machine's apt resolved the packages, the tree's installs them. Where
	// one of several would do, the latter may get by with fewer.
	if rest := lacking(have, expected); len(rest) > 0 {
		fmt.Fprintf(log, "resolved as well: %s\n", strings.Join(rest, " "))
		if err := command(append([]string{"apt-get", "install", "-y", "-q", "--"}, rest...)...).Run(ctx); err != nil {
			return fmt.Errorf("install: %w", err)
		}
		if err := command(append([]string{"apt-mark", "auto", "--"}, rest...)...).Run(ctx); err != nil {
			return fmt.Errorf("install: %w", err)
		}
		if have, err = Installed(ctx, root); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(root, "usr/sbin/policy-rc.d")); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	faults, stayed := compare(before, have, expected)
	if len(faults) > 0 {
		return fmt.Errorf("install: the tree does not hold the packages that were resolved: %s", strings.Join(faults, "; "))
	}
	for _, s := range stayed {
		warn("%s", s)
	}
	return tidy(root)
}

// Installed lists the packages in the tree at root as "NAME VERSION", sorted.
func Installed(ctx context.Context, root string) ([]string, error) {
	query := sandbox.Command{Argv: []string{"dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}\t${Package} ${Version}\n"}, Root: root}
	out, err := query.Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("list installed packages: %w", err)
	}
	var have []string
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if status, pkg, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(status, "ii") {
			have = append(have, pkg)
		}
	}
	sort.Strings(have)
	return have, nil
}

// lacking returns the names in want, "NAME VERSION" each, that have does not
// have at all.
func lacking(have, want []string) []string {
	names := map[string]bool{}
	for _, h := range have {
		name, _, _ := strings.Cut(h, " ")
		names[name] = true
	}
	var out []string
	for _, w := range want {
		if name, _, _ := strings.Cut(w, " "); !names[name] {
			out = append(out, name)
		}
	}
	return out
}

// compare finds what differs between the packages that a tree has after an
// installation and those that were resolved; all are "NAME VERSION". What the
// tree had before is no fault: a package that was not resolved may stay, and one
// that was there in another version than resolved is told in stayed.
func compare(before, have, want []string) (faults, stayed []string) {
	count := map[string]int{}
	for _, h := range have {
		count[h]++
	}
	for _, w := range want {
		count[w]--
	}
	others := map[string]string{} // name -> version that was there and was not resolved
	for _, b := range before {
		if name, version, _ := strings.Cut(b, " "); count[b] > 0 {
			count[b]--
			others[name] = version
		}
	}
	for pkg, n := range count {
		name, version, _ := strings.Cut(pkg, " ")
		other, there := others[name]
		switch {
		case n > 0:
			faults = append(faults, pkg+" is installed but was not resolved")
		case n < 0 && there:
			stayed = append(stayed, fmt.Sprintf("%s %s was in the tree before, and stays in place of %s, which was resolved", name, other, version))
		case n < 0:
			faults = append(faults, pkg+" was resolved but is not installed")
		}
	}
	sort.Strings(faults)
	sort.Strings(stayed)
	return faults, stayed
}
