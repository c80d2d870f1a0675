package difference

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/treetest"
)

// evil is a file name that would do something on a terminal and in Markdown.
const evil = "x\x1b[31m|`<b>@all\u202e"

// commits are two commits, made by the program ostree, of trees with these files. A
// file whose text begins with "->" is a link.
func commits(t *testing.T, before, after map[string]string) (sides [2]Side) {
	t.Helper()
	if _, err := exec.LookPath("ostree"); err != nil {
		treetest.Skip(t, "needs the program ostree")
	}
	dir := filepath.Join(t.TempDir(), "repo")
	run := func(args ...string) string {
		out, err := exec.Command("ostree", append([]string{"--repo=" + dir}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("ostree %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "--mode=archive")
	for i, files := range []map[string]string{before, after} {
		tree := t.TempDir()
		for name, text := range files {
			path := filepath.Join(tree, name)
			if target, ok := strings.CutPrefix(text, "->"); ok {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(target, path); err != nil {
					t.Fatal(err)
				}
				continue
			}
			treetest.Write(t, path, text)
			if mode, ok := map[string]os.FileMode{"setuid": os.ModeSetuid | 0o755, "secret": 0o600}[strings.TrimSpace(text)]; ok {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
		}
		sum := run("commit", "--branch=test", "--tree=dir="+tree, "--no-bindings", "--owner-uid=0", "--owner-gid=0", "--timestamp=@1700000000", "--add-metadata-string=version="+[]string{"1", "2"}[i])
		repo, err := ostree.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := repo.Commit(sum)
		if err != nil {
			t.Fatal(err)
		}
		s := &sides[i]
		*s = Side{Name: []string{"old", "new"}[i], Kind: "commit", Commit: sum, Version: c.Metadata["version"], Whole: true}
		of := ostree.TreeOf(repo, c)
		s.Tree = &of
		if s.Packages, s.Known, err = InstalledIn(of, debian.Family{}.Database()); err != nil {
			t.Fatal(err)
		}
	}
	return sides
}

func status(packages ...string) string {
	text := ""
	for _, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		text += "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n"
	}
	return text
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

const changelog = `tool (2) testing; urgency=high

  * Fix CVE-2026-1234 and CVE-2026-1234.
    It is ` + "\x1b[31mred\x1b[0m" + ` <script>alert(1)</script>.

 -- A <a@example.org>  Mon, 02 Feb 2026 10:00:00 +0000

tool (1) testing; urgency=low

  * First.

 -- A <a@example.org>  Sun, 01 Feb 2026 10:00:00 +0000
`

const db = "usr/lib/sysimage/dpkg/"

func trees() (before, after map[string]string) {
	before = map[string]string{
		db + "status":                       status("tool 1", "gone 1.0", "same 1", "back 3", "libtool 1"),
		db + "info/tool.list":               "/.\n/bin/tool\n/etc/tool.conf\n",
		db + "info/gone.list":               "/usr/bin/gone\n",
		"usr/bin/tool":                      "one\n",
		"usr/bin/gone":                      "setuid\n",
		"usr/etc/tool.conf":                 "a\n",
		"usr/etc/passwd":                    "root:x:0:0::/root:/bin/sh\nold:x:7:7::/:/bin/sh\nmoved:x:8:8::/:/bin/sh\n",
		"usr/etc/group":                     "root:x:0:\n",
		"usr/lib/systemd/system/ssh.socket": "[Socket]\nListenStream=22\n",
		"usr/lib/systemd/system/timers.target.wants/a.timer": "->../a.timer",
		"usr/share/same":   "same\n",
		"usr/lib/dir/mode": "open\n",
	}
	after = map[string]string{
		db + "status":                              status("tool 2", "fresh 1.0", "same 1", "back 2", "libtool 2"),
		db + "info/tool.list":                      "/.\n/bin/tool\n/etc/tool.conf\n",
		db + "info/fresh.list":                     "/usr/bin/fresh\n",
		"usr/bin/tool":                             "two two\n",
		"usr/bin/fresh":                            "setuid\n",
		"usr/etc/tool.conf":                        "b\n",
		"usr/etc/passwd":                           "root:x:0:0::/root:/bin/sh\nnew:x:9:9::/:/bin/sh\nmoved:x:10:10::/:/bin/sh\n",
		"usr/etc/group":                            "root:x:0:\nstaff:x:50:\n",
		"usr/lib/systemd/system/ssh.socket":        "[Socket]\nListenStream=2222\n",
		"usr/etc/systemd/system/b.service":         "->/dev/null",
		"usr/etc/systemd/system/x.wants/c.service": "->/usr/lib/systemd/system/c.service",
		"usr/share/doc/tool/changelog.Debian.gz":   zipped(changelog),
		"usr/share/doc/libtool":                    "->tool",
		"usr/lib/modules/7/initramfs.img":          "initramfs\n",
		"usr/share/same":                           "same\n",
		"usr/lib/dir/mode":                         "secret\n",
		"usr/share/" + evil:                        "evil\n",
	}
	return before, after
}

func compared(t *testing.T) *Difference {
	t.Helper()
	sides := commits(t, first(trees()), second(trees()))
	d, err := Compare(t.Context(), sides[0], sides[1], Options{Distro: debian.Family{}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func first(a, _ map[string]string) map[string]string  { return a }
func second(_, b map[string]string) map[string]string { return b }

func TestCompare(t *testing.T) {
	d := compared(t)
	var packages []string
	for _, p := range d.Packages {
		packages = append(packages, p.Name+" "+p.What+" "+p.versions())
	}
	if want := []string{"libtool upgraded 1 -> 2", "tool upgraded 1 -> 2", "back downgraded 3 -> 2", "fresh added 1.0", "gone removed 1.0"}; !slices.Equal(packages, want) {
		t.Errorf("packages %q, want %q", packages, want)
	}
	// The link in usr/share/doc is followed, and what both have is there once.
	if p := d.Packages[0]; len(p.Changelog) != 1 || !slices.Equal(p.CVEs, []string{"CVE-2026-1234"}) || d.Packages[1].SameAs != "libtool" || d.Packages[1].Changelog != nil {
		t.Errorf("changelogs: %+v", d.Packages[:2])
	}
	if d.Packages[2].NoChangelog == "" || !slices.Equal(d.CVEs, []string{"CVE-2026-1234"}) {
		t.Errorf("back: %+v, CVEs %q", d.Packages[2], d.CVEs)
	}
	var causes []string
	for _, c := range d.Causes {
		causes = append(causes, c.Name+": "+c.counts())
	}
	for _, want := range []string{"package tool: 2 changed (+4 B)", "package gone: 1 removed (-7 B)", "package fresh: 1 added (+7 B)", "generated: initramfs: 1 added (+10 B)"} {
		if !slices.Contains(causes, want) {
			t.Errorf("causes %q lack %q", causes, want)
		}
	}
	var system []string
	for _, s := range d.system() {
		system = append(system, s.lines...)
	}
	want := []string{
		"a.timer disabled by timers.target", "b.service masked", "c.service enabled by x",
		"user moved renumbered: 8 -> 10", "user new added: 9", "user old removed: 7", "group staff added: 50",
		"/usr/bin/fresh: setuid 0", "/usr/bin/gone: no longer setuid 0",
		"+ ssh.socket: ListenStream=2222", "- ssh.socket: ListenStream=22",
	}
	if !slices.Equal(system, want) {
		t.Errorf("system\n%q\nwant\n%q", system, want)
	}
	i := slices.IndexFunc(d.Files, func(f File) bool { return f.Path == "/usr/lib/dir/mode" })
	if i < 0 || !slices.Equal(d.Files[i].Details, []string{"mode 0644 -> 0600"}) {
		t.Errorf("the mode: %+v", d.Files)
	}
	if slices.ContainsFunc(d.Files, func(f File) bool { return f.Path == "/usr/share/same" }) {
		t.Error("an equal file differs")
	}
	if s := d.Size; s == nil || s.After-s.Before != s.Grown || s.Before == 0 {
		t.Errorf("sizes %+v", s)
	}
}

// TestQuoted: what is in a repository is neither an escape of a terminal nor markup.
func TestQuoted(t *testing.T) {
	d := compared(t)
	for name, text := range map[string]string{"text": d.Text(Look{Files: true, Width: 80}), "markdown": d.Markdown(Look{Files: true})} {
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s has a control character:\n%q", name, text)
		}
		if !strings.Contains(text, `x\x1b[31m`) {
			t.Errorf("%s does not have the file:\n%s", name, text)
		}
	}
	for line := range strings.Lines(d.Markdown(Look{Files: true})) {
		code := strings.HasPrefix(line, "    ")
		if !code && (strings.Contains(line, "<b>") || strings.Contains(line, "<script") || strings.Contains(line, "`")) {
			t.Errorf("markup: %q", line)
		}
	}
	for in, want := range map[string]string{
		"": "", "a-b 1.0": "<code>a-b 1.0</code>", "a|b": "<code>a&#124;b</code>", "<i>@x`_*": "<code>&#60;i&#62;&#64;x&#96;&#95;&#42;</code>",
		"https://x": "<code>https&#58;//x</code>", "\x07": "<code>&#92;a</code>", "&amp;": "<code>&#38;amp&#59;</code>",
	} {
		if got := code(in); got != want {
			t.Errorf("code of %q is %q, want %q", in, got, want)
		}
	}
	var back Difference
	raw, err := json.Marshal(d)
	if err != nil || json.Unmarshal(raw, &back) != nil || len(back.Files) != len(d.Files) || bytes.ContainsRune(raw, 0x1b) {
		t.Errorf("JSON: %v", err)
	}
}

// TestMarkdownRemarks: a table has the reason where a package has no changelog of its own.
func TestMarkdownRemarks(t *testing.T) {
	text := compared(t).Markdown(Look{})
	for _, want := range []string{
		"| <code>libtool</code> | upgraded | <code>1</code> | <code>2</code> | CVE-2026-1234 |\n",
		"| <code>tool</code> | upgraded | <code>1</code> | <code>2</code> | CVE-2026-1234, <code>the same changes as libtool</code> |\n",
		"| <code>back</code> | downgraded | <code>3</code> | <code>2</code> | <code>no changelog&#58; the tree leaves it out",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestSame(t *testing.T) {
	sides := commits(t, first(trees()), first(trees()))
	d, err := Compare(t.Context(), sides[0], sides[1], Options{Distro: debian.Family{}})
	if err != nil || !d.Same || !strings.Contains(d.Text(Look{}), "Nothing differs.") || !strings.Contains(d.Markdown(Look{}), "Nothing differs.") {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestBuilds compares what only manifests have, and packages alone.
func TestBuilds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tool.deb")
	a := Side{Name: "a", Known: true, Build: true, KernelArgs: []string{"quiet", "ro"}, Listens: []string{"tcp/22"}}
	b := Side{Name: "b", Known: true, Build: true, KernelArgs: []string{"ro", "debug"}, Listens: []string{"tcp/22", "udp/53"}, Sums: map[distro.Package]string{}}
	d, err := Compare(t.Context(), a, b, Options{Distro: debian.Family{}, Package: func(string) string { return file }})
	if err != nil || d.Same || !slices.Equal(d.KernelArgs.Added, []string{"debug"}) || !slices.Equal(d.KernelArgs.Removed, []string{"quiet"}) || !slices.Equal(d.Sockets.Added, []string{"feature: udp/53"}) {
		t.Errorf("%+v, %v", d, err)
	}
	if len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "a has no commit") {
		t.Errorf("notes %q", d.Notes)
	}
}

// TestDownload: a download that is not known is a note.
func TestDownload(t *testing.T) {
	a := Side{Name: "a", Known: true}
	o := Options{Distro: debian.Family{}, Download: func() (*Download, error) { return &Download{3, 2000, 1000}, nil }}
	d, err := Compare(t.Context(), a, a, o)
	if err != nil || !strings.Contains(d.Text(Look{}), "download: 2.0 kB in 3 objects; 1.0 kB by static delta\n") || !strings.Contains(d.Markdown(Look{}), "- download: 2.0 kB in 3 objects") {
		t.Errorf("%s, %v", d.Text(Look{}), err)
	}
	o.Download = func() (*Download, error) { return nil, errors.New("no server lists sizes") }
	d, err = Compare(t.Context(), a, a, o)
	if err != nil || d.Download != nil || !strings.Contains(d.Text(Look{}), "what a machine downloads is not known: no server lists sizes") {
		t.Errorf("%s, %v", d.Text(Look{}), err)
	}
}

func TestCapabilities(t *testing.T) {
	// As `setcap cap_net_raw+ep` writes it, revision 2.
	if got := capabilities("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"); got != "cap_net_raw=ep" {
		t.Errorf("got %q", got)
	}
	if got := capabilities("\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00"); got != "cap_bpf=p" {
		t.Errorf("got %q", got)
	}
	for i := range 12 {
		_ = capabilities(strings.Repeat("\xff", i)) // it must not panic
	}
}

func TestCut(t *testing.T) {
	w := &writer{width: 20}
	w.item("  ", "one two three four five six")
	w.item("  ", "averyveryverylongwordwithoutblanks")
	if want := "  one two three four\n      five six\n  averyveryverylongwordwithoutblanks\n"; w.b.String() != want {
		t.Errorf("got %q", w.b.String())
	}
}
