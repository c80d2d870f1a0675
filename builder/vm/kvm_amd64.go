package vm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers and layouts of linux/kvm.h and asm/kvm.h, for x86.
const (
	kvmGetAPIVersion       = 0xae00
	kvmCreateVM            = 0xae01
	kvmGetVCPUMmapSize     = 0xae04
	kvmCreateVCPU          = 0xae41
	kvmSetUserMemoryRegion = 0x4020ae46
	kvmRun                 = 0xae80
	kvmSetRegs             = 0x4090ae82
	kvmGetSregs            = 0x8138ae83
	kvmSetSregs            = 0x4138ae84

	kvmAPIVersion = 12
	kvmExitHLT    = 5
	exitReasonAt  = 8  // in struct kvm_run
	csSelectorAt  = 12 // in struct kvm_sregs, which begins with cs
	ripAt         = 128
	rflagsAt      = 136
)

// program sets the floating-point unit up, as every firmware does, and halts.
var program = []byte{
	0x9b, 0xdb, 0xe3, // finit
	0xf4, // hlt
}

// CheckKVM explains why KVM cannot be used here, or nil if it can. That /dev/kvm
// can be opened is not enough: within some virtual machines it is there, but
// KVM has to emulate guests instruction by instruction, and knows few of them.
// To halt is one that it does know, finit is not.
// It has no guests of another architecture.
func CheckKVM(arch string) error {
	if arch != "amd64" {
		return fmt.Errorf("this machine is amd64, and the image is for %s", arch)
	}
	done := make(chan error, 1)
	go func() { done <- runHalt() }()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Second):
		return errors.New("a guest of a few instructions does not end")
	}
}

// kvmCall asks KVM for something. What says it in words, for errors. Where arg is
// an address, what is there stays where it is during the call.
//
//go:uintptrescapes
func kvmCall(fd, request, arg uintptr, what string) (uintptr, error) {
	for {
		r, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, arg)
		switch errno {
		case 0:
			return r, nil
		case unix.EINTR:
		default:
			return 0, fmt.Errorf("/dev/kvm does not %s: %w", what, errno)
		}
	}
}

func runHalt() error {
	dev, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer dev.Close()
	version, err := kvmCall(dev.Fd(), kvmGetAPIVersion, 0, "tell its version")
	if err != nil {
		return err
	}
	if version != kvmAPIVersion {
		return fmt.Errorf("/dev/kvm has the interface of version %d, not %d", version, kvmAPIVersion)
	}
	machine, err := kvmCall(dev.Fd(), kvmCreateVM, 0, "make a virtual machine")
	if err != nil {
		return err
	}
	defer unix.Close(int(machine))

	memory, err := unix.Mmap(-1, 0, 0x1000, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(memory) }()
	copy(memory, program)
	// struct kvm_userspace_memory_region
	region := [4]uint64{0, 0, uint64(len(memory)), uint64(uintptr(unsafe.Pointer(&memory[0])))}
	if _, err := kvmCall(machine, kvmSetUserMemoryRegion, uintptr(unsafe.Pointer(&region)), "take memory"); err != nil {
		return err
	}
	cpu, err := kvmCall(machine, kvmCreateVCPU, 0, "make a processor")
	if err != nil {
		return err
	}
	defer unix.Close(int(cpu))
	size, err := kvmCall(dev.Fd(), kvmGetVCPUMmapSize, 0, "tell a size")
	if err != nil {
		return err
	}
	state, err := unix.Mmap(int(cpu), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(state) }()

	if err := setRegisters(cpu); err != nil {
		return err
	}
	if _, err := kvmCall(cpu, kvmRun, 0, "run a guest"); err != nil {
		return err
	}
	if reason := binary.LittleEndian.Uint32(state[exitReasonAt:]); reason != kvmExitHLT {
		return fmt.Errorf("/dev/kvm is there but runs no guest (it stopped for reason %d)", reason)
	}
	return nil
}

// setRegisters lets a processor begin with the first byte of memory, in real mode.
func setRegisters(cpu uintptr) error {
	var sregs [312]byte
	if _, err := kvmCall(cpu, kvmGetSregs, uintptr(unsafe.Pointer(&sregs)), "tell registers"); err != nil {
		return err
	}
	clear(sregs[0:8])
	clear(sregs[csSelectorAt : csSelectorAt+2])
	if _, err := kvmCall(cpu, kvmSetSregs, uintptr(unsafe.Pointer(&sregs)), "set registers"); err != nil {
		return err
	}
	var regs [144]byte
	binary.LittleEndian.PutUint64(regs[ripAt:], 0)
	binary.LittleEndian.PutUint64(regs[rflagsAt:], 2) // the bit that is always set
	_, err := kvmCall(cpu, kvmSetRegs, uintptr(unsafe.Pointer(&regs)), "set registers")
	return err
}
