package lint

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

// lintTree lints a tree given as file -> text, where a program is what begins
// with "#!". It returns "PLACE SUMMARY" of each warning.
func lintTree(t *testing.T, files map[string]string) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		fsys["features/"+name] = &fstest.MapFile{Data: []byte(text), Mode: mode}
		feature, _, _ := strings.Cut(name, "/")
		fsys["features/"+feature+"/info.yaml"] = &fstest.MapFile{Data: []byte("type: element\n"), Mode: 0o644}
	}
	p, diags := tree.Load(fsys)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	for _, d := range Tree(fsys, p) {
		got = append(got, fmt.Sprintf("%s:%d %s", strings.TrimPrefix(d.Subject.Filename, "features/"), d.Subject.Start.Line, d.Summary))
	}
	return got
}

// match compares places, and summaries of which a part is wanted.
func match(t *testing.T, got, want []string) {
	t.Helper()
	for _, w := range want {
		place, summary, _ := strings.Cut(w, " ")
		found := false
		for i, g := range got {
			if p, s, _ := strings.Cut(g, " "); p == place && strings.Contains(s, summary) {
				got = append(got[:i:i], got[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("nothing says %q", w)
		}
	}
	for _, g := range got {
		t.Errorf("unexpected: %s", g)
	}
}

// TestLintScripts takes the sections of testdata/lint.txt: a script's name, then
// its lines, where "#= TEXT" after one is a part of the summary expected there.
func TestLintScripts(t *testing.T) {
	text, err := os.ReadFile("testdata/lint.txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(text), "\n=== ")[1:]
	if len(sections) < 15 {
		t.Fatalf("%d sections only", len(sections))
	}
	for _, section := range sections {
		title, lines, _ := strings.Cut(section, "\n")
		file, name, _ := strings.Cut(title, ": ")
		t.Run(name, func(t *testing.T) {
			var script strings.Builder
			var want []string
			for i, line := range strings.Split(lines, "\n") {
				code, summary, expected := strings.Cut(line, " #= ")
				script.WriteString(code + "\n")
				if expected {
					want = append(want, fmt.Sprintf("a/%s:%d %s", file, i+1, summary))
				}
			}
			match(t, lintTree(t, map[string]string{"a/" + file: script.String()}), want)
		})
	}
}

func TestLintNamesOtherLines(t *testing.T) {
	fsys := fstest.MapFS{
		"features/a/info.yaml":  {Data: []byte("type: element\n")},
		"features/a/exec.early": {Data: []byte("#!/bin/sh\ncurl a\nwget b; wget c\ntrue\n\tcurl d\n"), Mode: 0o755},
	}
	p, _ := tree.Load(fsys)
	diags := Tree(fsys, p)
	if len(diags) != 1 || !strings.HasPrefix(diags[0].Detail, `"curl": `) || !strings.HasSuffix(diags[0].Detail, "Lines 3, 5 do so too.") {
		t.Fatalf("got %v", diags)
	}
	if at := diags[0].Subject; at.Start.Line != 2 || at.Start.Column != 1 || at.End.Column != 5 {
		t.Errorf("at %v", at)
	}
}

func TestLintFollowsHelpers(t *testing.T) {
	const loop = "#!/bin/sh\nlosetup -f\n"
	match(t, lintTree(t, map[string]string{
		"a/image.x":      "#!/bin/sh\nfor f in $fs; do /builder/features/$f/x.config; done\n",
		"b/x.config":     "#!/bin/sh\n\"$(dirname \"$0\")\"/second\n",
		"b/second":       loop,
		"b/not-called":   loop,
		"b/x.config.old": loop,
		"b/exec.post":    "#!/bin/sh\n# /builder/features/b/not-called\n",
	}), []string{"b/second:2 needs devices"})
}

func TestLintQuirks(t *testing.T) {
	const script = "#!/bin/sh\n"
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"newlines": {map[string]string{
			"a/pkg.include": "foo", "a/pkg.exclude": "foo\nbar", "b/pkg.exclude": "foo\n# bar", "b/file.exclude": "/x", "b/fstab": "a / ext4 rw\n", "c/fstab": "a / ext4 rw",
		}, []string{"a/pkg.exclude:2 differently", "b/file.exclude:1 differently", "c/fstab:1 differently"}},
		"carriage returns": {map[string]string{
			"a/pkg.include": "foo\r\n", "a/exec.early": "#!/bin/sh\r\ntrue\r\n",
		}, []string{"a/pkg.include:1 differently", "a/exec.early:1 carriage returns"}},
		"names": {map[string]string{
			"a/image.raw": script, "b/image": script, "c/convert.raw~esp.tar": script, "d/convert.x~release": script,
		}, []string{"a/image.raw:1 differently", "d/convert.x~release:1 differently"}},
		"own release": {map[string]string{
			"d/convert.x~release": script, "e/file.include/etc/os-release": "ID=x\n",
		}, nil},
		"directories": {map[string]string{
			"a/file.include/root/x": "", "a/file.include/var/tmp/x": "", "a/file.include/etc/x": "", "b/file.include/bin/x": "",
			"c/file.include/tmp/x": "", "c/file.include.stat": "root root 1777 /tmp/\n",
		}, []string{"a/file.include:1 differently", "b/file.include/bin:1 differently"}},
		"secrets": {map[string]string{
			"a/file.include/etc/systemd/system/getty@tty1.service.d/x.conf": "[Service]\n# --autologin root\nExecStart=-/sbin/agetty --autologin root %I\n",
			"a/file.include/etc/ssh/key":                                    "-----BEGIN OPENSSH PRIVATE KEY-----\n",
			"a/file.include/etc/ssh/key.pub":                                "-----BEGIN PUBLIC KEY-----\n",
			"a/file.include/etc/shadow":                                     "daemon:*:1\nroot:$6$x:1\n",
		}, []string{
			"a/file.include/etc/systemd/system/getty@tty1.service.d/x.conf:3 Login without",
			"a/file.include/etc/ssh/key:1 Private key", "a/file.include/etc/shadow:2 Password",
		}},
		"random seed excluded": {map[string]string{
			"a/exec.late": script + "bootctl install\n", "b/image.x": script + "chroot x bootctl install\n", "c/file.exclude": "/efi/loader/random-seed\n",
		}, []string{"b/image.x:2 differ"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { match(t, lintTree(t, test.files), test.want) })
	}
}

func TestLintHidesPasswords(t *testing.T) {
	fsys := fstest.MapFS{
		"features/a/info.yaml":               {Data: []byte("type: element\n")},
		"features/a/file.include/etc/shadow": {Data: []byte("root:$6$hash:1\n")},
	}
	p, _ := tree.Load(fsys)
	if diags := Tree(fsys, p); len(diags) != 1 || strings.Contains(diags[0].Detail, "hash") || !strings.Contains(diags[0].Detail, `"root"`) {
		t.Errorf("got %v", diags)
	}
}
