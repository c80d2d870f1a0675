//go:build e2e

package e2e

import (
	"runtime"
	"strings"
	"testing"
)

// tinyForeign is a system of the architecture that this machine does not have: what is
// bootstrapped, one package, and a script. It has no kernel, so that it is made in two or
// three minutes.
const tinyForeign = `flavour "tiny" {
  distribution {
    suite = "testing"
    arch  = "ARCH"
  }
  features = ["tiny"]
}
`

// TestOtherArchitecture builds a tree of another architecture, whose programs are
// emulated, and looks into it; then it looks at the tools for an image, which are not.
func TestOtherArchitecture(t *testing.T) {
	t.Parallel()
	other := map[string][3]string{"amd64": {"arm64", "aarch64", "x86_64"}, "arm64": {"amd64", "x86_64", "aarch64"}}[runtime.GOARCH]
	if other[0] == "" {
		t.Fatalf("this machine is %s; those that build are amd64 or arm64", runtime.GOARCH)
	}
	p := newProject(t)
	p.cache = sharedCache
	p.write("flavours/tiny.hcl", strings.Replace(tinyForeign, "ARCH", other[0], 1))
	p.write("features/tiny/info.yaml", "description: one package and a script\ntype: element\n")
	p.write("features/tiny/pkg.include", "hello\n")
	p.write("features/tiny/exec.config", "#!/bin/bash\nset -eu\nuname -m > /made-on\nhello >> /made-on\n")
	p.chmod("features/tiny/exec.config")
	inside := `[ "$(cat /made-on)" = "` + other[1] + `
Hello, world!" ]
[ "$(dpkg --print-architecture)" = ` + other[0] + ` ]
! find / -xdev -name '*qemu*' | grep . || exit 1
! find / -xdev -name '*binfmt*' | grep -v systemd | grep . || exit 1
su --shell /bin/sh --command 'exit 7' nobody || [ $? = 7 ]
echo all-is-well
`
	out, code := p.treewright(strings.NewReader("set -eux\n"+inside), "--progress", "plain", "shell", "tiny")
	if code != 0 || !strings.Contains(out, "\nall-is-well") {
		t.Fatalf("exit %d:\n%s", code, out)
	}

	if other[0] != "arm64" {
		return // the flavour with an image is for arm64
	}
	tools := `[ "$(uname -m)" = ` + other[2] + ` ]
grub-mkimage -O arm64-efi -p /EFI/debian -o /treewright/scratch/BOOTAA64.EFI part_gpt blsuki linux
od -An -t x1 -j 132 -N 2 /treewright/scratch/BOOTAA64.EFI | grep -x ' 64 aa'
echo all-is-well
`
	out, code = p.treewright(strings.NewReader("set -eux\n"+tools), "--progress", "plain", "shell", "debian-testing-arm64-ostree", "image/esp")
	if code != 0 || !strings.Contains(out, "\nall-is-well") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
