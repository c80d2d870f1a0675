package extension

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

const rootUser, rootGroup = "root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n"

func TestExtensionIDs(t *testing.T) {
	// Once given out they are on machines for ever.
	for name, want := range map[string]uint32{"redis": 589, "avahi": 629, "crontab": 609} {
		if got := extensionID(name); got != want {
			t.Errorf("%s has %d, and had %d", name, got, want)
		}
	}
	for _, name := range []string{"a", "b", "postgres", "_chrony", ""} {
		if id := extensionID(name); id < 200 || id > 899 {
			t.Errorf("%q has %d", name, id)
		}
	}
}

func TestAssign(t *testing.T) {
	system := map[string]uint32{"root": 0, "sshd": 988}
	ledger := map[string]uint32{"sshd": 988, "gone": 300, "known": 301}
	fixed := map[string]account.Fixed{"web": {ID: 500}, "bad": {ID: 988}, "late": {ID: 300}}
	got, faults := assign("user", map[string]uint32{
		"root": 0, "sshd": 990, "redis": 989, "known": 987, "web": 500, "static": 33, "person": 1000,
	}, system, ledger, fixed)
	want := map[string]uint32{"root": 0, "sshd": 988, "redis": 589, "known": 301, "web": 500, "static": 33, "person": 1000}
	if !maps.Equal(got, want) || len(faults) > 0 {
		t.Errorf("got %v, want %v; %q", got, want, faults)
	}
	_, faults = assign("user", map[string]uint32{"bad": 988, "late": 300, "redis": 101, "other": 589}, system, ledger,
		map[string]account.Fixed{"bad": {ID: 988}, "late": {ID: 300}, "other": {ID: 589}})
	if want := []string{"user sshd and user bad would both be 988", "user gone and user late would both be 300", "user other and user redis would both be 589"}; !slices.Equal(faults, want) {
		t.Errorf("got %q, want %q", faults, want)
	}
}

// All that an extension's files are owned by is right on the machine: the
// system's accounts have the numbers of the commit, its own come along.
func TestExtensionAccounts(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it gives files away")
	}
	system := with(sampleSystem, map[string]string{
		"etc/passwd": rootUser + "sshd:x:990:990::/:/usr/sbin/nologin\nirc:x:39:39:ircd:/:/bin/sh\n", "etc/group": rootGroup + "sshd:x:990:\nmail:x:8:\nirc:x:39:\n",
	})
	task := extensionTask(t, with(system, map[string]string{
		"etc/passwd": rootUser + "sshd:x:990:990::/:/usr/sbin/nologin\nirc:x:39:39:ircd:/:/bin/bash\nredis:x:989:989:the \"redis\" 100% daemon:/var/lib/redis:/usr/sbin/nologin\nweb:x:500:988::/nonexistent:/bin/false\n",
		"etc/group":  rootGroup + "sshd:x:990:\nmail:x:8:redis,sshd\nirc:x:39:\nredis:x:989:\ncrontab:x:988:irc\n",
		"etc/shadow": "root:*:::\nredis:!:::\nweb:$y$secret:::\n", "usr/lib/sysusers.d/web.conf": "u web 500 - -\n",
		"usr/bin/crontab": "", "usr/lib/of-sshd": "", "etc/redis/conf": "", "var/lib/redis/": "",
	}), io.Discard)
	task.Inputs["system"] = sampleTree(t, system)
	// The commit gave sshd another number than packages did.
	task.Inputs["committed"] = sampleTree(t, with(sampleCommitted, map[string]string{
		"usr/lib/os-release": "ID=debian\n",
		"usr/etc/passwd":     rootUser + "sshd:x:977:978::/:/usr/sbin/nologin\nirc:x:39:39:ircd:/:/bin/sh\n", "usr/etc/group": rootGroup + "sshd:x:978:\nmail:x:8:\nirc:x:39:\n",
	}))
	for rel, own := range map[string][3]int{
		"usr/bin/crontab": {0, 988, 0o2755}, "usr/lib/of-sshd": {990, 990, 0o644}, "etc/redis": {989, 989, 0o750}, "etc/redis/conf": {0, 989, 0o640}, "var/lib/redis": {989, 989, 0o755},
	} {
		path := filepath.Join(task.Tree, rel)
		if err := os.Chown(path, own[0], own[1]); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chmod(path, uint32(own[2])); err != nil {
			t.Fatal(err)
		}
	}
	// cap_net_raw, as setcap writes it (linux/capability.h, version 2).
	if err := unix.Setxattr(filepath.Join(task.Tree, "etc/redis/conf"), "security.capability", []byte{1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0); err != nil {
		t.Fatal(err)
	}
	if err := TreeAction.Do(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(task.Out, "x")
	for rel, want := range map[string][3]int{
		"usr/bin/crontab": {0, 609, 0o2755}, "usr/lib/of-sshd": {977, 978, 0o644},
		"usr/share/factory/extension-x/etc/redis/conf": {0, 589, 0o640}, "usr/share/factory/extension-x/etc/redis": {589, 589, 0o750},
	} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(out, rel), &st); err != nil {
			t.Error(err)
		}
		if got := [3]int{int(st.Uid), int(st.Gid), int(st.Mode & 0o7777)}; got != want {
			t.Errorf("/%s has %d:%d %o, want %d:%d %o", rel, got[0], got[1], got[2], want[0], want[1], want[2])
		}
	}
	wantContents(t, out, map[string]string{
		"usr/lib/sysusers.d/01-extension-x.conf": "# Made by Treewright for the extension x.\ng redis 589\ng crontab 609\n" +
			"u redis 589:589 \"the \\\"redis\\\" 100%% daemon\" /var/lib/redis /usr/sbin/nologin\nu web 500:609 - /nonexistent /bin/false\n" +
			"m irc crontab\nm redis mail\nm sshd mail\n",
	})
	_, program, _ := setupOf(t, out)
	if want := "expect group crontab 609\nexpect group redis 589\nexpect passwd redis 589\nexpect passwd web 500\n"; !strings.Contains(program, want) {
		t.Errorf("the setup does not look for %q:\n%s", want, program)
	}
	if rules := content(t, out, "usr/share/factory/extension-x/first-etc.conf") + content(t, out, "usr/share/factory/extension-x/first-var.conf"); !strings.Contains(rules, "d /etc/redis :0750 :redis :redis -\n") || !strings.Contains(rules, "d /var/lib/redis :0755 :redis :redis -\n") {
		t.Errorf("rules:\n%s", rules)
	}
	want := []string{
		"the capabilities of /etc/redis/conf are left out: a machine copies files of /etc and /var without them",
		"the password of web is left out: an extension cannot contain passwords",
		"the account irc keeps its values of the system: the extension's change of its line in /etc/passwd is left out",
	}
	if !slices.Equal(task.Warnings, want) {
		t.Errorf("warnings: %q", task.Warnings)
	}
}

