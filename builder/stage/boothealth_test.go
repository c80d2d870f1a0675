package stage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// The script boot-health of the feature ostreeImage, with an ostree that says
// what the test wants. That the real one refuses upgrades by what the script
// writes is shown in a machine (./build test --upgrade).

const fakeOstree = `#!/bin/bash
case "$*" in
"admin status") cat "$BOOT_HEALTH_ROOT/status" ;;
"admin set-default "*) echo "$3" > "$BOOT_HEALTH_ROOT/default" ;;
"admin upgrade --stage") echo upgraded ;;
"--repo=$BOOT_HEALTH_ROOT/ostree/repo remote refs --revision main")
	printf 'main:debian/other/amd64\tdddd\nmain:debian/testing/amd64\t%s\n' "$(< "$BOOT_HEALTH_ROOT/head")" ;;
*) echo "unexpected: ostree $*" >&2; exit 9 ;;
esac
`

var (
	commitA = strings.Repeat("a", 64)
	commitB = strings.Repeat("b", 64)
	commitC = strings.Repeat("c", 64)
)

const plainOrigin = "[origin]\nrefspec=main:debian/testing/amd64\n\n[other]\nkey=value\n"

// healthMachine is a machine on which the script runs.
type healthMachine struct {
	t      *testing.T
	root   string
	origin string
}

