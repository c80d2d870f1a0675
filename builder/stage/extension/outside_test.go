package extension

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/plan"
)

// extensionOf makes an extension of the differences between two trees, and returns
// its directory and the warnings.
func extensionOf(t *testing.T, system, extended map[string]string) (string, []string, error) {
	t.Helper()
	job := extensionTask(t, extended, io.Discard)
	// By its name a file is a package's, a script's, or from file.include.
	packages, files := map[string]string{}, map[string]string{}
	for name, content := range extended {
		if base := filepath.Base(name); !strings.HasPrefix(base, "scripted") {
			files[name] = content
			if !strings.HasPrefix(base, "brought") {
				packages[name] = content
			}
		}
	}
	job.Inputs["system"], job.Inputs["packages"], job.Inputs["files"] = sampleTree(t, system), sampleTree(t, packages), sampleTree(t, files)
	committed := map[string]string{"usr/lib/os-release": "ID=debian\n"}
	for name, content := range system {
		if strings.HasPrefix(name, "usr/local/") {
			name, content = "usr/local", "-> ../var/usrlocal"
		}
		if strings.HasPrefix(name, "etc/") {
			name = "usr/" + name
		}
		committed[name] = content
	}
	job.Inputs["committed"] = sampleTree(t, committed)
	err := TreeAction.Do(t.Context(), job)
	return filepath.Join(job.Out, "x"), job.Warnings, err
}

// content is a file's text, a link's "-> " and target, or "" if there is nothing.
func content(t *testing.T, tree, rel string) string {
	t.Helper()
	path := filepath.Join(tree, rel)
	info, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			t.Fatal(err)
		}
		return "-> " + target
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantContents(t *testing.T, tree string, want map[string]string) {
	t.Helper()
	for rel, text := range want {
		if got := content(t, tree, rel); got != text {
			t.Errorf("/%s is %q, want %q", rel, got, text)
		}
	}
}

// setupOf is the setup's unit, its program, and its instance's name.
func setupOf(t *testing.T, tree string) (unit, program, instance string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(tree, unitDir, "multi-user.target.upholds/x-setup@*.service"))
	if err != nil || len(found) != 1 {
		t.Fatalf("upheld: %q, %v", found, err)
	}
	if to := content(t, found[0], ""); to != "-> ../x-setup@.service" {
		t.Errorf("the upheld link is %q", to)
	}
	return content(t, tree, unitDir+"x-setup@.service"), content(t, tree, "usr/libexec/extension-x-setup"), filepath.Base(found[0])
}

var unitSystem = map[string]string{
	"usr/bin/sh": "shell",
	"usr/lib/systemd/system/multi-user.target": "", "usr/lib/systemd/system/sockets.target": "", "usr/lib/systemd/system/timers.target": "",
	"usr/lib/systemd/system/suspend.target": "", "usr/lib/systemd/system/old.service": "", "usr/lib/systemd/system/default.target": "-> graphical.target",
	"etc/systemd/system/multi-user.target.wants/old.service": "-> /usr/lib/systemd/system/old.service",
	"etc/systemd/system/gone.service":                        "",
}

