package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestRegistration compares with what Debian's package qemu-user-static has in
// /usr/lib/binfmt.d/qemu-aarch64.conf, except for name and path.
func TestRegistration(t *testing.T) {
	const want = `:treewright-arm64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:` +
		`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:OPF`
	if got := Registration("arm64", "/usr/bin/qemu-aarch64-static"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Registration("amd64", "/q"); !strings.Contains(got, `\x02\x00\x3e\x00:`) {
		t.Errorf("amd64: %s", got)
	}
	for arch, emulator := range map[string]string{"vax": "/usr/bin/qemu-vax", "arm64": "/a:b"} {
		if err := Register(arch, emulator); err == nil {
			t.Errorf("%s for %s was registered", emulator, arch)
		}
	}
}

// TestProbeRuns runs the probe of this machine's own architecture: a program that
// ends with success, made of nothing else.
func TestProbeRuns(t *testing.T) {
	f, known := programsOf[runtime.GOARCH]
	if !known {
		treetest.Skip(t, "needs a machine of an architecture that is built for: amd64 or arm64")
	}
	probe := filepath.Join(t.TempDir(), "probe")
	if err := os.WriteFile(probe, f.probe(), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(probe).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("it said %q, error %v", out, err)
	}
	// One that ends otherwise is told apart.
	f.exit = []byte{0, 0, 0, 0}
	if err := os.WriteFile(probe, f.probe(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(probe).Run(); err == nil {
		t.Error("a program of zeros ended with success")
	}
}

// TestEmulatorEnv: QEMU is given the setting for a fast processor where programs are emulated, and
// nothing is where they are not, or where it has no such processor.
func TestEmulatorEnv(t *testing.T) {
	for _, c := range []struct{ arch, own, want string }{
		{"arm64", "amd64", "map[QEMU_CPU:max,pauth=off]"},
		{"arm64", "arm64", "map[]"},
		{"amd64", "arm64", "map[]"},
		{"amd64", "amd64", "map[]"},
		{"vax", "amd64", "map[]"},
	} {
		if got := fmt.Sprint(emulatorEnv(c.arch, c.own)); got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.arch, c.own, got, c.want)
		}
	}
}

func TestRuns(t *testing.T) {
	if err := Runs(context.Background(), runtime.GOARCH, "/nonexistent"); err != nil {
		t.Errorf("this machine does not run its own programs: %v", err)
	}
	if err := Runs(context.Background(), "vax", t.TempDir()); err == nil || !strings.Contains(err.Error(), "vax") {
		t.Errorf("an unknown architecture: %v", err)
	}
}
