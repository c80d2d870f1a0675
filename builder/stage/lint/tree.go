package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treefs"
)

// Tree looks at a tree in OSTree's shape for what would break on a machine, or
// be a weakness there, and reports all of it. warn is told of secrets that are
// meant.
func Tree(tree string, db distro.Database, allowed []AllowedSecret, warn func(string, ...any)) error {
	var faults []string
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	lintKernel(tree, report)
	lintComposefs(tree, report)
	for _, l := range machine.TopLinks {
		if got, err := os.Readlink(filepath.Join(tree, l.Name)); err != nil || got != l.Target {
			report("/%s is not a link to %s", l.Name, l.Target)
		}
	}
	for _, dir := range []string{"var", "boot"} {
		if entries, err := os.ReadDir(filepath.Join(tree, dir)); err != nil || len(entries) > 0 {
			report("/%s is not an empty directory", dir)
		}
	}
	if treefs.Exists(filepath.Join(tree, "etc")) {
		report("/etc exists beside /usr/etc")
	}
	for file, why := range map[string]string{
		prepareRootConf:           "the initramfs could not mount the deployment",
		prepareRoot:               "the package ostree-boot is missing, and without it a deployment cannot be mounted",
		"usr/lib/os-release":      "system extensions could not be matched",
		"usr/lib/systemd/systemd": "there would be no program to start",
		path.Join(db.CommittedDir(), db.StateFile()): "the list of packages would be lost",
		"usr/lib/tmpfiles.d/" + machine.OwnRules:     "/var would stay empty",
	} {
		if !treefs.Exists(filepath.Join(tree, file)) {
			report("/%s is missing: %s", file, why)
		}
	}
	lintPasswords(tree, report)
	secrets := secretLint{tree: tree, packages: db, dir: filepath.Join(tree, db.CommittedDir()), allowed: allowed, warn: warn, report: report}
	if err := secrets.run(); err != nil {
		return err
	}
	if err := errors.Join(machine.LintRelease(tree, report), lintFiles(tree, report), lintModes(tree, warn, report)); err != nil {
		return err
	}
	if len(faults) == 0 {
		return nil
	}
	slices.Sort(faults)
	text := "this tree cannot be committed:\n  " + strings.Join(faults, "\n  ")
	if len(secrets.found) > 0 {
		text += secretAdvice
	}
	return &diag.OfPaths{Paths: secrets.found, Err: errors.New(text)}
}

func lintKernel(tree string, report func(string, ...any)) {
	kernels, err := layer.Glob(tree, "usr/lib/modules/*/vmlinuz")
	if err != nil || len(kernels) != 1 {
		report("there are %d kernels at /usr/lib/modules/VERSION/vmlinuz; ostree boots exactly one", len(kernels))
	}
	for _, k := range kernels {
		if !treefs.Exists(filepath.Join(filepath.Dir(k), "initramfs.img")) {
			report("the kernel %s has no initramfs.img", filepath.Base(filepath.Dir(k)))
		}
	}
}

// lintPasswords finds passwords, and accounts that need none.
func lintPasswords(tree string, report func(string, ...any)) {
	shadow, err := os.ReadFile(filepath.Join(tree, "usr/etc/shadow"))
	if err != nil {
		return
	}
	for _, line := range strings.Split(string(shadow), "\n") {
		fields := strings.Split(line, ":")
		if len(fields) > 1 && fields[0] != "" && strings.Trim(fields[1], "*!") != "" {
			report("user %s has a password in /etc/shadow", fields[0])
		}
		if len(fields) > 1 && fields[1] == "" {
			report("user %s can log in without a password", fields[0])
		}
	}
}

// lintFiles finds what a commit cannot hold.
func lintFiles(tree string, report func(string, ...any)) error {
	return filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if t := d.Type(); t&(fs.ModeDevice|fs.ModeCharDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0 {
			rel, _ := filepath.Rel(tree, path)
			report("/%s is a device, pipe or socket, which a commit cannot contain", rel)
		}
		target := ""
		if d.Type() == fs.ModeSymlink {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		if rel := strings.TrimPrefix(path, tree); !utf8.ValidString(d.Name()) || !utf8.ValidString(target) {
			report("%q has a name, or as a link a target, that is not UTF-8, which a commit cannot contain", rel)
		}
		return nil
	})
}