// Units are enabled in /etc, and an extension does not have this directory.
func TestExtensionUnits(t *testing.T) {
	extended := with(unitSystem, map[string]string{
		"usr/lib/systemd/system/d.service": "[Service]", "usr/lib/systemd/system/d.socket": "[Socket]", "usr/lib/systemd/system/d.timer": "",
		"usr/lib/systemd/system/i@.service": "", "usr/lib/systemd/system/mine.target": "", "usr/lib/systemd/user/u.service": "",
		"usr/lib/systemd/system/taken.service":                     "the extension's",
		"etc/systemd/system/multi-user.target.wants/d.service":     "-> /usr/lib/systemd/system/d.service",
		"etc/systemd/system/sockets.target.wants/d.socket":         "-> /usr/lib/systemd/system/d.socket",
		"etc/systemd/system/timers.target.requires/d.timer":        "-> /usr/lib/systemd/system/d.timer",
		"etc/systemd/system/multi-user.target.wants/i@one.service": "-> /usr/lib/systemd/system/i@.service",
		"etc/systemd/system/mine.target.wants/d.service":           "-> /usr/lib/systemd/system/d.service",
		"etc/systemd/system/suspend.target.wants/d.service":        "-> /usr/lib/systemd/system/d.service",
		"etc/systemd/system/dev-x.device.wants/d.service":          "-> /usr/lib/systemd/system/d.service",
		"etc/systemd/system/multi-user.target.upholds/d.timer":     "-> /usr/lib/systemd/system/d.timer",
		"etc/systemd/system/dbus-org.d.service":                    "-> /usr/lib/systemd/system/d.service",
		"etc/systemd/system/linked.service":                        "-> /opt/d/linked.service",
		"opt/d/linked.service":                                     "",
		"etc/systemd/system/own.service":                           "[Unit]",
		"etc/systemd/system/old.service.d/more.conf":               "[Service]",
		"etc/systemd/system/taken.service":                         "a person's",
		"etc/systemd/system/masked.service":                        "-> /dev/null",
		"etc/systemd/system/default.target":                        "-> /usr/lib/systemd/system/mine.target",
		"etc/systemd/user/default.target.wants/u.service":          "-> /usr/lib/systemd/user/u.service",
		"etc/systemd/user/sockets.target.wants/u.service":          "-> /usr/lib/systemd/user/u.service", // in both places, and the same
		"usr/lib/systemd/user/sockets.target.wants/u.service":      "-> ../u.service",
	}, "etc/systemd/system/gone.service")
	tree, warnings, err := extensionOf(t, unitSystem, extended)
	if err != nil {
		t.Fatal(err)
	}
	wantContents(t, tree, map[string]string{
		unitDir + "multi-user.target.wants/d.service":         "-> ../d.service",
		unitDir + "sockets.target.wants/d.socket":             "-> ../d.socket",
		unitDir + "timers.target.requires/d.timer":            "-> ../d.timer",
		unitDir + "multi-user.target.wants/i@one.service":     "-> ../i@.service",
		unitDir + "mine.target.wants/d.service":               "-> ../d.service",
		unitDir + "suspend.target.wants/d.service":            "-> ../d.service",
		unitDir + "dev-x.device.wants/d.service":              "-> ../d.service",
		unitDir + "multi-user.target.upholds/d.timer":         "-> ../d.timer",
		unitDir + "dbus-org.d.service":                        "-> d.service",
		unitDir + "linked.service":                            "-> /opt/d/linked.service",
		unitDir + "own.service":                               "[Unit]",
		unitDir + "old.service.d/more.conf":                   "[Service]",
		unitDir + "taken.service":                             "the extension's",
		unitDir + "masked.service":                            "",
		unitDir + "default.target":                            "",
		unitDir + "multi-user.target.wants/old.service":       "",
		"usr/lib/systemd/user/default.target.wants/u.service": "-> ../u.service",
		"usr/lib/extension-release.d/extension-release.x":     "ID=debian\nARCHITECTURE=x86-64\nEXTENSION_RELOAD_MANAGER=1\n",
		"usr/lib/sysusers.d/01-extension-x.conf":              "",
		unitDir + "d.service.d/10-x-setup.conf":               "", // there is nothing to wait for
	})
	unit, _, _ := setupOf(t, tree)
	if want := "\nWants=d.service\nWants=d.socket\nWants=d.timer\nWants=i@one.service\n\n"; !strings.Contains(unit, want) {
		t.Errorf("the setup has no %q:\n%s", want, unit)
	}
	for _, want := range []string{
		"/etc/systemd/system/default.target is left out: the system has /usr/lib/systemd/system/default.target, which an extension cannot change",
		"/etc/systemd/system/gone.service is left out: it was removed, and stays on machines",
		"/etc/systemd/system/masked.service is left out: an extension does not mask units",
		"/etc/systemd/system/taken.service is left out: the extension also has /usr/lib/systemd/system/taken.service, which takes precedence on a machine",
	} {
		if !slices.Contains(warnings, want) {
			t.Errorf("no warning %q", want)
		}
	}
	if len(warnings) != 4 {
		t.Errorf("warnings: %q", warnings)
	}
}

