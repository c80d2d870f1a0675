package config

import (
	"path"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/shell"
)

// judgeCommands warns of commands that cannot do in a script what they do on a machine,
// once for each program. `[[` and the like are found with the syntax.
func (l *loader) judgeCommands(f *Feature, name string, src []byte) {
	var said []string
	for _, c := range shell.Commands(src) {
		summary, detail := vain(f, path.Base(name), c)
		if summary == "" || slices.Contains(said, c.Name) {
			continue
		}
		said = append(said, c.Name)
		l.say(Warning(RangeIn(name, src, c.From, c.To), summary, "%s", detail))
	}
}

const (
	needsNetwork = "Script that needs a network"
	needsRunning = "Nothing runs here"
)

// vain reports why a command has no effect in a script, or fails; "" if it can do what
// it is for. script is the name of the file.
func vain(f *Feature, script string, c shell.Command) (summary, detail string) {
	verb := firstWord(c.Args)
	switch c.Name {
	case "apt-get", "apt", "aptitude":
		return packageManager(f, script, c, verb)
	case "curl", "wget":
		if !slices.ContainsFunc(c.Args, func(a string) bool {
			return a == "--version" || a == "--help" || strings.HasPrefix(a, "file://")
		}) {
			return needsNetwork, fetched(f, c.Name)
		}
	case "git":
		if verb == "clone" && !slices.ContainsFunc(c.Args, local) || verb == "fetch" || verb == "pull" {
			return needsNetwork, fetched(f, "git "+verb)
		}
	case "pip", "pip3", "pipx", "npm", "gem", "cargo", "snap", "flatpak":
		if (verb == "install" || verb == "ci") && !slices.ContainsFunc(c.Args, func(a string) bool { return a == "--no-index" || a == "--offline" || local(a) }) {
			return needsNetwork, fetched(f, c.Name+" "+verb)
		}
	case "sudo":
		if !slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "-u") || strings.HasPrefix(a, "--user") }) {
			return "Script with sudo", "Scripts run as root, and the system may not have sudo. Leave it out."
		}
	}
	return unheard(c, verb)
}

// unheard reports a command that asks a service which is not running.
func unheard(c shell.Command, verb string) (summary, detail string) {
	name := lastWord(c.Args)
	switch c.Name {
	case "systemctl":
		if !slices.Contains([]string{"start", "restart", "reload", "try-restart", "reload-or-restart", "stop", "isolate"}, verb) && !slices.Contains(c.Args, "--now") {
			break
		}
		if name == verb {
			name = "NAME"
		}
		if verb == "stop" || verb == "disable" {
			return needsRunning, "No service runs while a tree is composed, so systemctl leaves this out without an error. To keep one from being started with the machine: systemctl disable NAME"
		}
		return needsRunning, "No service runs while a tree is composed, so systemctl leaves this out without an error. To have it started with the machine: systemctl enable " + name
	case "service":
		return needsRunning, "No service runs while a tree is composed. To have it started with the machine: systemctl enable NAME"
	case "hostnamectl":
		return needsRunning, "hostnamectl asks a service that does not run while a tree is composed. Set the parameter hostname of base, or write /etc/hostname."
	case "timedatectl":
		return needsRunning, "timedatectl asks a service that does not run while a tree is composed. Set timezone in the flavour."
	case "localectl":
		return needsRunning, "localectl asks a service that does not run while a tree is composed. Set locale or keymap in the flavour."
	}
	return "", ""
}

// packageManager suggests what to write instead of a command of apt.
func packageManager(f *Feature, script string, c shell.Command, verb string) (summary, detail string) {
	if !slices.Contains([]string{"update", "install", "reinstall", "upgrade", "dist-upgrade", "full-upgrade", "download", "source", "build-dep"}, verb) ||
		slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasSuffix(a, ".deb") }) {
		return "", ""
	}
	list := "pkg.include"
	if script == "exec.build" {
		list = "pkg.build"
	}
	what := "packages"
	if verb == "install" {
		var names []string
		for _, a := range c.Args {
			if a != verb && a != "" && !strings.HasPrefix(a, "-") {
				names = append(names, a)
			}
		}
		if len(names) > 0 {
			what = strings.Join(names, ", ")
		}
	}
	return needsNetwork, c.Name + " " + verb + ": scripts have no network. " + "Write " + what + " to " + path.Join(f.Dir, list) + ", a name in each line: they are installed before the script runs."
}

// fetched suggests where to put a file that a script would download.
func fetched(f *Feature, what string) string {
	return what + ": scripts have no network. What it fetches can be put into " + f.Dir + "/, which scripts see as /builder/features/" + f.Name + ", or into file.include."
}

// local reports whether an argument is a path.
func local(arg string) bool { return strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, ".") }

// firstWord is the first argument that is not an option, lastWord the last one.
func firstWord(args []string) string {
	if i := slices.IndexFunc(args, isWord); i >= 0 {
		return args[i]
	}
	return ""
}

func lastWord(args []string) string {
	for i := len(args) - 1; i >= 0; i-- {
		if isWord(args[i]) {
			return args[i]
		}
	}
	return ""
}

func isWord(arg string) bool { return arg != "" && !strings.HasPrefix(arg, "-") }