// A file of a number without an account belongs on a machine to the account with that number.
func TestExtensionStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it gives files away")
	}
	system := with(sampleSystem, map[string]string{"etc/passwd": rootUser, "etc/group": rootGroup})
	task := extensionTask(t, with(system, map[string]string{"usr/bin/a": "", "usr/bin/b": "", "usr/lib/new/": "", "etc/c": ""}), io.Discard)
	task.Inputs["system"] = sampleTree(t, system)
	task.Inputs["committed"] = sampleTree(t, with(sampleCommitted, map[string]string{"usr/etc/passwd": rootUser, "usr/etc/group": rootGroup, "usr/lib/os-release": "ID=x\n"}))
	for rel, own := range map[string][2]int{"usr/bin/a": {101, 0}, "usr/bin/b": {0, 102}, "usr/lib/new": {0, 103}, "etc/c": {104, 0}} {
		if err := os.Chown(filepath.Join(task.Tree, rel), own[0], own[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Chmod(filepath.Join(task.Tree, "usr/bin/b"), 0o2755); err != nil {
		t.Fatal(err)
	}
	err := TreeAction.Do(t.Context(), task)
	for _, want := range []string{
		"/usr/bin/a: its owner has the number 101, which is not an account's",
		"/usr/bin/b: its group, with whose rights it would run, has the number 102, which is not an account's",
		"/usr/lib/new: its group has the number 103, which is not an account's",
		"/etc/c: its owner has the number 104, which is not an account's",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestExtensionsTogether(t *testing.T) {
	sysusers := func(name, lines string) map[string]string {
		return map[string]string{name + "/usr/lib/sysusers.d/01-extension-" + name + ".conf": lines}
	}
	run := func(trees map[string]map[string]string) error {
		task := &task.Task{Log: io.Discard, Inputs: map[string]string{}}
		for name, tree := range trees {
			task.Inputs[name] = sampleTree(t, tree)
		}
		return compareExtensions(t.Context(), task, struct{}{})
	}
	if err := run(map[string]map[string]string{
		"a": sysusers("a", "g redis 589\nu redis 589:589\ng one 300\n"), "b": sysusers("b", "g redis 589\nu redis 589:589\nu two 300:589\n"), "c": {"c/usr/bin/x": ""},
	}); err != nil {
		t.Error(err)
	}
	err := run(map[string]map[string]string{"a": sysusers("a", "g one 300\nu one 300:300\ng same 301\n"), "b": sysusers("b", "g two 300\nu two 300:300\ng same 302\n")})
	for _, want := range []string{"user one of a and user two of b would both be 300", "group one of a and group two of b would both be 300", "group same has the number 301 in a and 302 in b"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	task := &task.Task{Log: io.Discard, Inputs: map[string]string{
		"a": sampleTree(t, map[string]string{"a/usr/bin/x": "x", "a/usr/lib/modules/7/modules.dep": "a", "a/usr/share/same": "1"}),
		"b": sampleTree(t, map[string]string{"b/usr/bin/x": "y", "b/usr/lib/modules/7/modules.dep": "b", "b/usr/share/same": "1"}),
	}}
	if err := compareExtensions(t.Context(), task, struct{}{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"the extensions a and b both have /usr/bin/x, and not the same: merged together, only one of the two is seen",
		"the extensions a and b both have /usr/lib/modules/7/modules.dep, and not the same: merged together, only one of the two is seen, and it does not list the kernel modules of the other; put both into one extension",
	}
	if !slices.Equal(task.Warnings, want) {
		t.Errorf("got %q", task.Warnings)
	}
}
