//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// ownContent is what a flavour brings without a feature of its own.
const ownContent = `
  packages = ["tree", "nginx-light"]
  files = {
    "/"                   = { source = "own/files" }
    "/etc/motd"           = "Welcome to ${local.name}\n"
    "/etc/own/app.conf"   = { source = "own/app.conf", mode = "0640", group = "sensors" }
    "/usr/bin/hello-own"  = { content = "#!/bin/sh\necho hello\n", mode = "0755" }
    "/srv/own"            = { source = "own/files/usr/share/own", owner = "service" }
    "/usr/lib/sysusers.d/declared.conf" = "u declared 777\n"
  }
  units = {
    enable  = ["own"]
    disable = ["nginx"]
    mask    = ["systemd-timesyncd.service"]
  }
  users = {
    ada = {
      gecos    = "Ada Lovelace"
      groups   = ["video", "sensors"]
      ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI ada"]
      sudo     = true
    }
    service = { system = true, uid = 850, home = "/var/lib/service" }
  }
  groups   = ["sensors"]
  timezone = "Europe/Berlin"
  locale   = "de_DE.UTF-8"
  keymap   = "de(nodeadkeys)"
  sysctl   = { "net.ipv4.ip_forward" = 1 }
  exclude_packages = ["nano"]
  exclude_files    = ["/etc/nginx/koi-*", "/usr/share/pixmaps/**"]
}

locals {
  name = "the lobby"
}
`

// contentFlavour is [minimal] with content.
func contentFlavour(content string) string {
	return strings.TrimSuffix(minimal, "}\n") + content
}

func TestContent(t *testing.T) {
	t.Parallel()
	p := sharing(t, contentFlavour(ownContent))
	p.write("own/files/usr/lib/systemd/system/own.service", "[Service]\nUser=service\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n")
	p.write("own/files/usr/share/own/index.html", "<p>hello\n")
	p.write("own/app.conf", "a = 1\n")
	first := p.build()
	repo := p.output("small-repo-amd64")
	m := newMachine(t, p, repo, first.Commit)
	m.boot()
	m.boot() // nothing is undone at a second start
	ids := m.ids()
	for script, want := range map[string]string{
		"cat /etc/motd":                             "Welcome to the lobby",
		"stat -c '%a %U %G' /etc/own/app.conf":      "640 root sensors",
		"/usr/bin/hello-own":                        "hello",
		"cat /usr/share/own/index.html":             "<p>hello",
		"stat -c '%U %G' /srv/own/index.html":       "service root",
		"getent passwd ada | cut -d: -f5-":          "Ada Lovelace:/home/ada:/bin/bash",
		"getent passwd service | cut -d: -f3,6-":    "850:/var/lib/service:/usr/sbin/nologin",
		"getent passwd declared | cut -d: -f3":      "777",
		"id -nG ada":                                "ada sudo video sensors",
		"getent shadow ada | cut -d: -f2":           "!",
		"stat -Lc '%a %U %G' /home/ada":             "700 ada ada",
		"stat -Lc '%a %U %G' /home/ada/.ssh":        "700 ada ada",
		"stat -c '%a %U' ~ada/.ssh/authorized_keys": "600 ada",
		"cut -d' ' -f3 ~ada/.ssh/authorized_keys":   "ada",
		"stat -c '%a %U %G' ~service":               "700 service service",
		"visudo -cq && cat /etc/sudoers.d/ada":      "ada ALL=(ALL:ALL) NOPASSWD: ALL",
		"readlink /etc/localtime":                   "../usr/share/zoneinfo/Europe/Berlin",
		"date -d @0 +%H%Z":                          "01CET",
		"cat /etc/locale.conf":                      "LANG=de_DE.UTF-8",
		"LC_ALL=de_DE.UTF-8 date -d @0 +%A":         "Donnerstag",
		"grep XKB[LV] /etc/vconsole.conf":           "XKBLAYOUT=\"de\"\nXKBVARIANT=\"nodeadkeys\"",
		"zcat /etc/console-setup/cached_UTF-8_del.kmap.gz | grep -c '^keycode 21 = +U+007a'":   "1",
		"command -v nano || ls /etc/nginx | grep koi || echo neither":                          "neither",
		"tail -n1 /usr/lib/sysctl.d/90-flavour.conf":                                           "net.ipv4.ip_forward = 1",
		"for u in own nginx systemd-timesyncd; do systemctl --root=/ is-enabled $u || :; done": "enabled\ndisabled\nmasked",
		"for p in tree nginx visudo setupcon; do command -v $p; done | wc -l":                  "4",
	} {
		if got, err := m.try("sh", "-c", script); err != nil || strings.TrimSuffix(got, "\n") != want {
			t.Errorf("%s: got %q, error %v, want %q", script, got, err, want)
		}
	}
	for path, place := range map[string]string{"/etc/motd": "flavours/e2e.hcl:14", "/usr/share/own/index.html": "flavours/e2e.hcl:13", "/home/ada/.ssh/authorized_keys": "flavours/e2e.hcl:26", "/etc/locale.conf": "flavours/e2e.hcl:36"} {
		if out, code := p.treewright(nil, "why", flavourName, path); code != 0 || !strings.Contains(out, "rootfs/file.include/flavour") || !strings.Contains(out, "  "+place+"\n") {
			t.Errorf("why %s: exit %d\n%s", path, code, out)
		}
	}

	// Lines that move change nothing, and a further user keeps the others' numbers.
	p.write("flavours/e2e.hcl", "\n\n"+contentFlavour(ownContent))
	if again := p.build(); again.Commit != first.Commit || len(again.ran()) != 0 {
		t.Errorf("with lines that moved, %v ran and the commit is %s", again.ran(), again.Commit)
	}
	p.write("flavours/e2e.hcl", contentFlavour(strings.NewReplacer("ada = {", "aaron = {}\n    ada = {", "the lobby", "the hall", `"nginx-light"]`, `"nginx-light", "hello"]`, `["own"]`, `[]`).Replace(ownContent)))
	second := p.build()
	if second.Parent != first.Commit {
		t.Errorf("the second commit follows %s", second.Parent)
	}
	out, code := p.treewright(nil, "diff", flavourName+"^", flavourName, "--files", "--exit-code")
	for _, want := range []string{"\nPackages added: 1\n  hello ", "\n  own.service disabled by multi-user.target\n", "\n  user aaron added: ", "\n  ! /usr/etc/motd\n", "\n  + /usr/bin/hello\n", "\n  package hello: ", "\n  the flavour itself: ", "\n  download: "} {
		if code != 5 || !strings.Contains(out, want) {
			t.Errorf("diff: exit code %d, without %q:\n%s", code, want, out)
		}
	}
	m.upgrade(second.Commit)
	m.boot()
	if names := moved(ids, m.ids()); len(names) > 0 {
		t.Errorf("moved: %v", names)
	}
	if got := m.run("cat", "/etc/motd"); got != "Welcome to the hall" {
		t.Errorf("after the upgrade: %s", got)
	}
}

