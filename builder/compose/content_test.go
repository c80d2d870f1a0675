package compose

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/treewright/treewright/builder/config"
)

// ownTree is a tree with one flavour, which has this beside its one feature.
func ownTree(t *testing.T, content string) (*config.Project, *config.Flavour) {
	t.Helper()
	p, diags := config.Load(fstest.MapFS{
		"features/base/info.yaml":   {Data: []byte("type: platform\nparameters:\n  user:\n    format: user-name\n")},
		"features/base/pkg.include": {Data: []byte("systemd\nsudo\n")},
		"features/base/pkg.exclude": {Data: []byte("nano\n")},
		"features/disk/info.yaml":   {Data: []byte("type: element\nstage: image\n")},
		"flavours/own.hcl":          {Data: []byte("flavour \"own\" {\n  distribution { suite = \"testing\" }\n  features = [\"base\"]\n" + content + "}\n")},
	}, config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p, p.Flavours[0]
}

func TestContentIsAFeature(t *testing.T) {
	p, f := ownTree(t, `
packages = ["nginx", "gdb [arm64]", "linux-$suite"]
files    = { "/etc/motd" = "Welcome\n", "/etc/key" = { content = "x", secret = true } }
users    = { ada = { sudo = true, ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI ada"] } }
timezone = "UTC"
locale   = "de_DE.UTF-8"
keymap   = "us,de(nodeadkeys)"
sysctl   = { "kernel.panic" = 10 }
`)
	s, diags := Resolve(p, f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := packages(s.Packages); got != "systemd sudo nginx linux-testing tzdata locales console-setup" {
		t.Errorf("the packages are %s", got)
	}
	if got := s.Packages[2].Range; got.Filename != "flavours/own.hcl" || got.Start.Line != 5 || got.End.Column-got.Start.Column != len("nginx") {
		t.Errorf("nginx is asked for at %v", got)
	}
	if got := names(s.Composed()); got != "base flavour" || names(s.Features) != "base" {
		t.Errorf("composed of %s", got)
	}
	own := s.Composed()[1]
	if len(own.Secrets) != 1 || own.Secrets[0].Text != "/etc/key" {
		t.Errorf("the secrets are %v", own.Secrets)
	}
	files := map[string]config.Generated{}
	for _, g := range s.Generated[own.Name] {
		files[g.Path] = g
	}
	for path, want := range map[string]string{
		"/etc/motd": "Welcome\n", "/etc/locale.conf": "LANG=de_DE.UTF-8\n", "/usr/lib/sysctl.d/90-flavour.conf": "# From the flavour's sysctl.\nkernel.panic = 10\n",
		"/etc/sudoers.d/ada":    "ada ALL=(ALL:ALL) NOPASSWD: ALL\n",
		"/etc/default/keyboard": "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"us,de\"\nXKBVARIANT=\",nodeadkeys\"\nXKBOPTIONS=\"\"\nBACKSPACE=\"guess\"\n",
	} {
		if got := string(files[path].Content); got != want {
			t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	if keys := files["/home/ada/.ssh/authorized_keys"]; keys.Mode != "0600" || keys.Owner != "ada" || keys.Range.Start.Line != 7 {
		t.Errorf("the keys are %+v", keys)
	}
	if got := files["/etc/sudoers.d/ada"].Mode; got != "0440" {
		t.Errorf("the mode for sudo is %s", got)
	}
}

// TestContentExcludes: what a flavour excludes counts for all features of its system.
func TestContentExcludes(t *testing.T) {
	p, f := ownTree(t, "exclude_packages = [\"sudo\", \"!exim4 [amd64]\", \"gdb [arm64]\"]\nexclude_files = [\"/usr/share/info/**\"]\n")
	s, diags := Resolve(p, f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := packages(s.Packages) + " / " + packages(s.Excluded) + " / " + packages(s.Forbidden); got != "systemd / nano sudo exim4 / exim4" {
		t.Errorf("included, excluded and forbidden are %s", got)
	}
	if at := s.Forbidden[0].Range; at.Filename != "flavours/own.hcl" || at.Start.Line != 4 {
		t.Errorf("exim4 is forbidden at %v", at)
	}
	if own := s.Composed()[1]; len(own.FileExclude) != 1 || own.FileExclude[0].Text != "/usr/share/info/**" {
		t.Errorf("the files excluded are %v", own.FileExclude)
	}
}

func TestNoContent(t *testing.T) {
	p, f := ownTree(t, "")
	s, diags := Resolve(p, f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := names(s.Composed()); got != "base" || len(s.Generated) != 0 {
		t.Errorf("composed of %s, with %v", got, s.Generated)
	}
}

func TestContentFaults(t *testing.T) {
	for content, want := range map[string]string{
		`kernel_args = ["quiet"]`:                                                 `flavours/own.hcl:4: Setting without effect: Flavour "own" has kernel_args, but no feature that makes a disk image`,
		`packages = ["nginx", "ngi nx"]`:                                          `flavours/own.hcl:4: More than one package on a line`,
		`packages = ["./gdb.deb"]`:                                                `flavours/own.hcl:4: Invalid package name: "./gdb.deb" is a file. Packages of one's own are in file.debs/ of a feature`,
		`exclude_packages = ["gdb=1"]`:                                            `flavours/own.hcl:4: Version in an exclude: A package is excluded regardless of its version`,
		`exclude_packages = ["gdb [adm64]"]`:                                      `Did you mean "amd64"?`,
		`exclude_packages = ["suod"]`:                                             `flavours/own.hcl:4: Exclude without effect: No feature of flavour "own" asks for "suod". Did you mean "sudo"? To keep it away as a dependency as well, write "!suod".`,
		`packages = ["gdb [adm64]"]`:                                              `Did you mean "amd64"?`,
		`packages = [join("", ["nginx [", "adm64]"])]`:                            `Did you mean "amd64"?`,
		"locale = \"C.UTF-8\"\nfiles = { \"/etc/locale.conf\" = \"\"}":            `flavours/own.hcl:5: Two contents: /etc/locale.conf is made of what the flavour says at flavours/own.hcl:4`,
		"timezone = \"UTC\"\nfiles = { \"/etc/localtime\" = \"\"}":                `flavours/own.hcl:5: Two contents: /etc/localtime is made of what the flavour says at flavours/own.hcl:4`,
		"timezone = \"UTC\"\nfiles = { \"/etc/localtime/x\" = \"\"}":              `flavours/own.hcl:5: File below a file: /etc/localtime/x cannot be there`,
		"users = { ada = {} }\nset \"base\" { user = \"ada\" }":                   `flavours/own.hcl:4: Account named twice: User "ada", with a group of that name, is made by feature "base" already, as its parameter "user" says at flavours/own.hcl:5.`,
		"groups = [\"ada\"]\nset \"base\" { user = \"ada\" }":                     `flavours/own.hcl:4: Account named twice: User "ada", with a group of that name,`,
		"locale = \"C.UTF-8\"\nfiles = { \"/etc/locale.conf/x\" = \"\"}":          `flavours/own.hcl:5: File below a file: /etc/locale.conf/x cannot be there: /etc/locale.conf is a file that is made of what the flavour says at flavours/own.hcl:4.`,
		"users = { ada = { sudo = true } }\nfiles = { \"/etc/sudoers.d\" = \"\"}": `flavours/own.hcl:5: File below a file: /etc/sudoers.d cannot be a file: /etc/sudoers.d/ada is made of what the flavour says at flavours/own.hcl:4.`,
	} {
		p, f := ownTree(t, content+"\n")
		_, diags := Resolve(p, f)
		if len(diags) != 1 {
			t.Errorf("%s: %d faults: %v", content, len(diags), diags)
			continue
		}
		if got := config.PlaceOf(*diags[0].Subject) + ": " + diags[0].Summary + ": " + diags[0].Detail; !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", content, got, want)
		}
	}
	p, f := ownTree(t, `kernel_args = ["quiet"]`+"\nadd_features = [\"disk\"]\n")
	if _, diags := Resolve(p, f); diags.HasErrors() {
		t.Errorf("with an image: %v", diags)
	}
}