// Units that links in /usr start are started as well: the target was reached before the extension was merged. Units of
// sysinit.target start before units that are ordered after that target.
func TestExtensionShippedWants(t *testing.T) {
	system := with(unitSystem, map[string]string{
		"usr/lib/systemd/system/sysinit.target": "", "usr/lib/systemd/system/system-update.target": "", "usr/lib/systemd/system/initrd.target": "",
	})
	extended := with(system, map[string]string{
		"usr/lib/systemd/system/key.service":                         "[Unit]\nDefaultDependencies=no\n",
		"usr/lib/systemd/system/d.service":                           "[Unit]\n",
		"usr/lib/systemd/system/d.socket":                            "[Unit]\nDefaultDependencies = no\n",
		"usr/lib/systemd/system/other.service":                       "",
		"usr/lib/systemd/system/sysinit.target.wants/key.service":    "-> ../key.service",
		"usr/lib/systemd/system/multi-user.target.wants/d.service":   "-> ../d.service",
		"usr/lib/systemd/system/system-update.target.wants/d.socket": "-> ../d.socket",
		"usr/lib/systemd/system/initrd.target.wants/other.service":   "-> ../other.service",
		"usr/lib/systemd/system/other.service.wants/d.socket":        "-> ../d.socket",
		"usr/lib/systemd/system/multi-user.target.wants/old.service": "-> ../old.service",
		"etc/systemd/system/timers.target.wants/other.service":       "-> /usr/lib/systemd/system/other.service",
	})
	tree, _, err := extensionOf(t, system, extended)
	if err != nil {
		t.Fatal(err)
	}
	unit, _, _ := setupOf(t, tree)
	if want := "\nWants=d.service\nWants=key.service\nWants=old.service\nWants=other.service\n\n"; !strings.Contains(unit, want) {
		t.Errorf("the setup has no %q:\n%s", want, unit)
	}
	const head = "# Made by Treewright for the extension x.\n[Unit]\n"
	wantContents(t, tree, map[string]string{
		unitDir + "d.service.d/10-x-setup.conf":     head + "After=key.service\n",
		unitDir + "other.service.d/10-x-setup.conf": head + "After=key.service\n",
		unitDir + "key.service.d/10-x-setup.conf":   "",
		unitDir + "d.socket.d/10-x-setup.conf":      "",
	})
}

