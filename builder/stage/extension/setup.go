package extension

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/stage/machine"
)

// setup has the work of a machine after an extension was merged, done once: systemd does not
// make accounts and files then, and the units that start with the machine have
// started without the extension.
type setup struct {
	name     string
	sysusers []string // lines of sysusers.d
	// first are lines of tmpfiles.d that hold once, lasting those for each boot.
	first, lasting []string
	own            account.Ledger
	start          []string
	// early are units that are started before the others, except the units of ownOrder.
	early, ownOrder []string
	// leaving are all files of the extension.
	leaving []leaving
}

// newFile is a file of the extension that is in no tree.
type newFile struct {
	path, text string
	mode       os.FileMode
	target     string // of a link, which has no text
}

// afterMerge are the programs that read what an extension may bring, beside
// systemd itself, on request. %s means the files' names.
var afterMerge = []struct{ dir, suffix, run string }{
	{"usr/lib/modules-load.d", ".conf", "/usr/lib/systemd/systemd-modules-load %s"},
	{"usr/lib/sysctl.d", ".conf", "/usr/lib/systemd/systemd-sysctl %s"},
	{"usr/lib/binfmt.d", ".conf", "/usr/lib/systemd/systemd-binfmt %s"},
	{"usr/lib/udev/rules.d", ".rules", "if [ -S /run/udev/control ]; then udevadm control --reload && udevadm trigger; fi"},
	{"usr/share/dbus-1/system.d", ".conf", reloadBus},
	{"usr/share/dbus-1/system-services", ".service", reloadBus},
}

const reloadBus = "if [ -S /run/dbus/system_bus_socket ]; then busctl --quiet call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig; fi"

// in are the base names of the files that leave in a directory, sorted.
func (s setup) in(dir, suffix string) []string {
	var names []string
	for _, f := range s.leaving {
		if !f.directory && !(f.link && dir == path.Clean(unitDir)) && path.Dir(f.path) == dir && strings.HasSuffix(f.path, suffix) {
			names = append(names, path.Base(f.path))
		}
	}
	slices.Sort(names)
	return names
}

// files returns the extension's files for its setup; nil without a
// setup.
func (s setup) files() []newFile {
	var files []newFile
	// The accounts of a commit come first among sysusers.d files, then these, then
	// the lines of packages for the same accounts without numbers. The lines of packages
	// for files take precedence over the lines here.
	sysusers, tmpfiles := "01-extension-"+s.name+".conf", "zz-extension-"+s.name+".conf"
	head := "# Made by Treewright for the extension " + s.name + ".\n"
	if len(s.sysusers) > 0 {
		files = append(files, newFile{machine.SysusersDir + "/" + sysusers, head + strings.Join(s.sysusers, "\n") + "\n", 0o644, ""})
	}
	rules := s.in("usr/lib/tmpfiles.d", ".conf")
	if len(s.lasting) > 0 {
		lasting := slices.Sorted(slices.Values(s.lasting))
		files = append(files, newFile{"usr/lib/tmpfiles.d/" + tmpfiles, head + strings.Join(lasting, "\n") + "\n", 0o644, ""})
		rules = append(rules, tmpfiles)
	}
	for _, of := range []string{"etc", "var"} {
		if lines := s.firstOf(of); len(lines) > 0 {
			files = append(files, newFile{s.firstRules(of), strings.Join(lines, "\n") + "\n", 0o644, ""})
		}
	}
	script := s.script(sysusers, rules)
	if script == "" && len(s.start) == 0 {
		return nil
	}
	program := "usr/libexec/extension-" + s.name + "-setup"
	unit := head + s.unit(program)
	// The service stays active once it has run. A version with another
	// setup has its own instance, which systemd starts at a refresh.
	all := unit + script
	for _, f := range files {
		all += f.text
	}
	sum := sha256.Sum256([]byte(all))
	template := s.name + "-setup@.service"
	instance := s.name + "-setup@" + hex.EncodeToString(sum[:4]) + ".service"
	files = append(files,
		newFile{program, "#!/bin/sh\n" + head + "# Run after the extension was merged.\nset -eu\n" + script, 0o755, ""},
		newFile{unitDir + template, unit, 0o644, ""},
		newFile{unitDir + "multi-user.target.upholds/" + instance, "", 0, "../" + template})
	needs := ""
	if script != "" {
		needs = "Requires=" + instance + "\nAfter=" + instance + "\n"
	}
	// An alias gets them by the name of its target.
	for _, u := range append(s.in("usr/lib/systemd/system", ".service"), s.in("usr/lib/systemd/system", ".socket")...) {
		if text := needs + s.afterEarly(u); text != "" {
			files = append(files, newFile{unitDir + u + ".d/10-" + s.name + "-setup.conf", head + "[Unit]\n" + text, 0o644, ""})
		}
	}
	return files
}

