package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// programs is what those of an architecture look like to a machine of another.
type programs struct {
	// machine is the ELF header's e_machine (elf.h).
	machine uint16
	// exit is the program that ends with success: exit_group(0).
	exit []byte
	// cpu is the processor that QEMU is to emulate for them, "" for its own choice.
	cpu string
}

var programsOf = map[string]programs{
	"amd64": {machine: 62, exit: []byte{
		0xb8, 0xe7, 0, 0, 0, // mov eax, 231
		0x31, 0xff, // xor edi, edi
		0x0f, 0x05, // syscall
	}},
	"arm64": {machine: 183, exit: []byte{
		0xc8, 0x0b, 0x80, 0xd2, // mov x8, 94
		0x00, 0x00, 0x80, 0xd2, // mov x0, 0
		0x01, 0x00, 0x00, 0xd4, // svc 0
	},
		// Debian's programs sign each return address. QEMU before version 10 computes
		// that as the architecture defines it, and programs take ten times as long.
		cpu: "max,pauth=off"},
}

// probe is a whole program of the architecture, which does nothing, with success.
func (f programs) probe() []byte {
	const base, headers = 0x400000, 64 + 56
	le := binary.LittleEndian
	b := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	b = le.AppendUint16(b, 2) // ET_EXEC
	b = le.AppendUint16(b, f.machine)
	b = le.AppendUint32(b, 1)
	b = le.AppendUint64(b, base+headers) // entry
	b = le.AppendUint64(b, 64)           // program headers
	b = le.AppendUint64(b, 0)
	b = le.AppendUint32(b, 0)
	for _, n := range []uint16{64, 56, 1, 0, 0, 0} {
		b = le.AppendUint16(b, n)
	}
	b = le.AppendUint32(b, 1) // PT_LOAD
	b = le.AppendUint32(b, 5) // readable, executable
	size := uint64(headers + len(f.exit))
	for _, n := range []uint64{0, base, base, size, size, 0x1000} {
		b = le.AppendUint64(b, n)
	}
	return append(b, f.exit...)
}

// EmulatorEnv is what the environment of programs of an architecture needs for an
// emulator to be fast: nothing where they are not emulated. Emulators other than QEMU
// ignore it.
func EmulatorEnv(arch string) map[string]string {
	return emulatorEnv(arch, runtime.GOARCH)
}

// emulatorEnv is [EmulatorEnv] on a machine of the architecture own.
func emulatorEnv(arch, own string) map[string]string {
	cpu := programsOf[arch].cpu
	if arch == own || cpu == "" {
		return nil
	}
	return map[string]string{"QEMU_CPU": cpu}
}

// Runs explains why this machine does not run programs of an architecture in a root
// where there is nothing else, nil if it does: by itself, or by an emulator that is
// registered in such a way (flag F) that the kernel has it open. dir is where such
// roots are; it must exist.
func Runs(ctx context.Context, arch, dir string) error {
	if arch == runtime.GOARCH {
		return nil
	}
	f, known := programsOf[arch]
	if !known {
		return fmt.Errorf("what programs of %s look like is not known", arch)
	}
	root, err := os.MkdirTemp(dir, "probe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.WriteFile(filepath.Join(root, "probe"), f.probe(), 0o755); err != nil {
		return err
	}
	return Command{Argv: []string{"/probe"}, Root: root, Env: EmulatorEnv(arch)}.Run(ctx)
}

const (
	// binfmtDir is where the kernel takes registrations of interpreters
	// (Documentation/admin-guide/binfmt-misc.rst).
	binfmtDir = "/proc/sys/fs/binfmt_misc"
	// registered begins the names of this program's own: those of others stay as
	// they are, and the newest counts.
	registered = "treewright-"
)

// Registration is the line by which the kernel has programs of an architecture run by
// an emulator: those whose ELF header is of the architecture, executable or shared, by
// any OSABI. The flags: O, the emulator is handed the program open, and P, with the name
// that it was called by; F, the emulator itself is opened now, so that it need not be in
// the root of a step.
func Registration(arch, emulator string) string {
	return fmt.Sprintf(`:%s%s:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x%02x\x00:`+
		`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:%s:OPF`, registered, arch, programsOf[arch].machine, emulator)
}

// Register has programs of an architecture run by an emulator, until this machine is
// restarted. It says what is in the way.
func Register(arch, emulator string) error {
	if _, known := programsOf[arch]; !known {
		return fmt.Errorf("what programs of %s look like is not known", arch)
	}
	if strings.Contains(emulator, ":") {
		return fmt.Errorf("the path of %s has a colon, which no registration can have", emulator)
	}
	register := filepath.Join(binfmtDir, "register")
	if _, err := os.Stat(register); errors.Is(err, os.ErrNotExist) {
		if err := unix.Mount("binfmt_misc", binfmtDir, "binfmt_misc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			return fmt.Errorf("mount binfmt_misc, by which the kernel finds an emulator: %w", err)
		}
	}
	own := filepath.Join(binfmtDir, registered+arch)
	if _, err := os.Stat(own); err == nil {
		// Of an emulator that has been removed or replaced since.
		if err := os.WriteFile(own, []byte("-1"), 0); err != nil {
			return fmt.Errorf("replace the registration of an emulator: %w", err)
		}
	}
	if err := os.WriteFile(register, []byte(Registration(arch, emulator)), 0); err != nil {
		return fmt.Errorf("register %s: %w", emulator, err)
	}
	return nil
}