// The machine gets the files for /etc and /var, unless it has other files with the
// same names; files that it cannot get are reported.
func TestExtensionState(t *testing.T) {
	system := with(sampleSystem, map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n", "etc/shells": "/bin/sh\n", "etc/profile": "",
		"etc/alternatives/editor": "-> /usr/bin/nano", "usr/bin/nano": "", "etc/ld.so.cache": "1",
	})
	extended := with(system, map[string]string{
		"usr/bin/d": "d", "usr/bin/vi": "-> /etc/alternatives/vi", "etc/alternatives/vi": "-> /usr/bin/d",
		"etc/alternatives/editor":  "-> /usr/bin/d",
		"etc/d/d.conf":             "conf",
		"etc/d/with blank%":        "odd",
		"etc/d/default":            "-> d.conf",
		"etc/d/editor":             "-> /etc/alternatives/vi",
		"etc/d/q\"uote":            "",
		"etc/shells":               "/bin/sh\n/usr/bin/d\n",
		"etc/ld.so.cache":          "2",
		"etc/group-":               "",
		"etc/rc2.d/S01d":           "-> ../init.d/d",
		"etc/rcS.d/S01d":           "-> ../init.d/d",
		"etc/rc.local":             "#!/bin/sh",
		"etc/init.d/d":             "",
		"etc/init.d/old":           "",
		"etc/ld.so.conf.d/d.conf":  "/usr/lib/nothing\n",
		"var/lib/d/":               "",
		"var/lib/d/data":           "data",
		"var/lib/dpkg/status":      "base and d",
		"var/lib/dpkg/info/d.list": "/.\n/etc\n/etc/shells\n/srv/www/index.html\n",
		"var/cache/d/":             "",
		"var/cache/d/x":            "x", "var/cache/d/brought": "cache", "var/cache/d/scripted": "cache",
		"var/log/d.log": "log", "var/log/brought.log": "log", "var/log/scripted.log": "log",
		"var/lib/apt/lists": "", "var/lib/flatpak/brought": "", "var/lib/flatpak/other": "",
		"srv/www/index.html":                       "",
		"boot/d":                                   "",
		"usr/local/bin/hidden":                     "",
		"usr/lib/tmpfiles.d/d.conf":                "d /run/d\n",
		"usr/lib/systemd/system/d.service":         "[Service]",
		"usr/lib/systemd/system/d.service.wants/x": "",
		"usr/share/dbus-1/system.d/d.conf":         "",
		"usr/lib/sysctl.d/d.conf":                  "",
	}, "etc/profile")
	tree, warnings, err := extensionOf(t, system, extended)
	if err != nil {
		t.Fatal(err)
	}
	const factory = "usr/share/factory/extension-x/"
	wantContents(t, tree, map[string]string{
		"usr/bin/vi":                     "-> d",
		factory + "etc/d/d.conf":         "conf",
		factory + "etc/d/with blank%":    "odd",
		factory + "var/lib/d/data":       "data",
		factory + "etc/alternatives/vi":  "",
		factory + "etc/init.d/d":         "",
		factory + "var/cache/d/brought":  "cache",
		factory + "var/cache/d/scripted": "cache",
		factory + "var/log/brought.log":  "log",
		factory + "var/lib/ucf/brought":  "",
		factory + "first-etc.conf": `C /etc/d/d.conf - - - - /usr/share/factory/extension-x/etc/d/d.conf
C /etc/d/q\x22uote - - - - /usr/share/factory/extension-x/etc/d/q\x22uote
C /etc/d/with\x20blank%% - - - - /usr/share/factory/extension-x/etc/d/with\x20blank%%
C /etc/rc.local - - - - /usr/share/factory/extension-x/etc/rc.local
L /etc/d/default - - - - d.conf
L /etc/d/editor - - - - /usr/bin/d
d /etc/d :0755 :root :root -
d /etc/init.d :0755 :root :root -
d /etc/ld.so.conf.d :0755 :root :root -
w+ /etc/shells - - - - /usr/bin/d\n
`,
		factory + "first-var.conf": `C /var/cache/d/brought - - - - /usr/share/factory/extension-x/var/cache/d/brought
C /var/cache/d/scripted - - - - /usr/share/factory/extension-x/var/cache/d/scripted
C /var/lib/d/data - - - - /usr/share/factory/extension-x/var/lib/d/data
C /var/lib/flatpak/brought - - - - /usr/share/factory/extension-x/var/lib/flatpak/brought
C /var/log/brought.log - - - - /usr/share/factory/extension-x/var/log/brought.log
C /var/srv/www/index.html - - - - /usr/share/factory/extension-x/var/srv/www/index.html
d /var/lib/d :0755 :root :root -
d /var/srv/www :0755 :root :root -
`,
		"usr/lib/tmpfiles.d/zz-extension-x.conf": `# Made by Treewright for the extension x.
d /var/cache :0755 :root :root -
d /var/cache/d :0755 :root :root -
d /var/log :0755 :root :root -
`,
	})
	_, program, instance := setupOf(t, tree)
	for _, want := range []string{
		"\nonce /etc/.extension-x-brought /usr/share/factory/extension-x/first-etc.conf systemd-tmpfiles --create -\n",
		"\nonce /var/lib/treewright/extension-x-brought /usr/share/factory/extension-x/first-var.conf systemd-tmpfiles --create -\n",
		"\nsystemd-tmpfiles --create d.conf zz-extension-x.conf || case $? in 65|73) ;; *) exit 1 ;; esac\n",
		"\n/usr/lib/systemd/systemd-sysctl d.conf || echo ", "ReloadConfig; fi || echo ",
	} {
		if !strings.Contains(program, want) {
			t.Errorf("the setup has no %q:\n%s", want, program)
		}
	}
	wantContents(t, tree, map[string]string{unitDir + "d.service.d/10-x-setup.conf": "# Made by Treewright for the extension x.\n[Unit]\nRequires=" + instance + "\nAfter=" + instance + "\n"})
	slices.Sort(warnings)
	want := []string{
		"/boot/d is left out: an extension holds /usr and /opt",
		"/var/log/scripted.log is left out: it is treated as a left-over of the build",
		"/etc/alternatives/editor is left out: the alternative editor stays with the system's /usr/bin/nano",
		"/etc/init.d/old is left out: systemd starts no scripts of /etc/init.d",
		"/etc/ld.so.conf.d/d.conf is left out: the linker's cache belongs to the machine",
		"/etc/profile is left out: it was removed, and stays on machines",
		"/usr/local/bin/hidden is left out: an extension holds /usr and /opt",
	}
	slices.Sort(want)
	if !slices.Equal(warnings, want) {
		t.Errorf("warnings:\n%s\nwant:\n%s", strings.Join(warnings, "\n"), strings.Join(want, "\n"))
	}
}

