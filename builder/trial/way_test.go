package trial

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/publish"
)

// TestWay: the way in is one that the image offers, and what will not work is printed.
func TestWay(t *testing.T) {
	tests := []struct {
		name          string
		packages      string
		ssh, attended bool
		bySSH         bool
		said, booting string // parts of what is said
	}{
		{"console", "systemd=262-1 openssh-server=1:10.6p1-1", false, true, false, "", "root's shell is here"},
		{"no ssh server", "systemd=257.8-1~deb13u2", false, true, false, "", "`exit` there switches the machine off; Ctrl-A X"},
		{"ssh without a server", "systemd=262-1", true, true, true, "no package of the image is an ssh server", ""},
		{"ssh", "systemd=262-1 dropbear=2025.88-2", true, true, true, "", ""},
		{"old systemd with ssh", "systemd=252.39-1~deb12u1 openssh-server=1:9.2p1-2", false, true, true, "systemd 252 of the image does not let root in on the console from outside, 256 does; this shell is by ssh", ""},
		{"old systemd", "systemd=252.39-1~deb12u1", false, true, false, "only those can log in who have a password in the image", "booting; Ctrl-A X"},
		{"old systemd in CI", "systemd=252.39-1~deb12u1 openssh-server=1:9.2p1-2", false, false, false, "only those can log in", "without a terminal here"},
		{"another init", "sysvinit-core=3.18-1 openssh-server=1:10.6p1-1", false, true, true, "the image has no systemd, which would let root in on the console from outside; this shell is by ssh", ""},
		{"packages unknown", "", true, true, true, "", ""},
		{"packages unknown, console", "", false, true, false, "", "root's shell is here"},
		{"no terminal", "systemd=262-1", false, false, false, "", "without a terminal here"},
	}
	for _, tt := range tests {
		m := &publish.Manifest{}
		for _, p := range strings.Fields(tt.packages) {
			name, version, _ := strings.Cut(p, "=")
			m.Packages = append(m.Packages, publish.ManifestPackage{Package: distro.Package{Name: name, Version: version, Arch: "amd64"}})
		}
		var said []string
		w := Machine{SSH: tt.ssh, Attended: tt.attended, Say: func(line string) { said = append(said, line) }}.way(m)
		if text := strings.Join(said, "\n"); w.SSH != tt.bySSH || !strings.Contains(text, tt.said) || (tt.said == "") != (text == "") {
			t.Errorf("%s: by ssh: %v, said %q", tt.name, w.SSH, text)
		}
		if text := w.booting(true); !strings.Contains(text, tt.booting) || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", tt.name, text)
		}
	}
	if text := (Machine{Attended: true}).booting(false); !strings.Contains(text, "minutes, as it is emulated") {
		t.Errorf("without KVM: %q", text)
	}
}
