package debian

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
)

// Database returns how dpkg keeps account of a tree's packages.
func (Family) Database() distro.Database { return database{} }

// Leavings are what apt, dpkg and the programs of Debian's packages leave in /var.
func (Family) Leavings() []string {
	return []string{
		"lib/apt", "lib/ucf", "lib/pam", "lib/python", "lib/shells.state",
		"lib/systemd/deb-systemd-helper-*", "lib/systemd/deb-systemd-user-helper-*",
		"cache/debconf", "cache/apt",
		"backups/dpkg.*", "backups/apt.*", "backups/alternatives.*", "backups/*.bak",
		"log/apt/*", "log/dpkg.log", "log/alternatives.log", "log/bootstrap.log",
	}
}

// database is dpkg's directory.
type database struct{}

func (database) Dir() string          { return "var/lib/dpkg" }
func (database) CommittedDir() string { return "usr/lib/sysimage/dpkg" }
func (database) StateFile() string    { return "status" }

// SumFiles are where dpkg keeps the sums of a package's files: packages that can
// be there for several architectures at once have theirs in the name.
func (database) SumFiles(p distro.Package) []string {
	return []string{"info/" + p.Name + ".md5sums", "info/" + p.Name + ":" + p.Arch + ".md5sums"}
}

// ReadState reads a dpkg status file; see dpkg(1).
func (database) ReadState(text string) distro.State {
	var s distro.State
	for p, state := range states(text) {
		switch state {
		case "installed":
			s.Installed = append(s.Installed, p)
		case "not-installed", "config-files":
		default:
			s.Unfinished = append(s.Unfinished, p.String()+": "+state)
		}
	}
	slices.SortFunc(s.Installed, distro.Package.Compare)
	slices.Sort(s.Unfinished)
	return s
}

// states returns the state of each package in a dpkg status file.
func states(status string) map[distro.Package]string {
	out := map[distro.Package]string{}
	for stanza := range strings.SplitSeq(status, "\n\n") {
		field := map[string]string{}
		for line := range strings.Lines(stanza) {
			if name, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				field[name] = strings.TrimSpace(value)
			}
		}
		if words := strings.Fields(field["Status"]); len(words) == 3 {
			out[distro.Package{Name: field["Package"], Version: field["Version"], Arch: field["Architecture"]}] = words[2]
		}
	}
	return out
}

// Shipped reads the lists of sums, and of configuration files the status file.
// Those are all that there is to go by, and they are MD5.
func (d database) Shipped(dir string) (func(content []byte) bool, error) {
	lists, err := layer.Glob(dir, "info/*.md5sums")
	if err != nil {
		return nil, err
	}
	sums := map[string]bool{}
	for _, list := range append(lists, filepath.Join(dir, d.StateFile())) {
		text, err := os.ReadFile(list)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		addSums(sums, string(text), list)
	}
	return func(content []byte) bool {
		sum := md5.Sum(content)
		return sums[hex.EncodeToString(sum[:])]
	}, nil
}

// addSums takes in the sums of a list, "SUM  PATH" a line, or those of
// configuration files in the status file, " PATH SUM".
func addSums(sums map[string]bool, text, list string) {
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if strings.HasSuffix(list, ".md5sums") {
			if len(fields) >= 2 {
				sums[fields[0]] = true
			}
		} else if strings.HasPrefix(line, " /") && len(fields) >= 2 && len(fields[1]) == 2*md5.Size {
			sums[fields[1]] = true
		}
	}
}

// FileLists are in info/, each called PACKAGE.list or PACKAGE:ARCHITECTURE.list.
func (database) FileLists() (string, func(string) string) {
	return "info", func(name string) string {
		name, ok := strings.CutSuffix(name, ".list")
		if !ok {
			return ""
		}
		name, _, _ = strings.Cut(name, ":")
		return name
	}
}

// Files reads the package's list of files.
func (database) Files(dir string, p distro.Package) []string {
	for _, name := range []string{p.Name, p.Name + ":" + p.Arch} {
		if text, err := os.ReadFile(filepath.Join(dir, "info", name+".list")); err == nil {
			return strings.Split(strings.TrimSpace(string(text)), "\n")
		}
	}
	return nil
}

// Owners are the packages whose list of files has the path.
func (database) Owners(dir, file string) []string {
	return packagesWith(dir, "*.list", func(text string) bool { return strings.Contains("\n"+text+"\n", "\n"+file+"\n") })
}

// Makers are the packages of whose postinst test is true.
func (database) Makers(dir string, test func(script string) bool) []string {
	return packagesWith(dir, "*.postinst", test)
}

// packagesWith are the packages one of whose files in dpkg's directory is as
// wanted.
func packagesWith(dir, pattern string, want func(text string) bool) []string {
	files, _ := layer.Glob(filepath.Join(dir, "info"), pattern)
	var names []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && want(string(text)) {
			name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), ":")
			names = append(names, name)
		}
	}
	return names
}
