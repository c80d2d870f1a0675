package trial

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/vm"
)

// sshServers are packages whose server answers on port 22 once they are installed.
var sshServers = []string{"openssh-server", "dropbear", "tinysshd"}

// way chooses how a person gets into a machine with what a manifest lists, and prints
// what will not work: without a systemd that is new enough there is only ssh.
func (w Machine) way(m *publish.Manifest) Machine {
	_, ssh := installed(m, sshServers...)
	w.server = ssh || len(m.Packages) == 0
	systemd, known := installed(m, "systemd")
	why := fmt.Sprintf("systemd %d of the image does not let root in on the console from outside, %d does", major(systemd.Version), vm.TakesUnits)
	if !known {
		why = "the image has no systemd, which would let root in on the console from outside"
	}
	switch {
	case len(m.Packages) == 0:
		// A tree of somebody else, which keeps no list.
	case w.SSH && !ssh:
		hint := ""
		if major(systemd.Version) >= vm.TakesUnits {
			hint = "; without --ssh, root is logged in on the console"
		}
		w.Say("no package of the image is an ssh server (" + strings.Join(sshServers, ", ") + ")" + hint)
	case w.SSH || major(systemd.Version) >= vm.TakesUnits:
	case ssh && w.Attended:
		w.Say(why + "; this shell is by ssh")
		w.SSH = true
	default:
		w.Say(why + ": only those can log in who have a password in the image")
		w.closed = true
	}
	return w
}

// installed finds the first of the packages that a manifest lists.
func installed(m *publish.Manifest, names ...string) (publish.ManifestPackage, bool) {
	i := slices.IndexFunc(m.Packages, func(p publish.ManifestPackage) bool { return slices.Contains(names, p.Name) })
	if i < 0 {
		return publish.ManifestPackage{}, false
	}
	return m.Packages[i], true
}

// major is the number that a version without an epoch begins with: 257 of "257.8-1~deb13u2".
func major(version string) int {
	n, _ := strconv.Atoi(version[:len(version)-len(strings.TrimLeft(version, "0123456789"))])
	return n
}

// booting reports what a person will see, and how the machine is left.
func (w Machine) booting(kvm bool) string {
	takes := "within some seconds"
	if !kvm {
		takes = "after some minutes, as it is emulated"
	}
	const atOnce = "Ctrl-A X switches the machine off at any moment, like a power cut"
	switch {
	case !w.Attended:
		return "booting; without a terminal here, the console is written to the standard output until the machine switches itself off or this process is ended (--ssh -- COMMAND runs a command in it)"
	case w.closed:
		return "booting; " + atOnce
	}
	return "booting; root's shell is here " + takes + ", and `exit` there switches the machine off; " + atOnce
}
