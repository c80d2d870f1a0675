package config

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/shell"
)

// TestVain: what a command in a script cannot do, and what it can.
func TestVain(t *testing.T) {
	f := &Feature{Name: "a", Dir: "features/a"}
	for line, want := range map[string]string{
		"apt-get install -y vim curl":         "Write vim, curl to features/a/pkg.include",
		"apt update":                          "Write packages to features/a/pkg.include",
		"apt-get install /builder/x.deb":      "",
		"apt-get clean":                       "",
		"wget https://e/x":                    "features/a/",
		"curl --version":                      "",
		"curl -o x file:///builder/x":         "",
		"git clone https://e/x":               "git clone: scripts have no network",
		"git clone /builder/features/a/x":     "",
		"git init /x":                         "",
		"pip install flask":                   "pip install: scripts have no network",
		"pip install --no-index flask":        "",
		"npm ci":                              "npm ci: scripts have no network",
		"sudo -u web make":                    "",
		"sudo make":                           "Leave it out",
		"systemctl enable ssh":                "",
		"systemctl --now enable ssh":          "systemctl enable ssh",
		"systemctl restart ssh.service":       "systemctl enable ssh.service",
		"systemctl stop ssh":                  "systemctl disable",
		"systemctl start":                     "systemctl enable NAME",
		"systemctl --root=/x list-unit-files": "",
		"service ssh start":                   "systemctl enable NAME",
		"hostnamectl set-hostname x":          "/etc/hostname",
		"timedatectl set-timezone UTC":        "Set timezone",
		"localectl set-locale C.UTF-8":        "Set locale",
		"echo curl":                           "",
	} {
		got := ""
		for _, c := range shell.Commands([]byte(line)) {
			_, got = vain(f, "exec.config", c)
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	for _, c := range shell.Commands([]byte("apt install make")) {
		if _, got := vain(f, "exec.build", c); !strings.Contains(got, "features/a/pkg.build") {
			t.Errorf("in exec.build: %s", got)
		}
	}
}
