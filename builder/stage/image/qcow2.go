package image

import (
	"context"

	"github.com/treewright/treewright/builder/task"
)

// qcow2 is QEMU's own format, which most programs for virtual machines read.
var qcow2 = Format{
	Name: "qcow2", Ending: ".qcow2", Description: "the disk image, for virtual machines", QEMU: "qcow2",
	Tools:   map[string][]string{"debian": {"qemu-utils"}},
	Convert: task.Define("qcow2", 1, makeQcow2).Recorded(),
}

// makeQcow2 makes t.Out/p.File. Without -W clusters are written in the order of the
// disk, whatever the number of processors; and those that are zero are left out,
// whether or not they are holes.
func makeQcow2(ctx context.Context, t *task.Task, p ConvertParams) error {
	return t.Tool(ctx, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", task.ToolIn+"/disk/"+p.Disk, task.ToolOut+"/"+p.File)
}