func newHealthMachine(t *testing.T) *healthMachine {
	root := treetest.Lay(t, t.TempDir(), "bin/", "boot/", "usr/lib/boot-health/", "var/lib/", "ostree/deploy/debian/deploy/")
	m := &healthMachine{t: t, root: root}
	treetest.Write(t, filepath.Join(root, "usr/lib/boot-health/grubenv"), string(image.GrubEnv()))
	for name, text := range map[string]string{
		"ostree":    fakeOstree,
		"systemctl": "#!/bin/sh\nprintf 'dev-disk-by\\\\x2dlabel.device loaded failed\\nbad.service loaded failed\\n'\n",
	} {
		treetest.Write(t, filepath.Join(root, "bin", name), text)
		if err := os.Chmod(filepath.Join(root, "bin", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []string{commitA, commitB, commitC} {
		treetest.Write(t, filepath.Join(root, "ostree/deploy/debian/deploy", c+".0.origin"), plainOrigin)
	}
	return m
}

// runs describes which deployments there are, the first the default, and which runs.
func (m *healthMachine) runs(booted string, commits ...string) {
	text := ""
	for _, c := range commits {
		mark := " "
		if c == booted {
			mark = "*"
			m.origin = filepath.Join(m.root, "ostree/deploy/debian/deploy", c+".0.origin")
		}
		text += mark + " debian " + c + ".0 (rollback)\n    Version: 1\n    origin refspec: main:debian/testing/amd64\n"
	}
	treetest.Write(m.t, filepath.Join(m.root, "status"), text)
}

func (m *healthMachine) put(name, text string) {
	treetest.Write(m.t, filepath.Join(m.root, name), text)
}

func (m *healthMachine) call(args ...string) string {
	m.t.Helper()
	cmd := exec.Command("../../features/ostreeImage/file.include/usr/sbin/boot-health", args...)
	cmd.Env = []string{"PATH=" + filepath.Join(m.root, "bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "BOOT_HEALTH_ROOT=" + m.root}
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Errorf("boot-health %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// refusal is the text by which ostree refuses to upgrade what runs.
func (m *healthMachine) refusal() string {
	text := treetest.Content(m.t, m.origin)
	_, after, found := strings.Cut(text, "unconfigured-state=")
	state, _, _ := strings.Cut(after, "\n")
	if rest := strings.Replace(text, "unconfigured-state="+state+"\n", "", 1); rest != plainOrigin {
		m.t.Errorf("the origin became %q", text)
	}
	if !found {
		return ""
	}
	return state
}

// fallsBack is a boot of B that fails, and one of A.
func (m *healthMachine) fallsBack() {
	m.runs(commitB, commitB, commitA)
	m.put("boot/grubenv", "boot_tries=xxx\n")
	m.call("failed")
	m.runs(commitA, commitB, commitA)
	m.put("boot/grubenv", "boot_tries=fallback\n"+strings.Repeat("#", 1004))
	m.call("fell-back")
	m.call("good")
	m.runs(commitA, commitA, commitB)
}

func TestFailedCommitIsRefused(t *testing.T) {
	m := newHealthMachine(t)
	m.fallsBack()
	said := m.refusal()
	for _, want := range []string{
		"boot-health: commit bbbbbbbbbbbb failed to boot here on 20", " UTC (units that failed: dev-disk-by\\\\x2dlabel.device bad.service)",
		"'boot-health upgrade' looks for one now", "'boot-health retry' allows this one again",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("ostree would say %q, which lacks %q", said, want)
		}
	}
	if got := treetest.Content(t, filepath.Join(m.root, "default")); got != "1\n" {
		t.Errorf("the default is deployment %q", got)
	}
	if got := treetest.Content(t, filepath.Join(m.root, "boot/grubenv")); got != string(image.GrubEnv()) {
		t.Errorf("the boot loader's count is %q", got)
	}
	if got := m.call("status"); !strings.HasPrefix(got, "commit bbbbbbbbbbbb failed to boot here on 20") {
		t.Errorf("status: %q", got)
	}

	m.put("head", commitB)
	m.call("check")
	if m.refusal() != said {
		t.Errorf("while the failed commit is the newest: %q", m.refusal())
	}
	// A good boot of what was fallen back to changes nothing.
	m.call("fell-back")
	if m.refusal() != said {
		t.Errorf("after another boot: %q", m.refusal())
	}
	os.Remove(filepath.Join(m.root, "head"))
	if got := m.call("check"); m.refusal() != said || !strings.Contains(got, "does not say now") {
		t.Errorf("while the remote is not there: %q, said %q", m.refusal(), got)
	}
	m.put("head", commitC)
	if got := m.call("upgrade", "--stage"); m.refusal() != "" || !strings.HasSuffix(got, "upgraded\n") {
		t.Errorf("with a newer commit: %q, said %q", m.refusal(), got)
	}
	// The remote's owner thinks better of it.
	m.put("head", commitB)
	m.call("check")
	if m.refusal() != said {
		t.Errorf("with the failed commit again: %q", m.refusal())
	}

	// The next commit runs: what failed is past, here and in its origin.
	m.runs(commitC, commitC, commitA)
	m.call("fell-back")
	if got := m.call("status"); got != "no commit is known to have failed here\n" || m.refusal() != "" {
		t.Errorf("once another commit runs: %q, %q", got, m.refusal())
	}
	m.runs(commitA, commitA, commitC)
	m.call("fell-back")
	if m.refusal() != "" {
		t.Errorf("back again, of a failure that is forgotten: %q", m.refusal())
	}
}

func TestFailedCommitIsInsistedOn(t *testing.T) {
	m := newHealthMachine(t)
	m.fallsBack()
	m.call("retry")
	m.put("head", commitB)
	m.call("check")
	if m.refusal() != "" {
		t.Errorf("the machine's owner insists, and ostree would say %q", m.refusal())
	}
	m.fallsBack()
	if m.refusal() == "" {
		t.Error("failed again, it is not refused")
	}
}

func TestFallBackWithoutReason(t *testing.T) {
	m := newHealthMachine(t)
	m.runs(commitA, commitB, commitA)
	m.put("boot/grubenv", "boot_tries=fallback\n")
	m.call("fell-back")
	if got := m.refusal(); !strings.Contains(got, "(nothing is known of the reason)") {
		t.Errorf("a kernel that panicked: %q", got)
	}
}

func TestNoFallBack(t *testing.T) {
	for name, env := range map[string]string{"a good boot": "boot_tries=x\n", "nothing to fall back to": "boot_tries=fallback\n"} {
		m := newHealthMachine(t)
		m.runs(commitB, commitB, commitA)
		m.put("boot/grubenv", env)
		m.call("fell-back")
		m.call("good")
		if got := m.call("status"); m.refusal() != "" || got != "no commit is known to have failed here\n" || treefs.Exists(filepath.Join(m.root, "default")) {
			t.Errorf("%s: %q, %q", name, m.refusal(), got)
		}
	}
}

// TestOthersRefuse: what somebody else has ostree say is theirs.
func TestOthersRefuse(t *testing.T) {
	m := newHealthMachine(t)
	m.runs(commitA, commitB, commitA)
	m.put("boot/grubenv", "boot_tries=fallback\n")
	theirs := strings.Replace(plainOrigin, "[origin]\n", "[origin]\nunconfigured-state=register this machine first\n", 1)
	treetest.Write(t, m.origin, theirs)
	m.call("fell-back")
	m.call("retry")
	if got := treetest.Content(t, m.origin); got != theirs {
		t.Errorf("the origin became %q", got)
	}
}