// TestContentFaults: what only the tree can tell is an error at the flavour's line, and all
// that one step finds are told together.
func TestContentFaults(t *testing.T) {
	t.Parallel()
	type fault struct{ line, want string }
	for _, faults := range [][]fault{
		{
			{`units = { enable = ["sshh", "systemd-journald"] }`, `There is no unit "sshh.service"`},
			{`timezone = "Europe/Berln"`, `There is no time zone "Europe/Berln" in the tree; old names are in the package tzdata-legacy. Did you mean "Europe/Berlin"?`},
		},
		{{
			`users = { ada = { groups = ["vidoe"] } }`,
			`There is no group "vidoe", which ada is to be a member of. A package that makes it is missing, or it has to be in groups of the flavour, also if a sysusers.d file of a feature declares it, because that is read later. Did you mean "video"?`,
		}},
		{{`files = { "/etc/x" = { content = "", owner = "www" } }`, `/etc/x of flavour cannot have this owner: the tree has no user "www".`}},
	} {
		content, wants := "", []string{}
		for i, f := range faults {
			content += "  " + f.line + "\n"
			wants = append(wants, f.want, fmt.Sprintf("on flavours/e2e.hcl line %d", 10+i), fmt.Sprintf("  %d:   %s", 10+i, f.line))
		}
		if len(faults) > 1 {
			wants = append(wants, `The unit "systemd-journald.service" cannot be enabled: it has no [Install] section`)
		}
		p := sharing(t, contentFlavour(content+"}\n"))
		out, code := p.treewright(nil, "--progress", "plain", flavourName)
		for _, want := range wants {
			if code != 3 || !strings.Contains(out, want) {
				t.Errorf("%s: exit %d, want %s:\n%s", content, code, want, out)
			}
		}
	}
}
