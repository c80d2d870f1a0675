package extension

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// sampleTree makes a tree: a name with a slash at its end is a directory, a value
// that begins with "-> " a link. All files are from the same second, as builds
// make them.
func sampleTree(t *testing.T, entries map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range entries {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, ok := strings.CutPrefix(content, "-> "); ok && err == nil {
			err = os.Symlink(target, path)
		} else if strings.HasSuffix(name, "/") && err == nil {
			err = os.MkdirAll(path, 0o755)
		} else if err == nil {
			if err = os.WriteFile(path, []byte(content), 0o644); err == nil {
				err = os.Chtimes(path, time.Unix(500, 0), time.Unix(500, 0))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func with(base map[string]string, changes map[string]string, without ...string) map[string]string {
	out := map[string]string{}
	for k, v := range base {
		if !slices.Contains(without, k) {
			out[k] = v
		}
	}
	for k, v := range changes {
		out[k] = v
	}
	return out
}

var (
	sampleSystem = map[string]string{
		"usr/bin/sh":            "shell",
		"usr/lib/libc.so":       "libc",
		"usr/share/cache":       "one",
		"usr/share/dropped":     "not committed",
		"usr/local/bin/":        "",
		"opt/":                  "",
		"etc/group":             "root",
		"etc/ld.so.cache":       "1",
		"var/lib/dpkg/status":   "base",
		"usr/lib/initial.state": "made later",
	}
	// The result of the commit stage.
	sampleCommitted = with(sampleSystem, map[string]string{
		"usr/local":         "-> ../var/usrlocal",
		"opt":               "-> var/opt",
		"var/":              "",
		"usr/etc/group":     "root",
		"usr/lib/generated": "by the commit",
	}, "usr/local/bin/", "opt/", "var/lib/dpkg/status", "etc/group", "etc/ld.so.cache", "usr/share/dropped")
)

func sampleDiff(t *testing.T, extended map[string]string, exclude ...string) *difference {
	t.Helper()
	trees := extensionTrees{extended: sampleTree(t, extended), system: sampleTree(t, sampleSystem), committed: sampleTree(t, sampleCommitted), distro: debian.Family{}}
	d, err := trees.diff(t.Context(), exclude)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func paths(files []leaving) string {
	var names []string
	for _, f := range files {
		if f.directory {
			f.path += "/"
		}
		names = append(names, f.path)
	}
	return strings.Join(names, " ")
}

func TestExtensionDiff(t *testing.T) {
	d := sampleDiff(t, with(sampleSystem, map[string]string{
		"usr/bin/gdb":                 "gdb",
		"usr/share/gdb/syscalls/x":    "x",
		"usr/share/gdb/empty/":        "",
		"opt/tool/run":                "run",
		"usr/lib/generated":           "by the commit", // the same as committed
		"usr/share/excluded/manual":   "text",
		"usr/local/lib/python/hidden": "belongs to the machine",
		"etc/gdb/gdbinit":             "",
		"etc/gdb/excluded":            "",
		"etc/group":                   "root and gdb",
		"etc/group-":                  "backup",
		"etc/ld.so.cache":             "2",
		"var/lib/dpkg/status":         "base and gdb",
		"srv/directory/":              "",
	}), "/usr/share/excluded", "etc/gdb/ex*")
	if got, want := paths(d.leaving), "opt/tool/ opt/tool/run usr/bin/gdb usr/share/gdb/ usr/share/gdb/empty/ usr/share/gdb/syscalls/ usr/share/gdb/syscalls/x"; got != want {
		t.Errorf("what leaves is\n%s\nwant\n%s", got, want)
	}
	if len(d.conflicts) > 0 {
		t.Errorf("unexpected conflicts: %q", d.conflicts)
	}
	var outside []string
	for _, c := range d.outside {
		if !quiet(c) {
			outside = append(outside, c.path+" "+c.what)
		}
	}
	want := []string{"etc/gdb new", "etc/gdb/gdbinit new", "srv new", "srv/directory new",
		"usr/local/lib new", "usr/local/lib/python new", "usr/local/lib/python/hidden new"}
	if !slices.Equal(outside, want) {
		t.Errorf("outside is\n%q\nwant\n%q", outside, want)
	}
}

// Files that a commit ships in /opt are below /usr, and /opt has only a link to them.
func TestExtensionOpt(t *testing.T) {
	system := with(sampleSystem, map[string]string{"opt/tool/run": "run", "opt/tool/lib": "lib", "opt/tool/gone": ""}, "opt/")
	trees := extensionTrees{
		distro: debian.Family{},
		system: sampleTree(t, system),
		extended: sampleTree(t, with(system, map[string]string{
			"opt/tool/run": "other", "opt/tool/plugins/more": "more", "opt/new/run": "new", "opt/tool/link": "-> plugins/more",
		}, "opt/tool/gone")),
		committed: sampleTree(t, with(sampleCommitted, map[string]string{"usr/lib/opt/tool/run": "run", "usr/lib/opt/tool/lib": "lib", "usr/lib/opt/tool/gone": ""})),
	}
	d, err := trees.diff(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(d.leaving), "opt/new/ opt/new/run usr/lib/opt/tool/link usr/lib/opt/tool/plugins/ usr/lib/opt/tool/plugins/more"; got != want {
		t.Errorf("what leaves is\n%s\nwant\n%s", got, want)
	}
	if want := []string{"/opt/tool/gone: removed", "/opt/tool/run: content changed"}; !slices.Equal(d.conflicts, want) {
		t.Errorf("conflicts are %q, want %q", d.conflicts, want)
	}
}

// Every change to the system is found, all at once, also if size and time
// are the same.
func TestExtensionConflicts(t *testing.T) {
	extended := with(sampleSystem, map[string]string{
		"usr/share/cache":       "two",
		"usr/lib/initial.state": "another, longer state",
		"usr/lib/generated":     "by the package",
		"usr/lib/libc.so":       "-> libc.so.6",
	}, "usr/bin/sh", "usr/share/dropped")
	d := sampleDiff(t, extended)
	want := []string{
		"/usr/bin: removed",
		"/usr/lib/generated: content changed",
		"/usr/lib/initial.state: content changed",
		"/usr/lib/libc.so: another type of file",
		"/usr/share/cache: content changed",
	}
	if !slices.Equal(d.conflicts, want) {
		t.Errorf("got  %q\nwant %q", d.conflicts, want)
	}
	// Excluded files of a feature count as unchanged.
	d = sampleDiff(t, extended, "/usr/share/cache", "/usr/bin", "/usr/lib/*")
	if len(d.conflicts) > 0 || len(d.leaving) > 0 {
		t.Errorf("conflicts %q and %s are left in spite of file.exclude", d.conflicts, paths(d.leaving))
	}
}

func TestExtensionModeConflict(t *testing.T) {
	trees := extensionTrees{extended: sampleTree(t, sampleSystem), system: sampleTree(t, sampleSystem), committed: sampleTree(t, sampleCommitted), distro: debian.Family{}}
	for _, name := range []string{"usr/bin", "usr/bin/sh"} {
		if err := os.Chmod(filepath.Join(trees.extended, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d, err := trees.diff(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/usr/bin/sh: mode changed from 0644 to 0700", "/usr/bin: mode changed from 0755 to 0700"}
	if !slices.Equal(d.conflicts, want) {
		t.Errorf("got %q, want %q", d.conflicts, want)
	}
}

func TestCopyLeaving(t *testing.T) {
	extended := with(sampleSystem, map[string]string{"usr/lib/new/a": "content", "usr/lib/new/link": "-> a"})
	tree := sampleTree(t, extended)
	a := filepath.Join(tree, "usr/lib/new/a")
	if err := os.Link(a, filepath.Join(tree, "usr/bin/b")); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Chmod(a, 0o755|os.ModeSetuid), os.Chmod(filepath.Join(tree, "usr/lib/new"), 0o750),
		os.Chtimes(filepath.Join(tree, "usr/lib"), time.Unix(5, 0), time.Unix(5, 0)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	attr := unix.Setxattr(a, "user.note", []byte("kept"), 0) == nil
	out := filepath.Join(t.TempDir(), "out")
	files := []leaving{{path: "usr/bin/b"}, {path: "usr/lib/new", directory: true}, {path: "usr/lib/new/a"}, {path: "usr/lib/new/link"}}
	if err := copyLeaving(tree, out, files, 100); err != nil {
		t.Fatal(err)
	}
	if err := treefs.SetDirTimes(out, 100); err != nil {
		t.Fatal(err)
	}
	first, err := os.Stat(filepath.Join(out, "usr/bin/b"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.Stat(filepath.Join(out, "usr/lib/new/link"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(first, second) {
		t.Error("two names of one file became two files")
	}
	if first.Mode() != 0o755|os.ModeSetuid {
		t.Errorf("mode is %s", first.Mode())
	}
	if first.ModTime().Unix() != 100 {
		t.Errorf("a file is from %d, after the epoch", first.ModTime().Unix())
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(filepath.Join(out, "usr/bin/b"), "user.note", value); attr && (err != nil || string(value[:n]) != "kept") {
		t.Errorf("the extended attribute is %q, %v", value[:max(n, 0)], err)
	}
	info, err := os.Stat(filepath.Join(out, "usr/lib/new"))
	if err != nil || info.Mode().Perm() != 0o750 || info.ModTime().Unix() != 100 {
		t.Errorf("directory: %v, %v", info, err)
	}
	if treefs.Exists(filepath.Join(out, "usr/lib/libc.so")) {
		t.Error("a file of the system came along")
	}
}

// extensionTask is a task of the step extension/NAME/tree on sample trees.
func extensionTask(t *testing.T, extended map[string]string, log io.Writer) *task.Task {
	system := sampleTree(t, sampleSystem)
	return &task.Task{
		Distro: debian.Family{},
		Step:   &plan.Step{ID: "extension/x/tree", Arch: "amd64", Params: TreeAction.Step(TreeParams{Name: "x"}, plan.Step{}).Params},
		Tree:   sampleTree(t, extended), Out: t.TempDir(), Epoch: 1000, Log: log, Facts: map[string]string{},
		Inputs: map[string]string{
			"system": system, "packages": system, "files": system,
			"committed": sampleTree(t, with(sampleCommitted, map[string]string{"usr/lib/os-release": "ID=debian\n"})),
		},
	}
}

func TestExtensionTreeAction(t *testing.T) {
	var log strings.Builder
	task := extensionTask(t, with(sampleSystem, map[string]string{"usr/lib/systemd/system/x.service": "[Unit]", "boot/x": ""}), &log)
	if err := TreeAction.Do(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	release := filepath.Join(task.Out, "x/usr/lib/extension-release.d/extension-release.x")
	text, err := os.ReadFile(release)
	if err != nil || !strings.Contains(string(text), "EXTENSION_RELOAD_MANAGER=1") {
		t.Errorf("%s says %q, %v", release, text, err)
	}
	if !strings.Contains(log.String(), "warning: /boot/x is left out") {
		t.Errorf("what is left out is not told: %s%v", &log, task.Facts)
	}
}

func TestExtensionTreeActionFaults(t *testing.T) {
	for want, extended := range map[string]map[string]string{
		"is empty":                        sampleSystem,
		"/usr/bin/sh: content changed":    with(sampleSystem, map[string]string{"usr/bin/sh": "SHELL"}),
		"file.exclude":                    with(sampleSystem, map[string]string{"usr/bin/sh": "SHELL"}),
		"/usr/lib/libc.so: removed":       with(sampleSystem, nil, "usr/lib/libc.so"),
		"/usr/share/cache: another type ": with(sampleSystem, map[string]string{"usr/share/cache/": ""}, "usr/share/cache"),
	} {
		err := TreeAction.Do(t.Context(), extensionTask(t, extended, io.Discard))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something with %q", err, want)
		}
	}
}

// An image of packages can be empty: a machine asks for the packages that it added to an earlier commit, and this commit has all of them.
func TestEmptyExtensionOfPackages(t *testing.T) {
	job := extensionTask(t, sampleSystem, io.Discard)
	job.Step.Params = TreeAction.Step(TreeParams{Name: "x", Packages: true}, plan.Step{}).Params
	if err := TreeAction.Do(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if text := content(t, filepath.Join(job.Out, "x"), "usr/lib/extension-release.d/extension-release.x"); !strings.Contains(text, "ID=debian") {
		t.Errorf("the extension is described by %q", text)
	}
}
