package buildtest

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
)

// Backend returns the backend. It has one state, the cache that a builder is
// opened with.
func Backend() *build.Backend {
	return &build.Backend{
		Families:   distro.Families{family{}},
		Host:       func(context.Context, distro.Distro, event.Sink) (string, error) { return "mmdebstrap 1.0", nil },
		Arch:       "amd64",
		Emulate:    func(context.Context, distro.Distro, string, string, event.Sink) error { return nil },
		KVM:        kvm,
		Executor:   func(sink event.Sink) engine.Executor { return &executor{sink} },
		OpenRemote: openRemote,
		OpenExec:   openExec,
	}
}

// kvm is that of a machine of amd64 that has it.
func kvm(arch string) error {
	if arch != "amd64" {
		return fmt.Errorf("this machine is amd64, and the image is for %s", arch)
	}
	return nil
}
