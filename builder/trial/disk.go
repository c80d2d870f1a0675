package trial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/vm"
)

// keepDisk makes a machine's disk if there is none.
func keepDisk(ctx context.Context, job vm.Job, m vm.Machine, image build.Image) error {
	name := "base." + image.Format
	base := filepath.Join(job.Shared(), name)
	if _, err := os.Stat(filepath.Join(job.Shared(), "disk.qcow2")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A link of its own: the image may be built again while the disk is kept,
	// which is but the difference to this one.
	if err := os.MkdirAll(job.Shared(), 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(base); err != nil {
		return err
	}
	if err := treefs.LinkOrCopy(image.Path, base); err != nil {
		return err
	}
	return newDisk(ctx, job, m, vm.SharedDir+"/"+name, image.Format)
}

// extraDisk is by how much a machine's disk is larger than the image, in bytes.
const extraDisk = 4 << 30

// newDisk makes a machine's disk on top of an image, which the job finds at the path
// inside.
func newDisk(ctx context.Context, job vm.Job, m vm.Machine, inside, format string) error {
	if err := os.MkdirAll(job.Shared(), 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(job.Shared(), "disk.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	job.Argv, job.Serve = m.NewDisk(inside, format, extraDisk), ""
	if err := job.Run(ctx, false, log); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("make the machine's disk: %w\n%s", err, said)
	}
	return nil
}