// afterEarly are the lines that order a unit after the early ones. As the machine starts, sysinit.target is between them;
// it was reached before the extension was merged.
func (s setup) afterEarly(unit string) string {
	if slices.Contains(s.early, unit) || slices.Contains(s.ownOrder, unit) {
		return ""
	}
	var b strings.Builder
	for _, e := range s.early {
		b.WriteString("After=" + strings.ReplaceAll(e, "%", "%%") + "\n")
	}
	return b.String()
}

// firstRules is the directory of the rules for first content of /etc or /var. In
// /usr/lib/tmpfiles.d they would hold at each boot.
func (s setup) firstRules(of string) string {
	return Factory(s.name) + "/first-" + of + ".conf"
}

// firstOf are the rules for paths below /etc or /var, sorted.
func (s setup) firstOf(of string) []string {
	lines := slices.DeleteFunc(slices.Clone(s.first), func(l string) bool { return !strings.HasPrefix(l[strings.IndexByte(l, ' ')+1:], "/"+of+"/") })
	slices.Sort(lines)
	return lines
}

const unitDir = "usr/lib/systemd/system/"

// script is the program of the setup, "" without one.
func (s setup) script(sysusers string, rules []string) string {
	var b strings.Builder
	if len(s.sysusers)+len(s.first) > 0 {
		b.WriteString(once)
	}
	// Files that were brought to an /etc are noted there, because each deployment has its own /etc.
	etc, state := "/etc/.extension-"+s.name+"-brought", "/var/lib/treewright/extension-"+s.name+"-brought"
	if len(s.sysusers) > 0 {
		fmt.Fprintf(&b, "once %s /%s/%s systemd-sysusers -\n", etc, machine.SysusersDir, sysusers)
	}
	if len(s.own.Users)+len(s.own.Groups) > 0 {
		// systemd-sysusers takes another number if another account has this one.
		fmt.Fprintf(&b, `
expect() {
	have=$(getent "$1" "$2" | cut -d: -f3)
	[ "$have" = "$3" ] && return
	echo "$2 of $1 has the number ${have:-none} on this machine; files of the extension %s belong to $3" >&2
	exit 1
}
`, s.name)
		for _, name := range slices.Sorted(maps.Keys(s.own.Groups)) {
			fmt.Fprintf(&b, "expect group %s %d\n", sandbox.Quote(name), s.own.Groups[name])
		}
		for _, name := range slices.Sorted(maps.Keys(s.own.Users)) {
			fmt.Fprintf(&b, "expect passwd %s %d\n", sandbox.Quote(name), s.own.Users[name])
		}
	}
	if len(rules) > 0 {
		// As systemd-tmpfiles-setup.service has it: a rule that does not work
		// leaves the others in force.
		fmt.Fprintf(&b, "\nsystemd-tmpfiles --create %s || case $? in 65|73) ;; *) exit 1 ;; esac\n", quoted(rules))
	}
	for _, of := range [][2]string{{"etc", etc}, {"var", state}} {
		if len(s.firstOf(of[0])) > 0 {
			fmt.Fprintf(&b, "once %s /%s systemd-tmpfiles --create -\n", of[1], s.firstRules(of[0]))
		}
	}
	done := ""
	for _, a := range afterMerge {
		if names := s.in(a.dir, a.suffix); len(names) > 0 && a.run != done {
			done = a.run
			fmt.Fprintf(&b, "%s || echo \"%s of the extension %s: not all is in force\" >&2\n",
				strings.ReplaceAll(a.run, "%s", quoted(names)), path.Base(a.dir), s.name)
		}
	}
	return b.String()
}

// once is a function for the script. It leaves files alone that were changed or deleted
// after they were brought.
const once = `
# once BROUGHT FILE PROGRAM...: gives a program the lines of a file that it was
# not given before.
once() {
	brought=$1 file=$2
	shift 2
	mkdir -p "${brought%/*}"
	touch "$brought"
	new=$(grep -vxFf "$brought" "$file") || return 0
	if printf '%s\n' "$new" | "$@"; then
		printf '%s\n' "$new" >> "$brought"
	else
		case $? in 65|73) ;; *) exit 1 ;; esac
	fi
}

`

// quoted are words for a shell.
func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = sandbox.Quote(w)
	}
	return strings.Join(out, " ")
}

// unit is the service's template. It is ordered before the extension's own
// units, which may be needed early, and so it is ordered only after the units that it needs.
func (s setup) unit(program string) string {
	wants := ""
	for _, u := range slices.Compact(slices.Sorted(slices.Values(s.start))) {
		wants += "Wants=" + strings.ReplaceAll(u, "%", "%%") + "\n"
	}
	return `[Unit]
Description=Set up the system extension ` + s.name + `
DefaultDependencies=no
After=local-fs.target systemd-sysusers.service systemd-tmpfiles-setup.service
Before=shutdown.target
Conflicts=shutdown.target
` + wants + `
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/` + program + `
`
}
