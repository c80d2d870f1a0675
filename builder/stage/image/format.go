package image

import (
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/task"
)

// Format is a form in which the disk image is handed out.
type Format struct {
	// Name is what the parameter formats calls it, and Ending the end of its file's
	// name.
	Name, Ending string
	// Description is half a line for the last screen.
	Description string
	// QEMU is what QEMU calls the format; "" if it cannot boot such a file.
	QEMU string
	// Tools are the packages with the programs that Convert runs, by family of
	// distributions. They have a tools layer of their own: no key of another format
	// depends on them.
	Tools map[string][]string
	// Convert makes the file of the disk, which is its input "disk"; nil for the disk
	// as it is.
	Convert *task.Action[ConvertParams]
}

// ConvertParams are the parameters of a format's action.
type ConvertParams struct {
	// Disk is the name of the file to read, and File that of the file to make.
	Disk string `json:"disk"`
	File string `json:"file"`
}

// File is the name of a flavour's disk image in the format.
func (f Format) File(flavour string) string { return flavour + f.Ending }

// purpose is what the format's tools are for.
func (f Format) purpose() distro.Purpose { return distro.ForImage + "-" + distro.Purpose(f.Name) }