// Links lead to files that a machine has.
func TestExtensionLinks(t *testing.T) {
	extended := with(sampleSystem, map[string]string{
		"usr/bin/real":                   "real",
		"usr/bin/relative":               "-> ../lib/libc.so",
		"usr/bin/alternative":            "-> /etc/alternatives/alternative",
		"etc/alternatives/alternative":   "-> /usr/bin/real",
		"usr/share/man/alternative":      "-> ../../../etc/alternatives/alternative.1",
		"etc/alternatives/alternative.1": "-> /usr/share/man/real",
		"usr/share/man/real":             "manual",
		"usr/bin/system":                 "-> /etc/alternatives/system",
		"etc/alternatives/system":        "-> /usr/bin/sh",
		"usr/lib/sitecustomize.py":       "-> /etc/python/sitecustomize.py",
		"etc/python/sitecustomize.py":    "import sys",
		"usr/lib/group":                  "-> ../../../../etc/group",
		"usr/lib/nowhere":                "-> /etc/nowhere",
		"usr/lib/loop":                   "-> loop",
		"usr/lib/manual":                 "-> ../share/excluded/manual",
		"usr/share/excluded/manual":      "text",
		"usr/lib/srv":                    "-> /boot/x",
		"boot/x":                         "",
		"usr/bin/lost":                   "-> /etc/alternatives/lost",
		"etc/alternatives/lost":          "-> /boot/x",
	})
	job := extensionTask(t, extended, io.Discard)
	job.Step.Params = TreeAction.Step(TreeParams{Name: "x", Exclude: []string{"/usr/share/excluded"}}, plan.Step{}).Params
	if err := TreeAction.Do(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	wantContents(t, filepath.Join(job.Out, "x"), map[string]string{
		"usr/bin/relative": "-> ../lib/libc.so", "usr/bin/alternative": "-> real", "usr/share/man/alternative": "-> real",
		"usr/bin/system": "-> sh", "usr/lib/sitecustomize.py": "-> /etc/python/sitecustomize.py", "usr/lib/loop": "-> loop",
	})
	var got []string
	for _, w := range job.Warnings {
		if strings.HasPrefix(w, "the link ") {
			got = append(got, w)
		}
	}
	want := []string{
		"the link /usr/bin/lost needs /etc/alternatives/lost, which is left out",
		"the link /usr/lib/manual needs /usr/share/excluded/manual, which is left out",
		"the link /usr/lib/srv needs /boot/x, which is left out",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
