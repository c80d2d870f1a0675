package format

import "fmt"

// VFAT is a FAT file system to be made in an existing file of its size.
type VFAT struct {
	Label    string // at most 11 characters
	VolumeID uint32
}

// Argv is the mkfs.vfat(8) command that makes the file system empty. Without
// --invariant the time would get into it.
func (v VFAT) Argv(file string) []string {
	return []string{"mkfs.vfat", "--invariant", "-i", fmt.Sprintf("%08x", v.VolumeID), "-n", v.Label, file}
}

// MakeDirectories is the mmd(1) command that makes directories ("/EFI") in the file
// system, parents first. It takes their time from SOURCE_DATE_EPOCH.
func (VFAT) MakeDirectories(file string, dirs ...string) []string {
	argv := []string{"mmd", "-i", file}
	for _, d := range dirs {
		argv = append(argv, "::"+d)
	}
	return argv
}

// CopyIn is the mcopy(1) command that copies a file into the file system,
// with its time.
func (VFAT) CopyIn(file, from, to string) []string {
	return []string{"mcopy", "-m", "-i", file, from, "::" + to}
}
